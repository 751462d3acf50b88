"""What reading stored rows again refuses."""

from gateway.errors import ConflictError, StaleError


class MappingStale(StaleError):
    """Rows or mapping changed since the differences were looked at."""

    code = "mapping_differences_stale"
    title = "The differences are not those you looked at"
    hint = "Read the differences again and apply what they say now."


class NotMapped(ConflictError):
    """The account is at no bank whose answers are mapped here."""

    code = "account_not_mapped"
    title = "No bank's answers are kept for this account"
    hint = "Connect the account first."

"""What known accounts refuse."""

from gateway.errors import ConflictError, NotFound


class KnownAccountNotFound(NotFound):
    """No such known account, or another office's."""

    code = "known_account_not_found"
    title = "There is no known account with this id"


class IbanKnown(ConflictError):
    """Within an office one number belongs to one client (OFF-14); other offices are not asked (OFF-05)."""

    code = "iban_known"
    title = "This office knows this account number already"
    hint = "Look it up among the accounts and known accounts of the office, and change it there."


class KnownAccountConnected(ConflictError):
    """It became an account, whose settings count from then on."""

    code = "known_account_connected"
    title = "This number has become an account"
    hint = "Change the settings of the account itself; it has the same id."

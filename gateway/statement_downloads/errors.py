"""What downloads of several statements refuse."""

from __future__ import annotations

from gateway.errors import InputError, NotFound


class TooManyStatements(InputError):
    """More than one download gives."""

    code = "too_many_statements"
    title = "These are too many statements for one download"
    detail = "{found} statements are in the selection; one download gives at most {maximum}."
    hint = "Ask for a shorter period, or for fewer accounts, and repeat."
    members = ("found", "maximum")


class NoStatements(NotFound):
    """One file of nothing cannot be made."""

    code = "no_statements"
    title = "No issued statement is in this selection"
    hint = "Check period and account; statements that are held have no file."


class OneAccountOnly(InputError):
    """One physical file speaks of one account."""

    code = "one_account_only"
    title = "One file holds the statements of one account"
    detail = "The selection has {found} accounts."
    hint = "Ask for one account, or for the ZIP, which has a file per account."
    members = ("found",)

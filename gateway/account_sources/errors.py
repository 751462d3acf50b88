"""What sources of accounts refuse."""

from __future__ import annotations

from gateway.errors import ConflictError, NotFound


class BankFileNotFound(NotFound):
    """No such bank-made file, or another office's."""

    code = "bank_file_not_found"
    title = "There is no bank-made file with this id"


class SecondSource(ConflictError):
    """Another source gives the same days; nothing is mixed (CON-17)."""

    code = "second_source"
    title = "Another source gives these days too"
    detail = "The source of this account is {source}."
    hint = "Switch the source of the account from that day on, or set the file aside."
    members = ("source",)


class SourceDayRefused(ConflictError):
    """Days would have two sources, or none (CON-17)."""

    code = "source_day_refused"
    title = "The source cannot be switched on this day"
    detail = "Asked for {found}; possible from {expected}."
    hint = "Switch on the day after the last statement of the present source."
    members = ("found", "expected")


class SourceDayNotProven(ConflictError):
    """What was read does not come to the closing balance of the last bank-made statement (STA-21)."""

    code = "source_day_not_proven"
    title = "The day of the switch is not proven"
    detail = "The last bank-made statement closes at {found}; what was read of the bank comes to {expected}."
    hint = "Read the account, compare the days with the bank's files, and switch once they agree."
    members = ("found", "expected")


class SourceNotPossible(ConflictError):
    """Read at the bank without a permission, or read by Ponto without being connected there."""

    code = "source_not_possible"
    title = "The account is not connected to this source"
    hint = "Send the account holder a link to its bank first."


class SourceIsPresent(ConflictError):
    """Nothing to switch."""

    code = "source_is_present"
    title = "This is the source of the account already"

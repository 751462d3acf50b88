"""What accounts refuse."""

from datetime import datetime

from gateway.errors import ConflictError, GatewayError, NotFound


class AccountNotFound(NotFound):
    """No such account, or another office's."""

    code = "account_not_found"
    title = "There is no account with this id"


class SyncNotFound(NotFound):
    """No such reading, or another office's."""

    code = "sync_not_found"
    title = "There is no synchronisation with this id"


class StatementsFromTooEarly(ConflictError):
    """Before the first day of history the bank gave (OFF-10)."""

    code = "statements_from_too_early"
    title = "The bank gave no data for this day"
    detail = "The history begins on {history_from}."
    hint = "Choose that day or a later one; older days come from files of the bank."


class AccountMoved(ConflictError):
    """The client moved it to another office; what this one has of it stays readable (OFF-17)."""

    code = "account_moved"
    title = "The client moved this account to another office"
    hint = "It can be read here, nothing more; connected here again, it goes on."


class AccountMoving(ConflictError):
    """It moves here: its first day is the one after the former office's last file, if there is one (OFF-17)."""

    code = "account_moving"
    title = "This account is moving to this office"
    detail = "It moves on {move_on}."
    hint = "Choose the first day once the move is done; where another office has files, it follows from them."


class StatementsStarted(ConflictError):
    """The first file is issued: its day does not move any more (OFF-10)."""

    code = "statements_started"
    title = "The first statement of this account is issued already"
    detail = "Statements begin on {first_date}."
    hint = "The chain of statements has no gaps; its beginning cannot be moved."


class BankCallBudgetExhausted(GatewayError):
    """The bank may not be called again yet without the holder; it was not called (SYN-02)."""

    code = "bank_call_budget_exhausted"
    http_status = 429
    title = "This account was read as often as its bank allows without the account holder"
    detail = "The next reading on request is possible from {resets_at}."
    hint = "Planned readings go on by themselves. Ask again after that moment, or have the account holder refresh."
    members = ("resets_at",)

    def __init__(self, resets_at: datetime, *, seconds: int) -> None:
        super().__init__(headers={"Retry-After": str(seconds)}, resets_at=resets_at.isoformat())

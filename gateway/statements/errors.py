"""What statements refuse."""

from gateway.errors import ConflictError, NotFound


class StatementNotFound(NotFound):
    """No such statement, or another office's."""

    code = "statement_not_found"
    title = "There is no statement with this id"


class StatementNotIssued(ConflictError):
    """A held statement has no number and no file."""

    code = "statement_not_issued"
    title = "The statement is not issued yet"
    detail = "It is {state}: {hold_code}."
    hint = "Read the statement: it names the difference, both balances and likely causes."

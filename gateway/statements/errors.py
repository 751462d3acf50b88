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


class BankDocumentNotFound(NotFound):
    """No such document, or another office's."""

    code = "bank_document_not_found"
    title = "There is no document with this id"


class RestartDayInvalid(ConflictError):
    """The chain can only be restarted at a day that waits: after the last closed one, over at the bank."""

    code = "restart_day_invalid"
    title = "The chain cannot be restarted at this day"
    hint = "Choose a day that waits: after the last issued one and read from the bank. What proves needs no restart."
    members = ("first_day", "last_day")


class StatementNotRefused(ConflictError):
    """Nothing is withdrawn that no package refused."""

    code = "statement_not_refused"
    title = "No package refused this file"
    hint = "Mark the first file that the package refused, with its message, and declare from that one on."


class ReissueRefused(ConflictError):
    """A new file cannot be written; nothing is withdrawn."""

    code = "reissue_refused"
    title = "The files cannot be written anew"
    detail = "The format cannot carry {place}."
    hint = "Correct the data of the account or client that is named, and declare again."

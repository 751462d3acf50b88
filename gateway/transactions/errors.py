"""What transactions refuse."""

from gateway.errors import InputError, NotFound


class TransactionNotFound(NotFound):
    """No such transaction, or another office's; a pending one lives until the next reading."""

    code = "transaction_not_found"
    title = "There is no transaction with this id"


class SearchUnusable(InputError):
    """A filter that says nothing, or that pending transactions do not have."""

    code = "search_unusable"
    title = "This search cannot be done"
    hint = "Correct the filters listed in errors; pending transactions are few and have no words or labels."

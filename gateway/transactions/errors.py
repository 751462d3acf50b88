"""What transactions refuse."""

from gateway.errors import NotFound


class TransactionNotFound(NotFound):
    """No such transaction, or another office's; a pending one lives until the next reading."""

    code = "transaction_not_found"
    title = "There is no transaction with this id"

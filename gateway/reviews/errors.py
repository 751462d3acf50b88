"""What the review list refuses."""

from gateway.errors import ConflictError, NotFound


class ReviewItemNotFound(NotFound):
    """No such entry of the review list, or another office's."""

    code = "review_item_not_found"
    title = "There is no entry of the review list with this id"


class ReviewOutdated(ConflictError):
    """The rows changed since, so that the decision does not fit them any more."""

    code = "review_outdated"
    title = "The rows that this is about have changed since"
    hint = "Read the entry and its transactions again; where the new row stands on a file already, say `separate`."

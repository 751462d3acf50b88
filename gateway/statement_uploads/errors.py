"""What uploads of statements refuse."""

from __future__ import annotations

from gateway.errors import ConflictError, NotFound


class StatementUploadNotFound(NotFound):
    """No such upload, or another office's."""

    code = "statement_upload_not_found"
    title = "There is no upload of statements with this id"


class StatementUploadOutdated(ConflictError):
    """What is there of an account changed since the files were compared (STA-19)."""

    code = "statement_upload_outdated"
    title = "The account has changed since these files were read"
    hint = "Send the files again, and look at what they would add now."

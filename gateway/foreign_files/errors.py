"""What foreign files and hand-overs refuse."""

from __future__ import annotations

from gateway.errors import ConflictError, InputError, NotFound


class ForeignFilesTooLarge(InputError):
    """Above 500 files, 16 MB as sent, or 100 MB unpacked (STA-20)."""

    code = "foreign_files_too_large"
    http_status = 413
    title = "That is too much at once"
    detail = "At once at most 500 files, 16 MB as sent, and 100 MB when unpacked."
    hint = "Send the newest files first, in several rounds; the same file again does no harm."


class ForeignFilesEmpty(InputError):
    """Nothing in it."""

    code = "foreign_files_empty"
    title = "No file was sent, or an empty one"
    hint = "Send CODA files as they came from the bank, or a ZIP of them."


class ForeignFilesRefused(InputError):
    """None of the files can be used; `errors` says of each why."""

    code = "foreign_files_refused"
    title = "None of the files can be used"
    hint = "Look at the cause of each file."


class NumberingHandoverNotFound(NotFound):
    """No such hand-over, or another office's."""

    code = "numbering_handover_not_found"
    title = "There is no hand-over of numbers with this id"


class NumberingRefused(ConflictError):
    """What is handed over contradicts the bank or what the gateway has (STA-20); `errors` gives both values."""

    code = "numbering_refused"
    title = "What is handed over contradicts what is known"
    hint = "Compare both values; send the newest files, or type number, day and balance of the last one."

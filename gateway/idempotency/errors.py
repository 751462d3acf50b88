"""What idempotency keys refuse."""

from gateway.errors import ConflictError, InputError


class IdempotencyKeyRequired(InputError):
    """Operations on consents, money and files are never sent without one."""

    code = "idempotency_key_required"
    http_status = 400
    title = "This operation needs an Idempotency-Key"
    hint = "Send a new random key in the Idempotency-Key header, and the same key when you repeat the request."


class IdempotencyKeyInvalid(InputError):
    """Empty, too long, sent twice or with other characters than printable ASCII."""

    code = "idempotency_key_invalid"
    http_status = 400
    title = "The Idempotency-Key cannot be used"
    hint = "Send one header with 1 to 255 printable ASCII characters, such as a UUID."


class IdempotencyKeyReused(InputError):
    """The key was used for another request."""

    code = "idempotency_key_reused"
    title = "This Idempotency-Key was used for another request"
    hint = "Give each request a key of its own; repeat a request with the same body, query and If-Match."


class IdempotencyKeyInUse(ConflictError):
    """The first request with this key still runs."""

    code = "idempotency_key_in_use"
    title = "The first request with this Idempotency-Key is still running"
    hint = "Repeat the request in a moment; it then gets the answer of the first."


class IdempotencyOutcomeUnknown(ConflictError):
    """The first request was interrupted after its first change; it is not run again by itself."""

    code = "idempotency_outcome_unknown"
    title = "The first request was interrupted after it had begun"
    hint = "Look at what it was to make; if that is not there, send the request with a new key."


class IdempotencyAnswerNotKept(ConflictError):
    """The first request succeeded; its answer was not kept, since it held a secret or was too large."""

    code = "idempotency_answer_not_kept"
    title = "The first request succeeded, and its answer was not kept"
    hint = "Read what it made; a secret that was shown once is replaced by making a new one."

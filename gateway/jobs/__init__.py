"""Work in the background: `queue` hands it to a worker, the `job` resource tells callers how far it is."""

from gateway.jobs.queue import (
    DEFAULT_QUEUE,
    HEARTBEAT,
    KEEP_FINISHED,
    RESCUE_EVERY,
    STALLED_AFTER,
    account_lock,
    enqueue,
    make_app,
)

__all__ = [
    "DEFAULT_QUEUE", "HEARTBEAT", "KEEP_FINISHED", "RESCUE_EVERY", "STALLED_AFTER", "account_lock", "enqueue",
    "make_app",
]  # fmt: skip

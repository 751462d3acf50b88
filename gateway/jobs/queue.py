"""Background jobs on procrastinate, on the same database.

A job is enqueued inside the unit of work that makes it necessary: both commit, or neither. Tasks are idempotent and
carry ids only; their state lives in our tables. A job whose worker died is given back by `rescue`, which every worker
runs. Decision record: docs/decisions/0004-jobs-on-procrastinate.md.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from procrastinate import App, PsycopgConnector, SyncPsycopgConnector
from sqlmodel import Session

from gateway.database import raw_connection

log = logging.getLogger("gateway.jobs.queue")

HEARTBEAT: Final = timedelta(seconds=2)
STALLED_AFTER: Final = timedelta(seconds=10)
RESCUE_EVERY: Final = timedelta(seconds=5)
DEFAULT_QUEUE: Final = "default"
KEEP_FINISHED: Final = timedelta(days=7)


def make_app(conninfo: str, *, pool_size: int = 6) -> App:
    """The procrastinate application on a libpq connection string; `register` adds our tasks."""
    return App(
        connector=PsycopgConnector(conninfo=conninfo, min_size=1, max_size=pool_size),
        worker_defaults={
            "update_heartbeat_interval": HEARTBEAT.total_seconds(),
            "stalled_worker_timeout": STALLED_AFTER.total_seconds(),
            "fetch_job_polling_interval": 1.0,
        },
    )


_deferring = App(connector=SyncPsycopgConnector())
"""Only builds the INSERT for a connection handed in; it never opens a connection of its own."""


def enqueue(
    session: Session,
    task: str,
    *,
    lock: str | None = None,
    schedule_in: timedelta | None = None,
    queue: str = DEFAULT_QUEUE,
    **arguments: Any,
) -> None:
    """Add a job inside the present unit of work. `arguments` hold ids as strings and small numbers, never secrets.

    Jobs with the same `lock` run one after the other, whatever the number of workers. Jobs of different queues take no
    places from each other in a worker.
    """
    session.flush()
    deferrer = _deferring.configure_task(
        task,
        lock=lock,
        queue=queue,
        schedule_in={"seconds": schedule_in.total_seconds()} if schedule_in else None,
        connection=raw_connection(session),
    )
    deferrer.defer(**arguments)
    log.debug("job enqueued", extra={"task": task})


def account_lock(account_id: UUID) -> str:
    """The lock under which everything that changes one account's data runs."""
    return f"account:{account_id}"

"""The client: every operation, and what takes more than one call."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from sluis_client import models
from sluis_client.errors import SluisError
from sluis_client.operations import Operations

POLL_SECONDS: Final = 1
WAIT_SECONDS: Final = 300

UNDER_WAY: Final = frozenset({"queued", "running", "stored"})


class StillRunning(SluisError):
    """The service is still at it; ask again later."""


class Sluis(Operations):
    """One installation, seen by one caller."""

    def follow_transactions(
        self, cursor: str | None = None, *, account_id: str | None = None, client_id: str | None = None
    ) -> Iterator[models.TransactionChangesRead]:
        """Every change since `cursor`, a page at a time; keep the `next_cursor` of the last page for the next time."""
        while True:
            page = self.sync_transactions(cursor=cursor, account_id=account_id, client_id=client_id, limit=500)
            yield page
            cursor = page.next_cursor
            if not page.has_more:
                return

    def wait_for_sync(self, sync_id: str, *, seconds: int = WAIT_SECONDS) -> models.SyncRead:
        """The reading once it has ended, well or not; raises `StillRunning`."""
        ends = time.monotonic() + seconds
        while True:
            sync = self.get_sync(sync_id)
            if sync.state not in UNDER_WAY:
                return sync
            if time.monotonic() >= ends:
                raise StillRunning(f"reading {sync_id} is {sync.state} after {seconds} seconds")
            self._sleep(POLL_SECONDS)

    def wait_for_job(self, job_id: str, *, seconds: int = WAIT_SECONDS) -> models.JobRead:
        """The job once it has ended, well or not; raises `StillRunning`."""
        ends = time.monotonic() + seconds
        while True:
            job = self.get_job(job_id)
            if job.state not in UNDER_WAY:
                return job
            if time.monotonic() >= ends:
                raise StillRunning(f"job {job_id} is {job.state} after {seconds} seconds")
            self._sleep(POLL_SECONDS)

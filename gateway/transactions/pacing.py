"""How hard a bank is asked: never by more accounts at once than it can answer, and softly while it does not (SYN-02).

What is known of a bank here is what the readings of one office met today; it needs no memory of its own, and a restart
forgets nothing. Each bank is judged by itself: one that is down never slows another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from connectors.errors import BankAnswerInvalid, BankUnavailable
from gateway.accounts.models import Sync
from gateway.accounts.states import TAKEN_IN, UNFINISHED, SyncState

UNDER_WAY_MAX: Final = 200
"""Readings of one bank that one office has in the queue: what a bank that hangs can pile up."""
DOWN_AFTER: Final = 3
"""Failures in a row from which a bank counts as down."""
REPEAT_AFTER: Final = timedelta(minutes=30)
REPEAT_AFTER_MAX: Final = timedelta(hours=2)
OUTAGES: Final = frozenset({BankUnavailable.code, BankAnswerInvalid.code})
"""What says of the bank, and not of one account, that it does not work."""


class BankPace:
    """What today's readings tell about one bank."""

    def __init__(self) -> None:
        self.under_way = 0
        self.answered_at: datetime | None = None
        """Start of the newest reading that the bank answered whole."""
        self._failed: list[datetime] = []

    def note(self, sync: Sync) -> None:
        """One reading; those of a bank come in the order in which they were asked for."""
        if sync.state in UNFINISHED:
            self.under_way += 1
        elif sync.state in TAKEN_IN and sync.started_at is not None:
            self.answered_at = max(self.answered_at or sync.started_at, sync.started_at)
        elif sync.state == SyncState.FAILED and sync.error_code in OUTAGES and sync.finished_at is not None:
            self._failed.append(sync.finished_at)

    @property
    def failures(self) -> list[datetime]:
        """When readings failed since the bank last answered one."""
        return [moment for moment in self._failed if self.answered_at is None or moment > self.answered_at]

    def lets_begin(self, now: datetime) -> bool:
        """Whether a planned reading may be made for the first time in its slot."""
        if self.under_way >= UNDER_WAY_MAX:
            return False
        return len(self.failures) < DOWN_AFTER or self._may_probe(now)

    def lets_repeat(self, failed_at: datetime, now: datetime) -> bool:
        """Whether a reading that failed may be repeated: the bank works again, or somebody has to find out.

        One reading finds out for all: the next one waits twice as long.
        """
        if self.under_way >= UNDER_WAY_MAX or now - failed_at < REPEAT_AFTER:
            return False
        return (self.answered_at is not None and self.answered_at > failed_at) or self._may_probe(now)

    def _may_probe(self, now: datetime) -> bool:
        failures = self.failures
        if not failures:
            return True
        wait = min(REPEAT_AFTER * 2 ** max(0, len(failures) - DOWN_AFTER), REPEAT_AFTER_MAX)
        return self.under_way == 0 and now - max(failures) >= wait


def paces(syncs: Iterable[Sync], bank_of: Mapping[UUID, str]) -> dict[str, BankPace]:
    """The pace of every bank, from an office's readings of today."""
    found: dict[str, BankPace] = {}
    for sync in syncs:
        bank_id = bank_of.get(sync.account_id)
        if bank_id is not None:
            found.setdefault(bank_id, BankPace()).note(sync)
    return found

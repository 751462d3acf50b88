"""When an account is read by plan: once after the bank's end of day, once in the afternoon (SYN-02, STA-01).

The accounts of a bank are spread over each slot by a hash of account and day, so that a bank meets a stream and no
wave. Moments are counted in UTC from a Brussels hour: on the days on which the clock changes a slot is as long as ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from gateway.clock import BRUSSELS, brussels_date

READ_BY: Final = time(7)
"""By then every account has been read, so that files are there when the office opens."""
TIME_TO_READ: Final = timedelta(minutes=20)
"""What the last ones of a slot are given to be read."""
SPREAD_MIN: Final = timedelta(minutes=30)
"""For a bank whose day ends so late that the office opens meanwhile."""
AFTERNOON: Final = time(14)
AFTERNOON_SPREAD: Final = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Slot:
    """One planned reading of one account."""

    begins_at: datetime
    """From here on any reading does what this slot is for."""
    due_at: datetime
    """This account's place in it."""


def slots_of(account_id: UUID, day: date, end_of_day_hour: int) -> Sequence[Slot]:
    """The planned readings of an account on a day, in order. Raises nothing; `end_of_day_hour` is 0 to 12."""
    morning = _moment(day, time(end_of_day_hour))
    last = max(_moment(day, READ_BY) - TIME_TO_READ, morning + SPREAD_MIN)
    afternoon = _moment(day, AFTERNOON)
    return (
        Slot(morning, morning + (last - morning) * _share(account_id, day, "morning")),
        Slot(afternoon, afternoon + AFTERNOON_SPREAD * _share(account_id, day, "afternoon")),
    )


def slot_at(account_id: UUID, now: datetime, end_of_day_hour: int) -> Slot | None:
    """The newest slot of today whose moment has come; None before the first."""
    due = [slot for slot in slots_of(account_id, brussels_date(now), end_of_day_hour) if slot.due_at <= now]
    return due[-1] if due else None


def _moment(day: date, hour: time) -> datetime:
    return datetime.combine(day, hour, tzinfo=BRUSSELS).astimezone(UTC)


def _share(account_id: UUID, day: date, name: str) -> float:
    """From 0 up to, and without, 1: the same for the same account and day, in every process."""
    digest = hashlib.blake2b(f"{account_id}:{day}:{name}".encode(), digest_size=4).digest()
    return int.from_bytes(digest) / 2**32

"""The banks' clock: it stands still until somebody moves it, so that every day can be played again.

The real time is never read here: the start is handed in, and all business dates of the simulated banks follow from it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from threading import RLock
from zoneinfo import ZoneInfo

BRUSSELS = ZoneInfo("Europe/Brussels")
OPENING_TIME = time(9, 0)


class BankClock:
    """A clock that only goes forward, in Brussels time; may be read and moved by several threads."""

    def __init__(self, today: date, at: time = OPENING_TIME) -> None:
        self._lock = RLock()
        self._start = datetime.combine(today, at, tzinfo=BRUSSELS)
        self._now = self._start

    @property
    def now(self) -> datetime:
        """The moment at the banks, aware, in Brussels time."""
        with self._lock:
            return self._now

    @property
    def today(self) -> date:
        """The calendar day in Brussels."""
        return self.now.date()

    def advance(self, *, days: int = 0, hours: int = 0, minutes: int = 0, seconds: int = 0) -> datetime:
        """Move forward and return the new moment; whole days keep the time on the wall, also over a clock change."""
        with self._lock:
            # Adding to the time on the wall forgets which of the two hours it is when the clocks go back.
            moved = self._now + timedelta(days=days) if days else self._now
            shift = timedelta(hours=hours, minutes=minutes, seconds=seconds)
            return self.set((moved.astimezone(UTC) + shift).astimezone(BRUSSELS))

    def set(self, moment: datetime) -> datetime:
        """Move to an aware moment that is not before the present one; raises `ValueError` otherwise."""
        if moment.tzinfo is None:
            raise ValueError("the bank clock needs a moment with a time zone")
        moment = moment.astimezone(BRUSSELS)
        with self._lock:
            if moment.astimezone(UTC) < self._now.astimezone(UTC):
                raise ValueError("the bank clock does not go back; reset the simulator instead")
            self._now = moment
            return moment

    def reset(self) -> None:
        """Back to the start: only together with everything the banks remember."""
        with self._lock:
            self._now = self._start

"""Places in one worker process, so that a bank that hangs never holds all of them (SYN-02)."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Final

FIRST_GUESS: Final = 0.25
"""Seconds that a reading takes, before any was measured."""
WEIGHT: Final = 0.2
"""Of the newest reading in the mean."""
WAIT_MIN: Final = 0.1
WAIT_MAX: Final = 60.0


class BankPlaces:
    """How many readings of each bank run here now; one bank has all places but one.

    A reading that finds none gets a turn: the moment at which its bank should have a place for it, judged by how long
    readings of that bank take. So a queue of one bank goes through its places without a pause, and a bank that hangs
    is asked for again as seldom as it answers. `clock` gives seconds that only grow.
    """

    def __init__(self, concurrency: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._maximum = max(1, concurrency - 1)
        self._clock = clock
        self._taken: Counter[str] = Counter()
        self._seconds: defaultdict[str, float] = defaultdict(lambda: FIRST_GUESS)
        self._turn: defaultdict[str, float] = defaultdict(float)
        self._guard = threading.Lock()

    @contextlib.contextmanager
    def one_of(self, bank_id: str) -> Iterator[timedelta | None]:
        """A place for a reading of this bank, as None; or how long to wait where its places are taken."""
        with self._guard:
            began = self._clock()
            wait = self._wait(bank_id, began) if self._taken[bank_id] >= self._maximum else None
            if wait is None:
                self._taken[bank_id] += 1
        try:
            yield wait
        finally:
            if wait is None:
                with self._guard:
                    self._taken[bank_id] -= 1
                    self._seconds[bank_id] += WEIGHT * (self._clock() - began - self._seconds[bank_id])

    def _wait(self, bank_id: str, now: float) -> timedelta:
        turn = max(self._turn[bank_id], now) + self._seconds[bank_id] / self._maximum
        self._turn[bank_id] = min(turn, now + WAIT_MAX)
        return timedelta(seconds=max(WAIT_MIN, self._turn[bank_id] - now))

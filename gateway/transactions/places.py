"""Places in one worker process, so that a bank that hangs never holds all of them (SYN-02)."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

PUT_OFF: Final = timedelta(seconds=10)
"""When a reading that found no place is tried again."""


class BankPlaces:
    """How many readings of each bank run here now; one bank has all places but one."""

    def __init__(self, concurrency: int) -> None:
        self._maximum = max(1, concurrency - 1)
        self._taken: Counter[str] = Counter()
        self._guard = threading.Lock()

    @contextlib.contextmanager
    def one_of(self, bank_id: str) -> Iterator[bool]:
        """A place for a reading of this bank, or False when its places are taken."""
        with self._guard:
            is_free = self._taken[bank_id] < self._maximum
            if is_free:
                self._taken[bank_id] += 1
        try:
            yield is_free
        finally:
            if is_free:
                with self._guard:
                    self._taken[bank_id] -= 1

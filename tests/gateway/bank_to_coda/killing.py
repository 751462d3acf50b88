"""A process that ends at a chosen commit, as one that is killed there (law 7, OPS-04)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlmodel import Session

from gateway.assembly import Gateway


class Killed(BaseException):
    """The process ends here; nobody catches it."""


class KillingDatabase:
    """Ends the process right before or right after the commit of the nth unit of work."""

    def __init__(self, database: Any, *, at: int, is_committed: bool) -> None:
        self.database = database
        self.left = at
        self.is_committed = is_committed

    @contextlib.contextmanager
    def unit_of_work(self, office_id: UUID | None) -> Iterator[Session]:
        self.left -= 1
        is_last = self.left == 0
        with self.database.unit_of_work(office_id) as session:
            yield session
            if is_last and not self.is_committed:
                session.flush()
                raise Killed
        if is_last:
            raise Killed

    def lookup(self) -> contextlib.AbstractContextManager[Session]:
        """Reads only, so nothing can be lost there."""
        session: contextlib.AbstractContextManager[Session] = self.database.lookup()
        return session


def killed(gateway: Gateway, work: Callable[[Gateway], object], *, at: int, is_committed: bool) -> bool:
    """Whether the work was killed on the way; False when it came to its end."""
    dying = replace(gateway, database=KillingDatabase(gateway.database, at=at, is_committed=is_committed))  # type: ignore[arg-type]
    try:
        work(dying)
    except Killed:
        return True
    return False

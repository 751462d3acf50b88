"""A bank that refuses this installation is not asked again and again: its planned readings wait (SYN-13).

One client refused for a reason of ours may be an oddity of that client; two are the certificate or the registration.
From then on one planned reading of the bank is tried each hour, whoever is next, and a reading that succeeds ends the
pause for all. Readings that a person asks for go through. Other banks go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from gateway.banks.models import BankRefusal

CLIENTS_MIN: Final = 2
TRY_AGAIN_AFTER: Final = timedelta(hours=1)


def note_refused(session: Session, bank_id: str, client_id: UUID, now: datetime) -> None:
    """The bank refused a reading of this client for a fault of ours."""
    row = insert(BankRefusal).values(bank_id=bank_id, client_id=client_id, refused_at=now)
    session.execute(row.on_conflict_do_update(index_elements=["bank_id", "client_id"], set_={"refused_at": now}))


def note_accepted(session: Session, bank_id: str) -> None:
    """The bank answered a reading: whatever was wrong is right again."""
    session.execute(delete(BankRefusal).where(col(BankRefusal.bank_id) == bank_id))


class Pauses:
    """The banks that wait, as one look over what is due sees them."""

    def __init__(self, session: Session, now: datetime) -> None:
        self._session = session
        self._now = now
        query = (
            select(BankRefusal.bank_id, func.max(BankRefusal.refused_at))
            .group_by(BankRefusal.bank_id)
            .having(func.count() >= CLIENTS_MIN)
        )
        self._last = dict(session.exec(query).all())

    @property
    def refused(self) -> Mapping[str, datetime]:
        """The banks that refuse this installation, and when they last did."""
        return self._last

    def holds(self, bank_id: str) -> bool:
        """Whether a planned reading of this bank waits; False for one of them once an hour."""
        last = self._last.get(bank_id)
        if last is None:
            return False
        if self._now - last < TRY_AGAIN_AFTER:
            return True
        # The first who says so tries; for the others, here and in other processes, the hour begins again.
        taken = self._session.execute(
            update(BankRefusal)
            .where(col(BankRefusal.bank_id) == bank_id, col(BankRefusal.refused_at) == last)
            .values(refused_at=self._now)
            .returning(col(BankRefusal.client_id))
        )
        self._last[bank_id] = self._now
        return taken.first() is None

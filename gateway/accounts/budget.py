"""How often a bank may be asked for an account in a day, for all offices that read it together (OFF-05, SYN-02)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from gateway.accounts.models import Account, ReadingBudget
from gateway.crypto import KeyRing

PURPOSE: Final = "reading-budget"
KEPT: Final = timedelta(days=7)


def take(session: Session, keys: KeyRing, account: Account, *, mode: str, day: date, maximum: int) -> bool:
    """Count one reading without the holder; False when the day's are used up, whichever office used them."""
    account_hash = keys.keyed_hash(PURPOSE, f"{mode}:{account.iban}:{account.currency}")
    counted = (
        insert(ReadingBudget)
        .values(account_hash=account_hash, day=day, count=1)
        .on_conflict_do_update(
            index_elements=[col(ReadingBudget.account_hash), col(ReadingBudget.day)],
            set_={"count": col(ReadingBudget.count) + 1},
            where=col(ReadingBudget.count) < maximum,
        )
        .returning(col(ReadingBudget.count))
    )
    return session.execute(counted).scalar_one_or_none() is not None


def forget(session: Session, *, today: date) -> None:
    """Let go of days that are over."""
    session.execute(delete(ReadingBudget).where(col(ReadingBudget.day) < today - KEPT))

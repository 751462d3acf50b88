"""The ledger of unattended calls: how often a bank was asked for an account, by all offices together (SYN-02, OFF-05).

A call is one reading of balances and transactions with their pages. Its unit is taken in the transaction that commits
the intent, before the bank is called, so that a try that fails, times out or dies with its worker counts as well. The
window rolls: what was used comes free 24 hours later. Decision record: docs/decisions/0057-call-ledger.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, text, update
from sqlmodel import Session, col, select

from gateway.accounts.models import Account, BankCall
from gateway.crypto import KeyRing
from gateway.ids import new_id

PURPOSE: Final = "reading-budget"
ROLLING: Final = timedelta(hours=24)
KEPT: Final = timedelta(days=7)
PLANNED_PER_DAY: Final = 2
"""After the bank's end of day and in the afternoon; what the bank allows beyond is the reserve."""
ANSWERED: Final = "ok"
RESERVED: Final = frozenset({"request", "full", "reread"})
"""Readings that live on the reserve, so that no number of them takes a planned one away."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The calls of one account in the last 24 hours, oldest first, and what they leave."""

    calls: Sequence[BankCall]
    maximum: int
    now: datetime

    @property
    def used(self) -> int:
        """Calls of all offices, whatever came of them."""
        return len(self.calls)

    @property
    def remaining(self) -> int:
        """Calls that are left, planned ones included."""
        return max(0, self.maximum - self.used)

    @property
    def resets_at(self) -> datetime | None:
        """When the next used call comes free; None when none is used."""
        return self.calls[0].called_at + ROLLING if self.calls else None

    @property
    def reserve(self) -> int:
        """How many of the calls are kept for what is asked for: one at least, or nobody could ask."""
        return max(1, self.maximum - PLANNED_PER_DAY)

    def free_at(self, reason: str) -> datetime:
        """The first moment at which a call for this reason has room: now, or when enough others are a day old."""
        moments = [self.now, _free(self.calls, self.maximum)]
        if reason in RESERVED:
            moments.append(_free([call for call in self.calls if call.reason in RESERVED], self.reserve))
        return max(moment for moment in moments if moment is not None)

    def has_room(self, reason: str) -> bool:
        """Whether the bank may be called now for this reason."""
        return self.free_at(reason) <= self.now

    @property
    def remaining_on_request(self) -> int:
        """How many readings may be asked for now."""
        return max(0, min(self.remaining, self.reserve - sum(call.reason in RESERVED for call in self.calls)))


def _free(calls: Sequence[BankCall], maximum: int) -> datetime | None:
    """When fewer than `maximum` of these are younger than a day; None when that is so already."""
    too_many = len(calls) - maximum
    return calls[too_many].called_at + ROLLING if too_many >= 0 else None


def hash_of(keys: KeyRing, account: Account, *, mode: str) -> bytes:
    """What the ledger knows an account by; offices that try things out never use up a real account's calls."""
    return keys.keyed_hash(PURPOSE, f"{mode}:{account.iban}:{account.currency}")


def take(
    session: Session, keys: KeyRing, account: Account, *, mode: str, sync_id: UUID, reason: str, now: datetime,
    maximum: int,
) -> tuple[bool, Standing]:  # fmt: skip
    """Write down one call that is about to be made; False when there is no room, whichever office used it.

    Whoever asks at the same moment waits until this transaction ends: the last unit is spent once.
    """
    account_hash = hash_of(keys, account, mode=mode)
    lock = int.from_bytes(account_hash[:8], signed=True)
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})
    standing = _standing(session, account_hash, now=now, maximum=maximum)
    if not standing.has_room(reason):
        return False, standing
    session.add(BankCall(id=new_id(), account_hash=account_hash, sync_id=sync_id, reason=reason, called_at=now))
    session.flush()
    return True, standing


def standing_of(
    session: Session, keys: KeyRing, account: Account, *, mode: str, now: datetime, maximum: int
) -> Standing:
    """What was used of an account's calls, and what is left."""
    return _standing(session, hash_of(keys, account, mode=mode), now=now, maximum=maximum)


def used_of(session: Session, account_hashes: Iterable[bytes], *, now: datetime) -> dict[bytes, int]:
    """How many calls each of these accounts used; those without any are not named."""
    counted = (
        select(BankCall.account_hash, func.count())
        .where(col(BankCall.account_hash).in_(list(account_hashes)), *_in_window(now))
        .group_by(col(BankCall.account_hash))
    )
    return dict(session.exec(counted).all())


def note_outcome(session: Session, sync_id: UUID, outcome: str) -> None:
    """What came of the newest call of a reading: `ANSWERED`, or the code of what went wrong."""
    newest = (
        select(BankCall.id).where(BankCall.sync_id == sync_id).order_by(col(BankCall.id).desc()).limit(1)
    ).scalar_subquery()
    session.execute(update(BankCall).where(col(BankCall.id) == newest).values(outcome=outcome))


def forget(session: Session, *, now: datetime) -> None:
    """Let go of calls that are long over."""
    session.execute(delete(BankCall).where(col(BankCall.called_at) < now - KEPT))


def _standing(session: Session, account_hash: bytes, *, now: datetime, maximum: int) -> Standing:
    query = (
        select(BankCall)
        .where(BankCall.account_hash == account_hash, *_in_window(now))
        .order_by(col(BankCall.called_at), col(BankCall.id))
    )
    return Standing(session.exec(query).all(), maximum, now)


def _in_window(now: datetime) -> tuple[ColumnElement[bool], ...]:
    # What lies a little ahead counts as well: a clock that was set back gives no second budget. What lies further ahead
    # is of a test office whose clock was moved, and none of this office's business.
    return col(BankCall.called_at) > now - ROLLING, col(BankCall.called_at) < now + ROLLING

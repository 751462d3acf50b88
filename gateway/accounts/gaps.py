"""Days that no reading covers: from where to read after an interruption, and naming what is still missing (CON-13).

A reading after a renewal begins at the last day that proves, less the overlap. What lies between that and the first
day the bank still gives is a gap: kept with its cause until a reading reaches back over it, or files prove its days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from sqlmodel import Session, col, select

from connectors.profile import BankProfile
from gateway.accounts.models import Account, AccountGap
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.ids import new_id
from gateway.statements.models import StatementChain
from gateway.statements.repository import StatementRepository

ONE_DAY: Final = timedelta(days=1)
HISTORY_SHORT: Final = "bank_history_short"
"""Nothing kept us from reading in time; the bank gives no older days."""
WAYS: Final = ("coda", "camt053", "mt940")
"""Files that can fill a gap."""
_PASSING: Final = frozenset({None, "first_sync_due"})


def restart_day(session: Session, account: Account, profile: BankProfile) -> date | None:
    """The day from which to read after an interruption; None before the first reading: everything."""
    if account.complete_until is None:
        return None
    chain = StatementRepository(session).chain(account.office_id, account.id)
    last = min(account.complete_until, chain.closed_until) if chain is not None else account.complete_until
    return last - profile.overlap_days * ONE_DAY


def note_coverage(gateway: Gateway, session: Session, act: Act, account: Account, first: date) -> None:
    """A reading from `first` on is being stored: name the days before it that nobody read, or take them as filled.

    Called with the account locked, before `complete_until` moves and its health says that all is well again.
    """
    for gap in open_gaps(session, account.office_id, [account.id]).get(account.id, ()):
        if first <= gap.first_day:
            gap.filled_at = act.now
            session.add(gap)
            _record(gateway, session, act, account, gap=gap, action="account.gap_filled")
    if account.complete_until is None or first <= account.complete_until + ONE_DAY:
        return
    gap = AccountGap(
        id=new_id(),
        office_id=account.office_id,
        account_id=account.id,
        first_day=account.complete_until + ONE_DAY,
        last_day=first - ONE_DAY,
        cause=HISTORY_SHORT if account.health_code in _PASSING else str(account.health_code),
        found_at=act.now,
    )
    session.add(gap)
    _record(gateway, session, act, account, gap=gap, action="account.gap_found")


def open_gaps(session: Session, office_id: UUID, account_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[AccountGap]]:
    """What is missing of these accounts, the oldest first: neither read since, nor proven by files."""
    if not account_ids:
        return {}
    rows = session.exec(
        select(AccountGap)
        .outerjoin(
            StatementChain,
            (col(StatementChain.office_id) == AccountGap.office_id)
            & (col(StatementChain.account_id) == AccountGap.account_id),
        )
        .where(
            AccountGap.office_id == office_id,
            col(AccountGap.account_id).in_(account_ids),
            col(AccountGap.filled_at).is_(None),
            col(StatementChain.closed_until).is_(None) | (col(StatementChain.closed_until) < AccountGap.last_day),
        )
        .order_by(col(AccountGap.first_day))
    ).all()
    found: dict[UUID, list[AccountGap]] = {}
    for row in rows:
        found.setdefault(row.account_id, []).append(row)
    return found


def _record(gateway: Gateway, session: Session, act: Act, account: Account, *, gap: AccountGap, action: str) -> None:
    gateway.audit.record(
        session, act, action, "account", account.id, client_id=account.client_id,
        changes={
            "first_day": Change(None, gap.first_day),
            "last_day": Change(None, gap.last_day),
            "cause": Change(None, gap.cause),
        },
    )  # fmt: skip

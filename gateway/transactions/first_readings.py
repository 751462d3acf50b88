"""What the first readings of newly connected accounts brought, for the account holder who waits (SYN-01)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from gateway.accounts.models import Account, Balance
from gateway.accounts.repository import SyncRepository
from gateway.assembly import Gateway
from gateway.database import one_of
from gateway.statements.models import AccountDay
from gateway.statements.states import Proof
from gateway.transactions.models import BankTransaction


class BalanceCheck(StrEnum):
    """What the bank's balance says of the rows read."""

    PROVEN = "proven"
    AWAITED = "awaited"
    """The next reading confirms it: one balance alone agrees with anything derived from it (STA-05)."""
    DIFFERENT = "different"
    NONE = "none"
    """The bank gave no booked balance of a day."""


@dataclass(frozen=True, slots=True)
class FirstReading:
    """One account, as far as it is read."""

    iban: str
    currency: str
    is_under_way: bool
    is_read: bool
    """At least once; what follows is nothing until then."""
    rows: int
    first_day: date | None
    """Booking day of the first row; None without rows."""
    last_day: date | None
    balance: BalanceCheck


def first_readings(gateway: Gateway, office_id: UUID, account_ids: Collection[UUID]) -> Sequence[FirstReading]:
    """Where each of these accounts stands, in the order of their numbers."""
    with gateway.database.unit_of_work(office_id) as session:
        accounts = session.exec(
            select(Account)
            .where(Account.office_id == office_id, one_of(col(Account.id), account_ids))
            .order_by(col(Account.iban), col(Account.currency))
        ).all()
        return [_reading(session, account) for account in accounts]


def _reading(session: Session, account: Account) -> FirstReading:
    rows, first, last = session.execute(
        select(func.count(), func.min(BankTransaction.booking_date), func.max(BankTransaction.booking_date)).where(
            BankTransaction.office_id == account.office_id,
            BankTransaction.account_id == account.id,
            BankTransaction.state == "booked",
        )
    ).one()
    return FirstReading(
        iban=account.iban,
        currency=account.currency,
        is_under_way=SyncRepository(session).open_of(account.office_id, account.id) is not None,
        is_read=account.fresh_as_of is not None,
        rows=rows,
        first_day=first,
        last_day=last,
        balance=_balance(session, account),
    )


def _balance(session: Session, account: Account) -> BalanceCheck:
    days = select(func.count()).where(AccountDay.office_id == account.office_id, AccountDay.account_id == account.id)
    if session.exec(days.where(AccountDay.cause == "difference")).one():
        return BalanceCheck.DIFFERENT
    if session.exec(days.where(col(AccountDay.proof).in_([Proof.PROVEN, Proof.PROVEN_BY_SPAN]))).one():
        return BalanceCheck.PROVEN
    balances = select(func.count()).where(
        Balance.office_id == account.office_id, Balance.account_id == account.id, Balance.kind == "closing_booked"
    )
    return BalanceCheck.AWAITED if session.exec(balances).one() else BalanceCheck.NONE

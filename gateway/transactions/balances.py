"""Balances of a reading: all kinds are kept, with their day, their moment and where they come from (SYN-11)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from sqlmodel import Session

from connectors.model import Balance as BankBalance
from connectors.model import BalanceKind
from gateway.accounts.models import Account, Balance, Sync
from gateway.act import Act
from gateway.ids import new_id
from gateway.transactions.closings import closing_of_day_before
from gateway.transactions.fetching import Fetched

ONE_DAY: Final = timedelta(days=1)


def keep_balances(session: Session, act: Act, account: Account, sync: Sync, fetched: Fetched) -> None:
    """The balances of a reading; one read during a day gives the balance of the day before as well."""

    def keep(kind: str, balance: BankBalance, *, amount: Decimal, reference: date | None, basis: str) -> None:
        session.add(
            Balance(
                id=new_id(),
                office_id=act.office_id,
                account_id=account.id,
                sync_id=sync.id,
                kind=kind,
                amount=amount,
                currency=balance.currency,
                reference_date=reference,
                read_at=fetched.as_of,
                basis=basis,
            )
        )

    for balance in fetched.balances:
        if balance.currency != account.currency:
            continue
        reference = balance.reference_date
        kind = balance.kind
        if kind is BalanceKind.CLOSING_BOOKED and (reference is None or reference >= act.today):
            # The day is not over: whatever the bank calls it, it is a balance during the day.
            kind = BalanceKind.INTERIM_BOOKED
        keep(str(kind), balance, amount=balance.amount, reference=reference, basis="bank")
        closing = closing_of_day_before(balance, fetched.reading.booked, act.today)
        if closing is not None:
            keep(
                str(BalanceKind.CLOSING_BOOKED),
                balance,
                amount=closing,
                reference=act.today - ONE_DAY,
                basis="computed",
            )

"""Accounts without a bank, filled with invented rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlmodel import select

from connectors.model import Transaction, TransactionStatus
from gateway.accounts.models import Account
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.clock import BRUSSELS
from gateway.ids import new_id
from gateway.transactions.merging import Merger, Reading
from gateway.transactions.models import BankTransaction
from tests.gateway.builders import act_of_system, make_client, make_office

FIRST = date(2026, 11, 1)
SEEN = datetime(2026, 11, 23, 9, tzinfo=BRUSSELS)


def form(
    day: date, amount: Decimal, text: str, *, status: TransactionStatus = TransactionStatus.BOOKED, **more: Any
) -> Transaction:
    """A row as the normaliser gives it."""
    return Transaction(
        status=status,
        amount=amount,
        currency="EUR",
        booking_date=day,
        value_date=day,
        is_value_date_assumed=False,
        fingerprint=f"{day}|{amount}|{text}",
        fingerprint_version=1,
        remittance_information=text,
        coda_code="00150000",
        raw={"text": text},
        **more,
    )


class Shelf:
    """One account without a bank."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.office = make_office(gateway)
        self.client = make_client(gateway, self.office)
        self.act: Act = act_of_system(self.office, now=SEEN)

    def account(self) -> Account:
        account = Account(
            id=new_id(), office_id=self.office.id, client_id=self.client.id, bank_id="crelan", kind="current",
            iban=f"TEST{str(new_id())[-12:]}", currency="EUR", bic="NICABEBB", health="new", health_since=SEEN,
            created_at=SEEN,
        )  # fmt: skip
        with self.gateway.database.unit_of_work(self.office.id) as session:
            session.add(account)
        return account

    def take(self, account: Account, reading: Reading) -> dict[str, int]:
        with self.gateway.database.unit_of_work(self.office.id) as session:
            return Merger(self.gateway, session, self.act).absorb(account, reading, seen_at=SEEN)

    def rows(self, account: Account) -> Sequence[BankTransaction]:
        with self.gateway.database.unit_of_work(self.office.id) as session:
            return session.exec(select(BankTransaction).where(BankTransaction.account_id == account.id)).all()

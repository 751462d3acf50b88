"""Looking at transactions (SYN-07, SYN-09)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlmodel import Session, col
from sqlmodel.sql.expression import SelectOfScalar

from gateway.accounts.errors import AccountNotFound
from gateway.accounts.models import Account
from gateway.accounts.repository import AccountRepository
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.errors import NotFound
from gateway.identity.rights import Permission
from gateway.offices.models import Client
from gateway.offices.repository import ClientRepository
from gateway.offices.service import require_client
from gateway.pagination import PageRequest, Sort
from gateway.transactions.errors import TransactionNotFound
from gateway.transactions.models import BankTransaction, PendingTransaction
from gateway.transactions.repository import TransactionRepository


class TransactionState(StrEnum):
    """What a transaction is at the bank."""

    BOOKED = "booked"
    PENDING = "pending"
    VANISHED = "vanished"


@dataclass(frozen=True, slots=True)
class TransactionFilter:
    """Which transactions a list shows; days are booking days, both included. Pending ones are listed apart."""

    account_id: UUID | None = None
    client_id: UUID | None = None
    date_from: date | None = None
    date_until: date | None = None
    state: TransactionState = TransactionState.BOOKED


AnyTransaction = BankTransaction | PendingTransaction


class TransactionService:
    """Transactions of an office."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def page(
        self, act: Act, request: PageRequest, wanted: TransactionFilter | None = None
    ) -> tuple[Sequence[AnyTransaction], str | None]:
        """Transactions, the newest booking day first; pending ones in the order of the bank."""
        wanted = wanted or TransactionFilter()
        act.require(Permission.TRANSACTIONS_READ, wanted.client_id)
        name = f"transactions:{act.office_id}:{wanted}"
        with self.gateway.database.unit_of_work(act.office_id) as session:
            accounts = self._accounts(session, act, wanted)
            transactions = TransactionRepository(session)
            if wanted.state is TransactionState.PENDING:
                pending = transactions.pending_of_accounts(act.office_id, accounts)
                by_id = [Sort(col(PendingTransaction.id), lambda row: str(row.id), UUID)]
                return self.gateway.pager.page(session, pending, by_id, request, name=name)
            query = transactions.of_accounts(act.office_id, accounts).where(BankTransaction.state == str(wanted.state))
            if wanted.date_from is not None:
                query = query.where(col(BankTransaction.booking_date) >= wanted.date_from)
            if wanted.date_until is not None:
                query = query.where(col(BankTransaction.booking_date) <= wanted.date_until)
            order = [
                Sort(
                    col(BankTransaction.booking_date),
                    lambda row: row.booking_date.isoformat(),
                    date.fromisoformat,
                    is_descending=True,
                ),
                Sort(col(BankTransaction.id), lambda row: str(row.id), UUID, is_descending=True),
            ]
            return self.gateway.pager.page(session, query, order, request, name=name)

    def get(self, act: Act, transaction_id: UUID) -> AnyTransaction:
        """One transaction, booked, vanished or pending; raises `TransactionNotFound`."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            transactions = TransactionRepository(session)
            row: Any = transactions.get(act.office_id, transaction_id)
            row = row or transactions.get_pending(act.office_id, transaction_id)
            account = AccountRepository(session).get(act.office_id, row.account_id) if row is not None else None
            if row is None or account is None:
                raise TransactionNotFound
            try:
                require_client(session, act, account.client_id, Permission.TRANSACTIONS_READ)
            except NotFound:
                raise TransactionNotFound from None
            found: AnyTransaction = row
            return found

    def _accounts(self, session: Session, act: Act, wanted: TransactionFilter) -> SelectOfScalar[UUID]:
        """The accounts a list may show; one that cannot be seen answers 404, not an empty list."""
        accounts = AccountRepository(session)
        visible = act.principal.visible_clients(Permission.TRANSACTIONS_READ)
        granted = ClientRepository(session).granted(act.office_id, today=act.today, visible=visible)
        query = accounts.visible_ids(act.office_id, granted.with_only_columns(col(Client.id)))
        if wanted.client_id is not None:
            require_client(session, act, wanted.client_id, Permission.TRANSACTIONS_READ)
            query = query.where(Account.client_id == wanted.client_id)
        if wanted.account_id is not None:
            query = query.where(Account.id == wanted.account_id)
            if session.exec(query).one_or_none() is None:
                raise AccountNotFound
        return query

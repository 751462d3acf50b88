"""Looking at transactions, following their changes, labelling them (SYN-07, SYN-09, SYN-14, API-04)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, literal
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.accounts.access import require_account
from gateway.accounts.errors import AccountNotFound
from gateway.accounts.models import Account
from gateway.accounts.repository import AccountRepository
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import NotFound
from gateway.identity.rights import Permission
from gateway.offices.models import Client, Service
from gateway.offices.service import clients_open, require_client
from gateway.pagination import PageRequest, Sort
from gateway.transactions.changes import BOOKED, PENDING, REMOVED, ChangeRepository, Place
from gateway.transactions.errors import TransactionNotFound
from gateway.transactions.models import BankTransaction, PendingTransaction
from gateway.transactions.repository import ListedTransaction, TransactionRepository
from gateway.transactions.search import TransactionSearch


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
    search: TransactionSearch = field(default_factory=TransactionSearch)


AnyTransaction = BankTransaction | PendingTransaction


@dataclass(frozen=True, slots=True)
class TransactionPage:
    """A page of a list; `next_cursor` is None on the last one."""

    rows: Sequence[ListedTransaction | PendingTransaction]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class TransactionChanges:
    """What a reader of `changes` has missed, and where to go on."""

    added: list[AnyTransaction]
    modified: list[AnyTransaction]
    removed: list[tuple[UUID, UUID]]
    """(id, account id) of pending transactions."""
    labels: dict[UUID, list[str]]
    next_cursor: str
    has_more: bool


class TransactionService:
    """Transactions of an office."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def page(self, act: Act, request: PageRequest, wanted: TransactionFilter | None = None) -> TransactionPage:
        """Transactions, the newest booking day first; pending ones in the order of the bank."""
        wanted = wanted or TransactionFilter()
        act.require(Permission.TRANSACTIONS_READ, wanted.client_id)
        conditions = wanted.search.conditions(act.office_id, is_pending=wanted.state is TransactionState.PENDING)
        name = f"transactions:{act.office_id}:{wanted}"
        with self.gateway.database.unit_of_work(act.office_id) as session:
            accounts = self._accounts(session, act, wanted)
            transactions = TransactionRepository(session)
            if wanted.state is TransactionState.PENDING:
                pending = transactions.pending_of_accounts(act.office_id, accounts).where(*conditions)
                by_id = [Sort(col(PendingTransaction.id), lambda row: str(row.id), UUID)]
                announced, cursor = self.gateway.pager.page(session, pending, by_id, request, name=name)
                return TransactionPage(announced, cursor)
            query = transactions.of_accounts(act.office_id, accounts).where(BankTransaction.state == str(wanted.state))
            query = query.where(*conditions)
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
            rows, cursor = self.gateway.pager.page(session, query, order, request, name=name)
            return TransactionPage(rows, cursor)

    def get(self, act: Act, transaction_id: UUID) -> AnyTransaction:
        """One transaction, booked, vanished or pending; raises `TransactionNotFound`."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            transactions = TransactionRepository(session)
            row: Any = transactions.get(act.office_id, transaction_id)
            row = row or transactions.get_pending(act.office_id, transaction_id)
            if row is None:
                raise TransactionNotFound
            try:
                require_account(session, act, row.account_id, Permission.TRANSACTIONS_READ)
            except NotFound:
                raise TransactionNotFound from None
            found: AnyTransaction = row
            return found

    def changes(
        self, act: Act, request: PageRequest, *, account_id: UUID | None = None, client_id: UUID | None = None
    ) -> TransactionChanges:
        """What was added, modified or removed since the cursor, in the order of the readings (API-04)."""
        act.require(Permission.TRANSACTIONS_READ, client_id)
        wanted = TransactionFilter(account_id=account_id, client_id=client_id)
        name = f"transaction-changes:{act.office_id}:{account_id}:{client_id}"
        place = Place()
        if request.cursor is not None:
            position, row_id = self.gateway.pager.open(request.cursor, name, 2)
            place = Place(position, UUID(row_id))
        with self.gateway.database.unit_of_work(act.office_id) as session:
            transactions = TransactionRepository(session)
            accounts = self._accounts(session, act, wanted)
            rows = ChangeRepository(session).after(act.office_id, place, accounts, limit=request.limit + 1)
            shown = rows[: request.limit]
            known: dict[UUID, AnyTransaction] = {
                **transactions.many(act.office_id, [row.place.row_id for row in shown if row.kind == BOOKED]),
                **transactions.many_pending(act.office_id, [row.place.row_id for row in shown if row.kind == PENDING]),
            }
            labels = transactions.labels(act.office_id, list(known))
        place = shown[-1].place if shown else place
        return TransactionChanges(
            added=[known[row.place.row_id] for row in shown if row.is_added and row.kind != REMOVED],
            modified=[known[row.place.row_id] for row in shown if not row.is_added and row.kind != REMOVED],
            removed=[(row.place.row_id, row.account_id) for row in shown if row.kind == REMOVED],
            labels=labels,
            next_cursor=self.gateway.pager.seal([place.position, str(place.row_id)], name),
            has_more=len(rows) > request.limit,
        )

    def labels(self, act: Act, rows: Sequence[AnyTransaction]) -> dict[UUID, list[str]]:
        """The labels of transactions that the caller was given."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            return TransactionRepository(session).labels(act.office_id, [row.id for row in rows])

    def put_labels(self, act: Act, transaction_id: UUID, labels: Sequence[str]) -> tuple[BankTransaction, list[str]]:
        """Give a booked transaction exactly these labels; repeated, it changes nothing."""
        wanted = sorted({label.strip() for label in labels} - {""})
        with self.gateway.database.unit_of_work(act.office_id) as session:
            transactions = TransactionRepository(session)
            row = transactions.get(act.office_id, transaction_id, is_locked=True)
            account = AccountRepository(session).get(act.office_id, row.account_id) if row is not None else None
            if row is None or account is None:
                raise TransactionNotFound
            try:
                require_client(
                    session,
                    act,
                    account.client_id,
                    Permission.ACCOUNTS_WRITE,
                    is_change=True,
                    services=[Service.TRANSACTIONS],
                )
            except NotFound:
                raise TransactionNotFound from None
            before = transactions.labels(act.office_id, [row.id]).get(row.id, [])
            if before != wanted:
                transactions.set_labels(act.office_id, row.id, wanted)
                self.gateway.audit.record(
                    session,
                    act,
                    "transaction.labelled",
                    "transaction",
                    row.id,
                    client_id=account.client_id,
                    changes={"labels": Change(before, wanted)},
                )
        return row, wanted

    def _accounts(self, session: Session, act: Act, wanted: TransactionFilter) -> SelectOfScalar[UUID]:
        """The accounts a list may show; one that cannot be seen answers 404, not an empty list."""
        if wanted.client_id is not None:
            require_client(session, act, wanted.client_id, Permission.TRANSACTIONS_READ)
        if wanted.account_id is not None:
            account = require_account(session, act, wanted.account_id, Permission.TRANSACTIONS_READ)
            if wanted.client_id not in (None, account.client_id):
                raise AccountNotFound
            # Seen to be visible: the index of the account then gives its rows in order, without sorting them all.
            return select(literal(account.account_id, Uuid()))
        granted = clients_open(session, act, Permission.TRANSACTIONS_READ)
        query = AccountRepository(session).visible_ids(act.office_id, granted.with_only_columns(col(Client.id)))
        return query if wanted.client_id is None else query.where(Account.client_id == wanted.client_id)

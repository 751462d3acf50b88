"""Looking at the review list and deciding its entries: by somebody of the office, audited (SYN-05, SYN-06, SYN-08)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session, col, select

from connectors.model import RejectedRow, Transaction, TransactionStatus
from gateway import jobs
from gateway.accounts.access import require_account
from gateway.accounts.errors import AccountNotFound
from gateway.accounts.models import Account
from gateway.accounts.repository import AccountRepository
from gateway.accounts.service import CLOSE_TASK
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import FieldFault, InputError, NotFound
from gateway.identity.rights import Permission
from gateway.ids import encode
from gateway.offices.models import Client, Service
from gateway.offices.service import clients_open, require_client
from gateway.pagination import PageRequest, Sort
from gateway.profiles.repository import KnownAccountRepository
from gateway.reviews.errors import ReviewItemNotFound, ReviewOutdated
from gateway.transactions.changes import Changes
from gateway.transactions.merging import BOOKED, VANISHED, Merger
from gateway.transactions.models import ReviewItem
from gateway.transactions.repository import TransactionRepository
from gateway.transactions.review_list import Decision, opened, options, signed
from gateway.transactions.states import ReviewState, check_step

SIDES: Final = frozenset({Decision.CREDIT, Decision.DEBIT})


@dataclass(frozen=True, slots=True)
class ReviewView:
    """An entry, and what the bank gave in its own form."""

    item: ReviewItem
    raw: Any


class ReviewService:
    """The review list of an office."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def page(
        self,
        act: Act,
        request: PageRequest,
        *,
        account_id: UUID | None = None,
        client_id: UUID | None = None,
        state: ReviewState = ReviewState.OPEN,
    ) -> tuple[list[ReviewView], str | None]:
        """Entries, the oldest first. Raises `AccountNotFound`, `ClientNotFound`."""
        act.require(Permission.TRANSACTIONS_READ, client_id)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            if client_id is not None:
                require_client(session, act, client_id, Permission.TRANSACTIONS_READ)
            if account_id is not None:
                found = require_account(session, act, account_id, Permission.TRANSACTIONS_READ)
                if client_id not in (None, found.client_id):
                    raise AccountNotFound
            granted = clients_open(session, act, Permission.TRANSACTIONS_READ)
            accounts = AccountRepository(session).visible_ids(act.office_id, granted.with_only_columns(col(Client.id)))
            if client_id is not None:
                accounts = accounts.where(Account.client_id == client_id)
            query = select(ReviewItem).where(
                ReviewItem.office_id == act.office_id,
                ReviewItem.state == state,
                col(ReviewItem.account_id).in_(accounts),
            )
            if account_id is not None:
                query = query.where(ReviewItem.account_id == account_id)
            name = f"review:{act.office_id}:{client_id}:{account_id}:{state}"
            order = [Sort(col(ReviewItem.id), lambda item: str(item.id), UUID)]
            rows, cursor = self.gateway.pager.page(session, query, order, request, name=name)
            return [self._view(row) for row in rows], cursor

    def get(self, act: Act, item_id: UUID) -> ReviewView:
        """One entry. Raises `ReviewItemNotFound`."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            item = TransactionRepository(session).review_item(act.office_id, item_id)
            if item is None:
                raise ReviewItemNotFound
            try:
                require_account(session, act, item.account_id, Permission.TRANSACTIONS_READ)
            except NotFound:
                raise ReviewItemNotFound from None
            return self._view(item)

    def decide(self, act: Act, item_id: UUID, decision: Decision, *, transaction_id: UUID | None = None) -> ReviewView:
        """Say how an entry is to be read, once; it holds for the same row of every later reading.

        `transaction_id` names the row that changed, where several may be meant. Raises `ReviewItemNotFound`,
        `InvalidTransition`, `ReviewOutdated`, `InputError`.
        """
        with self.gateway.database.unit_of_work(act.office_id) as session:
            transactions = TransactionRepository(session)
            item = transactions.review_item(act.office_id, item_id)
            account = (
                AccountRepository(session).get(act.office_id, item.account_id, is_locked=True)
                if item is not None
                else None
            )
            item = transactions.review_item(act.office_id, item_id, is_locked=True)
            if item is None or account is None:
                raise ReviewItemNotFound
            try:
                require_client(
                    session,
                    act,
                    account.client_id,
                    Permission.CLIENTS_WRITE,
                    is_change=True,
                    services=[Service.TRANSACTIONS, Service.CODA],
                )
            except NotFound:
                raise ReviewItemNotFound from None
            check_step(item.state, ReviewState.DECIDED)
            if decision not in [option.decision for option in options(item)]:
                raise InputError(
                    faults=[FieldFault("/decision", "decision_not_offered", "This entry cannot be read that way.")]
                )
            if decision in SIDES:
                self._add(session, act, account, item, decision)
            elif decision is Decision.CHANGED:
                self._pair(session, act, account, item, transaction_id)
            item.state, item.decision, item.resolved_at = ReviewState.DECIDED, decision, act.now
            session.add(item)
            self.gateway.audit.record(
                session, act, "review_item.decided", "review_item", item.id, client_id=account.client_id,
                changes={"reason": Change(None, item.reason), "decision": Change(None, str(decision))},
            )  # fmt: skip
            if decision in SIDES or decision is Decision.CHANGED:
                jobs.enqueue(
                    session,
                    CLOSE_TASK,
                    lock=jobs.account_lock(account.id),
                    office_id=str(act.office_id),
                    account_id=str(account.id),
                )
            return self._view(item)

    def _add(self, session: Session, act: Act, account: Account, item: ReviewItem, decision: Decision) -> None:
        """Store the row with the side that was decided, as if its reading had given it so."""
        connector = self.gateway.banks.connector(account.bank_id)
        own_ibans = KnownAccountRepository(session).ibans(act.office_id, account.client_id)

        def renormalise(raw: Any) -> Transaction | RejectedRow:
            return connector.transaction(
                raw,
                status=TransactionStatus.BOOKED,
                account_iban=account.iban,
                account_holder=account.holder_name,
                own_ibans=own_ibans,
                today=act.today,
            )

        form = signed(renormalise, opened(self.gateway.keys, item), decision)
        if form is None or form.booking_date is None:
            raise ReviewOutdated
        changes = Changes(session, account, at=act.now)
        row = Merger(self.gateway, session, act).add_decided(account, form, seen_at=item.created_at, changes=changes)
        item.transaction_id = row
        self.gateway.events.record(
            session, act, "transaction.added", "account", account.id, client_id=account.client_id,
            data={"account_id": encode("account", account.id), "count": 1},
        )  # fmt: skip

    def _pair(
        self, session: Session, act: Act, account: Account, item: ReviewItem, transaction_id: UUID | None
    ) -> None:
        """The row that vanished takes the new form and keeps its id; the row added for it goes."""
        candidates = [UUID(candidate) for candidate in item.candidates]
        if transaction_id is None and len(candidates) == 1:
            transaction_id = candidates[0]
        if transaction_id not in candidates:
            raise InputError(
                faults=[FieldFault("/transaction_id", "candidate_not_named", "Name the transaction that changed.")]
            )
        assert item.transaction_id is not None, "a row that is not decided is stored"
        transactions = TransactionRepository(session)
        rows = transactions.many(act.office_id, [transaction_id, item.transaction_id])
        old, new = rows[transaction_id], rows[item.transaction_id]
        is_issued = bool(transactions.issued_on(act.office_id, [new.id]))
        if old.state != VANISHED or new.state != BOOKED or is_issued:
            raise ReviewOutdated
        Merger(self.gateway, session, act).pair(account, old, new, changes=Changes(session, account, at=act.now))

    def _view(self, item: ReviewItem) -> ReviewView:
        return ReviewView(item, opened(self.gateway.keys, item))

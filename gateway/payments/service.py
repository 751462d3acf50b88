"""Payments: put in baskets, found, edited, taken out (PAY-01…07, APP-08)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from gateway.accounts.models import Account
from gateway.act import Act
from gateway.approvals import asking
from gateway.approvals.evaluation import File, files, panels
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import FieldFault
from gateway.identity.rights import Permission, PrincipalKind
from gateway.metadata.writing import Holder, set_pairs
from gateway.pagination import PageRequest, Sort
from gateway.payments.access import find_basket, find_payment, follow, hold_payment, states_of, visible_clients
from gateway.payments.content import (
    CheckResult,
    PaymentWish,
    wish_of,
)
from gateway.payments.debtors import debtors
from gateway.payments.drafting import (
    EDITABLE,
    accept_findings,
    account_fault,
    address_mode,
    end,
    new_payment,
    note_preparer,
    require_draft,
    write_columns,
)
from gateway.payments.errors import (
    BasketFull,
    ExternalIdTaken,
    PaymentChanged,
    PaymentNotEditable,
    RowRefused,
)
from gateway.payments.models import Basket, Payment
from gateway.payments.repository import PaymentRepository
from gateway.payments.states import OPEN, PAYMENT_TRANSITIONS, BasketState, PaymentState, step

PAYMENTS_MAX: Final = 10_000
ROWS_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class RowFaults:
    """A row that cannot even be read; it passes through with its faults."""

    faults: Sequence[FieldFault]
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """What became of one row: stored (or, in a dry run, checked) as `payment`, or refused with `faults`."""

    index: int
    payment: Payment | None = None
    faults: Sequence[FieldFault] = field(default=())
    existing_payment_id: UUID | None = None
    """The payment that has this external_id already."""


class PaymentService:
    """Payments in baskets."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def add(
        self, act: Act, basket_id: UUID, rows: Sequence[PaymentWish | RowFaults], *, is_dry_run: bool = False
    ) -> list[RowOutcome]:
        """Put up to 1,000 payments in a draft basket, a result each; the good ones stay when others are refused.

        A blocked payment is stored with its findings; it cannot be submitted. Raises `BasketNotDraft`, `BasketFull`.
        """
        assert len(rows) <= ROWS_MAX, "the endpoint refuses more"
        try:
            return self._add(act, basket_id, rows, is_dry_run=is_dry_run)
        except IntegrityError:
            # Another request stored one of these external ids a moment ago; now it is there to be seen.
            return self._add(act, basket_id, rows, is_dry_run=is_dry_run)

    def get(self, act: Act, payment_id: UUID) -> Payment:
        """One payment."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            return find_payment(session, act, payment_id, Permission.PAYMENTS_READ)[0]

    def page(
        self,
        act: Act,
        request: PageRequest,
        *,
        basket_id: UUID | None = None,
        client_id: UUID | None = None,
        state: PaymentState | None = None,
        external_id: str | None = None,
        source_reference: str | None = None,
    ) -> tuple[list[Payment], str | None]:
        """Payments of the clients open to the caller: of a basket in its order, otherwise newest first."""
        order = [Sort(col(Payment.id), lambda row: str(row.id), UUID, is_descending=True)]
        if basket_id is not None:
            order = [Sort(col(Payment.position), lambda row: row.position, int)]
        wanted = {
            "basket_id": basket_id, "client_id": client_id, "state": state, "external_id": external_id,
            "source_reference": source_reference,
        }  # fmt: skip
        filters = {name: value for name, value in wanted.items() if value is not None}
        with self.gateway.database.unit_of_work(act.office_id) as session:
            if basket_id is not None:
                find_basket(session, act, basket_id, Permission.PAYMENTS_READ)
            clients = visible_clients(session, act, Permission.PAYMENTS_READ)
            query = PaymentRepository(session).payments(act.office_id, clients).filter_by(**filters)
            name = f"payments:{act.office_id}:{sorted((key, str(value)) for key, value in filters.items())}"
            return self.gateway.pager.page(session, query, order, request, name=name)

    def edit(
        self,
        act: Act,
        payment_id: UUID,
        changes: Mapping[str, Any],
        *,
        version: int,
        accepted_findings: Iterable[str] = (),
        metadata: Mapping[str, str] | None = None,
    ) -> Payment:
        """Change some fields (named as in `PaymentWish`) of a payment that has not left.

        Once submitted, the change voids the payment's approvals and asks anew under the rules of now; approvals of
        other payments stay (APP-08). A change that blocks it puts it back to draft.
        Raises `PaymentChanged`, `PaymentNotEditable`, `RowRefused`, `WarningsNotAccepted`, and as a submission does.
        """
        with self.gateway.database.unit_of_work(act.office_id) as session:
            found, _ = find_payment(session, act, payment_id, Permission.PAYMENTS_WRITE, is_change=True)
            basket, together, payment = hold_payment(session, act, found)
            if payment.version != version:
                raise PaymentChanged
            if payment.state not in EDITABLE:
                raise PaymentNotEditable(state=payment.state.value)
            set_pairs(self.gateway.audit, session, act, Holder("payment", payment.id, payment.client_id), metadata)
            repository = PaymentRepository(session)
            wish = replace(wish_of(payment), **changes)
            (wish,), accounts = debtors(session, act, payment.client_id, [wish])
            account = accounts.get(wish.debtor_account_id) if wish.debtor_account_id is not None else None
            if account is None:
                raise RowRefused(faults=[account_fault(wish)])
            total_before = asking.total_of(together)
            mode = address_mode(repository, act.office_id, payment.client_id)
            changed = write_columns(act, payment, wish, account.iban, mode)
            if not changed:
                return payment
            on_file = files(session, act.office_id, together if basket.state is not BasketState.DRAFT else [payment])
            note_preparer(session, act, [payment], {payment.id: on_file[payment.id].preparers})
            on_file[payment.id] = replace(
                on_file[payment.id],
                preparers=on_file[payment.id].preparers | {act.principal.id},
                needs_two=on_file[payment.id].needs_two or act.principal.kind is PrincipalKind.APPLICATION,
            )
            if basket.state is not BasketState.DRAFT:
                accept_findings(session, act, [payment], accepted_findings)
                self._ask_again(session, act, payment, together, on_file, total_before=total_before)
            session.add(payment)
            follow(session, self.gateway.events, act, basket, states_of(together))
            self.gateway.audit.record(
                session, act, "payment.changed", "payment", payment.id, client_id=payment.client_id, changes=changed
            )
        return payment

    def cancel(self, act: Act, payment_id: UUID, *, version: int) -> Payment:
        """Take a payment out that has not left; it never comes back, and no other payment is asked about for it."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            found, _ = find_payment(session, act, payment_id, Permission.PAYMENTS_WRITE, is_change=True)
            basket, together, payment = hold_payment(session, act, found)
            if payment.version != version:
                raise PaymentChanged
            before = payment.state
            end(session, act, [payment], PaymentState.CANCELLED)
            follow(session, self.gateway.events, act, basket, states_of(together))
            self.gateway.audit.record(
                session, act, "payment.cancelled", "payment", payment.id, client_id=payment.client_id,
                changes={"state": Change(before, payment.state)},
            )  # fmt: skip
        return payment

    # Helpers -----------------------------------------------------------------------------------------------------

    def _add(
        self, act: Act, basket_id: UUID, rows: Sequence[PaymentWish | RowFaults], *, is_dry_run: bool
    ) -> list[RowOutcome]:
        with self.gateway.database.unit_of_work(act.office_id) as session:
            basket, _ = find_basket(session, act, basket_id, Permission.PAYMENTS_WRITE, is_change=True)
            require_draft(basket)
            repository = PaymentRepository(session)
            count = repository.count(act.office_id, basket.id)
            if count + len(rows) > PAYMENTS_MAX:
                raise BasketFull(maximum=PAYMENTS_MAX, count=count)
            named, accounts = debtors(session, act, basket.client_id, rows, is_stored=not is_dry_run)
            outcomes = self._check(act, basket, named, repository, accounts, position=count)
            payments = [outcome.payment for outcome in outcomes if outcome.payment is not None]
            if is_dry_run or not payments:
                return outcomes
            session.add_all(payments)
            session.flush()
            note_preparer(session, act, payments, {payment.id: frozenset() for payment in payments})
            follow(session, self.gateway.events, act, basket, states_of(payments))
            for payment in payments:
                content = {name: getattr(payment, name) for name in Payment.CONTENT}
                self.gateway.audit.record(
                    session, act, "payment.created", "payment", payment.id, client_id=payment.client_id,
                    changes={"content": Change(None, content)},
                )  # fmt: skip
            for outcome in outcomes:
                wish = named[outcome.index]
                if outcome.payment is not None and isinstance(wish, PaymentWish):
                    holder = Holder("payment", outcome.payment.id, basket.client_id, is_new=True)
                    set_pairs(self.gateway.audit, session, act, holder, wish.metadata)
        return outcomes

    def _check(
        self,
        act: Act,
        basket: Basket,
        rows: Sequence[PaymentWish | RowFaults],
        repository: PaymentRepository,
        accounts: Mapping[UUID, Account],
        *,
        position: int,
    ) -> list[RowOutcome]:
        mode = address_mode(repository, act.office_id, basket.client_id)
        taken = repository.by_external_ids(
            act.office_id, basket.client_id, [row.external_id for row in rows if row.external_id]
        )
        outcomes = []
        for index, row in enumerate(rows):
            if isinstance(row, RowFaults):
                outcomes.append(RowOutcome(index, faults=row.faults))
                continue
            faults = []
            account = accounts.get(row.debtor_account_id) if row.debtor_account_id is not None else None
            if account is None:
                faults.append(account_fault(row))
            if row.external_id in taken:
                faults.append(
                    FieldFault("/external_id", ExternalIdTaken.code, ExternalIdTaken.title, ExternalIdTaken.hint)
                )
            if account is None or faults:
                outcomes.append(RowOutcome(index, faults=faults, existing_payment_id=taken.get(row.external_id or "")))
                continue
            position += 1
            payment = new_payment(act, basket, row, position, account.iban, mode)
            if row.external_id:
                taken[row.external_id] = payment.id
            outcomes.append(RowOutcome(index, payment))
        return outcomes

    def _ask_again(
        self,
        session: Session,
        act: Act,
        payment: Payment,
        together: list[Payment],
        on_file: Mapping[UUID, File],
        *,
        total_before: Any,
    ) -> None:
        if payment.check_result == CheckResult.BLOCKED:
            asking.void_requests([payment], on_file)
            payment.seal = None
            if payment.state is not PaymentState.DRAFT:
                # From approved by way of submitted: both steps happen in this one change.
                if payment.state is PaymentState.APPROVED:
                    payment.state = step(PAYMENT_TRANSITIONS, payment.state, PaymentState.SUBMITTED)
                payment.state = step(PAYMENT_TRANSITIONS, payment.state, PaymentState.DRAFT)
            return
        panel = panels(session, act.office_id, [payment.client_id])[payment.client_id]
        was_draft = payment.state is PaymentState.DRAFT
        total = asking.total_of(together) + (payment.amount if was_draft else 0)
        asking.ask(
            session, act, panel, [payment], on_file, keys=self.gateway.keys, events=self.gateway.events,
            basket_total=total,
        )  # fmt: skip
        if total > total_before:
            others = [other for other in together if other.id != payment.id and other.state in OPEN]
            asking.ask_further(session, act, panel, others, on_file, events=self.gateway.events, basket_total=total)

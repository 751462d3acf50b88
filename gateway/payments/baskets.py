"""Baskets of a client until they are submitted (PAY-01, PAY-11, PAY-12)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.identity.rights import Permission
from gateway.metadata.writing import Holder, set_pairs
from gateway.offices.service import require_client
from gateway.pagination import PageRequest, Sort
from gateway.payments.access import find_basket, follow, states_of, visible_clients
from gateway.payments.content import (
    ExecutionDate,
    wish_of,
)
from gateway.payments.drafting import (
    EDITABLE,
    address_mode,
    end,
    new_basket,
    note_preparer,
    require_draft,
    write_columns,
)
from gateway.payments.errors import (
    BasketChanged,
    ExternalIdTaken,
    PaymentNotEditable,
    PaymentNotFound,
)
from gateway.payments.models import Basket
from gateway.payments.repository import PaymentRepository, Subtotal
from gateway.payments.states import BASKET_TRANSITIONS, BasketState, PaymentState, step
from gateway.payments.telling import tell


@dataclass(frozen=True, slots=True)
class BasketView:
    """A basket with its counts and totals."""

    basket: Basket
    subtotals: Sequence[Subtotal] = ()


class BasketService:
    """Baskets of a client."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def create(
        self,
        act: Act,
        client_id: UUID,
        *,
        name: str,
        external_id: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> BasketView:
        """An empty draft. Raises `ExternalIdTaken`."""
        try:
            return self._create(act, client_id, name, external_id, metadata)
        except IntegrityError:
            # Another request took the external id a moment ago; now it is there to be seen.
            return self._create(act, client_id, name, external_id, metadata)

    def _create(
        self, act: Act, client_id: UUID, name: str, external_id: str | None, metadata: Mapping[str, str] | None
    ) -> BasketView:
        with self.gateway.database.unit_of_work(act.office_id) as session:
            require_client(session, act, client_id, Permission.PAYMENTS_WRITE, is_change=True)
            if external_id and PaymentRepository(session).basket_with_external_id(act.office_id, external_id):
                raise ExternalIdTaken
            basket = new_basket(act, client_id, name=name, external_id=external_id)
            session.add(basket)
            self.gateway.audit.record(
                session, act, "basket.created", "basket", basket.id, client_id=client_id,
                changes={"name": Change(None, name)},
            )  # fmt: skip
            set_pairs(self.gateway.audit, session, act, Holder("basket", basket.id, client_id, is_new=True), metadata)
        return BasketView(basket)

    def get(self, act: Act, basket_id: UUID) -> BasketView:
        """One basket."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            basket, _ = find_basket(session, act, basket_id, Permission.PAYMENTS_READ)
            return self.view(session, basket)

    def page(
        self, act: Act, request: PageRequest, *, client_id: UUID | None = None, state: BasketState | None = None
    ) -> tuple[list[BasketView], str | None]:
        """Baskets of the clients open to the caller, newest first."""
        order = [Sort(col(Basket.id), lambda row: str(row.id), UUID, is_descending=True)]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            repository = PaymentRepository(session)
            query = repository.baskets(act.office_id, visible_clients(session, act, Permission.PAYMENTS_READ))
            if client_id is not None:
                query = query.where(Basket.client_id == client_id)
            if state is not None:
                query = query.where(Basket.state == state)
            name = f"baskets:{act.office_id}:{client_id}:{state}"
            found, cursor = self.gateway.pager.page(session, query, order, request, name=name)
            subtotals = repository.subtotals(act.office_id, [basket.id for basket in found])
        return [BasketView(basket, subtotals.get(basket.id, [])) for basket in found], cursor

    def cancel(self, act: Act, basket_id: UUID, *, version: int) -> BasketView:
        """Cancel a basket that has not left, with every payment in it that still could."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            basket, _ = find_basket(session, act, basket_id, Permission.PAYMENTS_WRITE, is_change=True)
            if basket.version != version:
                raise BasketChanged
            before = basket.state
            basket.state = step(BASKET_TRANSITIONS, basket.state, BasketState.CANCELLED)
            payments = [
                payment
                for payment in PaymentRepository(session).lock_payments_of(act.office_id, [basket.id])
                if payment.state in EDITABLE
            ]
            end(session, act, payments, PaymentState.CANCELLED)
            for payment in payments:
                tell(self.gateway.events, session, act, payment)
            basket.version += 1
            session.add(basket)
            self.gateway.audit.record(
                session, act, "basket.cancelled", "basket", basket.id, client_id=basket.client_id,
                changes={"state": Change(before, basket.state), "payment_count": Change(None, len(payments))},
            )  # fmt: skip
            return self.view(session, basket)

    def change_dates(
        self, act: Act, basket_id: UUID, *, payment_ids: Iterable[UUID], execution_date: ExecutionDate
    ) -> BasketView:
        """Give a selection of a draft basket one new execution date (PAY-11). Raises `PaymentNotFound`."""
        wanted = set(payment_ids)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            basket, _ = find_basket(session, act, basket_id, Permission.PAYMENTS_WRITE, is_change=True)
            require_draft(basket)
            repository = PaymentRepository(session)
            chosen = [p for p in repository.lock_payments_of(act.office_id, [basket.id]) if p.id in wanted]
            if len(chosen) < len(wanted):
                raise PaymentNotFound
            mode = address_mode(repository, act.office_id, basket.client_id)
            note_preparer(session, act, chosen, repository.preparers(act.office_id, [p.id for p in chosen]))
            for payment in chosen:
                if payment.state is not PaymentState.DRAFT:
                    raise PaymentNotEditable(state=payment.state.value)
                wish = replace(wish_of(payment), execution_date=execution_date)
                changes = write_columns(act, payment, wish, payment.debtor_iban, mode)
                self.gateway.audit.record(
                    session, act, "payment.changed", "payment", payment.id, client_id=payment.client_id,
                    changes=changes,
                )  # fmt: skip
            session.add_all(chosen)
            follow(session, self.gateway.events, act, basket, states_of(chosen))
            session.flush()
            return self.view(session, basket)

    @staticmethod
    def view(session: Session, basket: Basket) -> BasketView:
        """The basket with its totals as they are in this unit of work."""
        session.flush()
        subtotals = PaymentRepository(session).subtotals(basket.office_id, [basket.id])
        return BasketView(basket, subtotals.get(basket.id, []))

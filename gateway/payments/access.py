"""Finding a basket, payment or export for an act: what is not there and what is not yours answer alike."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlmodel import Session, col
from sqlmodel.sql.expression import SelectOfScalar

from gateway.act import Act
from gateway.approvals.guard import require_client_of
from gateway.events.log import EventLog
from gateway.identity.rights import Permission
from gateway.offices.models import Client
from gateway.offices.service import clients_open
from gateway.payments.errors import BasketNotFound, ExportNotFound, PaymentNotFound
from gateway.payments.models import Basket, Export, Payment
from gateway.payments.repository import ExportRepository, PaymentRepository
from gateway.payments.states import BASKET_TRANSITIONS, BasketState, PaymentState, basket_state, step
from gateway.payments.telling import tell_basket


def visible_clients(session: Session, act: Act, permission: Permission) -> SelectOfScalar[UUID]:
    """Query over the ids of the clients that are open to the caller today."""
    query = clients_open(session, act, permission)
    return query.with_only_columns(col(Client.id))  # type: ignore[return-value]  # one column makes it a scalar again


def find_basket(
    session: Session, act: Act, basket_id: UUID, permission: Permission, *, is_change: bool = False
) -> tuple[Basket, Client]:
    """The basket and its client; locked when something is to change in it. Raises `BasketNotFound`."""
    basket = PaymentRepository(session).basket(act.office_id, basket_id, for_update=is_change)
    if basket is None:
        raise BasketNotFound
    client = require_client_of(session, act, basket.client_id, permission, missing=BasketNotFound, is_change=is_change)
    return basket, client


def find_payment(
    session: Session, act: Act, payment_id: UUID, permission: Permission, *, is_change: bool = False
) -> tuple[Payment, Client]:
    """The payment and its client, as read without a lock. Raises `PaymentNotFound`."""
    payment = PaymentRepository(session).payment(act.office_id, payment_id)
    if payment is None:
        raise PaymentNotFound
    client = require_client_of(
        session, act, payment.client_id, permission, missing=PaymentNotFound, is_change=is_change
    )
    return payment, client


def hold_payment(session: Session, act: Act, payment: Payment) -> tuple[Basket, list[Payment], Payment]:
    """Lock the payment's basket and all payments in it: the basket, its payments, and the payment as it is now."""
    repository = PaymentRepository(session)
    basket = repository.basket(act.office_id, payment.basket_id, for_update=True)
    assert basket is not None, "a payment stands in a basket"
    together = repository.lock_payments_of(act.office_id, [basket.id])
    held = next((other for other in together if other.id == payment.id), None)
    if held is None:
        # A submission moved it to another basket between the two reads.
        return hold_payment(session, act, _reread(session, act, payment.id))
    return basket, together, held


def find_export(
    session: Session, act: Act, export_id: UUID, permission: Permission, *, is_change: bool = False
) -> tuple[Export, Client]:
    """The export and its client. Raises `ExportNotFound`."""
    export = ExportRepository(session).get(act.office_id, export_id)
    if export is None:
        raise ExportNotFound
    client = require_client_of(session, act, export.client_id, permission, missing=ExportNotFound, is_change=is_change)
    return export, client


def follow(session: Session, events: EventLog, act: Act, basket: Basket, states: Iterable[PaymentState]) -> None:
    """Bring the basket to the state that those of all its payments give, after some of them changed."""
    if basket.state is not BasketState.DRAFT:
        wanted = basket_state(basket.state, states)
        if wanted is not basket.state:
            basket.state = step(BASKET_TRANSITIONS, basket.state, wanted)
            tell_basket(events, session, act, basket)
    basket.version += 1
    session.add(basket)


def states_of(payments: Iterable[Payment]) -> set[PaymentState]:
    """The states these payments are in."""
    return {payment.state for payment in payments}


def _reread(session: Session, act: Act, payment_id: UUID) -> Payment:
    session.expire_all()
    payment = PaymentRepository(session).payment(act.office_id, payment_id)
    assert payment is not None, "payments are never deleted"
    return payment

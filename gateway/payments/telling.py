"""Events of single payments, where the audit chain holds one entry for the whole basket or file."""

from __future__ import annotations

from sqlmodel import Session

from gateway.act import Act
from gateway.events.log import EventLog
from gateway.ids import encode
from gateway.payments.models import Basket, Payment
from gateway.payments.states import BasketState


def tell(events: EventLog, session: Session, act: Act, payment: Payment, *, word: str | None = None) -> None:
    """`payment.<state it is in now>`, or `payment.<word>`."""
    events.record(
        session, act, f"payment.{word or payment.state.value}", "payment", payment.id, client_id=payment.client_id,
        data={"state": payment.state.value, "basket_id": encode("basket", payment.basket_id)},
    )  # fmt: skip


def tell_basket(events: EventLog, session: Session, act: Act, basket: Basket) -> None:
    """`basket.<state it is in now>`; one that was approved and waits again is `basket.reopened`."""
    word = "reopened" if basket.state is BasketState.SUBMITTED else basket.state.value
    events.record(
        session, act, f"basket.{word}", "basket", basket.id, client_id=basket.client_id,
        data={"state": basket.state.value},
    )  # fmt: skip

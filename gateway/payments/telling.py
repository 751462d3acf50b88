"""Events of single payments, where the audit chain holds one entry for the whole basket or file."""

from __future__ import annotations

from sqlmodel import Session

from gateway.act import Act
from gateway.events.log import EventLog
from gateway.ids import encode
from gateway.payments.models import Payment


def tell(events: EventLog, session: Session, act: Act, payment: Payment, *, word: str | None = None) -> None:
    """`payment.<state it is in now>`, or `payment.<word>`."""
    events.record(
        session, act, f"payment.{word or payment.state.value}", "payment", payment.id, client_id=payment.client_id,
        data={"state": payment.state.value, "basket_id": encode("basket", payment.basket_id)},
    )  # fmt: skip

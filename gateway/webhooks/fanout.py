"""From events to deliveries, in the transaction of the change: what commits is sent, what rolls back never was."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from sqlmodel import Session

from gateway.database import UNIT_OFFICE
from gateway.events.models import Event
from gateway.ids import new_id
from gateway.jobs import enqueue
from gateway.webhooks.models import WebhookEndpoint
from gateway.webhooks.repository import WebhookRepository
from gateway.webhooks.states import DeliveryState

TASK: Final = "send_webhooks"
QUEUE: Final = "webhooks"
FAILING_QUEUE: Final = "webhooks_failing"
"""For endpoints whose last attempt failed: one that does not answer holds a place for 15 seconds each time."""
TEST_KIND: Final = "webhook_endpoint"


def fan_out(session: Session, events: Sequence[Event]) -> None:
    """A delivery per event and endpoint that wants it, and one job per endpoint; told by the event log."""
    office_id = session.info[UNIT_OFFICE]
    webhooks = WebhookRepository(session)
    rows: list[dict[str, Any]] = []
    for endpoint in webhooks.enabled(office_id):
        wanted = [event for event in events if wants(endpoint, event)]
        rows += [new_delivery(endpoint, event) for event in wanted]
        if wanted:
            start(session, endpoint)
    if rows:
        webhooks.add_deliveries(office_id, rows)


def wants(endpoint: WebhookEndpoint, event: Event) -> bool:
    """Whether the endpoint's filters let the event through; a test message goes to the endpoint it is for."""
    if event.mode != endpoint.mode:
        return False
    if event.object_kind == TEST_KIND:
        return event.object_id == endpoint.id
    if endpoint.event_types and not {event.type, event.subject} & set(endpoint.event_types):
        return False
    return not endpoint.client_ids or str(event.client_id) in endpoint.client_ids


def new_delivery(endpoint: WebhookEndpoint, event: Event) -> dict[str, Any]:
    """The row, due at once."""
    return {
        "id": new_id(),
        "office_id": endpoint.office_id,
        "endpoint_id": endpoint.id,
        "event_id": event.id,
        "event_type": event.type,
        "state": DeliveryState.PENDING,
        "attempts": 0,
        "due_at": event.recorded_at,
        "created_at": event.recorded_at,
    }


def start(session: Session, endpoint: WebhookEndpoint, *, after: timedelta | None = None) -> None:
    """Have a worker send what is due to this endpoint; one job too many is harmless."""
    enqueue(
        session, TASK, schedule_in=after, queue=FAILING_QUEUE if endpoint.is_failing else QUEUE,
        office_id=str(endpoint.office_id), endpoint_id=str(endpoint.id),
    )  # fmt: skip

"""Shapes of events in the API."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from gateway.api import MomentText, Shape
from gateway.events.models import Event
from gateway.ids import PREFIXES, ClientId, EventId, encode


class EventRead(Shape):
    """Something that happened; a webhook for it carries the same id."""

    id: EventId
    type: Annotated[str, Field(examples=["statement.issued"])]
    object_kind: Annotated[str, Field(examples=["statement"])]
    object_id: Annotated[str, Field(examples=["stm_01jd5rye0070008000000000g1"])]
    client_id: ClientId | None
    mode: Annotated[str, Field(description="`live` or `test`.", examples=["live"])]
    occurred_at: MomentText
    position: Annotated[int, Field(description="1, 2, 3 … within the office, in the order in which it was committed.")]
    data: Annotated[dict[str, Any], Field(description="States and counts; no names, account numbers or texts.")]


class TestEventWrite(Shape):
    """An event to be made in test mode."""

    __test__ = False

    type: Annotated[str, Field(max_length=60, pattern=r"^[a-z]+\.[a-z_]+$", examples=["statement.issued"])]
    client_id: ClientId | None = None


def shown(event: Event) -> EventRead:
    """An event as the API tells it."""
    kind = event.object_kind
    return EventRead(
        id=event.id,
        type=event.type,
        object_kind=kind,
        object_id=encode(kind, event.object_id) if kind in PREFIXES else str(event.object_id),
        client_id=event.client_id,
        mode=event.mode,
        occurred_at=event.occurred_at,
        position=event.position,
        data=event.data,
    )

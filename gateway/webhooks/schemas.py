"""Shapes of webhooks in the API."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.api import MomentText, Shape
from gateway.ids import ClientId, EventId, WebhookDeliveryId, WebhookEndpointId
from gateway.webhooks.states import DeliveryState, EndpointState

EventType = Annotated[str, Field(pattern=r"^[a-z]+(\.[a-z_]+)?$", max_length=60, examples=["statement.issued"])]
Url = Annotated[str, Field(min_length=8, max_length=500, examples=["https://portal.example/hooks/sluis"])]
Description = Annotated[str, Field(max_length=70, examples=["Portal"])]


class WebhookEndpointWrite(Shape):
    """A new endpoint."""

    url: Url
    description: Description = ""
    event_types: Annotated[
        list[EventType], Field(max_length=50, description="Types, or subjects such as `payment`; empty: every event.")
    ] = Field(default_factory=list)
    client_ids: Annotated[list[ClientId], Field(max_length=500, description="Empty: every client.")] = Field(
        default_factory=list
    )


class WebhookEndpointChange(Shape):
    """What is to be changed; what is left out stays."""

    url: Url | None = None
    description: Description | None = None
    event_types: Annotated[list[EventType], Field(max_length=50)] | None = None
    client_ids: Annotated[list[ClientId], Field(max_length=500)] | None = None
    is_enabled: bool | None = None


class WebhookEndpointRead(Shape):
    """An endpoint."""

    id: WebhookEndpointId
    url: str
    description: str
    event_types: list[str]
    client_ids: list[ClientId]
    mode: Annotated[str, Field(description="`live` or `test`: messages of that mode only.")]
    state: EndpointState
    disabled_reason: Annotated[str | None, Field(description="`gone` after a 410, `office` when switched off.")]
    old_secret_until: MomentText | None
    created_at: MomentText
    version: int


class WebhookEndpointMade(WebhookEndpointRead):
    """With the secret, which is never shown again."""

    secret: Annotated[str, Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])]


class WebhookTestMade(Shape):
    """The test message under way."""

    event_id: EventId


class WebhookAttemptRead(Shape):
    """One POST."""

    started_at: MomentText
    milliseconds: int
    status: int | None
    fault: Annotated[str | None, Field(description="Why no answer came.", examples=["timeout"])]
    answer: Annotated[str, Field(description="The first 1,000 characters, without control characters.")]


class WebhookDeliveryRead(Shape):
    """One event on its way to one endpoint; `webhook-id` is the event's id."""

    id: WebhookDeliveryId
    endpoint_id: WebhookEndpointId
    event_id: EventId
    event_type: str
    state: DeliveryState
    attempts: int
    due_at: MomentText
    created_at: MomentText
    finished_at: MomentText | None
    last_status: int | None
    last_fault: str | None


class WebhookDeliveryDetail(WebhookDeliveryRead):
    """With what was tried."""

    log: list[WebhookAttemptRead]


class WebhookReplayWrite(Shape):
    """A stretch of time in real time, its end not included; without an end: until now."""

    since: MomentText
    until: MomentText | None = None


class WebhookReplayRead(Shape):
    """How many messages are sent again."""

    count: int

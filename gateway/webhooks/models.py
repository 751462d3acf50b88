"""Endpoints, what is to be sent to them, and what they answered."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from gateway.database import Base, Moment, office_key, office_reference, words
from gateway.webhooks.states import DeliveryState, EndpointState


class WebhookEndpoint(Base, table=True):
    """An address of an office's receiving side."""

    __tablename__ = "webhook_endpoint"
    __table_args__ = (office_key(),)

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    url_cipher: bytes
    """Encrypted, since receivers put keys into their addresses."""
    description: str = Field(max_length=70)
    event_types: list[str] = Field(sa_type=JSONB)
    """Types or subjects (`payment.approved`, `payment`); empty means all."""
    client_ids: list[str] = Field(sa_type=JSONB)
    """Limits it to these clients, as UUID texts; empty means all."""
    mode: str = Field(max_length=4)
    state: EndpointState = Field(sa_type=words(EndpointState))
    disabled_reason: str | None = Field(default=None, max_length=20)
    secret_cipher: bytes
    old_secret_cipher: bytes | None = None
    old_secret_until: datetime | None = Field(default=None, sa_type=Moment)
    is_failing: bool = False
    """The last attempt failed: until one is taken, its messages wait in a queue of their own."""
    sender_job: int | None = Field(default=None, sa_type=BigInteger)
    """The job that sends to it at present: one at a time, so that a slow endpoint holds up itself only."""
    sender_until: datetime | None = Field(default=None, sa_type=Moment)
    created_at: datetime = Field(sa_type=Moment)
    version: int = 1


class WebhookDelivery(Base, table=True):
    """One event to one endpoint; the message's id is the event's."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        office_key(),
        office_reference("endpoint_id", "webhook_endpoint"),
        UniqueConstraint("office_id", "endpoint_id", "event_id"),
        Index("ix_webhook_delivery_due", "office_id", "endpoint_id", "state", "due_at"),
        Index("ix_webhook_delivery_finished", "office_id", "finished_at"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    endpoint_id: UUID
    event_id: UUID
    event_type: str = Field(max_length=60)
    state: DeliveryState = Field(sa_type=words(DeliveryState))
    attempts: int = 0
    """Of the present round; a replay starts a new one."""
    due_at: datetime = Field(sa_type=Moment)
    created_at: datetime = Field(sa_type=Moment)
    finished_at: datetime | None = Field(default=None, sa_type=Moment)
    last_status: int | None = None
    last_fault: str | None = Field(default=None, max_length=20)


class WebhookAttempt(Base, table=True):
    """One POST and what came of it."""

    __tablename__ = "webhook_attempt"
    __table_args__ = (office_key(), office_reference("delivery_id", "webhook_delivery"))

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    delivery_id: UUID = Field(index=True)
    started_at: datetime = Field(sa_type=Moment)
    milliseconds: int
    status: int | None = None
    fault: str | None = Field(default=None, max_length=20)
    """Why no answer came: `timeout`, `connection`, `certificate`, `network_refused` …"""
    answer: str = Field(default="", max_length=1000)
    """The beginning of the answer, without control characters."""

"""The event log's table; rows are only ever added, and go after 90 days."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from gateway.database import Base, Moment, office_key


class Event(Base, table=True):
    """Something that happened to an object. Ids, states and counts only: no names, IBANs or texts (SEC-07)."""

    __tablename__ = "event"
    __table_args__ = (
        office_key(),
        UniqueConstraint("office_id", "position"),
        Index("ix_event_type", "office_id", "type", "position"),
        Index("ix_event_recorded_at", "office_id", "recorded_at"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    position: int
    """1, 2, 3 … within the office, in the order of commits."""
    type: str = Field(max_length=60)
    subject: str = Field(max_length=20)
    """The word before the dot, which decides who may read it."""
    object_kind: str = Field(max_length=30)
    object_id: UUID
    client_id: UUID | None = None
    mode: str = Field(max_length=4)
    occurred_at: datetime = Field(sa_type=Moment)
    """On the office's clock."""
    recorded_at: datetime = Field(sa_type=Moment)
    """In real time; the log is kept by it."""
    data: dict[str, Any] = Field(sa_type=JSONB)

"""Table of long work that a caller asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from gateway.database import Base, Moment, office_key, office_reference, words
from gateway.identity.rights import PrincipalKind
from gateway.jobs.states import JobState


class Job(Base, table=True):
    """One piece of long work: who asked, how far it is, what came of it. Holds ids and counts, no personal data."""

    __tablename__ = "job"
    __table_args__ = (
        office_key(),
        office_reference("client_id", "client"),
        Index(None, "office_id", "created_by_id", "id"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    client_id: UUID | None = None
    """The client it is about, when it is about one."""
    kind: str = Field(max_length=40)
    state: JobState = Field(sa_type=words(JobState))
    done: int = 0
    total: int | None = None
    """None while it is not known."""
    result: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    faults: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    created_by_kind: PrincipalKind = Field(sa_type=words(PrincipalKind))
    created_by_id: UUID
    created_at: datetime = Field(sa_type=Moment)
    started_at: datetime | None = Field(default=None, sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    cancel_requested_at: datetime | None = Field(default=None, sa_type=Moment)
    """Set while it runs; the work stops at its next step."""

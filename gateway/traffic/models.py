"""Tables of recorded traffic: that it is recorded, within which limits, and what came."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field

from gateway.database import Base, Moment, office_key, office_reference

READING_BINDING: Final = "recorded_reading"
"""Name to which the answers of a reading are bound."""


class EndCode(StrEnum):
    """Why a recording ended."""

    STOPPED = "stopped"
    EXPIRED = "expired"
    CALLS_REACHED = "calls_reached"
    BYTES_REACHED = "bytes_reached"


class TrafficRecording(Base, table=True):
    """One consent's answers are kept, from a moment until a limit; one at a time."""

    __tablename__ = "traffic_recording"
    __table_args__ = (
        office_key(),
        office_reference("client_id", "client"),
        office_reference("consent_id", "consent"),
        Index(
            "uq_traffic_recording_running", "office_id", "consent_id", unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_traffic_recording_consent", "office_id", "consent_id"),
    )  # fmt: skip

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    client_id: UUID
    consent_id: UUID
    bank_id: str = Field(max_length=40)
    reason: str = Field(max_length=200)
    started_at: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment)
    calls_max: int
    bytes_max: int
    calls: int = 0
    body_bytes: int = 0
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    end_code: str | None = Field(default=None, max_length=20)


class RecordedReading(Base, table=True):
    """What one reading of one account was answered, encrypted as a whole. Gone after the retention."""

    __tablename__ = "recorded_reading"
    __table_args__ = (
        office_key(),
        office_reference("recording_id", "traffic_recording"),
        office_reference("account_id", "account"),
        Index("ix_recorded_reading_recording", "office_id", "recording_id"),
        Index("ix_recorded_reading_moment", "office_id", "recorded_at"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    recording_id: UUID
    account_id: UUID
    recorded_at: datetime = Field(sa_type=Moment)
    calls: int
    body_bytes: int
    is_whole: bool
    """False where a limit was reached in the middle: it cannot be played back."""
    error_code: str | None = Field(default=None, max_length=40)
    """Why the reading failed then; None when it was stored."""
    content_cipher: bytes

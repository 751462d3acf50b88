"""Table of the keys under which callers sent changing requests, and what was answered."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from gateway.database import Base, Moment, office_key


class IdempotencyKey(Base, table=True):
    """One key of one caller on one path; kept for seven days."""

    __tablename__ = "idempotency_key"
    __table_args__ = (
        office_key(),
        UniqueConstraint("office_id", "key_hash"),
        Index(None, "office_id", "expires_at"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    key_hash: bytes
    """Of caller, path and key: what callers put in their keys is theirs and is not stored."""
    fingerprint: bytes
    """Of query, If-Match and body: the same key with another request is refused."""
    attempt: int = 1
    """Counts takeovers: a first run that was given up by all can no longer commit."""
    lease_until: datetime = Field(sa_type=Moment)
    has_effects: bool = False
    """Set in the transaction of the first change; from then on the request is not run again."""
    status: int | None = None
    """Of the kept answer; None while the request runs."""
    answer_cipher: bytes | None = None
    """Headers and body, encrypted: answers hold personal data. None when the operation keeps no answer."""
    checks: list[list[Any]] = Field(default_factory=list, sa_type=JSONB)
    """The permissions that the first run asked for; a replay asks for them again (SEC-15)."""
    created_at: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment)

"""The audit chain: entries that are only ever added, and the values they speak of."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from gateway.database import Base, Moment, office_key, office_reference


class AuditEntry(Base, table=True):
    """One act. The application role may add and read entries, nothing else."""

    __tablename__ = "audit_entry"
    __table_args__ = (office_key(), UniqueConstraint("office_id", "position"))

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    position: int
    """1, 2, 3 … within the office."""
    occurred_at: datetime = Field(sa_type=Moment)
    actor_kind: str = Field(max_length=10)
    actor_id: UUID
    action: str = Field(max_length=60)
    """Subject and past tense: `payment.approved`."""
    object_kind: str = Field(max_length=30)
    object_id: UUID
    client_id: UUID | None = Field(default=None, index=True)
    request_id: str | None = Field(default=None, max_length=64)
    second_factor: str | None = Field(default=None, max_length=10)
    via_id: UUID | None = None
    """The application through which a person acted (SEC-04)."""
    digests: dict[str, Any] = Field(sa_type=JSONB)
    """Per field the salted digests of the old and new value; the values themselves lie in `audit_value`."""
    previous_mac: bytes
    mac: bytes


class AuditValue(Base, table=True):
    """The old and new value of one field; can be erased without breaking the chain (SEC-11)."""

    __tablename__ = "audit_value"
    __table_args__ = (office_key(), office_reference("entry_id", "audit_entry"))

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    entry_id: UUID = Field(index=True)
    field: str = Field(max_length=60)
    salt: bytes
    old_value: Any = Field(default=None, sa_type=JSONB)
    new_value: Any = Field(default=None, sa_type=JSONB)

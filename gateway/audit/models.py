"""The audit chain: entries that are only ever added, the values they speak of, signed heads, bundles for auditors."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, UniqueConstraint, Uuid
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
    second_factor: str | None = Field(default=None, max_length=20)
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


class AuditCheckpoint(Base, table=True):
    """The head of the chain at a position, signed; the application adds and reads, nothing else."""

    __tablename__ = "audit_checkpoint"
    __table_args__ = (office_key(), UniqueConstraint("office_id", "position"))

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    position: int
    link_hash: bytes
    """`gateway.audit.chain.link` after the entry at this position."""
    made_at: datetime = Field(sa_type=Moment)
    """Real time."""
    key_fingerprint: str = Field(max_length=16)
    signature: bytes
    """Ed25519 over `Head.signed_bytes`."""


class AuditVerification(Base, table=True):
    """The whole chain was proved up to a position; the application adds and reads, nothing else."""

    __tablename__ = "audit_verification"
    __table_args__ = (office_key(),)

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    position: int
    first_fault: str | None = Field(default=None, max_length=200)
    """The first broken or missing entry, in words without personal data."""
    made_at: datetime = Field(sa_type=Moment)
    """Real time."""


class AuditBundle(Base, table=True):
    """A ZIP for an auditor: asked for, made by a job, stored once (SEC-10)."""

    __tablename__ = "audit_bundle"
    __table_args__ = (office_key(), office_reference("job_id", "job"))

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    client_ids: list[UUID] = Field(sa_type=ARRAY(Uuid))
    from_date: date
    until_date: date
    """Both inclusive, in Brussels."""
    seed: str = Field(max_length=64)
    """Draws the random sample; the same seed draws the same one."""
    sample_size: int
    first_payment_above: int = Field(sa_type=BigInteger)
    """In cents: the X of the list of first payments."""
    state: str = Field(max_length=10)
    job_id: UUID | None = None
    """The job that makes it; none for those asked for before there were jobs."""
    created_by_kind: str = Field(max_length=10)
    created_by: UUID
    created_at: datetime = Field(sa_type=Moment)
    finished_at: datetime | None = Field(default=None, sa_type=Moment)
    failure: str | None = Field(default=None, max_length=300)
    """Why it was not made: the first broken entry."""
    head_position: int | None = None
    entries_count: int | None = None
    sha256: str | None = Field(default=None, max_length=64)
    size: int | None = None


class AuditBundleFile(Base, table=True):
    """The bytes of a bundle; the application can add and read, nothing else."""

    __tablename__ = "audit_bundle_file"
    __table_args__ = (
        office_key(),
        office_reference("bundle_id", "audit_bundle"),
        UniqueConstraint("office_id", "bundle_id"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    bundle_id: UUID
    content: bytes
    sha256: str = Field(max_length=64)

"""Tables of uploads: the upload, its files as they were sent, and what it comes to for each account."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from gateway.database import Base, Moment, Money, office_key, office_reference

FILE_TABLE = "statement_upload_file"
"""Name to which encrypted files are bound."""


class StatementUpload(Base, table=True):
    """Files that one person sent at once for one client, and what became of them."""

    __tablename__ = "statement_upload"
    __table_args__ = (office_key(), office_reference("client_id", "client"))

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    client_id: UUID = Field(index=True)
    state: str = Field(max_length=10)
    refused_files: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    """code, found, expected, file: of each file that was not taken."""
    creator_kind: str = Field(max_length=10)
    creator_id: UUID
    """Who sent it."""
    created_at: datetime = Field(sa_type=Moment)
    confirmed_at: datetime | None = Field(default=None, sa_type=Moment)
    version: int = 1


class StatementUploadFile(Base, table=True):
    """One file of an upload. The application can add and read, nothing else."""

    __tablename__ = "statement_upload_file"
    __table_args__ = (
        office_key(),
        office_reference("upload_id", "statement_upload"),
        UniqueConstraint("upload_id", "sha256"),
        Index("ix_statement_upload_file_sha256", "office_id", "sha256"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    upload_id: UUID
    name: str | None = Field(default=None, max_length=100)
    format: str = Field(max_length=10)
    """`coda`, `camt053` or `mt940`."""
    size: int
    sha256: str = Field(max_length=64)
    content_cipher: bytes


class StatementUploadPart(Base, table=True):
    """What the statements of one account in an upload come to."""

    __tablename__ = "statement_upload_part"
    __table_args__ = (
        office_key(),
        office_reference("upload_id", "statement_upload"),
        office_reference("account_id", "account"),
        UniqueConstraint("upload_id", "account_id"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    upload_id: UUID
    account_id: UUID = Field(index=True)
    first_day: date
    last_day: date
    """The period that its statements cover without a hole."""
    opening_balance: Decimal = Field(sa_type=Money)
    closing_balance: Decimal = Field(sa_type=Money)
    statements_count: int
    added_count: int
    """Entries to add; once the upload is confirmed, those added."""
    late_count: int
    """Of these, booked before the period of their statement: they go the way of late entries (STA-06)."""
    known_count: int
    faults: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    """code, day, found, expected; with one nothing of it is taken in."""

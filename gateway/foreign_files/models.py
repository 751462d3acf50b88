"""Tables of foreign files, of the statements in them, and of the numbering they hand over."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from gateway.database import Base, Moment, Money, office_key, office_reference


class ForeignFile(Base, table=True):
    """A file as it was sent. The application can add and read, nothing else: it is passed on byte for byte (CON-17)."""

    __tablename__ = "foreign_file"
    __table_args__ = (
        office_key(),
        office_reference("client_id", "client"),
        UniqueConstraint("office_id", "client_id", "sha256"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    client_id: UUID
    format: str = Field(max_length=10)
    """`coda`."""
    name: str | None = Field(default=None, max_length=100)
    content: bytes
    sha256: str = Field(max_length=64)
    creator_kind: str = Field(max_length=10)
    creator_id: UUID
    """Who sent it."""
    created_at: datetime = Field(sa_type=Moment)


class ForeignStatement(Base, table=True):
    """One statement of a foreign file, as it says itself. The application can add and read, nothing else."""

    __tablename__ = "foreign_statement"
    __table_args__ = (
        office_key(),
        office_reference("file_id", "foreign_file"),
        UniqueConstraint("file_id", "position"),
        Index("ix_foreign_statement_account", "office_id", "iban", "currency", "closing_date"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    client_id: UUID = Field(index=True)
    file_id: UUID
    position: int
    """In the file, from 1."""
    iban: str = Field(max_length=34)
    currency: str = Field(max_length=3)
    coda_number: int
    paper_number: int
    """0: the bank gave none."""
    opening_date: date | None = None
    opening_balance: Decimal = Field(sa_type=Money)
    closing_date: date
    closing_balance: Decimal = Field(sa_type=Money)
    entries_count: int


class NumberingHandover(Base, table=True):
    """Where the former source's files of an account end, and how ours go on (STA-20).

    Known by number and currency, since it may come before the account is connected. At most one is confirmed.
    """

    __tablename__ = "numbering_handover"
    __table_args__ = (
        office_key(),
        office_reference("client_id", "client"),
        office_reference("last_file_id", "foreign_file"),
        Index(
            "uq_numbering_handover_confirmed",
            "office_id",
            "iban",
            "currency",
            unique=True,
            postgresql_where=text("state = 'confirmed'"),
        ),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    client_id: UUID = Field(index=True)
    iban: str = Field(max_length=34)
    currency: str = Field(max_length=3)
    state: str = Field(max_length=10)
    basis: str = Field(max_length=5)
    """`files`, or `typed` by a person."""
    number_key: str = Field(max_length=5)
    """The number that the next one follows: `coda` or `paper`."""
    coda_number: int | None = None
    paper_number: int | None = None
    """Of the last file; None: typed, so that only `last_number` is known."""
    last_number: int
    closing_date: date
    closing_balance: Decimal = Field(sa_type=Money)
    last_entry_date: date
    """Closing date of the last file with entries, as far as the files say: the old-balance date of our first file."""
    first_day: date
    next_number: int
    files_count: int = 0
    last_file_id: UUID | None = None
    faults: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    """code, found, expected, file."""
    creator_kind: str = Field(max_length=10)
    creator_id: UUID
    created_at: datetime = Field(sa_type=Moment)
    confirmed_at: datetime | None = Field(default=None, sa_type=Moment)
    version: int = 1

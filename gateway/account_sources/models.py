"""Tables of switches of source, and of bank-made files; their bytes stand with the foreign files."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from gateway.database import Base, Moment, office_key, office_reference


class BankFile(Base, table=True):
    """A file of one account as its bank made it, passed on byte for byte or held (CON-17)."""

    __tablename__ = "bank_file"
    __table_args__ = (
        office_key(),
        office_reference("client_id", "client"),
        office_reference("account_id", "account"),
        office_reference("file_id", "foreign_file"),
        UniqueConstraint("account_id", "file_id"),
        Index("ix_bank_file_account_days", "account_id", "last_day"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    client_id: UUID = Field(index=True)
    account_id: UUID
    file_id: UUID
    source: str = Field(max_length=10)
    """The account's declared source when the file came."""
    state: str = Field(max_length=10)
    first_day: date
    """Closing date of the first statement in it."""
    last_day: date
    created_at: datetime = Field(sa_type=Moment)
    version: int = 1


class SourceSwitch(Base, table=True):
    """One switch of an account's source, with its reason. The application only adds (CON-17)."""

    __tablename__ = "source_switch"
    __table_args__ = (
        office_key(),
        office_reference("client_id", "client"),
        office_reference("account_id", "account"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    client_id: UUID = Field(index=True)
    account_id: UUID = Field(index=True)
    former: str = Field(max_length=10)
    source: str = Field(max_length=10)
    from_day: date
    reason: str | None = Field(default=None, max_length=200)
    creator_kind: str = Field(max_length=10)
    creator_id: UUID
    created_at: datetime = Field(sa_type=Moment)

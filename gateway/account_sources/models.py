"""Tables of bank-made files that are an account's statements; their bytes stand with the foreign files."""

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

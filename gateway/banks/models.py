"""Banks that were asked for, and banks that refuse us."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from gateway.database import Base, Moment, office_key


class BankRequest(Base, table=True):
    """An office would like a bank that is not on the list; once per name, however often it is asked."""

    __tablename__ = "bank_request"
    __table_args__ = (office_key(), UniqueConstraint("office_id", "name_key"))

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    name: str = Field(max_length=70)
    """As the first who asked wrote it."""
    name_key: str = Field(max_length=70)
    """Letters and digits of the name: what makes two wishes the same."""
    created_at: datetime = Field(sa_type=Moment)


class BankRefusal(Base, table=True):
    """A client whose last reading a bank refused for a fault of ours; global, since the fault is the installation's.

    All of a bank go with its next reading that succeeds.
    """

    __tablename__ = "bank_refusal"

    bank_id: str = Field(primary_key=True, max_length=40)
    client_id: UUID = Field(primary_key=True)
    refused_at: datetime = Field(sa_type=Moment)
    """Real time; for one of a bank also when it was tried again."""

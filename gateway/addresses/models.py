"""The table of changed addresses. The addresses themselves lie with the client or its account."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field

from gateway.addresses.states import AddressKind, ChangeState
from gateway.database import Base, Moment, office_key, office_reference, words


class AddressChange(Base, table=True):
    """A new or changed address of a client that waits for another person, or waited (DEL-13)."""

    __tablename__ = "address_change"
    __table_args__ = (
        office_key(),
        office_reference("client_id", "client"),
        office_reference("account_id", "account"),
        Index(
            "uq_address_change_waiting",
            "office_id",
            "client_id",
            "kind",
            unique=True,
            postgresql_where=text("state = 'waiting' AND account_id IS NULL"),
        ),
        Index(
            "uq_address_change_waiting_account",
            "office_id",
            "account_id",
            unique=True,
            postgresql_where=text("state = 'waiting' AND account_id IS NOT NULL"),
        ),
        Index("ix_address_change_import", "import_id", "state"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id", index=True)
    client_id: UUID = Field(index=True)
    account_id: UUID | None = None
    """The account whose own destination it is; None: the client's."""
    kind: AddressKind = Field(sa_type=words(AddressKind))
    state: ChangeState = Field(sa_type=words(ChangeState))
    author_kind: str = Field(max_length=10)
    author_id: UUID
    """The person, key or application that set it."""
    import_id: UUID | None = None
    """The import that set it; one confirmation may cover the whole of it."""
    created_at: datetime = Field(sa_type=Moment)
    effective_at: datetime | None = Field(default=None, sa_type=Moment)
    """When it counts by itself, because the office has one admin; None: another admin must confirm."""
    decider_id: UUID | None = Field(default=None, foreign_key="app_user.id")
    """None for one that counted by itself."""
    decided_at: datetime | None = Field(default=None, sa_type=Moment)

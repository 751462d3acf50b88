"""Tables of client groups: the clients in one, the people who see them, and clients assigned to one person."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field

from gateway.database import Base, Moment, office_key, office_reference

EVERYONE: Final = "Everyone"
"""Name of the group that every office has from the start; all clients are in it, those to come as well."""


class ClientGroup(Base, table=True):
    """A named set of clients; its people see these clients."""

    __tablename__ = "client_group"
    __table_args__ = (
        office_key(),
        UniqueConstraint("office_id", "name"),
        Index("uq_client_group_everyone", "office_id", unique=True, postgresql_where=text("is_everyone")),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    name: str = Field(max_length=70)
    is_everyone: bool = False
    """The group of all clients: none is listed in it, and it cannot be renamed or removed."""
    created_at: datetime = Field(sa_type=Moment)
    version: int = 1


class ClientGroupClient(Base, table=True):
    """A client in a group."""

    __tablename__ = "client_group_client"
    __table_args__ = (
        office_key(),
        office_reference("group_id", "client_group", ondelete="CASCADE"),
        office_reference("client_id", "client"),
        UniqueConstraint("office_id", "group_id", "client_id"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    group_id: UUID
    client_id: UUID = Field(index=True)


class ClientGroupUser(Base, table=True):
    """A person of the office who sees the clients of a group."""

    __tablename__ = "client_group_user"
    __table_args__ = (
        office_key(),
        office_reference("group_id", "client_group", ondelete="CASCADE"),
        UniqueConstraint("office_id", "user_id", "group_id"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    group_id: UUID = Field(index=True)
    user_id: UUID = Field(foreign_key="app_user.id")


class ClientAssignment(Base, table=True):
    """A client that one person of the office sees, beside those of the groups."""

    __tablename__ = "client_assignment"
    __table_args__ = (
        office_key(),
        office_reference("client_id", "client"),
        UniqueConstraint("office_id", "user_id", "client_id"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    user_id: UUID = Field(foreign_key="app_user.id")
    client_id: UUID = Field(index=True)

"""One table for the pairs of all kinds of objects, so that every list is filtered in the same way, by index."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from gateway.database import Base, office_key, office_reference


class MetadataPair(Base, table=True):
    """A key and a value on one object. The value is the caller's own; nothing of ours reads it."""

    __tablename__ = "metadata_pair"
    __table_args__ = (
        office_key(),
        office_reference("client_id", "client"),
        UniqueConstraint("office_id", "object_kind", "object_id", "key"),
        Index("ix_metadata_pair_value", "office_id", "object_kind", "key", "value", "object_id"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    object_kind: str = Field(max_length=10)
    """Name of the object's table: `client`, `account`, `consent`, `basket` or `payment`."""
    object_id: UUID
    client_id: UUID
    """Whose object it is, so that what is erased of a client finds it."""
    key: str = Field(max_length=40)
    value: str = Field(max_length=500)

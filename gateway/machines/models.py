"""Tables of machines; global, because a secret must be found before its office is known."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, String, Uuid
from sqlmodel import Field

from gateway.database import Base, Moment


class Credential(Base, table=True):
    """An API key of one office; only the keyed hash of its secret is stored, the key itself is shown once."""

    __tablename__ = "credential"

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id", index=True)
    name: str = Field(max_length=70)
    prefix: str = Field(max_length=40)
    """`sluis_test_` or `sluis_live_` and the first characters of the secret: enough to recognise it in a list."""
    secret_hash: bytes = Field(unique=True)
    scopes: list[str] = Field(sa_type=ARRAY(String(40)))
    allowed_addresses: list[str] = Field(default_factory=list, sa_type=ARRAY(String(50)))
    """Networks (CIDR) it may call from; empty: from anywhere."""
    client_ids: list[UUID] | None = Field(default=None, sa_type=ARRAY(Uuid))
    """The only clients it sees (DEL-12); None: all of the office."""
    created_by: UUID | None = None
    """User, or the office for the service itself; None for keys made before this was noted."""
    created_at: datetime = Field(sa_type=Moment)
    expires_at: datetime | None = Field(default=None, sa_type=Moment)
    last_used_at: datetime | None = Field(default=None, sa_type=Moment)
    revoked_at: datetime | None = Field(default=None, sa_type=Moment)

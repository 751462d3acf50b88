"""From which amount on a client's decisions are signed, and the signatures."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from gateway.database import Base, Moment, Money, office_key, office_reference


class SigningLimit(Base, table=True):
    """Decisions, exports and first downloads above this total need a passkey's signature; no row, no limit."""

    __tablename__ = "signing_limit"
    __table_args__ = (office_key(), office_reference("client_id", "client"), UniqueConstraint("office_id", "client_id"))

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    client_id: UUID
    amount: Decimal | None = Field(default=None, sa_type=Money)
    """In euro; None: signatures are not asked for any more."""
    changed_at: datetime = Field(sa_type=Moment)


class DecisionSignature(Base, table=True):
    """What a person was asked to sign, and the signature; used by one decision, kept as evidence.

    The challenge is SHA-256 over `nonce` and the canonical statement; whoever holds the public key can check it.
    """

    __tablename__ = "decision_signature"
    __table_args__ = (office_key(),)

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    user_id: UUID = Field(foreign_key="app_user.id", index=True)
    challenge_id: UUID = Field(unique=True)
    decision: str = Field(max_length=20)
    seals: dict[str, str] = Field(sa_type=JSONB)
    """Payment id (typed) to seal."""
    nonce: bytes
    asked_at: datetime = Field(sa_type=Moment)
    signed_at: datetime | None = Field(default=None, sa_type=Moment)
    public_key: bytes | None = None
    """COSE key that signed; kept here since a passkey can be removed."""
    client_data: bytes | None = None
    authenticator_data: bytes | None = None
    signature: bytes | None = None
    used_at: datetime | None = Field(default=None, sa_type=Moment)

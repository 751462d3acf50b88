"""Tables of single sign-on: providers and links belong to an office, an attempt is found by its state alone."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field

from gateway.database import Base, Moment, office_key, office_reference


class OidcProvider(Base, table=True):
    """An identity provider of an office; valid for that office only (SEC-14)."""

    __tablename__ = "oidc_provider"
    __table_args__ = (
        office_key(),
        Index("uq_oidc_provider_issuer", "office_id", "issuer", unique=True, postgresql_where=text("ended_at IS NULL")),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    name: str = Field(max_length=70)
    issuer: str = Field(max_length=300)
    """As the provider writes it in `iss`, to the letter."""
    client_id: str = Field(max_length=200)
    secret_cipher: bytes | None = None
    created_at: datetime = Field(sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)


class OidcLink(Base, table=True):
    """This subject of this issuer is this person; made by the person, signed in (SEC-14)."""

    __tablename__ = "oidc_link"
    __table_args__ = (
        office_key(),
        office_reference("provider_id", "oidc_provider"),
        UniqueConstraint("office_id", "provider_id", "subject", name="uq_oidc_link_office_id_provider_id_subject"),
        UniqueConstraint("office_id", "provider_id", "user_id", name="uq_oidc_link_user"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    provider_id: UUID
    user_id: UUID = Field(foreign_key="app_user.id", index=True)
    subject: str = Field(max_length=255)
    created_at: datetime = Field(sa_type=Moment)
    last_used_at: datetime | None = Field(default=None, sa_type=Moment)


class OidcAttempt(Base, table=True):
    """Somebody went to a provider and is expected back, once, in the same browser, within ten minutes.

    Nonce and PKCE verifier are derived from the state with the installation's key; the state itself is not stored.
    """

    __tablename__ = "oidc_attempt"

    state_hash: bytes = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    provider_id: UUID
    browser_hash: bytes
    session_id: UUID | None = None
    """The session that links an account; None for a sign-in."""
    next_path: str = Field(max_length=500)
    created_at: datetime = Field(sa_type=Moment, index=True)

"""Tables of machines. Those that hold secrets are global: a secret must be found before its office is known."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Index, String, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from gateway.database import Base, Moment, office_key, office_reference


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


class Application(Base, table=True):
    """An OAuth client, such as the portal; its id is the `client_id`."""

    __tablename__ = "application"

    id: UUID = Field(primary_key=True)
    office_id: UUID | None = Field(default=None, foreign_key="office.id", index=True)
    """The office whose administrator made it and keeps its secrets; None: the operator."""
    name: str = Field(max_length=70)
    mode: str = Field(max_length=4)
    """`live` or `test`, like every office it serves."""
    allowed_addresses: list[str] = Field(default_factory=list, sa_type=ARRAY(String(50)))
    created_at: datetime = Field(sa_type=Moment)
    last_used_at: datetime | None = Field(default=None, sa_type=Moment)
    revoked_at: datetime | None = Field(default=None, sa_type=Moment)


class ApplicationSecret(Base, table=True):
    """A secret of an application; two can be in use, so that one replaces the other without a stop."""

    __tablename__ = "application_secret"

    id: UUID = Field(primary_key=True)
    application_id: UUID = Field(foreign_key="application.id", index=True)
    secret_hash: bytes = Field(unique=True)
    created_at: datetime = Field(sa_type=Moment)
    last_used_at: datetime | None = Field(default=None, sa_type=Moment)
    revoked_at: datetime | None = Field(default=None, sa_type=Moment)


class ApplicationOffice(Base, table=True):
    """An office that an application serves, with the scopes it has there."""

    __tablename__ = "application_office"
    __table_args__ = (
        Index(
            "uq_application_office_held",
            "application_id",
            "office_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    application_id: UUID = Field(foreign_key="application.id")
    office_id: UUID = Field(foreign_key="office.id", index=True)
    scopes: list[str] = Field(sa_type=ARRAY(String(40)))
    created_at: datetime = Field(sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)


class AccessToken(Base, table=True):
    """A token of an application for one office; lives a quarter of an hour and can be ended before."""

    __tablename__ = "access_token"

    token_hash: bytes = Field(primary_key=True)
    application_id: UUID = Field(foreign_key="application.id", index=True)
    office_id: UUID = Field(foreign_key="office.id")
    scopes: list[str] = Field(sa_type=ARRAY(String(40)))
    created_at: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment)


class AssertionIssuer(Base, table=True):
    """An identity provider whose word on who decides counts for one office (SEC-04); registered by the operator.

    Global, because a key must be compared with those of offices of the other mode (API-11).
    """

    __tablename__ = "assertion_issuer"
    __table_args__ = (
        office_key(),
        Index(
            "uq_assertion_issuer_held", "office_id", "issuer", unique=True, postgresql_where=text("ended_at IS NULL")
        ),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    issuer: str = Field(max_length=200)
    """The `iss` claim, letter by letter."""
    mode: str = Field(max_length=4)
    jwks: dict[str, Any] = Field(sa_type=JSONB)
    """Public keys only."""
    thumbprints: list[str] = Field(sa_type=ARRAY(String(64)))
    created_at: datetime = Field(sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)


class AssertionSubject(Base, table=True):
    """Which of our people an issuer's `sub` is (SEC-14)."""

    __tablename__ = "assertion_subject"
    __table_args__ = (
        office_key(),
        office_reference("issuer_id", "assertion_issuer"),
        Index(
            "uq_assertion_subject_held",
            "office_id",
            "issuer_id",
            "subject",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    issuer_id: UUID
    subject: str = Field(max_length=200)
    user_id: UUID = Field(foreign_key="app_user.id", index=True)
    linked_by: UUID
    """The person, or the office for the operator."""
    created_at: datetime = Field(sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)


class AssertionUse(Base, table=True):
    """An assertion that was used: its `jti` works once. Kept until the assertion has expired."""

    __tablename__ = "assertion_use"
    __table_args__ = (
        office_key(),
        office_reference("issuer_id", "assertion_issuer"),
        UniqueConstraint("office_id", "issuer_id", "jti_hash"),
        Index(None, "office_id", "expires_at"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    issuer_id: UUID
    jti_hash: bytes
    expires_at: datetime = Field(sa_type=Moment)


class RateWindow(Base, table=True):
    """Requests of one caller or office in one minute, over all web processes; unlogged, as it means nothing later."""

    __tablename__ = "rate_window"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)

    key: bytes = Field(primary_key=True)
    window: int = Field(primary_key=True, sa_type=BigInteger)
    used: int

"""Tables of passkeys; global, because a person serves several offices with one sign-in."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, String
from sqlmodel import Field

from gateway.database import Base, Moment


class Passkey(Base, table=True):
    """One public key of one person; the private one never leaves the authenticator."""

    __tablename__ = "passkey"

    id: UUID = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="app_user.id", index=True)
    name: str = Field(max_length=70)
    credential_id: bytes = Field(unique=True)
    public_key: bytes
    """COSE key as the authenticator gave it."""
    sign_count: int = Field(sa_type=BigInteger)
    """Of the last use; one that does not grow means that the key exists twice. Many passkeys stay at 0."""
    transports: list[str] = Field(sa_type=ARRAY(String(20)))
    is_backed_up: bool
    created_at: datetime = Field(sa_type=Moment)
    last_used_at: datetime | None = Field(default=None, sa_type=Moment)
    blocked_at: datetime | None = Field(default=None, sa_type=Moment)
    """Set when its counter went backwards: it may have been copied, and is never accepted again."""


class PasskeyChallenge(Base, table=True):
    """A question to an authenticator; answered once, within five minutes, by whom it was put to."""

    __tablename__ = "passkey_challenge"

    id: UUID = Field(primary_key=True)
    challenge: str = Field(max_length=100)
    """Base64url; known to the browser, so no secret."""
    purpose: str = Field(max_length=20)
    user_id: UUID | None = Field(default=None, foreign_key="app_user.id")
    session_id: UUID | None = None
    browser_hash: bytes | None = None
    """Keyed hash of the browser's form cookie, for a sign-in on the pages."""
    created_at: datetime = Field(sa_type=Moment, index=True)

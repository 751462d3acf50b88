"""Tables of recovery; global, because a person serves several offices with one sign-in."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import Field

from gateway.database import Base, Moment


class RecoveryCode(Base, table=True):
    """One of ten codes on paper; works once instead of the second factor."""

    __tablename__ = "recovery_code"

    id: UUID = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="app_user.id", index=True)
    code_hash: bytes = Field(unique=True)
    created_at: datetime = Field(sa_type=Moment)
    used_at: datetime | None = Field(default=None, sa_type=Moment)


class PasswordReset(Base, table=True):
    """A mailed link to a new password: once, within an hour."""

    __tablename__ = "password_reset"

    token_hash: bytes = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="app_user.id", index=True)
    created_at: datetime = Field(sa_type=Moment)


class EmailChange(Base, table=True):
    """A new address of a person, in use once both the old and the new one were confirmed (SEC-13)."""

    __tablename__ = "email_change"

    id: UUID = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="app_user.id", unique=True)
    """A newer wish replaces the one before."""
    email: str = Field(max_length=254)
    old_token_hash: bytes = Field(unique=True)
    new_token_hash: bytes = Field(unique=True)
    old_confirmed_at: datetime | None = Field(default=None, sa_type=Moment)
    new_confirmed_at: datetime | None = Field(default=None, sa_type=Moment)
    created_at: datetime = Field(sa_type=Moment)

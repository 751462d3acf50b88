"""Tables of people; global, because a person may serve several offices with one sign-in."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field

from gateway.database import Base, Moment


class User(Base, table=True):
    """A named person. The e-mail address is stored in lower case."""

    __tablename__ = "app_user"

    id: UUID = Field(primary_key=True)
    email: str = Field(unique=True, max_length=254)
    first_name: str = Field(max_length=70)
    last_name: str = Field(max_length=70)
    language: str = Field(max_length=2)
    password_hash: str = Field(max_length=200)
    totp_secret: bytes | None = None
    """Encrypted; None until the second factor is enrolled."""
    totp_confirmed_at: datetime | None = Field(default=None, sa_type=Moment)
    totp_last_step: int | None = None
    """The 30-second step of the last accepted code: a code works once."""
    second_factor_reset_at: datetime | None = Field(default=None, sa_type=Moment)
    """When another administrator took the second factor away; no deciding for a day after it (SEC-13)."""
    enrolment_code_hash: bytes | None = None
    """Keyed hash of the code that an administrator hands over for a new second factor; gone once it was used."""
    enrolment_code_expires_at: datetime | None = Field(default=None, sa_type=Moment)
    enrolment_tries: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    """Wrong codes since the present one was made."""
    created_at: datetime = Field(sa_type=Moment)


class Membership(Base, table=True):
    """A role of a person: of the office when `client_id` is None, else at that client."""

    __tablename__ = "membership"
    __table_args__ = (
        # A role that was taken away can be given again: ended rows stay for the history and do not count.
        Index(
            "uq_membership_held",
            "user_id",
            "office_id",
            "client_id",
            "role",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: UUID = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="app_user.id", index=True)
    office_id: UUID = Field(foreign_key="office.id", index=True)
    client_id: UUID | None = None
    role: str = Field(max_length=20)
    salaries: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """Whether payments of wages are shown and decided (PAY-26)."""
    from_date: date | None = None
    until_date: date | None = None
    """First and last day of an auditor; other roles hold until they end."""
    created_at: datetime = Field(sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)

    def holds_on(self, day: date) -> bool:
        """Whether the role counts on this day."""
        return (
            self.ended_at is None
            and (self.from_date is None or self.from_date <= day)
            and (self.until_date is None or day <= self.until_date)
        )


class Operator(Base, table=True):
    """Somebody who runs the installation: no role anywhere, sees no amounts, decides nothing (OFF-08)."""

    __tablename__ = "operator"

    user_id: UUID = Field(primary_key=True, foreign_key="app_user.id")
    created_at: datetime = Field(sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)


class WebSession(Base, table=True):
    """A signed-in person in one office; the key is a hash of the cookie or bearer token."""

    __tablename__ = "web_session"

    token_hash: bytes = Field(primary_key=True)
    id: UUID = Field(unique=True)
    """Stays when the token changes; what people see in the list of their sessions."""
    user_id: UUID = Field(foreign_key="app_user.id", index=True)
    office_id: UUID = Field(foreign_key="office.id")
    sign_in_method: str = Field(default="password", max_length=20)
    """`password`, `passkey` or `oidc`: an office's issuer opens that office only (SEC-14)."""
    oidc_provider_id: UUID | None = None
    device: str = Field(default="", max_length=60)
    """Browser and system in two words, so that a person recognises the session; no address."""
    form_token: str = Field(max_length=64)
    """Repeated in every form of the pages, against cross-site requests."""
    created_at: datetime = Field(sa_type=Moment)
    last_seen_at: datetime = Field(sa_type=Moment)
    second_factor_at: datetime | None = Field(default=None, sa_type=Moment)
    second_factor_method: str | None = Field(default=None, max_length=20)
    """How the second factor was last given: `totp`, `passkey`, `recovery_code` or `oidc` (SEC-02)."""
    ended_at: datetime | None = Field(default=None, sa_type=Moment)


class SignInAttempt(Base, table=True):
    """Failures of one source for one address; the source waits, the person is never locked out (SEC-01)."""

    __tablename__ = "sign_in_attempt"

    key: bytes = Field(primary_key=True)
    """Keyed hash of e-mail address and source address."""
    failures: int
    last_failure_at: datetime = Field(sa_type=Moment)

"""Shapes of recovery in the API."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.api import Shape

Email = Annotated[
    str,
    Field(max_length=254, pattern=r"^[^@\s\x00-\x1f]{1,64}@[A-Za-z0-9.-]{1,250}$", examples=["an.peeters@example.be"]),
]
Password = Annotated[str, Field(max_length=200, description="At least 12 characters, not a common one.")]
LinkToken = Annotated[str, Field(min_length=20, max_length=100, description="The last part of the mailed address.")]


class RecoveryCodesRead(Shape):
    """Ten codes, shown this once."""

    codes: list[str] = Field(examples=[["k7m2p-9xwqz"]])


class SecondFactorsRead(Shape):
    """What the person has set up."""

    has_authenticator: bool
    passkeys: int = Field(description="Passkeys that can be used.")
    recovery_codes_left: int


class PasswordResetWrite(Shape):
    """Somebody forgot the password."""

    email: Email


class PasswordResetAnswer(Shape):
    """The mailed link and the new password."""

    token: LinkToken
    password: Password


class PasswordWrite(Shape):
    """The present and the new password."""

    current_password: Password
    password: Password


class EmailChangeWrite(Shape):
    """The address to sign in with from now on."""

    email: Email


class EmailChangeAnswer(Shape):
    """A mailed link."""

    token: LinkToken


class EmailChangeRead(Shape):
    """Whether the other address still has to agree."""

    is_complete: bool

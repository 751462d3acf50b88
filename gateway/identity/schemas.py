"""Shapes of people and sessions in the API."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gateway.api import MomentText, Shape
from gateway.ids import ClientId, OfficeIdField, SessionId, UserId
from gateway.offices.schemas import Language


class SessionWrite(Shape):
    """Signing in as a person."""

    email: Annotated[str, Field(max_length=254, examples=["an.peeters@example.be"])]
    password: Annotated[str, Field(max_length=200)]
    code: Annotated[str, Field(pattern=r"^[0-9]{6}$")] | None = Field(
        default=None, description="Six digits from the authenticator, once one is set up."
    )
    office_id: OfficeIdField | None = Field(default=None, description="Needed by people of several offices.")


class SessionRead(Shape):
    """A session; the token is shown this once and goes into `Authorization: Bearer`."""

    id: SessionId
    token: str = Field(description="To use from now on; a session that gains its second factor gets a new one.")
    user_id: UserId
    office_id: OfficeIdField
    has_fresh_second_factor: bool


class SessionListed(Shape):
    """One of the person's own sessions, without its token."""

    id: SessionId
    office_id: OfficeIdField
    device: str = Field(description="Browser and system, as the browser calls itself.", examples=["Firefox, Windows"])
    sign_in_method: Literal["password", "passkey", "oidc"]
    second_factor_method: Literal["totp", "passkey", "recovery_code", "oidc"] | None
    created_at: MomentText
    last_seen_at: MomentText
    is_current: bool


class OtherSessionsEnded(Shape):
    """How many sessions were ended."""

    ended: int


class OfficeSwitch(Shape):
    """The office to go on in."""

    office_id: OfficeIdField


class OfficeListed(Shape):
    """An office of the person."""

    id: OfficeIdField
    name: str


class SecondFactorWrite(Shape):
    """A code from the authenticator, or one of the recovery codes: exactly one of the two."""

    code: Annotated[str, Field(pattern=r"^[0-9]{6}$")] | None = None
    recovery_code: Annotated[str, Field(min_length=10, max_length=20, examples=["k7m2p-9xwqz"])] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.code is None) == (self.recovery_code is None):
            raise ValueError("send code or recovery_code")
        return self


class RoleRead(Shape):
    """A role: of the office when `client_id` is null."""

    client_id: ClientId | None
    role: str


class MeRead(Shape):
    """Who the caller is and may do."""

    kind: str
    id: str
    office_id: OfficeIdField
    language: Language | None
    offices: list[OfficeListed] = Field(description="Offices this session may switch to; empty for an API token.")
    permissions: list[str] = Field(description="Held for the office as a whole.")
    client_permissions: dict[str, list[str]] = Field(description="Held per client id.")

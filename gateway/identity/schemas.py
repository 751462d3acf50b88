"""Shapes of people and sessions in the API."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.api import Shape
from gateway.ids import ClientId, OfficeIdField, UserId
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

    token: str
    user_id: UserId
    office_id: OfficeIdField
    has_fresh_second_factor: bool


class SecondFactorWrite(Shape):
    """A code from the authenticator."""

    code: Annotated[str, Field(pattern=r"^[0-9]{6}$")]


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
    permissions: list[str] = Field(description="Held for the office as a whole.")
    client_permissions: dict[str, list[str]] = Field(description="Held per client id.")

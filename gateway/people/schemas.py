"""Shapes of users and roles in the API."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gateway.api import Day, MomentText, Shape
from gateway.client_groups.schemas import CLIENTS_MAX
from gateway.ids import ClientId, MembershipId, UserId

RoleWord = Literal[
    "admin", "staff", "support", "administrator", "preparer", "approver", "exporter", "viewer", "auditor"
]


class RoleWrite(Shape):
    """A role to give: of the office, or at `client_id`."""

    role: RoleWord
    client_id: ClientId | None = Field(default=None, description="Needed by the roles at a client.")
    salaries: bool = Field(default=False, description="Whether payments of wages are shown and decided.")
    from_date: Day | None = Field(default=None, description="First day of an auditor; today without it.")
    until_date: Day | None = Field(default=None, description="Last day of an auditor, who needs one.")


class HeldRoleRead(Shape):
    """A role that a person holds: of the office when `client_id` is null."""

    id: MembershipId
    role: RoleWord
    client_id: ClientId | None
    salaries: bool
    from_date: Day | None
    until_date: Day | None
    created_at: MomentText


class UserRead(Shape):
    """A person of the office or of one of its clients, with the roles that the caller may see."""

    id: UserId
    first_name: str
    last_name: str
    email: str
    language: str
    has_second_factor: bool
    roles: list[HeldRoleRead]


class AssignedClients(Shape):
    """The clients a person of the office sees, beside those of the groups."""

    client_ids: Annotated[list[ClientId], Field(max_length=CLIENTS_MAX)]

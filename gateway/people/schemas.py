"""Shapes of users and roles in the API."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gateway.api import Day, MomentText, Shape
from gateway.client_groups.schemas import CLIENTS_MAX
from gateway.ids import ClientId, InvitationId, MembershipId, UserId
from gateway.offices.schemas import Language, Name
from gateway.people.states import InvitationState
from gateway.proposals.schemas import ProposalRead

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


class EnrolmentCodeRead(Shape):
    """What a person without second factor types when setting up a new one."""

    code: str = Field(description="Six digits, shown this once.", examples=["123456"])
    expires_at: MomentText


class AssignedClients(Shape):
    """The clients a person of the office sees, beside those of the groups."""

    client_ids: Annotated[list[ClientId], Field(max_length=CLIENTS_MAX)]


class InvitationWrite(Shape):
    """Whom to invite to what: roles of the office, or at `client_id`."""

    email: Annotated[str, Field(min_length=3, max_length=254, examples=["an.peeters@example.be"])]
    first_name: Annotated[Name, Field(examples=["An"])]
    last_name: Annotated[Name, Field(examples=["Peeters"])]
    language: Language = "nl"
    client_id: ClientId | None = None
    roles: Annotated[list[RoleWord], Field(min_length=1, max_length=5, examples=[["preparer"]])]
    salaries: bool = False
    from_date: Day | None = None
    until_date: Day | None = None


class InvitationRead(Shape):
    """An invitation and where it stands; its link is in the mail only."""

    id: InvitationId
    email: str
    first_name: str
    last_name: str
    language: Language
    client_id: ClientId | None
    roles: list[RoleWord]
    salaries: bool
    from_date: Day | None
    until_date: Day | None
    state: Annotated[InvitationState, Field(strict=False)]
    inviter_id: UserId
    created_at: MomentText
    sent_at: MomentText | None
    expires_at: MomentText | None = Field(description="When the link ends, if it is not used before.")
    accepted_at: MomentText | None


class InvitationCreated(Shape):
    """An invitation just made or sent again."""

    invitation: InvitationRead
    code: str | None = Field(description="Six digits, shown this once: hand them over by another channel than mail.")
    proposal: ProposalRead | None = Field(description="What a second person must confirm before the mail goes out.")

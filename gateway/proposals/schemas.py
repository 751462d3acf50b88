"""Shapes of proposals in the API."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from gateway.act import Act
from gateway.api import MomentText, Shape
from gateway.assembly import Gateway
from gateway.ids import ClientId, ProposalId, UserId, encode
from gateway.proposals.kinds import kind_of
from gateway.proposals.models import Proposal
from gateway.proposals.service import ProposalService
from gateway.proposals.states import ProposalState


class ProposalWrite(Shape):
    """What is proposed, and about what."""

    kind: Annotated[
        str,
        Field(
            max_length=40,
            examples=["role.grant"],
            description="`role.grant`: give the user `object_id` a role, content `{role, salaries}`, the client in"
            " `client_id` (none for an office role). `role.end`: end the role `object_id`."
            " `invitation.send`: let an invitation to such roles go out; made by `POST /v1/invitations`."
            " `user.legal_event`: suspend the user `object_id`, content `{event, document_reference, successor_id}`."
            " `client.unsuspend`: end the suspension of the client `object_id`."
            " `person.erase`: erase the user `object_id`; made by `POST /v1/erasures`."
            " `second_factor.reset`: take away the second factor of the user `object_id`; made by"
            " `POST /v1/users/{user_id}/second-factor-resets`."
            " `signing_limit.set`: decisions of the client `object_id` above `{amount}` (euro, or null) are signed with"
            " a passkey."
            " `statement_chain.restart`, `statement.withdraw`: made by the operations on restarts and withdrawals."
            " `approval_rule.create`, `approval_rule.change`, `approver_group.change`, `approval_settings.change`: made"
            " by the operations on approval rules, approver groups and approval settings; `version` in the content is"
            " the one they were made on.",
        ),
    ]
    object_id: Annotated[str, Field(max_length=40, examples=["usr_01jpksy000e008000000000001"])]
    client_id: ClientId | None = None
    content: Annotated[
        dict[Annotated[str, Field(max_length=40)], str | bool | int | None],
        Field(max_length=20, default_factory=dict, examples=[{"role": "approver", "salaries": False}]),
    ]


class ProposalRow(Shape):
    """A proposal in a list."""

    id: ProposalId
    kind: str
    object_id: str
    client_id: ClientId | None
    content: dict[str, Any]
    state: Annotated[ProposalState, Field(strict=False)]
    proposer_id: UserId
    confirmer_id: UserId | None
    created_at: MomentText
    expires_at: MomentText
    effective_at: MomentText | None = Field(
        description="When it takes effect by itself, because there is nobody else who could confirm it."
    )
    decided_at: MomentText | None


class ProposalRead(ProposalRow):
    """A proposal and where it stands."""

    can_confirm: bool = Field(description="Whether the caller is one of those it waits for.")


def shown(gateway: Gateway, act: Act, proposal: Proposal) -> ProposalRead:
    """As the API shows it."""
    return ProposalRead(**dict(row(proposal)), can_confirm=ProposalService(gateway).can_confirm(act, proposal))


def row(proposal: Proposal) -> ProposalRow:
    """As a list shows it."""
    kind = kind_of(proposal.kind)
    return ProposalRow(
        id=proposal.id,
        kind=proposal.kind,
        object_id=encode(kind.object_kind, proposal.object_id),
        client_id=proposal.client_id,
        content=dict(kind.shown(proposal.content)),
        state=proposal.state,
        proposer_id=proposal.proposer_id,
        confirmer_id=proposal.confirmer_id,
        created_at=proposal.created_at,
        expires_at=proposal.expires_at,
        effective_at=proposal.effective_at,
        decided_at=proposal.decided_at,
    )

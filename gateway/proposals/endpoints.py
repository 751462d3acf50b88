"""REST: acts that take two people (APP-12)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from gateway.api import ActDep, GatewayDep, PageDep, problem_responses
from gateway.errors import FieldFault, InputError
from gateway.ids import ProposalId, decode
from gateway.pagination import Page
from gateway.proposals.kinds import kind_of
from gateway.proposals.schemas import ProposalRead, ProposalRow, ProposalWrite, row, shown
from gateway.proposals.service import ProposalService
from gateway.proposals.states import ProposalState

router = APIRouter(prefix="/v1/proposals", tags=["people"])


@router.post("", operation_id="create_proposal", status_code=201, responses=problem_responses(409))
def create_proposal(body: ProposalWrite, act: ActDep, gateway: GatewayDep) -> ProposalRead:
    """Propose what takes two people. Needs a person with a fresh second factor; no token can do this.

    Where nobody else could confirm, it takes effect after 48 hours (`effective_at`), or at once before the client's
    first submission of a payment.
    """
    act.require_fresh_second_factor()
    try:
        object_id = decode(kind_of(body.kind).object_kind, body.object_id)
    except ValueError:
        fault = FieldFault("/object_id", "invalid_id", "This is not an id of that kind.")
        raise InputError(faults=[fault]) from None
    proposal = ProposalService(gateway).propose(act, body.kind, object_id, body.content, client_id=body.client_id)
    return shown(gateway, act, proposal)


@router.get("", operation_id="list_proposals", responses=problem_responses(400))
def list_proposals(
    act: ActDep,
    gateway: GatewayDep,
    page: PageDep,
    state: Annotated[ProposalState | None, Query(description="Only those in this state.")] = None,
) -> Page[ProposalRow]:
    """Proposals of the office and of the clients whose users the caller may see, the newest first."""
    rows, cursor = ProposalService(gateway).page(act, page, state=state)
    return Page(items=[row(proposal) for proposal in rows], next_cursor=cursor)


@router.get("/{proposal_id}", operation_id="get_proposal", responses=problem_responses())
def get_proposal(proposal_id: ProposalId, act: ActDep, gateway: GatewayDep) -> ProposalRead:
    """One proposal."""
    return shown(gateway, act, ProposalService(gateway).get(act, proposal_id))


@router.post(
    "/{proposal_id}/confirmations",
    operation_id="confirm_proposal",
    status_code=201,
    responses=problem_responses(409),
    openapi_extra={"x-error-codes": ["proposal_overtaken"]},
)
def confirm_proposal(proposal_id: ProposalId, act: ActDep, gateway: GatewayDep) -> ProposalRead:
    """Confirm as the second person, with a fresh second factor; it takes effect at once.

    Refused when what it would change is not what it was when it was proposed (`proposal_overtaken`).
    """
    return shown(gateway, act, ProposalService(gateway).confirm(act, proposal_id))


@router.post(
    "/{proposal_id}/withdrawals", operation_id="withdraw_proposal", status_code=201, responses=problem_responses(409)
)
def withdraw_proposal(proposal_id: ProposalId, act: ActDep, gateway: GatewayDep) -> ProposalRead:
    """End a proposal without effect: the proposer takes it back, or somebody who could confirm it refuses."""
    return shown(gateway, act, ProposalService(gateway).withdraw(act, proposal_id))

"""REST: erasing a person."""

from __future__ import annotations

from fastapi import APIRouter

from gateway.api import ActDep, GatewayDep, problem_responses
from gateway.custody.erasures import ErasureService
from gateway.custody.proposals import ERASE
from gateway.custody.schemas import ErasureItemRead, ErasureRead, ErasureWrite
from gateway.proposals.service import ProposalService
from gateway.proposals.states import ProposalState

router = APIRouter(prefix="/v1", tags=["people"])


@router.post("/erasures", operation_id="create_erasure", responses=problem_responses(409))
def create_erasure(body: ErasureWrite, act: ActDep, gateway: GatewayDep) -> ErasureRead:
    """Propose to erase a person without roles, as far as the law lets go; another admin confirms the proposal.

    With `dry_run` it is only told what would be erased and what stays.
    """
    items = ErasureService(gateway).preview(act, body.user_id)
    proposal = None if body.dry_run else ProposalService(gateway).propose(act, ERASE, body.user_id, {})
    return ErasureRead(
        user_id=body.user_id,
        dry_run=body.dry_run,
        proposal_id=proposal.id if proposal is not None else None,
        is_done=proposal is not None and proposal.state is ProposalState.CONFIRMED,
        items=[ErasureItemRead.model_validate(item) for item in items],
    )

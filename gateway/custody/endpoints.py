"""REST: erasing a person."""

from __future__ import annotations

from fastapi import APIRouter

from gateway.api import ActDep, GatewayDep, problem_responses
from gateway.custody.erasures import ErasureService
from gateway.custody.schemas import ErasureItemRead, ErasureRead, ErasureWrite

router = APIRouter(prefix="/v1", tags=["people"])


@router.post("/erasures", operation_id="create_erasure", responses=problem_responses(409))
def create_erasure(body: ErasureWrite, act: ActDep, gateway: GatewayDep) -> ErasureRead:
    """Erase a person without roles, as far as the law lets go; an admin with a fresh second factor only."""
    items = ErasureService(gateway).erase(act, body.user_id, is_dry_run=body.dry_run)
    return ErasureRead(
        user_id=body.user_id, dry_run=body.dry_run, items=[ErasureItemRead.model_validate(item) for item in items]
    )

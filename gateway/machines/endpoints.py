"""REST: API keys."""

from __future__ import annotations

from fastapi import APIRouter

from gateway.api import ActDep, GatewayDep, PageDep, problem_responses
from gateway.ids import CredentialId
from gateway.machines.schemas import CredentialCreated, CredentialRead, CredentialWrite
from gateway.machines.service import MachineService
from gateway.operations import ANSWER_NOT_KEPT
from gateway.pagination import Page

router = APIRouter(prefix="/v1", tags=["machines"])


@router.post(
    "/credentials",
    operation_id="create_credential",
    status_code=201,
    responses=problem_responses(),
    openapi_extra=ANSWER_NOT_KEPT,
)
def create_credential(body: CredentialWrite, act: ActDep, gateway: GatewayDep) -> CredentialCreated:
    """Make an API key; its secret is shown this once. A person with a fresh second factor only."""
    credential, token = MachineService(gateway).create_credential(act, **body.model_dump())
    return CredentialCreated(credential=CredentialRead.model_validate(credential), token=token)


@router.get("/credentials", operation_id="list_credentials", responses=problem_responses(400))
def list_credentials(act: ActDep, gateway: GatewayDep, page: PageDep) -> Page[CredentialRead]:
    """API keys of the office, newest first, without their secrets."""
    credentials, cursor = MachineService(gateway).credentials(act, page)
    return Page(items=[CredentialRead.model_validate(row) for row in credentials], next_cursor=cursor)


@router.delete(
    "/credentials/{credential_id}", operation_id="revoke_credential", status_code=204, responses=problem_responses()
)
def revoke_credential(credential_id: CredentialId, act: ActDep, gateway: GatewayDep) -> None:
    """End an API key at once."""
    MachineService(gateway).revoke_credential(act, credential_id)

"""REST: files that a package refused, and the declaration that files are in no package (STA-23)."""

from __future__ import annotations

from fastapi import APIRouter, Response

from gateway.api import ActDep, GatewayDep, problem_responses
from gateway.ids import StatementId
from gateway.operations import KEY_REQUIRED
from gateway.proposals.answers import accepted
from gateway.proposals.schemas import ProposalRead
from gateway.statements.refusals import RefusalService
from gateway.statements.schemas import ImportRefusalWrite, StatementRead, WithdrawalWrite

router = APIRouter(prefix="/v1", tags=["statements"])


@router.post(
    "/statements/{statement_id}/import-refusals",
    operation_id="create_import_refusal",
    status_code=201,
    responses=problem_responses(409),
)
def create_import_refusal(
    statement_id: StatementId, body: ImportRefusalWrite, act: ActDep, gateway: GatewayDep
) -> StatementRead:
    """Note that the accounting package refused this file, with its message. For people of the office."""
    return StatementRead.of(RefusalService(gateway).mark(act, statement_id, body.message))


@router.post(
    "/statements/{statement_id}/withdrawals",
    operation_id="create_withdrawal",
    status_code=202,
    response_model=ProposalRead,
    responses=problem_responses(409),
    openapi_extra=KEY_REQUIRED,
)
def create_withdrawal(statement_id: StatementId, body: WithdrawalWrite, act: ActDep, gateway: GatewayDep) -> Response:
    """Declare that this refused file and all later ones of the account are in no package; a second person confirms.

    They become `withdrawn`, their bytes kept, and their days are issued anew with the corrected number and the present
    data of client and account. Needs a person of the office with a fresh second factor.
    """
    return accepted(gateway, act, RefusalService(gateway).propose(act, statement_id, next_number=body.next_number))

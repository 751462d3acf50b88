"""REST: recovery codes, a forgotten password, a new password, another e-mail address."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, BackgroundTasks, Request

from gateway.api import ActDep, GatewayDep, problem_responses, source_address
from gateway.operations import ANSWER_NOT_KEPT
from gateway.recovery.address import AddressService
from gateway.recovery.codes import RecoveryCodeService
from gateway.recovery.password import PasswordService
from gateway.recovery.schemas import (
    EmailChangeAnswer,
    EmailChangeRead,
    EmailChangeWrite,
    PasswordResetAnswer,
    PasswordResetWrite,
    PasswordWrite,
    RecoveryCodesRead,
    SecondFactorsRead,
)

router = APIRouter(prefix="/v1", tags=["identity"])

OPEN: Final[dict[str, Any]] = {"security": []}


@router.get("/me/second-factors", operation_id="get_second_factors", responses=problem_responses())
def get_second_factors(act: ActDep, gateway: GatewayDep) -> SecondFactorsRead:
    """What the person has set up besides the password."""
    return SecondFactorsRead.model_validate(RecoveryCodeService(gateway).overview(act))


@router.post(
    "/recovery-codes",
    operation_id="create_recovery_codes",
    openapi_extra=ANSWER_NOT_KEPT,
    status_code=201,
    responses=problem_responses(409),
)
def create_recovery_codes(act: ActDep, gateway: GatewayDep) -> RecoveryCodesRead:
    """Ten new codes, shown this once; the ones before end. Needs a fresh second factor."""
    return RecoveryCodesRead(codes=RecoveryCodeService(gateway).renew(act))


@router.post(
    "/password-resets",
    operation_id="create_password_reset",
    status_code=202,
    responses=problem_responses(429),
    openapi_extra=OPEN,
)
def create_password_reset(
    body: PasswordResetWrite, request: Request, gateway: GatewayDep, background: BackgroundTasks
) -> None:
    """Have a link mailed to this address, if it is somebody's; the answer does not tell."""
    service = PasswordService(gateway)
    service.admit(source=source_address(request))
    background.add_task(service.mail_link, body.email)


@router.post(
    "/password-reset-answers",
    operation_id="answer_password_reset",
    status_code=204,
    responses=problem_responses(503),
    openapi_extra=OPEN,
)
def answer_password_reset(body: PasswordResetAnswer, gateway: GatewayDep) -> None:
    """Set a new password by a mailed link: once, within an hour. Ends all sessions; the second factor stays."""
    PasswordService(gateway).reset(body.token, body.password)


@router.put("/me/password", operation_id="put_password", status_code=204, responses=problem_responses(429, 503))
def put_password(body: PasswordWrite, request: Request, act: ActDep, gateway: GatewayDep) -> None:
    """A new password; ends all other sessions. Needs a fresh second factor."""
    PasswordService(gateway).change(
        act, present=body.current_password, password=body.password, source=source_address(request)
    )


@router.post("/email-changes", operation_id="create_email_change", status_code=202, responses=problem_responses())
def create_email_change(body: EmailChangeWrite, act: ActDep, gateway: GatewayDep) -> None:
    """Begin using another address: both the old and the new one get a link. Needs a fresh second factor."""
    AddressService(gateway).ask(act, body.email)


@router.post(
    "/email-change-answers",
    operation_id="answer_email_change",
    responses=problem_responses(409),
    openapi_extra=OPEN,
)
def answer_email_change(body: EmailChangeAnswer, gateway: GatewayDep) -> EmailChangeRead:
    """One of the two addresses agrees."""
    return EmailChangeRead(is_complete=AddressService(gateway).confirm(body.token))

"""REST: passkeys of the signed-in person, and signing in with one."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request

from gateway.api import ActDep, GatewayDep, PageDep, PrincipalDep, problem_responses, source_address
from gateway.identity.devices import device_hint
from gateway.identity.endpoints import SessionTokenDep, session_read, session_read_of
from gateway.identity.schemas import SessionRead
from gateway.ids import PasskeyId
from gateway.operations import ANSWER_NOT_KEPT
from gateway.pagination import Page
from gateway.passkeys.models import Passkey
from gateway.passkeys.schemas import (
    PasskeyAdded,
    PasskeyAnswer,
    PasskeyQuestion,
    PasskeyRead,
    PasskeySessionWrite,
    PasskeyWrite,
)
from gateway.passkeys.service import Answer, PasskeyService, Question

router = APIRouter(prefix="/v1", tags=["identity"])

OPEN: Final[dict[str, Any]] = {"security": []}
PERSON_ONLY: Final = {"x-needs-person": True}
"""The first passkey needs no second factor, so that the code asks for one under a condition; a key has no passkeys."""


@router.post(
    "/passkey-registrations",
    operation_id="create_passkey_registration",
    status_code=201,
    responses=problem_responses(503),
    openapi_extra=PERSON_ONLY,
)
def create_passkey_registration(principal: PrincipalDep, gateway: GatewayDep) -> PasskeyQuestion:
    """Begin adding a passkey; needs a fresh second factor, unless this is the first one."""
    return _question(PasskeyService(gateway).ask_registration(gateway.act(principal)))


@router.post(
    "/passkeys",
    operation_id="create_passkey",
    openapi_extra={**ANSWER_NOT_KEPT, **PERSON_ONLY},
    status_code=201,
    responses=problem_responses(409, 503),
)
def create_passkey(
    body: PasskeyWrite, request: Request, principal: PrincipalDep, gateway: GatewayDep, token: SessionTokenDep
) -> PasskeyAdded:
    """Put a passkey in use. Use the answer's token from then on."""
    act = gateway.act(principal, request_id=request.state.request_id)
    added = PasskeyService(gateway).add(
        act, token, Answer(body.challenge_id, body.credential), name=body.name, handed_code=body.enrolment_code or ""
    )
    return PasskeyAdded(passkey=_read(added.passkey), token=added.token)


@router.get("/passkeys", operation_id="list_passkeys", responses=problem_responses(400))
def list_passkeys(act: ActDep, gateway: GatewayDep, page: PageDep) -> Page[PasskeyRead]:
    """The person's own passkeys, newest first."""
    passkeys, cursor = PasskeyService(gateway).page(act, page)
    return Page(items=[_read(passkey) for passkey in passkeys], next_cursor=cursor)


@router.delete(
    "/passkeys/{passkey_id}", operation_id="delete_passkey", status_code=204, responses=problem_responses(409)
)
def delete_passkey(passkey_id: PasskeyId, act: ActDep, gateway: GatewayDep) -> None:
    """End a passkey at once; needs a fresh second factor, and another one to stay."""
    PasskeyService(gateway).remove(act, passkey_id)


@router.post(
    "/passkey-challenges",
    operation_id="create_passkey_challenge",
    status_code=201,
    responses=problem_responses(503),
    openapi_extra=OPEN,
)
def create_passkey_challenge(gateway: GatewayDep) -> PasskeyQuestion:
    """Begin signing in with a passkey alone."""
    return _question(PasskeyService(gateway).ask_sign_in())


@router.post(
    "/passkey-sessions",
    operation_id="create_passkey_session",
    status_code=201,
    responses=problem_responses(400, 429, 503),
    openapi_extra=OPEN | ANSWER_NOT_KEPT,
)
def create_passkey_session(body: PasskeySessionWrite, request: Request, gateway: GatewayDep) -> SessionRead:
    """Sign in with a passkey alone: it is both factors."""
    signed_in = PasskeyService(gateway).sign_in(
        Answer(body.challenge_id, body.credential),
        source=source_address(request),
        office_id=body.office_id,
        device=device_hint(request.headers.get("user-agent")),
    )
    return session_read(signed_in)


@router.post(
    "/sessions/current/passkey-challenges",
    operation_id="create_passkey_confirmation",
    status_code=201,
    responses=problem_responses(503),
)
def create_passkey_confirmation(principal: PrincipalDep, gateway: GatewayDep) -> PasskeyQuestion:
    """Begin confirming with a passkey."""
    return _question(PasskeyService(gateway).ask_confirmation(gateway.act(principal)))


@router.post(
    "/sessions/current/passkey-answers",
    operation_id="confirm_with_passkey",
    openapi_extra={**ANSWER_NOT_KEPT, "x-error-codes": ["person_required"]},
    responses=problem_responses(429, 503),
)
def confirm_with_passkey(
    body: PasskeyAnswer, request: Request, principal: PrincipalDep, gateway: GatewayDep, token: SessionTokenDep
) -> SessionRead:
    """Confirm with a passkey; decisions are possible for five minutes. Use the answer's token from then on."""
    renewed = PasskeyService(gateway).confirm(
        gateway.act(principal), token, Answer(body.challenge_id, body.credential), source=source_address(request)
    )
    return session_read_of(gateway, renewed)


def _question(question: Question) -> PasskeyQuestion:
    return PasskeyQuestion(challenge_id=question.challenge_id, options=question.options)


def _read(passkey: Passkey) -> PasskeyRead:
    return PasskeyRead(
        id=passkey.id,
        name=passkey.name,
        is_backed_up=passkey.is_backed_up,
        is_blocked=passkey.blocked_at is not None,
        created_at=passkey.created_at,
        last_used_at=passkey.last_used_at,
    )

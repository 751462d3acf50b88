"""REST: signing in, the second factor, who am I."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Request

from gateway.api import GatewayDep, PrincipalDep, problem_responses
from gateway.errors import SignInError
from gateway.identity.rights import PrincipalKind
from gateway.identity.schemas import (
    MeRead,
    SecondFactorWrite,
    SessionRead,
    SessionWrite,
)
from gateway.identity.service import SESSION_PREFIX, IdentityService
from gateway.ids import encode

router = APIRouter(prefix="/v1", tags=["identity"])

_KINDS = {PrincipalKind.USER: "user", PrincipalKind.MACHINE: "credential", PrincipalKind.APPLICATION: "application"}

PUBLIC_OPERATIONS = frozenset({"create_access_token", "create_session"})
"""Operations that need no sign-in; a test expects 401 from every other one."""


@router.post(
    "/sessions",
    operation_id="create_session",
    status_code=201,
    responses=problem_responses(400, 429),
    openapi_extra={"security": []},
)
def create_session(body: SessionWrite, request: Request, gateway: GatewayDep) -> SessionRead:
    """Sign in with e-mail address, password and, once set up, a code from the authenticator."""
    signed_in = IdentityService(gateway).sign_in(
        email=body.email,
        password=body.password,
        code=body.code,
        source=request.client.host if request.client else "",
        office_id=body.office_id,
    )
    return SessionRead(
        token=signed_in.token,
        user_id=signed_in.user.id,
        office_id=signed_in.principal.office_id,
        has_fresh_second_factor=signed_in.principal.second_factor_at is not None,
    )


@router.delete("/sessions/current", operation_id="end_session", status_code=204, responses=problem_responses())
def end_session(
    _principal: PrincipalDep,
    gateway: GatewayDep,
    authorization: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> None:
    """Sign out the session of the token."""
    IdentityService(gateway).sign_out(_session_token(authorization))


@router.post(
    "/sessions/current/second-factors",
    operation_id="confirm_second_factor",
    status_code=204,
    responses=problem_responses(409, 429),
)
def confirm_second_factor(
    body: SecondFactorWrite,
    _principal: PrincipalDep,
    gateway: GatewayDep,
    authorization: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> None:
    """Confirm with a code; decisions are possible for the next five minutes."""
    IdentityService(gateway).confirm_second_factor(_session_token(authorization), body.code)


@router.get("/me", operation_id="get_me", responses=problem_responses())
def get_me(principal: PrincipalDep) -> MeRead:
    """Who the caller is and what the caller may do."""
    return MeRead(
        kind=principal.kind,
        id=encode(_KINDS[principal.kind], principal.id),
        office_id=principal.office_id,
        language=principal.language if principal.is_person else None,  # type: ignore[arg-type]  # one of our four
        permissions=sorted(principal.office_permissions),
        client_permissions={
            encode("client", client_id): sorted(held) for client_id, held in principal.client_permissions.items()
        },
    )


def _session_token(authorization: str | None) -> str:
    token = (authorization or "").partition(" ")[2]
    if not token.startswith(SESSION_PREFIX):
        raise SignInError
    return token

"""REST: signing in, the second factor, who am I."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request

from gateway.api import ActDep, GatewayDep, PageDep, PrincipalDep, problem_responses, source_address
from gateway.assembly import Gateway
from gateway.errors import SignInError
from gateway.identity.devices import device_hint
from gateway.identity.rights import PersonRequired, PrincipalKind
from gateway.identity.schemas import (
    MeRead,
    OfficeListed,
    OfficeSwitch,
    OtherSessionsEnded,
    SecondFactorWrite,
    SessionListed,
    SessionRead,
    SessionWrite,
)
from gateway.identity.second_factor import SecondFactorService
from gateway.identity.service import IdentityService
from gateway.identity.sessions import SESSION_PREFIX, SessionService, SignedIn
from gateway.ids import SessionId, encode
from gateway.operations import ANSWER_NOT_KEPT
from gateway.pagination import Page
from gateway.recovery.codes import RecoveryCodeService

router = APIRouter(prefix="/v1", tags=["identity"])


_KINDS = {PrincipalKind.USER: "user", PrincipalKind.MACHINE: "credential", PrincipalKind.APPLICATION: "application"}


def session_token(authorization: Annotated[str | None, Header(include_in_schema=False)] = None) -> str:
    """The session's own token; operations that renew it are for the header, pages have their own way."""
    if authorization is None:
        raise SignInError
    token = authorization.partition(" ")[2]
    if not token.startswith(SESSION_PREFIX):
        raise PersonRequired
    return token


SessionTokenDep = Annotated[str, Depends(session_token)]

PUBLIC_OPERATIONS = frozenset(
    {
        "create_access_token",
        "create_passkey_challenge",
        "create_passkey_session",
        "create_password_reset",
        "answer_password_reset",
        "answer_email_change",
        "create_session",
    }
)
"""Operations that need no sign-in; a test expects 401 from every other one."""


@router.post(
    "/sessions",
    operation_id="create_session",
    status_code=201,
    responses=problem_responses(400, 429, 503),
    openapi_extra={"security": [], **ANSWER_NOT_KEPT},
)
def create_session(body: SessionWrite, request: Request, gateway: GatewayDep) -> SessionRead:
    """Sign in with e-mail address and password; with a code from the authenticator the session can act at once.

    Without a code the session can do nothing but give the second factor, or set one up when there is none yet.
    """
    signed_in = IdentityService(gateway).sign_in(
        email=body.email,
        password=body.password,
        code=body.code,
        source=source_address(request),
        office_id=body.office_id,
        device=device_hint(request.headers.get("user-agent")),
    )
    return session_read(signed_in)


@router.get("/sessions", operation_id="list_sessions", responses=problem_responses(400))
def list_sessions(act: ActDep, gateway: GatewayDep, page: PageDep) -> Page[SessionListed]:
    """The person's own sessions that are alive, newest first."""
    sessions, cursor = SessionService(gateway).page(act, page)
    shown = [
        SessionListed(
            id=found.id,
            office_id=found.office_id,
            device=found.device,
            sign_in_method=found.sign_in_method,  # type: ignore[arg-type]  # written by us, one of the three
            second_factor_method=found.second_factor_method,  # type: ignore[arg-type]  # likewise one of the four
            created_at=found.created_at,
            last_seen_at=found.last_seen_at,
            is_current=found.id == act.principal.session_id,
        )
        for found in sessions
    ]
    return Page(items=shown, next_cursor=cursor)


@router.delete("/sessions/current", operation_id="end_session", status_code=204, responses=problem_responses())
def end_session(principal: PrincipalDep, gateway: GatewayDep, token: SessionTokenDep) -> None:
    """Sign out the session of the token."""
    principal.require_here()
    SessionService(gateway).sign_out(token)


@router.delete("/sessions/others", operation_id="end_other_sessions", responses=problem_responses())
def end_other_sessions(act: ActDep, gateway: GatewayDep) -> OtherSessionsEnded:
    """Sign out everywhere else."""
    return OtherSessionsEnded(ended=SessionService(gateway).end_others(act))


@router.delete("/sessions/{session_id}", operation_id="end_one_session", status_code=204, responses=problem_responses())
def end_one_session(session_id: SessionId, act: ActDep, gateway: GatewayDep) -> None:
    """End one of the person's own sessions at once."""
    SessionService(gateway).end(act, session_id)


@router.post(
    "/sessions/current/second-factors",
    operation_id="confirm_second_factor",
    openapi_extra=ANSWER_NOT_KEPT,
    responses=problem_responses(409, 429),
)
def confirm_second_factor(
    body: SecondFactorWrite, request: Request, principal: PrincipalDep, gateway: GatewayDep, token: SessionTokenDep
) -> SessionRead:
    """Confirm with a code; decisions are possible for five minutes. Use the answer's token from then on."""
    principal.require_here()
    if body.code is not None:
        renewed = SecondFactorService(gateway).confirm_code(token, body.code, source=source_address(request))
    else:
        assert body.recovery_code is not None, "the shape asks for one of the two"
        renewed = RecoveryCodeService(gateway).confirm(token, body.recovery_code, source=source_address(request))
    return session_read_of(gateway, renewed)


@router.post(
    "/sessions/current/offices",
    operation_id="switch_office",
    openapi_extra=ANSWER_NOT_KEPT,
    responses=problem_responses(),
)
def switch_office(body: OfficeSwitch, act: ActDep, gateway: GatewayDep, token: SessionTokenDep) -> SessionRead:
    """Go on in another of the person's offices; the old token ends, use the answer's from then on."""
    return session_read(SessionService(gateway).switch_office(act, token, body.office_id))


@router.get("/me", operation_id="get_me", responses=problem_responses())
def get_me(principal: PrincipalDep, gateway: GatewayDep) -> MeRead:
    """Who the caller is, what the caller may do, and in which offices."""
    offices = SessionService(gateway).offices(gateway.act(principal)) if principal.session_id is not None else []
    return MeRead(
        kind=principal.kind,
        id=encode(_KINDS[principal.kind], principal.id),
        office_id=principal.office_id,
        language=principal.language if principal.is_person else None,  # type: ignore[arg-type]  # one of our four
        offices=[OfficeListed(id=office.id, name=office.name) for office in offices],
        permissions=sorted(principal.office_permissions),
        client_permissions={
            encode("client", client_id): sorted(held) for client_id, held in principal.client_permissions.items()
        },
    )


def session_read(signed_in: SignedIn) -> SessionRead:
    """A fresh session with its token."""
    principal = signed_in.principal
    assert principal.session_id is not None, "a person acts in a session"
    return SessionRead(
        id=principal.session_id,
        token=signed_in.token,
        user_id=signed_in.user.id,
        office_id=principal.office_id,
        has_fresh_second_factor=principal.second_factor_at is not None,
    )


def session_read_of(gateway: Gateway, token: str) -> SessionRead:
    """A session that goes on, with the token to use from now on."""
    principal, found = SessionService(gateway).principal(token)
    return SessionRead(
        id=found.id,
        token=token,
        user_id=principal.id,
        office_id=principal.office_id,
        has_fresh_second_factor=principal.second_factor_at is not None,
    )

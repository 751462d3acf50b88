"""My security: what one signs in with, and where one is signed in (SEC-01, SEC-02, SEC-13, SEC-14)."""

from __future__ import annotations

import json
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from gateway.api import GatewayDep, source_address
from gateway.assembly import Gateway
from gateway.errors import GatewayError
from gateway.identity.enrolment import needs_code
from gateway.identity.errors import EnrolmentCodeWrong, PasswordWeak, SignInBusy
from gateway.identity.sessions import SINGLE_SIGN_ON, SessionService
from gateway.ids import OidcProviderId, PasskeyId, SessionId, encode
from gateway.pagination import PageRequest
from gateway.passkeys.errors import PasskeyRefused
from gateway.passkeys.service import PasskeyService
from gateway.recovery.address import AddressService
from gateway.recovery.codes import RecoveryCodeService
from gateway.recovery.errors import PasswordWrong
from gateway.recovery.password import PasswordService
from gateway.single_sign_on.service import SingleSignOnService
from gateway.web import security
from gateway.web.passkey_forms import NAME_LENGTH_MAX, answer_of
from gateway.web.rendering import page, see_other
from gateway.web.routing import page_router
from gateway.web.security import (
    EnrollingDep,
    EnrollingFormDep,
    FormDep,
    PostedDep,
    Visit,
    VisitDep,
    renewed_visit,
    text_of,
)

router = page_router()
SESSIONS_SHOWN = 50


@router.get("/security")
def overview(request: Request, gateway: GatewayDep, visit: VisitDep) -> Response:
    """Passkeys, recovery codes, sessions, password, address."""
    return _overview(request, gateway, visit)


@router.post("/security/password")
def change_password(request: Request, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """A new password; other sessions end."""
    try:
        PasswordService(gateway).change(
            visit.act, present=str(form.get("current_password") or ""), password=str(form.get("password") or ""),
            source=source_address(request),
        )  # fmt: skip
    except (PasswordWrong, PasswordWeak, SignInBusy) as error:
        return _overview(request, gateway, visit, error=error)
    return _overview(request, gateway, visit, done="password")


@router.post("/security/address")
def change_address(request: Request, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """Both addresses get a link."""
    AddressService(gateway).ask(visit.act, text_of(form, "email"))
    return _overview(request, gateway, visit, done="address")


@router.post("/security/recovery-codes")
def recovery_codes(request: Request, gateway: GatewayDep, visit: PostedDep) -> Response:
    """Ten new codes, shown this once."""
    return page(request, "recovery_codes.html", codes=RecoveryCodeService(gateway).renew(visit.act))


@router.post("/security/sessions/others/end")
def end_others(request: Request, gateway: GatewayDep, visit: PostedDep) -> Response:
    """Sign out everywhere else."""
    SessionService(gateway).end_others(visit.act)
    return see_other(request, "/security")


@router.post("/security/sessions/{session_id}/end")
def end_session(request: Request, gateway: GatewayDep, visit: PostedDep, session_id: SessionId) -> Response:
    """Sign out in one place."""
    SessionService(gateway).end(visit.act, session_id)
    return see_other(request, "/security")


@router.get("/security/passkeys/new")
def new_passkey(request: Request, gateway: GatewayDep, visit: EnrollingDep) -> Response:
    """A name for the passkey, and the question for the authenticator; the first one needs no second factor yet."""
    return _new_passkey(request, gateway, visit, None)


@router.post("/security/passkeys/new")
def add_passkey(request: Request, gateway: GatewayDep, visit: EnrollingFormDep, form: FormDep) -> Response:
    """Put it in use."""
    answer = answer_of(form)
    name = text_of(form, "name")[:NAME_LENGTH_MAX] or "Passkey"
    try:
        if answer is None:
            raise PasskeyRefused
        added = PasskeyService(gateway).add(
            visit.act, visit.token, answer, name=name, handed_code=text_of(form, "enrolment_code").replace(" ", "")
        )
    except (PasskeyRefused, EnrolmentCodeWrong) as error:
        return _new_passkey(request, gateway, visit, error)
    if added.token != visit.token:
        renewed_visit(request, gateway, added.token)
    return see_other(request, "/security")


@router.post("/security/passkeys/{passkey_id}/remove")
def remove_passkey(request: Request, gateway: GatewayDep, visit: PostedDep, passkey_id: PasskeyId) -> Response:
    """End a passkey."""
    PasskeyService(gateway).remove(visit.act, passkey_id)
    return see_other(request, "/security")


@router.post("/security/sign-on/{provider_id}/link")
def link_account(request: Request, gateway: GatewayDep, visit: PostedDep, provider_id: OidcProviderId) -> Response:
    """The address of the provider, to go on to: the policy lets no form leave our pages."""
    browser = security.open_form_token(request)
    address = SingleSignOnService(gateway).begin_link(visit.act, provider_id, browser=browser, next_path="/security")
    response = page(request, "sign_on_leave.html", address=address)
    security.set_form_cookie(request, response, browser)
    return response


@router.post("/security/sign-on/{provider_id}/unlink")
def unlink_account(request: Request, gateway: GatewayDep, visit: PostedDep, provider_id: OidcProviderId) -> Response:
    """The account opens nothing here any more."""
    SingleSignOnService(gateway).unlink(visit.act, provider_id)
    return see_other(request, "/security")


def _overview(
    request: Request, gateway: Gateway, visit: Visit, *, error: GatewayError | None = None, done: str = ""
) -> Response:
    act = visit.act
    sign_on = SingleSignOnService(gateway)
    sessions, _ = SessionService(gateway).page(act, PageRequest(SESSIONS_SHOWN, None))
    return page(
        request,
        "security.html",
        status=error.http_status if error is not None else 200,
        error=error,
        done=done,
        factors=RecoveryCodeService(gateway).overview(act),
        passkeys=PasskeyService(gateway).passkeys(act),
        has_passkeys=PasskeyService(gateway).is_available(),
        sessions=sessions,
        current=act.principal.session_id,
        providers=sign_on.offered(act.office_id),
        linked={link.provider_id for link in sign_on.links(act)},
        office_address=f"{gateway.settings.base_url.rstrip('/')}/sign-in/{encode('office', act.office_id)}",
        is_own_sign_in=act.principal.sign_in_method != SINGLE_SIGN_ON,
    )


def _new_passkey(request: Request, gateway: Gateway, visit: Visit, error: GatewayError | None) -> Response:
    question: Any = PasskeyService(gateway).ask_registration(visit.act)
    with gateway.database.unit_of_work(None) as session:
        is_code_needed = needs_code(session, visit.user)
    return page(
        request,
        "passkey_new.html",
        status=error.http_status if error is not None else 200,
        error=error,
        challenge_id=question.challenge_id,
        options=json.dumps(question.options),
        needs_code=is_code_needed,
    )

"""Signing in and out, the second factor, and its first set-up (SEC-01, 02, 13)."""

from __future__ import annotations

import json
from typing import Final
from urllib.parse import quote
from uuid import UUID

from fastapi import Request
from fastapi.responses import Response

from gateway.api import GatewayDep, source_address
from gateway.assembly import Gateway
from gateway.cookies import FORM, OFFICE, SESSION, cookie, forget_cookie, set_cookie
from gateway.errors import GatewayError
from gateway.identity.devices import device_hint
from gateway.identity.enrolment import needs_code
from gateway.identity.errors import EnrolmentCodeWrong, OfficeRequired, SignInBusy, SignInDelayed, SignInRefused
from gateway.identity.repository import IdentityRepository
from gateway.identity.second_factor import SecondFactorService, provisioning_uri
from gateway.identity.service import IdentityService
from gateway.identity.sessions import require_own_sign_in
from gateway.ids import OfficeIdField, decode, encode
from gateway.offices.models import Office
from gateway.offices.repository import OfficeRepository
from gateway.passkeys.errors import PasskeyRefused
from gateway.passkeys.service import PasskeyService
from gateway.single_sign_on.service import SingleSignOnService
from gateway.web import security
from gateway.web.passkey_forms import PasskeyShown, answer_of
from gateway.web.qr import qr_code
from gateway.web.rendering import page, see_other
from gateway.web.routing import is_sign_in, page_router, passkey_question
from gateway.web.security import EnrollingDep, EnrollingFormDep, FormDep, PostedDep, Visit, safe_next, text_of

router = page_router()


OFFICE_COOKIE_SECONDS: Final = 365 * 24 * 3600


@router.get("/sign-in")
def sign_in_form(request: Request, next: str = "/") -> Response:  # noqa: A002  # the name people see in the address
    """E-mail address, password and code; and the providers of the office whose address this browser opened before."""
    return _form(request, next=safe_next(next))


@router.post("/sign-in")
def sign_in(request: Request, gateway: GatewayDep, form: FormDep) -> Response:
    """Open a session and go on to where the person wanted to be."""
    security.require_open_form(request, gateway, form)
    wanted, email = safe_next(text_of(form, "next")), text_of(form, "email")
    try:
        signed_in = IdentityService(gateway).sign_in(
            email=email,
            password=str(form.get("password") or ""),
            code=text_of(form, "code").replace(" ", "") or None,
            source=source_address(request),
            device=device_hint(request.headers.get("user-agent")),
            office_id=_office_id(text_of(form, "office")),
        )
    except (SignInRefused, SignInDelayed, SignInBusy) as error:
        return _form(request, next=wanted, email=email, error=error)
    except OfficeRequired as error:
        # Password and code were right; neither is kept, so both are asked once more together with the office.
        return _form(request, next=wanted, email=email, error=error, offices=_offices(gateway, email))
    is_complete = signed_in.principal.second_factor_at is not None
    response = see_other(request, wanted if is_complete else f"/second-factor?next={quote(wanted)}")
    security.set_session_cookie(request, response, signed_in.token)
    return response


@router.get("/sign-in/passkey")
def sign_in_passkey_form(request: Request, gateway: GatewayDep, next: str = "/") -> Response:  # noqa: A002  # as above
    """The question to whichever passkey the person picks."""
    return _passkey_form(request, gateway, next=safe_next(next))


@router.post("/sign-in/passkey")
def sign_in_passkey(request: Request, gateway: GatewayDep, form: FormDep) -> Response:
    """Open a session with both factors."""
    security.require_open_form(request, gateway, form)
    wanted, answer = safe_next(text_of(form, "next")), answer_of(form)
    try:
        if answer is None:
            raise PasskeyRefused
        signed_in = PasskeyService(gateway).sign_in(
            answer,
            source=source_address(request),
            office_id=_office_id(text_of(form, "office")),
            device=device_hint(request.headers.get("user-agent")),
            browser=cookie(request, FORM) or "",
        )
    except (PasskeyRefused, SignInDelayed, OfficeRequired) as error:
        return _passkey_form(request, gateway, next=wanted, error=error)
    response = see_other(request, wanted)
    security.set_session_cookie(request, response, signed_in.token)
    return response


@router.get("/sign-in/{office_id}")
def sign_in_of_office(
    request: Request,
    office_id: OfficeIdField,
    next: str = "/",  # noqa: A002  # as above
) -> Response:
    """An office's own address for its people: the same page, with the office's own ways to sign in (SEC-14).

    An office that is not there looks like one without a provider, and is remembered by the browser all the same.
    """
    response = _form(request, next=safe_next(next), office_id=office_id)
    set_cookie(request, response, OFFICE, encode("office", office_id), seconds=OFFICE_COOKIE_SECONDS)
    return response


@router.post("/sign-out")
def sign_out(request: Request, gateway: GatewayDep, visit: EnrollingFormDep) -> Response:
    """End the session on the server and forget the cookie."""
    IdentityService(gateway).sign_out(visit.token)
    response = see_other(request, "/sign-in")
    forget_cookie(request, response, SESSION)
    return response


@router.get("/second-factor")
def second_factor_form(request: Request, visit: EnrollingDep, next: str = "/") -> Response:  # noqa: A002  # as above
    """Ask for a code: to complete a sign-in, or before something that needs a fresh one."""
    if not visit.has_second_factor:
        security.require_second_factor(visit)
        return see_other(request, "/")
    fields = [("next", safe_next(next))]
    return page(
        request,
        "second_factor.html",
        action="/second-factor",
        fields=fields,
        error=None,
        back="/",
        is_sign_in=is_sign_in(request),
        passkey=passkey_question(request),
    )


@router.post("/second-factor")
def second_factor(request: Request, _visit: PostedDep, form: FormDep) -> Response:
    """The code was checked with the form; go back to where one was."""
    return see_other(request, safe_next(text_of(form, "next")))


@router.get("/second-factor/set-up")
def set_up_form(request: Request, gateway: GatewayDep, visit: EnrollingDep) -> Response:
    """What will happen; the secret is made by the next step."""
    require_own_sign_in(visit.act)
    if visit.has_second_factor:
        return see_other(request, "/")
    return page(request, "set_up.html", qr=None, secret=None, error=None, needs_code=_needs_code(gateway, visit))


@router.post("/second-factor/set-up")
def set_up(request: Request, gateway: GatewayDep, visit: EnrollingFormDep) -> Response:
    """A new secret, shown this once."""
    require_own_sign_in(visit.act)
    identity = IdentityService(gateway)
    secret = identity.enrol_second_factor(visit.user.id)
    address = provisioning_uri(visit.user, secret)
    return page(
        request, "set_up.html", qr=qr_code(address), secret=secret, error=None, needs_code=_needs_code(gateway, visit)
    )


@router.post("/second-factor/confirmation")
def confirm_set_up(request: Request, gateway: GatewayDep, visit: EnrollingFormDep, form: FormDep) -> Response:
    """Put the authenticator in use; its first code counts as a fresh second factor too."""
    require_own_sign_in(visit.act)
    code, handed = (text_of(form, name).replace(" ", "") for name in ("code", "enrolment_code"))
    try:
        token = SecondFactorService(gateway).begin_with_own(visit.token, visit.user.id, code, handed_code=handed)
    except (SignInRefused, EnrolmentCodeWrong) as error:
        return page(
            request, "set_up.html", status=422, qr=None, secret="", error=error, needs_code=_needs_code(gateway, visit)
        )
    security.renewed_visit(request, gateway, token)
    return see_other(request, "/")


def _needs_code(gateway: Gateway, visit: Visit) -> bool:
    with gateway.database.unit_of_work(None) as session:
        return needs_code(session, visit.user)


def _form(
    request: Request,
    *,
    next: str,  # noqa: A002  # as the field is called
    email: str = "",
    error: GatewayError | None = None,
    offices: list[Office] | None = None,
    office_id: UUID | None = None,
) -> Response:
    token = security.open_form_token(request)
    gateway: Gateway = request.app.state.gateway
    office_id = office_id or _remembered(request)
    response = page(
        request,
        "sign_in.html",
        status=error.http_status if error is not None else 200,
        form_token=token,
        next=next,
        email=email,
        error=error,
        offices=offices or [],
        has_passkeys=PasskeyService(gateway).is_available(),
        providers=SingleSignOnService(gateway).offered(office_id) if office_id is not None else [],
    )
    security.set_form_cookie(request, response, token)
    return response


def _passkey_form(
    request: Request,
    gateway: Gateway,
    *,
    next: str,  # noqa: A002  # as the field is called
    error: GatewayError | None = None,
) -> Response:
    token = security.open_form_token(request)
    question = PasskeyService(gateway).ask_sign_in(browser=token)
    response = page(
        request,
        "sign_in_passkey.html",
        status=error.http_status if error is not None else 200,
        form_token=token,
        fields=[("next", next)],
        error=error,
        passkey=PasskeyShown(question.challenge_id, json.dumps(question.options)),
    )
    security.set_form_cookie(request, response, token)
    return response


def _offices(gateway: Gateway, email: str) -> list[Office]:
    """The offices of a person who has just proven to be that person."""
    with gateway.database.unit_of_work(None) as session:
        user = IdentityRepository(session).user_by_email(email.lower())
        assert user is not None, "the sign-in found this user"
        ids = sorted({membership.office_id for membership in IdentityRepository(session).memberships(user.id)})
        offices = [OfficeRepository(session).get(office_id) for office_id in ids]
    return [office for office in offices if office is not None]


def _remembered(request: Request) -> UUID | None:
    try:
        return decode("office", cookie(request, OFFICE) or "")
    except ValueError:
        return None


def _office_id(text: str) -> UUID | None:
    try:
        return decode("office", text) if text else None
    except ValueError:
        raise SignInRefused from None

"""Who looks at a page, and whether a form really comes from it.

A signed-in form carries the session's form token; a form before sign-in repeats a token from a cookie (double submit).
Both must also come from our own pages by `Origin` or `Sec-Fetch-Site`. A form that holds a second-factor code
freshens the second factor before anything else happens.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Request, Response
from starlette.datastructures import FormData

from gateway.act import Act
from gateway.api import GatewayDep, is_same_origin, psu_of, source_address
from gateway.assembly import Gateway
from gateway.audit.looks import record_look
from gateway.cookies import FORM, SESSION, cookie, set_cookie
from gateway.errors import GatewayError, RightsError, SignInError
from gateway.identity.models import User
from gateway.identity.repository import IdentityRepository
from gateway.identity.rights import SECOND_FACTOR_LIFE, Permission, SecondFactorRequired
from gateway.identity.service import IdentityService
from gateway.machines.limits import limit_request
from gateway.offices.logos import logo_address
from gateway.offices.models import Office
from gateway.offices.repository import OfficeRepository
from gateway.offices.services import SERVICE_OF
from gateway.passkeys.service import PasskeyService
from gateway.recovery.codes import LENGTH as RECOVERY_CODE_LENGTH
from gateway.recovery.codes import RecoveryCodeService
from gateway.signed_decisions.service import SignedDecisionService
from gateway.web.passkey_forms import SIGNATURE_FIELD, answer_of

FORM_FIELD: Final = "form_token"
CODE_FIELD: Final = "second_factor_code"
FORM_FILES_MAX: Final = 501
"""One more than any page takes, so that the page can say how many it takes."""
FORM_FIELDS_MAX: Final = 3000
"""500 payments with their seals in one bulk decision, and room to spare."""


class FormRefused(RightsError):
    """The form does not come from a page we gave this person."""

    code = "form_refused"
    title = "This form cannot be accepted"
    detail = "It was opened in another session, or it does not come from this website."
    hint = "Open the page again and fill in the form anew; nothing was changed."


class EnrolmentRequired(GatewayError):
    """Signed in, but no second factor is set up; every page leads to the set-up first."""

    code = "second_factor_enrolment_required"
    http_status = 403
    title = "Set up your second factor first"
    hint = "Open the set-up page and link an authenticator."


@dataclass(frozen=True, slots=True)
class Visit:
    """A signed-in person at a page."""

    act: Act
    token: str
    form_token: str
    user: User
    office: Office
    has_second_factor: bool
    """Set up and in use; whether it was given in this session says the principal."""
    logo: str | None = None
    """Address of the office's picture."""

    @property
    def name(self) -> str:
        """Shown in the corner of every page."""
        return f"{self.user.first_name} {self.user.last_name}"

    @property
    def has_fresh_second_factor(self) -> bool:
        """Whether a decision goes through without another code."""
        at = self.act.principal.second_factor_at
        return at is not None and self.act.real_now - at <= SECOND_FACTOR_LIFE

    def may(self, permission: str, client_id: UUID | None = None) -> bool:
        """For templates: show a button or not, never one of a service that is off for the office."""
        service = SERVICE_OF.get(Permission(permission))
        if service is not None and service not in self.office.services:
            return False
        return self.act.principal.allows(Permission(permission), client_id)


async def read_form(request: Request) -> FormData:
    """The posted fields; kept on the request, since a refused form is offered again with its fields."""
    form = await request.form(max_files=FORM_FILES_MAX, max_fields=FORM_FIELDS_MAX)
    request.state.form = form
    return form


FormDep = Annotated[FormData, Depends(read_form)]


def visit_of(request: Request, gateway: Gateway, token: str | None) -> Visit:
    """The visit behind a session cookie; raises `SignInError`."""
    if not token:
        raise SignInError
    principal, session = IdentityService(gateway).principal_of_session(token)
    limit_request(request, principal)
    request.state.language = principal.language
    with gateway.database.unit_of_work(principal.office_id) as unit:
        user = IdentityRepository(unit).user(principal.id)
        logo = logo_address(unit, principal.office_id)
        office = OfficeRepository(unit).get(principal.office_id)
        has_second_factor = user is not None and IdentityRepository(unit).has_second_factor(user)
    assert user is not None, "a session belongs to a user who exists"
    assert office is not None, "a session belongs to an office that exists"
    act = gateway.act(principal, request_id=request.state.request_id, psu=psu_of(request))
    visit = Visit(act, token, session.form_token, user, office, has_second_factor, logo)
    request.state.visit = visit
    record_look(gateway, act, request)
    return visit


def enrolling_visit(request: Request, gateway: GatewayDep) -> Visit:
    """A signed-in person, second factor set up or not: for the set-up page and signing out."""
    return visit_of(request, gateway, cookie(request, SESSION))


def current_visit(visit: Annotated[Visit, Depends(enrolling_visit)]) -> Visit:
    """A signed-in person who gave the second factor (SEC-01)."""
    require_second_factor(visit)
    return visit


def require_second_factor(visit: Visit) -> None:
    """Raise `EnrolmentRequired` or `SecondFactorRequired` for a session that only a password opened."""
    if visit.act.principal.second_factor_at is None:
        raise SecondFactorRequired if visit.has_second_factor else EnrolmentRequired


def checked_form(
    request: Request, gateway: GatewayDep, visit: Annotated[Visit, Depends(enrolling_visit)], form: FormDep
) -> Visit:
    """The visit behind a form that carries its token and comes from our own page."""
    given = text_of(form, FORM_FIELD)
    if not secrets.compare_digest(given.encode(), visit.form_token.encode()) or not is_own_page(request, gateway):
        raise FormRefused
    return visit


def posted_visit(
    request: Request, gateway: GatewayDep, visit: Annotated[Visit, Depends(checked_form)], form: FormDep
) -> Visit:
    """A signed-in person's accepted form; a code in it freshens the second factor first."""
    code, answer, source = text_of(form, CODE_FIELD).replace(" ", ""), answer_of(form), source_address(request)
    if (not code and answer is None) or not visit.has_second_factor:
        require_second_factor(visit)
        return visit
    if answer is not None and text_of(form, SIGNATURE_FIELD):
        token = SignedDecisionService(gateway).sign_here(visit.act, visit.token, answer, source=source)
    elif answer is not None:
        token = PasskeyService(gateway).confirm(visit.act, visit.token, answer, source=source)
    elif len(code) >= RECOVERY_CODE_LENGTH:
        token = RecoveryCodeService(gateway).confirm(visit.token, code, source=source)
    else:
        token = IdentityService(gateway).confirm_second_factor(visit.token, code, source=source)
    return renewed_visit(request, gateway, token)


def renewed_visit(request: Request, gateway: Gateway, token: str) -> Visit:
    """The visit goes on with this token; the route gives it to the browser with whatever it answers."""
    request.state.renewed_token = token
    return visit_of(request, gateway, token)


VisitDep = Annotated[Visit, Depends(current_visit)]
EnrollingDep = Annotated[Visit, Depends(enrolling_visit)]
EnrollingFormDep = Annotated[Visit, Depends(checked_form)]
PostedDep = Annotated[Visit, Depends(posted_visit)]


def is_own_page(request: Request, gateway: Gateway) -> bool:
    """As `gateway.api.is_same_origin`; a page without referrer sends `Origin: null`, then Sec-Fetch-Site decides."""
    if request.headers.get("origin") == "null":
        return request.headers.get("sec-fetch-site") == "same-origin"
    return is_same_origin(request, gateway)


def text_of(form: FormData, name: str) -> str:
    """One text field, "" when absent."""
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


# Forms before sign-in --------------------------------------------------------------------------------------------


def open_form_token(request: Request) -> str:
    """The token of the double-submit cookie; a new one when this browser has none."""
    return cookie(request, FORM) or secrets.token_urlsafe(32)


def set_form_cookie(request: Request, response: Response, token: str) -> None:
    """Give the browser its half of the double submit."""
    set_cookie(request, response, FORM, token)


def require_open_form(request: Request, gateway: Gateway, form: FormData) -> None:
    """Raise `FormRefused` unless form and cookie carry the same token and the form comes from our own page."""
    held, given = (cookie(request, FORM) or ""), text_of(form, FORM_FIELD)
    if not held or not secrets.compare_digest(held.encode(), given.encode()) or not is_own_page(request, gateway):
        raise FormRefused


def set_session_cookie(request: Request, response: Response, token: str) -> None:
    """The session ends on the server; the cookie ends with the browser."""
    set_cookie(request, response, SESSION, token)


def safe_next(text: str | None) -> str:
    """A path of our own to go on to, else the start page: never another host."""
    if text and text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable() and "\\" not in text:
        return text
    return "/"

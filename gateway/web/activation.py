"""Pages behind the link of an invitation: set password and authenticator, or sign in and accept (OFF-07, SEC-13)."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.api import GatewayDep
from gateway.cookies import SESSION, cookie
from gateway.errors import GatewayError, InputError, SignInError
from gateway.people.activation import ActivationService, ActivationView, Enrolment
from gateway.people.errors import ActivationCodeWrong
from gateway.people.invitations import PATH
from gateway.web import security
from gateway.web.link import LinkRoute
from gateway.web.qr import qr_code
from gateway.web.rendering import page, see_other
from gateway.web.security import FormDep, PostedDep, Visit, text_of, visit_of

router = APIRouter(route_class=LinkRoute, include_in_schema=False)


@router.get("/invitations/{token}")
def look(request: Request, token: str, gateway: GatewayDep) -> Response:
    """Who invites to what, and the next step."""
    return _show(request, gateway, token, _view(request, gateway, token))


@router.post("/invitations/{token}")
def begin(request: Request, token: str, gateway: GatewayDep, form: FormDep) -> Response:
    """A new person's password, with the code that was handed over; the authenticator comes next."""
    view = _view(request, gateway, token)
    security.require_open_form(request, gateway, form)
    password, code = text_of(form, "password"), text_of(form, "code").replace(" ", "")
    try:
        if password != text_of(form, "password_again"):
            raise PasswordsDiffer
        enrolment = ActivationService(gateway).begin(token, password=password, code=code)
    except InputError as error:
        return _show(request, gateway, token, _view(request, gateway, token), error=error)
    return see_other(request, "/sign-in") if enrolment is None else _authenticator(request, token, view, enrolment)


@router.post("/invitations/{token}/authenticator")
def finish(request: Request, token: str, gateway: GatewayDep, form: FormDep) -> Response:
    """The first code of the authenticator; from now on the person signs in with it."""
    view = _view(request, gateway, token)
    security.require_open_form(request, gateway, form)
    try:
        ActivationService(gateway).finish(token, code=text_of(form, "code").replace(" ", ""))
    except ActivationCodeWrong as error:
        _view(request, gateway, token)
        return _authenticator(request, token, view, None, error=error)
    return see_other(request, "/sign-in")


@router.post("/invitations/{token}/acceptance")
def accept(request: Request, token: str, gateway: GatewayDep, visit: PostedDep) -> Response:
    """An existing person, signed in, takes the roles."""
    _view(request, gateway, token)
    ActivationService(gateway).accept(visit.act, token)
    return see_other(request, "/")


class PasswordsDiffer(InputError):
    """Typed twice, two different ones."""

    code = "passwords_differ"
    title = "The two passwords are not the same"
    hint = "Type the same password twice."


def _view(request: Request, gateway: GatewayDep, token: str) -> ActivationView:
    view = ActivationService(gateway).look(token)
    request.state.preferred_language = view.language
    return view


def _show(
    request: Request, gateway: GatewayDep, token: str, view: ActivationView, *, error: GatewayError | None = None
) -> Response:
    visit: Visit | None = None
    if view.must_sign_in:
        try:
            visit = visit_of(request, gateway, cookie(request, SESSION))
        except SignInError:
            visit = None
    form_token = security.open_form_token(request)
    response = page(
        request,
        "activation.html",
        status=error.http_status if error is not None else 200,
        link=view,
        path=f"{PATH}{token}",
        form_token=form_token,
        error=error,
        person=visit,
        is_invited=visit is not None and visit.user.email == view.email,
    )
    security.set_form_cookie(request, response, form_token)
    return response


def _authenticator(
    request: Request,
    token: str,
    view: ActivationView,
    enrolment: Enrolment | None,
    *,
    error: GatewayError | None = None,
) -> Response:
    form_token = security.open_form_token(request)
    response = page(
        request,
        "activation_authenticator.html",
        status=error.http_status if error is not None else 200,
        link=view,
        path=f"{PATH}{token}",
        form_token=form_token,
        error=error,
        qr=qr_code(enrolment.uri) if enrolment is not None else None,
        secret=enrolment.secret if enrolment is not None else None,
    )
    security.set_form_cookie(request, response, form_token)
    return response

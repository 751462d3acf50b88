"""A forgotten password and another address, by mailed links (SEC-13). Opening a link changes nothing: a button does."""

from __future__ import annotations

from fastapi import BackgroundTasks, Request
from fastapi.responses import Response

from gateway.api import GatewayDep, source_address
from gateway.assembly import Gateway
from gateway.errors import GatewayError
from gateway.identity.errors import PasswordWeak, SignInBusy, SignInDelayed
from gateway.recovery.address import AddressService
from gateway.recovery.errors import LinkNotValid
from gateway.recovery.password import PasswordService
from gateway.web import security
from gateway.web.rendering import page
from gateway.web.routing import page_router
from gateway.web.security import FormDep, text_of

router = page_router()


@router.get("/forgot-password")
def forgot(request: Request) -> Response:
    """Ask for the address."""
    return _page(request, "forgot_password.html", is_sent=False)


@router.post("/forgot-password")
def send_link(request: Request, gateway: GatewayDep, form: FormDep, background: BackgroundTasks) -> Response:
    """The same answer whoever the address belongs to; the mail is written after it."""
    security.require_open_form(request, gateway, form)
    service = PasswordService(gateway)
    try:
        service.admit(source=source_address(request))
    except SignInDelayed as error:
        return _page(request, "forgot_password.html", error=error, is_sent=False)
    background.add_task(service.mail_link, text_of(form, "email"))
    response = _page(request, "forgot_password.html", is_sent=True)
    response.background = background
    return response


@router.get("/new-password/{token}")
def new_password_form(request: Request, gateway: GatewayDep, token: str) -> Response:
    """Choose a new password, when the link still works."""
    return _new_password(request, gateway, token, None)


@router.post("/new-password/{token}")
def new_password(request: Request, gateway: GatewayDep, token: str, form: FormDep) -> Response:
    """Set it; all sessions end."""
    security.require_open_form(request, gateway, form)
    try:
        PasswordService(gateway).reset(token, str(form.get("password") or ""))
    except (PasswordWeak, SignInBusy) as error:
        return _new_password(request, gateway, token, error)
    return _page(request, "new_password.html", is_done=True)


@router.get("/confirm-address/{token}")
def confirm_address_form(request: Request, gateway: GatewayDep, token: str) -> Response:
    """One of the two addresses is asked to agree."""
    if not AddressService(gateway).is_open(token):
        raise LinkNotValid
    return _page(request, "confirm_address.html", is_complete=None)


@router.post("/confirm-address/{token}")
def confirm_address(request: Request, gateway: GatewayDep, token: str, form: FormDep) -> Response:
    """It agrees."""
    security.require_open_form(request, gateway, form)
    return _page(request, "confirm_address.html", is_complete=AddressService(gateway).confirm(token))


def _new_password(request: Request, gateway: Gateway, token: str, error: GatewayError | None) -> Response:
    if not PasswordService(gateway).is_open(token):
        raise LinkNotValid
    return _page(request, "new_password.html", error=error, is_done=False)


def _page(request: Request, template: str, *, error: GatewayError | None = None, **values: object) -> Response:
    token = security.open_form_token(request)
    status = error.http_status if error is not None else 200
    response = page(request, template, status=status, form_token=token, error=error, **values)
    security.set_form_cookie(request, response, token)
    return response

"""The way to an office's identity provider and back (SEC-14)."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from gateway.api import GatewayDep
from gateway.cookies import FORM, SESSION, cookie
from gateway.errors import SignInError
from gateway.identity.devices import device_hint
from gateway.ids import OfficeIdField, OidcProviderId
from gateway.single_sign_on.service import SingleSignOnService
from gateway.web import security
from gateway.web.rendering import see_other
from gateway.web.routing import page_router
from gateway.web.security import safe_next

router = page_router()


@router.get("/single-sign-on/return")
def come_back(
    request: Request, gateway: GatewayDep, state: str = "", code: str = "", iss: str | None = None
) -> Response:
    """Back from the provider: open a session, or link the account to the one that asked."""
    try:
        visit = security.visit_of(request, gateway, cookie(request, SESSION))
    except SignInError:
        visit = None
    returned = SingleSignOnService(gateway).finish(
        state=state[:200],
        code=code[:2000],
        issuer=iss,
        browser=cookie(request, FORM) or "",
        act=visit.act if visit is not None else None,
        device=device_hint(request.headers.get("user-agent")),
    )
    wanted = safe_next(returned.next_path)
    if returned.signed_in is None:
        return see_other(request, wanted)
    is_complete = returned.signed_in.principal.second_factor_at is not None
    response = see_other(request, wanted if is_complete else f"/second-factor?next={quote(wanted)}")
    security.set_session_cookie(request, response, returned.signed_in.token)
    return response


@router.get("/single-sign-on/{office_id}/{provider_id}")
def leave(
    request: Request,
    gateway: GatewayDep,
    office_id: OfficeIdField,
    provider_id: OidcProviderId,
    next: str = "/",  # noqa: A002  # the name people see in the address
) -> Response:
    """Off to the provider; the short link that an office gives its people."""
    browser = security.open_form_token(request)
    address = SingleSignOnService(gateway).begin_sign_in(
        office_id, provider_id, browser=browser, next_path=safe_next(next)
    )
    response = RedirectResponse(address, status_code=303, headers={"Cache-Control": "no-store"})
    security.set_form_cookie(request, response, browser)
    return response

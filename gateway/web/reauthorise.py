"""The account holder's pages to authorise one account anew, without sign-in.

As the pages of a consent (`web.link`): who holds the link gets here, and the return counts in one browser. CON-16.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.api import GatewayDep
from gateway.assembly import Gateway
from gateway.consents.reauthorising import BACK_PATH, LINK_PATH, Reauthorisations, ReauthorisationView
from gateway.cookies import LINK, cookie, set_cookie
from gateway.web import security
from gateway.web.link import LinkRoute, psu_present
from gateway.web.rendering import language_of, page
from gateway.web.security import FormDep

router = APIRouter(route_class=LinkRoute, include_in_schema=False)


@router.get(BACK_PATH)
def receive(request: Request, gateway: GatewayDep) -> Response:
    """Back from the source; what came of it is read there."""
    view = Reauthorisations(gateway).receive(
        dict(request.query_params), browser_secret=cookie(request, LINK) or "", psu=psu_present(request)
    )
    request.state.preferred_language = view.language
    return page(request, "reauthorise_done.html", link=view)


@router.get(LINK_PATH + "{token}")
def look(request: Request, token: str, gateway: GatewayDep) -> Response:
    """Which account, for whom, and what happens to the others."""
    view = _view(request, gateway, token)
    form_token = security.open_form_token(request)
    response = page(request, "reauthorise.html", link=view, link_token=token, form_token=form_token)
    security.set_form_cookie(request, response, form_token)
    return response


@router.post(LINK_PATH + "{token}")
def begin(request: Request, token: str, gateway: GatewayDep, form: FormDep) -> Response:
    """Ask for the page and send the browser there; from now on only this browser can finish."""
    security.require_open_form(request, gateway, form)
    view = _view(request, gateway, token)
    browser_secret = cookie(request, LINK) or secrets.token_urlsafe(32)
    psu = replace(psu_present(request), language=language_of(request))
    address = Reauthorisations(gateway).begin(token, browser_secret=browser_secret, psu=psu)
    # A page in between, since our policy lets forms lead to our own addresses only; it names where one goes.
    response = page(request, "link_leave.html", link=view, address=address, host=urlsplit(address).hostname)
    set_cookie(request, response, LINK, browser_secret)
    return response


def _view(request: Request, gateway: Gateway, token: str) -> ReauthorisationView:
    view = Reauthorisations(gateway).view(token)
    request.state.preferred_language = view.language
    return view

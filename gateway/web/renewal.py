"""The account holder's pages for all permissions of a client: renew them in one sitting, see them, stop them.

Who holds the link gets here, without sign-in, as with the link of one permission (`web.link`). CON-10, CON-12, CON-14.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.api import GatewayDep, psu_of
from gateway.assembly import Gateway
from gateway.consents.calendar_file import MEDIA_TYPE, calendar_file
from gateway.consents.errors import ConsentNotFound
from gateway.consents.links import LINK_PATH, SITTING_PATH
from gateway.consents.reminding import calendar_entries
from gateway.consents.sittings import SittingItem, Sittings, SittingView
from gateway.ids import ConsentId, decode
from gateway.web import security
from gateway.web.link import LinkRoute
from gateway.web.rendering import page, see_other
from gateway.web.security import FormDep, text_of

router = APIRouter(route_class=LinkRoute, include_in_schema=False)


@router.get(SITTING_PATH + "{token}")
def look(request: Request, token: str, gateway: GatewayDep) -> Response:
    """What is renewed and what is still to be renewed; the next one first."""
    return _page(request, "renewal.html", _view(request, gateway, token))


@router.post(SITTING_PATH + "{token}")
def go_on(request: Request, token: str, gateway: GatewayDep, form: FormDep) -> Response:
    """To the page of one renewal, which leads to its bank and back here."""
    security.require_open_form(request, gateway, form)
    _view(request, gateway, token)
    try:
        wanted = decode("consent", text_of(form, "consent"))
    except ValueError:
        raise ConsentNotFound from None
    link_token = Sittings(gateway).go_on(token, wanted, psu=psu_of(request))
    return see_other(request, f"{LINK_PATH}{link_token}")


@router.get(SITTING_PATH + "{token}/active")
def active(request: Request, token: str, gateway: GatewayDep) -> Response:
    """Every permission that holds, each with a way to stop it."""
    return _page(request, "renewal_active.html", _view(request, gateway, token))


@router.get(SITTING_PATH + "{token}/active/{consent_id}")
def stop_form(request: Request, token: str, consent_id: ConsentId, gateway: GatewayDep) -> Response:
    """What stopping means, before it is done."""
    view = _view(request, gateway, token)
    return _page(request, "renewal_stop.html", view, item=_item(view, consent_id))


@router.post(SITTING_PATH + "{token}/active/{consent_id}")
def stop(request: Request, token: str, consent_id: ConsentId, gateway: GatewayDep, form: FormDep) -> Response:
    """Stop one permission, here at once and at the bank."""
    security.require_open_form(request, gateway, form)
    _view(request, gateway, token)
    Sittings(gateway).stop(token, consent_id, psu=psu_of(request))
    return see_other(request, f"{SITTING_PATH}{token}/active")


@router.get(SITTING_PATH + "{token}/calendar.ics")
def calendar(request: Request, token: str, gateway: GatewayDep) -> Response:
    """The last days of the permissions, for a calendar."""
    view = _view(request, gateway, token)
    host = urlsplit(gateway.settings.base_url).hostname or "localhost"
    content = calendar_file(calendar_entries(view, host=host), now=gateway.real_now(), language=view.language)
    headers = {"Content-Disposition": 'attachment; filename="sluis.ics"', "Cache-Control": "no-store"}
    return Response(content, media_type=MEDIA_TYPE, headers=headers)


def _view(request: Request, gateway: Gateway, token: str) -> SittingView:
    view = Sittings(gateway).view(token)
    request.state.preferred_language = view.language
    return view


def _item(view: SittingView, consent_id: ConsentId) -> SittingItem:
    for item in view.active:
        if item.consent_id == consent_id:
            return item
    raise ConsentNotFound


def _page(request: Request, template: str, view: SittingView, *, item: SittingItem | None = None) -> Response:
    form_token = security.open_form_token(request)
    response = page(request, template, link=view, item=item, form_token=form_token)
    security.set_form_cookie(request, response, form_token)
    return response

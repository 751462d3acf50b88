"""Webhooks of the office: addresses, secrets shown once, a test, the log with its answers, replays (API-07)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Query, Request
from fastapi.responses import Response

from gateway.api import GatewayDep
from gateway.assembly import Gateway
from gateway.clock import BRUSSELS
from gateway.errors import GatewayError, InputError
from gateway.i18n import translate
from gateway.identity.rights import Permission
from gateway.ids import WebhookDeliveryId, WebhookEndpointId, decode, encode
from gateway.pagination import PageRequest
from gateway.problems import told
from gateway.web import reading
from gateway.web.labels import LABELS
from gateway.web.rendering import language_of, page, see_other
from gateway.web.routing import page_router
from gateway.web.security import FormDep, PostedDep, Visit, VisitDep, text_of
from gateway.webhooks.service import EndpointView, WebhookService
from gateway.webhooks.states import DeliveryState

router = page_router()

ENDPOINTS_MAX: Final = 100
DELIVERIES_PER_PAGE: Final = 25
URL_MAX: Final = 500
NAME_MAX: Final = 70


@router.get("/webhooks")
def endpoints(request: Request, gateway: GatewayDep, visit: VisitDep) -> Response:
    """The endpoints, and the form for another."""
    return _list(request, gateway, visit)


@router.post("/webhooks")
def make(request: Request, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """A new endpoint; its secret stands on this answer and never again."""
    values = _values(form)
    try:
        view = WebhookService(gateway).create(visit.act, **_wish(values))
    except InputError as error:
        return _list(request, gateway, visit, error=error, values=values)
    return _one(request, gateway, visit, view.endpoint.id, made=view)


@router.get("/webhooks/{endpoint_id}")
def endpoint(
    *,
    request: Request,
    endpoint_id: WebhookEndpointId,
    gateway: GatewayDep,
    visit: VisitDep,
    state: Annotated[str, Query(max_length=20)] = "",
    replayed: Annotated[int | None, Query(ge=0, le=1000)] = None,
    cursor: str | None = None,
) -> Response:
    """One endpoint with its log."""
    return _one(request, gateway, visit, endpoint_id, state=state, cursor=cursor, replayed=replayed)


@router.post("/webhooks/{endpoint_id}")
def change(
    request: Request, endpoint_id: WebhookEndpointId, gateway: GatewayDep, visit: PostedDep, form: FormDep
) -> Response:
    """Another address, name or choice of events."""
    service, values = WebhookService(gateway), _values(form)
    try:
        service.change(visit.act, endpoint_id, _wish(values), version=_version(form))
    except InputError as error:
        return _one(request, gateway, visit, endpoint_id, error=error, values=values)
    return see_other(request, _path(endpoint_id))


@router.post("/webhooks/{endpoint_id}/switch")
def switch(
    request: Request, endpoint_id: WebhookEndpointId, gateway: GatewayDep, visit: PostedDep, form: FormDep
) -> Response:
    """On or off."""
    wanted = {"is_enabled": text_of(form, "on") == "yes"}
    WebhookService(gateway).change(visit.act, endpoint_id, wanted, version=_version(form))
    return see_other(request, _path(endpoint_id))


@router.post("/webhooks/{endpoint_id}/secret")
def rotate(request: Request, endpoint_id: WebhookEndpointId, gateway: GatewayDep, visit: PostedDep) -> Response:
    """A new secret, shown once; the old one signs along for a day."""
    view = WebhookService(gateway).rotate(visit.act, endpoint_id)
    return _one(request, gateway, visit, endpoint_id, made=view)


@router.post("/webhooks/{endpoint_id}/removal")
def remove(request: Request, endpoint_id: WebhookEndpointId, gateway: GatewayDep, visit: PostedDep) -> Response:
    """Take it away."""
    WebhookService(gateway).remove(visit.act, endpoint_id)
    return see_other(request, "/webhooks")


@router.post("/webhooks/{endpoint_id}/test")
def test(request: Request, endpoint_id: WebhookEndpointId, gateway: GatewayDep, visit: PostedDep) -> Response:
    """Send a test message; it appears in the log."""
    WebhookService(gateway).test(visit.act, endpoint_id)
    return see_other(request, f"{_path(endpoint_id)}#log")


@router.post("/webhooks/{endpoint_id}/replays")
def replay_range(
    request: Request, endpoint_id: WebhookEndpointId, gateway: GatewayDep, visit: PostedDep, form: FormDep
) -> Response:
    """Send the events of a stretch of time again."""
    since, until = _moment(text_of(form, "since")), _moment(text_of(form, "until"))
    if since is None:
        return _one(request, gateway, visit, endpoint_id, error=InputError())
    count = WebhookService(gateway).replay_range(visit.act, endpoint_id, since=since, until=until)
    return see_other(request, f"{_path(endpoint_id)}?replayed={count}#log")


@router.post("/webhooks/deliveries/{delivery_id}/replay")
def replay(request: Request, delivery_id: WebhookDeliveryId, gateway: GatewayDep, visit: PostedDep) -> Response:
    """Send one message again, with the id it had."""
    delivery = WebhookService(gateway).replay(visit.act, delivery_id)
    return see_other(request, f"{_path(delivery.endpoint_id)}#{encode('webhook_delivery', delivery_id)}")


def _path(endpoint_id: UUID) -> str:
    return f"/webhooks/{encode('webhook_endpoint', endpoint_id)}"


def _values(form: Any) -> dict[str, Any]:
    return {
        "url": text_of(form, "url"),
        "description": text_of(form, "description"),
        "types": [str(value) for value in form.getlist("type") if value in LABELS["family"]],
        "clients": [str(value) for value in form.getlist("client") if value],
    }


def _wish(values: dict[str, Any]) -> dict[str, Any]:
    try:
        clients = [decode("client", one) for one in values["clients"]]
    except ValueError:
        raise InputError from None
    if len(values["url"]) > URL_MAX or len(values["description"]) > NAME_MAX:
        raise InputError
    return {
        "url": values["url"], "description": values["description"], "event_types": values["types"],
        "client_ids": clients,
    }  # fmt: skip


def _version(form: Any) -> int:
    text = text_of(form, "version")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _moment(text: str) -> datetime | None:
    """What a field for day and time holds, in Brussels; None when it is empty or unreadable."""
    try:
        return datetime.strptime(text[:16], "%Y-%m-%dT%H:%M").replace(tzinfo=BRUSSELS).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _why(request: Request, error: GatewayError) -> str:
    """The refusal's sentence in the reader's language."""
    language = language_of(request)
    detail = translate(language, error.detail or error.hint)
    return detail.format_map(told(error.parameters, language))


def _list(
    request: Request,
    gateway: Gateway,
    visit: Visit,
    *,
    error: InputError | None = None,
    values: dict[str, Any] | None = None,
) -> Response:
    views, _ = WebhookService(gateway).page(visit.act, PageRequest(ENDPOINTS_MAX, None))
    return page(
        request,
        "webhooks.html",
        visit=visit,
        status=error.http_status if error is not None else 200,
        views=views,
        families=list(LABELS["family"]),
        choices=reading.clients(gateway, visit, Permission.CLIENTS_READ),
        error=error,
        why=_why(request, error) if error is not None else "",
        values=values or {"url": "", "description": "", "types": [], "clients": []},
    )


def _one(
    request: Request,
    gateway: Gateway,
    visit: Visit,
    endpoint_id: UUID,
    *,
    made: EndpointView | None = None,
    state: str = "",
    cursor: str | None = None,
    replayed: int | None = None,
    error: InputError | None = None,
    values: dict[str, Any] | None = None,
) -> Response:
    service = WebhookService(gateway)
    view = service.get(visit.act, endpoint_id)
    chosen = DeliveryState(state) if state in set(DeliveryState) else None
    deliveries, next_cursor = service.deliveries(
        visit.act, PageRequest(DELIVERIES_PER_PAGE, cursor), endpoint_id=endpoint_id, state=chosen
    )
    stored = {
        "url": view.url,
        "description": view.endpoint.description,
        "types": view.endpoint.event_types,
        "clients": [encode("client", UUID(one)) for one in view.endpoint.client_ids],
    }
    return page(
        request,
        "webhook.html",
        visit=visit,
        status=error.http_status if error is not None else 200,
        view=view,
        secret=made.secret if made is not None else None,
        deliveries=deliveries,
        attempts=service.attempts(visit.act, [row.id for row in deliveries]),
        states=[one.value for one in DeliveryState],
        chosen=chosen.value if chosen else "",
        next_cursor=next_cursor,
        replayed=replayed,
        families=list(LABELS["family"]),
        choices=reading.clients(gateway, visit, Permission.CLIENTS_READ),
        error=error,
        why=_why(request, error) if error is not None else "",
        values=values or stored,
        now=visit.act.real_now,
        path=_path(endpoint_id),
    )

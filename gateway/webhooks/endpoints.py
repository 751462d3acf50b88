"""REST: webhooks."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Response

from gateway.api import ActDep, GatewayDep, PageDep, problem_responses
from gateway.ids import WebhookDeliveryId, WebhookEndpointId
from gateway.operations import ANSWER_NOT_KEPT
from gateway.pagination import Page
from gateway.payments.etags import version_in
from gateway.webhooks.models import WebhookDelivery
from gateway.webhooks.schemas import (
    WebhookAttemptRead,
    WebhookDeliveryDetail,
    WebhookDeliveryRead,
    WebhookEndpointChange,
    WebhookEndpointMade,
    WebhookEndpointRead,
    WebhookEndpointWrite,
    WebhookReplayRead,
    WebhookReplayWrite,
    WebhookTestMade,
)
from gateway.webhooks.service import EndpointView, WebhookService
from gateway.webhooks.states import DeliveryState

router = APIRouter(prefix="/v1", tags=["webhooks"])


@router.post(
    "/webhook-endpoints",
    status_code=201,
    operation_id="create_webhook_endpoint",
    openapi_extra=ANSWER_NOT_KEPT,
    responses=problem_responses(),
)
def create_webhook_endpoint(wish: WebhookEndpointWrite, act: ActDep, gateway: GatewayDep) -> WebhookEndpointMade:
    """Add an address that receives events; its signing secret is in this answer and never again.

    Destinations are set by a person with a fresh second factor; in test mode also by a machine with scope `admin`.
    """
    view = WebhookService(gateway).create(
        act, url=wish.url, description=wish.description, event_types=wish.event_types, client_ids=wish.client_ids
    )
    return _made(view)


@router.get("/webhook-endpoints", operation_id="list_webhook_endpoints", responses=problem_responses(400))
def list_webhook_endpoints(act: ActDep, gateway: GatewayDep, page: PageDep) -> Page[WebhookEndpointRead]:
    """The office's endpoints, oldest first."""
    views, cursor = WebhookService(gateway).page(act, page)
    return Page(items=[_shown(view) for view in views], next_cursor=cursor)


@router.get("/webhook-endpoints/{endpoint_id}", operation_id="get_webhook_endpoint", responses=problem_responses())
def get_webhook_endpoint(
    endpoint_id: WebhookEndpointId, act: ActDep, gateway: GatewayDep, response: Response
) -> WebhookEndpointRead:
    """One endpoint."""
    return _tagged(response, WebhookService(gateway).get(act, endpoint_id))


@router.patch(
    "/webhook-endpoints/{endpoint_id}",
    operation_id="patch_webhook_endpoint",
    responses=problem_responses(412, 428),
)
def patch_webhook_endpoint(
    endpoint_id: WebhookEndpointId,
    change: WebhookEndpointChange,
    act: ActDep,
    gateway: GatewayDep,
    response: Response,
    *,
    if_match: Annotated[str | None, Header(description="The ETag that the change is based on.")] = None,
) -> WebhookEndpointRead:
    """Change address, filters or whether it receives. Switching off discards what waits; it can be replayed."""
    wanted = {name: value for name, value in change if value is not None}
    view = WebhookService(gateway).change(act, endpoint_id, wanted, version=version_in(if_match))
    return _tagged(response, view)


@router.delete(
    "/webhook-endpoints/{endpoint_id}",
    status_code=204,
    operation_id="delete_webhook_endpoint",
    responses=problem_responses(),
)
def delete_webhook_endpoint(endpoint_id: WebhookEndpointId, act: ActDep, gateway: GatewayDep) -> Response:
    """Remove an endpoint; its log stays."""
    WebhookService(gateway).remove(act, endpoint_id)
    return Response(status_code=204)


@router.post(
    "/webhook-endpoints/{endpoint_id}/secret-rotations",
    status_code=201,
    operation_id="rotate_webhook_secret",
    openapi_extra=ANSWER_NOT_KEPT,
    responses=problem_responses(),
)
def rotate_webhook_secret(endpoint_id: WebhookEndpointId, act: ActDep, gateway: GatewayDep) -> WebhookEndpointMade:
    """A new secret; for 24 hours messages carry the signatures of both."""
    return _made(WebhookService(gateway).rotate(act, endpoint_id))


@router.post(
    "/webhook-endpoints/{endpoint_id}/tests",
    status_code=202,
    operation_id="test_webhook_endpoint",
    responses=problem_responses(409),
)
def test_webhook_endpoint(endpoint_id: WebhookEndpointId, act: ActDep, gateway: GatewayDep) -> WebhookTestMade:
    """Send a message of type `test.sent` to this endpoint alone; look for it in the deliveries."""
    return WebhookTestMade(event_id=WebhookService(gateway).test(act, endpoint_id))


@router.post(
    "/webhook-endpoints/{endpoint_id}/replays",
    status_code=202,
    operation_id="replay_webhook_events",
    responses=problem_responses(409),
)
def replay_webhook_events(
    endpoint_id: WebhookEndpointId, wish: WebhookReplayWrite, act: ActDep, gateway: GatewayDep
) -> WebhookReplayRead:
    """Send the events of a stretch of time again, at most 1,000, oldest first, with the ids they had."""
    count = WebhookService(gateway).replay_range(act, endpoint_id, since=wish.since, until=wish.until)
    return WebhookReplayRead(count=count)


@router.get("/webhook-deliveries", operation_id="list_webhook_deliveries", responses=problem_responses(400))
def list_webhook_deliveries(
    act: ActDep,
    gateway: GatewayDep,
    page: PageDep,
    endpoint_id: WebhookEndpointId | None = None,
    state: DeliveryState | None = None,
) -> Page[WebhookDeliveryRead]:
    """What was and is to be sent, newest first."""
    rows, cursor = WebhookService(gateway).deliveries(act, page, endpoint_id=endpoint_id, state=state)
    return Page(items=[WebhookDeliveryRead.model_validate(row) for row in rows], next_cursor=cursor)


@router.get("/webhook-deliveries/{delivery_id}", operation_id="get_webhook_delivery", responses=problem_responses())
def get_webhook_delivery(delivery_id: WebhookDeliveryId, act: ActDep, gateway: GatewayDep) -> WebhookDeliveryDetail:
    """One delivery with the answers it got."""
    delivery, attempts = WebhookService(gateway).delivery(act, delivery_id)
    return WebhookDeliveryDetail(
        **_fields(delivery),  # type: ignore[arg-type]  # checked by the model itself
        log=[WebhookAttemptRead.model_validate(attempt) for attempt in attempts],
    )


@router.post(
    "/webhook-deliveries/{delivery_id}/replays",
    status_code=202,
    operation_id="replay_webhook_delivery",
    responses=problem_responses(409),
)
def replay_webhook_delivery(delivery_id: WebhookDeliveryId, act: ActDep, gateway: GatewayDep) -> WebhookDeliveryRead:
    """Send it again, with the same `webhook-id`."""
    return WebhookDeliveryRead.model_validate(WebhookService(gateway).replay(act, delivery_id))


def _fields(delivery: WebhookDelivery) -> dict[str, object]:
    return {name: getattr(delivery, name) for name in WebhookDeliveryRead.model_fields}


def _shown(view: EndpointView) -> WebhookEndpointRead:
    return WebhookEndpointRead(**_endpoint(view))  # type: ignore[arg-type]  # checked by the model itself


def _made(view: EndpointView) -> WebhookEndpointMade:
    assert view.secret is not None, "a new secret is shown once"
    return WebhookEndpointMade(**_endpoint(view), secret=view.secret)  # type: ignore[arg-type]  # as above


def _endpoint(view: EndpointView) -> dict[str, object]:
    row = view.endpoint
    return {
        **{name: getattr(row, name) for name in WebhookEndpointRead.model_fields if name not in ("url", "client_ids")},
        "url": view.url,
        "client_ids": [UUID(client) for client in row.client_ids],
    }


def _tagged(response: Response, view: EndpointView) -> WebhookEndpointRead:
    response.headers["ETag"] = f'"{view.endpoint.version}"'
    return _shown(view)

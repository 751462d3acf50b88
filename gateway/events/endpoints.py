"""REST: the event log."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from gateway.api import ActDep, GatewayDep, PageDep, problem_responses
from gateway.events.schemas import EventRead, TestEventWrite, shown
from gateway.events.service import EventService
from gateway.ids import ClientId, EventId
from gateway.pagination import Page

router = APIRouter(prefix="/v1", tags=["events"])


@router.get(
    "/events",
    operation_id="list_events",
    responses=problem_responses(400, 410),
    openapi_extra={"x-error-codes": ["event_not_found"]},
)
def list_events(
    *,
    act: ActDep,
    gateway: GatewayDep,
    page: PageDep,
    after: Annotated[EventId | None, Query(description="The last event you have seen: what came later.")] = None,
    type: Annotated[  # noqa: A002  the name of the field in the answer
        str | None, Query(max_length=60, pattern=r"^[a-z]+\.[a-z_]+$", examples=["statement.issued"])
    ] = None,
    client_id: ClientId | None = None,
) -> Page[EventRead]:
    """What happened, in the order in which it was committed; kept for 90 days.

    Follow the log by passing the id of the last event you have seen as `after`: nothing is skipped and nothing comes
    twice. An id older than 90 days answers 410 `cursor_expired`.
    """
    events, cursor = EventService(gateway).page(act, page, after=after, event_type=type, client_id=client_id)
    return Page(items=[shown(event) for event in events], next_cursor=cursor)


@router.post("/test-events", operation_id="create_test_event", status_code=201, responses=problem_responses())
def create_test_event(wish: TestEventWrite, act: ActDep, gateway: GatewayDep) -> EventRead:
    """Make an event in an office in test mode, about an object that does not exist; webhooks are sent for it.

    A live office has no such thing (404).
    """
    return shown(EventService(gateway).trigger(act, wish.type, client_id=wish.client_id))

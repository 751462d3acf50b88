"""REST: the office, its clients, and the movable clock of an office in test mode."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from gateway.act import Act
from gateway.api import ActDep, GatewayDep, PageDep, problem_responses
from gateway.assembly import Gateway
from gateway.errors import NotFound
from gateway.files import FILE_HEADERS, IfNoneMatch, file_answer
from gateway.identity.rights import Permission
from gateway.ids import ClientId, NumberChangeId, UserId, encode
from gateway.offices.models import Client, ClientState
from gateway.offices.numbers import NumberService
from gateway.offices.schemas import (
    ClientRead,
    ClientServicesWrite,
    ClientStateWrite,
    ClientWrite,
    ClockRead,
    ClockWrite,
    NumberChangeRead,
    NumberChangeWrite,
    OfficeRead,
    OfficeServicesWrite,
    client_read,
)
from gateway.offices.service import ClientFilter, ClientService, OfficeService, checked_number
from gateway.offices.settings_endpoints import router as settings_router
from gateway.offices.switches import SwitchService
from gateway.operations import KEY_REQUIRED
from gateway.pagination import Page
from gateway.payments.etags import etag

router = APIRouter()
own = APIRouter(prefix="/v1", tags=["offices"])


@own.get("/office", operation_id="get_office", responses=problem_responses())
def get_office(response: Response, act: ActDep, gateway: GatewayDep) -> OfficeRead:
    """The office the caller works for."""
    office = OfficeService(gateway).get(act.office_id)
    response.headers["ETag"] = etag(office.version)
    return OfficeRead.model_validate(office)


@own.put("/office/services", operation_id="put_office_services", responses=problem_responses(409))
def put_office_services(body: OfficeServicesWrite, act: ActDep, gateway: GatewayDep) -> OfficeRead:
    """Switch the services of the office; one that is off is off for every client. Administrators of the office only."""
    return OfficeRead.model_validate(SwitchService(gateway).office(act, body.services))


@own.put(
    "/clients",
    operation_id="put_client",
    responses={201: {"model": ClientRead, "description": "The client is new."}, **problem_responses(409)},
)
def put_client(body: ClientWrite, response: Response, act: ActDep, gateway: GatewayDep) -> ClientRead:
    """Create or update the client with this key; repeated, it changes nothing."""
    client, is_new = ClientService(gateway).put(act, body.wish())
    response.status_code = 201 if is_new else 200
    return _shown(gateway, act, client)


@own.get("/clients", operation_id="list_clients", responses=problem_responses(400))
def list_clients(
    *,
    act: ActDep,
    gateway: GatewayDep,
    page: PageDep,
    state: Annotated[ClientState | None, Query(description="Only in this state.")] = None,
    enterprise_number: Annotated[str | None, Query(max_length=20, description="Only with this number.")] = None,
    external_id: Annotated[str | None, Query(max_length=70, description="Only with the caller's own id.")] = None,
    label: Annotated[str | None, Query(max_length=40, description="Only with this label.")] = None,
    package: Annotated[str | None, Query(max_length=20, description="Only with this accounting package.")] = None,
    responsible_id: Annotated[UserId | None, Query(description="Only those whom this person looks after.")] = None,
    financial_year_end: Annotated[str | None, Query(pattern=r"^[0-9]{2}-[0-9]{2}$", description="MM-DD.")] = None,
    registered: Annotated[
        bool | None, Query(description="False: only those whose number the registry did not know yet.")
    ] = None,
) -> Page[ClientRead]:
    """Clients with a grant valid today, by name."""
    wanted = ClientFilter(
        state,
        None if enterprise_number is None else checked_number(enterprise_number),
        external_id,
        label,
        package,
        responsible_id,
        financial_year_end,
        registered,
    )
    service = ClientService(gateway)
    clients, cursor = service.page(act, page, wanted)
    records = service.records(act, clients)
    return Page(items=[client_read(client, records.get(client.id)) for client in clients], next_cursor=cursor)


@own.get("/clients/{client_id}", operation_id="get_client", responses=problem_responses())
def get_client(client_id: ClientId, act: ActDep, gateway: GatewayDep) -> ClientRead:
    """One client."""
    return _shown(gateway, act, ClientService(gateway).get(act, client_id))


@own.put("/clients/{client_id}/state", operation_id="put_client_state", responses=problem_responses(409))
def put_client_state(client_id: ClientId, body: ClientStateWrite, act: ActDep, gateway: GatewayDep) -> ClientRead:
    """Activate, suspend, close or reopen a client; administrators of the office only."""
    return _shown(gateway, act, ClientService(gateway).change_state(act, client_id, body.state))


@own.put("/clients/{client_id}/services", operation_id="put_client_services", responses=problem_responses(409))
def put_client_services(client_id: ClientId, body: ClientServicesWrite, act: ActDep, gateway: GatewayDep) -> ClientRead:
    """Switch the services of a client and say what the portal shows; administrators of the office only."""
    return _shown(gateway, act, SwitchService(gateway).client(act, client_id, body.wish()))


@own.post(
    "/clients/{client_id}/registry-confirmations",
    operation_id="create_registry_confirmation",
    status_code=201,
    responses=problem_responses(409),
)
def create_registry_confirmation(client_id: ClientId, act: ActDep, gateway: GatewayDep) -> ClientRead:
    """The registry knows the number of a starter now; the client leaves the list of those that wait."""
    return _shown(gateway, act, NumberService(gateway).confirm(act, client_id))


@own.post(
    "/clients/{client_id}/number-changes",
    operation_id="create_number_change",
    status_code=201,
    responses=problem_responses(409),
    openapi_extra=KEY_REQUIRED,
)
def create_number_change(
    client_id: ClientId, body: NumberChangeWrite, act: ActDep, gateway: GatewayDep
) -> NumberChangeRead:
    """Give a client another number, with proof; ids and history stay. Administrators of the office only."""
    _client, change = NumberService(gateway).change(act, client_id, body.wish())
    return NumberChangeRead.of(change)


@own.get("/clients/{client_id}/number-changes", operation_id="list_number_changes", responses=problem_responses(400))
def list_number_changes(client_id: ClientId, act: ActDep, gateway: GatewayDep, page: PageDep) -> Page[NumberChangeRead]:
    """Changes of a client's number, newest first."""
    rows, cursor = NumberService(gateway).page(act, client_id, page)
    return Page(items=[NumberChangeRead.of(row) for row in rows], next_cursor=cursor)


@own.get(
    "/clients/{client_id}/number-changes/{number_change_id}/document",
    operation_id="get_number_change_document",
    response_class=Response,
    responses={
        200: {
            "description": "The document as it was sent.",
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        },
        **FILE_HEADERS,
        **problem_responses(416),
    },
)
def get_number_change_document(
    *,
    client_id: ClientId,
    number_change_id: NumberChangeId,
    request: Request,
    act: ActDep,
    gateway: GatewayDep,
    _if_none_match: IfNoneMatch = None,
) -> Response:
    """The proof of a change, with its checksum; administrators of the office only."""
    change, content = NumberService(gateway).document(act, client_id, number_change_id)
    return file_answer(
        request,
        content,
        sha256=change.document_sha256,
        media_type="application/octet-stream",
        name=f"{encode('number_change', change.id)}.{change.document_type.partition('/')[2]}",
        cache="private, no-cache",
    )


@own.get("/test-clock", operation_id="get_test_clock", responses=problem_responses())
def get_test_clock(act: ActDep, gateway: GatewayDep) -> ClockRead:
    """What time it is for an office in test mode; a live office has no such clock (404)."""
    office = OfficeService(gateway).get(act.office_id)
    if office.mode != "test":
        raise NotFound
    return ClockRead(now=act.now, offset_seconds=office.clock_offset_seconds)


@own.post("/test-clock/moves", operation_id="move_test_clock", status_code=201, responses=problem_responses())
def move_test_clock(body: ClockWrite, act: ActDep, gateway: GatewayDep) -> ClockRead:
    """Move the clock of an office in test mode forward."""
    act.require(Permission.ADMIN)
    service = OfficeService(gateway)
    if service.get(act.office_id).mode != "test":
        raise NotFound
    step = timedelta(days=body.advance_days, seconds=body.advance_seconds)
    office = service.move_clock(act.office_id, seconds=int(step.total_seconds()))
    moved_now = gateway.real_now() + timedelta(seconds=office.clock_offset_seconds)
    return ClockRead(now=moved_now, offset_seconds=office.clock_offset_seconds)


def _shown(gateway: Gateway, act: Act, client: Client) -> ClientRead:
    return client_read(client, ClientService(gateway).records(act, [client]).get(client.id))


router.include_router(own)
router.include_router(settings_router)

"""REST: the office, its clients, and the movable clock of an office in test mode."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Response

from gateway.api import ActDep, GatewayDep, PageDep, problem_responses
from gateway.errors import NotFound
from gateway.identity.rights import Permission
from gateway.ids import ClientId
from gateway.offices.schemas import (
    ClientRead,
    ClientServicesWrite,
    ClientStateWrite,
    ClientWrite,
    ClockRead,
    ClockWrite,
    OfficeRead,
    OfficeServicesWrite,
    client_read,
)
from gateway.offices.service import ClientService, ClientWish, OfficeService
from gateway.offices.switches import SwitchService
from gateway.pagination import Page

router = APIRouter(prefix="/v1", tags=["offices"])


@router.get("/office", operation_id="get_office", responses=problem_responses())
def get_office(act: ActDep, gateway: GatewayDep) -> OfficeRead:
    """The office the caller works for."""
    return OfficeRead.model_validate(OfficeService(gateway).get(act.office_id))


@router.put("/office/services", operation_id="put_office_services", responses=problem_responses(409))
def put_office_services(body: OfficeServicesWrite, act: ActDep, gateway: GatewayDep) -> OfficeRead:
    """Switch the services of the office; one that is off is off for every client. Administrators of the office only."""
    return OfficeRead.model_validate(SwitchService(gateway).office(act, body.services))


@router.put(
    "/clients",
    operation_id="put_client",
    responses={201: {"model": ClientRead, "description": "The client is new."}, **problem_responses(409)},
)
def put_client(body: ClientWrite, response: Response, act: ActDep, gateway: GatewayDep) -> ClientRead:
    """Create or update the client with this key; repeated, it changes nothing."""
    client, is_new = ClientService(gateway).put(act, ClientWish(**body.model_dump()))
    response.status_code = 201 if is_new else 200
    return client_read(client)


@router.get("/clients", operation_id="list_clients", responses=problem_responses(400))
def list_clients(act: ActDep, gateway: GatewayDep, page: PageDep) -> Page[ClientRead]:
    """Clients with a grant valid today, by name."""
    clients, cursor = ClientService(gateway).page(act, page)
    return Page(items=[client_read(client) for client in clients], next_cursor=cursor)


@router.get("/clients/{client_id}", operation_id="get_client", responses=problem_responses())
def get_client(client_id: ClientId, act: ActDep, gateway: GatewayDep) -> ClientRead:
    """One client."""
    return client_read(ClientService(gateway).get(act, client_id))


@router.put("/clients/{client_id}/state", operation_id="put_client_state", responses=problem_responses(409))
def put_client_state(client_id: ClientId, body: ClientStateWrite, act: ActDep, gateway: GatewayDep) -> ClientRead:
    """Suspend, close or reopen a client; administrators of the office only."""
    return client_read(ClientService(gateway).change_state(act, client_id, body.state))


@router.put("/clients/{client_id}/services", operation_id="put_client_services", responses=problem_responses(409))
def put_client_services(client_id: ClientId, body: ClientServicesWrite, act: ActDep, gateway: GatewayDep) -> ClientRead:
    """Switch the services of a client and say what the portal shows; administrators of the office only."""
    return client_read(SwitchService(gateway).client(act, client_id, body.wish()))


@router.get("/test-clock", operation_id="get_test_clock", responses=problem_responses())
def get_test_clock(act: ActDep, gateway: GatewayDep) -> ClockRead:
    """What time it is for an office in test mode; a live office has no such clock (404)."""
    office = OfficeService(gateway).get(act.office_id)
    if office.mode != "test":
        raise NotFound
    return ClockRead(now=act.now, offset_seconds=office.clock_offset_seconds)


@router.post("/test-clock/moves", operation_id="move_test_clock", status_code=201, responses=problem_responses())
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

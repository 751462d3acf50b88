"""REST: addresses of clients, and what waits for another admin (DEL-13)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from gateway.addresses.schemas import (
    AddressChangeRead,
    AddressDecisionRead,
    AddressDecisionWrite,
    AddressesRead,
    AddressesWrite,
)
from gateway.addresses.service import AddressService
from gateway.addresses.states import ChangeState
from gateway.api import ActDep, GatewayDep, PageDep, problem_responses
from gateway.ids import ClientId, ClientImportId
from gateway.pagination import Page

router = APIRouter(prefix="/v1", tags=["offices"])


@router.get("/clients/{client_id}/addresses", operation_id="get_client_addresses", responses=problem_responses())
def get_client_addresses(client_id: ClientId, act: ActDep, gateway: GatewayDep) -> AddressesRead:
    """Contact and destination of a client, each with the moment from which it may get anything."""
    return AddressesRead.of(AddressService(gateway).addresses(act, client_id))


@router.patch("/clients/{client_id}/addresses", operation_id="patch_client_addresses", responses=problem_responses(409))
def patch_client_addresses(
    client_id: ClientId, body: AddressesWrite, act: ActDep, gateway: GatewayDep
) -> AddressesRead:
    """Set contact or destination; a new address gets nothing until another admin of the office confirms it.

    In an office with one admin it waits 48 hours instead. A person needs a fresh second factor.
    """
    wanted = {name: getattr(body, name) for name in body.model_fields_set}
    return AddressesRead.of(AddressService(gateway).change(act, client_id, wanted))


@router.get("/address-changes", operation_id="list_address_changes", responses=problem_responses(400))
def list_address_changes(
    *,
    act: ActDep,
    gateway: GatewayDep,
    page: PageDep,
    state: Annotated[ChangeState | None, Query(description="Only those in this state.")] = None,
    client_id: Annotated[ClientId | None, Query(description="Only those of this client.")] = None,
    import_id: Annotated[ClientImportId | None, Query(description="Only those of this import.")] = None,
) -> Page[AddressChangeRead]:
    """New and changed addresses, the newest first."""
    views, cursor = AddressService(gateway).page(act, page, state=state, client_id=client_id, import_id=import_id)
    return Page(items=[AddressChangeRead.of(view) for view in views], next_cursor=cursor)


@router.post(
    "/address-decisions", operation_id="create_address_decision", status_code=201, responses=problem_responses(409)
)
def create_address_decision(body: AddressDecisionWrite, act: ActDep, gateway: GatewayDep) -> AddressDecisionRead:
    """Confirm or refuse changed addresses, one by one or those of a whole import; all of them or none.

    For an admin of the office with a fresh second factor who did not set, import or have them set by an own key.
    """
    rows = AddressService(gateway).decide(
        act, is_confirmed=body.verdict == "confirm", change_ids=body.change_ids or (), import_id=body.import_id
    )
    return AddressDecisionRead(verdict=body.verdict, count=len(rows))

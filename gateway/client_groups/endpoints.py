"""REST: client groups (OFF-09)."""

from __future__ import annotations

from fastapi import APIRouter

from gateway.api import ActDep, GatewayDep, PageDep, problem_responses
from gateway.client_groups.schemas import ClientGroupRead, ClientGroupRow, ClientGroupWrite
from gateway.client_groups.service import ClientGroupService, ClientGroupView
from gateway.ids import ClientGroupId
from gateway.pagination import Page

router = APIRouter(prefix="/v1/client-groups", tags=["people"])


@router.post("", operation_id="create_client_group", status_code=201, responses=problem_responses(409))
def create_client_group(body: ClientGroupWrite, act: ActDep, gateway: GatewayDep) -> ClientGroupRead:
    """Make a group: the people in it see the clients in it. For admins of the office."""
    return _shown(
        ClientGroupService(gateway).create(act, name=body.name, client_ids=body.client_ids, user_ids=body.user_ids)
    )


@router.get("", operation_id="list_client_groups", responses=problem_responses(400))
def list_client_groups(act: ActDep, gateway: GatewayDep, page: PageDep) -> Page[ClientGroupRow]:
    """Groups by name; "Everyone" holds all clients and exists from the start."""
    views, cursor = ClientGroupService(gateway).page(act, page)
    return Page(items=[_row(view) for view in views], next_cursor=cursor)


@router.get("/{client_group_id}", operation_id="get_client_group", responses=problem_responses())
def get_client_group(client_group_id: ClientGroupId, act: ActDep, gateway: GatewayDep) -> ClientGroupRead:
    """One group with its clients and people."""
    return _shown(ClientGroupService(gateway).get(act, client_group_id))


@router.put("/{client_group_id}", operation_id="put_client_group", responses=problem_responses(409))
def put_client_group(
    client_group_id: ClientGroupId, body: ClientGroupWrite, act: ActDep, gateway: GatewayDep
) -> ClientGroupRead:
    """Set name, clients and people of a group; what people see follows at once."""
    return _shown(
        ClientGroupService(gateway).change(
            act, client_group_id, name=body.name, client_ids=body.client_ids, user_ids=body.user_ids
        )
    )


@router.delete(
    "/{client_group_id}", operation_id="delete_client_group", status_code=204, responses=problem_responses(409)
)
def delete_client_group(client_group_id: ClientGroupId, act: ActDep, gateway: GatewayDep) -> None:
    """Take a group away; its people no longer see its clients through it."""
    ClientGroupService(gateway).delete(act, client_group_id)


def _row(view: ClientGroupView) -> ClientGroupRow:
    return ClientGroupRow(
        id=view.group.id,
        name=view.group.name,
        is_everyone=view.group.is_everyone,
        client_count=view.client_count,
        user_ids=view.user_ids,
        created_at=view.group.created_at,
    )


def _shown(view: ClientGroupView) -> ClientGroupRead:
    return ClientGroupRead(**dict(_row(view)), client_ids=view.client_ids or [])

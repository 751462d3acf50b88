"""REST: moves of a client's accounts to this office (OFF-05, OFF-17)."""

from __future__ import annotations

from fastapi import APIRouter

from gateway.api import ActDep, GatewayDep, PageDep, problem_responses
from gateway.ids import ClientId
from gateway.moves.schemas import MoveRead, MoveWrite
from gateway.moves.service import MoveService
from gateway.pagination import Page

router = APIRouter(prefix="/v1/clients/{client_id}/moves", tags=["offices"])


@router.post("", operation_id="create_client_move", status_code=201, responses=problem_responses(409))
def create_client_move(client_id: ClientId, body: MoveWrite, act: ActDep, gateway: GatewayDep) -> MoveRead:
    """Move the client's connected accounts here on a day; for an administrator of the client.

    Without it, several offices each keep their own accounts, permissions and numbering. Whether another office has
    these accounts changes nothing in the answer; that office is told, cannot refuse, and keeps reading what it has.
    Its approval rules go along if the client wishes; its users, keys, notes and destinations never do.
    """
    return MoveRead.of(MoveService(gateway).request(act, client_id, move_on=body.move_on, with_rules=body.with_rules))


@router.get("", operation_id="list_client_moves", responses=problem_responses(400))
def list_client_moves(client_id: ClientId, act: ActDep, gateway: GatewayDep, page: PageDep) -> Page[MoveRead]:
    """Moves of a client, the newest first."""
    views, cursor = MoveService(gateway).page(act, client_id, page)
    return Page(items=[MoveRead.of(view) for view in views], next_cursor=cursor)

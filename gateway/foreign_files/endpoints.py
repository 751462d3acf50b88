"""REST: handing over the numbering of an account's former source (STA-20)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query, Request

from gateway.api import ActDep, GatewayDep, PageDep, problem_responses
from gateway.foreign_files.schemas import DroppedRead, HandoverRead, HandoverWrite, NumberKey
from gateway.foreign_files.sending import BODY, SentFiles
from gateway.foreign_files.service import HandoverService, TypedNumbering
from gateway.ids import ClientId, NumberingHandoverId
from gateway.pagination import Page
from gateway.problems import language_of

router = APIRouter(prefix="/v1", tags=["numbering-handovers"])


@router.post(
    "/clients/{client_id}/numbering-files",
    operation_id="create_numbering_files",
    status_code=201,
    responses=problem_responses(409, 413),
    openapi_extra=BODY,
)
def create_numbering_files(
    *,
    client_id: ClientId,
    files: SentFiles,
    request: Request,
    act: ActDep,
    gateway: GatewayDep,
    number_key: Annotated[
        NumberKey | None, Query(description="The number to go by; default: the one the client's package goes by.")
    ] = None,
) -> DroppedRead:
    """Send the last CODA files of CodaBox or the bank: what they hand over is proposed per account.

    Files are kept as they are. A hand-over is `refused` with both values where files overlap, where one is missing,
    where a number was used this calendar year, or where the balance differs from the bank's. Nothing else changes
    before it is confirmed.
    """
    dropped = HandoverService(gateway).drop(act, client_id, files, number_key=number_key)
    return DroppedRead.of(dropped, language_of(request))


@router.get("/numbering-handovers", operation_id="list_numbering_handovers", responses=problem_responses(400))
def list_numbering_handovers(
    *,
    request: Request,
    act: ActDep,
    gateway: GatewayDep,
    page: PageDep,
    client_id: Annotated[ClientId | None, Query(description="Only accounts of this client.")] = None,
) -> Page[HandoverRead]:
    """Hand-overs, the newest first; those that a later one replaced too."""
    rows, cursor = HandoverService(gateway).page(act, page, client_id=client_id)
    return Page(items=[HandoverRead.of(row, language_of(request)) for row in rows], next_cursor=cursor)


@router.post(
    "/numbering-handovers",
    operation_id="create_numbering_handover",
    status_code=201,
    responses=problem_responses(409),
)
def create_numbering_handover(body: HandoverWrite, request: Request, act: ActDep, gateway: GatewayDep) -> HandoverRead:
    """Type number, day and balance of the last file instead; to be confirmed like one made from files."""
    typed = TypedNumbering(
        body.iban,
        body.closing_balance.currency,
        body.number,
        body.closing_date,
        Decimal(body.closing_balance.amount),
    )
    handover = HandoverService(gateway).type_in(act, body.client_id, typed, number_key=body.number_key)
    return HandoverRead.of(handover, language_of(request))


@router.get("/numbering-handovers/{handover_id}", operation_id="get_numbering_handover", responses=problem_responses())
def get_numbering_handover(
    handover_id: NumberingHandoverId, request: Request, act: ActDep, gateway: GatewayDep
) -> HandoverRead:
    """One hand-over."""
    return HandoverRead.of(HandoverService(gateway).get(act, handover_id), language_of(request))


@router.post(
    "/numbering-handovers/{handover_id}/confirmations",
    operation_id="confirm_numbering_handover",
    status_code=201,
    responses=problem_responses(409),
)
def confirm_numbering_handover(
    handover_id: NumberingHandoverId, request: Request, act: ActDep, gateway: GatewayDep
) -> HandoverRead:
    """Let statements go on from there: first day, opening balance and number are settled.

    Refused once a statement of this account is issued here (`statements_started`), and where the bank has said
    something else meanwhile (`numbering_refused`).
    """
    return HandoverRead.of(HandoverService(gateway).confirm(act, handover_id), language_of(request))

"""REST: which accounts of a list can continue here (CON-18)."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from gateway.api import ActDep, GatewayDep, problem_responses
from gateway.foreign_files.sending import BODY, SentFiles
from gateway.problems import language_of
from gateway.takeover.schemas import TakeoverListRead
from gateway.takeover.service import TakeoverService, as_csv

router = APIRouter(prefix="/v1", tags=["takeover-lists"])

CSV: Final = "text/csv; charset=utf-8"
DOWNLOAD: Final = {
    "Content-Disposition": 'attachment; filename="sluis-takeover-list.csv"', "Cache-Control": "private, no-store",
}  # fmt: skip
LIST_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        **BODY["requestBody"],
        "description": (
            "A list of accounts of CodaBox, CSV in UTF-8 or Excel, with a column IBAN and, if there, bank and type; "
            "or CODA files, a ZIP of them, or a form with parts `files`. What it is is told by its content."
        ),
    }
}


@router.post(
    "/takeover-lists",
    operation_id="create_takeover_list",
    responses=problem_responses(413),
    openapi_extra=LIST_BODY,
)
def create_takeover_list(files: SentFiles, request: Request, act: ActDep, gateway: GatewayDep) -> TakeoverListRead:
    """Say of each account, before a mandate elsewhere is cancelled, whether it can continue here.

    Savings and card accounts and banks without a booked balance cannot. Nothing of the list is kept.
    """
    return TakeoverListRead.of(TakeoverService(gateway).judge(act, files), language_of(request))


@router.post(
    "/takeover-lists.csv",
    operation_id="create_takeover_list_file",
    response_class=Response,
    responses={
        200: {"description": "The same as a table.", "content": {"text/csv": {"schema": {"type": "string"}}}},
        **problem_responses(413),
    },
    openapi_extra=LIST_BODY,
)
def create_takeover_list_file(files: SentFiles, request: Request, act: ActDep, gateway: GatewayDep) -> Response:
    """The same as CSV in UTF-8 with semicolons; no cell begins a formula."""
    found = TakeoverService(gateway).judge(act, files)
    return Response(as_csv(found.accounts, language_of(request)), media_type=CSV, headers=DOWNLOAD)

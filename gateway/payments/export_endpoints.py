"""REST: exports and their files."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from gateway.api import ActDep, GatewayDep, PageDep, problem_responses
from gateway.files import FILE_HEADERS, IfNoneMatch, IfRange, Range, file_answer
from gateway.ids import BasketId, ClientId, ExportId
from gateway.operations import KEY_REQUIRED
from gateway.pagination import Page
from gateway.payments.export_schemas import (
    DownloadRead,
    ExportRead,
    ExportsRead,
    ExportWrite,
    download_read,
    export_read,
)
from gateway.payments.exports import ExportService

router = APIRouter(prefix="/v1", tags=["exports"])


@router.post(
    "/baskets/{basket_id}/exports",
    operation_id="create_exports",
    status_code=201,
    responses=problem_responses(409),
    openapi_extra=KEY_REQUIRED,
)
def create_exports(basket_id: BasketId, body: ExportWrite, act: ActDep, gateway: GatewayDep) -> ExportsRead:
    """Make the files of approved payments, one per debtor account; a person with a fresh second factor only."""
    made = ExportService(gateway).create(act, basket_id, payment_ids=body.payment_ids)
    return ExportsRead(items=[export_read(export) for export in made])


@router.get("/exports", operation_id="list_exports", responses=problem_responses(400))
def list_exports(
    act: ActDep,
    gateway: GatewayDep,
    page: PageDep,
    client_id: Annotated[ClientId | None, Query()] = None,
    basket_id: Annotated[BasketId | None, Query()] = None,
) -> Page[ExportRead]:
    """Exports, newest first."""
    found, cursor = ExportService(gateway).page(act, page, client_id=client_id, basket_id=basket_id)
    return Page(items=[export_read(export) for export in found], next_cursor=cursor)


@router.get("/exports/{export_id}", operation_id="get_export", responses=problem_responses())
def get_export(export_id: ExportId, act: ActDep, gateway: GatewayDep) -> ExportRead:
    """One export; its bytes are at `/content`."""
    return export_read(ExportService(gateway).get(act, export_id))


@router.get("/exports/{export_id}/downloads", operation_id="list_export_downloads", responses=problem_responses(400))
def list_export_downloads(export_id: ExportId, act: ActDep, gateway: GatewayDep, page: PageDep) -> Page[DownloadRead]:
    """Who downloaded the file and when, oldest first."""
    found, cursor = ExportService(gateway).downloads(act, export_id, page)
    return Page(items=[download_read(row) for row in found], next_cursor=cursor)


@router.get(
    "/exports/{export_id}/content",
    operation_id="get_export_content",
    response_class=Response,
    responses={
        200: {
            "description": "The pain.001 file; `Repr-Digest` holds its SHA-256.",
            "content": {"application/xml": {"schema": {"type": "string", "format": "binary"}}},
        },
        **FILE_HEADERS,
        **problem_responses(409, 416),
    },
)
def get_export_content(
    *,
    export_id: ExportId,
    request: Request,
    act: ActDep,
    gateway: GatewayDep,
    _if_none_match: IfNoneMatch = None,
    _range: Range = None,
    _if_range: IfRange = None,
) -> Response:
    """The bytes, the same on every download. The first one runs the checks of the export again."""
    download = ExportService(gateway).download(act, export_id)
    return file_answer(
        request,
        download.content,
        sha256=download.export.sha256,
        media_type="application/xml",
        name=download.export.file_name,
        cache="private, no-store",
    )

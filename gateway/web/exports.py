"""Payment files: made from approved payments, listed with what identifies them, downloaded unchanged."""

from __future__ import annotations

from typing import Final

from fastapi import Request
from fastapi.responses import Response

from gateway.api import GatewayDep
from gateway.ids import BasketId, ExportId, encode
from gateway.pagination import PageRequest
from gateway.payments.exports import ExportService
from gateway.web import reading
from gateway.web.day import download
from gateway.web.rendering import page, see_other
from gateway.web.routing import page_router
from gateway.web.security import PostedDep, VisitDep

router = page_router()

EXPORTS_PER_PAGE: Final = 50


@router.get("/exports")
def exports(request: Request, gateway: GatewayDep, visit: VisitDep, cursor: str | None = None) -> Response:
    """Every file made, the newest first."""
    rows, next_cursor = ExportService(gateway).page(visit.act, PageRequest(EXPORTS_PER_PAGE, cursor))
    return page(
        request,
        "exports.html",
        exports=rows,
        clients=reading.client_names(gateway, visit, (row.client_id for row in rows)),
        next_cursor=next_cursor,
    )


@router.post("/baskets/{basket_id}/exports")
def create(request: Request, basket_id: BasketId, gateway: GatewayDep, visit: PostedDep) -> Response:
    """Files for the approved payments of a basket, one per account that pays."""
    ExportService(gateway).create(visit.act, basket_id)
    return see_other(request, f"/baskets/{encode('basket', basket_id)}#exports")


@router.post("/exports/{export_id}/download")
def fetch(export_id: ExportId, gateway: GatewayDep, visit: PostedDep) -> Response:
    """The bytes; the first time with a fresh second factor and all checks again. Recorded, so not a plain link."""
    found = ExportService(gateway).download(visit.act, export_id)
    return download(found.content, found.export.file_name, found.export.sha256)

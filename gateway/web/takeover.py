"""Which accounts of a list can continue here, before a mandate elsewhere is cancelled (CON-18)."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from gateway.api import GatewayDep
from gateway.errors import GatewayError
from gateway.foreign_files.sending import files_in
from gateway.identity.rights import Permission
from gateway.takeover.endpoints import CSV, DOWNLOAD
from gateway.takeover.labels import FEE, REASONS
from gateway.takeover.service import TakeoverList, TakeoverService, as_csv
from gateway.web.rendering import language_of, page
from gateway.web.routing import page_router
from gateway.web.security import FormDep, PostedDep, Visit, VisitDep, text_of

router = page_router()

SAID_HERE = (413, 422)


@router.get("/takeover")
def takeover(request: Request, visit: VisitDep) -> Response:
    """The form."""
    visit.act.require(Permission.CLIENTS_WRITE)
    return _page(request, visit)


@router.post("/takeover")
def send(request: Request, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """What holds of each account, on the page or as CSV."""
    try:
        found = TakeoverService(gateway).judge(visit.act, files_in(form.getlist("files")))
    except GatewayError as error:
        if error.http_status not in SAID_HERE:
            raise
        return _page(request, visit, error=error)
    if text_of(form, "act") == "csv":
        return Response(as_csv(found.accounts, language_of(request)), media_type=CSV, headers=DOWNLOAD)
    return _page(request, visit, found=found)


def _page(
    request: Request, visit: Visit, *, found: TakeoverList | None = None, error: GatewayError | None = None
) -> Response:
    return page(
        request,
        "takeover.html",
        visit=visit,
        status=error.http_status if error is not None else 200,
        error=error,
        found=found,
        fee=FEE,
        reasons=REASONS,
    )

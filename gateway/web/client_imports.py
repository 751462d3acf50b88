"""Clients in bulk: send a file, look at what would happen, repair cells, import, undo (OFF-12…15)."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from fastapi import Request
from fastapi.responses import Response
from starlette.datastructures import UploadFile

from gateway.api import GatewayDep
from gateway.assembly import Gateway
from gateway.errors import GatewayError
from gateway.ids import ClientImportId, encode
from gateway.imports.columns import header_of, is_field
from gateway.imports.errors import FileEmpty, FileRefused, ImportTooLarge
from gateway.imports.models import Outcome, RunKind
from gateway.imports.readers import BYTES_MAX
from gateway.imports.runs import RunService
from gateway.imports.schemas import XLSX, row_read
from gateway.imports.service import ImportService, require_bulk
from gateway.imports.templates import TemplateService
from gateway.pagination import PageRequest
from gateway.web.rendering import language_of, page, see_other
from gateway.web.routing import page_router
from gateway.web.security import FormDep, PostedDep, Visit, VisitDep

router = page_router()

ROWS_PER_PAGE: Final = 50
VIEWS: Final = ("new", "existing", "invalid", "only_here", "kept")
"""The tabs of an import; `kept` are the rows that an undo left as they are."""


@router.get("/client-imports")
def imports(request: Request, gateway: GatewayDep, visit: VisitDep, cursor: str | None = None) -> Response:
    """Send a file, fetch a template, look at former imports."""
    return _list(request, gateway, visit, cursor=cursor)


@router.post("/client-imports")
def create(request: Request, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """Check a file; what cannot be read is said on the same page."""
    sent = form.get("file")
    try:
        require_bulk(visit.act)
        if not isinstance(sent, UploadFile) or not sent.filename:
            raise FileEmpty
        content = sent.file.read(BYTES_MAX + 1)
        view = ImportService(gateway).create(visit.act, content, file_name=sent.filename)
    except (FileRefused, ImportTooLarge) as error:
        return _list(request, gateway, visit, error=error)
    finally:
        if isinstance(sent, UploadFile):
            sent.file.close()
    return see_other(request, _path(view.client_import.id))


@router.get("/client-imports/templates/{language}.xlsx")
def template(language: str, gateway: GatewayDep, visit: VisitDep, clients: str = "") -> Response:
    """The template in a language; with `clients=yes` filled with the present clients."""
    content = TemplateService(gateway).make(visit.act, language, is_filled=clients == "yes")
    headers = {
        "Content-Disposition": f'attachment; filename="sluis-clients-{language}.xlsx"',
        "Cache-Control": "private, no-store",
    }
    return Response(content, media_type=XLSX, headers=headers)


@router.get("/client-imports/{import_id}")
def overview(
    *,
    request: Request,
    import_id: ClientImportId,
    gateway: GatewayDep,
    visit: VisitDep,
    view: str = "",
    cursor: str | None = None,
) -> Response:
    """What the dry run says, one kind at a time."""
    return _overview(request, gateway, visit, import_id, chosen=view, cursor=cursor)


@router.post("/client-imports/{import_id}/rows/{number}")
def repair(
    *, request: Request, import_id: ClientImportId, number: int, gateway: GatewayDep, visit: PostedDep, form: FormDep
) -> Response:
    """Other texts for the faulty cells of a row; the whole file is checked again."""
    cells = {
        name.removeprefix("cell-"): value.strip() or None
        for name, value in form.multi_items()
        if name.startswith("cell-") and is_field(name.removeprefix("cell-")) and isinstance(value, str)
    }
    view = ImportService(gateway).repair(visit.act, import_id, number, cells)
    return see_other(request, f"{_path(import_id)}?view=invalid#row-{number}" if view.kind == "invalid" else
                     f"{_path(import_id)}?view=invalid")  # fmt: skip


@router.post("/client-imports/{import_id}/runs")
def run(request: Request, import_id: ClientImportId, gateway: GatewayDep, visit: PostedDep) -> Response:
    """Import every valid row."""
    return _begin(request, gateway, visit, import_id, RunKind.IMPORT)


@router.post("/client-imports/{import_id}/undos")
def undo(request: Request, import_id: ClientImportId, gateway: GatewayDep, visit: PostedDep) -> Response:
    """Take back what can be taken back."""
    return _begin(request, gateway, visit, import_id, RunKind.UNDO)


def _begin(request: Request, gateway: Gateway, visit: Visit, import_id: UUID, kind: RunKind) -> Response:
    RunService(gateway).start(visit.act, import_id, kind=kind)
    return see_other(request, _path(import_id))


def _path(import_id: UUID) -> str:
    return f"/client-imports/{encode('client_import', import_id)}"


def _list(
    request: Request,
    gateway: Gateway,
    visit: Visit,
    *,
    cursor: str | None = None,
    error: GatewayError | None = None,
) -> Response:
    views, next_cursor = ImportService(gateway).page(visit.act, PageRequest(ROWS_PER_PAGE, cursor))
    return page(
        request,
        "client_imports.html",
        status=error.http_status if error is not None else 200,
        views=views,
        next_cursor=next_cursor,
        error=error,
    )


def _overview(
    request: Request, gateway: Gateway, visit: Visit, import_id: UUID, *, chosen: str, cursor: str | None
) -> Response:
    service = ImportService(gateway)
    found = service.get(visit.act, import_id)
    if chosen not in VIEWS:
        chosen = next((kind for kind in ("invalid", "new", "existing") if found.counts[kind]), "new")
    is_erased = found.client_import.erased_at is not None
    language = language_of(request)
    rows, next_cursor = [], None
    if not is_erased:
        views, next_cursor = service.rows(
            visit.act,
            import_id,
            PageRequest(ROWS_PER_PAGE, cursor),
            kind=None if chosen == "kept" else chosen,
            outcome=Outcome.KEPT if chosen == "kept" else None,
        )
        rows = [row_read(view, language) for view in views]
    waiting = found.counts["new"] + found.counts["existing"] - sum(
        found.counts[name] for name in ("imported", "undone", "kept")
    )  # fmt: skip
    return page(
        request,
        "client_import.html",
        found=found,
        here_path=_path(import_id),
        chosen=chosen,
        name_of=lambda field: header_of(field, language),
        views=[name for name in VIEWS if name != "kept" or found.counts["kept"]],
        rows=rows,
        next_cursor=next_cursor,
        waiting=0 if is_erased else waiting,
        is_running=found.run is not None and found.run.finished_at is None,
        can_undo=not is_erased and found.counts["imported"] + found.counts["kept"] > 0,
    )

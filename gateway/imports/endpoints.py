"""REST: templates, imports, their rows, runs and undos."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response
from starlette.datastructures import UploadFile

from gateway.api import ActDep, GatewayDep, PageDep, problem_responses
from gateway.ids import ClientImportId
from gateway.imports.errors import FileEmpty, ImportTooLarge
from gateway.imports.models import Outcome, RunKind
from gateway.imports.readers import BYTES_MAX
from gateway.imports.runs import RunService
from gateway.imports.schemas import (
    XLSX,
    ClientImportRead,
    ImportRowRead,
    ImportRowWrite,
    ImportRunWrite,
    ImportUndoWrite,
    RowKindText,
    import_read,
    row_read,
)
from gateway.imports.service import ImportService, require_bulk
from gateway.imports.templates import TemplateService
from gateway.jobs.schemas import JobRead, accepted
from gateway.pagination import Page
from gateway.problems import language_of

router = APIRouter(prefix="/v1", tags=["client-imports"])

_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": (
            "The file itself, or a form with the part `file`. What it is is told by its content. At most 5,000 rows, "
            "10 MB, and 100 MB unpacked."
        ),
        "content": {
            XLSX: _BINARY,
            "text/csv": {"schema": {"type": "string"}},
            "application/json": {
                "schema": {
                    "type": "array",
                    "items": {"type": "object"},
                    "examples": [[{"enterprise_number": "0477472701", "name": "Bakkerij Voorbeeld BV"}]],
                }
            },
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}


async def sent_file(request: Request, act: ActDep) -> tuple[bytes, str | None]:
    """Content and name of the file; raises `ImportTooLarge` before more than the limit is read."""
    require_bulk(act)
    if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        async with request.form(max_files=1, max_fields=10) as form:
            part = form.get("file")
            if not isinstance(part, UploadFile):
                raise FileEmpty
            content = await part.read(BYTES_MAX + 1)
            if len(content) > BYTES_MAX:
                raise ImportTooLarge
            return content, part.filename
    content = b""
    async for piece in request.stream():
        content += piece
        if len(content) > BYTES_MAX:
            raise ImportTooLarge
    return content, None


SentFile = Annotated[tuple[bytes, str | None], Depends(sent_file)]


@router.get(
    "/client-import-templates/{language}.xlsx",
    operation_id="get_client_import_template",
    response_class=Response,
    responses={200: {"description": "An Excel workbook.", "content": {XLSX: _BINARY}}, **problem_responses()},
)
def get_client_import_template(
    language: Annotated[str, Path(max_length=10, examples=["nl"])],
    act: ActDep,
    gateway: GatewayDep,
    filled: Annotated[bool, Query(description="With the present clients instead of empty.")] = False,
) -> Response:
    """The template with lists to choose from, in nl, fr, en or de. Sent back unchanged it changes nothing."""
    content = TemplateService(gateway).make(act, language, is_filled=filled)
    headers = {
        "Content-Disposition": f'attachment; filename="sluis-clients-{language}.xlsx"',
        "Cache-Control": "private, no-store",
    }
    return Response(content, media_type=XLSX, headers=headers)


@router.post(
    "/client-imports",
    operation_id="create_client_import",
    status_code=201,
    responses={413: problem_responses(413)[413], **problem_responses()},
    openapi_extra=_BODY,
)
def create_client_import(file: SentFile, act: ActDep, gateway: GatewayDep) -> ClientImportRead:
    """Read a file and sort its rows: a dry run, nothing is changed at any client.

    Rows are `new`, `existing` (with what would change), or `invalid` (with what is wrong in which cell).
    """
    content, name = file
    return import_read(ImportService(gateway).create(act, content, file_name=name))


@router.get("/client-imports", operation_id="list_client_imports", responses=problem_responses(400))
def list_client_imports(act: ActDep, gateway: GatewayDep, page: PageDep) -> Page[ClientImportRead]:
    """Imports, newest first."""
    found, cursor = ImportService(gateway).page(act, page)
    return Page(items=[import_read(view) for view in found], next_cursor=cursor)


@router.get("/client-imports/{import_id}", operation_id="get_client_import", responses=problem_responses())
def get_client_import(import_id: ClientImportId, act: ActDep, gateway: GatewayDep) -> ClientImportRead:
    """One import with its counts and the progress of its newest run."""
    return import_read(ImportService(gateway).get(act, import_id))


@router.get(
    "/client-imports/{import_id}/rows", operation_id="list_client_import_rows", responses=problem_responses(400, 409)
)
def list_client_import_rows(
    *,
    import_id: ClientImportId,
    request: Request,
    act: ActDep,
    gateway: GatewayDep,
    page: PageDep,
    kind: Annotated[RowKindText | None, Query(description="Rows of this kind only.")] = None,
    outcome: Annotated[Outcome | None, Query(description="Rows of which this became.")] = None,
) -> Page[ImportRowRead]:
    """Rows in the order of the file; with `kind=only_here` the clients that the file does not name, by name."""
    found, cursor = ImportService(gateway).rows(act, import_id, page, kind=kind, outcome=outcome)
    language = language_of(request)
    return Page(items=[row_read(view, language) for view in found], next_cursor=cursor)


@router.patch(
    "/client-imports/{import_id}/rows/{number}",
    operation_id="patch_client_import_row",
    responses=problem_responses(409),
)
def patch_client_import_row(
    *, import_id: ClientImportId, number: int, body: ImportRowWrite, request: Request, act: ActDep, gateway: GatewayDep
) -> ImportRowRead:
    """Repair a row in place; it is checked again with all rows that wait, since a key may have had a twin."""
    view = ImportService(gateway).repair(act, import_id, number, body.cells)
    return row_read(view, language_of(request))


@router.post(
    "/client-imports/{import_id}/runs",
    operation_id="create_client_import_run",
    status_code=202,
    responses=problem_responses(409),
)
def create_client_import_run(
    *,
    import_id: ClientImportId,
    body: ImportRunWrite,
    request: Request,
    response: Response,
    act: ActDep,
    gateway: GatewayDep,
) -> JobRead:
    """Import the valid rows, all or those named; sends nothing to anybody. Invalid rows stay to be repaired."""
    _run, job = RunService(gateway).start(act, import_id, numbers=body.rows)
    return accepted(job, request, response)


@router.post(
    "/client-imports/{import_id}/undos",
    operation_id="create_client_import_undo",
    status_code=202,
    responses=problem_responses(409),
)
def create_client_import_undo(
    *,
    import_id: ClientImportId,
    body: ImportUndoWrite,  # noqa: ARG001  an empty object, so that the shape can grow
    request: Request,
    response: Response,
    act: ActDep,
    gateway: GatewayDep,
) -> JobRead:
    """Within 24 hours: remove the clients it made and restore those it changed.

    A client that has a consent, a statement or a payment by now stays; its row says why (`outcome=kept`).
    """
    _run, job = RunService(gateway).start(act, import_id, kind=RunKind.UNDO)
    return accepted(job, request, response)

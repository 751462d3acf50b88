"""Uploading statements of the bank for missing days: send, look what they would add, confirm (STA-19)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from fastapi import Request
from fastapi.responses import Response

from gateway.accounts.service import AccountService
from gateway.api import GatewayDep
from gateway.assembly import Gateway
from gateway.errors import FieldFault, GatewayError
from gateway.foreign_files.sending import files_in
from gateway.i18n import translate
from gateway.identity.rights import Permission
from gateway.ids import ClientId, StatementUploadId, encode
from gateway.offices.service import ClientService
from gateway.pagination import PageRequest
from gateway.statement_uploads.labels import FORMATS, in_words
from gateway.statement_uploads.models import StatementUpload
from gateway.statement_uploads.service import StatementUploadService, UploadView
from gateway.web import reading
from gateway.web.clients import path_of
from gateway.web.rendering import language_of, page, see_other
from gateway.web.routing import page_router
from gateway.web.security import FormDep, PostedDep, Visit, VisitDep

router = page_router()

SHOWN_MAX: Final = 20
ACCOUNTS_MAX: Final = 200
SAID_HERE: Final = (409, 413, 422)


@router.get("/clients/{client_id}/statement-uploads")
def uploads(
    request: Request, client_id: ClientId, gateway: GatewayDep, visit: VisitDep, cursor: str | None = None
) -> Response:
    """What was uploaded, and the form to send more."""
    return _page(request, gateway, visit, client_id, cursor=cursor)


@router.post("/clients/{client_id}/statement-uploads")
def send(request: Request, client_id: ClientId, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """Files that were sent; what they would add is shown before anything is taken in."""
    try:
        view = StatementUploadService(gateway).upload(visit.act, client_id, files_in(form.getlist("files")))
    except GatewayError as error:
        if error.http_status not in SAID_HERE:
            raise
        return _page(request, gateway, visit, client_id, error=error)
    return see_other(request, f"{path_of(client_id)}/statement-uploads#{encode('statement_upload', view.row.id)}")


@router.post("/clients/{client_id}/statement-uploads/{upload_id}")
def confirm(
    *, request: Request, client_id: ClientId, upload_id: StatementUploadId, gateway: GatewayDep, visit: PostedDep
) -> Response:
    """Take in what was shown."""
    try:
        StatementUploadService(gateway).confirm(visit.act, upload_id)
    except GatewayError as error:
        if error.http_status not in SAID_HERE:
            raise
        return _page(request, gateway, visit, client_id, error=error)
    return see_other(request, f"{path_of(client_id)}/statement-uploads#{encode('statement_upload', upload_id)}")


def uploaders(gateway: Gateway, rows: Iterable[StatementUpload]) -> Mapping[UUID, str | None]:
    """Names of the people who sent uploads, by id of the upload; None for one that came through the API."""
    listed = list(rows)
    names = reading.people(gateway, {row.creator_id for row in listed if row.creator_kind == "user"})
    return {row.id: names.get(str(row.creator_id)) for row in listed}


def _page(
    request: Request,
    gateway: Gateway,
    visit: Visit,
    client_id: UUID,
    *,
    cursor: str | None = None,
    error: GatewayError | None = None,
) -> Response:
    act, language = visit.act, language_of(request)
    client = ClientService(gateway).get(act, client_id)
    views: list[UploadView]
    views, next_cursor = StatementUploadService(gateway).page(act, PageRequest(SHOWN_MAX, cursor), client_id=client_id)
    accounts = AccountService(gateway).page(act, PageRequest(ACCOUNTS_MAX, None), client_id=client_id)[0]
    return page(
        request,
        "statement_uploads.html",
        visit=visit,
        status=error.http_status if error is not None else 200,
        error=error,
        said=[_sentence(fault, language) for fault in error.faults] if error is not None else [],
        client=client,
        path=path_of(client_id),
        views=views,
        names=uploaders(gateway, [view.row for view in views]),
        words=lambda fault: in_words(fault, language),
        formats=FORMATS,
        gaps=[(view.account, gap) for view in accounts for gap in view.gaps],
        next_cursor=next_cursor,
        may_change=act.principal.allows(Permission.CLIENTS_WRITE, client_id),
    )


def _sentence(fault: FieldFault, language: str) -> str:
    return translate(language, fault.detail).format_map(dict(fault.parameters))

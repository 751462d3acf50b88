"""REST: uploading statements that fill gaps and histories (STA-19)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from gateway.api import ActDep, GatewayDep, PageDep, problem_responses
from gateway.foreign_files.sending import BODY, SentFiles
from gateway.ids import ClientId, StatementUploadId
from gateway.pagination import Page
from gateway.problems import language_of
from gateway.statement_uploads.schemas import StatementUploadRead
from gateway.statement_uploads.service import StatementUploadService

router = APIRouter(prefix="/v1", tags=["statement-uploads"])

UPLOAD_BODY: dict[str, Any] = {
    "requestBody": {
        **BODY["requestBody"],
        "description": (
            "One CODA, camt.053 or MT940 file, a ZIP of them, or a form with up to 500 parts `files` of either. "
            "At most 16 MB as sent and 100 MB unpacked. What it is is told by its content."
        ),
    }
}


@router.post(
    "/clients/{client_id}/statement-uploads",
    operation_id="create_statement_upload",
    status_code=201,
    responses=problem_responses(409, 413),
    openapi_extra=UPLOAD_BODY,
)
def create_statement_upload(
    client_id: ClientId, files: SentFiles, request: Request, act: ActDep, gateway: GatewayDep
) -> StatementUploadRead:
    """Send statements of the bank for days that it does not give any more; what they would add is shown per account.

    Accounts are found by IBAN and currency. Balances must meet what is known on the day before and on the day after;
    entries that are there already are not doubled. Nothing is taken in before it is confirmed.
    """
    view = StatementUploadService(gateway).upload(act, client_id, files)
    return StatementUploadRead.of(view, language_of(request))


@router.get("/statement-uploads", operation_id="list_statement_uploads", responses=problem_responses(400))
def list_statement_uploads(
    *,
    request: Request,
    act: ActDep,
    gateway: GatewayDep,
    page: PageDep,
    client_id: Annotated[ClientId | None, Query(description="Only accounts of this client.")] = None,
) -> Page[StatementUploadRead]:
    """Uploads, the newest first: who sent what, and what it brought."""
    views, cursor = StatementUploadService(gateway).page(act, page, client_id=client_id)
    return Page(items=[StatementUploadRead.of(view, language_of(request)) for view in views], next_cursor=cursor)


@router.get("/statement-uploads/{upload_id}", operation_id="get_statement_upload", responses=problem_responses())
def get_statement_upload(
    upload_id: StatementUploadId, request: Request, act: ActDep, gateway: GatewayDep
) -> StatementUploadRead:
    """One upload."""
    return StatementUploadRead.of(StatementUploadService(gateway).get(act, upload_id), language_of(request))


@router.post(
    "/statement-uploads/{upload_id}/confirmations",
    operation_id="confirm_statement_upload",
    status_code=201,
    responses=problem_responses(409),
)
def confirm_statement_upload(
    upload_id: StatementUploadId, request: Request, act: ActDep, gateway: GatewayDep
) -> StatementUploadRead:
    """Take in what was shown. Days that become complete are proven and closed like any other; issued files stay.

    Entries of days whose statement is issued go into the next one. Refused (`statement_upload_outdated`) when what is
    there has changed since the files were compared.
    """
    return StatementUploadRead.of(StatementUploadService(gateway).confirm(act, upload_id), language_of(request))

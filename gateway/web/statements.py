"""One statement: its balances, proof, entries and file, and what becomes of one that a package refused (STA-23)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from fastapi import Request
from fastapi.responses import Response

from gateway.accounts.models import Account
from gateway.accounts.repository import AccountRepository
from gateway.api import GatewayDep
from gateway.assembly import Gateway
from gateway.errors import GatewayError, InputError
from gateway.ids import StatementId, encode
from gateway.pagination import PageRequest
from gateway.statement_uploads.repository import UploadRepository
from gateway.statements.models import Statement
from gateway.statements.refusals import RefusalService
from gateway.statements.service import StatementService
from gateway.web.day import download
from gateway.web.rendering import page, see_other
from gateway.web.routing import page_router
from gateway.web.security import FormDep, PostedDep, Visit, VisitDep, text_of
from gateway.web.statement_uploads import uploaders

router = page_router()

ENTRIES_PER_PAGE: Final = 200
MESSAGE_MAX: Final = 500


class MessageMissing(InputError):
    """A refusal without what the package said."""

    code = "message_missing"
    title = "Type what the package said"
    hint = "The message tells whoever looks next which number or account data is to be corrected."


@router.get("/statements/{statement_id}")
def statement(
    request: Request, statement_id: StatementId, gateway: GatewayDep, visit: VisitDep, cursor: str | None = None
) -> Response:
    """One statement with its balances, its proof and its entries."""
    return _page(request, gateway, visit, statement_id, cursor=cursor)


@router.get("/statements/{statement_id}/file")
def statement_file(statement_id: StatementId, gateway: GatewayDep, visit: VisitDep) -> Response:
    """The CODA file as issued."""
    file = StatementService(gateway).content(visit.act, statement_id)
    return download(file.content, file.name, file.sha256)


@router.post("/statements/{statement_id}/refusal")
def mark_refused(
    request: Request, statement_id: StatementId, gateway: GatewayDep, visit: PostedDep, form: FormDep
) -> Response:
    """Note that the package refused it, with its message."""
    message = text_of(form, "message").strip()[:MESSAGE_MAX]
    if not message:
        return _page(request, gateway, visit, statement_id, error=MessageMissing())
    RefusalService(gateway).mark(visit.act, statement_id, message)
    return see_other(request, f"/statements/{encode('statement', statement_id)}#refused")


@router.post("/statements/{statement_id}/withdrawal")
def declare(
    request: Request, statement_id: StatementId, gateway: GatewayDep, visit: PostedDep, form: FormDep
) -> Response:
    """Declare that it and all later ones are in no package; another person of the office confirms."""
    text = text_of(form, "next_number").strip()
    number = int(text) if text.isascii() and text.isdigit() else None
    try:
        RefusalService(gateway).propose(visit.act, statement_id, next_number=number)
    except InputError as error:
        return _page(request, gateway, visit, statement_id, error=error)
    return see_other(request, "/people")


def _page(
    request: Request,
    gateway: Gateway,
    visit: Visit,
    statement_id: UUID,
    *,
    cursor: str | None = None,
    error: GatewayError | None = None,
) -> Response:
    service = StatementService(gateway)
    found = service.get(visit.act, statement_id)
    entries, next_cursor = service.entries(visit.act, statement_id, PageRequest(ENTRIES_PER_PAGE, cursor))
    return page(
        request,
        "statement.html",
        status=error.http_status if error is not None else 200,
        statement=found,
        account=_account(gateway, visit, found),
        entries=entries,
        uploaders=_uploaders(gateway, visit, {row.transaction.upload_id for row in entries}),
        next_cursor=next_cursor,
        error=error,
    )


def _uploaders(gateway: Gateway, visit: Visit, upload_ids: set[UUID | None]) -> Mapping[UUID, str | None]:
    """Who uploaded what, for entries that came out of files (STA-19)."""
    wanted = [upload_id for upload_id in upload_ids if upload_id is not None]
    if not wanted:
        return {}
    with gateway.database.unit_of_work(visit.act.office_id) as session:
        return uploaders(gateway, UploadRepository(session).many(visit.act.office_id, wanted))


def _account(gateway: Gateway, visit: Visit, statement: Statement) -> Account:
    with gateway.database.unit_of_work(visit.act.office_id) as session:
        account = AccountRepository(session).get(visit.act.office_id, statement.account_id)
    assert account is not None, "a statement belongs to an account"
    return account

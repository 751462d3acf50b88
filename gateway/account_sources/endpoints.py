"""REST: the source of an account, and bank-made files that are passed on as they are (CON-17)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from gateway.account_sources.files import BankFileFilter, BankFileService, file_name
from gateway.account_sources.schemas import (
    BankFileRead,
    BankFilesRead,
    ShadowRead,
    SourceRead,
    SourceSwitchRead,
    SourceWrite,
)
from gateway.account_sources.shadow import ShadowService
from gateway.account_sources.states import BankFileState
from gateway.account_sources.switching import SourceService
from gateway.api import ActDep, Day, GatewayDep, PageDep, problem_responses
from gateway.files import FILE_HEADERS, IfNoneMatch, IfRange, Range, file_answer
from gateway.foreign_files.schemas import FileFaultRead
from gateway.foreign_files.sending import BODY, SentFiles
from gateway.ids import AccountId, BankFileId, ClientId
from gateway.pagination import Page
from gateway.problems import language_of

MONTH: Final = timedelta(days=30)

router = APIRouter(prefix="/v1", tags=["account-sources"])


@router.post(
    "/accounts/{account_id}/source-switches",
    operation_id="create_source_switch",
    status_code=201,
    responses=problem_responses(409),
)
def create_source_switch(account_id: AccountId, body: SourceWrite, act: ActDep, gateway: GatewayDep) -> SourceRead:
    """Declare another source from a day on, so that no day has two and none is without one.

    To bank-made files it is the day after our last statement; back to reading, the day after the last bank-made one, at
    whose balance and after whose number ours go on. A known account can be given bank-made files without a consent.
    """
    return SourceRead.of(SourceService(gateway).switch(act, account_id, body.source, body.from_day, reason=body.reason))


@router.get(
    "/accounts/{account_id}/source-switches", operation_id="list_source_switches", responses=problem_responses(400)
)
def list_source_switches(
    account_id: AccountId, act: ActDep, gateway: GatewayDep, page: PageDep
) -> Page[SourceSwitchRead]:
    """The switches of an account's source so far, the newest first, each with its reason."""
    rows, cursor = SourceService(gateway).switches(act, account_id, page)
    return Page(items=[SourceSwitchRead.of(row) for row in rows], next_cursor=cursor)


@router.get(
    "/accounts/{account_id}/shadow-comparison", operation_id="get_shadow_comparison", responses=problem_responses()
)
def get_shadow_comparison(
    *,
    account_id: AccountId,
    request: Request,
    act: ActDep,
    gateway: GatewayDep,
    date_from: Annotated[
        Day | None, Query(alias="from", description="First closing date; default: 30 days before `to`.")
    ] = None,
    date_until: Annotated[
        Day | None, Query(alias="to", description="Last closing date, at most a year after the first; default: today.")
    ] = None,
) -> ShadowRead:
    """Our statements as they would be, beside the bank's own files, day by day; nothing is issued."""
    last = date_until or act.today
    first = date_from or max(last, date.min + MONTH) - MONTH
    report = ShadowService(gateway).compare(act, account_id, first, last)
    return ShadowRead.of(report, language_of(request))


@router.post(
    "/accounts/{account_id}/bank-files",
    operation_id="create_bank_files",
    status_code=201,
    responses=problem_responses(409, 413),
    openapi_extra=BODY,
)
def create_bank_files(
    account_id: AccountId, files: SentFiles, request: Request, act: ActDep, gateway: GatewayDep
) -> BankFilesRead:
    """Send CODA as the bank made it; on days of another source it is held until a person chooses."""
    views, refused = BankFileService(gateway).upload(act, account_id, files)
    language = language_of(request)
    return BankFilesRead(
        items=[BankFileRead.of(view) for view in views],
        refused_files=[FileFaultRead.of(fault.stored(), language) for fault in refused],
    )


@router.get("/bank-files", operation_id="list_bank_files", responses=problem_responses(400))
def list_bank_files(
    *,
    act: ActDep,
    gateway: GatewayDep,
    page: PageDep,
    account_id: Annotated[AccountId | None, Query(description="Only this account.")] = None,
    client_id: Annotated[ClientId | None, Query(description="Only accounts of this client.")] = None,
    state: Annotated[BankFileState | None, Query(description="Only files in this state.")] = None,
) -> Page[BankFileRead]:
    """Bank-made files, the newest first; never among the statements that are made here."""
    wanted = BankFileFilter(account_id, client_id, state)
    views, cursor = BankFileService(gateway).page(act, page, wanted)
    return Page(items=[BankFileRead.of(view) for view in views], next_cursor=cursor)


@router.get("/bank-files/{bank_file_id}", operation_id="get_bank_file", responses=problem_responses())
def get_bank_file(bank_file_id: BankFileId, act: ActDep, gateway: GatewayDep) -> BankFileRead:
    """One bank-made file."""
    return BankFileRead.of(BankFileService(gateway).get(act, bank_file_id))


@router.get(
    "/bank-files/{bank_file_id}/content",
    operation_id="get_bank_file_content",
    response_class=Response,
    responses={
        200: {
            "description": "The file byte for byte as the bank made it.",
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        },
        **FILE_HEADERS,
        **problem_responses(409, 416),
    },
)
def get_bank_file_content(
    *,
    bank_file_id: BankFileId,
    request: Request,
    act: ActDep,
    gateway: GatewayDep,
    _if_none_match: IfNoneMatch = None,
    _range: Range = None,
    _if_range: IfRange = None,
) -> Response:
    """The file that is passed on; 409 `second_source` while it is held, and when it was set aside."""
    view, content = BankFileService(gateway).content(act, bank_file_id)
    return file_answer(
        request,
        content,
        sha256=view.sha256,
        media_type="application/octet-stream",
        name=file_name(view),
        cache="private, no-cache",
    )


@router.post(
    "/bank-files/{bank_file_id}/set-asides",
    operation_id="create_bank_file_set_aside",
    status_code=201,
    responses=problem_responses(409),
)
def create_bank_file_set_aside(bank_file_id: BankFileId, act: ActDep, gateway: GatewayDep) -> BankFileRead:
    """Choose the other source for the days of a held file: it is kept, and not passed on."""
    return BankFileRead.of(BankFileService(gateway).set_aside(act, bank_file_id))

"""Where the statements of an account come from: its source, bank-made files, and switching deliberately (CON-17)."""

from __future__ import annotations

from datetime import date
from typing import Final
from uuid import UUID

from fastapi import Request
from fastapi.responses import Response

from gateway.account_sources.declared import read_source, source_of
from gateway.account_sources.files import BankFileFilter, BankFileService, file_name
from gateway.account_sources.foreseeing import foresee
from gateway.account_sources.states import BANK_MADE, BankFileState, Source
from gateway.account_sources.switching import SourceService
from gateway.accounts.models import Account
from gateway.accounts.service import AccountService
from gateway.api import GatewayDep
from gateway.assembly import Gateway
from gateway.errors import FieldFault, GatewayError, InputError
from gateway.foreign_files.reading import FileFault
from gateway.foreign_files.schemas import in_words
from gateway.foreign_files.sending import files_in
from gateway.i18n import sentence
from gateway.identity.rights import Permission
from gateway.ids import AccountId, BankFileId, encode
from gateway.pagination import PageRequest
from gateway.web import formats
from gateway.web.day import download
from gateway.web.rendering import language_of, page, see_other
from gateway.web.routing import page_router
from gateway.web.security import FormDep, PostedDep, Visit, VisitDep, text_of
from gateway.web.switch_reasons import REASON_MAX, reason_of

router = page_router()

FILES_SHOWN: Final = 100
HELD_SHOWN: Final = 100


@router.get("/accounts/{account_id}/source")
def source(request: Request, account_id: AccountId, gateway: GatewayDep, visit: VisitDep) -> Response:
    """The source and since when, files that wait for a choice, all files, and the switches so far."""
    return _page(request, gateway, visit, account_id)


@router.post("/accounts/{account_id}/source/files")
def send_files(
    request: Request, account_id: AccountId, gateway: GatewayDep, visit: PostedDep, form: FormDep
) -> Response:
    """Bank-made files that were dropped; what was not taken is said on the same page."""
    try:
        _views, refused = BankFileService(gateway).upload(visit.act, account_id, files_in(form.getlist("files")))
    except GatewayError as error:
        if error.http_status not in (409, 413, 422):
            raise
        return _page(request, gateway, visit, account_id, error=error)
    if refused:
        return _page(request, gateway, visit, account_id, refused=refused)
    return see_other(request, f"{_path(account_id)}#files")


@router.post("/bank-files/{bank_file_id}/set-aside")
def set_aside(request: Request, bank_file_id: BankFileId, gateway: GatewayDep, visit: PostedDep) -> Response:
    """For the days of this file the other source is chosen."""
    view = BankFileService(gateway).set_aside(visit.act, bank_file_id)
    return see_other(request, f"{_path(view.row.account_id)}#held")


@router.get("/bank-files/{bank_file_id}/file")
def bank_file(bank_file_id: BankFileId, gateway: GatewayDep, visit: VisitDep) -> Response:
    """The file as the bank made it."""
    view, content = BankFileService(gateway).content(visit.act, bank_file_id)
    return download(content, file_name(view), view.sha256)


@router.get("/accounts/{account_id}/source/switch")
def look_at_switch(request: Request, account_id: AccountId, gateway: GatewayDep, visit: VisitDep) -> Response:
    """What a switch would do; `source` and `from` are in the address. Nothing is changed."""
    account = AccountService(gateway).get(visit.act, account_id).account
    try:
        chosen, day = _wanted(account, request.query_params.get("source", ""), request.query_params.get("from", ""))
    except InputError as error:
        return _page(request, gateway, visit, account_id, error=error)
    return _switch_page(request, gateway, visit, account, (chosen, day))


@router.post("/accounts/{account_id}/source/switch")
def switch(request: Request, account_id: AccountId, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """Switch, with the reason."""
    account = AccountService(gateway).get(visit.act, account_id).account
    chosen, day = _wanted(account, text_of(form, "source"), text_of(form, "from"))
    try:
        SourceService(gateway).switch(visit.act, account_id, chosen, day, reason=reason_of(form))
    except GatewayError as error:
        if error.http_status not in (409, 422):
            raise
        return _switch_page(request, gateway, visit, account, (chosen, day), error=error)
    return see_other(request, _path(account_id))


def _wanted(account: Account, given: str, day_text: str) -> tuple[Source, date]:
    """The source and day that are asked for: a bank-made one, or the one by which the account is read."""
    day = formats.parse_day(day_text)
    possible = {str(each): each for each in (*BANK_MADE, read_source(account))}
    if given not in possible:
        raise InputError(faults=[FieldFault("/source", "choice_invalid", "Choose from the list.")])
    if day is None:
        raise InputError(faults=[FieldFault("/from", "day_invalid", "Give a day.")])
    return possible[given], day


def _path(account_id: UUID) -> str:
    return f"/accounts/{encode('account', account_id)}/source"


def _switch_page(
    request: Request,
    gateway: Gateway,
    visit: Visit,
    account: Account,
    wanted: tuple[Source, date],
    *,
    error: GatewayError | None = None,
) -> Response:
    chosen, day = wanted
    foreseen = None
    try:
        foreseen = foresee(gateway, visit.act, account.id, chosen, day)
    except GatewayError as refusal:
        if refusal.http_status not in (409, 422):
            raise
        error = error or refusal
    return page(
        request,
        "account_switch.html",
        visit=visit,
        status=error.http_status if error is not None else 200,
        error=error,
        detail=_detail(request, error),
        account=account,
        present=source_of(account),
        chosen=chosen,
        day=day,
        foreseen=foreseen,
        is_to_files=chosen in BANK_MADE,
        reason_max=REASON_MAX,
    )


def _page(
    request: Request,
    gateway: Gateway,
    visit: Visit,
    account_id: UUID,
    *,
    error: GatewayError | None = None,
    refused: list[FileFault] | None = None,
) -> Response:
    act, language = visit.act, language_of(request)
    account = AccountService(gateway).get(act, account_id).account
    files, sources = BankFileService(gateway), SourceService(gateway)
    held, _next = files.page(
        act, PageRequest(HELD_SHOWN, None), BankFileFilter(account_id=account_id, state=BankFileState.HELD)
    )
    shown, more = files.page(act, PageRequest(FILES_SHOWN, None), BankFileFilter(account_id=account_id))
    switches, _more = sources.switches(act, account_id, PageRequest(FILES_SHOWN, None))
    possible = [each for each in (read_source(account), *sorted(BANK_MADE)) if each is not source_of(account)]
    if account.consent_id is None:
        possible = [each for each in possible if each in BANK_MADE]
    return page(
        request,
        "account_source.html",
        visit=visit,
        status=error.http_status if error is not None else 200,
        error=error,
        detail=_detail(request, error),
        said=[sentence(language, fault.detail, fault.parameters) for fault in error.faults] if error else [],
        refused=[in_words(fault.stored(), language) for fault in refused or ()],
        account=account,
        present=source_of(account),
        is_fed=account.bank_made_source is not None,
        held=sorted(held, key=lambda view: view.row.first_day),
        files=shown,
        has_more=more is not None,
        switches=switches,
        possible=possible,
        first_days={each: sources.first_day_of(act, account, each) for each in possible},
        today=act.today,
        may_change=act.principal.allows(Permission.CLIENTS_WRITE, account.client_id) and account.moved_on is None,
    )


def _detail(request: Request, error: GatewayError | None) -> str:
    return sentence(language_of(request), error.detail, error.parameters) if error is not None and error.detail else ""

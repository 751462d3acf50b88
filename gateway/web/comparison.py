"""Our days beside the bank's own files, and switching over from a day on (STA-21)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from fastapi import Request
from fastapi.responses import Response

from gateway.account_sources.declared import read_source
from gateway.account_sources.shadow import ShadowReport, ShadowService
from gateway.account_sources.switching import SourceService
from gateway.accounts.models import Account
from gateway.accounts.service import AccountService
from gateway.api import GatewayDep
from gateway.assembly import Gateway
from gateway.errors import FieldFault, GatewayError, InputError, PeriodInvalid
from gateway.i18n import sentence
from gateway.identity.rights import Permission
from gateway.ids import AccountId, encode
from gateway.web import formats
from gateway.web.rendering import language_of, page, see_other
from gateway.web.routing import page_router
from gateway.web.security import FormDep, PostedDep, Visit, VisitDep, text_of
from gateway.web.switch_reasons import REASON_MAX, reason_of

router = page_router()

PERIOD_DAYS: Final = 31
DIFFERENCES_MAX: Final = 200
"""Shown of one day; the API gives all of them."""


@router.get("/accounts/{account_id}/comparison")
def comparison(request: Request, account_id: AccountId, gateway: GatewayDep, visit: VisitDep) -> Response:
    """A period day by day; `from` and `to` are closing days, the last 31 days without them."""
    last = formats.parse_day(request.query_params.get("to", "")) or visit.act.today - timedelta(days=1)
    first = formats.parse_day(request.query_params.get("from", "")) or last - timedelta(days=PERIOD_DAYS - 1)
    return _page(request, gateway, visit, account_id, (first, last))


@router.post("/accounts/{account_id}/comparison")
def switch_over(
    request: Request, account_id: AccountId, gateway: GatewayDep, visit: PostedDep, form: FormDep
) -> Response:
    """From this day on statements are made here; refused while the day is not proven."""
    last = visit.act.today - timedelta(days=1)
    first = last - timedelta(days=PERIOD_DAYS - 1)
    account = AccountService(gateway).get(visit.act, account_id).account
    try:
        day = formats.parse_day(text_of(form, "from_day"))
        if day is None:
            raise InputError(faults=[FieldFault("/from_day", "day_invalid", "Give a day.")])
        SourceService(gateway).switch(visit.act, account_id, read_source(account), day, reason=reason_of(form))
    except GatewayError as error:
        if error.http_status not in (409, 422):
            raise
        return _page(request, gateway, visit, account_id, (first, last), error=error)
    return see_other(request, f"/accounts/{encode('account', account_id)}/comparison")


def _page(
    request: Request,
    gateway: Gateway,
    visit: Visit,
    account_id: UUID,
    period: tuple[date, date],
    *,
    error: GatewayError | None = None,
) -> Response:
    first, last = period
    account = AccountService(gateway).get(visit.act, account_id).account
    report: ShadowReport | None = None
    try:
        report = ShadowService(gateway).compare(visit.act, account_id, first, last)
    except PeriodInvalid as invalid:
        error = error or invalid
    language = language_of(request)
    may_switch = account.bank_made_source is not None and visit.act.principal.allows(
        Permission.CLIENTS_WRITE, account.client_id
    )
    return page(
        request,
        "account_comparison.html",
        visit=visit,
        status=error.http_status if error is not None else 200,
        error=error,
        detail=sentence(language, error.detail, error.parameters) if error is not None and error.detail else "",
        account=account,
        first=first,
        last=last,
        report=report,
        said=report.sentence(language) if report is not None else "",
        shown=lambda field, text: shown(account, field, text),
        differences_max=DIFFERENCES_MAX,
        reason_max=REASON_MAX,
        may_switch=may_switch,
        switch_day=SourceService(gateway).first_day_of(visit.act, account, read_source(account))
        if may_switch
        else None,
    )


def shown(account: Account, field: str, text: str) -> str:
    """A value of the comparison as people read it: Belgian amounts and days, everything else as it stands."""
    if not text:
        return "–"
    name = field.removeprefix("movement.")
    if name.endswith(("balance", "amount")) or name == "movement":
        return formats.money(Decimal(text), account.currency)
    if name.endswith("_date"):
        return formats.day(date.fromisoformat(text))
    return text

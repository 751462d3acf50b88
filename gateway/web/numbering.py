"""Taking over the numbering of an account's former source: drop the last files, look, confirm; or type it (STA-20)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from fastapi import Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from gateway.accounts.service import AccountService
from gateway.api import GatewayDep
from gateway.assembly import Gateway
from gateway.errors import FieldFault, GatewayError, InputError
from gateway.foreign_files.reading import FileFault
from gateway.foreign_files.schemas import in_words
from gateway.foreign_files.sending import files_in
from gateway.foreign_files.service import HandoverService, TypedNumbering
from gateway.i18n import translate
from gateway.identity.rights import Permission
from gateway.ids import ClientId, NumberingHandoverId
from gateway.offices.service import ClientService
from gateway.pagination import PageRequest
from gateway.profiles.service import KnownAccountService
from gateway.web.clients import path_of
from gateway.web.rendering import language_of, page, see_other
from gateway.web.routing import page_router
from gateway.web.security import FormDep, PostedDep, Visit, VisitDep, text_of

router = page_router()

NUMBER_KEYS = ("coda", "paper")
ACCOUNTS_MAX = 200


@router.get("/clients/{client_id}/numbering")
def numbering(request: Request, client_id: ClientId, gateway: GatewayDep, visit: VisitDep) -> Response:
    """What stands for each account, and both ways to hand over."""
    return _page(request, gateway, visit, client_id)


@router.post("/clients/{client_id}/numbering")
def drop(request: Request, client_id: ClientId, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """Files that were dropped; what was not taken is said on the same page."""
    try:
        dropped = HandoverService(gateway).drop(
            visit.act, client_id, files_in(form.getlist("files")), number_key=_key(form)
        )
    except GatewayError as error:
        if not _said_here(error):
            raise
        return _page(request, gateway, visit, client_id, error=error)
    if dropped.refused:
        return _page(request, gateway, visit, client_id, refused=dropped.refused)
    return see_other(request, f"{path_of(client_id)}/numbering")


@router.post("/clients/{client_id}/numbering/typed")
def type_in(request: Request, client_id: ClientId, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """Number, day and balance as a person reads them."""
    try:
        HandoverService(gateway).type_in(visit.act, client_id, _typed(form), number_key=_key(form))
    except GatewayError as error:
        if not _said_here(error):
            raise
        return _page(request, gateway, visit, client_id, error=error)
    return see_other(request, f"{path_of(client_id)}/numbering")


@router.post("/clients/{client_id}/numbering/{handover_id}")
def confirm(
    *, request: Request, client_id: ClientId, handover_id: NumberingHandoverId, gateway: GatewayDep, visit: PostedDep
) -> Response:
    """Let statements go on from there."""
    try:
        HandoverService(gateway).confirm(visit.act, handover_id)
    except GatewayError as error:
        if not _said_here(error):
            raise
        return _page(request, gateway, visit, client_id, error=error)
    return see_other(request, f"{path_of(client_id)}/numbering")


def _said_here(error: GatewayError) -> bool:
    return error.http_status in (409, 413, 422)


def _key(form: FormData) -> str | None:
    chosen = text_of(form, "number_key")
    return chosen if chosen in NUMBER_KEYS else None


def _typed(form: FormData) -> TypedNumbering:
    number = text_of(form, "number")
    if not number.isdecimal() or not 1 <= int(number) <= 999:
        raise InputError(faults=[FieldFault("/number", "number_invalid", "Give a number from 1 to 999.")])
    iban, _sep, currency = text_of(form, "account").partition("/")
    return TypedNumbering(
        iban, currency or "EUR", int(number), _day(text_of(form, "closing_date")), _amount(text_of(form, "balance"))
    )


def _day(given: str) -> date:
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise InputError(faults=[FieldFault("/closing_date", "day_invalid", "Give a day.")]) from None


def _amount(given: str) -> Decimal:
    """An amount as people write it: 1.250,00 or 1250.00, with a minus sign when it is overdrawn."""
    compact = given.replace(" ", "").replace("\u00a0", "")
    if "," in compact:
        compact = compact.replace(".", "").replace(",", ".")
    try:
        amount = Decimal(compact)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount != amount.quantize(Decimal("0.01")) or abs(amount) >= Decimal(10) ** 12:
        raise InputError(faults=[FieldFault("/balance", "amount_invalid", "Give an amount such as 1.250,00.")])
    return amount


def _page(
    request: Request,
    gateway: Gateway,
    visit: Visit,
    client_id: UUID,
    *,
    error: GatewayError | None = None,
    refused: Sequence[FileFault] = (),
) -> Response:
    act, language = visit.act, language_of(request)
    client = ClientService(gateway).get(act, client_id)
    everything = PageRequest(ACCOUNTS_MAX, None)
    accounts = {
        (view.account.iban, view.account.currency): view.account.alias
        for view in AccountService(gateway).page(act, everything, client_id=client_id)[0]
        if view.account.moved_on is None
    }
    known = {
        (row.iban, "EUR"): row.alias
        for row in KnownAccountService(gateway).page(act, everything, client_id=client_id)[0]
    }
    rows = HandoverService(gateway).present(act, client_id)
    return page(
        request,
        "numbering.html",
        visit=visit,
        status=error.http_status if error is not None else 200,
        error=error,
        said=[_sentence(fault, language) for fault in error.faults] if error is not None else [],
        refused=[in_words(fault.stored(), language) for fault in refused],
        client=client,
        path=path_of(client_id),
        rows=[(row, [in_words(fault, language) for fault in row.faults]) for row in rows],
        accounts=sorted({**known, **accounts}.items()),
        may_change=act.principal.allows(Permission.CLIENTS_WRITE, client_id),
        today=act.today,
    )


def _sentence(fault: FieldFault, language: str) -> tuple[str, str]:
    values: dict[str, Any] = dict(fault.parameters)
    detail, hint = (translate(language, text) if text else "" for text in (fault.detail, fault.hint))
    return (detail.format_map(values) if values else detail, hint)

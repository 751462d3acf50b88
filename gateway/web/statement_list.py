"""Statements found by account, period, number, state and amount; those ticked, or all, in one download (STA-22)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from fastapi import Request
from fastapi.responses import Response
from sqlmodel import col, select
from starlette.datastructures import QueryParams

from gateway.accounts.models import Account
from gateway.accounts.service import AccountService
from gateway.api import GatewayDep
from gateway.assembly import Gateway
from gateway.database import one_of
from gateway.errors import GatewayError, InputError, NotFound
from gateway.i18n import sentence
from gateway.identity.rights import Permission
from gateway.ids import decode, encode
from gateway.offices.models import Client
from gateway.offices.service import clients_open
from gateway.pagination import PageRequest
from gateway.statement_downloads.endpoints import streamed
from gateway.statement_downloads.errors import NoStatements
from gateway.statement_downloads.periods import days_of
from gateway.statement_downloads.selection import SELECTED_MAX, STATEMENTS_MAX
from gateway.statement_downloads.service import Download, DownloadService
from gateway.statements.models import Statement
from gateway.statements.service import StatementFilter, StatementService
from gateway.statements.states import StatementState
from gateway.web import formats
from gateway.web.rendering import language_of, page
from gateway.web.routing import page_router
from gateway.web.security import Visit, VisitDep

router = page_router()

PER_PAGE: Final = 50
CLIENTS_MAX: Final = 500
ACCOUNTS_MAX: Final = 200
PARTS: Final = ("client", "account", "period", "from", "to", "number", "state", "amount")
SHOWN_STATES: Final = (
    StatementState.ISSUED,
    StatementState.HELD,
    StatementState.LEFT_OUT,
    StatementState.WITHDRAWN,
)
FORMS: Final = ("files", "joined")


class NothingTicked(InputError):
    """A download of a selection that is empty."""

    code = "nothing_ticked"
    title = "Tick at least one statement"
    hint = "Or download everything that was found."


class FilterInvalid(InputError):
    """A part of the search that cannot be understood."""

    code = "filter_invalid"
    title = "The search cannot be understood"
    hint = (
        "A period is a year, quarter or month such as 2026, 2026-Q4 or 2026-11; a number 1 to 999; an amount 1.250,00."
    )


@dataclass(frozen=True, slots=True)
class Found:
    """One page of what was found."""

    rows: Sequence[Statement]
    next_cursor: str | None
    accounts: Mapping[UUID, Account]
    clients: Mapping[UUID, str]


@router.get("/statements")
def statements(request: Request, gateway: GatewayDep, visit: VisitDep) -> Response:
    """The search and what it finds, the newest first."""
    return _page(request, gateway, visit)


@router.get("/statements/archive")
def download(request: Request, gateway: GatewayDep, visit: VisitDep) -> Response:
    """The ticked ones (`what=ticked`), or all that the search finds: a ZIP, or one file for one account."""
    params = request.query_params
    try:
        return streamed(_download(gateway, visit, params))
    except GatewayError as error:
        is_foreign = isinstance(error, NotFound) and not isinstance(error, NoStatements)
        if is_foreign or error.http_status not in (404, 409, 422):
            raise
        return _page(request, gateway, visit, error=error)


def _download(gateway: Gateway, visit: Visit, params: QueryParams) -> Download:
    wanted, ids = _wanted(params), []
    if params.get("what") == "ticked":
        ids = [_id("statement", text) for text in params.getlist("statement")[:SELECTED_MAX]]
        if not ids:
            raise NothingTicked
        # What is ticked is what is meant, whatever else the search says.
        wanted = StatementFilter()
    service = DownloadService(gateway)
    if params.get("form") == "joined" and wanted.account_id is not None:
        return service.one_file(visit.act, wanted, ids)
    made = service.zipped(visit.act, wanted, ids, is_joined=params.get("form") == "joined")
    if not made.statements_count:
        raise NoStatements
    return made


def _wanted(params: QueryParams) -> StatementFilter:
    """The search as a filter; raises `FilterInvalid`, and `NotFound` for what is no id."""
    given = {name: params.get(name, "").strip() for name in PARTS}
    first, last = _days(given)
    number, amount = given["number"], formats.parse_amount(given["amount"].removeprefix("-"))
    if number and not (number.isascii() and number.isdigit() and 1 <= int(number) <= 999):
        raise FilterInvalid
    if given["amount"] and amount is None:
        raise FilterInvalid
    if given["state"] and given["state"] not in set(StatementState):
        raise FilterInvalid
    return StatementFilter(
        account_id=_id("account", given["account"]) if given["account"] else None,
        client_id=_id("client", given["client"]) if given["client"] else None,
        date_from=first,
        date_until=last,
        state=StatementState(given["state"]) if given["state"] else None,
        number=int(number) if number else None,
        amount=amount,
    )


def _days(given: Mapping[str, str]) -> tuple[date | None, date | None]:
    first, last = None, None
    if given["period"]:
        days = days_of(given["period"].upper())
        if days is None:
            raise FilterInvalid
        first, last = days
    begin, end = (formats.parse_day(given[name]) for name in ("from", "to"))
    if (given["from"] and begin is None) or (given["to"] and end is None):
        raise FilterInvalid
    return max(filter(None, (first, begin)), default=None), min(filter(None, (last, end)), default=None)


def _id(kind: str, text: str) -> UUID:
    try:
        return decode(kind, text)
    except ValueError:
        raise NotFound from None


def _page(request: Request, gateway: Gateway, visit: Visit, *, error: GatewayError | None = None) -> Response:
    params = request.query_params
    wanted, found = StatementFilter(), None
    try:
        wanted = _wanted(params)
        found = _found(gateway, visit, wanted, params.get("cursor"))
    except FilterInvalid as invalid:
        error = error or invalid
    given = {name: params.get(name, "").strip() for name in PARTS}
    language = language_of(request)
    return page(
        request,
        "statement_list.html",
        visit=visit,
        status=error.http_status if error is not None else 200,
        error=error,
        detail=sentence(language, error.detail, error.parameters) if error is not None and error.detail else "",
        given=given,
        kept={name: value for name, value in given.items() if value},
        found=found,
        clients=_clients(gateway, visit),
        accounts=_accounts(gateway, visit, wanted.client_id),
        states=SHOWN_STATES,
        statements_max=STATEMENTS_MAX,
        months=_months(visit.act.today),
    )


def _found(gateway: Gateway, visit: Visit, wanted: StatementFilter, cursor: str | None) -> Found:
    rows, next_cursor = StatementService(gateway).page(visit.act, PageRequest(PER_PAGE, cursor), wanted)
    with gateway.database.unit_of_work(visit.act.office_id) as session:
        accounts = session.exec(
            select(Account).where(
                Account.office_id == visit.act.office_id, one_of(col(Account.id), {row.account_id for row in rows})
            )
        ).all()
        clients = session.exec(
            select(Client.id, Client.name).where(
                Client.office_id == visit.act.office_id, one_of(col(Client.id), {row.client_id for row in rows})
            )
        ).all()
    return Found(rows, next_cursor, {row.id: row for row in accounts}, dict(clients))


def _clients(gateway: Gateway, visit: Visit) -> Sequence[tuple[str, str]]:
    """Ids and names to choose from, by name."""
    with gateway.database.unit_of_work(visit.act.office_id) as session:
        granted = clients_open(session, visit.act, Permission.STATEMENTS_READ)
        rows = session.exec(granted.order_by(col(Client.name), col(Client.id)).limit(CLIENTS_MAX)).all()
    return [(encode("client", row.id), row.name) for row in rows]


def _accounts(gateway: Gateway, visit: Visit, client_id: UUID | None) -> list[Any]:
    """Accounts of the client that is chosen."""
    if client_id is None:
        return []
    views, _cursor = AccountService(gateway).page(visit.act, PageRequest(ACCOUNTS_MAX, None), client_id=client_id)
    return [view.account for view in views]


def _months(today: date) -> list[str]:
    """Periods to choose from: this year and the last, their quarters and months that have begun, the newest first."""
    found: list[str] = []
    for year in (today.year, today.year - 1):
        last = today.month if year == today.year else 12
        found.append(f"{year}")
        found += [f"{year}-Q{quarter}" for quarter in range((last + 2) // 3, 0, -1)]
        found += [f"{year}-{month:02d}" for month in range(last, 0, -1)]
    return found

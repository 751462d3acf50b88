"""The calendar of an account: what became of each day of a month, and what to do about it (STA-02, SYN-15)."""

from __future__ import annotations

import base64
from calendar import Calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from fastapi import Request
from fastapi.responses import Response
from starlette.datastructures import UploadFile

from gateway.account_sources.covered import CoveringFile
from gateway.accounts.health import NEXT_STEPS
from gateway.accounts.models import Account
from gateway.accounts.service import AccountService
from gateway.api import GatewayDep
from gateway.assembly import Gateway
from gateway.errors import GatewayError, InputError
from gateway.i18n import _
from gateway.ids import AccountId, encode
from gateway.offices.numbers import DOCUMENT_BYTES_MAX, DocumentRefused
from gateway.pagination import PageRequest
from gateway.statements.errors import RestartDayInvalid
from gateway.statements.models import AccountDay, Statement
from gateway.statements.restarts import RestartService
from gateway.statements.service import DayView, StatementFilter, StatementService
from gateway.statements.states import DayState, Proof
from gateway.web.formats import parse_amount
from gateway.web.rendering import page, see_other
from gateway.web.routing import page_router
from gateway.web.security import FormDep, PostedDep, Visit, VisitDep, text_of

router = page_router()

STATEMENTS_MAX: Final = 500
"""More than a month has, unless its days have more than 9,999 entries each."""
MONTHS_FROM: Final = date(2000, 1, 1)
TONES: Final[Mapping[str, str]] = {
    DayState.STATEMENT: "good",
    DayState.NO_ENTRIES: "calm",
    DayState.HELD: "bad",
    DayState.SOURCE_FAILED: "bad",
    DayState.LEFT_OUT: "bad",
}
STEPS: Final[Mapping[str, str]] = {
    "difference": _(
        "A longer period is read once by itself. If it stays, open the statement: it names both balances and what may "
        "explain them."
    ),
    "awaiting_bank_balance": _("Nothing: the next reading brings a balance of the bank."),
    "waits_for_earlier": _("Solve the first red day before it; this one follows by itself."),
    "no_bank_balance": _(
        "Let the chain begin at a balance on a document of the bank, or ask the bank for booked balances."
    ),
    "numbers_exhausted": _("Nothing until the first of January, when numbers begin anew."),
    "file_refused": _("Correct the data of the client or account that the statement names."),
    "restarted": _("Book these entries by hand: they are on no file, and in the balance from which the chain goes on."),
    "second_source": _("Send the bank’s file of this day, or switch the source of the account."),
    "awaiting_bank_file": _("Send the bank’s file of this day once it is there, or switch the source of the account."),
    "bank_file_missing": _("Ask for the bank’s file of these days and send it: the next one opens at another balance."),
    "not_read_yet": _("Have the account read, and see whether its permission still holds."),
    "computed": _("Nothing: the next balance of the bank that agrees proves this day too."),
}
"""What to do, by the cause of a day; the causes of a failed reading have those of the account's health."""


class BalanceMissing(InputError):
    """No balance was typed, or none that is an amount."""

    code = "balance_missing"
    title = "Type the balance as it stands on the document"
    hint = "For example 1.250,00, or -1.250,00 for a debit balance."


@dataclass(frozen=True, slots=True)
class Cell:
    """One day of the month."""

    day: date
    row: AccountDay | None
    """None: not over yet."""
    statements: Sequence[Statement] = ()
    file: CoveringFile | None = None
    """The bank-made one that proves the day."""

    @property
    def tone(self) -> str:
        """`good`, `calm` (nothing happened), `bad`, `wait` (computed), or nothing where nothing is to be shown."""
        if self.row is None:
            return ""
        return "wait" if self.row.proof == Proof.COMPUTED else TONES.get(self.row.state, "")

    @property
    def cause(self) -> str | None:
        """Stable code of why it is not proven by a balance of its own."""
        if self.row is None:
            return None
        return "computed" if self.row.proof == Proof.COMPUTED else self.row.cause

    @property
    def step(self) -> str | None:
        """What to do about it, as a message id."""
        code = self.cause or ""
        return STEPS.get(code) or NEXT_STEPS.get(code)

    @property
    def is_told(self) -> bool:
        """Whether there is something to say of it below the month."""
        if self.row is None:
            return False
        return self.tone in {"bad", "wait"} or self.row.is_restarted or bool(self.row.late_count)


@dataclass(frozen=True, slots=True)
class Told:
    """What is said below the month of one day, or of days in a row of which the same is to be said."""

    cell: Cell
    until: date

    def takes(self, cell: Cell) -> bool:
        """Whether the next day is of the same kind."""
        assert self.cell.row is not None, "only days that are over are told"
        assert cell.row is not None, "as above"
        alike = (self.cell.row.state, self.cell.cause) == (cell.row.state, cell.cause)
        is_plain = not (self.cell.statements or cell.statements or self.cell.row.is_restarted or cell.row.is_restarted)
        return alike and is_plain and self.until + timedelta(days=1) == cell.day


@router.get("/accounts/{account_id}/days")
def account_days(
    request: Request,
    account_id: AccountId,
    gateway: GatewayDep,
    visit: VisitDep,
    *,
    month: str = "",
    asked: str = "",
) -> Response:
    """A month of an account; `month` is `2026-11`, the present one without it."""
    return _page(request, gateway, visit, account_id, month, is_asked=asked == "1")


@router.post("/accounts/{account_id}/restarts")
def propose_restart(
    request: Request, account_id: AccountId, gateway: GatewayDep, visit: PostedDep, form: FormDep
) -> Response:
    """Propose to go on from a balance on a document of the bank (STA-03); another person of the office confirms."""
    sent = form.get("document")
    content = b""
    if isinstance(sent, UploadFile):
        content = sent.file.read(DOCUMENT_BYTES_MAX + 1)
        sent.file.close()
    account = AccountService(gateway).get(visit.act, account_id).account
    amount = parse_amount(text_of(form, "balance"))
    month = text_of(form, "day")[:7]
    try:
        last = _day(text_of(form, "day"))
        if amount is None:
            raise BalanceMissing
        RestartService(gateway).propose(
            visit.act, account_id, day=last, balance=amount, currency=account.currency,
            document=base64.b64encode(content).decode(),
        )  # fmt: skip
    except (DocumentRefused, BalanceMissing, RestartDayInvalid) as error:
        return _page(request, gateway, visit, account_id, month, error=error)
    return see_other(request, f"/accounts/{encode('account', account_id)}/days?month={month}&asked=1")


def _page(
    request: Request,
    gateway: Gateway,
    visit: Visit,
    account_id: UUID,
    month: str,
    *,
    error: GatewayError | None = None,
    is_asked: bool = False,
) -> Response:
    view = AccountService(gateway).get(visit.act, account_id)
    first = _first(month, visit.act.today)
    weeks = _weeks(gateway, visit, view.account, first)
    cells = [cell for week in weeks for cell in week if cell is not None]
    told = _told(cells)
    held = [cell.day for cell in cells if cell.row is not None and cell.row.state == DayState.HELD]
    return page(
        request,
        "account_days.html",
        status=error.http_status if error is not None else 200,
        account=view.account,
        next_step=view.next_step,
        month=first,
        before=first - timedelta(days=1),
        after=_next(first) if _next(first) <= visit.act.today else None,
        weeks=weeks,
        told=told,
        of_files=_of_files(cells),
        anchors={one.cell.day + timedelta(days=n): one.cell.day for one in told for n in range(_length(one))},
        last_held=max(held, default=None),
        is_asked=is_asked,
        error=error,
    )


def _told(cells: Sequence[Cell]) -> list[Told]:
    told: list[Told] = []
    for cell in cells:
        if not cell.is_told:
            continue
        if told and told[-1].takes(cell):
            told[-1] = Told(told[-1].cell, cell.day)
        else:
            told.append(Told(cell, cell.day))
    return told


def _of_files(cells: Sequence[Cell]) -> list[tuple[CoveringFile, list[date]]]:
    """The bank-made files of the month, each with its days."""
    found: dict[UUID, tuple[CoveringFile, list[date]]] = {}
    for cell in cells:
        if cell.file is not None:
            found.setdefault(cell.file.bank_file_id, (cell.file, []))[1].append(cell.day)
    return list(found.values())


def _length(told: Told) -> int:
    return (told.until - told.cell.day).days + 1


def _weeks(gateway: Gateway, visit: Visit, account: Account, first: date) -> list[list[Cell | None]]:
    """Weeks from Monday; None beside the month."""
    last = _next(first) - timedelta(days=1)
    service = StatementService(gateway)
    views = {view.row.day: view for view in service.calendar(visit.act, account, first, last)}
    wanted = StatementFilter(account_id=account.id, date_from=first, date_until=last)
    statements, _cursor = service.page(visit.act, PageRequest(STATEMENTS_MAX, None), wanted)
    weeks = Calendar().monthdatescalendar(first.year, first.month)
    return [
        [
            _cell(day, views.get(day), [row for row in statements if row.day == day][::-1])
            if day.month == first.month
            else None
            for day in week
        ]
        for week in weeks
    ]


def _cell(day: date, view: DayView | None, statements: Sequence[Statement]) -> Cell:
    return Cell(day, view.row, statements, view.file) if view is not None else Cell(day, None, statements)


def _first(month: str, today: date) -> date:
    """The first of the month that is asked for; of the present one when it is none or lies ahead."""
    try:
        asked = date.fromisoformat(f"{month}-01")
    except ValueError:
        return today.replace(day=1)
    return asked if MONTHS_FROM <= asked <= today else today.replace(day=1)


def _next(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RestartDayInvalid(first_day=None, last_day=None) from None

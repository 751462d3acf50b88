"""Shadow comparison: what our statements would have said beside the bank's own files, day by day (STA-21).

Nothing is stored, numbered or delivered: the days are proven and written as they would be, and compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session, col, select

import coda
from coda.compare import DayComparison, MovementComparison
from gateway.account_sources.anew import MadeDay, made_anew
from gateway.accounts.errors import AccountNotFound
from gateway.accounts.models import Account
from gateway.accounts.repository import AccountRepository
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.errors import NotFound, PeriodInvalid
from gateway.foreign_files.models import ForeignFile, ForeignStatement
from gateway.foreign_files.reading import iban_of
from gateway.i18n import _, sentence
from gateway.identity.rights import Permission
from gateway.offices.service import require_client
from gateway.statements.states import StatementState

DAYS_MAX: Final = 366
IDENTICAL: Final = ("identical", "identical_in_amounts")
SENTENCE: Final = _("{same} of {count} days identical in amounts")
SENTENCE_ONE: Final = _("{same} of 1 day identical in amounts")
SENTENCE_NONE: Final = _("There is nothing to compare in this period")


@dataclass(frozen=True, slots=True)
class DayDifference:
    """One thing that differs; "" where one side has nothing."""

    field: str
    ours: str
    theirs: str
    amount: Decimal | None = None
    """Of the movement it is about; None where it is about the day."""


@dataclass(frozen=True, slots=True)
class ShadowDay:
    """One day on which either side has a statement."""

    day: date
    outcome: str
    """`identical`, `identical_in_amounts` or `different`."""
    state: StatementState | None
    """Of ours: `compared`, or `held` with its `hold_code`; None where we have read no such day."""
    hold_code: str | None
    ours_count: int
    theirs_count: int
    is_in_ours: bool
    is_in_theirs: bool
    differences: tuple[DayDifference, ...]

    @property
    def is_proven(self) -> bool:
        """Whether our day proves against the bank's balances."""
        return self.state is StatementState.COMPARED


@dataclass(frozen=True, slots=True)
class ShadowReport:
    """A period of one account."""

    account: Account
    first: date
    last: date
    days: tuple[ShadowDay, ...]

    @property
    def same(self) -> int:
        """Days whose balances and amounts are alike."""
        return sum(day.outcome in IDENTICAL for day in self.days)

    @property
    def identical(self) -> int:
        """Days that are alike in everything."""
        return sum(day.outcome == "identical" for day in self.days)

    def sentence(self, language: str) -> str:
        """How many days agree, in words."""
        count = len(self.days)
        text = {0: SENTENCE_NONE, 1: SENTENCE_ONE}.get(count, SENTENCE)
        return sentence(language, text, {"same": self.same, "count": count})


class ShadowService:
    """Comparisons of an office's accounts."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def compare(self, act: Act, account_id: UUID, first: date, last: date) -> ShadowReport:
        """Compare every day of the period that either side has; raises `PeriodInvalid`, `AccountNotFound`."""
        if last < first or (last - first).days >= DAYS_MAX:
            raise PeriodInvalid("/from", days=DAYS_MAX)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            account = AccountRepository(session).get(act.office_id, account_id)
            if account is None:
                raise AccountNotFound
            try:
                client = require_client(session, act, account.client_id, Permission.STATEMENTS_READ)
            except NotFound:
                raise AccountNotFound from None
            made = {
                each.day: each for each in made_anew(self.gateway, session, account, client, first=first, last=last)
            }
            theirs = _theirs(session, account, first, last)
        found = coda.compare([statement for each in made.values() for statement in each.statements], theirs)
        counts: dict[date, int] = {}
        for statement in theirs:
            assert statement.closing_date is not None, "taken by its day"
            counts[statement.closing_date] = counts.get(statement.closing_date, 0) + _count(statement)
        days = tuple(
            _day(each, made.get(each.day), counts.get(each.day, 0)) for each in found.days if each.day is not None
        )
        return ShadowReport(account, first, last, days)


def _day(each: DayComparison, made: MadeDay | None, theirs_count: int) -> ShadowDay:
    assert each.day is not None, "statements without a day are left out before"
    ours_count = sum(_count(statement) for statement in made.statements) if made is not None else 0
    found = [DayDifference(one.field, one.a, one.b) for one in each.differences]
    if ours_count != theirs_count:
        found.insert(0, DayDifference("entries_count", str(ours_count), str(theirs_count)))
    return ShadowDay(
        day=each.day,
        outcome=each.outcome,
        state=made.state if made is not None else None,
        hold_code=made.hold_code if made is not None else None,
        ours_count=ours_count,
        theirs_count=theirs_count,
        is_in_ours=each.is_in_a,
        is_in_theirs=each.is_in_b,
        differences=(*found, *_of_movements(each.movements)),
    )


def _of_movements(movements: MovementComparison) -> Iterator[DayDifference]:
    """What differs in movements that both have, then those that one side alone has."""
    for changed in movements.changed:
        for one in changed.differences:
            yield DayDifference(f"movement.{one.field}", one.a, one.b, changed.a.amount)
        if changed.details is not None:
            both = changed.details.same + len(changed.details.changed)
            ours, theirs = both + len(changed.details.missing), both + len(changed.details.extra)
            yield DayDifference("movement.details", str(ours), str(theirs), changed.a.amount)
    for movement in movements.missing:
        yield DayDifference("movement", f"{movement.amount:.2f}", "", movement.amount)
    for movement in movements.extra:
        yield DayDifference("movement", "", f"{movement.amount:.2f}", movement.amount)


def _theirs(session: Session, account: Account, first: date, last: date) -> Sequence[coda.Statement]:
    """The bank's own statements of the period that were sent, whether they are passed on or not; each once."""
    contents = session.exec(
        select(ForeignFile.content)
        .where(
            ForeignFile.office_id == account.office_id,
            ForeignFile.client_id == account.client_id,
            ForeignFile.format == "coda",
            col(ForeignFile.id).in_(
                select(ForeignStatement.file_id).where(
                    ForeignStatement.office_id == account.office_id,
                    ForeignStatement.iban == account.iban,
                    ForeignStatement.currency == account.currency,
                    col(ForeignStatement.closing_date).between(first, last),
                )
            ),
        )
        .order_by(col(ForeignFile.id))
    ).all()
    found: dict[Any, coda.Statement] = {}
    for content in contents:
        for statement in coda.read(content, tolerant=True):
            day = statement.closing_date
            is_own = iban_of(statement.account.number) == account.iban
            if is_own and statement.account.currency == account.currency and day and first <= day <= last:
                own = replace(statement, account=replace(statement.account, number=account.iban))
                # The same statement in two files is one.
                found.setdefault((day, own.number, own.old_balance.amount, own.closing_balance), own)
    return list(found.values())


def _count(statement: coda.Statement) -> int:
    return sum(1 for _entry in statement.entries())

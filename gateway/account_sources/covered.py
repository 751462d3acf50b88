"""Days of an account that bank-made files prove: which file says what (CON-17, SYN-15).

A statement of the bank speaks of its closing day, and of the days without entries since the one before it: nothing
happened on those when it opens at the balance at which that one closed. Otherwise a file is missing in between.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlmodel import Session, col, func, select

from gateway.account_sources.models import BankFile
from gateway.account_sources.states import BankFileState
from gateway.accounts.models import Account
from gateway.foreign_files.models import ForeignFile, ForeignStatement
from gateway.statements.states import DayState

ONE_DAY: Final = timedelta(days=1)
FILE_MISSING: Final = "bank_file_missing"
FILE_AWAITED: Final = "awaiting_bank_file"


@dataclass(frozen=True, slots=True)
class CoveringFile:
    """The bank-made file that proves a day."""

    bank_file_id: UUID
    name: str | None
    """As it was sent."""
    number: int
    """CODA number of the statement; 0: the bank gave none."""


@dataclass(frozen=True, slots=True)
class CoveredDay:
    """What the files say of a day; `file` None: one is missing."""

    day: date
    state: DayState
    file: CoveringFile | None
    cause: str | None = None
    opening: Decimal | None = None
    closing: Decimal | None = None
    entries_count: int = 0


def covered_days(session: Session, account: Account, first: date, last: date) -> dict[date, CoveredDay]:
    """The days of a period of which files that are passed on speak."""
    found: dict[date, CoveredDay] = {}
    before: CoveredDay | None = None
    for day, opened in _statements(session, account, first, last):
        begin = before.day + ONE_DAY if before is not None else _silent_from(account, opened, day.day)
        is_unbroken = before is None or before.closing == day.opening
        for between in _days(begin, day.day):
            found[between] = (
                CoveredDay(between, DayState.NO_ENTRIES, day.file, None, day.opening, day.opening)
                if is_unbroken
                else CoveredDay(between, DayState.SOURCE_FAILED, None, FILE_MISSING)
            )
        found[day.day] = day
        before = day
    return {day: each for day, each in found.items() if first <= day <= last}


def _silent_from(account: Account, opened: date | None, closing: date) -> date:
    """First day without entries of which the first file speaks: after its old balance, and of this source."""
    if opened is None or account.source_from is None or account.bank_made_source is None:
        return closing
    return max(opened + ONE_DAY, account.source_from)


def _statements(
    session: Session, account: Account, first: date, last: date
) -> Iterator[tuple[CoveredDay, date | None]]:
    """One per closing day with the day of its old balance, from the last before the period to the first after it."""
    mine = (
        ForeignStatement.office_id == account.office_id,
        ForeignStatement.iban == account.iban,
        ForeignStatement.currency == account.currency,
        BankFile.office_id == account.office_id,
        BankFile.account_id == account.id,
        BankFile.state == BankFileState.PASSED_ON,
    )
    of_file = col(BankFile.file_id) == col(ForeignStatement.file_id)
    closing = col(ForeignStatement.closing_date)
    begin = select(func.max(closing)).join(BankFile, of_file).where(*mine, closing < first).scalar_subquery()
    end = select(func.min(closing)).join(BankFile, of_file).where(*mine, closing > last).scalar_subquery()
    rows = session.exec(
        select(ForeignStatement, BankFile.id, ForeignFile.name)
        .join(BankFile, of_file)
        .join(ForeignFile, col(ForeignFile.id) == col(ForeignStatement.file_id))
        .where(*mine, closing >= func.coalesce(begin, first), closing <= func.coalesce(end, last))
        .order_by(closing, col(ForeignStatement.coda_number), col(ForeignStatement.position))
    ).all()
    by_day: dict[date, list[tuple[ForeignStatement, UUID, str | None]]] = {}
    for row in rows:
        by_day.setdefault(row[0].closing_date, []).append(row)
    for day, group in by_day.items():
        yield _day(day, group), group[0][0].opening_date


def _day(day: date, group: Sequence[tuple[ForeignStatement, UUID, str | None]]) -> CoveredDay:
    statement, bank_file_id, name = group[-1]
    count = sum(row.entries_count for row, _file, _name in group)
    return CoveredDay(
        day=day,
        state=DayState.STATEMENT if count else DayState.NO_ENTRIES,
        file=CoveringFile(bank_file_id, name, statement.coda_number),
        opening=group[0][0].opening_balance,
        closing=statement.closing_balance,
        entries_count=count,
    )


def _days(begin: date, end: date) -> Iterator[date]:
    """From `begin` to the day before `end`."""
    while begin < end:
        yield begin
        begin += ONE_DAY

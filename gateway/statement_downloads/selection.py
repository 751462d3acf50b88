"""Which issued statements a download gives, decided before its first byte (STA-22)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Final
from uuid import UUID

from sqlmodel import Session, col, func, select

from gateway.accounts.models import Account
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.database import one_of
from gateway.statement_downloads.errors import TooManyStatements
from gateway.statements.errors import StatementNotFound, StatementNotIssued
from gateway.statements.models import Statement, StatementFile
from gateway.statements.service import StatementFilter, StatementService
from gateway.statements.states import StatementState

STATEMENTS_MAX: Final = 5000
"""Of one download: a year of twenty busy accounts."""
SELECTED_MAX: Final = 500
"""Named one by one."""
BATCH: Final = 50
"""Files that are in memory at once."""
FILED: Final = (StatementState.ISSUED, StatementState.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class Selected:
    """One issued statement."""

    id: UUID
    account_id: UUID
    iban: str
    currency: str
    day: date
    state: str
    proof: str | None
    is_restarted: bool
    year: int
    number: int
    opening_balance: Decimal
    closing_balance: Decimal
    entries_count: int
    credit_total: Decimal
    debit_total: Decimal
    file_name: str
    sha256: str

    @property
    def account(self) -> tuple[str, str, UUID]:
        """By which files of one account are taken together."""
        return self.iban, self.currency, self.account_id


@dataclass(frozen=True, slots=True)
class SelectedFile:
    """A statement with its bytes as issued."""

    statement: Selected
    content: bytes


def select_statements(
    gateway: Gateway, act: Act, wanted: StatementFilter, ids: Sequence[UUID] = ()
) -> tuple[Selected, ...]:
    """The issued statements that a filter finds, or those named, by account, year and number.

    Withdrawn ones only when they are asked for by state or by id: their days were issued anew. Raises
    `TooManyStatements`, `StatementNotFound`, `StatementNotIssued`, and what `StatementService.found` raises.
    """
    with gateway.database.unit_of_work(act.office_id) as session:
        query = StatementService(gateway).found(session, act, wanted)
        if ids:
            query = query.where(one_of(col(Statement.id), ids))
        else:
            is_withdrawn = wanted.state is StatementState.WITHDRAWN
            query = query.where(
                Statement.state == (StatementState.WITHDRAWN if is_withdrawn else StatementState.ISSUED)
            )
        count = session.exec(select(func.count()).select_from(query.subquery())).one()
        if count > STATEMENTS_MAX:
            raise TooManyStatements(found=count, maximum=STATEMENTS_MAX)
        rows = session.exec(query).all()
        if ids and len(rows) < len(set(ids)):
            raise StatementNotFound
        for row in rows:
            if row.state not in FILED:
                raise StatementNotIssued(state=row.state, hold_code=row.hold_code)
        return _in_order(session, act.office_id, rows)


def _in_order(session: Session, office_id: UUID, rows: Sequence[Statement]) -> tuple[Selected, ...]:
    ids = {row.account_id for row in rows}
    accounts = session.exec(
        select(Account.id, Account.iban).where(Account.office_id == office_id, one_of(col(Account.id), list(ids)))
    )
    ibans = dict(accounts.all())
    found = []
    for row in rows:
        assert row.year is not None, "an issued statement has its year"
        assert row.number is not None, "an issued statement has its number"
        assert row.file_name is not None, "an issued statement has its file"
        assert row.sha256 is not None, "an issued statement has its file"
        found.append(
            Selected(
                id=row.id,
                account_id=row.account_id,
                iban=ibans[row.account_id],
                currency=row.currency,
                day=row.day,
                state=row.state,
                proof=row.proof,
                is_restarted=row.restart_id is not None,
                year=row.year,
                number=row.number,
                opening_balance=row.opening_balance,
                closing_balance=row.closing_balance,
                entries_count=row.entries_count,
                credit_total=row.credit_total,
                debit_total=row.debit_total,
                file_name=row.file_name,
                sha256=row.sha256,
            )
        )
    return tuple(sorted(found, key=lambda each: (each.account, each.year, each.number, each.file_name)))


def files_of(gateway: Gateway, office_id: UUID, selected: Sequence[Selected]) -> Iterator[SelectedFile]:
    """The bytes of each, in their order and a few at a time; no transaction is open while a reader waits."""
    for start in range(0, len(selected), BATCH):
        batch = selected[start : start + BATCH]
        with gateway.database.unit_of_work(office_id) as session:
            rows = session.exec(
                select(StatementFile.statement_id, StatementFile.content).where(
                    StatementFile.office_id == office_id,
                    one_of(col(StatementFile.statement_id), [each.id for each in batch]),
                )
            )
            contents = dict(rows.all())
        for each in batch:
            content = contents[each.id]
            assert hashlib.sha256(content).hexdigest() == each.sha256, "issued bytes never change"
            yield SelectedFile(each, content)


def by_account(selected: Sequence[Selected]) -> list[list[Selected]]:
    """Taken together by account, in their order."""
    return [list(group) for _account, group in groupby(selected, key=lambda each: each.account)]

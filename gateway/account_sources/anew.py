"""The days of an account as they would be decided and written now, without touching its chain (STA-21).

Nothing is stored, numbered or delivered: a statement made this way ends as `compared`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from sqlmodel import Session, col, select

import coda
from gateway.accounts.models import Account
from gateway.assembly import Gateway
from gateway.offices.models import Client, Office
from gateway.statements.bank_balances import bank_closings
from gateway.statements.coda_file import FileRefused, Period, write_file
from gateway.statements.issuing import ENTRIES_MAX, in_order
from gateway.statements.proof import ONE_DAY, ZERO, DayResult, Judgement, Ledger, OpenRow, judge
from gateway.statements.states import Proof, StatementState, check_step
from gateway.transactions.models import BankTransaction
from gateway.transactions.repository import TransactionRepository

FILE_REFUSED: Final = "file_refused"
NUMBER_MAX: Final = 999


@dataclass(frozen=True, slots=True)
class MadeDay:
    """One complete day as it would be issued."""

    day: date
    state: StatementState
    """`compared`, or `held` with its `hold_code`."""
    hold_code: str | None
    statements: tuple[coda.Statement, ...]
    """None where nothing was booked or the file cannot be written; more than one above 9,999 entries."""


def judged_anew(gateway: Gateway, session: Session, account: Account, first: date) -> Judgement:
    """The days of an account from one on, with an opening derived from the bank's balances."""
    if account.complete_until is None or account.history_from is None or account.history_from > first:
        return Judgement(None)
    profile = gateway.banks.profile(account.bank_id)
    rows = [
        OpenRow(row.id, row.booking_date, row.amount, row.created_at, row.vanished_at)
        for row in session.exec(
            select(BankTransaction).where(
                BankTransaction.office_id == account.office_id,
                BankTransaction.account_id == account.id,
                col(BankTransaction.booking_date) >= first,
            )
        )
    ]
    closings = bank_closings(session, account, profile, since=first - ONE_DAY, is_begun=False)
    return judge(Ledger(rows, closings), first_date=first, last_date=account.complete_until, opening=None)


def made_anew(
    gateway: Gateway, session: Session, account: Account, client: Client, *, first: date, last: date
) -> list[MadeDay]:
    """Every complete day of a period, from the first one of which the bank gave its history."""
    begin = max(first, account.history_from or first)
    results = [result for result in judged_anew(gateway, session, account, begin).days if result.day <= last]
    known = TransactionRepository(session).many(account.office_id, (row for result in results for row in result.rows))
    maker = _Maker(account, client, session.get_one(Office, account.office_id).language, begin - ONE_DAY)
    return [maker.made(result, known) for result in results]


class _Maker:
    """Writes day after day; the numbers in the files are given to nobody, the format has a place for them."""

    def __init__(self, account: Account, client: Client, language: str, before: date) -> None:
        self.account = account
        self.client = client
        self.language = language
        self.before = before
        self.written = 0

    def made(self, result: DayResult, known: Mapping[UUID, BankTransaction]) -> MadeDay:
        state = StatementState.HELD if result.proof is None else _compared(result)
        try:
            statements = self._statements(result, in_order(known[row] for row in result.rows))
        except FileRefused:
            return MadeDay(result.day, StatementState.HELD, FILE_REFUSED, ())
        return MadeDay(result.day, state, result.hold_code, statements)

    def _statements(self, result: DayResult, rows: Sequence[BankTransaction]) -> tuple[coda.Statement, ...]:
        made: list[coda.Statement] = []
        balance = result.opening
        for start in range(0, len(rows), ENTRIES_MAX):
            part = rows[start : start + ENTRIES_MAX]
            closing = balance + sum((row.amount for row in part), ZERO)
            period = Period(self.written % NUMBER_MAX + 1, result.day, balance, self.before, closing)
            made += coda.read(write_file(self.account, self.client, period, part, language=self.language))
            balance, self.before = closing, result.day
            self.written += 1
        return tuple(made)


def _compared(result: DayResult) -> StatementState:
    """What a proven day ends as, by the steps of a statement that is made to compare."""
    decided = StatementState.PROVEN if result.has_entries else StatementState.NO_ENTRIES
    if result.proof is Proof.PROVEN_BY_SPAN and result.has_entries:
        decided = StatementState.PROVEN_BY_SPAN
    check_step(decided, StatementState.COMPARED)
    return StatementState.COMPARED

"""Closing the days of an account: prove, number, write, store; all in one transaction (STA-01, STA-09, law 3).

The account's lock is held from before the number is asked until the bytes are stored, so that two workers give no
double and a crash gives no gap.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from gateway.accounts.models import Account
from gateway.accounts.repository import AccountRepository, BalanceRepository
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.clock import BRUSSELS
from gateway.ids import encode, new_id
from gateway.offices.models import ClientState, Office, Service
from gateway.offices.repository import ClientRepository
from gateway.offices.services import is_on
from gateway.statements.coda_file import FileRefused, Period, file_name, reference_of, write_file
from gateway.statements.models import Statement, StatementChain, StatementFile
from gateway.statements.numbering import first_number
from gateway.statements.proof import ONE_DAY, ZERO, Closing, DayResult, Judgement, Ledger, Opening, judge
from gateway.statements.repository import StatementRepository
from gateway.statements.states import DayState, Proof, StatementState, check_step
from gateway.transactions.models import BankTransaction
from gateway.transactions.repository import TransactionRepository

NUMBER_MAX: Final = 999
ENTRIES_MAX: Final = 9999

log = logging.getLogger("gateway.statements")


class DayCloser:
    """One closing of one account; lives as long as its unit of work."""

    def __init__(self, gateway: Gateway, session: Session, act: Act) -> None:
        self.gateway = gateway
        self.session = session
        self.act = act
        self.statements = StatementRepository(session)

    def close(self, account_id: UUID) -> int:
        """Close what proves, oldest first, and say of every other complete day why not. Returns the files issued."""
        account = AccountRepository(self.session).get(self.act.office_id, account_id, is_locked=True)
        if account is None or account.complete_until is None or not self._is_coda_on(account):
            return 0
        if account.moved_on is not None or account.takes_over_on is not None:
            # It is another office's now, or not this one's yet: two never number the same account.
            return 0
        client = ClientRepository(self.session).get_granted(self.act.office_id, account.client_id, today=self.act.today)
        if client is None or client.state != ClientState.ACTIVE:
            # Nothing is issued while a client is suspended or closed; what is due comes with the next reading.
            return 0
        chain = self.statements.chain(self.act.office_id, account_id)
        first = chain.first_date if chain is not None else first_day(account)
        if first is None:
            return 0
        judgement = self._judge(account, chain, first)
        if judgement.opening is None:
            self._no_balance(account, first)
            return 0
        issued, results = self._issue(account, chain, judgement)
        self._keep_open(account, results)
        return issued

    def _is_coda_on(self, account: Account) -> bool:
        """Nothing is issued while the service is off; what waits is closed after it is on again (OFF-06)."""
        opened = ClientRepository(self.session).opened(account.office_id, account.client_id, today=self.act.today)
        return opened is not None and is_on(Service.CODA, opened[1], opened[0])

    def _judge(self, account: Account, chain: StatementChain | None, first: date) -> Judgement:
        assert account.complete_until is not None, "asked by the caller"
        office_id = account.office_id
        rows = self.statements.open_rows(office_id, account.id)
        profile = self.gateway.banks.profile(account.bank_id)
        since = chain.closed_until if chain is not None else first - ONE_DAY
        closings = [
            Closing(balance.reference_date, balance.amount, balance.read_at, balance.basis)
            for balance in BalanceRepository(self.session).closings(office_id, account.id, date_from=since)
            if balance.reference_date is not None
            # Read before the day was over at the bank, a balance says nothing about its end.
            and is_over(balance.reference_date, profile.end_of_day_hour, balance.read_at)
        ]
        ledger = Ledger(
            rows=rows,
            closings=closings,
            pending=self.statements.pending_amounts(office_id, account.id),
            issued_gone=self.statements.issued_gone(office_id, account.id),
            after=tuple(row.amount for row in rows if row.booking_date > account.complete_until),
        )
        opening = None
        if chain is not None:
            opening = Opening(
                chain.first_date,
                chain.closed_until,
                chain.closing_balance,
                chain.anchor_date,
                chain.anchor_read_at,
            )
        return judge(ledger, first_date=first, last_date=account.complete_until, opening=opening)

    def _issue(
        self, account: Account, chain: StatementChain | None, judgement: Judgement
    ) -> tuple[int, Sequence[DayResult]]:
        """Issue from the first open day on, until one is held. Returns the number of files and the open days."""
        assert judgement.opening is not None, "asked by the caller"
        proven = [day for day in judgement.days if day.proof is not None]
        if not proven:
            return 0, judgement.days
        if chain is None:
            chain = self._begin(account, judgement.opening)
        transactions = TransactionRepository(self.session).many(
            account.office_id, (row for day in proven for row in day.rows)
        )
        writer = _Issuer(self, account, chain)
        closed: list[dict[str, Any]] = []
        issued = 0
        remaining = list(judgement.days)
        for day in proven:
            rows = sorted((transactions[row] for row in day.rows), key=_entry_order)
            try:
                issued += writer.issue(day, rows)
            except FileRefused as error:
                # Without the cause's own text, which holds what a payer wrote.
                log.error(  # noqa: TRY400
                    "statement refused", extra={"account_id": str(account.id), "place": error.place}
                )
                code = "numbers_exhausted" if error.place == "number" else "file_refused"
                remaining = _held_from(remaining, code, error.place)
                break
            remaining.pop(0)
            chain.closed_until, chain.closing_balance = day.day, day.closing
            if rows:
                chain.last_entry_date = day.day
            closed.append(self._day_row(account, day))
        self.session.add(chain)
        writer.finish()
        if closed:
            self.statements.replace_days(account.office_id, account.id, closed[0]["day"] - ONE_DAY, closed)
        return issued, remaining

    def _begin(self, account: Account, opening: Opening) -> StatementChain:
        """The chain begins: from now on its opening is fixed."""
        assert opening.anchor_date is not None, "an opening that is not stored was derived"
        assert opening.anchor_read_at is not None, "an opening that is not stored was derived"
        chain = StatementChain(
            id=new_id(),
            office_id=account.office_id,
            account_id=account.id,
            first_date=opening.first_date,
            opening_balance=opening.balance,
            opening_basis="derived",
            anchor_date=opening.anchor_date,
            anchor_read_at=opening.anchor_read_at,
            closed_until=opening.closed_until,
            closing_balance=opening.balance,
            created_at=self.act.now,
        )
        self.session.add(chain)
        return chain

    def _keep_open(self, account: Account, results: Sequence[DayResult]) -> None:
        """Say of each open day why it is held, and keep a statement without number where it has entries."""
        assert account.complete_until is not None, "asked by the caller"
        known = {row.day: row for row in self.statements.open_of(account.office_id, account.id)}
        transactions = TransactionRepository(self.session).many(
            account.office_id, (row for day in results for row in day.rows)
        )
        for day in results:
            statement = known.pop(day.day, None)
            if not day.rows:
                if statement is not None:
                    self.session.delete(statement)
                continue
            if statement is None:
                statement = new_statement(account, day)
                check_step(statement.state, StatementState.HELD)
                statement.state = StatementState.HELD
                known_code = None
            else:
                known_code = statement.hold_code
            rows = [transactions[row] for row in day.rows]
            fill_statement(statement, day, rows, day.opening, day.closing)
            self.session.add(statement)
            if statement.hold_code != known_code:
                self.gateway.events.record(
                    self.session, self.act, "statement.held", "statement", statement.id,
                    client_id=statement.client_id,
                    data={"account_id": encode("account", account.id), "code": statement.hold_code},
                )  # fmt: skip
        for leftover in known.values():
            self.session.delete(leftover)
        self.session.flush()
        after = results[0].day - ONE_DAY if results else account.complete_until
        rows_of_days = [self._day_row(account, day) for day in results]
        self.statements.replace_days(account.office_id, account.id, after, rows_of_days)

    def _no_balance(self, account: Account, first: date) -> None:
        """The bank gave no booked balance: nothing proves, and nothing is invented (STA-04)."""
        assert account.complete_until is not None, "asked by the caller"
        count = max(0, (account.complete_until - first).days + 1)
        rows = [
            {
                **self._empty_day(account, first + timedelta(days=offset)),
                "state": DayState.HELD,
                "cause": "no_bank_balance",
            }
            for offset in range(count)
        ]
        self.statements.replace_days(account.office_id, account.id, first - ONE_DAY, rows)

    def _day_row(self, account: Account, day: DayResult) -> dict[str, Any]:
        decided = DayState.STATEMENT if day.rows else DayState.NO_ENTRIES
        state = decided if day.proof is not None else DayState.HELD
        return {
            **self._empty_day(account, day.day),
            "state": str(state),
            "proof": str(day.proof) if day.proof is not None else None,
            "cause": day.hold_code,
            "opening_balance": day.opening,
            "closing_balance": day.closing,
            "entries_count": len(day.rows),
            "late_count": len(day.late),
            "span_from": day.span[0] if day.span else None,
            "span_until": day.span[1] if day.span else None,
        }

    def _empty_day(self, account: Account, day: date) -> dict[str, Any]:
        return {
            "id": new_id(),
            "office_id": account.office_id,
            "account_id": account.id,
            "day": day,
            "state": "",
            "proof": None,
            "cause": None,
            "opening_balance": None,
            "closing_balance": None,
            "entries_count": 0,
            "late_count": 0,
            "span_from": None,
            "span_until": None,
        }


class _Issuer:
    """Gives numbers and stores bytes, day after day."""

    def __init__(self, closer: DayCloser, account: Account, chain: StatementChain) -> None:
        self.closer = closer
        self.session = closer.session
        self.act = closer.act
        self.account = account
        self.chain = chain
        client = ClientRepository(self.session).get(account.office_id, account.client_id)
        office = self.session.get(Office, account.office_id)
        assert client is not None, "an account belongs to a client"
        assert office is not None, "an account belongs to an office"
        self.client = client
        self.language = office.language
        self.known = {row.day: row for row in closer.statements.open_of(account.office_id, account.id)}
        self.numbers: dict[int, int] = {}
        self.files: list[StatementFile] = []
        self.entries: list[dict[str, Any]] = []

    def finish(self) -> None:
        """Write what was issued: statements, then their bytes and entries, in a few round trips for all days."""
        self.session.flush()
        self.session.add_all(self.files)
        self.session.flush()
        if self.entries:
            self.closer.statements.add_entries(self.entries)

    def issue(self, day: DayResult, rows: Sequence[BankTransaction]) -> int:
        """The files of one day: none without entries, more than one above 9,999. All of them, or `FileRefused`."""
        parts = [rows[start : start + ENTRIES_MAX] for start in range(0, len(rows), ENTRIES_MAX)]
        balance = day.opening
        old_date = self.chain.last_entry_date or day.day - ONE_DAY
        planned: list[tuple[Period, Sequence[BankTransaction], bytes]] = []
        first_number = self._last_number(day.day.year) + 1
        for offset, part in enumerate(parts):
            if first_number + offset > NUMBER_MAX:
                raise FileRefused("number")
            closing = balance + sum((row.amount for row in part), ZERO)
            period = Period(first_number + offset, day.day, balance, old_date, closing)
            planned.append((period, part, write_file(self.account, self.client, period, part, language=self.language)))
            balance, old_date = closing, day.day
        for part_number, (period, part, content) in enumerate(planned, start=1):
            self._store(day, part_number, period, part, content)
            self.numbers[day.day.year] = period.number
        return len(planned)

    def _last_number(self, year: int) -> int:
        if year not in self.numbers:
            last = self.closer.statements.last_number(self.account.office_id, self.account.id, year)
            if not last and self.chain.last_entry_date is None:
                # No file was ever issued: the first one continues those of the package.
                last = first_number(self.session, self.account, year) - 1
            self.numbers[year] = last
        return self.numbers[year]

    def _store(
        self, day: DayResult, part_number: int, period: Period, part: Sequence[BankTransaction], content: bytes
    ) -> None:
        statement = self.known.get(day.day) if part_number == 1 else None
        if statement is None:
            statement = new_statement(self.account, day, part=part_number)
        fill_statement(statement, day, part, period.old_balance, period.new_balance)
        assert day.proof is not None, "only proven days are issued"
        advance(statement, day.proof)
        statement.year, statement.number = day.day.year, period.number
        statement.old_balance_date = period.old_balance_date
        statement.issued_at = self.act.now
        statement.file_name = file_name(self.account, day.day.year, period.number)
        statement.sha256 = hashlib.sha256(content).hexdigest()
        self.session.add(statement)
        self.files.append(
            StatementFile(
                id=new_id(),
                office_id=self.account.office_id,
                statement_id=statement.id,
                name=statement.file_name,
                content=content,
                sha256=statement.sha256,
                created_at=self.act.now,
            )
        )
        self.entries += [_entry_row(statement, row, sequence) for sequence, row in enumerate(part, start=1)]
        self.closer.gateway.audit.record(
            self.session,
            self.act,
            "statement.issued",
            "statement",
            statement.id,
            client_id=statement.client_id,
            changes={
                "number": Change(None, f"{statement.year}-{statement.number:03d}"),
                "sha256": Change(None, statement.sha256),
            },
        )


def first_day(account: Account) -> date | None:
    """First day of which statements are made; None until the office has chosen, and the bank gave its history."""
    if account.statements_from is None or account.history_from is None:
        return None
    return max(account.statements_from, account.history_from)


def new_statement(account: Account, day: DayResult, *, part: int = 1) -> Statement:
    """A statement that collects entries; not stored yet."""
    return Statement(
        id=new_id(),
        office_id=account.office_id,
        account_id=account.id,
        client_id=account.client_id,
        day=day.day,
        part=part,
        state=StatementState.COLLECTING,
        currency=account.currency,
        opening_balance=day.opening,
        closing_balance=day.closing,
        entries_count=0,
        credit_total=ZERO,
        debit_total=ZERO,
    )


def fill_statement(
    statement: Statement,
    day: DayResult,
    rows: Sequence[BankTransaction],
    opening: Decimal,
    closing: Decimal,
) -> None:
    """Balances, totals and what is known of the proof."""
    statement.opening_balance, statement.closing_balance = opening, closing
    statement.entries_count = len(rows)
    statement.credit_total = sum((row.amount for row in rows if row.amount > 0), ZERO)
    statement.debit_total = sum((row.amount for row in rows if row.amount < 0), ZERO)
    late = [row for row in rows if row.id in day.late]
    statement.late_count = len(late)
    statement.crosses_period = any(
        (row.booking_date.year, row.booking_date.month) < (day.day.year, day.day.month) for row in late
    )
    statement.proof = str(day.proof) if day.proof is not None else None
    statement.hold_code = day.hold_code
    statement.difference = day.difference
    statement.bank_balance = day.bank.amount if day.bank is not None else None
    statement.bank_balance_basis = day.bank.basis if day.bank is not None else None
    statement.likely_causes = list(day.causes)
    statement.details = (
        {"span_from": day.span[0].isoformat(), "span_until": day.span[1].isoformat()} if day.span else {}
    )


def advance(statement: Statement, proof: Proof) -> None:
    """Walk the life cycle to `issued`, whatever the statement was before."""
    by_span = proof is Proof.PROVEN_BY_SPAN
    wanted = StatementState.PROVEN_BY_SPAN if by_span else StatementState.PROVEN
    if by_span and statement.state == StatementState.COLLECTING:
        check_step(statement.state, StatementState.HELD)
        statement.state = StatementState.HELD
    for step in (wanted, StatementState.ISSUED):
        check_step(statement.state, step)
        statement.state = step


def _entry_order(row: BankTransaction) -> tuple[Any, ...]:
    """Order in the file: by days, then by key, the same whatever the order in which the bank gave the rows."""
    return row.booking_date, row.value_date or row.booking_date, row.fingerprint, row.occurrence


def _entry_row(statement: Statement, row: BankTransaction, sequence: int) -> dict[str, Any]:
    return {
        "id": new_id(),
        "office_id": statement.office_id,
        "statement_id": statement.id,
        "transaction_id": row.id,
        "account_id": statement.account_id,
        "sequence": sequence,
        "entry_date": statement.day,
        "booking_date": row.booking_date,
        "amount": row.amount,
        "bank_reference": reference_of(row),
    }


def _held_from(days: Sequence[DayResult], code: str, place: str) -> list[DayResult]:
    """The first day is held for a reason of the file, the later ones wait."""
    first, *others = days
    held = [replace(first, proof=None, hold_code=code, causes=(place,))]
    return held + [replace(day, proof=None, hold_code="waits_for_earlier") for day in others]


def is_over(day: date, hour: int, moment: datetime) -> bool:
    """Whether a booking day is over at the bank at this moment: from `hour` on the day after, in Brussels (STA-01)."""
    return moment >= datetime.combine(day + ONE_DAY, time(hour), tzinfo=BRUSSELS)

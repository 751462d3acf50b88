"""Giving numbers and storing bytes: the files of the days that are proven (STA-06, STA-09, STA-11, law 3)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from gateway.accounts.models import Account
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.ids import new_id
from gateway.offices.models import ClientSettings, Office
from gateway.offices.repository import ClientRepository
from gateway.statements.coda_file import FileRefused, Period, file_name, reference_of, write_file
from gateway.statements.models import Statement, StatementChain, StatementFile
from gateway.statements.numbering import first_number
from gateway.statements.proof import ONE_DAY, ZERO, DayResult
from gateway.statements.repository import StatementRepository
from gateway.statements.reversals import Line, Reversal, code_of_reversal
from gateway.statements.states import EmptyStatement, Proof, StatementState, check_step
from gateway.transactions.models import BankTransaction
from gateway.transactions.repository import TransactionRepository

NUMBER_MAX: Final = 999
ENTRIES_MAX: Final = 9999


class Issuer:
    """Gives numbers and stores bytes, day after day."""

    def __init__(self, gateway: Gateway, session: Session, act: Act, account: Account, chain: StatementChain) -> None:
        self.gateway = gateway
        self.session = session
        self.act = act
        self.statements = StatementRepository(session)
        self.account = account
        self.chain = chain
        client = ClientRepository(self.session).get(account.office_id, account.client_id)
        office = self.session.get(Office, account.office_id)
        assert client is not None, "an account belongs to a client"
        assert office is not None, "an account belongs to an office"
        self.client = client
        self.language = office.language
        settings = self.session.get(ClientSettings, account.client_id)
        self.has_true_dates = settings is not None and settings.late_entry_date == "booking"
        self.known = {row.day: row for row in self.statements.open_of(account.office_id, account.id)}
        self.numbers: dict[int, int] = {}
        self.forms = self.statements.earlier_forms(account.office_id, account.id)
        self.files: list[StatementFile] = []
        self.entries: list[dict[str, Any]] = []
        self.restarts_shown: set[UUID] = set()

    def finish(self) -> None:
        """Write what was issued: statements, then their bytes and entries, in a few round trips for all days."""
        self.session.flush()
        self.session.add_all(self.files)
        self.session.flush()
        if self.entries:
            self.statements.add_entries(self.entries)

    def issue(self, day: DayResult, transactions: Mapping[UUID, BankTransaction]) -> int:
        """The files of one day: more than one above 9,999 entries. All of them, or `FileRefused`.

        Without entries there is none, or an empty one where the account wants one for every day (STA-08).
        """
        lines: list[Line] = list(self._reversals(day))
        lines += in_order(transactions[row] for row in day.rows)
        parts: list[Sequence[Line]] = [
            lines[start : start + ENTRIES_MAX] for start in range(0, len(lines), ENTRIES_MAX)
        ]
        if not parts and self.account.empty_statement == EmptyStatement.DAILY:
            parts = [()]
        if not parts:
            return 0
        balance = day.opening
        old_date = self.chain.last_entry_date or day.day - ONE_DAY
        planned: list[tuple[Period, Sequence[Line], bytes]] = []
        first_number = self._last_number(day.day.year) + 1
        for offset, part in enumerate(parts):
            if first_number + offset > NUMBER_MAX:
                raise FileRefused("number")
            closing = balance + sum((line.amount for line in part), ZERO)
            period = Period(first_number + offset, day.day, balance, old_date, closing)
            content = write_file(
                self.account,
                self.client,
                period,
                part,
                language=self.language,
                references=self._references(part),
                entry_dates=self._entry_dates(part),
            )
            planned.append((period, part, content))
            balance, old_date = closing, day.day
        for part_number, (period, part, content) in enumerate(planned, start=1):
            self._store(day, part_number, period, part, content)
            self.numbers[day.day.year] = period.number
        for line in lines:
            if isinstance(line, Reversal):
                line.entry.is_live = False
                self.session.add(line.entry)
        return len(planned)

    def _references(self, part: Sequence[Line]) -> dict[UUID, str]:
        """Of transactions that come once more: not the reference they had before."""
        known = [line for line in part if not isinstance(line, Reversal) and line.id in self.forms]
        return {row.id: reference_of(row, self.forms[row.id]) for row in known}

    def _entry_dates(self, part: Sequence[Line]) -> dict[UUID, date]:
        """The bank's own days where the package takes them (STA-06). A reversal has none: no bank booked it."""
        if not self.has_true_dates:
            return {}
        return {line.id: line.booking_date for line in part if not isinstance(line, Reversal)}

    def has_shown(self, restart_id: UUID) -> bool:
        """Whether a statement of this run is the first one after that restart."""
        return restart_id in self.restarts_shown

    def _reversals(self, day: DayResult) -> Sequence[Reversal]:
        """What offsets the issued entries that the day names, in the order in which they were issued."""
        if not day.offsets:
            return ()
        found = self.statements.issued_entries(self.account.office_id, day.offsets)
        rows = TransactionRepository(self.session).many(
            self.account.office_id, [entry.transaction_id for entry, _statement in found]
        )
        reversals = []
        for entry, statement in found:
            file = self.statements.file(self.account.office_id, statement.id)
            assert file is not None, "an issued statement has its file"
            code = code_of_reversal(file.content, entry.sequence, -entry.amount)
            reversals.append(Reversal(entry, statement, rows[entry.transaction_id], code))
        return reversals

    def _last_number(self, year: int) -> int:
        if year not in self.numbers:
            last = self.statements.last_number(self.account.office_id, self.account.id, year)
            if not last and not self.statements.has_issued(self.account.office_id, self.account.id):
                # No file was ever issued: the first one continues those of the package.
                last = first_number(self.session, self.account, year) - 1
            self.numbers[year] = last
        return self.numbers[year]

    def _store(self, day: DayResult, part_number: int, period: Period, part: Sequence[Line], content: bytes) -> None:
        statement = self.known.get(day.day) if part_number == 1 else None
        if statement is None:
            statement = new_statement(self.account, day, part=part_number)
        fill_statement(statement, day, part, period.old_balance, period.new_balance)
        assert day.proof is not None, "only proven days are issued"
        advance(statement, day.proof)
        if self.chain.pending_restart_id is not None:
            statement.restart_id = self.chain.pending_restart_id
            self.restarts_shown.add(self.chain.pending_restart_id)
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
        self.entries += [
            entry_row(statement, line, sequence, self._references(part), self._entry_dates(part))
            for sequence, line in enumerate(part, start=1)
        ]
        self.gateway.audit.record(
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
    lines: Sequence[Line],
    opening: Decimal,
    closing: Decimal,
) -> None:
    """Balances, totals and what is known of the proof."""
    statement.opening_balance, statement.closing_balance = opening, closing
    statement.entries_count = len(lines)
    statement.credit_total = sum((line.amount for line in lines if line.amount > 0), ZERO)
    statement.debit_total = sum((line.amount for line in lines if line.amount < 0), ZERO)
    late = [line for line in lines if isinstance(line, Reversal) or line.id in day.late]
    statement.late_count = len(late)
    statement.crosses_period = any(
        (booked_on(line).year, booked_on(line).month) < (day.day.year, day.day.month) for line in late
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
    wanted = {
        Proof.PROVEN_BY_SPAN: StatementState.PROVEN_BY_SPAN,
        Proof.COMPUTED: StatementState.COMPUTED,
    }.get(proof, StatementState.PROVEN)
    steps = [wanted, StatementState.ISSUED]
    if statement.state == StatementState.COLLECTING:
        if not statement.entries_count and wanted is not StatementState.COMPUTED:
            steps[0] = StatementState.NO_ENTRIES
        elif wanted is not StatementState.PROVEN:
            steps.insert(0, StatementState.HELD)
    for step in steps:
        check_step(statement.state, step)
        statement.state = step


def in_order(rows: Iterable[BankTransaction]) -> list[BankTransaction]:
    """By days, then by key: the same order in the file, whatever the order in which the bank gave the rows."""
    return sorted(
        rows, key=lambda row: (row.booking_date, row.value_date or row.booking_date, row.fingerprint, row.occurrence)
    )


def entry_row(
    statement: Statement,
    line: Line,
    sequence: int,
    references: Mapping[UUID, str],
    entry_dates: Mapping[UUID, date],
) -> dict[str, Any]:
    """Columns of the entry; references and dates as for `coda_file.write_file`."""
    written = {
        "id": new_id(),
        "office_id": statement.office_id,
        "statement_id": statement.id,
        "account_id": statement.account_id,
        "sequence": sequence,
        "booking_date": booked_on(line),
        "amount": line.amount,
    }
    if isinstance(line, Reversal):
        return written | {
            "transaction_id": line.row.id,
            "entry_date": statement.day,
            "bank_reference": line.bank_reference,
            "is_live": False,
            "reverses_entry_id": line.entry.id,
            "coda_code": line.coda_code,
        }
    return written | {
        "transaction_id": line.id,
        "entry_date": entry_dates.get(line.id, statement.day),
        "bank_reference": references.get(line.id) or reference_of(line),
        "is_live": True,
        "reverses_entry_id": None,
        "coda_code": None,
    }


def booked_on(line: Line) -> date:
    """The bank's booking date; of a reversal, that of the entry it offsets, since that month is the one it concerns."""
    return line.entry.booking_date if isinstance(line, Reversal) else line.booking_date

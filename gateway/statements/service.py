"""Reading statements, their entries and files, and the calendar of days; closing is in `closing`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlmodel import Session, col
from sqlmodel.sql.expression import SelectOfScalar

from gateway.account_sources.covered import FILE_AWAITED, CoveredDay, CoveringFile, covered_days
from gateway.accounts.errors import AccountNotFound
from gateway.accounts.models import Account
from gateway.accounts.repository import AccountRepository
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.errors import NotFound, PeriodInvalid
from gateway.identity.rights import Permission
from gateway.offices.models import Client
from gateway.offices.service import clients_open, require_client
from gateway.pagination import PageRequest, Sort
from gateway.statements.bank_balances import is_over
from gateway.statements.closing import DayCloser, first_day
from gateway.statements.errors import StatementNotFound, StatementNotIssued
from gateway.statements.models import AccountDay, Statement, StatementEntry, StatementFile
from gateway.statements.repository import StatementRepository
from gateway.statements.states import DayState, Proof, StatementState
from gateway.transactions.models import BankTransaction
from gateway.transactions.repository import TransactionRepository

DAYS_MAX: Final = 366


@dataclass(frozen=True, slots=True)
class StatementFilter:
    """Which statements a list shows; `date_from` and `date_until` are closing dates, both included."""

    account_id: UUID | None = None
    client_id: UUID | None = None
    date_from: date | None = None
    date_until: date | None = None
    state: StatementState | None = None
    year: int | None = None
    number: int | None = None
    amount: Decimal | None = None
    """Of an entry on it, whichever way the money went."""


@dataclass(frozen=True, slots=True)
class EntryView:
    """An entry as written, with its transaction."""

    entry: StatementEntry
    transaction: BankTransaction
    reversed: tuple[StatementEntry, Statement] | None = None
    """The entry that this one offsets, with its statement."""


@dataclass(frozen=True, slots=True)
class DayView:
    """One day of the calendar; `file` is the bank-made one that proves it."""

    row: AccountDay
    file: CoveringFile | None = None


class StatementService:
    """Statements of an office."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def close_days(self, office_id: UUID, account_id: UUID) -> int:
        """Issue what proves, oldest first; returns the number of files. Harmless to repeat."""
        act = self.gateway.system_act(office_id)
        with self.gateway.database.unit_of_work(office_id) as session:
            return DayCloser(self.gateway, session, act).close(account_id)

    def held_day(self, session: Session, account: Account) -> date | None:
        """The first day whose balances differ, for a longer reading (STA-03)."""
        return StatementRepository(session).held_day(account.office_id, account.id)

    def page(
        self, act: Act, request: PageRequest, wanted: StatementFilter | None = None
    ) -> tuple[list[Statement], str | None]:
        """Statements, the newest day first."""
        wanted = wanted or StatementFilter()
        act.require(Permission.STATEMENTS_READ, wanted.client_id)
        order = [
            Sort(col(Statement.day), lambda row: row.day.isoformat(), date.fromisoformat, is_descending=True),
            Sort(col(Statement.id), lambda row: str(row.id), UUID, is_descending=True),
        ]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            query = self.found(session, act, wanted)
            return self.gateway.pager.page(session, query, order, request, name=f"statements:{act.office_id}:{wanted}")

    def found(self, session: Session, act: Act, wanted: StatementFilter) -> SelectOfScalar[Statement]:
        """Query over what a filter finds, within what the caller may see (STA-22).

        Raises `AccountNotFound`, and what `require_client` raises.
        """
        act.require(Permission.STATEMENTS_READ, wanted.client_id)
        statements = StatementRepository(session)
        query = statements.of_accounts(act.office_id, self._accounts(session, act, wanted))
        if wanted.date_from is not None:
            query = query.where(col(Statement.day) >= wanted.date_from)
        if wanted.date_until is not None:
            query = query.where(col(Statement.day) <= wanted.date_until)
        if wanted.state is not None:
            query = query.where(Statement.state == wanted.state)
        if wanted.year is not None:
            query = query.where(Statement.year == wanted.year)
        if wanted.number is not None:
            query = query.where(Statement.number == wanted.number)
        if wanted.amount is not None:
            query = query.where(col(Statement.id).in_(statements.with_entry_of(act.office_id, wanted.amount)))
        return query

    def get(self, act: Act, statement_id: UUID) -> Statement:
        """One statement; raises `StatementNotFound`."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            return self._visible(session, act, statement_id)

    def content(self, act: Act, statement_id: UUID) -> StatementFile:
        """The file as issued, the same bytes for ever; raises `StatementNotIssued` while it is held."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            statement = self._visible(session, act, statement_id)
            file = StatementRepository(session).file(act.office_id, statement.id)
            if file is None:
                raise StatementNotIssued(state=statement.state, hold_code=statement.hold_code)
            return file

    def entries(self, act: Act, statement_id: UUID, request: PageRequest) -> tuple[list[EntryView], str | None]:
        """Entries in the order of the file; none while the statement is held."""
        order = [Sort(col(StatementEntry.sequence), lambda row: row.sequence, int)]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            statement = self._visible(session, act, statement_id)
            query = StatementRepository(session).entries(act.office_id, statement.id)
            rows, cursor = self.gateway.pager.page(session, query, order, request, name=f"entries:{statement.id}")
            known = TransactionRepository(session).many(act.office_id, [row.transaction_id for row in rows])
            offset = [row.reverses_entry_id for row in rows if row.reverses_entry_id is not None]
            found = StatementRepository(session).issued_entries(act.office_id, offset) if offset else []
            named = {entry.id: (entry, statement) for entry, statement in found}
            views = [
                EntryView(
                    row,
                    known[row.transaction_id],
                    named[row.reverses_entry_id] if row.reverses_entry_id is not None else None,
                )
                for row in rows
            ]
            return views, cursor

    def days(self, act: Act, account: Account, first: date, last: date) -> Sequence[AccountDay]:
        """The rows of `calendar`."""
        return [view.row for view in self.calendar(act, account, first, last)]

    def calendar(self, act: Act, account: Account, first: date, last: date) -> Sequence[DayView]:
        """Every day of the period up to the last one that is over, none left out (SYN-15).

        What the bank's own files say of a day that has no proof of ours goes before what was read (CON-17).
        `account` comes from `AccountService.get`, which checked the right. Raises `PeriodInvalid`.
        """
        if last < first or (last - first).days >= DAYS_MAX:
            raise PeriodInvalid("/from", days=DAYS_MAX)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            known = {row.day: row for row in StatementRepository(session).days(act.office_id, account.id, first, last)}
            chain = StatementRepository(session).chain(act.office_id, account.id)
            covered = covered_days(session, account, first, last)
        start = chain.first_date if chain is not None else first_day(account)
        is_ours = account.consent_id is not None
        hour = self.gateway.banks.profile(account.bank_id).end_of_day_hour if is_ours else 0
        every = (first + timedelta(days=offset) for offset in range((last - first).days + 1))
        views = []
        for day in every:
            if not is_over(day, hour, act.now):
                continue
            row, of_files = known.get(day), covered.get(day)
            if of_files is not None and (row is None or row.proof is None):
                views.append(DayView(_of_files(account, of_files), of_files.file))
            else:
                views.append(DayView(row or _unread(account, day, start)))
        return views

    def _accounts(self, session: Session, act: Act, wanted: StatementFilter) -> SelectOfScalar[UUID]:
        """The accounts a list may show; a filter on what cannot be seen answers 404."""
        accounts = AccountRepository(session)
        granted = clients_open(session, act, Permission.STATEMENTS_READ)
        query = accounts.visible_ids(act.office_id, granted.with_only_columns(col(Client.id)))
        if wanted.client_id is not None:
            require_client(session, act, wanted.client_id, Permission.STATEMENTS_READ)
            query = query.where(Account.client_id == wanted.client_id)
        if wanted.account_id is not None:
            query = query.where(Account.id == wanted.account_id)
            if session.exec(query).one_or_none() is None:
                raise AccountNotFound
        return query

    def _visible(self, session: Session, act: Act, statement_id: UUID) -> Statement:
        statement = StatementRepository(session).get(act.office_id, statement_id)
        if statement is None:
            raise StatementNotFound
        try:
            require_client(session, act, statement.client_id, Permission.STATEMENTS_READ)
        except NotFound:
            raise StatementNotFound from None
        return statement


def _of_files(account: Account, covered: CoveredDay) -> AccountDay:
    """A day as the bank's own files have it; not stored, since they are."""
    return AccountDay(
        id=account.id,
        office_id=account.office_id,
        account_id=account.id,
        day=covered.day,
        state=covered.state,
        proof=Proof.BANK_FILE if covered.file is not None else None,
        cause=covered.cause,
        opening_balance=covered.opening,
        closing_balance=covered.closing,
        entries_count=covered.entries_count,
    )


def _unread(account: Account, day: date, start: date | None) -> AccountDay:
    """A day nothing was decided about: before the beginning, or not read from the bank."""
    if account.bank_made_source is not None and (account.source_from is None or day >= account.source_from):
        return AccountDay(
            id=account.id,
            office_id=account.office_id,
            account_id=account.id,
            day=day,
            state=DayState.SOURCE_FAILED,
            cause=FILE_AWAITED,
        )
    is_excluded = account.excluded_reason is not None
    is_before = is_excluded or account.statements_from is None or (start is not None and day < start)
    cause = "before_statements_from" if account.statements_from is not None else "statements_from_not_chosen"
    cause = "statements_excluded" if is_excluded else cause
    return AccountDay(
        id=account.id,
        office_id=account.office_id,
        account_id=account.id,
        day=day,
        state=DayState.BEFORE_START if is_before else DayState.SOURCE_FAILED,
        cause=cause if is_before else account.health_code or "not_read_yet",
    )

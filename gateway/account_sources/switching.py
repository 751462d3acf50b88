"""Switching the source of an account, a deliberate step that says from which day (CON-17).

No day gets two sources and none is left without one: bank-made files begin where our last statement ended, and ours
begin where the last bank-made one ended, at its balance and after its number.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final
from uuid import UUID

from sqlmodel import Session, col

from gateway import jobs
from gateway.account_sources.anew import judged_anew
from gateway.account_sources.declared import read_source, source_of
from gateway.account_sources.errors import SourceDayNotProven, SourceDayRefused, SourceIsPresent, SourceNotPossible
from gateway.account_sources.models import SourceSwitch
from gateway.account_sources.repository import BankFileRepository
from gateway.account_sources.states import BANK_MADE, BankFileState, Source, check_step
from gateway.accounts.errors import AccountMoved, AccountMoving, AccountNotFound
from gateway.accounts.models import Account
from gateway.accounts.repository import AccountRepository
from gateway.accounts.service import CLOSE_TASK
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import NotFound
from gateway.foreign_files.errors import NumberingRefused
from gateway.foreign_files.following import Following, following
from gateway.foreign_files.models import ForeignStatement, NumberingHandover
from gateway.foreign_files.repository import HandoverRepository
from gateway.foreign_files.service import number_key_of, told
from gateway.foreign_files.states import HandoverState
from gateway.foreign_files.states import check_step as check_handover
from gateway.identity.rights import Permission
from gateway.ids import new_id
from gateway.offices.service import require_client
from gateway.pagination import PageRequest, Sort
from gateway.profiles.becoming import payable
from gateway.profiles.repository import KnownAccountRepository
from gateway.statements.repository import StatementRepository

ONE_DAY: Final = timedelta(days=1)


class SourceService:
    """Sources of an office's accounts."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def switch(
        self, act: Act, account_id: UUID, source: Source, from_day: date, *, reason: str | None = None
    ) -> Account:
        """Declare another source from a day on; raises what `switch_in` raises."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            return self.switch_in(session, act, account_id, source, from_day, reason=reason)

    def switch_in(
        self,
        session: Session,
        act: Act,
        account_id: UUID,
        source: Source,
        from_day: date,
        *,
        reason: str | None = None,
    ) -> Account:
        """As `switch`, inside a unit of work; a known account becomes an account by it, with the same id.

        Raises `SourceIsPresent`, `SourceDayRefused`, `SourceDayNotProven`, `SourceNotPossible`, `NumberingRefused`,
        `AccountMoved`, `AccountMoving`, `AccountNotFound`, and what `require_client` raises.
        """
        account = own_account(session, act, account_id)
        present = source_of(account)
        if source is present:
            raise SourceIsPresent
        if from_day > act.today:
            raise SourceDayRefused(found=from_day.isoformat(), expected=act.today.isoformat())
        changes = {
            "source": Change(str(present), str(source)),
            "source_from": Change(account.source_from, from_day),
            "reason": Change(None, reason),
        }
        if source in BANK_MADE:
            self._to_files(session, account, source, from_day)
        else:
            self._to_reading(session, act, account, source, from_day)
        account.source_from = from_day
        account.version += 1
        session.add(account)
        session.add(
            SourceSwitch(
                id=new_id(),
                office_id=account.office_id,
                client_id=account.client_id,
                account_id=account.id,
                former=str(present),
                source=str(source),
                from_day=from_day,
                reason=reason,
                creator_kind=act.principal.kind,
                creator_id=act.principal.id,
                created_at=act.now,
            )
        )
        self.gateway.audit.record(
            session, act, "account.source_switched", "account", account.id,
            client_id=account.client_id, changes=changes,
        )  # fmt: skip
        jobs.enqueue(
            session, CLOSE_TASK, lock=jobs.account_lock(account.id),
            office_id=str(act.office_id), account_id=str(account.id),
        )  # fmt: skip
        return account

    def switches(self, act: Act, account_id: UUID, request: PageRequest) -> tuple[list[SourceSwitch], str | None]:
        """The switches of an account, the newest first; raises `AccountNotFound`."""
        order = [Sort(col(SourceSwitch.id), lambda row: str(row.id), UUID, is_descending=True)]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            account = AccountRepository(session).get(act.office_id, account_id)
            if account is None:
                raise AccountNotFound
            try:
                require_client(session, act, account.client_id, Permission.ACCOUNTS_READ)
            except NotFound:
                raise AccountNotFound from None
            query = BankFileRepository(session).switches(act.office_id, account_id)
            return self.gateway.pager.page(session, query, order, request, name=f"source-switches:{account_id}")

    def first_day_of(self, act: Act, account: Account, source: Source) -> date | None:
        """The day from which a switch to that source is possible; None where any day is.

        `account` comes from `AccountService.get`, which checked the right.
        """
        with self.gateway.database.unit_of_work(act.office_id) as session:
            return _first_day_of(session, account, source)

    def _to_files(self, session: Session, account: Account, source: Source, from_day: date) -> None:
        office_id = account.office_id
        files = BankFileRepository(session).of_account(office_id, account.id)
        chain = StatementRepository(session).chain(office_id, account.id)
        is_issued = HandoverRepository(session).first_issued(office_id, account.id) is not None
        expected = _first_day_of(session, account, source)
        if account.bank_made_source is not None:
            if expected is not None and from_day < expected:
                raise SourceDayRefused(found=from_day.isoformat(), expected=expected.isoformat())
        elif chain is not None and is_issued:
            if from_day != expected:
                raise SourceDayRefused(found=from_day.isoformat(), expected=str(expected))
            for statement in StatementRepository(session).open_of(office_id, account.id):
                session.delete(statement)
        else:
            HandoverRepository(session).forget_chain(office_id, account.id)
        account.bank_made_source = str(source)
        last: date | None = None
        for file in files:
            if file.state != BankFileState.HELD or file.first_day < from_day:
                continue
            if last is not None and file.first_day <= last:
                # Two files of the same days: a person chooses between them.
                continue
            check_step(file.state, BankFileState.PASSED_ON)
            file.state, file.source = BankFileState.PASSED_ON, str(source)
            file.version += 1
            session.add(file)
            last = file.last_day

    def _to_reading(self, session: Session, act: Act, account: Account, source: Source, from_day: date) -> None:
        if account.consent_id is None or read_source(account) is not source:
            raise SourceNotPossible
        last = BankFileRepository(session).last_statement(account.office_id, account.id, before=date.max)
        chain = StatementRepository(session).chain(account.office_id, account.id)
        expected = _first_day_of(session, account, source)
        if expected is not None and from_day != expected:
            raise SourceDayRefused(found=from_day.isoformat(), expected=expected.isoformat())
        account.bank_made_source = None
        if last is None:
            account.statements_from = account.statements_from or from_day
            return
        opening = judged_anew(self.gateway, session, account, from_day).opening
        if opening is None or opening.balance != last.closing_balance:
            ours = f"{opening.balance:.2f}" if opening is not None else "–"
            raise SourceDayNotProven(found=f"{last.closing_balance:.2f}", expected=ours)
        found = self._following(session, act, account, last)
        account.statements_from = from_day
        if chain is not None:
            # What is issued stays; the chain goes on after the files, as soon as a reading shows their last day.
            session.delete(chain)
        for former in HandoverRepository(session).of_account(account.office_id, account.iban, account.currency):
            check_handover(former.state, HandoverState.REPLACED)
            former.state = HandoverState.REPLACED
            session.add(former)
        session.flush()
        session.add(_handover(act, account, last, found))

    def _following(self, session: Session, act: Act, account: Account, last: ForeignStatement) -> Following:
        key = number_key_of(session, act, account.client_id)
        number = last.paper_number if key == "paper" else last.coda_number
        year = (last.closing_date + ONE_DAY).year
        given = StatementRepository(session).number_max(account.office_id, account.id, year)
        # A number that a file of ours has is not given again, whatever the bank's last one is.
        number = max(number, given) if last.closing_date.year == year else number
        found = following(
            key, number, last.closing_date, last.closing_balance, last_entry_date=last.closing_date, used=()
        )
        if found.faults:
            raise NumberingRefused(faults=[told(fault) for fault in found.faults])
        return found


def _first_day_of(session: Session, account: Account, source: Source) -> date | None:
    """The day after the last one of the present source. To files it is None until a file of either source is out."""
    files = BankFileRepository(session)
    chain = StatementRepository(session).chain(account.office_id, account.id)
    if source not in BANK_MADE:
        last = files.last_statement(account.office_id, account.id, before=date.max)
        if last is not None:
            return last.closing_date + ONE_DAY
        return chain.closed_until + ONE_DAY if chain is not None else account.source_from
    if account.bank_made_source is not None:
        passed = files.last_passed_day(account.office_id, account.id)
        return passed + ONE_DAY if passed is not None else None
    if chain is None or HandoverRepository(session).first_issued(account.office_id, account.id) is None:
        return None
    return chain.closed_until + ONE_DAY


def own_account(session: Session, act: Act, account_id: UUID) -> Account:
    """The account, locked, for a change by the office; a known account becomes one.

    Raises `AccountNotFound`, `AccountMoved`, `AccountMoving`, and what `require_client` raises.
    """
    account = AccountRepository(session).get(act.office_id, account_id, is_locked=True)
    known = KnownAccountRepository(session).get(act.office_id, account_id) if account is None else None
    owner = account or known
    if owner is None:
        raise AccountNotFound
    try:
        require_client(session, act, owner.client_id, Permission.CLIENTS_WRITE, is_change=True)
    except NotFound:
        raise AccountNotFound from None
    if account is None:
        account = payable(session, act, owner.client_id, [account_id])[account_id]
    if account.moved_on is not None:
        raise AccountMoved
    if account.takes_over_on is not None:
        raise AccountMoving(move_on=account.takes_over_on.isoformat())
    return account


def _handover(act: Act, account: Account, last: ForeignStatement, found: Following) -> NumberingHandover:
    """The confirmed hand-over with which the chain goes on; the switch is the confirmation."""
    return NumberingHandover(
        id=new_id(),
        office_id=account.office_id,
        client_id=account.client_id,
        iban=account.iban,
        currency=account.currency,
        state=HandoverState.CONFIRMED,
        basis="files",
        number_key=found.number_key,
        coda_number=last.coda_number,
        paper_number=last.paper_number,
        last_number=found.last_number,
        closing_date=found.closing_date,
        closing_balance=found.closing_balance,
        last_entry_date=found.last_entry_date,
        first_day=found.first_day,
        next_number=found.next_number,
        files_count=1,
        last_file_id=last.file_id,
        creator_kind=act.principal.kind,
        creator_id=act.principal.id,
        created_at=act.now,
        confirmed_at=act.now,
    )

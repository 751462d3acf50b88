"""Handing over the numbering: proposed from files or typed values, confirmed as a step of its own (STA-20, OFF-10)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session, col

from gateway import jobs
from gateway.accounts.errors import AccountMoved, AccountMoving, StatementsStarted
from gateway.accounts.models import Account, Balance
from gateway.accounts.repository import AccountRepository, BalanceRepository
from gateway.accounts.service import CLOSE_TASK
from gateway.accounts.starts import earliest_start
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import FieldFault, InputError, NotFound
from gateway.foreign_files.errors import ForeignFilesRefused, NumberingHandoverNotFound, NumberingRefused
from gateway.foreign_files.following import Following, follow_files, following
from gateway.foreign_files.keeping import keep, own_files, read_all
from gateway.foreign_files.labels import FAULTS, HINTS
from gateway.foreign_files.models import NumberingHandover
from gateway.foreign_files.reading import Facts, FileFault, SentFile, unpacked
from gateway.foreign_files.repository import ForeignFileRepository, HandoverRepository
from gateway.foreign_files.states import HandoverState, check_step
from gateway.identity.rights import Permission
from gateway.ids import new_id
from gateway.offices.models import Client
from gateway.offices.service import clients_open, require_client
from gateway.pagination import PageRequest, Sort
from gateway.profiles.models import ClientProfile
from gateway.profiles.packages import NUMBER_KEYS
from gateway.profiles.repository import KnownAccountRepository
from gateway.profiles.service import checked_iban
from gateway.statements.bank_balances import is_over

FAULTS_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class Dropped:
    """What became of files that were dropped: a hand-over per account, and the files that were not taken."""

    handovers: Sequence[NumberingHandover]
    refused: Sequence[FileFault]


@dataclass(frozen=True, slots=True)
class TypedNumbering:
    """What a person reads off the last file in the package."""

    iban: str
    currency: str
    number: int
    closing_date: date
    closing_balance: Decimal


class HandoverService:
    """Hand-overs of an office's accounts."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def page(
        self, act: Act, request: PageRequest, *, client_id: UUID | None = None
    ) -> tuple[list[NumberingHandover], str | None]:
        """Hand-overs, the newest first, replaced ones too."""
        act.require(Permission.ACCOUNTS_READ, client_id)
        order = [Sort(col(NumberingHandover.id), lambda row: str(row.id), UUID, is_descending=True)]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            granted = clients_open(session, act, Permission.ACCOUNTS_READ)
            query = HandoverRepository(session).of_clients(act.office_id, granted.with_only_columns(col(Client.id)))
            if client_id is not None:
                require_client(session, act, client_id, Permission.ACCOUNTS_READ)
                query = query.where(NumberingHandover.client_id == client_id)
            name = f"numbering-handovers:{act.office_id}:{client_id}"
            return self.gateway.pager.page(session, query, order, request, name=name)

    def present(self, act: Act, client_id: UUID) -> Sequence[NumberingHandover]:
        """What stands for the accounts of a client, the newest first."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            require_client(session, act, client_id, Permission.ACCOUNTS_READ)
            return HandoverRepository(session).present(act.office_id, client_id)

    def get(self, act: Act, handover_id: UUID) -> NumberingHandover:
        """One hand-over; raises `NumberingHandoverNotFound`."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            return self._visible(session, act, handover_id, Permission.ACCOUNTS_READ)

    def drop(self, act: Act, client_id: UUID, sent: Iterable[SentFile], *, number_key: str | None = None) -> Dropped:
        """Keep the last files of the former source and propose how each account goes on; nothing else changes yet.

        Raises `ForeignFilesTooLarge`, `ForeignFilesEmpty`, `ForeignFilesRefused` when no file can be used, and what
        `require_client` raises.
        """
        act.require(Permission.CLIENTS_WRITE, client_id)
        opened, damaged = unpacked(sent)
        files, faulty = read_all(opened)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            require_client(session, act, client_id, Permission.CLIENTS_WRITE, is_change=True)
            own = KnownAccountRepository(session).ibans(act.office_id, client_id)
            files, strange = own_files(files, own)
            refused = [*damaged, *faulty, *strange]
            if not files:
                raise ForeignFilesRefused(faults=[told(fault) for fault in refused[:FAULTS_SHOWN]])
            key = number_key or number_key_of(session, act, client_id)
            earlier = ForeignFileRepository(session)
            by_account: dict[tuple[str, str], list[Facts]] = {}
            digest_of: dict[str, str] = {}
            for read in files:
                for facts in read.statements:
                    by_account.setdefault((facts.iban, facts.link.currency), []).append(facts)
                    digest_of[facts.link.contents] = read.file.sha256
            # What was handed in before, without the files of this drop themselves.
            known = {
                account: earlier.numbers(act.office_id, *account, key, but_not=[read.file.sha256 for read in files])
                for account in by_account
            }
            ids = keep(self.gateway, session, act, client_id, files)
            made = []
            for account, statements in sorted(by_account.items()):
                found = follow_files(statements, key, known=known[account])
                assert found.last is not None, "there is a statement of each account"
                file_id = ids[digest_of[found.last.link.contents]]
                made.append(self._add(session, act, client_id, account, found, basis="files", last_file_id=file_id))
            return Dropped(made, refused)

    def type_in(
        self, act: Act, client_id: UUID, typed: TypedNumbering, *, number_key: str | None = None
    ) -> NumberingHandover:
        """The alternative to files: number, day and balance of the last one, as a person reads them.

        Raises `InputError` for an account that is not the client's, and what `require_client` raises.
        """
        act.require(Permission.CLIENTS_WRITE, client_id)
        iban = checked_iban(typed.iban)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            require_client(session, act, client_id, Permission.CLIENTS_WRITE, is_change=True)
            own = KnownAccountRepository(session).ibans(act.office_id, client_id)
            if iban not in own:
                expected = ", ".join(sorted(f"…{other[-4:]}" for other in own)) or "–"
                raise InputError(faults=[told(FileFault("wrong_account", "", f"…{iban[-4:]}", expected), "/iban")])
            key = number_key or number_key_of(session, act, client_id)
            known = ForeignFileRepository(session).numbers(act.office_id, iban, typed.currency, key)
            found = following(
                key, typed.number, typed.closing_date, typed.closing_balance,
                last_entry_date=typed.closing_date, used=known,
            )  # fmt: skip
            return self._add(session, act, client_id, (iban, typed.currency), found, basis="typed")

    def confirm(self, act: Act, handover_id: UUID) -> NumberingHandover:
        """Let the account's statements go on after what was proposed; harmless to repeat.

        Raises `NumberingRefused` with both values, `StatementsStarted` once a file of ours is issued, `AccountMoved`,
        `AccountMoving`, `InvalidTransition`, `NumberingHandoverNotFound`.
        """
        with self.gateway.database.unit_of_work(act.office_id) as session:
            proposed = self._visible(session, act, handover_id, Permission.CLIENTS_WRITE, is_change=True)
            # The account first, as everybody locks it who gives numbers.
            account = AccountRepository(session).by_iban(act.office_id, proposed.iban, proposed.currency)
            known = KnownAccountRepository(session).of_iban(act.office_id, proposed.client_id, proposed.iban)
            handover = HandoverRepository(session).get(act.office_id, handover_id, is_locked=True)
            assert handover is not None, "hand-overs are not deleted"
            if handover.state == HandoverState.CONFIRMED:
                return handover
            check_step(handover.state, HandoverState.CONFIRMED)
            if account is not None:
                faults = self._faults_at_bank(session, act, account, handover)
                if faults:
                    raise NumberingRefused(faults=[told(fault) for fault in faults])
            self._replace_others(session, act, handover)
            handover.state, handover.confirmed_at = HandoverState.CONFIRMED, act.now
            handover.version += 1
            session.add(handover)
            changes = {
                "statements_from": Change(None, handover.first_day),
                "next_number": Change(None, handover.next_number),
                "last_number": Change(None, handover.last_number),
                "last_balance": Change(None, handover.closing_balance),
                "basis": Change(None, handover.basis),
            }
            if account is not None:
                HandoverRepository(session).forget_chain(act.office_id, account.id)
                changes["statements_from"] = Change(account.statements_from, handover.first_day)
                account.statements_from = handover.first_day
                account.version += 1
                session.add(account)
                jobs.enqueue(
                    session, CLOSE_TASK, lock=jobs.account_lock(account.id),
                    office_id=str(act.office_id), account_id=str(account.id),
                )  # fmt: skip
            elif known is not None:
                known.statements_from, known.next_coda_number = handover.first_day, handover.next_number
                known.last_balance = handover.closing_balance
                known.version += 1
                session.add(known)
            kind, object_id = ("account", account.id) if account is not None else ("known_account", None)
            self.gateway.audit.record(
                session, act, "account.numbering_confirmed", kind,
                object_id or (known.id if known is not None else handover.id),
                client_id=handover.client_id, changes=changes,
            )  # fmt: skip
            return handover

    def _add(
        self,
        session: Session,
        act: Act,
        client_id: UUID,
        account: tuple[str, str],
        found: Following,
        *,
        basis: str,
        last_file_id: UUID | None = None,
    ) -> NumberingHandover:
        iban, currency = account
        row = AccountRepository(session).by_iban(act.office_id, iban, currency)
        faults = list(found.faults)
        if row is not None:
            faults += self._faults_at_bank(session, act, row, found, is_started_told=True)
        if found.closing_date > act.today:
            faults.append(FileFault("closing_date_later", "", found.closing_date.isoformat(), act.today.isoformat()))
        handover = NumberingHandover(
            id=new_id(),
            office_id=act.office_id,
            client_id=client_id,
            iban=iban,
            currency=currency,
            state=HandoverState.REFUSED if faults else HandoverState.PROPOSED,
            basis=basis,
            number_key=found.number_key,
            coda_number=found.coda_number,
            paper_number=found.paper_number,
            last_number=found.last_number,
            closing_date=found.closing_date,
            closing_balance=found.closing_balance,
            last_entry_date=found.last_entry_date,
            first_day=found.first_day,
            next_number=found.next_number,
            files_count=found.files_count,
            last_file_id=last_file_id,
            faults=[fault.stored() for fault in faults[:FAULTS_SHOWN]],
            creator_kind=act.principal.kind,
            creator_id=act.principal.id,
            created_at=act.now,
        )
        self._replace_others(session, act, handover, is_confirmed_kept=True)
        session.add(handover)
        session.flush()
        self.gateway.audit.record(
            session, act, "account.numbering_proposed", "numbering_handover", handover.id, client_id=client_id,
            changes={
                "state": Change(None, handover.state), "basis": Change(None, basis),
                "last_number": Change(None, found.last_number), "last_balance": Change(None, found.closing_balance),
                "last_date": Change(None, found.closing_date),
            },
        )  # fmt: skip
        return handover

    def _replace_others(
        self, session: Session, act: Act, handover: NumberingHandover, *, is_confirmed_kept: bool = False
    ) -> None:
        repository = HandoverRepository(session)
        for other in repository.of_account(act.office_id, handover.iban, handover.currency, but_not=handover.id):
            if is_confirmed_kept and other.state == HandoverState.CONFIRMED:
                continue
            check_step(other.state, HandoverState.REPLACED)
            other.state = HandoverState.REPLACED
            other.version += 1
            session.add(other)
        # Before the next one is confirmed: an account has one at a time.
        session.flush()

    def _faults_at_bank(
        self, session: Session, act: Act, account: Account, found: Following | NumberingHandover,
        *, is_started_told: bool = False,
    ) -> list[FileFault]:  # fmt: skip
        """What contradicts the bank. Raises `StatementsStarted`, `AccountMoved`, `AccountMoving`, unless told so."""
        started = HandoverRepository(session).first_issued(act.office_id, account.id)
        if started is not None:
            if not is_started_told:
                raise StatementsStarted(first_date=started.day.isoformat())
            return [FileFault("statements_started", "", found.closing_date.isoformat(), started.day.isoformat())]
        if account.moved_on is not None:
            raise AccountMoved
        if account.takes_over_on is not None:
            raise AccountMoving(move_on=account.takes_over_on.isoformat())
        faults = []
        if account.consent_id is not None:
            profile = self.gateway.banks.profile(account.bank_id)
            earliest = earliest_start(account, profile.history, act.today)
            if found.first_day < earliest:
                faults.append(FileFault("history_begins_later", "", found.first_day.isoformat(), earliest.isoformat()))
            bank = self._balance_at_bank(session, account, found.closing_date, profile.end_of_day_hour)
            if bank is not None and bank.amount != found.closing_balance:
                faults.append(FileFault("balance_differs", "", f"{found.closing_balance:.2f}", f"{bank.amount:.2f}"))
        return faults

    def _balance_at_bank(self, session: Session, account: Account, day: date, hour: int) -> Balance | None:
        """What the bank says of the end of a day; its own word before what was computed from one."""
        closings = BalanceRepository(session).closings(account.office_id, account.id, date_from=day)
        of_day = [row for row in closings if row.reference_date == day and is_over(day, hour, row.read_at)]
        return max(of_day, key=lambda row: (row.read_at, row.basis == "bank"), default=None)

    def _visible(
        self, session: Session, act: Act, handover_id: UUID, permission: Permission, *, is_change: bool = False
    ) -> NumberingHandover:
        handover = HandoverRepository(session).get(act.office_id, handover_id)
        if handover is None:
            raise NumberingHandoverNotFound
        try:
            require_client(session, act, handover.client_id, permission, is_change=is_change)
        except NotFound:
            raise NumberingHandoverNotFound from None
        return handover


def number_key_of(session: Session, act: Act, client_id: UUID) -> str:
    """The number by which the client's package knows a statement: `coda` or `paper`."""
    profile = session.get(ClientProfile, client_id)
    package = profile.package if profile is not None and profile.office_id == act.office_id else None
    return NUMBER_KEYS[package or "neutral"]


def told(fault: FileFault, pointer: str = "") -> FieldFault:
    """A fault as problems carry it: both values in the sentence."""
    values: dict[str, Any] = {"file": fault.file or "–", "found": fault.found, "expected": fault.expected}
    return FieldFault(pointer or "/files", fault.code, FAULTS[fault.code], HINTS.get(fault.code, ""), values)

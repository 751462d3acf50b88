"""Bank-made files of an account: kept and passed on byte for byte, held where another source gives the day (CON-17)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlmodel import Session, col

from gateway.account_sources.declared import source_of
from gateway.account_sources.errors import BankFileNotFound, SecondSource
from gateway.account_sources.models import BankFile
from gateway.account_sources.repository import BankFileRepository
from gateway.account_sources.states import BankFileState, check_step
from gateway.account_sources.switching import own_account
from gateway.accounts.models import Account
from gateway.accounts.repository import AccountRepository
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import NotFound
from gateway.foreign_files.errors import ForeignFilesRefused
from gateway.foreign_files.keeping import ReadFile, keep, own_files, read_all
from gateway.foreign_files.reading import FileFault, SentFile, unpacked
from gateway.foreign_files.service import FAULTS_SHOWN, told
from gateway.identity.rights import Permission
from gateway.ids import encode, new_id
from gateway.offices.models import Client
from gateway.offices.service import clients_open, require_client
from gateway.pagination import PageRequest, Sort


@dataclass(frozen=True, slots=True)
class BankFileView:
    """A bank-made file without its bytes."""

    row: BankFile
    name: str | None
    sha256: str
    size: int
    iban: str


@dataclass(frozen=True, slots=True)
class BankFileFilter:
    """Which bank-made files a list shows."""

    account_id: UUID | None = None
    client_id: UUID | None = None
    state: BankFileState | None = None


class BankFileService:
    """Bank-made files of an office's accounts."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def upload(
        self, act: Act, account_id: UUID, sent: Iterable[SentFile]
    ) -> tuple[list[BankFileView], list[FileFault]]:
        """Keep files of one account, and pass them on where bank-made files are its source on their days.

        Otherwise they are held until a person chooses. A file that was sent before stays as it is. Raises
        `ForeignFilesRefused` when no file can be used, `ForeignFilesTooLarge`, `ForeignFilesEmpty`, `AccountNotFound`.
        """
        act.require(Permission.CLIENTS_WRITE)
        opened, damaged = unpacked(sent)
        files, faulty = read_all(opened)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            account = own_account(session, act, account_id)
            files, strange = own_files(files, {account.iban}, wanted=account.iban)
            refused = [*damaged, *faulty, *strange]
            if not files:
                raise ForeignFilesRefused(faults=[told(fault) for fault in refused[:FAULTS_SHOWN]])
            ids = keep(self.gateway, session, act, account.client_id, files)
            known = {row.file_id: row for row in BankFileRepository(session).of_account(act.office_id, account.id)}
            rows = []
            for read in sorted(files, key=_days):
                file_id = ids[read.file.sha256]
                if file_id not in known:
                    known[file_id] = self._add(session, act, account, (file_id, read), list(known.values()))
                rows.append(known[file_id])
            return self._views(session, act.office_id, rows, {account.id: account.iban}), refused

    def page(
        self, act: Act, request: PageRequest, wanted: BankFileFilter | None = None
    ) -> tuple[list[BankFileView], str | None]:
        """Bank-made files, the newest first."""
        wanted = wanted or BankFileFilter()
        act.require(Permission.STATEMENTS_READ, wanted.client_id)
        order = [Sort(col(BankFile.id), lambda row: str(row.id), UUID, is_descending=True)]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            granted = clients_open(session, act, Permission.STATEMENTS_READ)
            query = BankFileRepository(session).of_clients(act.office_id, granted.with_only_columns(col(Client.id)))
            if wanted.client_id is not None:
                require_client(session, act, wanted.client_id, Permission.STATEMENTS_READ)
                query = query.where(BankFile.client_id == wanted.client_id)
            if wanted.account_id is not None:
                query = query.where(BankFile.account_id == wanted.account_id)
            if wanted.state is not None:
                query = query.where(BankFile.state == wanted.state)
            rows, cursor = self.gateway.pager.page(
                session, query, order, request, name=f"bank-files:{act.office_id}:{wanted}"
            )
            ibans = BankFileRepository(session).ibans(act.office_id, {row.account_id for row in rows})
            return self._views(session, act.office_id, rows, ibans), cursor

    def get(self, act: Act, bank_file_id: UUID) -> BankFileView:
        """One bank-made file; raises `BankFileNotFound`."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            row = self._visible(session, act, bank_file_id, Permission.STATEMENTS_READ)
            return self._view(session, row)

    def content(self, act: Act, bank_file_id: UUID) -> tuple[BankFileView, bytes]:
        """The bytes as the bank made them; raises `SecondSource` unless the file is passed on."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            row = self._visible(session, act, bank_file_id, Permission.STATEMENTS_READ)
            if row.state != BankFileState.PASSED_ON:
                account = AccountRepository(session).get(act.office_id, row.account_id)
                assert account is not None, "accounts are not deleted"
                raise SecondSource(source=str(source_of(account)))
            file = BankFileRepository(session).contents(act.office_id, [row.file_id])[row.file_id]
            return self._view(session, row), file.content

    def set_aside(self, act: Act, bank_file_id: UUID) -> BankFileView:
        """Choose the other source for its days; the file is kept, and not passed on."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            row = self._visible(session, act, bank_file_id, Permission.CLIENTS_WRITE, is_change=True)
            check_step(row.state, BankFileState.SET_ASIDE)
            change = Change(row.state, str(BankFileState.SET_ASIDE))
            row.state = BankFileState.SET_ASIDE
            row.version += 1
            session.add(row)
            self.gateway.audit.record(
                session, act, "account.bank_file_set_aside", "bank_file", row.id,
                client_id=row.client_id, changes={"state": change},
            )  # fmt: skip
            return self._view(session, row)

    def _add(
        self, session: Session, act: Act, account: Account, kept: tuple[UUID, ReadFile], known: Sequence[BankFile]
    ) -> BankFile:
        file_id, read = kept
        first, last = _days(read)
        is_fed = account.bank_made_source is not None and (account.source_from is None or first >= account.source_from)
        is_double = any(
            row.state == BankFileState.PASSED_ON and row.first_day <= last and first <= row.last_day for row in known
        )
        row = BankFile(
            id=new_id(),
            office_id=account.office_id,
            client_id=account.client_id,
            account_id=account.id,
            file_id=file_id,
            source=str(source_of(account)),
            state=BankFileState.PASSED_ON if is_fed and not is_double else BankFileState.HELD,
            first_day=first,
            last_day=last,
            created_at=act.now,
        )
        session.add(row)
        session.flush()
        self.gateway.audit.record(
            session, act, "account.bank_file_added", "bank_file", row.id,
            client_id=row.client_id,
            changes={"state": Change(None, row.state), "sha256": Change(None, read.file.sha256)},
        )  # fmt: skip
        return row

    def _visible(
        self, session: Session, act: Act, bank_file_id: UUID, permission: Permission, *, is_change: bool = False
    ) -> BankFile:
        row = BankFileRepository(session).get(act.office_id, bank_file_id, is_locked=is_change)
        if row is None:
            raise BankFileNotFound
        try:
            require_client(session, act, row.client_id, permission, is_change=is_change)
        except NotFound:
            raise BankFileNotFound from None
        return row

    def _view(self, session: Session, row: BankFile) -> BankFileView:
        account = AccountRepository(session).get(row.office_id, row.account_id)
        assert account is not None, "accounts are not deleted"
        return self._views(session, row.office_id, [row], {account.id: account.iban})[0]

    def _views(
        self, session: Session, office_id: UUID, rows: Sequence[BankFile], ibans: Mapping[UUID, str]
    ) -> list[BankFileView]:
        facts = BankFileRepository(session).facts(office_id, [row.file_id for row in rows])
        return [BankFileView(row, *facts[row.file_id], ibans[row.account_id]) for row in rows]


def _days(read: ReadFile) -> tuple[date, date]:
    days = [facts.closing_date for facts in read.statements]
    return min(days), max(days)


def file_name(view: BankFileView) -> str:
    """What a download is called: the account, the last day and the file's id, since banks' own names repeat."""
    return f"{view.iban}_{view.row.last_day:%Y%m%d}_{encode('bank_file', view.row.id)[-8:]}.cod"

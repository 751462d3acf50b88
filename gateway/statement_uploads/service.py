"""Uploading statements for accounts that are read at their bank: read and compared, confirmed as a step of its own.

Nothing changes before the confirmation; that is one transaction, and harmless to repeat. Files are kept encrypted with
their hash. What they bring is booked transactions and balances with the basis `document`; days that become complete are
proven and closed by the ordinary chain, issued files stay as they are. No payment changes its state by it, and no
account number of a creditor becomes known (PAY-09). Requirement STA-19.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from sqlmodel import Session, col

from connectors.dialect import Dialect
from connectors.model import BalanceKind, Transaction
from connectors.normalise import normalise_berlin_group
from gateway import jobs
from gateway.accounts.models import Account, Balance
from gateway.accounts.repository import AccountRepository
from gateway.accounts.service import CLOSE_TASK
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.clock import BRUSSELS
from gateway.errors import FieldFault, NotFound
from gateway.foreign_files.errors import ForeignFilesRefused
from gateway.foreign_files.reading import FileFault, SentFile, unpacked
from gateway.identity.rights import Permission
from gateway.ids import encode, new_id
from gateway.offices.models import Client, Service
from gateway.offices.service import clients_open, require_client
from gateway.pagination import PageRequest, Sort
from gateway.profiles.repository import KnownAccountRepository
from gateway.statement_uploads.errors import StatementUploadNotFound, StatementUploadOutdated
from gateway.statement_uploads.labels import FAULTS
from gateway.statement_uploads.matching import Addition, Match, fingerprint, in_order, match
from gateway.statement_uploads.model import Document, DocumentStatement, PartFault
from gateway.statement_uploads.models import FILE_TABLE, StatementUpload, StatementUploadFile, StatementUploadPart
from gateway.statement_uploads.reading import AccountKey, by_account, read, read_all
from gateway.statement_uploads.repository import UploadRepository
from gateway.statement_uploads.standing import cover, standing
from gateway.statement_uploads.states import UploadState, check_step
from gateway.statements.bank_balances import is_over
from gateway.transactions.absorb import Window
from gateway.transactions.documents import DOCUMENT_VERSION
from gateway.transactions.merging import Merger

ONE_DAY: Final = timedelta(days=1)
FAULTS_SHOWN: Final = 50
SERVICES: Final = (Service.TRANSACTIONS, Service.CODA)
DOCUMENT: Final = "document"
_CODES_OF_CODA: Final = Dialect(proprietary_code_is_coda=True, id_fields=("entryReference",))
"""The codes of a file are those of CODA, in each format that has them."""


@dataclass(frozen=True, slots=True)
class UploadView:
    """An upload with its files and what it comes to."""

    row: StatementUpload
    files: Sequence[StatementUploadFile]
    parts: Sequence[tuple[StatementUploadPart, Account]]


class StatementUploadService:
    """Uploads of an office."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def upload(self, act: Act, client_id: UUID, sent: Iterable[SentFile]) -> UploadView:
        """Read the files, find their accounts, compare; nothing is taken in yet.

        Raises `ForeignFilesTooLarge`, `ForeignFilesEmpty`, `ForeignFilesRefused` when no file can be used, and what
        `require_client` raises.
        """
        act.require(Permission.CLIENTS_WRITE, client_id)
        opened, refused = unpacked(sent)
        read_files, faulty = read_all(opened)
        refused += faulty
        with self.gateway.database.unit_of_work(act.office_id) as session:
            require_client(session, act, client_id, Permission.CLIENTS_WRITE, is_change=True, services=SERVICES)
            read_files, again = self._fresh(session, act, client_id, read_files)
            accounts = {
                (row.iban, row.currency): row for row in AccountRepository(session).of_client(act.office_id, client_id)
            }
            read_files, strange = own_files(read_files, accounts)
            refused += [*again, *strange]
            if not read_files:
                raise ForeignFilesRefused(faults=[told(fault) for fault in refused[:FAULTS_SHOWN]])
            upload = StatementUpload(
                id=new_id(),
                office_id=act.office_id,
                client_id=client_id,
                state=UploadState.PROPOSED,
                refused_files=[fault.stored() for fault in refused[:FAULTS_SHOWN]],
                creator_kind=act.principal.kind,
                creator_id=act.principal.id,
                created_at=act.now,
            )
            session.add(upload)
            session.flush()
            files = [self._keep(session, upload, file, document) for file, document in read_files]
            parts = []
            for key, statements in by_account(document for _, document in read_files).items():
                account = AccountRepository(session).get(act.office_id, accounts[key].id, is_locked=True)
                assert account is not None, "accounts are not deleted"
                part = self._part(upload, account, self._compare(session, act, account, statements))
                session.add(part)
                parts.append((part, account))
            if all(part.faults for part, _ in parts):
                upload.state = UploadState.REFUSED
            session.flush()
            self.gateway.audit.record(
                session, act, "client.statements_uploaded", "client", client_id, client_id=client_id,
                changes={
                    "upload": Change(None, encode("statement_upload", upload.id)), "state": Change(None, upload.state),
                    "digests": Change(None, [file.sha256 for file in files]),
                },
            )  # fmt: skip
            return UploadView(upload, files, parts)

    def confirm(self, act: Act, upload_id: UUID) -> UploadView:
        """Take in what was shown, in one transaction; harmless to repeat.

        Raises `StatementUploadOutdated` when an account would get something else by now, `InvalidTransition` for a
        refused upload, `StatementUploadNotFound`, and what `require_client` raises.
        """
        with self.gateway.database.unit_of_work(act.office_id) as session:
            self._visible(session, act, upload_id, Permission.CLIENTS_WRITE, is_change=True)
            uploads = UploadRepository(session)
            # The accounts first, as everybody locks them who changes what is there.
            for _, account in sorted(uploads.parts(act.office_id, [upload_id]), key=lambda pair: pair[1].id):
                AccountRepository(session).get(act.office_id, account.id, is_locked=True)
            upload = uploads.get(act.office_id, upload_id, is_locked=True)
            assert upload is not None, "uploads are not deleted"
            if upload.state == UploadState.CONFIRMED:
                return self._view(session, upload)
            check_step(upload.state, UploadState.CONFIRMED)
            files = uploads.files(act.office_id, [upload_id])
            statements = by_account(read(self._opened(file)) for file in files)
            changes: dict[str, Change] = {}
            for part, account in uploads.parts(act.office_id, [upload_id]):
                if part.faults:
                    continue
                found = self._compare(session, act, account, statements[account.iban, account.currency])
                if found.faults or not _is_same(part, found):
                    raise StatementUploadOutdated
                self._take_in(session, act, account, upload, found)
                changes[encode("account", account.id)] = Change(None, part.added_count)
            upload.state, upload.confirmed_at = UploadState.CONFIRMED, act.now
            upload.version += 1
            session.add(upload)
            self.gateway.audit.record(
                session, act, "client.statements_taken_in", "client", upload.client_id, client_id=upload.client_id,
                changes={
                    "upload": Change(None, encode("statement_upload", upload.id)),
                    "digests": Change(None, [file.sha256 for file in files]),
                    "added": Change(None, {name: change.new for name, change in changes.items()}),
                },
            )  # fmt: skip
            return self._view(session, upload)

    def page(
        self, act: Act, request: PageRequest, *, client_id: UUID | None = None
    ) -> tuple[list[UploadView], str | None]:
        """Uploads, the newest first."""
        act.require(Permission.TRANSACTIONS_READ, client_id)
        order = [Sort(col(StatementUpload.id), lambda row: str(row.id), UUID, is_descending=True)]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            granted = clients_open(session, act, Permission.TRANSACTIONS_READ)
            uploads = UploadRepository(session)
            query = uploads.of_clients(act.office_id, granted.with_only_columns(col(Client.id)))
            if client_id is not None:
                require_client(session, act, client_id, Permission.TRANSACTIONS_READ)
                query = query.where(StatementUpload.client_id == client_id)
            name = f"statement-uploads:{act.office_id}:{client_id}"
            rows, cursor = self.gateway.pager.page(session, query, order, request, name=name)
            ids = [row.id for row in rows]
            files, parts = uploads.files(act.office_id, ids), uploads.parts(act.office_id, ids)
            views = [
                UploadView(
                    row,
                    [file for file in files if file.upload_id == row.id],
                    [pair for pair in parts if pair[0].upload_id == row.id],
                )
                for row in rows
            ]
            return views, cursor

    def get(self, act: Act, upload_id: UUID) -> UploadView:
        """One upload; raises `StatementUploadNotFound`."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            return self._view(session, self._visible(session, act, upload_id, Permission.TRANSACTIONS_READ))

    # Reading and comparing

    def _fresh(
        self, session: Session, act: Act, client_id: UUID, files: Sequence[tuple[SentFile, Document]]
    ) -> tuple[list[tuple[SentFile, Document]], list[FileFault]]:
        """Without files that were taken in before, each with its day."""
        known = UploadRepository(session).taken_in(act.office_id, client_id, [file.sha256 for file, _ in files])
        faults = [
            FileFault("taken_in_before", file.name or "", known[file.sha256].astimezone(BRUSSELS).date().isoformat())
            for file, _ in files
            if file.sha256 in known
        ]
        return [(file, document) for file, document in files if file.sha256 not in known], faults

    def _compare(self, session: Session, act: Act, account: Account, statements: Sequence[DocumentStatement]) -> Match:
        ordered = in_order(statements)
        first, last = ordered[0], ordered[-1]
        hindrance = self._hindrance(act, account, last.closing_day)
        if hindrance is not None:
            window = Window(first.opening_day + ONE_DAY, last.closing_day)
            return Match(window, first.opening, last.closing, len(ordered), faults=(hindrance,))
        return match(statements, standing(session, account, self.gateway.banks.profile(account.bank_id)))

    def _hindrance(self, act: Act, account: Account, last_day: date) -> PartFault | None:
        """Why nothing at all is taken in for an account."""
        if account.bank_made_source is not None:
            return PartFault("bank_made_source")
        if account.moved_on is not None or account.takes_over_on is not None:
            return PartFault("account_moved")
        if account.history_from is None or account.complete_until is None:
            return PartFault("not_read_yet")
        hour = self.gateway.banks.profile(account.bank_id).end_of_day_hour
        if not is_over(last_day, hour, act.now):
            is_yesterday_over = is_over(act.today - ONE_DAY, hour, act.now)
            until = act.today - (ONE_DAY if is_yesterday_over else 2 * ONE_DAY)
            return PartFault("day_not_over", expected=until.isoformat(), day=last_day)
        return None

    def _part(self, upload: StatementUpload, account: Account, found: Match) -> StatementUploadPart:
        return StatementUploadPart(
            id=new_id(),
            office_id=upload.office_id,
            upload_id=upload.id,
            account_id=account.id,
            first_day=found.window.first,
            last_day=found.window.last,
            opening_balance=found.opening,
            closing_balance=found.closing,
            statements_count=found.statements_count,
            added_count=len(found.additions),
            late_count=sum(1 for addition in found.additions if addition.is_late),
            known_count=found.known_count,
            faults=[fault.stored() for fault in found.faults],
        )

    # Taking in

    def _take_in(self, session: Session, act: Act, account: Account, upload: StatementUpload, found: Match) -> None:
        own_ibans = KnownAccountRepository(session).ibans(act.office_id, account.client_id)
        forms = [(_form(account, addition, own_ibans), addition.occurrence) for addition in found.additions]
        Merger(self.gateway, session, act).add_documented(account, forms, upload_id=upload.id, seen_at=act.now)
        for day, amount in found.balances.items():
            session.add(
                Balance(
                    id=new_id(),
                    office_id=act.office_id,
                    account_id=account.id,
                    kind=str(BalanceKind.CLOSING_BOOKED),
                    amount=amount,
                    currency=account.currency,
                    reference_date=day,
                    # Not the day's own moment: it counts for everything that is known of that day now.
                    read_at=act.now,
                    basis=DOCUMENT,
                )
            )
        cover(self.gateway, session, act, account, found.window)
        if forms:
            self.gateway.events.record(
                session, act, "transaction.added", "account", account.id, client_id=account.client_id,
                data={
                    "account_id": encode("account", account.id),
                    "upload_id": encode("statement_upload", upload.id),
                    "count": len(forms),
                },
            )  # fmt: skip
        jobs.enqueue(
            session, CLOSE_TASK, lock=jobs.account_lock(account.id),
            office_id=str(act.office_id), account_id=str(account.id),
        )  # fmt: skip

    # Files

    def _keep(
        self, session: Session, upload: StatementUpload, file: SentFile, document: Document
    ) -> StatementUploadFile:
        file_id = new_id()
        row = StatementUploadFile(
            id=file_id,
            office_id=upload.office_id,
            upload_id=upload.id,
            name=file.name,
            format=document.format,
            size=len(file.content),
            sha256=file.sha256,
            content_cipher=self.gateway.keys.encrypt(
                file.content, office_id=upload.office_id, table=FILE_TABLE, row_id=file_id
            ),
        )
        session.add(row)
        return row

    def _opened(self, row: StatementUploadFile) -> SentFile:
        content = self.gateway.keys.decrypt(
            row.content_cipher, office_id=row.office_id, table=FILE_TABLE, row_id=row.id
        )
        return SentFile(row.name, content)

    # Looking up

    def _view(self, session: Session, upload: StatementUpload) -> UploadView:
        uploads = UploadRepository(session)
        return UploadView(
            upload, uploads.files(upload.office_id, [upload.id]), uploads.parts(upload.office_id, [upload.id])
        )

    def _visible(
        self, session: Session, act: Act, upload_id: UUID, permission: Permission, *, is_change: bool = False
    ) -> StatementUpload:
        upload = UploadRepository(session).get(act.office_id, upload_id)
        if upload is None:
            raise StatementUploadNotFound
        services = SERVICES if is_change else None
        try:
            require_client(session, act, upload.client_id, permission, is_change=is_change, services=services)
        except NotFound:
            raise StatementUploadNotFound from None
        return upload


def own_files(
    files: Sequence[tuple[SentFile, Document]], accounts: Mapping[AccountKey, Account]
) -> tuple[list[tuple[SentFile, Document]], list[FileFault]]:
    """The files that speak of the client's accounts alone; a fault names accounts by their last four digits."""
    found, faults = [], []
    available = ", ".join(sorted(f"…{iban[-4:]} {currency}" for iban, currency in accounts)) or "–"
    for file, document in files:
        keys = ((one.iban, one.currency) for one in document.statements)
        strange = next((key for key in keys if key not in accounts), None)
        if strange is None:
            found.append((file, document))
        else:
            iban, currency = strange
            faults.append(FileFault("wrong_account", file.name or "", f"…{iban[-4:]} {currency}", available))
    return found, faults


def told(fault: FileFault) -> FieldFault:
    """A fault of a file as problems carry it."""
    values = {"file": fault.file or "–", "found": fault.found, "expected": fault.expected, "day": "–"}
    return FieldFault("/files", fault.code, FAULTS[fault.code], "", values)


def _is_same(part: StatementUploadPart, found: Match) -> bool:
    late = sum(1 for addition in found.additions if addition.is_late)
    shown = (part.first_day, part.last_day, part.added_count, part.late_count, part.known_count)
    return shown == (found.window.first, found.window.last, len(found.additions), late, found.known_count)


def _form(account: Account, addition: Addition, own_ibans: frozenset[str]) -> Transaction:
    """An entry in the normal form, by the mapping of bank rows."""
    form = normalise_berlin_group(
        addition.entry.raw,
        account_iban=account.iban,
        account_holder=account.holder_name,
        own_ibans=own_ibans,
        today=date.max,
        dialect=_CODES_OF_CODA,
    )
    assert isinstance(form, Transaction), "amount, currency and day are there"
    entry = addition.entry
    key = fingerprint(account.iban, account.currency, entry.booking_date, entry.amount)
    return replace(form, fingerprint=key, fingerprint_version=DOCUMENT_VERSION)

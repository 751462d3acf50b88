"""One reading of an account, from bank to stored: whole or not at all (SYN-04, SYN-05, SYN-07, law 7).

All pages and then the balances are fetched before anything is stored; one unit of work takes them in. Run again after
a crash at any point, a reading ends as it would have: one that is stored only has its days closed once more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from connectors.base import Connector
from connectors.errors import AccountGone, ConnectorError, ConsentEnded, OperatorError
from connectors.model import Access, BalanceKind, PsuContext, RejectedRow, Transaction, TransactionStatus
from connectors.model import Balance as BankBalance
from connectors.profile import BankProfile, IdTrust
from gateway.accounts import budget
from gateway.accounts.errors import AccountNotFound, SyncNotFound
from gateway.accounts.health import health_of, set_health
from gateway.accounts.models import Account, Balance, Sync
from gateway.accounts.recognising import keep_id, known_again
from gateway.accounts.repository import AccountRepository, SyncRepository
from gateway.accounts.starts import settle_start
from gateway.accounts.states import SyncHealth, SyncState
from gateway.accounts.syncs import psu_of, queue_sync
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.banks.alarms import tell_refusal
from gateway.banks.pauses import note_accepted, note_refused
from gateway.clock import BRUSSELS
from gateway.consents import endings
from gateway.consents.errors import ConsentNotValid
from gateway.consents.models import Consent
from gateway.consents.repository import ConsentRepository
from gateway.consents.secrets import ConsentSecrets
from gateway.consents.states import ConsentState
from gateway.consents.tokens import ConsentTokens
from gateway.errors import NotFound
from gateway.identity.rights import Permission
from gateway.ids import encode, new_id
from gateway.offices.errors import ServiceDisabled
from gateway.offices.models import ClientState, Office
from gateway.offices.repository import ClientRepository
from gateway.offices.service import require_client, require_not_pending
from gateway.offices.services import READING, is_read
from gateway.profiles.repository import KnownAccountRepository
from gateway.statements.service import StatementService
from gateway.traffic.content import Question
from gateway.traffic.recorder import Recorder, keep, recorder_of
from gateway.transactions.absorb import Window
from gateway.transactions.copies import renew_copy, speaks_of
from gateway.transactions.merging import Merger, Reading

ONE_DAY: Final = timedelta(days=1)

log = logging.getLogger("gateway.sync")


@dataclass(frozen=True, slots=True)
class _Order:
    """What is to be read: copied out of the database, since no transaction is open while the bank is called."""

    sync_id: UUID
    account_id: UUID
    consent_id: UUID
    bank_id: str
    bank_account_id: str
    bank_consent_id: str
    iban: str
    currency: str
    holder_name: str | None
    own_ibans: frozenset[str]
    psu: PsuContext | None
    requested_at: datetime
    window: Window
    recorder: Recorder
    """Keeps what the bank answers while the consent is recorded."""


@dataclass(frozen=True, slots=True)
class _Fetched:
    reading: Reading
    balances: Sequence[BankBalance]
    as_of: datetime
    """The moment it speaks of, earlier than now where it comes from a copy."""


class SyncService:
    """Asking for readings, and doing them."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def request(self, act: Act, account_id: UUID) -> Sync:
        """A reading on demand; the one already under way when there is one.

        The bank is told that the PSU is present only when somebody of the client itself asks, with that person's true
        address. Raises `AccountNotFound`, `ConsentNotValid`.
        """
        with self.gateway.database.unit_of_work(act.office_id) as session:
            account = AccountRepository(session).get(act.office_id, account_id, is_locked=True)
            if account is None:
                raise AccountNotFound
            try:
                client = require_client(
                    session, act, account.client_id, Permission.ACCOUNTS_WRITE, is_change=True, services=READING
                )
            except NotFound:
                raise AccountNotFound from None
            require_not_pending(client)
            consent = self._consent(session, account)
            if consent is None or consent.state != ConsentState.VALID:
                raise ConsentNotValid
            under_way = SyncRepository(session).open_of(act.office_id, account_id)
            if under_way is not None:
                return under_way
            is_own = act.principal.is_person and account.client_id in act.principal.client_permissions
            psu = act.psu if is_own else None
            return queue_sync(session, self.gateway.keys, account, reason="request", now=act.now, psu=psu)

    def get(self, act: Act, sync_id: UUID) -> Sync:
        """One reading; raises `SyncNotFound`."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            sync = SyncRepository(session).get(act.office_id, sync_id)
            if sync is None:
                raise SyncNotFound
            account = AccountRepository(session).get(act.office_id, sync.account_id)
            assert account is not None, "a reading belongs to an account"
            try:
                require_client(session, act, account.client_id, Permission.ACCOUNTS_READ)
            except NotFound:
                raise SyncNotFound from None
            return sync

    def run(self, office_id: UUID, sync_id: UUID) -> None:
        """Do a reading and close what is proven. Bank trouble is stored, not raised: nothing else moves then."""
        act = self.gateway.system_act(office_id)
        order = self._start(act, sync_id)
        if order is not None:
            try:
                with order.recorder.listening():
                    fetched = self._fetch(act, order)
            except ConnectorError as error:
                self._fail(act, order, error)
                if isinstance(error, OperatorError):
                    self._note_refused(act, order)
                self._record(act, order, error.code)
                return
            self._store(act, order, fetched)
            self._note_accepted(order)
            self._record(act, order, None)
        with self.gateway.database.unit_of_work(office_id) as session:
            sync = SyncRepository(session).get(office_id, sync_id)
        if sync is not None and sync.state == SyncState.STORED:
            StatementService(self.gateway).close_days(office_id, sync.account_id)
            self._done(act, sync_id)

    # Intent

    def _start(self, act: Act, sync_id: UUID) -> _Order | None:
        """Mark the reading as running and say what to read; None when it is finished or there is nothing to read."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            syncs = SyncRepository(session)
            sync = syncs.get(act.office_id, sync_id)
            if sync is None:
                return None
            account = AccountRepository(session).get(act.office_id, sync.account_id, is_locked=True)
            sync = syncs.get(act.office_id, sync_id, is_locked=True)
            assert account is not None, "a reading belongs to an account"
            assert sync is not None, "readings are not deleted"
            if sync.state not in (SyncState.QUEUED, SyncState.RUNNING):
                return None
            consent = self._consent(session, account)
            handle = ConsentSecrets(self.gateway.keys).handle(consent) if consent is not None else None
            hindrance = self._hindrance(session, act, account, consent if handle is not None else None)
            if hindrance is None and not self._is_allowed_today(session, act, account, sync):
                hindrance = "bank_quota_exhausted"
            if hindrance is not None:
                self._finish(session, sync, SyncState.FAILED, act, error_code=hindrance)
                session.add(sync)
                return None
            assert consent is not None, "without one there is a hindrance"
            assert handle is not None, "as above"
            assert account.bank_account_id is not None, "an account with a consent has the bank's id"
            profile = self.gateway.banks.profile(account.bank_id)
            window = self._window(session, account, profile, act.today)
            sync.state, sync.started_at = SyncState.RUNNING, act.now
            sync.window_from, sync.window_until = window.first, window.last
            session.add(sync)
            return _Order(
                sync_id=sync.id,
                account_id=account.id,
                consent_id=consent.id,
                bank_id=account.bank_id,
                bank_account_id=account.bank_account_id,
                bank_consent_id=handle.bank_consent_id,
                iban=account.iban,
                currency=account.currency,
                holder_name=account.holder_name,
                own_ibans=KnownAccountRepository(session).ibans(act.office_id, account.client_id),
                psu=psu_of(self.gateway.keys, sync),
                requested_at=sync.requested_at,
                window=window,
                recorder=recorder_of(self.gateway, session, act, consent.id),
            )

    def _hindrance(self, session: Session, act: Act, account: Account, consent: Consent | None) -> str | None:
        """Why nothing may be read now, as a stable code."""
        found = ClientRepository(session).opened(act.office_id, account.client_id, today=act.today)
        if found is None or found[0].state != ClientState.ACTIVE:
            return "client_not_active"
        if not is_read(found[1], found[0]):
            return ServiceDisabled.code
        return None if consent is not None and consent.state == ConsentState.VALID else "consent_ended"

    def _is_allowed_today(self, session: Session, act: Act, account: Account, sync: Sync) -> bool:
        """Whether the bank allows one more reading today, whichever office reads the account (OFF-05).

        Counted once per reading, and not while its holder is present.
        """
        if sync.state != SyncState.QUEUED or sync.is_attended:
            return True
        mode = session.get_one(Office, act.office_id).mode
        maximum = self.gateway.banks.profile(account.bank_id).calls_per_day_max
        return budget.take(session, self.gateway.keys, account, mode=mode, day=act.today, maximum=maximum)

    def _window(self, session: Session, account: Account, profile: BankProfile, today: date) -> Window:
        """Whole days: from the last complete one less the overlap; all the bank gives at first and, once, when held."""
        oldest = today - profile.history
        if account.complete_until is None:
            return Window(oldest, today)
        held = StatementService(self.gateway).held_day(session, account)
        if held is not None and held != account.reread_for:
            account.reread_for = held
            session.add(account)
            return Window(oldest, today)
        return Window(max(oldest, account.complete_until - profile.overlap_days * ONE_DAY), today)

    # Call

    def _fetch(self, act: Act, order: _Order) -> _Fetched:
        """Every page, then the balances right after, so that they speak of the same rows."""
        connector = self.gateway.banks.connector(order.bank_id)
        tokens = ConsentTokens(self.gateway, connector, office_id=act.office_id, consent_id=order.consent_id)
        access = Access(order.bank_consent_id, tokens, order.psu)
        try:
            return self._read(act, order, connector, access)
        except AccountGone:
            listed = connector.accounts(access)
            found = known_again(listed, order.iban, order.currency, but_not=order.bank_account_id)
            if found is None or not keep_id(self.gateway, act.office_id, order.account_id, order.consent_id, found):
                raise
        return self._read(act, replace(order, bank_account_id=found), connector, access)

    def _read(self, act: Act, order: _Order, connector: Connector, access: Access) -> _Fetched:
        renew_copy(connector, access, order.bank_account_id, age=act.now - order.requested_at)
        pages = list(
            connector.transaction_pages(
                access,
                order.bank_account_id,
                account_iban=order.iban,
                account_holder=order.holder_name,
                date_from=order.window.first,
                today=act.today,
                own_ibans=order.own_ibans,
            )
        )
        balances = connector.balances(access, order.bank_account_id)
        first = max([order.window.first, *(page.date_from for page in pages if page.date_from is not None)])
        reading = Reading(
            window=Window(first, order.window.last),
            transactions=[row for page in pages for row in page.transactions],
            rejected=[row for page in pages for row in page.rejected],
            renormalise=_renormaliser(connector, order, act.today),
            are_ids_trusted=connector.profile.id_trust is IdTrust.HIGH,
        )
        return _Fetched(reading, balances, speaks_of(pages, act.now))

    def _record(self, act: Act, order: _Order, error_code: str | None) -> None:
        """Keep what was answered, where the consent is recorded; after the reading, which never depends on it."""
        question = Question(
            bank_account_id=order.bank_account_id,
            bank_consent_id=order.bank_consent_id,
            iban=order.iban,
            holder_name=order.holder_name,
            own_ibans=order.own_ibans,
            date_from=order.window.first,
            today=act.today,
        )
        keep(self.gateway, act, order.recorder, order.account_id, question, error_code=error_code)

    # Outcome

    def _store(self, act: Act, order: _Order, fetched: _Fetched) -> None:
        """Take the whole reading in, once."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            account, sync = self._locked(session, act, order)
            if sync.state != SyncState.RUNNING:
                return
            consent = self._consent(session, account)
            if consent is None or consent.id != order.consent_id or consent.state != ConsentState.VALID:
                # The permission ended while the bank was answering: what it gave is not taken in.
                self._finish(session, sync, SyncState.FAILED, act, error_code="consent_ended")
                session.add(sync)
                return
            client = ClientRepository(session).get_granted(act.office_id, account.client_id, today=act.today)
            if client is None or client.state != ClientState.ACTIVE:
                # Suspended or closed while the bank was answering.
                self._finish(session, sync, SyncState.FAILED, act, error_code="client_not_active")
                session.add(sync)
                return
            if account.fresh_as_of is not None and account.fresh_as_of > fetched.as_of:
                # A later reading was stored meanwhile: this one is old news.
                self._finish(session, sync, SyncState.FAILED, act, error_code="superseded")
                session.add(sync)
                return
            sync.counts = Merger(self.gateway, session, act).absorb(account, fetched.reading, seen_at=fetched.as_of)
            sync.window_from = fetched.reading.window.first
            self._keep_balances(session, act, account, sync, fetched)
            profile = self.gateway.banks.profile(account.bank_id)
            complete = last_complete_day(fetched.as_of, profile.end_of_day_hour)
            account.complete_until = max(complete, account.complete_until or complete)
            account.history_from = min(
                account.history_from or fetched.reading.window.first, fetched.reading.window.first
            )
            settle_start(self.gateway, session, act, account)
            account.fresh_as_of, account.last_sync_at = fetched.as_of, act.now
            set_health(session, self.gateway.events, act, account, SyncHealth.OK, code=None)
            session.add(account)
            self._finish(session, sync, SyncState.STORED, act)
            session.add(sync)

    def _keep_balances(self, session: Session, act: Act, account: Account, sync: Sync, fetched: _Fetched) -> None:
        def keep(kind: str, balance: BankBalance, *, amount: Decimal, reference: date | None, basis: str) -> None:
            session.add(
                Balance(
                    id=new_id(),
                    office_id=act.office_id,
                    account_id=account.id,
                    sync_id=sync.id,
                    kind=kind,
                    amount=amount,
                    currency=balance.currency,
                    reference_date=reference,
                    read_at=fetched.as_of,
                    basis=basis,
                )
            )

        for balance in fetched.balances:
            if balance.currency != account.currency:
                continue
            reference = balance.reference_date
            kind = balance.kind
            if kind is BalanceKind.CLOSING_BOOKED and (reference is None or reference >= act.today):
                # The day is not over: whatever the bank calls it, it is a balance during the day.
                kind = BalanceKind.INTERIM_BOOKED
            keep(str(kind), balance, amount=balance.amount, reference=reference, basis="bank")
            if kind is BalanceKind.INTERIM_BOOKED and balance.kind is BalanceKind.INTERIM_BOOKED:
                # In a weekend banks book on the Monday already: whatever comes after the day that ended counts.
                since = sum(
                    (row.amount for row in fetched.reading.booked if (row.booking_date or act.today) >= act.today),
                    Decimal(0),
                )
                keep(
                    str(BalanceKind.CLOSING_BOOKED),
                    balance,
                    amount=balance.amount - since,
                    reference=act.today - ONE_DAY,
                    basis="computed",
                )

    def _fail(self, act: Act, order: _Order, error: ConnectorError) -> None:
        """Keep the code and say who must act; window, balances and rows stay as they were."""
        log.info("reading failed", extra={"sync_id": str(order.sync_id), "code": error.code, "bank_id": order.bank_id})
        with self.gateway.database.unit_of_work(act.office_id) as session:
            if isinstance(error, ConsentEnded):
                # Consent before account, the order in which everybody locks them.
                endings.note_ended(self.gateway, session, act, order.consent_id, error)
            account, sync = self._locked(session, act, order)
            if sync.state != SyncState.RUNNING:
                return
            account.last_sync_at = act.now
            if not isinstance(error, ConsentEnded):
                set_health(session, self.gateway.events, act, account, health_of(error), code=error.code)
            session.add(account)
            self._finish(session, sync, SyncState.FAILED, act, error_code=error.code)
            sync.bank_code = error.bank_code
            sync.retry_after_seconds = int(error.retry_after.total_seconds()) if error.retry_after else None
            session.add(sync)

    def _note_refused(self, act: Act, order: _Order) -> None:
        """Ours to mend: the operator is told, and the bank's planned readings may have to wait."""
        tell_refusal(self.gateway, order.bank_id)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            account = AccountRepository(session).get(act.office_id, order.account_id)
            assert account is not None, "accounts are not deleted"
            note_refused(session, order.bank_id, account.client_id, self.gateway.real_now())

    def _note_accepted(self, order: _Order) -> None:
        """Apart from the reading: many meet at the rows of one bank, and none may hold up what another stores."""
        with self.gateway.database.unit_of_work(None) as session:
            note_accepted(session, order.bank_id)

    def _done(self, act: Act, sync_id: UUID) -> None:
        """The days that this reading proves are closed: whoever waited for it finds their files."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            sync = SyncRepository(session).get(act.office_id, sync_id, is_locked=True)
            assert sync is not None, "readings are not deleted"
            if sync.state == SyncState.STORED:
                self._finish(session, sync, SyncState.DONE, act)
                session.add(sync)

    def _finish(
        self, session: Session, sync: Sync, state: SyncState, act: Act, *, error_code: str | None = None
    ) -> None:
        sync.state, sync.finished_at, sync.error_code = state, act.now, error_code
        sync.psu_cipher = None
        told: dict[SyncState, tuple[str, dict[str, Any]]] = {
            SyncState.DONE: ("sync.succeeded", dict(sync.counts)),
            SyncState.FAILED: ("sync.failed", {"code": error_code}),
        }
        if state is SyncState.STORED and sync.counts.get("new"):
            told[state] = ("transaction.added", {"count": sync.counts["new"]})
        if state in told:
            account = AccountRepository(session).get(act.office_id, sync.account_id)
            assert account is not None, "a reading belongs to an account"
            event_type, data = told[state]
            kind, object_id = ("sync", sync.id) if state is not SyncState.STORED else ("account", account.id)
            self.gateway.events.record(
                session, act, event_type, kind, object_id, client_id=account.client_id,
                data={"account_id": encode("account", account.id), "sync_id": encode("sync", sync.id), **data},
            )  # fmt: skip

    def _locked(self, session: Session, act: Act, order: _Order) -> tuple[Account, Sync]:
        account = AccountRepository(session).get(act.office_id, order.account_id, is_locked=True)
        sync = SyncRepository(session).get(act.office_id, order.sync_id, is_locked=True)
        assert account is not None, "accounts are not deleted"
        assert sync is not None, "readings are not deleted"
        return account, sync

    def _consent(self, session: Session, account: Account) -> Consent | None:
        if account.consent_id is None:
            return None
        return ConsentRepository(session).get(account.office_id, account.consent_id)


def last_complete_day(now: datetime, end_of_day_hour: int) -> date:
    """The last booking day that is over at this moment: the day before, from the bank's hour on (STA-01)."""
    local = now.astimezone(BRUSSELS)
    return local.date() - (ONE_DAY if local.hour >= end_of_day_hour else 2 * ONE_DAY)


def _renormaliser(
    connector: Connector, order: _Order, today: date
) -> Callable[[Mapping[str, Any]], Transaction | RejectedRow]:
    def renormalise(raw: Mapping[str, Any]) -> Transaction | RejectedRow:
        return connector.transaction(
            raw,
            status=TransactionStatus.BOOKED,
            account_iban=order.iban,
            account_holder=order.holder_name,
            own_ibans=order.own_ibans,
            today=today,
        )

    return renormalise

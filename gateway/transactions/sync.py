"""One reading of an account, from bank to stored: whole or not at all (SYN-04, SYN-05, SYN-07, law 7).

All pages and then the balances are fetched before anything is stored; one unit of work takes them in. Run again after
a crash at any point, a reading ends as it would have: one that is stored only has its days closed once more.
"""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from connectors.errors import AccountGone, ConnectorError, ConsentEnded, OperatorError
from connectors.profile import BankProfile
from gateway.accounts import budget
from gateway.accounts.calls import mode_of, require_room, seconds_until
from gateway.accounts.errors import AccountNotFound, BankCallBudgetExhausted, SyncNotFound
from gateway.accounts.gaps import note_coverage
from gateway.accounts.health import health_of, set_health
from gateway.accounts.models import Account, Sync
from gateway.accounts.quiet import settle_silence, tell_closed
from gateway.accounts.repository import AccountRepository, SyncRepository
from gateway.accounts.starts import settle_start
from gateway.accounts.states import UNFINISHED, SyncHealth, SyncState
from gateway.accounts.syncs import enqueue, psu_of, queue_sync
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
from gateway.errors import NotFound
from gateway.identity.rights import Permission
from gateway.ids import encode
from gateway.offices.errors import ServiceDisabled
from gateway.offices.models import ClientState
from gateway.offices.repository import ClientRepository
from gateway.offices.service import require_client, require_not_pending
from gateway.offices.services import READING, is_read
from gateway.profiles.repository import KnownAccountRepository
from gateway.statements.service import StatementService
from gateway.traffic.content import Question
from gateway.traffic.recorder import keep, recorder_of
from gateway.transactions.absorb import Window
from gateway.transactions.balances import keep_balances
from gateway.transactions.fetching import Fetched, Order, fetch
from gateway.transactions.merging import Merger

ONE_DAY: Final = timedelta(days=1)
WHOLE_EVERY: Final = timedelta(days=6, hours=12)
"""How long all that a bank gives is not read again: a week, less what the moment of a reading may differ."""
WHOLE_DAILY: Final = timedelta(hours=18)
"""The same for once a day: after a try that failed, and while a day is held."""
WHOLE_HISTORY: Final = frozenset({"first", "full"})
"""Reasons of readings that ask for all the bank gives."""

log = logging.getLogger("gateway.sync")


class SyncService:
    """Asking for readings, and doing them."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def request(self, act: Act, account_id: UUID, *, is_full: bool = False) -> Sync:
        """A reading on demand, of all history the bank gives with `is_full`; the one under way when there is one.

        The bank is told that the PSU is present only when somebody of the client itself asks, with that person's true
        address; such a reading spends no unattended call. Raises `AccountNotFound`, `ConsentNotValid`,
        `BankCallBudgetExhausted`.
        """
        reason = "full" if is_full else "request"
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
            if under_way is not None and (not is_full or under_way.reason in WHOLE_HISTORY):
                return under_way
            is_own = act.principal.is_person and account.client_id in act.principal.client_permissions
            psu = act.psu if is_own else None
            if psu is None:
                require_room(self.gateway, session, act, account, reason=reason)
            return queue_sync(session, self.gateway.keys, account, reason=reason, now=act.now, psu=psu)

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

    def bank_of(self, office_id: UUID, sync_id: UUID) -> str | None:
        """The bank that a reading will ask; None when it has ended."""
        with self.gateway.database.unit_of_work(office_id) as session:
            return SyncRepository(session).bank_of(office_id, sync_id)

    def put_off(self, office_id: UUID, sync_id: UUID, delay: timedelta) -> None:
        """Hand a reading to a worker later: its bank holds as many places as it may."""
        with self.gateway.database.unit_of_work(office_id) as session:
            sync = SyncRepository(session).get(office_id, sync_id)
            if sync is not None and sync.state in UNFINISHED:
                enqueue(session, sync, delay=delay)

    def run(self, office_id: UUID, sync_id: UUID) -> None:
        """Do a reading and close what is proven. Bank trouble is stored, not raised: nothing else moves then."""
        act = self.gateway.system_act(office_id)
        order = self._start(act, sync_id)
        if order is not None:
            try:
                with order.recorder.listening():
                    fetched = fetch(self.gateway, act, order, take_again=partial(self._take_again, act, order))
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

    def _start(self, act: Act, sync_id: UUID) -> Order | None:
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
            if hindrance is None and not sync.is_attended:
                is_taken, standing = self._take(session, act, account, sync)
                if not is_taken:
                    hindrance = BankCallBudgetExhausted.code
                    sync.retry_after_seconds = seconds_until(standing.free_at(sync.reason), act.now)
            if hindrance is not None:
                self._finish(session, sync, SyncState.FAILED, act, error_code=hindrance)
                session.add(sync)
                return None
            assert consent is not None, "without one there is a hindrance"
            assert handle is not None, "as above"
            assert account.bank_account_id is not None, "an account with a consent has the bank's id"
            profile = self.gateway.banks.profile(account.bank_id)
            window, reread_for = self._window(session, act, account, profile, is_full=sync.reason == "full")
            if sync.window_from is not None:
                # Whoever asked wants it from this day on, or it was begun before.
                window = Window(max(act.today - profile.history, min(window.first, sync.window_from)), act.today)
            sync.state, sync.started_at = SyncState.RUNNING, act.now
            sync.window_from, sync.window_until = window.first, window.last
            session.add(sync)
            return Order(
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
                reread_for=reread_for,
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

    def _take(self, session: Session, act: Act, account: Account, sync: Sync) -> tuple[bool, budget.Standing]:
        """Write the call down before it is made; a reading that is run again after a crash calls again (SYN-02)."""
        return budget.take(
            session,
            self.gateway.keys,
            account,
            mode=mode_of(session, act.office_id),
            sync_id=sync.id,
            reason=sync.reason,
            now=act.now,
            maximum=self.gateway.banks.profile(account.bank_id).calls_per_day_max,
        )

    def _take_again(self, act: Act, order: Order) -> bool:
        if order.psu is not None:
            return True
        with self.gateway.database.unit_of_work(act.office_id) as session:
            budget.note_outcome(session, order.sync_id, AccountGone.code)
            account, sync = self._locked(session, act, order)
            is_taken, _ = self._take(session, act, account, sync)
            return is_taken

    def _window(
        self, session: Session, act: Act, account: Account, profile: BankProfile, *, is_full: bool
    ) -> tuple[Window, date | None]:
        """Whole days: from the last complete one less the overlap.

        All the bank gives at first, when that is asked for, once a week, and once a day while one is held, which is
        then named (decision 0070).
        """
        today = act.today
        oldest = today - profile.history
        if account.complete_until is None or is_full:
            return Window(oldest, today), None
        held = StatementService(self.gateway).held_day(session, account)
        if held is not None and held != account.reread_for:
            return Window(oldest, today), held
        # A bank that refuses the long one is asked for it once a day, and for the usual one in between. One for a held
        # day may have come while the bank still showed the fault.
        stored, tried = act.now - (WHOLE_EVERY if held is None else WHOLE_DAILY), act.now - WHOLE_DAILY
        if not SyncRepository(session).has_whole(account, profile.history, stored=stored, tried=tried):
            return Window(oldest, today), held
        return Window(max(oldest, account.complete_until - profile.overlap_days * ONE_DAY), today), None

    def _record(self, act: Act, order: Order, error_code: str | None) -> None:
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

    def _store(self, act: Act, order: Order, fetched: Fetched) -> None:
        """Take the whole reading in, once."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            budget.note_outcome(session, order.sync_id, budget.ANSWERED)
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
            keep_balances(session, act, account, sync, fetched)
            profile = self.gateway.banks.profile(account.bank_id)
            note_coverage(self.gateway, session, act, account, fetched.reading.window.first)
            complete = last_complete_day(fetched.as_of, profile.end_of_day_hour)
            account.complete_until = max(complete, account.complete_until or complete)
            account.history_from = min(
                account.history_from or fetched.reading.window.first, fetched.reading.window.first
            )
            settle_start(self.gateway, session, act, account)
            # Only now: a longer reading that failed is made again.
            account.reread_for = order.reread_for or account.reread_for
            settle_silence(self.gateway, session, act, account)
            account.fresh_as_of, account.last_sync_at = fetched.as_of, act.now
            set_health(session, self.gateway.events, act, account, SyncHealth.OK, code=None)
            session.add(account)
            self._finish(session, sync, SyncState.STORED, act)
            session.add(sync)

    def _fail(self, act: Act, order: Order, error: ConnectorError) -> None:
        """Keep the code and say who must act; window, balances and rows stay as they were."""
        log.info("reading failed", extra={"sync_id": str(order.sync_id), "code": error.code, "bank_id": order.bank_id})
        with self.gateway.database.unit_of_work(act.office_id) as session:
            if isinstance(error, ConsentEnded):
                # Consent before account, the order in which everybody locks them.
                endings.note_ended(self.gateway, session, act, order.consent_id, error)
            budget.note_outcome(session, order.sync_id, error.code)
            account, sync = self._locked(session, act, order)
            if sync.state != SyncState.RUNNING:
                return
            account.last_sync_at = act.now
            # Under a newer permission by now, the older one's trouble says nothing about it.
            is_present = account.consent_id == order.consent_id
            if is_present and isinstance(error, AccountGone) and account.health_code != error.code:
                tell_closed(self.gateway, session, act, account)
            if is_present and not isinstance(error, ConsentEnded):
                set_health(session, self.gateway.events, act, account, health_of(error), code=error.code)
            session.add(account)
            self._finish(session, sync, SyncState.FAILED, act, error_code=error.code)
            sync.bank_code = error.bank_code
            sync.retry_after_seconds = int(error.retry_after.total_seconds()) if error.retry_after else None
            session.add(sync)

    def _note_refused(self, act: Act, order: Order) -> None:
        """Ours to mend: the operator is told, and the bank's planned readings may have to wait."""
        tell_refusal(self.gateway, order.bank_id)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            account = AccountRepository(session).get(act.office_id, order.account_id)
            assert account is not None, "accounts are not deleted"
            note_refused(session, order.bank_id, account.client_id, self.gateway.real_now())

    def _note_accepted(self, order: Order) -> None:
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

    def _locked(self, session: Session, act: Act, order: Order) -> tuple[Account, Sync]:
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

"""Finding what is due, by state and against each office's clock; nothing here calls a bank.

One planned reading after the bank's end-of-day hour and one in the afternoon, each account at its own moment of the
slot (SYN-02); readings whose job was lost; consents to poll, to expire or to end at the bank.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlmodel import Session

from connectors.errors import QuotaExhausted
from gateway import jobs
from gateway.accounts import budget
from gateway.accounts.calls import mode_of
from gateway.accounts.errors import BankCallBudgetExhausted
from gateway.accounts.models import Account, Sync
from gateway.accounts.repository import AccountRepository, SyncRepository
from gateway.accounts.states import TAKEN_IN, UNFINISHED
from gateway.accounts.syncs import enqueue, queue_sync
from gateway.accounts.waiting import alert_operator
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.banks.pauses import Pauses
from gateway.clock import BRUSSELS
from gateway.consents import endings, polling, prolonging
from gateway.consents.endings import END_TASK
from gateway.consents.models import Consent
from gateway.consents.repository import ConsentRepository
from gateway.consents.states import ConsentState
from gateway.offices.models import ClientState
from gateway.offices.repository import ClientRepository, OfficeRepository
from gateway.offices.services import is_read
from gateway.transactions.pacing import BankPace, paces
from gateway.transactions.rereading import plan_rereads
from gateway.transactions.slots import slot_at

READINGS_PER_SLOT_MAX: Final = 2
"""One planned reading and one repeat after a failure."""
LEFT_BY_REPEATS: Final = 1
"""Calls that a repeat leaves for somebody who asks."""
NOT_CALLED: Final = frozenset({BankCallBudgetExhausted.code})
LOST_AFTER: Final = timedelta(minutes=15)
END_AGAIN_AFTER: Final = timedelta(hours=1)
ASK_AGAIN_AFTER: Final = timedelta(hours=1)

log = logging.getLogger("gateway.dispatch")


class Dispatcher:
    """Looks at every office once."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def run(self) -> None:
        """All offices, one unit of work each."""
        with self.gateway.database.unit_of_work(None) as session:
            offices = OfficeRepository(session).all_ids()
            budget.forget(session, now=self.gateway.real_now())
        for office_id in offices:
            try:
                self.run_office(office_id)
            except Exception:
                # What is wrong in one office must not keep the readings of the others waiting.
                log.exception("office not dispatched", extra={"office_id": str(office_id)})

    def run_office(self, office_id: UUID) -> int:
        """What is due in one office; returns the number of readings planned."""
        act = self.gateway.system_act(office_id)
        with self.gateway.database.unit_of_work(office_id) as session:
            self._expire(session, act)
        with self.gateway.database.unit_of_work(office_id) as session:
            self._waiting(session, act)
        alert_operator(self.gateway, act)
        with self.gateway.database.unit_of_work(office_id) as session:
            return self._plan(session, act)

    def _expire(self, session: Session, act: Act) -> None:
        consents = ConsentRepository(session)
        for over in consents.over(act.office_id, today=act.today):
            consent = consents.get(act.office_id, over.id, is_locked=True)
            if consent is None or consent.state != ConsentState.VALID:
                continue
            if self.gateway.banks.reauthorises_accounts(consent.bank_id):
                # Its day is that of one account; whether the others go on is asked before anything ends.
                self._ask_again(session, act, consent)
            else:
                endings.end(self.gateway, session, act, consent, wanted=ConsentState.EXPIRED, code="consent_expired")

    def _ask_again(self, session: Session, act: Act, consent: Consent) -> None:
        if consent.polled_at is None or act.real_now - consent.polled_at > ASK_AGAIN_AFTER:
            consent.polled_at = act.real_now
            session.add(consent)
            jobs.enqueue(
                session,
                prolonging.TASK,
                lock=f"consent:{consent.id}",
                office_id=str(act.office_id),
                consent_id=str(consent.id),
            )

    def _waiting(self, session: Session, act: Act) -> None:
        for consent in ConsentRepository(session).waiting(act.office_id):
            last = consent.polled_at
            if consent.is_bank_end_due:
                if last is None or act.real_now - last > END_AGAIN_AFTER:
                    consent.polled_at = act.real_now
                    session.add(consent)
                    jobs.enqueue(session, END_TASK, office_id=str(act.office_id), consent_id=str(consent.id))
            elif polling.is_due(consent, act.real_now):
                consent.polled_at = act.real_now
                session.add(consent)
                jobs.enqueue(
                    session,
                    polling.TASK,
                    lock=f"consent:{consent.id}",
                    office_id=str(act.office_id),
                    consent_id=str(consent.id),
                )

    def _plan(self, session: Session, act: Act) -> int:
        clients = ClientRepository(session).granted(act.office_id, today=act.today)
        services = OfficeRepository(session).services(act.office_id)
        active = {
            client.id
            for client in session.exec(clients)
            if client.state == ClientState.ACTIVE and is_read(services, client)
        }
        midnight = act.now.astimezone(BRUSSELS).replace(hour=0, minute=0, second=0, microsecond=0)
        by_account: dict[UUID, list[Sync]] = {}
        for sync in SyncRepository(session).since(act.office_id, midnight):
            by_account.setdefault(sync.account_id, []).append(sync)
        # Also where no reading is planned any more: one that was asked for by hand ends as well.
        self._recover(
            session, act, [sync for syncs in by_account.values() for sync in syncs if sync.state in UNFINISHED]
        )
        accounts = [row for row in AccountRepository(session).readable(act.office_id) if row.client_id in active]
        pace_of = paces(
            [sync for syncs in by_account.values() for sync in syncs], {row.id: row.bank_id for row in accounts}
        )
        due = [
            (account, last)
            for account in accounts
            for is_due, last in [self._due(account, by_account.get(account.id, []), act.now)]
            if is_due
        ]
        mode = mode_of(session, act.office_id)
        hashes = {account.id: budget.hash_of(self.gateway.keys, account, mode=mode) for account, _ in due}
        used = budget.used_of(session, hashes.values(), now=act.now) if due else {}
        pauses = Pauses(session, act.real_now)
        planned: set[UUID] = set()
        for account, failed in due:
            pace = pace_of.setdefault(account.bank_id, BankPace())
            left = self.gateway.banks.profile(account.bank_id).calls_per_day_max - used.get(hashes[account.id], 0)
            if failed is None:
                # Without a call left the slot waits: it comes a day after the call that stands in its way.
                is_let = left > 0 and pace.lets_begin(act.now)
            else:
                is_let = left > LEFT_BY_REPEATS and pace.lets_repeat(failed.finished_at or failed.requested_at, act.now)
            if is_let and not pauses.holds(account.bank_id):
                queue_sync(session, self.gateway.keys, account, reason="planned", now=act.now)
                pace.under_way += 1
                planned.add(account.id)
        idle = [
            account
            for account in accounts
            if account.id not in planned
            and not any(sync.state in UNFINISHED for sync in by_account.get(account.id, []))
        ]
        return len(planned) + plan_rereads(self.gateway, session, act, idle, pace_of=pace_of, pauses=pauses)

    def _recover(self, session: Session, act: Act, under_way: Sequence[Sync]) -> None:
        """A reading whose job was lost gets another; a reading is harmless to run twice."""
        for sync in under_way:
            if act.now - (sync.started_at or sync.requested_at) > LOST_AFTER:
                sync.requested_at = sync.started_at = act.now
                # Whoever was present then has left: the address would be a lie.
                sync.is_attended, sync.psu_cipher = False, None
                session.add(sync)
                enqueue(session, sync)

    def _due(self, account: Account, syncs: Sequence[Sync], now: datetime) -> tuple[bool, Sync | None]:
        """Whether the present slot of the day still lacks a reading that was stored, and the try that failed in it."""
        slot = slot_at(account.id, now, self.gateway.banks.profile(account.bank_id).end_of_day_hour)
        if slot is None or any(sync.state in UNFINISHED for sync in syncs):
            return False, None
        of_slot = [sync for sync in syncs if sync.requested_at >= slot.begins_at]
        if any(sync.state in TAKEN_IN for sync in of_slot):
            return False, None
        # Where our own ledger had no room, no bank was called.
        tried = [sync for sync in of_slot if sync.reason == "planned" and sync.error_code not in NOT_CALLED]
        if len(tried) >= READINGS_PER_SLOT_MAX or any(sync.error_code == QuotaExhausted.code for sync in tried):
            return False, None
        return True, tried[-1] if tried else None

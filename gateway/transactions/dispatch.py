"""Finding what is due, by state and against each office's clock; nothing here calls a bank.

One planned reading after the bank's end-of-day hour and one in the afternoon (SYN-02); readings whose job was lost;
consents to poll, to expire or to end at the bank.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlmodel import Session

from gateway import jobs
from gateway.accounts import budget
from gateway.accounts.models import Account, Sync
from gateway.accounts.repository import AccountRepository, SyncRepository
from gateway.accounts.states import TAKEN_IN, UNFINISHED
from gateway.accounts.syncs import enqueue, queue_sync
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

AFTERNOON_HOUR: Final = 14
READINGS_PER_SLOT_MAX: Final = 2
"""One planned reading and one repeat after a failure: with two slots this stays inside four calls a day."""
REPEAT_AFTER: Final = timedelta(minutes=30)
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
            budget.forget(session, today=self.gateway.real_now().date())
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
        pauses = Pauses(session, act.real_now)
        planned = 0
        for account in AccountRepository(session).readable(act.office_id):
            syncs = by_account.get(account.id, [])
            if any(sync.state in UNFINISHED for sync in syncs):
                continue
            is_due = account.client_id in active and self._is_due(account, syncs, act.now)
            if is_due and not pauses.holds(account.bank_id):
                queue_sync(session, self.gateway.keys, account, reason="planned", now=act.now)
                planned += 1
        return planned

    def _recover(self, session: Session, act: Act, under_way: Sequence[Sync]) -> None:
        """A reading whose job was lost gets another; a reading is harmless to run twice."""
        for sync in under_way:
            if act.now - (sync.started_at or sync.requested_at) > LOST_AFTER:
                sync.requested_at = sync.started_at = act.now
                session.add(sync)
                enqueue(session, sync)

    def _is_due(self, account: Account, syncs: Sequence[Sync], now: datetime) -> bool:
        """Whether the present slot of the day still lacks a reading that was stored."""
        local = now.astimezone(BRUSSELS)
        hours = [self.gateway.banks.profile(account.bank_id).end_of_day_hour, AFTERNOON_HOUR]
        begun = [local.replace(hour=hour, minute=0, second=0, microsecond=0) for hour in hours if local.hour >= hour]
        if not begun:
            return False
        of_slot = [sync for sync in syncs if sync.requested_at >= begun[-1]]
        if any(sync.state in TAKEN_IN for sync in of_slot) or len(of_slot) >= READINGS_PER_SLOT_MAX:
            return False
        return all(now - sync.requested_at >= REPEAT_AFTER for sync in of_slot)

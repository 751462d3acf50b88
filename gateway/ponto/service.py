"""What a delivery of Ponto leads to: one account is read soon. Repeats and events of other kinds lead to nothing.

A delivery says no more than that something happened; what happened is read. Requirements CON-16, SYN-02.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from connectors.errors import ConnectorError
from connectors.families.ponto_doors import PontoPartnerConnector
from connectors.families.ponto_webhooks import KeyRing, WebhookEvent, WebhookRefused, read_event
from gateway import jobs
from gateway.accounts.models import Account
from gateway.accounts.repository import SyncRepository
from gateway.accounts.syncs import queue_sync
from gateway.assembly import Gateway
from gateway.consents.prolonging import prolong
from gateway.offices.repository import OfficeRepository
from gateway.ponto.models import PontoDelivery

log = logging.getLogger("gateway.ponto")

BANK_ID: Final = "ponto"
ISSUER: Final = "https://api.ibanity.com"
TASK: Final = "read_after_ponto_event"
KEPT: Final = timedelta(days=1)
REAUTHORISED: Final = "account.reauthorized"
READ_AFTER: Final = frozenset(
    {
        "account.detailsUpdated",
        "account.pendingTransactionsCreated",
        "account.pendingTransactionsUpdated",
        REAUTHORISED,
        "account.transactionsCreated",
        "account.transactionsUpdated",
        "integration.accountRevoked",
        "synchronization.failed",
        "synchronization.succeededWithoutChange",
    }
)
"""Events after which the account is read. The others name no account, or change nothing that a reading would show."""


def key_ring(gateway: Gateway) -> KeyRing | None:
    """The keys of this process; None where this installation takes no webhooks."""
    access = gateway.settings.banks.get(BANK_ID)
    if access is None or access.webhook_audience is None:
        return None
    connector = gateway.banks.connector(BANK_ID)
    assert isinstance(connector, PontoPartnerConnector), "the partner's door has webhooks"
    return KeyRing(connector.webhook_keys, now=gateway.real_now)


class PontoWebhooks:
    """Taking deliveries, and reading what they speak of."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def receive(self, ring: KeyRing, signature: str, body: bytes) -> None:
        """Take one delivery: what follows is a job. One that was taken before changes nothing.

        Raises `WebhookRefused`, and what connectors raise when the keys cannot be fetched.
        """
        audience = self.gateway.settings.banks[BANK_ID].webhook_audience
        assert audience is not None, "without one there is no key ring"
        delivery = ring.verify(signature, body, issuer=ISSUER, audience=audience)
        try:
            event = read_event(body)
        except WebhookRefused:
            # It is Ponto's, and of a shape we do not know: taken, so that it does not come again.
            log.info("delivery of an unknown shape")
            return
        now = self.gateway.real_now()
        taken = insert(PontoDelivery).values(
            jti_hash=hashlib.sha256(delivery.jti.encode()).digest(),
            event_type=event.event_type,
            bank_account_id=event.account_id,
            received_at=now,
        )
        with self.gateway.database.unit_of_work(None) as session:
            session.execute(delete(PontoDelivery).where(col(PontoDelivery.received_at) < now - KEPT))
            kept = session.execute(taken.on_conflict_do_nothing().returning(col(PontoDelivery.jti_hash)))
            if kept.first() is None:
                return
            if _is_read_after(event):
                jobs.enqueue(session, TASK, bank_account_id=event.account_id, event_type=event.event_type)
        log.info("delivery taken", extra={"event_type": event.event_type})

    def read(self, bank_account_id: str, event_type: str = "") -> int:
        """Have the account read in each office that has it; how many readings were queued.

        One that was authorised anew may give the permission a later last day.
        """
        with self.gateway.database.unit_of_work(None) as session:
            offices = OfficeRepository(session).all_ids()
        return sum(self._read_in(office_id, bank_account_id, event_type) for office_id in offices)

    def _read_in(self, office_id: UUID, bank_account_id: str, event_type: str) -> int:
        act = self.gateway.system_act(office_id)
        consents = set[UUID]()
        with self.gateway.database.unit_of_work(office_id) as session:
            query = select(Account).where(
                Account.office_id == office_id,
                Account.bank_id == BANK_ID,
                Account.bank_account_id == bank_account_id,
                col(Account.consent_id).is_not(None),
            )
            syncs, queued = SyncRepository(session), 0
            for account in session.exec(query):
                assert account.consent_id is not None, "asked for"
                consents.add(account.consent_id)
                if syncs.open_of(office_id, account.id) is None:
                    queue_sync(session, self.gateway.keys, account, reason="event", now=act.now)
                    queued += 1
        if event_type == REAUTHORISED:
            for consent_id in sorted(consents):
                self._prolong(office_id, consent_id)
        return queued

    def _prolong(self, office_id: UUID, consent_id: UUID) -> None:
        try:
            prolong(self.gateway, office_id, consent_id)
        except ConnectorError as error:
            # The reading that was queued meets the same trouble, and says who must act.
            log.info("the last day was not asked", extra={"consent_id": str(consent_id), "code": error.code})


def _is_read_after(event: WebhookEvent) -> bool:
    is_named = event.account_id is not None and len(event.account_id) <= 200
    return is_named and event.event_type in READ_AFTER

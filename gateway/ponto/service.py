"""What a delivery of Ponto leads to: an account is read soon, or a permission verified. Others lead to nothing.

A delivery says no more than that something happened; what happened is read. Requirements CON-14, CON-16, SYN-02.
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

from connectors.errors import ConnectorError, ConsentEnded
from connectors.families.ponto_doors import PontoPartnerConnector
from connectors.families.ponto_webhooks import KeyRing, WebhookEvent, WebhookRefused, read_event
from connectors.model import Access
from gateway import jobs
from gateway.accounts.models import Account
from gateway.accounts.repository import AccountRepository, SyncRepository
from gateway.accounts.syncs import queue_sync
from gateway.assembly import Gateway
from gateway.consents.endings import note_ended
from gateway.consents.models import Consent
from gateway.consents.prolonging import prolong
from gateway.consents.repository import ConsentRepository
from gateway.consents.secrets import ConsentSecrets
from gateway.consents.states import ConsentState
from gateway.consents.tokens import ConsentTokens
from gateway.offices.repository import OfficeRepository
from gateway.ponto.models import PontoDelivery

log = logging.getLogger("gateway.ponto")

BANK_ID: Final = "ponto"
ISSUER: Final = "https://api.ibanity.com"
TASK: Final = "read_after_ponto_event"
ORGANISATION_TASK: Final = "settle_after_ponto_event"
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
REVOKED: Final = "integration.revoked"
OF_ORGANISATIONS: Final = frozenset(
    {REVOKED, "organization.blocked", "organization.unblocked", "integration.accountAdded"}
)
"""Events after which Ponto is asked about the organisation: whether its permission holds, or its accounts are readable.

`accountAdded` is among them since an account that was taken out and added again has another id.
"""


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
            elif event.organisation_id is not None and event.event_type in OF_ORGANISATIONS:
                jobs.enqueue(
                    session, ORGANISATION_TASK, organisation_id=event.organisation_id, event_type=event.event_type
                )
        log.info("delivery taken", extra={"event_type": event.event_type})

    def read(self, bank_account_id: str, event_type: str = "") -> int:
        """Have the account read in each office that has it; how many readings were queued.

        One that was authorised anew may give the permission a later last day.
        """
        with self.gateway.database.unit_of_work(None) as session:
            offices = OfficeRepository(session).all_ids()
        return sum(self._read_in(office_id, bank_account_id, event_type) for office_id in offices)

    def settle(self, organisation_id: str, event_type: str) -> int:
        """Ask Ponto about each permission of the organisation; how many there are.

        The delivery alone ends and pauses nothing: a permission ends when Ponto refuses it, and an account that cannot
        be read, or can again, says so by its reading.
        """
        with self.gateway.database.unit_of_work(None) as session:
            offices = OfficeRepository(session).all_ids()
        found = [(office_id, one) for office_id in offices for one in self._consents_of(office_id, organisation_id)]
        for office_id, consent_id in found:
            if event_type == REVOKED:
                self._verify(office_id, consent_id)
            else:
                self._read_all(office_id, consent_id)
        return len(found)

    def _consents_of(self, office_id: UUID, organisation_id: str) -> list[UUID]:
        """The office's valid permissions of an organisation, which stands encrypted in each."""
        query = select(Consent).where(
            Consent.office_id == office_id, Consent.bank_id == BANK_ID, Consent.state == ConsentState.VALID
        )
        secrets = ConsentSecrets(self.gateway.keys)
        with self.gateway.database.unit_of_work(office_id) as session:
            handles = [(one.id, secrets.handle(one)) for one in session.exec(query.order_by(col(Consent.id)))]
        return [one for one, handle in handles if handle is not None and handle.bank_consent_id == organisation_id]

    def _verify(self, office_id: UUID, consent_id: UUID) -> None:
        act = self.gateway.system_act(office_id)
        with self.gateway.database.unit_of_work(office_id) as session:
            consent = ConsentRepository(session).get(office_id, consent_id)
            handle = ConsentSecrets(self.gateway.keys).handle(consent) if consent is not None else None
        if handle is None:
            return
        connector = self.gateway.banks.connector(BANK_ID)
        tokens = ConsentTokens(self.gateway, connector, office_id=office_id, consent_id=consent_id)
        try:
            connector.accounts(Access(handle.bank_consent_id, tokens, None))
        except ConsentEnded as error:
            with self.gateway.database.unit_of_work(office_id) as session:
                note_ended(self.gateway, session, act, consent_id, error)
        except ConnectorError as error:
            # The next reading by plan meets it again.
            log.info("a permission was not verified", extra={"consent_id": str(consent_id), "code": error.code})

    def _read_all(self, office_id: UUID, consent_id: UUID) -> None:
        act = self.gateway.system_act(office_id)
        with self.gateway.database.unit_of_work(office_id) as session:
            for account in AccountRepository(session).of_consent(office_id, consent_id):
                if SyncRepository(session).open_of(office_id, account.id) is None:
                    queue_sync(session, self.gateway.keys, account, reason="event", now=act.now)

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

"""What stands still at an office: accounts, consents, webhooks, mail, jobs; no amounts, no addresses (OFF-08)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, or_
from sqlmodel import Session, col, func, select

from gateway.accounts.models import Account
from gateway.accounts.states import SyncHealth
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.consents.models import Consent
from gateway.consents.renewing import LEAD
from gateway.consents.states import ConsentState
from gateway.errors import RightsError
from gateway.events.models import Event
from gateway.identity.rights import Permission
from gateway.jobs.models import Job
from gateway.jobs.states import JobState
from gateway.notices.models import MailMessage
from gateway.offices.models import Client
from gateway.offices.service import clients_open
from gateway.webhooks.models import WebhookDelivery, WebhookEndpoint
from gateway.webhooks.states import DeliveryState, EndpointState

ROWS_MAX: Final = 100
"""Of each kind; the counts tell how many there are."""
RECENT: Final = timedelta(days=7)
STUCK: Final = (DeliveryState.RETRYING, DeliveryState.EXHAUSTED, DeliveryState.DISCARDED)


@dataclass(frozen=True, slots=True)
class Monitor:
    """One look."""

    healths: Mapping[str, int]
    """Accounts by health."""
    accounts: Sequence[tuple[Account, Client]]
    """Those that are not well, the longest first."""
    consents: Sequence[tuple[Consent, Client]]
    """Valid ones that end within 30 days, the next first."""
    endpoints: Sequence[WebhookEndpoint]
    delivery_counts: Mapping[str, int]
    """Webhook deliveries of the last seven days by state."""
    deliveries: Sequence[WebhookDelivery]
    """Those that did not arrive, the newest first."""
    mail_counts: Mapping[str, int]
    """Mails of the last seven days by state."""
    mails: Sequence[MailMessage]
    """Those that were not sent, the newest first; their content stays closed."""
    jobs: Sequence[Job]
    """Long work that failed in the last seven days."""


class MonitorService:
    """For support, staff and admins of an office, of the clients they see."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def look(self, act: Act) -> Monitor:
        """Everything at once; raises `RightsError` for people of clients."""
        if Permission.CONSENTS_READ not in act.principal.office_permissions:
            raise RightsError
        with self.gateway.database.unit_of_work(act.office_id) as session:
            granted = clients_open(session, act, Permission.CONSENTS_READ)
            clients = granted.with_only_columns(col(Client.id))
            return Monitor(
                healths=self._healths(session, act.office_id, clients),
                accounts=self._accounts(session, act.office_id, clients),
                consents=self._consents(session, act.office_id, clients, act.today),
                **self._webhooks(session, act, clients),
                **self._mails(session, act),
                jobs=self._jobs(session, act, clients),
            )

    def _healths(self, session: Session, office_id: UUID, clients: Any) -> dict[str, int]:
        rows = session.exec(
            select(Account.health, func.count())
            .where(Account.office_id == office_id, col(Account.client_id).in_(clients), col(Account.is_visible))
            .group_by(col(Account.health))
        ).all()
        return {str(health): count for health, count in rows}

    def _accounts(self, session: Session, office_id: UUID, clients: Any) -> list[tuple[Account, Client]]:
        rows = session.exec(
            select(Account, Client)
            .join(Client, col(Client.id) == Account.client_id)
            .where(
                Account.office_id == office_id,
                col(Account.client_id).in_(clients),
                col(Account.is_visible),
                col(Account.health).in_([SyncHealth.WE_ACT, SyncHealth.YOU_ACT]),
            )
            .order_by(col(Account.health_since), col(Account.id))
            .limit(ROWS_MAX)
        ).all()
        return [(account, client) for account, client in rows]

    def _consents(self, session: Session, office_id: UUID, clients: Any, today: date) -> list[tuple[Consent, Client]]:
        rows = session.exec(
            select(Consent, Client)
            .join(Client, col(Client.id) == Consent.client_id)
            .where(
                Consent.office_id == office_id,
                col(Consent.client_id).in_(clients),
                Consent.state == ConsentState.VALID,
                col(Consent.valid_until) <= today + LEAD,
            )
            .order_by(col(Consent.valid_until), col(Consent.id))
            .limit(ROWS_MAX)
        ).all()
        return [(consent, client) for consent, client in rows]

    def _webhooks(self, session: Session, act: Act, clients: Any) -> dict[str, Any]:
        of_visible: list[ColumnElement[bool]] = [
            col(WebhookDelivery.office_id) == act.office_id,
            col(WebhookDelivery.created_at) >= act.real_now - RECENT,
        ]
        if act.principal.office_clients is not None:
            seen = select(Event.id).where(
                Event.office_id == act.office_id,
                or_(col(Event.client_id).is_(None), col(Event.client_id).in_(clients)),
            )
            of_visible.append(col(WebhookDelivery.event_id).in_(seen))
        counts = session.exec(
            select(WebhookDelivery.state, func.count()).where(*of_visible).group_by(col(WebhookDelivery.state))
        ).all()
        stuck = session.exec(
            select(WebhookDelivery)
            .where(*of_visible, col(WebhookDelivery.state).in_(STUCK))
            .order_by(col(WebhookDelivery.created_at).desc(), col(WebhookDelivery.id).desc())
            .limit(ROWS_MAX)
        ).all()
        endpoints = session.exec(
            select(WebhookEndpoint)
            .where(WebhookEndpoint.office_id == act.office_id, WebhookEndpoint.state != EndpointState.REMOVED)
            .order_by(col(WebhookEndpoint.id))
            .limit(ROWS_MAX)
        ).all()
        return {
            "endpoints": endpoints,
            "delivery_counts": {str(state): count for state, count in counts},
            "deliveries": stuck,
        }

    def _mails(self, session: Session, act: Act) -> dict[str, Any]:
        recent = (MailMessage.office_id == act.office_id, col(MailMessage.created_at) >= act.now - RECENT)
        counts = session.exec(
            select(MailMessage.state, func.count()).where(*recent).group_by(col(MailMessage.state))
        ).all()
        unsent = session.exec(
            select(MailMessage)
            .where(*recent, col(MailMessage.fault).is_not(None))
            .order_by(col(MailMessage.created_at).desc(), col(MailMessage.id).desc())
            .limit(ROWS_MAX)
        ).all()
        return {"mail_counts": {str(state): count for state, count in counts}, "mails": unsent}

    def _jobs(self, session: Session, act: Act, clients: Any) -> Sequence[Job]:
        query = select(Job).where(
            Job.office_id == act.office_id,
            Job.state == JobState.FAILED,
            col(Job.created_at) >= act.now - RECENT,
            or_(col(Job.client_id).is_(None), col(Job.client_id).in_(clients)),
        )
        return session.exec(query.order_by(col(Job.created_at).desc(), col(Job.id).desc()).limit(ROWS_MAX)).all()

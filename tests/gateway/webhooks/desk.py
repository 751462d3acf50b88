"""What tests of webhooks do: endpoints, events, sending, looking at the log."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.identity.rights import PrincipalKind
from gateway.ids import new_id
from gateway.offices.models import Office
from gateway.pagination import PageRequest
from gateway.webhooks.models import WebhookDelivery
from gateway.webhooks.sending import WebhookSender
from gateway.webhooks.service import EndpointView, WebhookService
from tests.gateway.builders import act_of_system

ALL = PageRequest(500, None)
LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]
OPERATOR = "operator@kantoor.example"


def allowed(gateway: Gateway) -> Gateway:
    told = {"allowed_private_networks": LOOPBACK, "operator_email": OPERATOR}
    return replace(gateway, settings=gateway.settings.model_copy(update=told))


def admin(gateway: Gateway, office: Office) -> Act:
    """A machine with every right of the office; enough in test mode."""
    act = act_of_system(office, now=gateway.real_now())
    return replace(act, principal=replace(act.principal, kind=PrincipalKind.MACHINE))


def subscribe(gateway: Gateway, office: Office, url: str, **more: Any) -> EndpointView:
    wanted: dict[str, Any] = {"description": "Portal", "event_types": [], "client_ids": [], **more}
    return WebhookService(gateway).create(admin(gateway, office), url=url, **wanted)


def happen(gateway: Gateway, office: Office, kind: str = "client.changed", client_id: UUID | None = None) -> UUID:
    with gateway.database.unit_of_work(office.id) as session:
        act = act_of_system(office, now=gateway.real_now())
        return gateway.events.record(session, act, kind, "client", client_id or new_id(), client_id=client_id)


def send(gateway: Gateway, view: EndpointView, *, job: int = 1, at: datetime | None = None) -> None:
    installation = gateway if at is None else replace(gateway, real_now=lambda: at)
    WebhookSender(installation, draw=lambda _: 0).run(view.endpoint.office_id, view.endpoint.id, job)


def deliveries(gateway: Gateway, office: Office) -> list[WebhookDelivery]:
    rows, _ = WebhookService(gateway).deliveries(admin(gateway, office), ALL)
    return rows[::-1]


def jobs(gateway: Gateway) -> int:
    with gateway.database.unit_of_work(None) as session:
        number: int = (
            session.connection()
            .execute(text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'send_webhooks'"))
            .scalar_one()
        )
        return number


def queues(gateway: Gateway) -> list[str]:
    """Queues of the jobs that send, in the order in which they were made."""
    with gateway.database.unit_of_work(None) as session:
        query = text("SELECT queue_name FROM procrastinate_jobs WHERE task_name = 'send_webhooks' ORDER BY id")
        return list(session.connection().execute(query).scalars())

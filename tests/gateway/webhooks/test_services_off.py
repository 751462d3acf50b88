"""OFF-06, OFF-04: nothing is sent of a service that is off, nor of a client to which the office's access has ended."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlmodel import select

from gateway.assembly import Gateway
from gateway.offices.models import AccessGrant, Client, Office, Service
from gateway.webhooks.service import WebhookService
from gateway.webhooks.states import DeliveryState
from tests.gateway.builders import make_client, make_office
from tests.gateway.webhooks.desk import admin, deliveries, happen, send, subscribe
from tests.gateway.webhooks.receiver import Receiver

KINDS = ("client.changed", "coda.ready", "statement.held", "payment.approved", "transaction.added")


def switch(gateway: Gateway, office: Office, services: Collection[Service], client: Client | None = None) -> None:
    """Switch without asking whether it may be."""
    with gateway.database.unit_of_work(office.id) as session:
        row: Any = session.get(Office, office.id) if client is None else session.get(Client, client.id)
        row.services = [service.value for service in services]
        session.add(row)


def sent(gateway: Gateway, office: Office) -> list[str]:
    return [row.event_type for row in deliveries(gateway, office) if row.state is DeliveryState.DELIVERED]


def test_events_of_a_service_that_is_off_are_not_sent(hooked: Gateway, there: Receiver) -> None:
    """OFF-06: off for the client or for the office; those of other clients and services go out."""
    office = make_office(hooked)
    client, other = (make_client(hooked, office, now=hooked.real_now()) for _ in range(2))
    view = subscribe(hooked, office, there.url)
    switch(hooked, office, [Service.TRANSACTIONS, Service.PAYMENTS], client)
    for kind in KINDS:
        happen(hooked, office, kind, client_id=client.id)
    happen(hooked, office, "coda.ready", client_id=other.id)
    send(hooked, view)
    assert sent(hooked, office) == ["client.changed", "payment.approved", "transaction.added", "coda.ready"]
    assert len(there.received) == 4
    kept = [row.event_type for row in deliveries(hooked, office) if row.state is DeliveryState.DISCARDED]
    assert kept == ["coda.ready", "statement.held"], "the log says that they were not sent"
    switch(hooked, office, [Service.CODA])
    happen(hooked, office, "payment.approved", client_id=other.id)
    send(hooked, view)
    assert len(there.received) == 4


def test_what_waits_or_is_sent_again_stops_with_the_service(hooked: Gateway, there: Receiver) -> None:
    """OFF-06: switched off between the event and its sending, and by a replay."""
    office = make_office(hooked)
    client = make_client(hooked, office, now=hooked.real_now())
    view = subscribe(hooked, office, there.url, event_types=["coda"])
    happen(hooked, office, "coda.ready", client_id=client.id)
    switch(hooked, office, [], client)
    send(hooked, view)
    since = hooked.real_now() - timedelta(hours=1)
    assert WebhookService(hooked).replay_range(admin(hooked, office), view.endpoint.id, since=since, until=None) == 1
    send(hooked, view)
    assert there.received == []
    switch(hooked, office, list(Service), client)
    WebhookService(hooked).replay_range(admin(hooked, office), view.endpoint.id, since=since, until=None)
    send(hooked, view)
    assert sent(hooked, office) == ["coda.ready"]


def test_nothing_is_sent_of_a_client_without_a_grant_today(hooked: Gateway, there: Receiver) -> None:
    """OFF-04: every delivery and event stops when the office's access has ended."""
    office = make_office(hooked)
    client = make_client(hooked, office, now=hooked.real_now() - timedelta(days=5))
    view = subscribe(hooked, office, there.url)
    happen(hooked, office, "client.changed", client_id=client.id)
    with hooked.database.unit_of_work(office.id) as session:
        grant = session.exec(select(AccessGrant)).one()
        grant.until_date = (hooked.real_now() - timedelta(days=2)).date()
        session.add(grant)
    send(hooked, view)
    assert there.received == []
    happen(hooked, office, "audit.head_recorded")
    send(hooked, view)
    assert sent(hooked, office) == ["audit.head_recorded"], "what belongs to no client goes on"

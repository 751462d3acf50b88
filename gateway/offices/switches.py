"""Switching services for the office and its clients, and what the portal shows of a client (OFF-06)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session, col, func, select

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.identity.rights import Permission
from gateway.offices.errors import PaymentsUnderWay
from gateway.offices.models import Client, Office, Service
from gateway.offices.service import require_client
from gateway.payments.models import Payment
from gateway.payments.queries import one_of
from gateway.payments.states import OPEN, UNDER_WAY


@dataclass(frozen=True, slots=True)
class ClientSwitches:
    """What is on for a client, and what the portal shows of it."""

    services: frozenset[Service]
    portal_shows_transactions: bool
    portal_shows_coda: bool
    portal_prepares_while_processing: bool


FLAGS = ("portal_shows_transactions", "portal_shows_coda", "portal_prepares_while_processing")


class SwitchService:
    """Services are the office's to switch, by its admins; repeated, a switch changes nothing."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def office(self, act: Act, services: Collection[Service]) -> Office:
        """The services of the office; raises `PaymentsUnderWay`."""
        act.require(Permission.ADMIN)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            # Waits for what moves payments at this moment, and holds off what would (see `require_client`).
            office = session.get(Office, act.office_id, with_for_update=True)
            assert office is not None, "a principal belongs to an office that exists"
            wanted = ordered(services)
            if office.services != wanted:
                if _goes_off(Service.PAYMENTS, office.services, wanted):
                    _require_none_under_way(session, act, None)
                changes = {"services": Change(list(office.services), wanted)}
                office.services = wanted
                session.add(office)
                self.gateway.audit.record(session, act, "office.services_changed", "office", office.id, changes=changes)
        return office

    def client(self, act: Act, client_id: UUID, wish: ClientSwitches) -> Client:
        """The services and flags of a client; raises `PaymentsUnderWay` and what `require_client` raises."""
        act.require(Permission.ADMIN)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            client = require_client(session, act, client_id, Permission.CLIENTS_WRITE, is_change=True)
            session.refresh(client, with_for_update=True)
            switch_client(self.gateway, session, act, client, wish)
        return client


def switch_client(gateway: Gateway, session: Session, act: Act, client: Client, wish: ClientSwitches) -> None:
    """Set the switches of a client whose row is locked."""
    wanted = {"services": ordered(wish.services), **{name: getattr(wish, name) for name in FLAGS}}
    changes = {
        name: Change(getattr(client, name), value) for name, value in wanted.items() if getattr(client, name) != value
    }
    if not changes:
        return
    if _goes_off(Service.PAYMENTS, client.services, wanted["services"]):
        _require_none_under_way(session, act, client.id)
    for name, change in changes.items():
        setattr(client, name, change.new)
    client.version += 1
    session.add(client)
    gateway.audit.record(
        session, act, "client.services_changed", "client", client.id, client_id=client.id, changes=changes
    )


def ordered(services: Collection[str]) -> list[str]:
    """As stored: each once, in the order of `Service`."""
    return [service.value for service in Service if service in services]


def _goes_off(service: Service, before: Collection[str], after: Collection[str]) -> bool:
    return service in before and service not in after


def _require_none_under_way(session: Session, act: Act, client_id: UUID | None) -> None:
    query = select(func.count(col(Payment.id))).where(
        Payment.office_id == act.office_id, one_of(Payment.state, sorted(OPEN | UNDER_WAY))
    )
    if client_id is not None:
        query = query.where(Payment.client_id == client_id)
    count = session.exec(query).one()
    if count:
        raise PaymentsUnderWay(count=count)

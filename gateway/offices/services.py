"""Which service a permission belongs to, and whether it is on (OFF-06).

This is the one place where a service is enforced: `require_client` and `clients_open` in `offices.service`, through
which every operation reaches a client's data, ask here for the permission they are given. An operation cannot ask for
a permission of a service without asking for the service. What needs a service under another permission names it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import ColumnElement, or_
from sqlmodel import col

from gateway.identity.rights import Permission, Principal
from gateway.offices.errors import NotShownInPortal, ServiceDisabled
from gateway.offices.models import Client, Service

SERVICE_OF: Final[Mapping[Permission, Service]] = {
    Permission.TRANSACTIONS_READ: Service.TRANSACTIONS,
    Permission.STATEMENTS_READ: Service.CODA,
    Permission.PAYMENTS_READ: Service.PAYMENTS,
    Permission.PAYMENTS_WRITE: Service.PAYMENTS,
    Permission.PAYMENTS_APPROVE: Service.PAYMENTS,
    Permission.PAYMENTS_EXPORT: Service.PAYMENTS,
}
"""Permissions that open nothing while their service is off. Approval rules can be prepared before it is switched on."""

FLAG_OF: Final[Mapping[Permission, str]] = {
    Permission.TRANSACTIONS_READ: "portal_shows_transactions",
    Permission.STATEMENTS_READ: "portal_shows_coda",
}
"""What people of the client read only while the office shows it to them; column of the client."""

READING: Final = (Service.TRANSACTIONS, Service.CODA)
"""Services that readings of accounts serve; with neither on, no bank is asked."""


def services_of(permission: Permission) -> tuple[Service, ...]:
    """The service behind a permission, if any."""
    service = SERVICE_OF.get(permission)
    return () if service is None else (service,)


def is_on(service: Service, office_services: Collection[str], client: Client) -> bool:
    """Whether the service is on for the office and for the client."""
    return service in office_services and service in client.services


def is_read(office_services: Collection[str], client: Client) -> bool:
    """Whether any service needs the client's accounts read."""
    return any(is_on(service, office_services, client) for service in READING)


def require_service(wanted: Collection[Service], office_services: Collection[str], client: Client | None) -> None:
    """Raise `ServiceDisabled` unless one of `wanted` is on, for the office and, where there is one, for the client."""
    require_services(wanted, office_services, None if client is None else client.services)


def require_services(
    wanted: Collection[Service], office_services: Collection[str], client_services: Collection[str] | None
) -> None:
    """As `require_service`, where only the client's services were read."""
    if not wanted:
        return
    of_office = [service for service in wanted if service in office_services]
    if not of_office:
        raise ServiceDisabled(service=next(iter(wanted)).value, level="office")
    if client_services is not None and not any(service in client_services for service in of_office):
        raise ServiceDisabled(service=of_office[0].value, level="client")


def require_shown(permission: Permission, principal: Principal, client: Client) -> None:
    """Raise `NotShownInPortal` for a person of the client to whom the office does not show this (OFF-06)."""
    flag = FLAG_OF.get(permission)
    if flag is not None and principal.is_guest(client.id) and not getattr(client, flag):
        raise NotShownInPortal


def shown_to(permission: Permission, principal: Principal) -> ColumnElement[bool] | None:
    """Condition on the clients of a list for this permission; None when it limits nothing."""
    flag = FLAG_OF.get(permission)
    if flag is None or not principal.is_person:
        return None
    guests = [client_id for client_id in principal.client_permissions if principal.is_guest(client_id)]
    if not guests:
        return None
    shown: ColumnElement[bool] = getattr(Client, flag)
    return or_(shown, col(Client.id).not_in(guests))


def shows_coda(principal: Principal, office_services: Collection[str], client: Client) -> bool:
    """Whether statements of the client may be named to this principal beside its accounts."""
    if not is_on(Service.CODA, office_services, client) or not principal.allows(Permission.STATEMENTS_READ, client.id):
        return False
    return client.portal_shows_coda or not principal.is_guest(client.id)

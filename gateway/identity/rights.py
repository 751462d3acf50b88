"""Who may do what: roles, scopes and the permissions they give, as one table.

A person has office roles and client roles; a machine (API token) has scopes. Both are reduced to a `Principal`, and
every service asks that. Deciding on payments needs a person: no scope gives it (APP-06). Roles of staff and support
reach only the clients assigned to them, one by one or by groups (OFF-09). Requirements OFF-08, OFF-09, SEC-03.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from gateway.errors import NotFound, RightsError

SECOND_FACTOR_LIFE: Final = timedelta(minutes=5)
"""How long a second factor counts as fresh for a decision (SEC-02)."""


class OfficeRole(StrEnum):
    """Roles of people of the office."""

    ADMIN = "admin"
    STAFF = "staff"
    SUPPORT = "support"


class ClientRole(StrEnum):
    """Roles of people at one client."""

    ADMINISTRATOR = "administrator"
    PREPARER = "preparer"
    APPROVER = "approver"
    EXPORTER = "exporter"
    VIEWER = "viewer"
    AUDITOR = "auditor"
    """Reads, from a day until a day."""


GUARDED_ROLES: Final = frozenset({OfficeRole.ADMIN, ClientRole.ADMINISTRATOR, ClientRole.APPROVER, ClientRole.EXPORTER})
"""Roles that move money or rights: given and taken by two people (APP-12)."""

LIMITED_ROLES: Final = frozenset({OfficeRole.STAFF, OfficeRole.SUPPORT})
"""Office roles that reach the assigned clients only; an admin reaches all (OFF-09)."""


class Permission(StrEnum):
    """What an endpoint or page asks for."""

    CLIENTS_READ = "clients:read"
    CLIENTS_WRITE = "clients:write"
    CONSENTS_READ = "consents:read"
    CONSENTS_WRITE = "consents:write"
    ACCOUNTS_READ = "accounts:read"
    ACCOUNTS_WRITE = "accounts:write"
    TRANSACTIONS_READ = "transactions:read"
    STATEMENTS_READ = "statements:read"
    PAYMENTS_READ = "payments:read"
    PAYMENTS_WRITE = "payments:write"
    PAYMENTS_APPROVE = "payments:approve"
    PAYMENTS_EXPORT = "payments:export"
    RULES_READ = "rules:read"
    RULES_WRITE = "rules:write"
    AUDIT_READ = "audit:read"
    USERS_READ = "users:read"
    USERS_WRITE = "users:write"
    ADMIN = "admin"


P = Permission
_READING: Final = frozenset(
    {P.CLIENTS_READ, P.CONSENTS_READ, P.ACCOUNTS_READ, P.TRANSACTIONS_READ, P.STATEMENTS_READ, P.PAYMENTS_READ}
)

OFFICE_PERMISSIONS: Final[Mapping[OfficeRole, frozenset[Permission]]] = {
    OfficeRole.ADMIN: frozenset(P) - {P.PAYMENTS_APPROVE, P.PAYMENTS_EXPORT},
    OfficeRole.STAFF: _READING
    | {P.CLIENTS_WRITE, P.CONSENTS_WRITE, P.ACCOUNTS_WRITE, P.PAYMENTS_WRITE, P.RULES_READ, P.USERS_READ},
    OfficeRole.SUPPORT: frozenset({P.CLIENTS_READ, P.CONSENTS_READ}),
}

CLIENT_PERMISSIONS: Final[Mapping[ClientRole, frozenset[Permission]]] = {
    ClientRole.ADMINISTRATOR: _READING
    | {P.CONSENTS_WRITE, P.ACCOUNTS_WRITE, P.RULES_READ, P.RULES_WRITE, P.USERS_READ, P.USERS_WRITE},
    ClientRole.PREPARER: _READING | {P.PAYMENTS_WRITE, P.RULES_READ},
    ClientRole.APPROVER: _READING | {P.PAYMENTS_APPROVE, P.RULES_READ},
    ClientRole.EXPORTER: _READING | {P.PAYMENTS_EXPORT, P.RULES_READ},
    ClientRole.VIEWER: _READING,
    ClientRole.AUDITOR: _READING | {P.RULES_READ, P.AUDIT_READ, P.USERS_READ},
}

SCOPE_PERMISSIONS: Final[Mapping[str, frozenset[Permission]]] = {
    "clients": frozenset({P.CLIENTS_READ, P.CLIENTS_WRITE}),
    "consents": frozenset({P.CONSENTS_READ, P.CONSENTS_WRITE, P.CLIENTS_READ}),
    "accounts": frozenset({P.ACCOUNTS_READ, P.ACCOUNTS_WRITE}),
    "transactions": frozenset({P.TRANSACTIONS_READ}),
    "coda": frozenset({P.STATEMENTS_READ}),
    "payments:write": frozenset({P.PAYMENTS_READ, P.PAYMENTS_WRITE, P.RULES_READ}),
    "audit": frozenset({P.AUDIT_READ}),
    "admin": frozenset({P.ADMIN, P.RULES_READ, P.USERS_READ}),
}
"""Scopes of API tokens. None gives `payments:approve` or `payments:export`: a machine prepares, people decide."""


class SecondFactorRequired(RightsError):
    """The decision needs a second factor not older than five minutes."""

    code = "second_factor_required"
    title = "Confirm with your second factor"
    hint = "Enter a code from your authenticator and repeat the decision within five minutes."


class PersonRequired(RightsError):
    """Machines and API keys prepare; they never decide."""

    code = "person_required"
    title = "Only a person can decide this"
    hint = "Let a signed-in person with the right role take the decision."


class PrincipalKind(StrEnum):
    """Who acts."""

    USER = "user"
    MACHINE = "machine"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who acts, for which office, with which rights. Made by `identity`, asked by every service."""

    kind: PrincipalKind
    id: UUID
    """User id, or credential id of a machine; the office's id for the system itself."""
    office_id: UUID
    office_permissions: frozenset[Permission] = frozenset()
    client_permissions: Mapping[UUID, frozenset[Permission]] = field(default_factory=dict)
    office_clients: frozenset[UUID] | None = None
    """The clients that the office permissions reach; None when all do."""
    second_factor_at: datetime | None = None
    language: str = "en"

    @property
    def is_person(self) -> bool:
        """True for a signed-in user; decisions need one."""
        return self.kind is PrincipalKind.USER

    def reaches(self, client_id: UUID) -> bool:
        """Whether the client exists for this principal at all, with whatever right."""
        if client_id in self.client_permissions:
            return True
        return bool(self.office_permissions) and (self.office_clients is None or client_id in self.office_clients)

    def allows(self, permission: Permission, client_id: UUID | None = None) -> bool:
        """Whether the permission is held: for this client, or anywhere when `client_id` is None."""
        if client_id is None:
            return permission in self.office_permissions or any(
                permission in held for held in self.client_permissions.values()
            )
        if permission in self.client_permissions.get(client_id, frozenset()):
            return True
        return permission in self.office_permissions and (
            self.office_clients is None or client_id in self.office_clients
        )

    def visible_clients(self, permission: Permission) -> frozenset[UUID] | None:
        """The clients to which lists are limited; None when all of the office are visible."""
        own = frozenset(client for client, held in self.client_permissions.items() if permission in held)
        if permission not in self.office_permissions:
            return own
        return None if self.office_clients is None else self.office_clients | own

    def require(self, permission: Permission, client_id: UUID | None = None) -> None:
        """Raise when the permission is not held.

        A client on which the principal has no right at all answers 404, like one that does not exist.
        """
        if self.allows(permission, client_id):
            return
        if client_id is not None and not self.reaches(client_id):
            raise NotFound
        raise RightsError

    def require_for_office(self, permission: Permission) -> None:
        """Raise `RightsError` unless the permission is held for the office with all its clients."""
        if permission not in self.office_permissions or self.office_clients is not None:
            raise RightsError

    def require_fresh_second_factor(self, now: datetime) -> None:
        """Raise unless a person acts whose second factor is fresh. `now` is real time."""
        if not self.is_person:
            raise PersonRequired
        if self.second_factor_at is None or now - self.second_factor_at > SECOND_FACTOR_LIFE:
            raise SecondFactorRequired


def person_permissions(
    memberships: Iterable[tuple[UUID | None, str]],
) -> tuple[frozenset[Permission], dict[UUID, frozenset[Permission]]]:
    """Office-wide and per-client permissions of (client id or None, role) pairs."""
    office: frozenset[Permission] = frozenset()
    clients: dict[UUID, frozenset[Permission]] = {}
    for client_id, role in memberships:
        if client_id is None:
            office |= OFFICE_PERMISSIONS[OfficeRole(role)]
        else:
            clients[client_id] = clients.get(client_id, frozenset()) | CLIENT_PERMISSIONS[ClientRole(role)]
    return office, clients


def system(office_id: UUID) -> Principal:
    """The service itself, in jobs: everything but deciding."""
    return Principal(
        kind=PrincipalKind.SYSTEM,
        id=office_id,
        office_id=office_id,
        office_permissions=frozenset(P) - {P.PAYMENTS_APPROVE, P.PAYMENTS_EXPORT},
    )

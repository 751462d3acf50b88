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
RESET_BAR: Final = timedelta(hours=24)
"""How long nothing is decided or exported after a second factor was reset (SEC-13)."""


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
"""Scopes of machines. None gives `payments:approve` or `payments:export`: a machine prepares, people decide."""

DECISION_SCOPES: Final[Mapping[str, frozenset[Permission]]] = {
    "payments:approve": frozenset({P.PAYMENTS_APPROVE, P.PAYMENTS_READ, P.RULES_READ}),
    "payments:export": frozenset({P.PAYMENTS_EXPORT, P.PAYMENTS_READ, P.RULES_READ}),
}
"""Scopes that give a machine nothing of its own: it may carry the signed word of a person who decides (SEC-04)."""


class SecondFactorRequired(RightsError):
    """The decision needs a second factor not older than five minutes."""

    code = "second_factor_required"
    title = "Confirm with your second factor"
    hint = "Enter a code from your authenticator and repeat the decision within five minutes."


class DecidingBarred(RightsError):
    """The person's second factor was reset less than 24 hours ago (SEC-13)."""

    code = "deciding_barred"
    title = "Your second factor was reset a short while ago"
    hint = "Decide or export 24 hours after the reset, or let another person do it."


class PersonRequired(RightsError):
    """Machines and API keys prepare; they never decide."""

    code = "person_required"
    title = "Only a person can decide this"
    hint = "Let a signed-in person with the right role take the decision."


class AssertionMismatch(RightsError):
    """The user assertion speaks of another decision, client, object or seal than the request."""

    code = "assertion_mismatch"
    title = "The assertion is not about this"
    hint = "Have the person confirm exactly this decision, client and these seals, and send the new assertion."


class SignInHereRequired(RightsError):
    """What no application carries for a person: rules, roles, keys, the acts of two people (APP-12)."""

    code = "sign_in_here_required"
    title = "This is done after signing in here, not through another application"
    hint = "Sign in to the pages of Sluis itself and do it there."


class PrincipalKind(StrEnum):
    """Who acts."""

    USER = "user"
    MACHINE = "machine"
    APPLICATION = "app"
    OPERATOR = "operator"
    """Runs the installation; has no permission at any office and no second factor that decides (OFF-08)."""
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Asserted:
    """What a person confirmed at the identity provider: the decision, the client, and what the seals were."""

    decision: str | None = None
    """`approve`, `reject`, `export`, `download`; None when nothing is decided."""
    client_id: UUID | None = None
    object_id: UUID | None = None
    """The basket of an export, the export of a download."""
    seals: Mapping[UUID, str] = field(default_factory=dict)
    """Payment id to seal."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who acts, for which office, with which rights. Made by `identity`, asked by every service."""

    kind: PrincipalKind
    id: UUID
    """User id, id of a key or application; the office's id for the system itself."""
    office_id: UUID
    office_permissions: frozenset[Permission] = frozenset()
    client_permissions: Mapping[UUID, frozenset[Permission]] = field(default_factory=dict)
    office_clients: frozenset[UUID] | None = None
    """The clients that the office permissions reach; None when all do."""
    second_factor_at: datetime | None = None
    language: str = "en"
    via_id: UUID | None = None
    """The application that carried this person's assertion; None when the person is here, and for machines."""
    asserted: Asserted | None = None
    """What that assertion says."""
    second_factor_method: str | None = None
    """`totp`, `passkey`, `recovery_code`, `oidc` or `assertion`; named in the audit entry of a decision (SEC-02)."""
    session_id: UUID | None = None
    """The session of a signed-in person; None for machines."""
    sign_in_method: str | None = None
    """`password`, `passkey` or `oidc`; None for machines."""
    second_factor_reset_at: datetime | None = None
    """When an administrator reset this person's second factor last."""

    @property
    def is_person(self) -> bool:
        """True for a signed-in user; decisions need one."""
        return self.kind is PrincipalKind.USER

    @property
    def runs_installation(self) -> bool:
        """The service itself or an operator by name: what a command does to an office, never a decision (OFF-08)."""
        return self.kind in (PrincipalKind.SYSTEM, PrincipalKind.OPERATOR)

    @property
    def is_watched(self) -> bool:
        """Whether looking is itself recorded: an auditor, and support without another role of the office (SEC-09)."""
        is_auditor = any(P.AUDIT_READ in held for held in self.client_permissions.values())
        return self.is_person and (is_auditor or self.office_permissions == OFFICE_PERMISSIONS[OfficeRole.SUPPORT])

    def reaches(self, client_id: UUID) -> bool:
        """Whether the client exists for this principal at all, with whatever right."""
        if client_id in self.client_permissions:
            return True
        return bool(self.office_permissions) and (self.office_clients is None or client_id in self.office_clients)

    def is_guest(self, client_id: UUID) -> bool:
        """Whether a role at the client alone lets this person in; the office and auditors see what is kept from it."""
        held = self.client_permissions.get(client_id)
        if not self.is_person or held is None or P.AUDIT_READ in held:
            return False
        return not self.office_permissions or (self.office_clients is not None and client_id not in self.office_clients)

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

    def masks_ibans(self, client_id: UUID) -> bool:
        """Whether this person sees the last four of an IBAN only: support, who reads no accounts (OFF-08)."""
        return self.is_person and not self.allows(P.ACCOUNTS_READ, client_id)

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

    def require_person(self) -> None:
        """Raise `PersonRequired` for a machine or the service itself."""
        if not self.is_person:
            raise PersonRequired

    def require_here(self) -> None:
        """Raise unless a person acts who is signed in here: no application carries anything of the own sign-in."""
        self.require_person()
        if self.via_id is not None:
            raise SignInHereRequired

    def require_fresh_second_factor(self, now: datetime, *, decision: str | None = None) -> None:
        """Raise unless a person acts whose second factor is fresh. `now` is real time.

        A person who comes through an application needs an assertion of this `decision`; without a name for it, it is
        something no application carries (SEC-04, APP-12). A decision waits for a day after a reset (SEC-13).
        """
        self.require_person()
        if self.via_id is not None and decision is None:
            raise SignInHereRequired
        if self.via_id is not None and (self.asserted is None or self.asserted.decision != decision):
            raise AssertionMismatch
        reset_at = self.second_factor_reset_at
        if decision is not None and reset_at is not None and now - reset_at < RESET_BAR:
            raise DecidingBarred
        if self.second_factor_at is None or now - self.second_factor_at > SECOND_FACTOR_LIFE:
            raise SecondFactorRequired

    def require_asserted(
        self,
        *,
        client_id: UUID | None = None,
        object_id: UUID | None = None,
        seals: Mapping[UUID, str | None] | None = None,
    ) -> None:
        """Raise `AssertionMismatch` when what is given is not exactly what the assertion says; None is not compared.

        A person who is here shows by acting what is meant, and always passes.
        """
        if self.via_id is None:
            return
        said = self.asserted
        if (
            said is None
            or (client_id is not None and client_id != said.client_id)
            or (object_id is not None and object_id != said.object_id)
            or (seals is not None and dict(seals) != dict(said.seals))
        ):
            raise AssertionMismatch


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

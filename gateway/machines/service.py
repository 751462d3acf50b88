"""API keys for scripts (SEC-03, API-11): made by people, shown once, bound to office, mode, addresses and clients."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlmodel import col

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import FieldFault, InputError, NotFound, SignInError
from gateway.identity.rights import (
    CLIENT_PERMISSIONS,
    SCOPE_PERMISSIONS,
    Permission,
    Principal,
    PrincipalKind,
)
from gateway.ids import new_id
from gateway.machines.addresses import ADDRESSES_MAX, is_allowed, network
from gateway.machines.errors import AddressNotAllowed
from gateway.machines.models import Credential
from gateway.machines.repository import MachineRepository
from gateway.offices.models import Office
from gateway.offices.repository import ClientRepository
from gateway.pagination import PageRequest, Sort

SEEN_RESOLUTION: Final = timedelta(minutes=1)
"""`last_used_at` is written at most once a minute, so that reading does not write all the time."""

log = logging.getLogger("gateway.machines")

_OF_CLIENTS: Final = frozenset[Permission]().union(*CLIENT_PERMISSIONS.values())
CLIENT_SCOPES: Final = frozenset(scope for scope, held in SCOPE_PERMISSIONS.items() if held <= _OF_CLIENTS)
"""Scopes that mean something at one client; the others are about the office as a whole."""


class MachineService:
    """API keys of an installation."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def create_credential(
        self,
        act: Act,
        *,
        name: str,
        scopes: Sequence[str],
        expires_at: datetime | None = None,
        allowed_addresses: Sequence[str] = (),
        client_ids: Sequence[UUID] | None = None,
    ) -> tuple[Credential, str]:
        """An API key and its secret, which is shown this once.

        `client_ids` limits it to these clients; None leaves it the whole office. A machine cannot make keys: a person
        with a fresh second factor does, or the operator (SEC-02, SEC-03). Raises `InputError` with every faulty field.
        """
        act.require(Permission.ADMIN)
        if not act.principal.runs_installation:
            act.require_fresh_second_factor()
        networks, faults = checked_addresses(allowed_addresses)
        faults += _scope_faults(scopes, client_ids)
        if expires_at is not None and expires_at <= act.real_now:
            faults.append(FieldFault("/expires_at", "expiry_past", "The key would have ended already."))
        with self.gateway.database.unit_of_work(act.office_id) as session:
            clients = ClientRepository(session)
            faults += [
                FieldFault(f"/client_ids/{index}", "client_not_found", "There is no such client.")
                for index, client_id in enumerate(client_ids or ())
                if clients.get(act.office_id, client_id) is None
            ]
            if faults:
                raise InputError(faults=faults)
            office = session.get(Office, act.office_id)
            assert office is not None, "a principal belongs to an office that exists"
            token = f"sluis_{office.mode}_{secrets.token_urlsafe(32)}"
            credential = Credential(
                id=new_id(),
                office_id=act.office_id,
                name=name,
                prefix=token[:18],
                secret_hash=self._hash(token),
                scopes=list(dict.fromkeys(scopes)),
                allowed_addresses=networks,
                client_ids=None if client_ids is None else list(dict.fromkeys(client_ids)),
                created_by=act.principal.id,
                created_at=act.real_now,
                expires_at=expires_at,
            )
            session.add(credential)
            session.flush()
            self.gateway.audit.record(
                session,
                act,
                "credential.created",
                "credential",
                credential.id,
                changes={
                    "scopes": Change(None, credential.scopes),
                    "allowed_addresses": Change(None, networks),
                    "client_ids": Change(None, credential.client_ids),
                    "expires_at": Change(None, expires_at),
                },
            )
        return credential, token

    def credentials(self, act: Act, request: PageRequest) -> tuple[list[Credential], str | None]:
        """API keys of the office, newest first, with the cursor of the next page."""
        act.require(Permission.ADMIN)
        order = [Sort(col(Credential.id), lambda row: str(row.id), UUID, is_descending=True)]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            query = MachineRepository(session).keys(act.office_id)
            return self.gateway.pager.page(session, query, order, request, name=f"credentials:{act.office_id}")

    def revoke_credential(self, act: Act, credential_id: UUID) -> None:
        """End an API key at once; an unknown or foreign one is not found."""
        act.require(Permission.ADMIN)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            credential = MachineRepository(session).key(act.office_id, credential_id)
            if credential is None:
                raise NotFound
            if credential.revoked_at is None:
                credential.revoked_at = act.real_now
                session.add(credential)
                self.gateway.audit.record(session, act, "credential.revoked", "credential", credential.id)

    def principal_of_token(self, token: str, *, source: str | None = None) -> Principal:
        """Which machine this API key is; `source` is the caller's network address.

        Raises `SignInError` when it is unknown, expired, revoked or of another mode, alike for all of them, and
        `AddressNotAllowed` when a key that would do comes from elsewhere.
        """
        now = self.gateway.real_now()
        with self.gateway.database.lookup() as session:
            credential = MachineRepository(session).by_secret(self._hash(token))
        if credential is None:
            raise SignInError
        if (
            credential.revoked_at is not None
            or (credential.expires_at is not None and credential.expires_at <= now)
            or not is_mode(token, credential.office_mode, self.gateway.settings.mode)
        ):
            raise SignInError
        if not is_allowed(credential.allowed_addresses, source):
            log.warning("key from a foreign address", extra={"credential_id": str(credential.id)})
            raise AddressNotAllowed
        if credential.last_used_at is None or now - credential.last_used_at > SEEN_RESOLUTION:
            with self.gateway.database.unit_of_work(None) as session:
                MachineRepository(session).seen(credential.id, now)
        permissions = permissions_of(credential.scopes)
        is_limited = credential.client_ids is not None
        return Principal(
            kind=PrincipalKind.MACHINE,
            id=credential.id,
            office_id=credential.office_id,
            office_permissions=frozenset() if is_limited else permissions,
            client_permissions=dict.fromkeys(credential.client_ids or (), permissions),
        )

    def _hash(self, token: str) -> bytes:
        return self.gateway.keys.keyed_hash("token", token)


def is_mode(token: str, office_mode: str, installation_mode: str) -> bool:
    """Whether key, office and installation are all live or all test (API-11)."""
    return office_mode == installation_mode and token.startswith(f"sluis_{office_mode}_")


def permissions_of(scopes: Sequence[str]) -> frozenset[Permission]:
    """What these scopes give together; a scope that is no longer known gives nothing."""
    return frozenset[Permission]().union(*(SCOPE_PERMISSIONS.get(scope, frozenset()) for scope in scopes))


def checked_addresses(texts: Sequence[str]) -> tuple[list[str], list[FieldFault]]:
    """The networks in their usual form, and a fault for each that is none."""
    networks: list[str] = []
    faults: list[FieldFault] = []
    if len(texts) > ADDRESSES_MAX:
        faults.append(FieldFault("/allowed_addresses", "too_many_addresses", "At most 50 networks."))
    for index, text in enumerate(texts):
        try:
            networks.append(str(network(text)))
        except ValueError:
            faults.append(
                FieldFault(
                    f"/allowed_addresses/{index}",
                    "address_unusable",
                    "This is not a network such as 192.0.2.0/24 or 2001:db8::/48.",
                )
            )
    return list(dict.fromkeys(networks)), faults


def _scope_faults(scopes: Sequence[str], client_ids: Sequence[UUID] | None) -> list[FieldFault]:
    if not scopes or any(scope not in SCOPE_PERMISSIONS for scope in scopes):
        return [
            FieldFault(
                "/scopes",
                "scope_unknown",
                "One of these scopes does not exist.",
                "The scopes are listed in docs/api/authentication.md.",
            )
        ]
    if client_ids is not None and not client_ids:
        return [FieldFault("/client_ids", "clients_missing", "Name at least one client, or leave the field out.")]
    if client_ids is not None and not CLIENT_SCOPES.issuperset(scopes):
        return [
            FieldFault(
                "/scopes",
                "scope_not_of_clients",
                "A key for named clients cannot have a scope of the whole office.",
                "Leave out clients and admin, or the list of clients.",
            )
        ]
    return []

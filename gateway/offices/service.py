"""Rules of offices and clients (OFF-01…04)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import any_, literal
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.act import Act
from gateway.addresses.repository import AddressRepository
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.client_groups.models import EVERYONE, ClientGroup
from gateway.consents import endings
from gateway.errors import ConflictError, FieldFault, InputError, InvalidTransition
from gateway.identity.rights import Permission, PrincipalKind
from gateway.ids import new_id
from gateway.metadata.writing import Holder, set_pairs
from gateway.offices.copying import copy_template, present_template
from gateway.offices.errors import ClientClosed, ClientNotFound, ClientPending, ClientSuspended, SuspensionEndsByTwo
from gateway.offices.models import TRANSITIONS, AccessGrant, Client, ClientState, Office, OfficeHead, Service
from gateway.offices.repository import ClientRepository, OfficeRepository, with_service
from gateway.offices.services import require_service, require_shown, services_of, shown_to
from gateway.pagination import PageRequest, Sort
from gateway.profiles.models import ClientProfile
from gateway.profiles.records import records, set_record, wait_for_addresses
from sepa.accounts import require_enterprise_number
from sepa.errors import AccountInvalid


@dataclass(frozen=True, slots=True)
class ClientWish:
    """What a caller wants a client to be; the key is the number with the dossier code, or the external id."""

    name: str
    language: str
    enterprise_number: str | None = None
    dossier_code: str = ""
    external_id: str | None = None
    financial_year_end: str = "12-31"
    state: ClientState = ClientState.ACTIVE
    """Of a new client: active, or pending until somebody takes it up; one that is there keeps its own (OFF-03)."""
    skip_registry_check: bool = False
    """Admit a starter whose number is not registered yet; a client that is there already is not marked again."""
    record: Mapping[str, Any] = field(default_factory=dict)
    """Fields of `profiles.records.RECORD_FIELDS` that are named; the others stay as they are."""
    metadata: Mapping[str, str] | None = None
    """All its pairs; None leaves them as they are."""


@dataclass(frozen=True, slots=True)
class ClientFilter:
    """Which clients a list shows; None does not limit."""

    state: ClientState | None = None
    enterprise_number: str | None = None
    external_id: str | None = None
    label: str | None = None
    package: str | None = None
    responsible_id: UUID | None = None
    financial_year_end: str | None = None
    is_registered: bool | None = None
    """False: admitted without the registry and not confirmed yet."""

    def applied(self, query: SelectOfScalar[Client]) -> SelectOfScalar[Client]:
        """The query limited so."""
        for column, value in (
            (col(Client.state), self.state),
            (col(Client.enterprise_number), self.enterprise_number),
            (col(Client.external_id), self.external_id),
            (col(Client.financial_year_end), self.financial_year_end),
        ):
            if value is not None:
                query = query.where(column == value)
        if self.is_registered is not None:
            waits = col(Client.unregistered_since)
            query = query.where(waits.is_(None) if self.is_registered else waits.is_not(None))
        profile = [
            *([col(ClientProfile.package) == self.package] if self.package is not None else []),
            *([col(ClientProfile.responsible_id) == self.responsible_id] if self.responsible_id is not None else []),
            *([literal(self.label) == any_(col(ClientProfile.labels))] if self.label is not None else []),
        ]
        if profile:
            of_client = select(ClientProfile.client_id).where(ClientProfile.office_id == Client.office_id, *profile)
            query = query.where(col(Client.id).in_(of_client))
        return query


MOVING: Final = frozenset({Permission.PAYMENTS_APPROVE, Permission.PAYMENTS_EXPORT})
"""Permissions by which money leaves; a pending client is set up first (OFF-03)."""


def require_client(
    session: Session,
    act: Act,
    client_id: UUID,
    permission: Permission,
    *,
    is_change: bool = False,
    services: Collection[Service] | None = None,
) -> Client:
    """The client, when this act may do `permission` on it: granted today, its service on, and open for a change.

    Every service that touches a client's data begins here. `services` names what else than the permission's own
    service is needed; one of them is enough (OFF-06). Raises `ClientNotFound`, `RightsError`, `ServiceDisabled`,
    `ClientClosed`, `ClientSuspended`, and `ClientPending` where money is decided on.
    """
    wanted = services_of(permission) if services is None else services
    # What moves payments holds off a switching off that counts them at this moment.
    is_held = is_change and Service.PAYMENTS in wanted
    found = ClientRepository(session).opened(act.office_id, client_id, today=act.today, is_held=is_held)
    if found is None:
        raise ClientNotFound
    client, office_services = found
    act.require(permission, client_id)
    require_service(wanted, office_services, client)
    require_shown(permission, act.principal, client)
    if is_change:
        require_open(client)
        if permission in MOVING:
            require_not_pending(client)
    return client


def clients_open(session: Session, act: Act, permission: Permission) -> SelectOfScalar[Client]:
    """Query over the clients on which this act may do `permission` today, their service on; for lists.

    Raises `RightsError` when there can be none, `ServiceDisabled` when the service is off for the office.
    """
    act.require(permission)
    visible = act.principal.visible_clients(permission)
    query = ClientRepository(session).granted(act.office_id, today=act.today, visible=visible)
    for service in services_of(permission):
        require_service([service], OfficeRepository(session).services(act.office_id), None)
        query = query.where(with_service(service))
    shown = shown_to(permission, act.principal)
    return query if shown is None else query.where(shown)


def require_not_closed(client: Client) -> None:
    """Refuse changes on a closed client; those that a suspension leaves possible ask this alone (OFF-03)."""
    if client.state == ClientState.CLOSED:
        raise ClientClosed


def refuse_closed(session: Session, act: Act, client_id: UUID | None) -> None:
    """Raise `ClientClosed` for a closed client that this act may know of; of any other nothing is said."""
    if client_id is None:
        return
    client = ClientRepository(session).get_granted(act.office_id, client_id, today=act.today)
    if client is not None and (act.principal.kind is PrincipalKind.SYSTEM or act.principal.reaches(client_id)):
        require_not_closed(client)


def require_open(client: Client) -> None:
    """Refuse changes on a closed or suspended client."""
    require_not_closed(client)
    if client.state == ClientState.SUSPENDED:
        raise ClientSuspended


def require_not_pending(client: Client) -> None:
    """Refuse readings, submissions, decisions and files of a client that nobody has taken up (OFF-03)."""
    if client.state == ClientState.PENDING:
        raise ClientPending


def take_up(gateway: Gateway, session: Session, act: Act, client_id: UUID) -> None:
    """A pending client is active from now on: it gave a bank permission, or somebody of it came in (OFF-03)."""
    client = ClientRepository(session).get(act.office_id, client_id)
    assert client is not None, "clients are never deleted while anything refers to them"
    if client.state is not ClientState.PENDING:
        return
    session.refresh(client, with_for_update=True)
    if client.state is ClientState.PENDING:
        set_state(gateway, session, act, client, ClientState.ACTIVE)


def set_state(gateway: Gateway, session: Session, act: Act, client: Client, wanted: ClientState) -> None:
    """Write the new state down; whether it may be reached was asked before."""
    gateway.audit.record(
        session,
        act,
        f"client.{wanted}",
        "client",
        client.id,
        client_id=client.id,
        changes={"state": Change(client.state, wanted)},
    )
    client.state = wanted
    if wanted is ClientState.SUSPENDED:
        client.suspended_at = client.suspended_at or act.now
    elif wanted is ClientState.ACTIVE:
        client.suspended_at = None
    client.version += 1
    session.add(client)


class OfficeService:
    """Offices are made by the operator (`sluis office add`, the demo)."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def create(self, *, name: str, language: str, mode: str, consent_days_max: int) -> Office:
        """A new office with its head row. `mode` is `live` or `test`."""
        office = Office(
            id=new_id(),
            name=name,
            language=language,
            mode=mode,
            consent_days_max=consent_days_max,
            created_at=self.gateway.real_now(),
        )
        with self.gateway.database.unit_of_work(office.id) as session:
            session.add(office)
            session.flush()
            session.add(OfficeHead(office_id=office.id))
            session.add(
                ClientGroup(
                    id=new_id(), office_id=office.id, name=EVERYONE, is_everyone=True, created_at=office.created_at
                )
            )
        return office

    def get(self, office_id: UUID) -> Office:
        """The office; it exists, since the principal belongs to it."""
        with self.gateway.database.unit_of_work(office_id) as session:
            office = OfficeRepository(session).get(office_id)
        assert office is not None, "a principal belongs to an office that exists"
        return office

    def set_clock(self, office_id: UUID, *, seconds: int) -> None:
        """Set the offset of a new office in test mode; the demo begins on a morning of its choice."""
        with self.gateway.database.unit_of_work(office_id) as session:
            office = session.get(Office, office_id, with_for_update=True)
            assert office is not None, "an office that exists"
            assert office.mode == "test", "only a test office has a clock of its own"
            office.clock_offset_seconds = seconds
            session.add(office)

    def move_clock(self, office_id: UUID, *, seconds: int) -> Office:
        """Move the clock of an office in test mode forward; raises `InputError` in live mode or backwards."""
        with self.gateway.database.unit_of_work(office_id) as session:
            office = session.get(Office, office_id, with_for_update=True)
            assert office is not None, "an office that exists"
            if office.mode != "test" or seconds < 0:
                raise InputError(detail="only an office in test mode has a movable clock, and it moves forward")
            office.clock_offset_seconds += seconds
            session.add(office)
        return office


def checked_number(text: str) -> str:
    """Ten digits that pass; raises `InputError`. No registry changes that (OFF-02)."""
    try:
        return require_enterprise_number(text)
    except AccountInvalid as error:
        raise InputError(
            faults=[
                FieldFault(
                    "/enterprise_number",
                    "enterprise_number_invalid",
                    "This is not a Belgian enterprise number.",
                    "10 digits, the first 0 or 1, the last two 97 minus the remainder of the first eight by 97.",
                )
            ]
        ) from error


class ClientService:
    """Clients of an office."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def put(self, act: Act, wish: ClientWish) -> tuple[Client, bool]:
        """Create or update the client with the wish's key; repeated, it changes nothing (OFF-02).

        Returns the client and whether it is new. A new client is active or pending, with a grant from today on.
        """
        act.require(Permission.CLIENTS_WRITE)
        number = self._checked_key(wish)
        try:
            return self._put(act, wish, number)
        except IntegrityError:
            # Another request stored this client a moment ago; now it is there to be seen.
            return self._put(act, wish, number)

    def _put(self, act: Act, wish: ClientWish, number: str | None) -> tuple[Client, bool]:
        with self.gateway.database.unit_of_work(act.office_id) as session:
            clients = ClientRepository(session)
            named = clients.by_external_id(act.office_id, wish.external_id) if wish.external_id else None
            client = named if number is None else clients.by_number(act.office_id, number, wish.dossier_code)
            if named is not None and (client is None or named.id != client.id):
                act.principal.require_for_office(Permission.CLIENTS_WRITE)
                raise ConflictError(
                    faults=[FieldFault("/external_id", "external_id_taken", "This external_id is in use")]
                )
            if client is None or not act.principal.allows(Permission.CLIENTS_WRITE, client.id):
                # Whoever sees some clients only makes none, and is told nothing of those that are not theirs (OFF-09).
                act.principal.require_for_office(Permission.CLIENTS_WRITE)
            if client is None:
                client, is_new = self._create(session, act, wish, number), True
            else:
                require_not_closed(client)
                if wish.metadata is not None:
                    session.refresh(client, with_for_update={"key_share": True})
                self._update(session, act, client, wish)
                is_new = False
            set_pairs(self.gateway.audit, session, act, Holder("client", client.id, client.id, is_new), wish.metadata)
            return client, is_new

    def get(self, act: Act, client_id: UUID) -> Client:
        """One client."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            return require_client(session, act, client_id, Permission.CLIENTS_READ)

    def page(
        self, act: Act, request: PageRequest, wanted: ClientFilter | None = None
    ) -> tuple[list[Client], str | None]:
        """Clients by name."""
        wanted = wanted or ClientFilter()
        order = [
            Sort(col(Client.name), lambda client: client.name, str),
            Sort(col(Client.id), lambda client: str(client.id), UUID),
        ]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            query = wanted.applied(clients_open(session, act, Permission.CLIENTS_READ))
            return self.gateway.pager.page(session, query, order, request, name=f"clients:{act.office_id}:{wanted}")

    def records(self, act: Act, clients: Iterable[Client]) -> dict[UUID, ClientProfile]:
        """What is noted of clients that the caller was given."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            return records(session, act.office_id, [client.id for client in clients])

    def change_state(self, act: Act, client_id: UUID, wanted: ClientState) -> Client:
        """Move along `TRANSITIONS`; office administrators only.

        A closing revokes every consent, here at once and at the bank as soon as it answers; what waited for a
        confirmation waits no longer. Reopened, the client has no consent.
        """
        act.require(Permission.ADMIN)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            client = require_client(session, act, client_id, Permission.CLIENTS_WRITE)
            session.refresh(client, with_for_update=True)
            if wanted not in TRANSITIONS[client.state]:
                raise InvalidTransition(state=client.state, wanted=wanted)
            if wanted is ClientState.ACTIVE and client.suspended_at is not None:
                raise SuspensionEndsByTwo
            set_state(self.gateway, session, act, client, wanted)
            if wanted is ClientState.CLOSED:
                endings.revoke_all(self.gateway, session, act, client.id)
                AddressRepository(session).replace(act.office_id, [client.id], now=act.now)
        return client

    def _checked_key(self, wish: ClientWish) -> str | None:
        if wish.enterprise_number is None:
            if not wish.external_id:
                raise InputError(
                    faults=[
                        FieldFault(
                            "/enterprise_number",
                            "key_missing",
                            "An enterprise number or an external_id is needed.",
                            "A person without enterprise number needs an external_id.",
                        )
                    ]
                )
            return None
        return checked_number(wish.enterprise_number)

    def _create(self, session: Session, act: Act, wish: ClientWish, number: str | None) -> Client:
        template, version = present_template(session, act.office_id)
        client = Client(
            id=new_id(),
            office_id=act.office_id,
            enterprise_number=number,
            dossier_code=wish.dossier_code,
            external_id=wish.external_id,
            name=wish.name,
            language=wish.language,
            state=wish.state,
            financial_year_end=wish.financial_year_end,
            created_at=act.now,
            unregistered_since=act.now if wish.skip_registry_check and number is not None else None,
            **template.switches,
        )
        session.add(client)
        session.flush()
        if template.delivery:
            # A destination waits for its confirmation like one that somebody types (DEL-13).
            profile = ClientProfile(
                client_id=client.id, office_id=act.office_id, updated_at=act.now, **template.delivery
            )
            session.add(profile)
            session.flush()
            wait_for_addresses(self.gateway, session, act, profile, template.delivery)
        copy_template(self.gateway, session, act, [client.id], (template, version))
        record = set_record(self.gateway, session, act, client.id, wish.record)
        session.add(self._grant(act, client.id, from_date=act.today))
        self.gateway.audit.record(
            session,
            act,
            "client.created",
            "client",
            client.id,
            client_id=client.id,
            changes={
                "name": Change(None, wish.name),
                "enterprise_number": Change(None, number),
                **({"template_version": Change(None, version)} if version else {}),
                **({"unregistered_since": Change(None, act.now)} if client.unregistered_since else {}),
                **record,
            },
        )
        return client

    def _update(self, session: Session, act: Act, client: Client, wish: ClientWish) -> None:
        wanted = {
            "name": wish.name,
            "language": wish.language,
            "financial_year_end": wish.financial_year_end,
            "external_id": wish.external_id if wish.external_id is not None else client.external_id,
        }
        changes = {
            name: Change(getattr(client, name), value)
            for name, value in wanted.items()
            if getattr(client, name) != value
        }
        for name, change in changes.items():
            setattr(client, name, change.new)
        changes |= set_record(self.gateway, session, act, client.id, wish.record)
        if not changes:
            return
        client.version += 1
        session.add(client)
        self.gateway.audit.record(
            session, act, "client.changed", "client", client.id, client_id=client.id, changes=changes
        )

    def _grant(self, act: Act, client_id: UUID, *, from_date: date) -> AccessGrant:
        return AccessGrant(
            id=new_id(), office_id=act.office_id, client_id=client_id, from_date=from_date, created_at=act.now
        )

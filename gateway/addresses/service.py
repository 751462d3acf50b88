"""Setting addresses of clients, and confirming or refusing what was set (DEL-13, SEC-02)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session, col

from gateway.accounts.models import Account
from gateway.act import Act
from gateway.addresses.errors import AddressChangeNotFound, AddressDecided, AddressWaits, OwnAddress
from gateway.addresses.models import AddressChange
from gateway.addresses.repository import AddressRepository
from gateway.addresses.states import AddressKind, ChangeState, step
from gateway.addresses.waiting import CONTACT_ADDRESSES, MOMENTS, let_wait, lone_effect, tell_admins
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import FieldFault, InputError
from gateway.identity.repository import IdentityRepository
from gateway.identity.rights import OfficeRole, Permission
from gateway.imports import values
from gateway.imports.values import Faulty
from gateway.offices.models import Client
from gateway.offices.repository import ClientRepository, OfficeRepository
from gateway.offices.service import refuse_closed, require_client
from gateway.pagination import PageRequest, Sort
from gateway.profiles.models import ClientProfile
from gateway.profiles.packages import CHANNELS

FIELDS: Final[Mapping[str, AddressKind]] = {
    "contact_name": AddressKind.CONTACT,
    "contact_email": AddressKind.CONTACT,
    "mobile": AddressKind.CONTACT,
    "delivery": AddressKind.DESTINATION,
    "destination": AddressKind.DESTINATION,
}
CHANGES_MAX: Final = 500
"""As many as one decision names one by one; an import is decided on as a whole."""


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A change with what it is about, for whoever decides."""

    change: AddressChange
    client: Client
    profile: ClientProfile | None
    can_confirm: bool
    account: Account | None = None
    """Whose own destination it is."""

    @property
    def delivery(self) -> str | None:
        """Channel of the destination, as it is now."""
        holder = self.account or self.profile
        return holder.delivery if holder is not None else None

    @property
    def destination(self) -> str | None:
        """The destination as it is now."""
        holder = self.account or self.profile
        return holder.destination if holder is not None else None


class AddressService:
    """Addresses of an office's clients."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def addresses(self, act: Act, client_id: UUID) -> ClientProfile | None:
        """The client's addresses; None when none was ever set."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            require_client(session, act, client_id, Permission.CLIENTS_READ)
            return AddressRepository(session).profiles(act.office_id, [client_id]).get(client_id)

    def change(self, act: Act, client_id: UUID, wanted: Mapping[str, Any]) -> ClientProfile | None:
        """Set what is named; an address that is new waits. A person needs a fresh second factor (SEC-02).

        Raises `InputError` for one with a fault, and what `require_client` raises.
        """
        assert set(wanted) <= FIELDS.keys(), "other columns are not set here"
        if act.principal.is_person:
            act.require_fresh_second_factor()
        with self.gateway.database.unit_of_work(act.office_id) as session:
            client = require_client(session, act, client_id, Permission.CLIENTS_WRITE, is_change=True)
            session.refresh(client, with_for_update=True)
            profile = AddressRepository(session).profiles(act.office_id, [client_id]).get(client_id)
            if profile is None:
                profile = ClientProfile(client_id=client_id, office_id=act.office_id, updated_at=act.now)
            checked = _checked(wanted, profile)
            changes = {
                name: Change(getattr(profile, name), value)
                for name, value in checked.items()
                if getattr(profile, name) != value
            }
            if not changes:
                return profile
            for name, change in changes.items():
                setattr(profile, name, change.new)
            kinds = sorted({FIELDS[name] for name in changes})
            for kind in kinds:
                setattr(profile, MOMENTS[kind], None)
            profile.updated_at = act.now
            session.add(profile)
            session.flush()
            for kind in kinds:
                AddressRepository(session).replace(act.office_id, [client_id], kind=kind, now=act.now)
            waiting = [(client_id, kind) for kind in kinds if has_address(profile, kind)]
            let_wait(session, act, waiting)
            entry = self.gateway.audit.record(
                session, act, "client.addresses_changed", "client", client_id, client_id=client_id, changes=changes
            )
            if waiting:
                tell_admins(self.gateway, session, act, count=len(waiting), key=entry)
            return profile

    def page(
        self,
        act: Act,
        request: PageRequest,
        *,
        state: ChangeState | None = None,
        client_id: UUID | None = None,
        import_id: UUID | None = None,
    ) -> tuple[list[ChangeView], str | None]:
        """Changed addresses of the clients open to the caller, the newest first."""
        act.require(Permission.CLIENTS_READ, client_id)
        order = [Sort(col(AddressChange.id), lambda row: str(row.id), UUID, is_descending=True)]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            visible = act.principal.visible_clients(Permission.CLIENTS_READ)
            granted = ClientRepository(session).granted(act.office_id, today=act.today, visible=visible)
            query = AddressRepository(session).visible(act.office_id, granted.with_only_columns(col(Client.id)))
            if client_id is not None:
                require_client(session, act, client_id, Permission.CLIENTS_READ)
                query = query.where(AddressChange.client_id == client_id)
            if state is not None:
                query = query.where(AddressChange.state == state)
            if import_id is not None:
                query = query.where(AddressChange.import_id == import_id)
            name = f"address-changes:{act.office_id}:{state}:{client_id}:{import_id}"
            rows, cursor = self.gateway.pager.page(session, query, order, request, name=name)
            return self._views(session, act, rows), cursor

    def decide(
        self, act: Act, *, is_confirmed: bool, change_ids: Sequence[UUID] = (), import_id: UUID | None = None
    ) -> list[AddressChange]:
        """Confirm or refuse these changes, or all that wait of an import; all of them or none.

        For an admin of the office with a fresh second factor, other than who set them; refusing is open to every
        admin. Raises `AddressChangeNotFound`, `AddressDecided`, `OwnAddress`, `AddressWaits`.
        """
        act.principal.require_for_office(Permission.ADMIN)
        act.require_fresh_second_factor()
        with self.gateway.database.unit_of_work(act.office_id) as session:
            # Two admins, or a decision and the end of an admin's role, follow one another.
            OfficeRepository(session).hold(act.office_id)
            repository = AddressRepository(session)
            rows = repository.chosen(act.office_id, ids=change_ids, import_id=import_id)
            if not rows or (import_id is None and len(rows) != len(set(change_ids))):
                raise AddressChangeNotFound
            for client_id in sorted({row.client_id for row in rows}):
                refuse_closed(session, act, client_id)
            if any(row.state is not ChangeState.WAITING for row in rows):
                raise AddressDecided
            admins = IdentityRepository(session).holders(act.office_id, OfficeRole.ADMIN)
            if act.principal.id not in admins:
                raise OwnAddress
            if is_confirmed:
                if len(admins) <= 1:
                    raise AddressWaits
                authors = repository.authors(act.office_id, rows)
                if any(act.principal.id in authors[row.id] for row in rows):
                    raise OwnAddress
            wanted = ChangeState.CONFIRMED if is_confirmed else ChangeState.REFUSED
            self._end(session, act, rows, wanted, decider_id=act.principal.id)
        return list(rows)

    def run_due(self, office_id: UUID) -> int:
        """Let addresses count whose 48 hours are over; how many.

        Where an office was left with one admin, what waits for a second one waits 48 hours from now instead.
        """
        act = self.gateway.system_act(office_id)
        with self.gateway.database.unit_of_work(office_id) as session:
            OfficeRepository(session).hold(office_id)
            rows = AddressRepository(session).waiting(office_id)
            effective_at = lone_effect(session, office_id, act.now) if rows else None
            if effective_at is not None:
                for row in rows:
                    if row.effective_at is None:
                        row.effective_at = effective_at
                        session.add(row)
            due = [row for row in rows if row.effective_at is not None and row.effective_at <= act.now]
            self._end(session, act, due, ChangeState.CONFIRMED, decider_id=None)
        return len(due)

    def _end(
        self, session: Session, act: Act, rows: Sequence[AddressChange], wanted: ChangeState, *, decider_id: UUID | None
    ) -> None:
        repository = AddressRepository(session)
        profiles = repository.profiles(act.office_id, [row.client_id for row in rows])
        accounts = repository.accounts(act.office_id, [row.account_id for row in rows if row.account_id is not None])
        for row in rows:
            change = Change(row.state, wanted)
            row.state, row.decided_at, row.decider_id = step(row.state, wanted), act.now, decider_id
            session.add(row)
            if wanted is ChangeState.CONFIRMED and row.account_id is not None:
                account = accounts[row.account_id]
                account.destination_confirmed_at = act.now
                session.add(account)
            elif wanted is ChangeState.CONFIRMED:
                profile = profiles[row.client_id]
                setattr(profile, MOMENTS[row.kind], act.now)
                session.add(profile)
            self.gateway.audit.record(
                session,
                act,
                f"client.address_{wanted}",
                "address_change",
                row.id,
                client_id=row.client_id,
                changes={
                    "state": change,
                    "kind": Change(None, row.kind.value),
                    **({"account_id": Change(None, row.account_id)} if row.account_id is not None else {}),
                },
                second_factor=act.principal.second_factor_method,
            )

    def _views(self, session: Session, act: Act, rows: Sequence[AddressChange]) -> list[ChangeView]:
        repository, client_ids = AddressRepository(session), {row.client_id for row in rows}
        profiles = repository.profiles(act.office_id, client_ids)
        clients = {
            client.id: client
            for client in session.exec(
                ClientRepository(session)
                .granted(act.office_id, today=act.today, visible=None)
                .where(col(Client.id).in_(client_ids))
            )
        }
        accounts = repository.accounts(act.office_id, [row.account_id for row in rows if row.account_id is not None])
        authors = repository.authors(act.office_id, rows)
        admins = IdentityRepository(session).holders(act.office_id, OfficeRole.ADMIN) if rows else set()
        may = act.principal.is_person and act.principal.id in admins and len(admins) > 1
        return [
            ChangeView(
                row,
                clients[row.client_id],
                profiles.get(row.client_id),
                may and row.state is ChangeState.WAITING and act.principal.id not in authors[row.id],
                accounts.get(row.account_id) if row.account_id is not None else None,
            )
            for row in rows
        ]


def has_address(profile: ClientProfile, kind: AddressKind) -> bool:
    """Whether there is anything to confirm."""
    if kind is AddressKind.CONTACT:
        return any(getattr(profile, name) for name in CONTACT_ADDRESSES)
    return bool(profile.destination)


def _checked(wanted: Mapping[str, Any], profile: ClientProfile) -> dict[str, Any]:
    """The values as they are stored; every fault at once."""
    checked: dict[str, Any] = {}
    faults = []
    delivery = wanted.get("delivery", profile.delivery)
    for name, value in wanted.items():
        try:
            if value is None:
                checked[name] = None
            elif name == "contact_email" or (name == "destination" and delivery == "email"):
                checked[name] = values.email(value)
            elif name == "mobile":
                checked[name] = values.mobile(value)
            elif name == "delivery" and value not in CHANNELS:
                raise Faulty("delivery_unknown")
            else:
                checked[name] = values.text(value, length=254 if name == "destination" else values.NAME_MAX)
        except Faulty as fault:
            faults.append(FieldFault(f"/{name}", fault.code, "This value is not usable."))
    if faults:
        raise InputError(faults=faults)
    return checked

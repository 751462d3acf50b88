"""Rules of client groups: who of the office sees which clients (OFF-09)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.client_groups.errors import ClientGroupNameTaken, ClientGroupNotFound, ClientGroupOfAll
from gateway.client_groups.models import ClientAssignment, ClientGroup, ClientGroupClient, ClientGroupUser
from gateway.client_groups.repository import ClientGroupRepository
from gateway.errors import FieldFault, InputError
from gateway.identity.models import Membership
from gateway.identity.rights import Permission
from gateway.ids import new_id
from gateway.offices.models import Client
from gateway.pagination import PageRequest, Sort
from gateway.payments.queries import within


@dataclass(frozen=True, slots=True)
class ClientGroupView:
    """A group, its people and its clients; `client_ids` is None in lists."""

    group: ClientGroup
    user_ids: list[UUID]
    client_count: int
    client_ids: list[UUID] | None = None


class ClientGroupService:
    """Groups of an office; its admins change them."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def create(self, act: Act, *, name: str, client_ids: Iterable[UUID], user_ids: Iterable[UUID]) -> ClientGroupView:
        """A new group; raises `ClientGroupNameTaken`, `InputError` for strangers."""
        act.require_for_office(Permission.ADMIN)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            group = ClientGroup(id=new_id(), office_id=act.office_id, name=name, created_at=act.now)
            self._store(session, group)
            return self._fill(session, act, group, client_ids, user_ids, action="client_group.created", old_name=None)

    def change(
        self, act: Act, group_id: UUID, *, name: str, client_ids: Iterable[UUID], user_ids: Iterable[UUID]
    ) -> ClientGroupView:
        """The group with this name, these clients and these people; what people see follows at once."""
        act.require_for_office(Permission.ADMIN)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            group = self._group(session, act, group_id, for_update=True)
            clients = set(client_ids)
            if group.is_everyone and (name != group.name or clients):
                raise ClientGroupOfAll
            old_name, group.name = group.name, name
            group.version += 1
            self._store(session, group)
            return self._fill(session, act, group, clients, user_ids, action="client_group.changed", old_name=old_name)

    def delete(self, act: Act, group_id: UUID) -> None:
        """Take the group away; its people no longer see its clients through it."""
        act.require_for_office(Permission.ADMIN)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            group = self._group(session, act, group_id, for_update=True)
            if group.is_everyone:
                raise ClientGroupOfAll
            self.gateway.audit.record(
                session, act, "client_group.deleted", "client_group", group.id,
                changes={"name": Change(group.name, None)},
            )  # fmt: skip
            session.delete(group)

    def get(self, act: Act, group_id: UUID) -> ClientGroupView:
        """One group with its clients."""
        act.require_for_office(Permission.USERS_READ)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            group = self._group(session, act, group_id)
            groups = ClientGroupRepository(session)
            clients = groups.clients(act.office_id, group.id)
            users = groups.users(act.office_id, [group.id]).get(group.id, [])
        return ClientGroupView(group, users, len(clients), clients)

    def page(self, act: Act, request: PageRequest) -> tuple[list[ClientGroupView], str | None]:
        """Groups by name."""
        act.require_for_office(Permission.USERS_READ)
        order = [
            Sort(col(ClientGroup.name), lambda group: group.name, str),
            Sort(col(ClientGroup.id), lambda group: str(group.id), UUID),
        ]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            groups = ClientGroupRepository(session)
            rows, cursor = self.gateway.pager.page(
                session, groups.of_office(act.office_id), order, request, name=f"client_groups:{act.office_id}"
            )
            users = groups.users(act.office_id, [row.id for row in rows])
            counts = groups.counts(act.office_id, [row.id for row in rows])
        return [ClientGroupView(row, users.get(row.id, []), counts.get(row.id, 0)) for row in rows], cursor

    def assign(self, act: Act, user_id: UUID, client_ids: Iterable[UUID]) -> list[UUID]:
        """The clients one person of the office sees beside those of the groups; returns them."""
        act.require_for_office(Permission.ADMIN)
        wanted = set(client_ids)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            _require_people(session, act, {user_id}, pointer="/user_id")
            _require_clients(session, act, wanted)
            groups = ClientGroupRepository(session)
            present = set(groups.assigned(act.office_id, user_id))
            self._replace(
                session, ClientAssignment, act, {"user_id": user_id}, "client_id", present=present, wanted=wanted
            )
            if present != wanted:
                self.gateway.audit.record(
                    session, act, "user.clients_assigned", "user", user_id,
                    changes={"client_ids": Change(present, wanted)},
                )  # fmt: skip
        return sorted(wanted)

    def _fill(
        self,
        session: Session,
        act: Act,
        group: ClientGroup,
        client_ids: Iterable[UUID],
        user_ids: Iterable[UUID],
        *,
        action: str,
        old_name: str | None,
    ) -> ClientGroupView:
        clients, users = set(client_ids), set(user_ids)
        groups = ClientGroupRepository(session)
        present_clients = set(groups.clients(act.office_id, group.id))
        present_users = set(groups.users(act.office_id, [group.id]).get(group.id, []))
        _require_clients(session, act, clients - present_clients)
        _require_people(session, act, users - present_users, pointer="/user_ids")
        key = {"group_id": group.id}
        self._replace(session, ClientGroupClient, act, key, "client_id", present=present_clients, wanted=clients)
        self._replace(session, ClientGroupUser, act, key, "user_id", present=present_users, wanted=users)
        self.gateway.audit.record(
            session,
            act,
            action,
            "client_group",
            group.id,
            changes={
                "name": Change(old_name, group.name),
                "client_ids": Change(present_clients, clients),
                "user_ids": Change(present_users, users),
            },
        )
        return ClientGroupView(group, sorted(users), len(clients), sorted(clients))

    def _replace(
        self,
        session: Session,
        table: Any,
        act: Act,
        key: dict[str, UUID],
        column: str,
        *,
        present: set[UUID],
        wanted: set[UUID],
    ) -> None:
        gone = (
            select(table)
            .filter_by(office_id=act.office_id, **key)
            .where(within(getattr(table, column), sorted(present - wanted)))
        )
        for row in session.exec(gone):
            session.delete(row)
        session.add_all(
            [
                table(id=new_id(), office_id=act.office_id, **key, **{column: value})
                for value in sorted(wanted - present)
            ]
        )
        session.flush()

    def _store(self, session: Session, group: ClientGroup) -> None:
        try:
            with session.begin_nested():
                session.add(group)
                session.flush()
        except IntegrityError as error:
            raise ClientGroupNameTaken from error

    def _group(self, session: Session, act: Act, group_id: UUID, *, for_update: bool = False) -> ClientGroup:
        group = ClientGroupRepository(session).get(act.office_id, group_id, for_update=for_update)
        if group is None:
            raise ClientGroupNotFound
        return group


def _require_clients(session: Session, act: Act, client_ids: set[UUID]) -> None:
    query = select(Client.id).where(Client.office_id == act.office_id, within(Client.id, sorted(client_ids)))
    found = set(session.exec(query).all())
    if client_ids - found:
        raise InputError(faults=[FieldFault("/client_ids", "client_not_found", "There is no such client.")])


def _require_people(session: Session, act: Act, user_ids: set[UUID], *, pointer: str) -> None:
    """Raise unless all of them have a role of the office; people of clients see their own client anyway."""
    query = select(Membership.user_id).where(
        Membership.office_id == act.office_id,
        within(Membership.user_id, sorted(user_ids)),
        col(Membership.client_id).is_(None),
        col(Membership.ended_at).is_(None),
    )
    found = set(session.exec(query).all())
    if user_ids - found:
        raise InputError(faults=[FieldFault(pointer, "user_not_found", "Somebody has no role at this office.")])

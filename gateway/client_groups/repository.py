"""Queries on client groups and on what people reach through them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import func, or_, union
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.client_groups.models import ClientAssignment, ClientGroup, ClientGroupClient, ClientGroupUser
from gateway.payments.queries import within


class ClientGroupRepository:
    """Each query takes the office first."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, office_id: UUID, group_id: UUID, *, for_update: bool = False) -> ClientGroup | None:
        """One group."""
        query = select(ClientGroup).where(ClientGroup.office_id == office_id, ClientGroup.id == group_id)
        return self.session.exec(query.with_for_update() if for_update else query).one_or_none()

    def everyone(self, office_id: UUID) -> ClientGroup:
        """The group of all clients; every office has it."""
        query = select(ClientGroup).where(ClientGroup.office_id == office_id, col(ClientGroup.is_everyone))
        return self.session.exec(query).one()

    def of_office(self, office_id: UUID) -> SelectOfScalar[ClientGroup]:
        """Query over the groups."""
        return select(ClientGroup).where(ClientGroup.office_id == office_id)

    def reach(self, office_id: UUID, user_id: UUID) -> frozenset[UUID] | None:
        """The clients this person sees through groups and assignments; None when all."""
        of_user = (
            select(ClientGroup.id)
            .join(ClientGroupUser, col(ClientGroupUser.group_id) == ClientGroup.id)
            .where(ClientGroup.office_id == office_id, ClientGroupUser.user_id == user_id)
        )
        if self.session.exec(of_user.where(col(ClientGroup.is_everyone))).first() is not None:
            return None
        through_groups = select(ClientGroupClient.client_id).where(
            ClientGroupClient.office_id == office_id, col(ClientGroupClient.group_id).in_(of_user)
        )
        directly = select(ClientAssignment.client_id).where(
            ClientAssignment.office_id == office_id, ClientAssignment.user_id == user_id
        )
        return frozenset(self.session.execute(union(through_groups, directly)).scalars())

    def people_of_client(self, office_id: UUID, client_id: UUID) -> set[UUID]:
        """The people who see this client through a group or an assignment."""
        listed = select(ClientGroupClient.group_id).where(
            ClientGroupClient.office_id == office_id, ClientGroupClient.client_id == client_id
        )
        through_groups = (
            select(ClientGroupUser.user_id)
            .join(ClientGroup, col(ClientGroup.id) == ClientGroupUser.group_id)
            .where(
                ClientGroupUser.office_id == office_id,
                or_(col(ClientGroup.is_everyone), col(ClientGroup.id).in_(listed)),
            )
        )
        directly = select(ClientAssignment.user_id).where(
            ClientAssignment.office_id == office_id, ClientAssignment.client_id == client_id
        )
        return set(self.session.execute(union(through_groups, directly)).scalars())

    def users(self, office_id: UUID, group_ids: Iterable[UUID]) -> dict[UUID, list[UUID]]:
        """Group id to its people."""
        query = (
            select(ClientGroupUser.group_id, ClientGroupUser.user_id)
            .where(ClientGroupUser.office_id == office_id, within(ClientGroupUser.group_id, group_ids))
            .order_by(col(ClientGroupUser.user_id))
        )
        found: dict[UUID, list[UUID]] = {}
        for group_id, user_id in self.session.exec(query):
            found.setdefault(group_id, []).append(user_id)
        return found

    def clients(self, office_id: UUID, group_id: UUID) -> list[UUID]:
        """The clients listed in a group."""
        query = (
            select(ClientGroupClient.client_id)
            .where(ClientGroupClient.office_id == office_id, ClientGroupClient.group_id == group_id)
            .order_by(col(ClientGroupClient.client_id))
        )
        return list(self.session.exec(query))

    def counts(self, office_id: UUID, group_ids: Iterable[UUID]) -> dict[UUID, int]:
        """Group id to the number of clients listed in it."""
        query = (
            select(ClientGroupClient.group_id, func.count())
            .where(ClientGroupClient.office_id == office_id, within(ClientGroupClient.group_id, group_ids))
            .group_by(col(ClientGroupClient.group_id))
        )
        return dict(self.session.exec(query).all())

    def groups_of_user(self, office_id: UUID, user_id: UUID) -> Sequence[UUID]:
        """The groups a person is in."""
        query = select(ClientGroupUser.group_id).where(
            ClientGroupUser.office_id == office_id, ClientGroupUser.user_id == user_id
        )
        return self.session.exec(query).all()

    def assigned(self, office_id: UUID, user_id: UUID) -> list[UUID]:
        """The clients assigned to one person."""
        query = (
            select(ClientAssignment.client_id)
            .where(ClientAssignment.office_id == office_id, ClientAssignment.user_id == user_id)
            .order_by(col(ClientAssignment.client_id))
        )
        return list(self.session.exec(query))

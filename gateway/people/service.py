"""Reading users with their roles, and the one door through which roles are given and taken.

A role that moves neither money nor rights changes at once; the others become a proposal (APP-12).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col, select

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.errors import FieldFault, InputError, NotFound
from gateway.identity.models import Membership, User
from gateway.identity.people import PeopleService, check_role, held_role, role_of
from gateway.identity.repository import IdentityRepository
from gateway.identity.rights import GUARDED_ROLES, ClientRole, OfficeRole, Permission
from gateway.offices.service import require_client
from gateway.pagination import PageRequest, Sort
from gateway.payments.queries import within
from gateway.proposals.models import Proposal
from gateway.proposals.service import ProposalService


@dataclass(frozen=True, slots=True)
class UserView:
    """A person and the roles of this office that the caller may see."""

    user: User
    roles: list[Membership]
    has_second_factor: bool


class UserService:
    """People of an office, as somebody may see and change them."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def page(
        self, act: Act, request: PageRequest, *, client_id: UUID | None = None
    ) -> tuple[list[UserView], str | None]:
        """People by name; of one client when given."""
        act.require(Permission.USERS_READ)
        order = [
            Sort(col(User.last_name), lambda user: user.last_name, str),
            Sort(col(User.id), lambda user: str(user.id), UUID),
        ]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            shown = _shown(act)
            if client_id is not None:
                require_client(session, act, client_id, Permission.USERS_READ)
                shown = and_(shown, col(Membership.client_id) == client_id)
            query = select(User).where(col(User.id).in_(select(Membership.user_id).where(shown)))
            users, cursor = self.gateway.pager.page(
                session, query, order, request, name=f"users:{act.office_id}:{client_id}"
            )
            roles: dict[UUID, list[Membership]] = {}
            held = select(Membership).where(_shown(act), within(Membership.user_id, [user.id for user in users]))
            for membership in session.exec(held.order_by(col(Membership.id))):
                roles.setdefault(membership.user_id, []).append(membership)
            with_factor = IdentityRepository(session).with_second_factor(users)
        return [UserView(user, roles.get(user.id, []), user.id in with_factor) for user in users], cursor

    def get(self, act: Act, user_id: UUID) -> UserView:
        """One person; raises `NotFound` for somebody whose roles the caller may not see."""
        act.require(Permission.USERS_READ)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            held = select(Membership).where(_shown(act), Membership.user_id == user_id)
            roles = list(session.exec(held.order_by(col(Membership.id))))
            user = session.get(User, user_id) if roles else None
            if user is None:
                raise NotFound
            return UserView(user, roles, IdentityRepository(session).has_second_factor(user))

    def grant(
        self,
        act: Act,
        user_id: UUID,
        role: str,
        *,
        client_id: UUID | None,
        salaries: bool,
        from_date: date | None,
        until_date: date | None,
    ) -> Membership | Proposal:
        """The role, or the proposal that another person confirms."""
        act.require_fresh_second_factor()
        word = role_word(role)
        check_role(word, client_id, salaries=salaries, from_date=from_date, until_date=until_date)
        if word in GUARDED_ROLES:
            content = {"role": word.value, "salaries": salaries}
            return ProposalService(self.gateway).propose(act, "role.grant", user_id, content, client_id=client_id)
        return PeopleService(self.gateway).grant_role(
            act, user_id, word, client_id=client_id, salaries=salaries, from_date=from_date, until_date=until_date
        )

    def end(self, act: Act, membership_id: UUID) -> Proposal | None:
        """Nothing when the role has ended, else the proposal that another person confirms."""
        act.require_fresh_second_factor()
        with self.gateway.database.unit_of_work(act.office_id) as session:
            membership = held_role(session, act, membership_id)
        if role_of(membership) in GUARDED_ROLES:
            return ProposalService(self.gateway).propose(
                act, "role.end", membership.id, {}, client_id=membership.client_id
            )
        PeopleService(self.gateway).end_role(act, membership_id)
        return None


def role_word(text: str) -> OfficeRole | ClientRole:
    """The role with this name; raises `InputError`."""
    for words in (OfficeRole, ClientRole):
        if text in set(words):
            return words(text)
    raise InputError(faults=[FieldFault("/role", "role_unknown", "There is no such role.")])


def _shown(act: Act) -> ColumnElement[bool]:
    """Roles held now that this act may see."""
    held = and_(col(Membership.office_id) == act.office_id, col(Membership.ended_at).is_(None))
    visible = act.principal.visible_clients(Permission.USERS_READ)
    if visible is None:
        return held
    seen = [within(Membership.client_id, sorted(visible))]
    if Permission.USERS_READ in act.principal.office_permissions:
        seen.append(col(Membership.client_id).is_(None))
    return and_(held, or_(*seen))

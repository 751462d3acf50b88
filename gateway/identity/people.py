"""People and their roles: who is given what, by whom (OFF-07, OFF-08)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from gateway import jobs
from gateway.act import Act
from gateway.approvals.states import LAPSING_TASK
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.client_groups.models import ClientGroupUser
from gateway.client_groups.repository import ClientGroupRepository
from gateway.errors import FieldFault, InputError, NotFound, RightsError
from gateway.identity.errors import EmailTaken, LastAdministrator, OperatorHoldsNoRole, RoleHeld
from gateway.identity.models import Membership, User
from gateway.identity.passwords import hash_password
from gateway.identity.repository import IdentityRepository
from gateway.identity.rights import (
    GUARDED_ROLES,
    LIMITED_ROLES,
    ClientRole,
    OfficeRole,
    Permission,
    PersonRequired,
    PrincipalKind,
)
from gateway.ids import new_id
from gateway.offices.errors import ClientClosed
from gateway.offices.models import ClientState
from gateway.offices.repository import ClientRepository, OfficeRepository

LAST_ROLES: Final = frozenset({OfficeRole.ADMIN.value, ClientRole.ADMINISTRATOR.value})
"""An office keeps one admin, a client that has an administrator keeps one (OFF-08)."""


class PeopleService:
    """People of an office and of its clients."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def create_user(self, *, email: str, first_name: str, last_name: str, language: str, password: str) -> User:
        """A person without any role yet; raises `EmailTaken`, `PasswordWeak`."""
        user = User(
            id=new_id(),
            email=email.strip().lower(),
            first_name=first_name,
            last_name=last_name,
            language=language,
            password_hash=hash_password(password),
            created_at=self.gateway.real_now(),
        )
        with self.gateway.database.unit_of_work(None) as session:
            if IdentityRepository(session).user_by_email(user.email) is not None:
                raise EmailTaken
            session.add(user)
        return user

    def grant_role(
        self,
        act: Act,
        user_id: UUID,
        role: OfficeRole | ClientRole,
        *,
        client_id: UUID | None = None,
        salaries: bool = False,
        from_date: date | None = None,
        until_date: date | None = None,
    ) -> Membership:
        """Give a role; an office role when `client_id` is None.

        The operator and the service give any role; a person gives those that move neither money nor rights.
        Raises `InputError`, `RightsError`, `RoleHeld`, `PersonRequired`.
        """
        check_role(role, client_id, salaries=salaries, from_date=from_date, until_date=until_date)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            require_role_change(session, act, role, client_id)
            require_known(session, act, user_id)
            if client_id is not None and ClientRepository(session).get(act.office_id, client_id) is None:
                raise InputError(faults=[FieldFault("/client_id", "client_not_found", "There is no such client.")])
            return add_role(
                self.gateway, session, act, user_id, role, client_id=client_id, salaries=salaries,
                from_date=from_date, until_date=until_date,
            )  # fmt: skip

    def end_role(self, act: Act, membership_id: UUID) -> None:
        """Take a role away, at once; raises `NotFound`, `RightsError`, `LastAdministrator`, `PersonRequired`."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            membership = held_role(session, act, membership_id)
            require_role_change(session, act, role_of(membership), membership.client_id)
            remove_role(self.gateway, session, act, membership)


def check_role(
    role: OfficeRole | ClientRole,
    client_id: UUID | None,
    *,
    salaries: bool,
    from_date: date | None,
    until_date: date | None,
) -> None:
    """Raise `InputError` for a role in the wrong place, or with what it cannot have."""
    faults = []
    if (client_id is None) != isinstance(role, OfficeRole):
        faults.append(FieldFault("/role", "role_misplaced", "An office role has no client, a client role has one."))
    if salaries and isinstance(role, OfficeRole):
        faults.append(FieldFault("/salaries", "salaries_misplaced", "Wages are shown per role at a client."))
    if role is ClientRole.AUDITOR:
        if until_date is None:
            faults.append(FieldFault("/until_date", "until_date_missing", "The role of an auditor has a last day."))
        elif from_date is not None and until_date < from_date:
            faults.append(FieldFault("/until_date", "until_date_early", "The last day lies before the first."))
    elif from_date is not None or until_date is not None:
        faults.append(FieldFault("/until_date", "period_misplaced", "Only the role of an auditor has days."))
    if faults:
        raise InputError(faults=faults)


def role_of(membership: Membership) -> OfficeRole | ClientRole:
    """The role as a word of its own list."""
    return OfficeRole(membership.role) if membership.client_id is None else ClientRole(membership.role)


def held_role(session: Session, act: Act, membership_id: UUID) -> Membership:
    """A role of the act's office that did not end, as far as the caller may know of it; raises `NotFound`."""
    membership = session.get(Membership, membership_id)
    if membership is None or membership.office_id != act.office_id or membership.ended_at is not None:
        raise NotFound
    if not _is_shown(act, membership):
        raise NotFound
    return membership


def require_known(session: Session, act: Act, user_id: UUID) -> User:
    """The person, who holds a role that the caller may know of; raises `NotFound`.

    Somebody without one is invited by e-mail address: an id alone opens nobody's account to an office (SEC-14).
    """
    user = IdentityRepository(session).user(user_id)
    if act.principal.kind is not PrincipalKind.SYSTEM:
        shown = (_is_shown(act, membership) for membership in roles_in(session, act.office_id, user_id))
        if user is None or not any(shown):
            raise NotFound
    if user is None:
        raise NotFound
    return user


def _is_shown(act: Act, membership: Membership) -> bool:
    if membership.client_id is None:
        return Permission.USERS_READ in act.principal.office_permissions
    return act.principal.allows(Permission.USERS_READ, membership.client_id)


def require_role_change(session: Session, act: Act, role: OfficeRole | ClientRole, client_id: UUID | None) -> None:
    """Raise unless this act may give or take the role by itself.

    Never a machine (APP-12, SEC-03). A role that moves money or rights takes two people: a person proposes it.
    """
    if act.principal.kind is PrincipalKind.SYSTEM:
        return
    require_role_right(session, act, client_id)
    if role in GUARDED_ROLES:
        # Reached by `gateway.proposals` only, whose two people are the two users this needs.
        raise RightsError


def require_role_right(session: Session, act: Act, client_id: UUID | None) -> None:
    """Raise unless this person, with a fresh second factor, may change roles of the office, or of this client."""
    if not act.principal.is_person:
        raise PersonRequired
    if client_id is None:
        act.require_for_office(Permission.ADMIN)
    else:
        client = ClientRepository(session).get_granted(act.office_id, client_id, today=act.today)
        if client is None:
            raise NotFound
        act.require(Permission.USERS_WRITE, client_id)
        if client.state is ClientState.CLOSED:
            raise ClientClosed
    act.require_fresh_second_factor()


def add_role(
    gateway: Gateway,
    session: Session,
    act: Act,
    user_id: UUID,
    role: OfficeRole | ClientRole,
    *,
    client_id: UUID | None,
    salaries: bool = False,
    from_date: date | None = None,
    until_date: date | None = None,
) -> Membership:
    """Write the role down; whether it may be given was asked before. Raises `RoleHeld`, `OperatorHoldsNoRole`.

    Staff and support begin in the group "Everyone", from which an admin can take them.
    """
    if IdentityRepository(session).is_operator(user_id):
        raise OperatorHoldsNoRole
    for lapsed in roles_in(session, act.office_id, user_id):
        if lapsed.until_date is not None and lapsed.until_date < act.today:
            lapsed.ended_at = act.real_now
            session.add(lapsed)
    membership = Membership(
        id=new_id(), user_id=user_id, office_id=act.office_id, client_id=client_id, role=role.value,
        salaries=salaries, from_date=from_date, until_date=until_date, created_at=act.real_now,
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(membership)
            session.flush()
    except IntegrityError as error:
        # Given already; by another request a moment ago, perhaps.
        raise RoleHeld from error
    if role in LIMITED_ROLES:
        _begin_in_everyone(session, act.office_id, user_id)
    gateway.audit.record(
        session,
        act,
        "role.granted",
        "membership",
        membership.id,
        client_id=client_id,
        changes={
            "role": Change(None, role),
            "user_id": Change(None, user_id),
            "salaries": Change(None, salaries),
            "from_date": Change(None, from_date),
            "until_date": Change(None, until_date),
        },
        second_factor=act.second_factor,
    )
    return membership


def remove_role(
    gateway: Gateway, session: Session, act: Act, membership: Membership, *, is_legal_event: bool = False
) -> None:
    """End the role; whether it may be ended was asked before. Raises `LastAdministrator` (but not on OFF-16).

    Two that end the last two roles at once wait for one another at the office's row, so that one stays.
    """
    OfficeRepository(session).hold(act.office_id)
    session.refresh(membership)
    if membership.ended_at is not None:
        raise NotFound
    if membership.role in LAST_ROLES and not is_legal_event:
        others = IdentityRepository(session).holders(act.office_id, membership.role, client_id=membership.client_id) - {
            membership.user_id
        }
        if not others:
            raise LastAdministrator
    membership.ended_at = act.real_now
    session.add(membership)
    if membership.client_id is not None:
        jobs.enqueue(
            session, LAPSING_TASK, lock=f"lapsing:{membership.client_id}",
            office_id=str(membership.office_id), client_id=str(membership.client_id),
        )  # fmt: skip
    gateway.audit.record(
        session,
        act,
        "role.ended",
        "membership",
        membership.id,
        client_id=membership.client_id,
        changes={"role": Change(membership.role, None), "user_id": Change(membership.user_id, None)},
        second_factor=act.second_factor,
    )


def roles_in(session: Session, office_id: UUID, user_id: UUID) -> Sequence[Membership]:
    """Roles the person holds in this office, whatever their days."""
    return [row for row in IdentityRepository(session).memberships(user_id) if row.office_id == office_id]


def _begin_in_everyone(session: Session, office_id: UUID, user_id: UUID) -> None:
    groups = ClientGroupRepository(session)
    if not groups.groups_of_user(office_id, user_id) and not groups.assigned(office_id, user_id):
        everyone = groups.everyone(office_id)
        session.add(ClientGroupUser(id=new_id(), office_id=office_id, group_id=everyone.id, user_id=user_id))
        session.flush()

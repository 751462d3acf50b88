"""What a person may do in one office today: roles, their days, and the clients that office roles reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlmodel import Session

from gateway.client_groups.repository import ClientGroupRepository
from gateway.clock import brussels_date
from gateway.database import UNIT_OFFICE, enter_office
from gateway.identity.repository import IdentityRepository
from gateway.identity.rights import LIMITED_ROLES, OfficeRole, Permission, person_permissions
from gateway.offices.models import Office

_LIMITED: Final = frozenset(role.value for role in LIMITED_ROLES)


@dataclass(frozen=True, slots=True)
class HeldRights:
    """As `Principal` has them."""

    office_permissions: frozenset[Permission]
    client_permissions: Mapping[UUID, frozenset[Permission]]
    office_clients: frozenset[UUID] | None


def office_moment(office: Office, now: datetime) -> datetime:
    """Real time on the office's clock, for where the office has just been read."""
    return now + timedelta(seconds=office.clock_offset_seconds if office.mode == "test" else 0)


def held_rights(session: Session, user_id: UUID, office_id: UUID, *, now: datetime) -> HeldRights:
    """The rights of this moment; a role that ended a moment ago gives nothing, however old the sign-in is.

    `now` is real time; days are those of the office's clock. A unit of work without an office enters this one.
    """
    office = session.get(Office, office_id)
    assert office is not None, "a role belongs to an office that exists"
    today = brussels_date(office_moment(office, now))
    roles = [
        (membership.client_id, membership.role)
        for membership in IdentityRepository(session).memberships(user_id)
        if membership.office_id == office_id and membership.holds_on(today)
    ]
    office_permissions, client_permissions = person_permissions(roles)
    office_roles = {role for client_id, role in roles if client_id is None}
    office_clients: frozenset[UUID] | None = None
    if office_roles & _LIMITED and OfficeRole.ADMIN.value not in office_roles:
        session.flush()
        if session.info.get(UNIT_OFFICE) is None:
            enter_office(session, office_id)
        office_clients = ClientGroupRepository(session).reach(office_id, user_id)
    return HeldRights(office_permissions, client_permissions, office_clients)

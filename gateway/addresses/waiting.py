"""Writing down that addresses wait, and telling the admins; inside the unit of work that set them (DEL-13)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert
from sqlmodel import Session

from gateway.act import Act
from gateway.addresses.models import AddressChange
from gateway.addresses.repository import AddressRepository
from gateway.addresses.states import AddressKind, ChangeState
from gateway.assembly import Gateway
from gateway.identity.repository import IdentityRepository
from gateway.identity.rights import OfficeRole
from gateway.ids import new_id
from gateway.notices.outbox import queue_mail
from gateway.profiles.models import ClientProfile

LONE_WAIT: Final = timedelta(hours=48)
CONTACT_ADDRESSES: Final = ("contact_email", "mobile")
MOMENTS: Final = {
    AddressKind.CONTACT: "contact_confirmed_at",
    AddressKind.DESTINATION: "destination_confirmed_at",
}
"""Column of the profile that says since when an address counts."""


def confirmed_contact(profile: ClientProfile | None) -> str | None:
    """The contact's e-mail address, when anything may be sent to it."""
    return profile.contact_email if profile is not None and profile.contact_confirmed_at is not None else None


def confirmed_destination(profile: ClientProfile | None) -> str | None:
    """Where files may be delivered; None while nothing may."""
    return profile.destination if profile is not None and profile.destination_confirmed_at is not None else None


def lone_effect(session: Session, office_id: UUID, now: datetime) -> datetime | None:
    """When an address set now counts by itself: in 48 hours where the office has one admin, never where it has more."""
    admins = IdentityRepository(session).holders(office_id, OfficeRole.ADMIN)
    return now + LONE_WAIT if len(admins) <= 1 else None


def let_wait(
    session: Session, act: Act, wanted: Sequence[tuple[UUID, AddressKind]], *, import_id: UUID | None = None
) -> int:
    """These addresses of these clients wait from now on, in place of what waited there; how many they are."""
    if not wanted:
        return 0
    repository = AddressRepository(session)
    for kind in AddressKind:
        clients = [client_id for client_id, wanted_kind in wanted if wanted_kind is kind]
        if clients:
            repository.replace(act.office_id, clients, kind=kind, now=act.now)
    effective_at = lone_effect(session, act.office_id, act.now)
    rows: list[dict[str, Any]] = [
        {
            "id": new_id(),
            "office_id": act.office_id,
            "client_id": client_id,
            "kind": kind,
            "state": ChangeState.WAITING,
            "author_kind": act.principal.kind.value,
            "author_id": act.principal.id,
            "import_id": import_id,
            "created_at": act.now,
            "effective_at": effective_at,
        }
        for client_id, kind in wanted
    ]
    session.connection().execute(insert(AddressChange), rows)
    return len(rows)


def tell_admins(gateway: Gateway, session: Session, act: Act, *, count: int, key: UUID) -> None:
    """One mail to every admin of the office for the whole change or import; it names no address and no client."""
    people = IdentityRepository(session)
    admins = {
        user.id: user
        for role, user in people.members(act.office_id)
        if role.client_id is None and role.role == OfficeRole.ADMIN
    }
    is_lone = len(admins) <= 1
    for user in admins.values():
        queue_mail(
            session,
            gateway,
            act.office_id,
            to=user.email,
            language=user.language,
            template="addresses_wait_alone" if is_lone else "addresses_wait",
            parameters={"count": str(count)},
            key=f"addresses:{key}:{user.id}",
        )

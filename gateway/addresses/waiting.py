"""Writing down that addresses wait, and telling the admins; inside the unit of work that set them (DEL-13)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert
from sqlmodel import Session

from gateway.accounts.models import Account
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


def delivery_of(
    account: Account, profile: ClientProfile | None, default_channel: str | None
) -> tuple[str | None, str | None]:
    """Channel of an account's files and where they may go: its own, else its client's, else the office's channel.

    An own destination that waits for its confirmation is not replaced by the client's: nothing goes out (DEL-13).
    """
    if account.delivery is not None:
        return account.delivery, account.destination if account.destination_confirmed_at is not None else None
    return (profile.delivery if profile is not None else None) or default_channel, confirmed_destination(profile)


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
    rows = [
        {**_row(act, client_id, kind, effective_at), "import_id": import_id, "account_id": None}
        for client_id, kind in wanted
    ]
    session.connection().execute(insert(AddressChange), rows)
    return len(rows)


def let_account_wait(gateway: Gateway, session: Session, act: Act, account: Account) -> None:
    """The own destination of an account, if it has one, waits from now on; every admin is told (OFF-02, DEL-13)."""
    AddressRepository(session).replace_of_account(act.office_id, account.id, now=act.now)
    if account.destination is None:
        return
    row = _row(act, account.client_id, AddressKind.DESTINATION, lone_effect(session, act.office_id, act.now))
    session.connection().execute(insert(AddressChange), [{**row, "import_id": None, "account_id": account.id}])
    tell_admins(gateway, session, act, count=1, key=row["id"])


def _row(act: Act, client_id: UUID, kind: AddressKind, effective_at: datetime | None) -> dict[str, Any]:
    return {
        "id": new_id(),
        "office_id": act.office_id,
        "client_id": client_id,
        "kind": kind,
        "state": ChangeState.WAITING,
        "author_kind": act.principal.kind.value,
        "author_id": act.principal.id,
        "created_at": act.now,
        "effective_at": effective_at,
    }


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

"""What an office notes of a client, whichever way it comes in: checked, compared, and waiting where it must.

An address that changes waits for its confirmation again, by import or API alike (DEL-13).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session, col, select

from gateway.act import Act
from gateway.addresses.repository import AddressRepository
from gateway.addresses.states import AddressKind
from gateway.addresses.waiting import CONTACT_ADDRESSES, let_wait, tell_admins
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import FieldFault, InputError
from gateway.identity.models import Membership
from gateway.identity.rights import SECOND_FACTOR_LIFE, SecondFactorRequired
from gateway.ids import new_id
from gateway.profiles.models import ClientProfile

CONTACT_FIELDS: Final = frozenset({"contact_name", "contact_email", "mobile"})
DELIVERY_FIELDS: Final = frozenset({"delivery", "destination"})
CONFIRMED: Final = ((CONTACT_FIELDS, "contact_confirmed_at"), (DELIVERY_FIELDS, "destination_confirmed_at"))
"""Fields that count from their confirmation on, with its moment."""
RECORD_FIELDS: Final = (
    "client_code", "contact_name", "contact_email", "mobile", "responsible_id", "labels", "package", "delivery",
    "destination",
)  # fmt: skip
"""What the API sets."""


def set_record(
    gateway: Gateway, session: Session, act: Act, client_id: UUID, wanted: Mapping[str, Any]
) -> dict[str, Change]:
    """Set what is named and differs; old and new by name. Raises `InputError` for somebody not of the office.

    A person who changes an address needs a fresh second factor (SEC-02).
    """
    assert set(wanted) <= set(RECORD_FIELDS), "other columns are not the caller's to set"
    _require_own(session, act, wanted.get("responsible_id"))
    profile = session.get(ClientProfile, client_id)
    if profile is None:
        profile = ClientProfile(client_id=client_id, office_id=act.office_id, updated_at=act.now)
    changes = {
        name: Change(getattr(profile, name), value) for name, value in wanted.items() if getattr(profile, name) != value
    }
    if not changes:
        return {}
    for fields, moment in CONFIRMED:
        confirmed = getattr(profile, moment)
        if confirmed is not None and fields & changes.keys():
            changes[moment] = Change(confirmed, None)
    if act.principal.is_person and (CONTACT_FIELDS | DELIVERY_FIELDS) & changes.keys():
        # Not asked of the operation as a whole: a key sets addresses too, and they wait all the same.
        at = act.principal.second_factor_at
        if at is None or act.real_now - at > SECOND_FACTOR_LIFE:
            raise SecondFactorRequired
    for name, change in changes.items():
        setattr(profile, name, change.new)
    profile.updated_at = act.now
    session.add(profile)
    session.flush()
    wait_for_addresses(gateway, session, act, profile, changes)
    return changes


def wait_for_addresses(
    gateway: Gateway, session: Session, act: Act, profile: ClientProfile, changed: Iterable[str]
) -> None:
    """Let the addresses behind changed fields wait for another administrator, and tell them all (DEL-13)."""
    names = set(changed)
    kinds = [
        (kind, addresses)
        for kind, fields, addresses in (
            (AddressKind.CONTACT, CONTACT_FIELDS, CONTACT_ADDRESSES),
            (AddressKind.DESTINATION, DELIVERY_FIELDS, ("destination",)),
        )
        if fields & names
    ]
    for kind, _addresses in kinds:
        AddressRepository(session).replace(act.office_id, [profile.client_id], kind=kind, now=act.now)
    waiting = [
        (profile.client_id, kind) for kind, addresses in kinds if any(getattr(profile, name) for name in addresses)
    ]
    if waiting:
        let_wait(session, act, waiting)
        tell_admins(gateway, session, act, count=len(waiting), key=new_id())


def records(session: Session, office_id: UUID, client_ids: Iterable[UUID]) -> dict[UUID, ClientProfile]:
    """The records of these clients, in one query."""
    query = select(ClientProfile).where(
        ClientProfile.office_id == office_id, col(ClientProfile.client_id).in_(list(client_ids))
    )
    return {profile.client_id: profile for profile in session.exec(query)}


def _require_own(session: Session, act: Act, user_id: UUID | None) -> None:
    if user_id is None:
        return
    query = select(Membership.id).where(
        Membership.office_id == act.office_id,
        Membership.user_id == user_id,
        col(Membership.client_id).is_(None),
        col(Membership.ended_at).is_(None),
    )
    if session.exec(query.limit(1)).first() is None:
        raise InputError(
            faults=[FieldFault("/responsible_id", "responsible_unknown", "This is nobody with a role at the office.")]
        )

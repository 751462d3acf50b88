"""Offices, clients and people for tests; every number is invented, with valid check digits."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pyotp
from sqlalchemy import update
from sqlmodel import col

from gateway.act import Act, system_act
from gateway.assembly import Gateway
from gateway.identity.models import User
from gateway.identity.people import PeopleService
from gateway.identity.rights import ClientRole, OfficeRole, Principal, PrincipalKind, person_permissions
from gateway.identity.service import IdentityService
from gateway.ids import new_id
from gateway.offices.models import Client, Office
from gateway.offices.service import ClientService, ClientWish, OfficeService

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
AUDIT_UNTIL = date(2099, 12, 31)
PASSWORD = "correct horse battery"

_numbers = itertools.count(1)


def make_office(gateway: Gateway, *, name: str = "Kantoor Test", mode: str = "test") -> Office:
    """An office in test mode."""
    return OfficeService(gateway).create(name=name, language="nl", mode=mode, consent_days_max=90)


def act_of_system(office: Office, *, now: datetime = NOW) -> Act:
    """The service itself at a fixed moment."""
    return system_act(office.id, now=now, real_now=now)


def make_client(
    gateway: Gateway, office: Office, *, name: str = "Bakkerij Voorbeeld BV", now: datetime = NOW
) -> Client:
    """An active client with a grant from `now` on."""
    base = 4_000_000 + next(_numbers) * 137
    number = f"{base:08d}{97 - base % 97:02d}"
    wish = ClientWish(name=name, language="nl", enterprise_number=number)
    client, _ = ClientService(gateway).put(act_of_system(office, now=now), wish)
    return client


@dataclass(frozen=True)
class Person:
    """A user with roles and, when enrolled, a TOTP secret."""

    user: User
    secret: str | None

    def code(self, at: datetime) -> str:
        """The code of this moment."""
        assert self.secret is not None
        return pyotp.TOTP(self.secret).at(at)


def make_person(
    gateway: Gateway,
    office: Office,
    *roles: OfficeRole | ClientRole,
    client: Client | None = None,
    is_enrolled: bool = True,
) -> Person:
    """A person with these roles (client roles at `client`) and a confirmed second factor."""
    identity, people = IdentityService(gateway), PeopleService(gateway)
    number = next(_numbers)
    user = people.create_user(
        email=f"person{number}@example.test", first_name="Person", last_name=f"Nummer{number}", language="nl",
        password=PASSWORD,
    )  # fmt: skip
    act = act_of_system(office)
    for role in roles:
        people.grant_role(
            act, user.id, role, client_id=client.id if client is not None and isinstance(role, ClientRole) else None,
            until_date=AUDIT_UNTIL if role is ClientRole.AUDITOR else None,
        )  # fmt: skip
    if not is_enrolled:
        return Person(user, None)
    secret = identity.enrol_second_factor(user.id)
    identity.confirm_enrolment(user.id, pyotp.TOTP(secret).at(gateway.real_now()))
    with gateway.database.unit_of_work(None) as session:
        # Each code counts once; tests sign people in at moments of their own, this one and earlier ones too.
        session.exec(update(User).where(col(User.id) == user.id).values(totp_last_step=None))
    return Person(user, secret)


def act_of(
    person: Person,
    office: Office,
    *roles: OfficeRole | ClientRole,
    client: Client | None = None,
    now: datetime = NOW,
    is_fresh: bool = True,
) -> Act:
    """The person acting with these roles at a fixed moment, with or without a fresh second factor."""
    office_permissions, client_permissions = person_permissions(
        (client.id if client is not None and isinstance(role, ClientRole) else None, role) for role in roles
    )
    principal = Principal(
        kind=PrincipalKind.USER,
        id=person.user.id,
        office_id=office.id,
        office_permissions=office_permissions,
        client_permissions=client_permissions,
        second_factor_at=now if is_fresh else now - timedelta(hours=1),
        second_factor_method="totp",
        sign_in_method="password",
        language="en",
    )
    return Act(principal=principal, now=now, real_now=now)


def foreign_id() -> UUID:
    """An id nobody has."""
    return new_id()

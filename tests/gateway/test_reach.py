"""Which clients office roles reach (OFF-09), and for how long roles hold (OFF-08)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlmodel import select

from gateway.assembly import Gateway
from gateway.client_groups.models import ClientAssignment, ClientGroup, ClientGroupClient, ClientGroupUser
from gateway.errors import InputError, NotFound, RightsError, SignInError
from gateway.identity.errors import LastAdministrator, RoleHeld
from gateway.identity.models import Membership
from gateway.identity.people import PeopleService
from gateway.identity.rights import (
    ClientRole,
    OfficeRole,
    Permission,
    PersonRequired,
    Principal,
    PrincipalKind,
    SecondFactorRequired,
)
from gateway.identity.service import IdentityService
from gateway.ids import new_id
from gateway.offices.models import Office
from gateway.offices.service import ClientService, ClientWish
from gateway.pagination import PageRequest
from tests.gateway.builders import (
    PASSWORD,
    Person,
    act_of,
    act_of_system,
    foreign_id,
    make_client,
    make_office,
    make_person,
)


def principal_of(gateway: Gateway, person: Person, office: Office) -> Principal:
    identity = IdentityService(gateway)
    signed_in = identity.sign_in(email=person.user.email, password=PASSWORD, code=None, source="a", office_id=office.id)
    return identity.principal_of_session(signed_in.token)[0]


def leave_everyone(gateway: Gateway, office: Office, person: Person) -> None:
    with gateway.database.unit_of_work(office.id) as session:
        row = session.exec(select(ClientGroupUser).where(ClientGroupUser.user_id == person.user.id)).one()
        session.delete(row)


def test_staff_sees_the_clients_of_its_groups_and_its_own_only(gateway: Gateway) -> None:
    """OFF-09: absent from lists, 404 by id, also for writing; an admin sees all."""
    office = make_office(gateway)
    now = gateway.real_now()
    grouped, assigned, hidden = (make_client(gateway, office, name=name, now=now) for name in ("A", "B", "C"))
    person = make_person(gateway, office, OfficeRole.STAFF, is_enrolled=False)
    assert principal_of(gateway, person, office).visible_clients(Permission.CLIENTS_READ) is None
    leave_everyone(gateway, office, person)
    with gateway.database.unit_of_work(office.id) as session:
        group = ClientGroup(id=new_id(), office_id=office.id, name="Bakkers", created_at=now)
        session.add(group)
        session.flush()
        session.add_all(
            [
                ClientGroupClient(id=new_id(), office_id=office.id, group_id=group.id, client_id=grouped.id),
                ClientGroupUser(id=new_id(), office_id=office.id, group_id=group.id, user_id=person.user.id),
                ClientAssignment(id=new_id(), office_id=office.id, user_id=person.user.id, client_id=assigned.id),
            ]
        )
    clients = ClientService(gateway)
    act = gateway.act(principal_of(gateway, person, office))
    shown, _ = clients.page(act, PageRequest(50, None))
    assert [client.name for client in shown] == ["A", "B"]
    with pytest.raises(NotFound):
        clients.get(act, hidden.id)
    with pytest.raises(NotFound):
        clients.get(act, foreign_id())
    wish = ClientWish(name="C", language="nl", enterprise_number=hidden.enterprise_number)
    for number in (hidden.enterprise_number, "0477472701"):
        with pytest.raises(RightsError):
            clients.put(act, ClientWish(name="C", language="nl", enterprise_number=number))
    assert (
        clients.put(act, ClientWish(name="A", language="fr", enterprise_number=grouped.enterprise_number))[1] is False
    )
    admin = make_person(gateway, office, OfficeRole.ADMIN, OfficeRole.STAFF, is_enrolled=False)
    leave_everyone(gateway, office, admin)
    assert clients.get(gateway.act(principal_of(gateway, admin, office)), hidden.id).name == wish.name


def test_an_auditor_reads_from_a_day_until_a_day(gateway: Gateway) -> None:
    """OFF-08: before and after, the role gives nothing, and a sign-in ends with it."""
    office = make_office(gateway)
    client = make_client(gateway, office)
    people, act = PeopleService(gateway), act_of_system(office)
    person = make_person(gateway, office, is_enrolled=False)
    membership = people.grant_role(
        act, person.user.id, ClientRole.AUDITOR, client_id=client.id, until_date=date(2099, 1, 1)
    )
    principal = principal_of(gateway, person, office)
    assert principal.allows(Permission.PAYMENTS_READ, client.id)
    assert not any(principal.allows(Permission(name)) for name in Permission if name.value.endswith(":write"))
    token = (
        IdentityService(gateway)
        .sign_in(email=person.user.email, password=PASSWORD, code=None, source="a", office_id=office.id)
        .token
    )
    for period in ((date(2098, 1, 1), date(2099, 1, 1)), (None, date(2020, 1, 1))):
        with gateway.database.unit_of_work(office.id) as session:
            row = session.get(Membership, membership.id)
            assert row is not None
            row.from_date, row.until_date = period
            session.add(row)
        with pytest.raises(SignInError):
            IdentityService(gateway).principal_of_session(token)
    # It lapsed, and can be given again.
    people.grant_role(act, person.user.id, ClientRole.AUDITOR, client_id=client.id, until_date=date(2099, 1, 1))
    assert IdentityService(gateway).principal_of_session(token)


@pytest.mark.parametrize(
    ("role", "more", "code"),
    [
        (ClientRole.AUDITOR, {}, "until_date_missing"),
        (ClientRole.AUDITOR, {"from_date": date(2027, 1, 2), "until_date": date(2027, 1, 1)}, "until_date_early"),
        (ClientRole.VIEWER, {"until_date": date(2027, 1, 1)}, "period_misplaced"),
        (OfficeRole.STAFF, {"salaries": True}, "salaries_misplaced"),
    ],
)
def test_a_role_takes_what_belongs_to_it_only(
    gateway: Gateway, role: OfficeRole | ClientRole, more: dict[str, Any], code: str
) -> None:
    office = make_office(gateway)
    client = make_client(gateway, office)
    client_id = client.id if isinstance(role, ClientRole) else None
    with pytest.raises(InputError) as caught:
        PeopleService(gateway).grant_role(act_of_system(office), new_id(), role, client_id=client_id, **more)
    assert [fault.code for fault in caught.value.faults] == [code]


def test_a_role_is_given_and_taken_by_a_person_with_the_right(gateway: Gateway) -> None:
    """APP-12, SEC-02, SEC-03: never by a machine, not without a fresh second factor, guarded roles not alone."""
    office = make_office(gateway)
    client = make_client(gateway, office)
    people = PeopleService(gateway)
    admin, other = make_person(gateway, office, OfficeRole.ADMIN), make_person(gateway, office, OfficeRole.SUPPORT)
    nobody = make_person(gateway, office, is_enrolled=False)
    act = act_of(admin, office, OfficeRole.ADMIN)
    membership = people.grant_role(act, other.user.id, ClientRole.VIEWER, client_id=client.id)
    # An id alone opens nobody's account: who has no role here is invited (SEC-14).
    with pytest.raises(NotFound):
        people.grant_role(act, nobody.user.id, ClientRole.VIEWER, client_id=client.id)
    with pytest.raises(RoleHeld):
        people.grant_role(act, other.user.id, ClientRole.VIEWER, client_id=client.id)
    for role in (ClientRole.APPROVER, ClientRole.EXPORTER, ClientRole.ADMINISTRATOR):
        with pytest.raises(RightsError):
            people.grant_role(act, other.user.id, role, client_id=client.id)
    with pytest.raises(SecondFactorRequired):
        people.end_role(act_of(admin, office, OfficeRole.ADMIN, is_fresh=False), membership.id)
    machine = gateway.act(
        Principal(PrincipalKind.MACHINE, new_id(), office.id, office_permissions=frozenset(Permission))
    )
    with pytest.raises(PersonRequired):
        people.end_role(machine, membership.id)
    stranger = make_office(gateway)
    with pytest.raises(NotFound):
        people.end_role(act_of(admin, stranger, OfficeRole.ADMIN), membership.id)
    people.end_role(act, membership.id)
    with pytest.raises(NotFound):
        people.end_role(act, membership.id)
    assert people.grant_role(act, other.user.id, ClientRole.VIEWER, client_id=client.id)


def test_the_last_administrator_stays(gateway: Gateway) -> None:
    """OFF-08: of an office and of a client."""
    office = make_office(gateway)
    client = make_client(gateway, office)
    people, act = PeopleService(gateway), act_of_system(office)
    for role, client_id in ((OfficeRole.ADMIN, None), (ClientRole.ADMINISTRATOR, client.id)):
        first, second = make_person(gateway, office), make_person(gateway, office)
        held = people.grant_role(act, first.user.id, role, client_id=client_id)
        with pytest.raises(LastAdministrator):
            people.end_role(act, held.id)
        other = people.grant_role(act, second.user.id, role, client_id=client_id)
        people.end_role(act, held.id)
        with pytest.raises(LastAdministrator):
            people.end_role(act, other.id)

"""DEL-13: a new or changed address gets nothing until another admin of the office confirmed it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from gateway.act import Act
from gateway.addresses.errors import AddressChangeNotFound, AddressDecided, AddressWaits, OwnAddress
from gateway.addresses.models import AddressChange
from gateway.addresses.service import AddressService, ChangeView
from gateway.addresses.states import ChangeState
from gateway.addresses.waiting import confirmed_contact, confirmed_destination
from gateway.assembly import Gateway
from gateway.errors import InputError
from gateway.events.models import Event
from gateway.identity.rights import OfficeRole, PersonRequired, PrincipalKind, RightsError, SecondFactorRequired
from gateway.ids import encode
from gateway.machines.service import MachineService
from gateway.notices.models import MailMessage
from gateway.offices.models import Client, Office
from gateway.pagination import PageRequest
from gateway.profiles.models import ClientProfile
from tests.gateway.builders import NOW, Person, act_of, act_of_system, make_client, make_office, make_person
from tests.gateway.imports.conftest import Desk
from tests.gateway.imports.files import HEADERS, clients
from tests.gateway.serving import app_of
from tests.gateway.test_people_page import SITE, Browser


class Office2:
    """An office with a client, two admins, and a member of the staff."""

    def __init__(self, gateway: Gateway, *, admins: int = 2) -> None:
        self.gateway = gateway
        self.office = make_office(gateway)
        self.client = make_client(gateway, self.office)
        self.people = [make_person(gateway, self.office, OfficeRole.ADMIN) for _ in range(admins)]
        self.service = AddressService(gateway)

    def act(self, number: int = 0, **more: Any) -> Act:
        return act_of(self.people[number], self.office, OfficeRole.ADMIN, **more)

    def waiting(self, by: Act | None = None) -> list[ChangeView]:
        return self.service.page(by or self.act(), PageRequest(500, None), state=ChangeState.WAITING)[0]

    def profile(self) -> ClientProfile | None:
        return self.service.addresses(self.act(), self.client.id)

    def mails(self) -> int:
        with self.gateway.database.unit_of_work(self.office.id) as session:
            return len(session.exec(select(MailMessage)).all())


@pytest.fixture
def place(gateway: Gateway) -> Office2:
    return Office2(gateway)


def test_a_changed_address_counts_once_another_admin_confirmed_it(place: Office2) -> None:
    """DEL-13: not the author; every admin is told by mail; SEC-02: with a fresh second factor."""
    wanted = {"contact_email": "An@Example.test", "delivery": "email", "destination": "coda@example.test"}
    place.service.change(place.act(), place.client.id, wanted)
    assert place.mails() == 2
    assert confirmed_contact(place.profile()) is None
    assert confirmed_destination(place.profile()) is None
    ids = [view.change.id for view in place.waiting()]
    assert len(ids) == 2
    with pytest.raises(OwnAddress):
        place.service.decide(place.act(), is_confirmed=True, change_ids=ids)
    with pytest.raises(SecondFactorRequired):
        place.service.decide(place.act(1, is_fresh=False), is_confirmed=True, change_ids=ids)
    assert [view.can_confirm for view in place.waiting(place.act(1))] == [True, True]
    place.service.decide(place.act(1), is_confirmed=True, change_ids=ids)
    assert confirmed_contact(place.profile()) == "an@example.test"
    assert confirmed_destination(place.profile()) == "coda@example.test"
    with pytest.raises(AddressDecided):
        place.service.decide(place.act(1), is_confirmed=True, change_ids=ids)
    # Set to what it is, nothing changes; set anew, it waits anew.
    place.service.change(place.act(), place.client.id, wanted)
    assert confirmed_contact(place.profile()) is not None
    place.service.change(place.act(1), place.client.id, {"mobile": "0032 470 55 50 10"})
    assert confirmed_contact(place.profile()) is None
    assert confirmed_destination(place.profile()) is not None


def test_an_address_set_anew_takes_the_place_of_the_one_that_waits(place: Office2) -> None:
    place.service.change(place.act(), place.client.id, {"contact_email": "a@example.test"})
    (first,) = place.waiting()
    place.service.change(place.act(1), place.client.id, {"contact_email": "b@example.test"})
    with pytest.raises(AddressDecided):
        place.service.decide(place.act(1), is_confirmed=True, change_ids=[first.change.id])
    (second,) = place.waiting()
    place.service.decide(place.act(), is_confirmed=True, change_ids=[second.change.id])
    assert confirmed_contact(place.profile()) == "b@example.test"


def test_a_refused_address_gets_nothing(place: Office2) -> None:
    place.service.change(place.act(), place.client.id, {"destination": "x", "delivery": "sftp"})
    (waiting,) = place.waiting()
    place.service.decide(place.act(1), is_confirmed=False, change_ids=[waiting.change.id])
    assert confirmed_destination(place.profile()) is None
    assert place.waiting() == []


def test_a_key_is_not_another_person(place: Office2) -> None:
    """DEL-13: by API too. Whoever made the key that set an address does not confirm it."""
    credential, _ = MachineService(place.gateway).create_credential(place.act(), name="Portal", scopes=["clients"])
    machine = act_of_system(place.office)
    machine = replace(machine, principal=replace(machine.principal, kind=PrincipalKind.MACHINE, id=credential.id))
    place.service.change(machine, place.client.id, {"contact_email": "a@example.test"})
    ids = [view.change.id for view in place.waiting()]
    with pytest.raises(PersonRequired):
        place.service.decide(machine, is_confirmed=True, change_ids=ids)
    with pytest.raises(OwnAddress):
        place.service.decide(place.act(), is_confirmed=True, change_ids=ids)
    place.service.decide(place.act(1), is_confirmed=True, change_ids=ids)


def test_who_sets_an_address_needs_a_fresh_second_factor_and_valid_values(place: Office2) -> None:
    with pytest.raises(SecondFactorRequired):
        place.service.change(place.act(is_fresh=False), place.client.id, {"contact_email": "a@example.test"})
    with pytest.raises(InputError) as error:
        place.service.change(
            place.act(), place.client.id, {"contact_email": "a@", "mobile": "12", "delivery": "pigeon"}
        )
    assert [fault.code for fault in error.value.faults] == ["email_invalid", "mobile_invalid", "delivery_unknown"]


def test_staff_does_not_confirm(place: Office2) -> None:
    place.service.change(place.act(), place.client.id, {"contact_email": "a@example.test"})
    ids = [view.change.id for view in place.waiting()]
    staff = make_person(place.gateway, place.office, OfficeRole.STAFF)
    with pytest.raises(RightsError):
        place.service.decide(act_of(staff, place.office, OfficeRole.STAFF), is_confirmed=True, change_ids=ids)


def test_with_one_admin_an_address_waits_48_hours(gateway: Gateway) -> None:
    """DEL-13: it waits instead, even for an address that somebody else set; refusing is possible until then."""
    place = Office2(gateway, admins=1)
    staff = make_person(gateway, place.office, OfficeRole.STAFF)
    place.service.change(
        act_of(staff, place.office, OfficeRole.STAFF), place.client.id, {"contact_email": "a@example.test"}
    )
    (waiting,) = place.waiting()
    assert waiting.change.effective_at == NOW + timedelta(hours=48)
    with pytest.raises(AddressWaits):
        place.service.decide(place.act(), is_confirmed=True, change_ids=[waiting.change.id])
    later = _later(gateway, hours=47)
    assert AddressService(later).run_due(place.office.id) == 0
    later = _later(gateway, hours=49)
    assert AddressService(later).run_due(place.office.id) == 1
    assert confirmed_contact(place.profile()) == "a@example.test"


def test_an_office_left_with_one_admin_waits_from_then_on(place: Office2) -> None:
    place.service.change(place.act(), place.client.id, {"contact_email": "a@example.test"})
    with place.gateway.database.unit_of_work(place.office.id) as session:
        from gateway.identity.models import Membership  # noqa: PLC0415  only this test ends a role behind the service

        query = select(Membership).where(Membership.user_id == place.people[1].user.id)
        membership = session.exec(query).one()
        membership.ended_at = NOW
        session.add(membership)
    gateway = _later(place.gateway, hours=100)
    assert AddressService(gateway).run_due(place.office.id) == 0
    assert AddressService(_later(place.gateway, hours=149)).run_due(place.office.id) == 1


def test_one_confirmation_covers_an_import_and_its_admins_get_one_mail(gateway: Gateway) -> None:
    """DEL-13, OFF-15: a repetition changes nothing and mails nobody."""
    place = Office2(gateway)
    desk = Desk(gateway, place.office, replace(place.act(), now=gateway.real_now()))
    view = desk.check(HEADERS, *clients(5))
    desk.import_(view)
    assert place.mails() == 2
    again = desk.check(HEADERS, *clients(5))
    desk.import_(again)
    assert place.mails() == 2
    import_id = view.client_import.id
    with pytest.raises(OwnAddress):
        place.service.decide(place.act(), is_confirmed=True, import_id=import_id)
    other = act_of(place.people[1], place.office, OfficeRole.ADMIN)
    assert len(place.service.decide(other, is_confirmed=True, import_id=import_id)) == 5
    with gateway.database.unit_of_work(place.office.id) as session:
        profiles = session.exec(select(ClientProfile)).all()
        told = session.exec(select(Event).where(Event.type == "import.addresses_waiting")).all()
    assert all(profile.contact_confirmed_at is not None for profile in profiles)
    assert [event.data for event in told] == [{"count": 5}]


def test_undoing_an_import_leaves_nothing_waiting(gateway: Gateway) -> None:
    place = Office2(gateway)
    desk = Desk(gateway, place.office, replace(place.act(), now=gateway.real_now()))
    view = desk.check(HEADERS, *clients(2))
    desk.import_(view)
    desk.undo(view)
    with gateway.database.unit_of_work(place.office.id) as session:
        assert session.exec(select(AddressChange)).all() == []


def test_another_office_decides_nothing(place: Office2) -> None:
    place.service.change(place.act(), place.client.id, {"contact_email": "a@example.test"})
    ids = [view.change.id for view in place.waiting()]
    stranger = Office2(place.gateway)
    with pytest.raises(AddressChangeNotFound):
        stranger.service.decide(stranger.act(), is_confirmed=True, change_ids=ids)


@pytest.fixture
def seen(gateway: Gateway) -> Iterator[tuple[TestClient, Office, Client]]:
    office = make_office(gateway)
    client = make_client(gateway, office, now=gateway.real_now())
    with TestClient(app_of(gateway), base_url=SITE, follow_redirects=False) as http:
        yield http, office, client


def test_the_page_lists_what_waits_with_one_button_per_import(
    gateway: Gateway, seen: tuple[TestClient, Office, Client]
) -> None:
    http, office, client = seen
    people: list[Person] = [make_person(gateway, office, OfficeRole.ADMIN) for _ in range(2)]
    first, second = (Browser(http, gateway, person) for person in people)
    act = act_of(people[0], office, OfficeRole.ADMIN, now=gateway.real_now())
    desk = Desk(gateway, office, act)
    desk.import_(desk.check(HEADERS, *clients(3)))
    AddressService(gateway).change(act, client.id, {"destination": "coda@example.test", "delivery": "email"})
    own = first.see("/addresses")
    assert 'value="confirm"' not in own
    shown = second.see("/addresses")
    assert "contact2@example.test" in shown
    assert shown.count('value="confirm"') == 2
    (about,) = re.findall(r'value="(imp_[^"]+)"', shown)
    second.post("/addresses/decisions", about=about, verdict="confirm")
    assert "contact2@example.test" not in second.see("/addresses")
    (about,) = re.findall(r'value="(adr_[^"]+)"', second.see("/addresses"))
    assert about.startswith(encode("address_change", client.id)[:4])
    second.post("/addresses/decisions", about=about, verdict="refuse")
    assert 'name="about"' not in second.see("/addresses")


def _later(gateway: Gateway, *, hours: int) -> Gateway:
    moment = NOW + timedelta(hours=hours)
    return replace(gateway, real_now=lambda: moment)

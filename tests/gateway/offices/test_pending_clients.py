"""OFF-03: what makes a client pending, what it may not do yet, and what makes it active."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlmodel import col, select

from gateway.assembly import Gateway
from gateway.audit.models import AuditEntry
from gateway.errors import InvalidTransition
from gateway.events.models import Event
from gateway.identity.rights import ClientRole, OfficeRole
from gateway.offices.errors import ClientPending
from gateway.offices.models import Client, ClientState, Office
from gateway.offices.service import ClientFilter, ClientService, ClientWish, take_up
from gateway.people.invitations import InvitationWish
from gateway.transactions.sync import SyncService
from tests.gateway.builders import act_of, act_of_system, make_office, make_person
from tests.gateway.imports.conftest import Desk
from tests.gateway.imports.files import HEADERS, clients
from tests.gateway.payments.scene import ALL, make_scene
from tests.gateway.test_invitations import Desk as InvitationDesk
from tests.gateway.test_invitations import desk

__all__ = ["desk"]

WISH = ClientWish(name="Starter BV", language="nl", external_id="starter", state=ClientState.PENDING)


@pytest.fixture
def office(gateway: Gateway) -> Office:
    return make_office(gateway)


def state_of(gateway: Gateway, office: Office, client: Client) -> ClientState:
    return ClientService(gateway).get(act_of_system(office), client.id).state


def make_pending(gateway: Gateway, client: Client) -> None:
    """As the office would have made it; the builders make active clients."""
    with gateway.database.unit_of_work(client.office_id) as session:
        held = session.get_one(Client, client.id)
        held.state = ClientState.PENDING
        session.add(held)


def test_a_new_client_is_pending_when_the_office_says_so_and_keeps_its_state_after_that(
    gateway: Gateway, office: Office
) -> None:
    """OFF-03, OFF-02: repeated, a PUT changes nothing, not the state either."""
    service, act = ClientService(gateway), act_of_system(office)
    client, _ = service.put(act, WISH)
    other, _ = service.put(act, replace(WISH, external_id="other", state=ClientState.ACTIVE))
    assert (client.state, other.state) == (ClientState.PENDING, ClientState.ACTIVE)
    listed, _ = service.page(act, ALL, ClientFilter(state=ClientState.PENDING))
    assert [row.id for row in listed] == [client.id]
    service.put(act, replace(WISH, state=ClientState.ACTIVE))
    assert state_of(gateway, office, client) is ClientState.PENDING
    service.change_state(act, client.id, ClientState.ACTIVE)
    service.put(act, WISH)
    assert state_of(gateway, office, client) is ClientState.ACTIVE


def test_a_pending_client_is_activated_or_closed_and_never_suspended(gateway: Gateway, office: Office) -> None:
    service, act = ClientService(gateway), act_of_system(office)
    client, _ = service.put(act, WISH)
    for wrong in (ClientState.SUSPENDED, ClientState.PENDING):
        with pytest.raises(InvalidTransition):
            service.change_state(act, client.id, wrong)
    service.change_state(act, client.id, ClientState.CLOSED)
    with pytest.raises(InvalidTransition):
        service.change_state(act, client.id, ClientState.PENDING)


def test_taking_up_is_told_once(gateway: Gateway, office: Office) -> None:
    """OFF-03: one entry, one event; a client that is active, suspended or closed stays what it is."""
    service, act = ClientService(gateway), act_of_system(office)
    client, _ = service.put(act, WISH)
    for _time in range(2):
        with gateway.database.unit_of_work(office.id) as session:
            take_up(gateway, session, act, client.id)
    with gateway.database.unit_of_work(office.id) as session:
        entries = session.exec(select(AuditEntry).where(AuditEntry.action == "client.active")).all()
        events = session.exec(select(Event).where(col(Event.type).startswith("client.a"))).all()
    assert (len(entries), len(events)) == (1, 1)
    service.change_state(act, client.id, ClientState.SUSPENDED)
    with gateway.database.unit_of_work(office.id) as session:
        take_up(gateway, session, act, client.id)
    assert state_of(gateway, office, client) is ClientState.SUSPENDED


def test_whoever_comes_in_for_the_client_makes_it_active(desk: InvitationDesk) -> None:
    """OFF-03: an accepted invitation of the client; not one of the office."""
    gateway, office = desk.gateway, desk.office
    make_pending(gateway, desk.client)
    for number, client_id in enumerate((None, desk.client.id)):
        guest = make_person(gateway, office, OfficeRole.SUPPORT)
        role = "staff" if client_id is None else "viewer"
        desk.invitations.invite(desk.act(), InvitationWish(guest.user.email, "An", "P", "nl", (role,), client_id))
        act = act_of(guest, office, OfficeRole.SUPPORT, now=gateway.real_now())
        desk.activation.accept(act, desk.links()[number])
        expected = ClientState.PENDING if client_id is None else ClientState.ACTIVE
        assert ClientService(gateway).get(desk.act(), desk.client.id).state is expected


def test_an_import_that_asks_for_an_invitation_makes_pending_clients(gateway: Gateway, office: Office) -> None:
    """OFF-03, OFF-12."""
    admin = make_person(gateway, office, OfficeRole.ADMIN)
    importing = Desk(gateway, office, act_of(admin, office, OfficeRole.ADMIN, now=gateway.real_now()))
    rows = [[*row, word] for row, word in zip(clients(2), ("ja", "nee"), strict=True)]
    importing.import_(importing.check([*HEADERS, "Uitnodiging sturen"], *rows))
    found, _ = ClientService(gateway).page(replace(act_of_system(office), now=gateway.real_now()), ALL)
    assert sorted(row.state.value for row in found) == ["active", "pending"]


def test_no_reading_is_asked_for_a_pending_client(gateway: Gateway) -> None:
    """OFF-03: nor planned: `gateway.transactions.dispatch` takes active clients only."""
    scene = make_scene(gateway)
    scene.person("boss", ClientRole.ADMINISTRATOR)
    make_pending(gateway, scene.client)
    with pytest.raises(ClientPending):
        SyncService(gateway).request(scene.act("boss"), scene.accounts[0].id)

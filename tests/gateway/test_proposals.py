"""Acts that take two people (APP-12, OFF-03), and the roles they give and take."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlmodel import select

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.models import AuditEntry
from gateway.errors import GatewayError, InputError, InvalidTransition, NotFound, RightsError
from gateway.identity.errors import LastAdministrator, RoleHeld
from gateway.identity.people import PeopleService, remove_role, roles_in
from gateway.identity.rights import (
    ClientRole,
    OfficeRole,
    Permission,
    PersonRequired,
    Principal,
    PrincipalKind,
    SecondFactorRequired,
)
from gateway.ids import new_id
from gateway.notices.outbox import opened
from gateway.offices.errors import SuspensionEndsByTwo
from gateway.offices.models import Client, ClientState, Office
from gateway.offices.service import ClientService
from gateway.pagination import PageRequest
from gateway.people.service import UserService
from gateway.proposals.errors import (
    ProposalDecided,
    ProposalExists,
    ProposalKindUnknown,
    ProposalNotFound,
    SecondPersonMissing,
    SecondPersonRequired,
)
from gateway.proposals.models import Proposal
from gateway.proposals.service import ProposalService
from gateway.proposals.states import ProposalState
from tests.gateway.builders import Person, act_of, act_of_system, make_client, make_office, make_person
from tests.gateway.payments.scene import make_scene

ADMIN = OfficeRole.ADMIN
ADMINISTRATOR, APPROVER, VIEWER = ClientRole.ADMINISTRATOR, ClientRole.APPROVER, ClientRole.VIEWER


@dataclass
class Two:
    """An office with two admins and a client without an administrator of its own."""

    gateway: Gateway
    office: Office
    client: Client
    first: Person
    second: Person
    other: Person

    @property
    def proposals(self) -> ProposalService:
        return ProposalService(self.gateway)

    def act(self, person: Person, *roles: OfficeRole | ClientRole, is_fresh: bool = True) -> Act:
        return act_of(person, self.office, *(roles or (ADMIN,)), client=self.client, is_fresh=is_fresh)

    def grant(self, role: ClientRole = APPROVER) -> Proposal:
        content = {"role": role.value}
        return self.proposals.propose(
            self.act(self.first), "role.grant", self.other.user.id, content, client_id=self.client.id
        )

    def roles(self, person: Person) -> set[tuple[UUID | None, str]]:
        with self.gateway.database.unit_of_work(self.office.id) as session:
            return {(held.client_id, held.role) for held in roles_in(session, self.office.id, person.user.id)}


def make_two(gateway: Gateway) -> Two:
    office = make_office(gateway)
    client = make_client(gateway, office)
    first, second = (make_person(gateway, office, ADMIN, is_enrolled=False) for _ in range(2))
    other = make_person(gateway, office, VIEWER, client=client, is_enrolled=False)
    return Two(gateway, office, client, first, second, other)


@pytest.fixture
def two(gateway: Gateway) -> Two:
    return make_two(gateway)


def test_a_second_person_confirms_and_the_role_is_held(two: Two) -> None:
    """APP-12: the approver role of a client without administrator is given by two admins of the office."""
    proposal = two.grant()
    assert (proposal.state, proposal.effective_at) == (ProposalState.PROPOSED, None)
    assert (two.client.id, "approver") not in two.roles(two.other)
    with pytest.raises(SecondPersonRequired):
        two.proposals.confirm(two.act(two.first), proposal.id)
    with pytest.raises(SecondFactorRequired):
        two.proposals.confirm(two.act(two.second, is_fresh=False), proposal.id)
    assert two.proposals.can_confirm(two.act(two.second), proposal)
    confirmed = two.proposals.confirm(two.act(two.second), proposal.id)
    assert (confirmed.state, confirmed.confirmer_id) == (ProposalState.CONFIRMED, two.second.user.id)
    assert (two.client.id, "approver") in two.roles(two.other)
    with pytest.raises(ProposalDecided):
        two.proposals.confirm(two.act(two.second), proposal.id)
    with pytest.raises(RoleHeld):
        two.grant()
    with two.gateway.database.unit_of_work(two.office.id) as session:
        actions = [entry.action for entry in session.exec(select(AuditEntry).order_by("position"))]  # type: ignore[arg-type]  # by name
    assert actions[-3:] == ["proposal.created", "role.granted", "proposal.confirmed"]


def test_neither_a_machine_nor_somebody_without_the_right_proposes_or_confirms(two: Two) -> None:
    """APP-12, SEC-03: no scope, admin included, changes a role."""
    machine = two.gateway.act(
        Principal(PrincipalKind.MACHINE, new_id(), two.office.id, office_permissions=frozenset(Permission))
    )
    proposal = two.grant()
    for call in (
        lambda: two.proposals.propose(
            machine, "role.grant", two.other.user.id, {"role": "exporter"}, client_id=two.client.id
        ),
        lambda: two.proposals.confirm(machine, proposal.id),
        lambda: two.proposals.withdraw(machine, proposal.id),
    ):
        with pytest.raises(PersonRequired):
            call()
    staff = make_person(two.gateway, two.office, OfficeRole.STAFF, is_enrolled=False)
    with pytest.raises(RightsError):
        two.proposals.confirm(two.act(staff, OfficeRole.STAFF), proposal.id)
    with pytest.raises(ProposalNotFound):
        two.proposals.confirm(two.act(two.other, VIEWER), proposal.id)
    # Whoever was an admin when the sign-in began, and is none any more.
    former = make_person(two.gateway, two.office, is_enrolled=False)
    with pytest.raises(RightsError):
        two.proposals.confirm(two.act(former), proposal.id)


def test_a_client_with_an_administrator_is_changed_by_its_administrators(two: Two) -> None:
    """APP-12: the office's admins stand in only where there is none."""
    own = [make_person(two.gateway, two.office, ADMINISTRATOR, client=two.client, is_enrolled=False) for _ in range(2)]
    with pytest.raises(RightsError):
        two.grant()
    act = two.act(own[0], ADMINISTRATOR)
    content = {"role": "approver", "salaries": True}
    proposal = two.proposals.propose(act, "role.grant", two.other.user.id, content, client_id=two.client.id)
    with pytest.raises(RightsError):
        two.proposals.confirm(two.act(two.second), proposal.id)
    two.proposals.confirm(two.act(own[1], ADMINISTRATOR), proposal.id)
    assert (two.client.id, "approver") in two.roles(two.other)


def test_the_same_is_proposed_once_and_can_be_withdrawn(two: Two) -> None:
    proposal = two.grant()
    with pytest.raises(ProposalExists):
        two.grant()
    two.grant(ClientRole.EXPORTER)
    two.proposals.withdraw(two.act(two.second), proposal.id)
    with pytest.raises(ProposalDecided):
        two.proposals.confirm(two.act(two.second), proposal.id)
    again = two.grant()
    assert two.proposals.withdraw(two.act(two.first), again.id).state is ProposalState.WITHDRAWN


def test_what_nobody_decides_expires(two: Two) -> None:
    proposal = two.grant()
    late = replace(two.act(two.second), now=proposal.expires_at)
    with pytest.raises(ProposalDecided):
        two.proposals.confirm(late, proposal.id)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ({"role": "viewer"}, InputError),
        ({"role": "admin"}, InputError),
        ({"role": "king"}, InputError),
        ({}, InputError),
        ({"role": "approver", "rule": "x"}, InputError),
        ({"role": "approver", "salaries": "yes"}, InputError),
    ],
)
def test_only_a_guarded_role_of_the_place_is_proposed(
    two: Two, content: dict[str, str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        two.proposals.propose(two.act(two.first), "role.grant", two.other.user.id, content, client_id=two.client.id)
    with pytest.raises(ProposalKindUnknown):
        two.proposals.propose(two.act(two.first), "role.change", two.other.user.id, {})


def test_an_id_of_another_office_is_not_there(two: Two) -> None:
    """SEC-14, law 5: another office's users, roles, clients and proposals answer like ids nobody has."""
    strangers = make_two(two.gateway)
    proposal = strangers.grant()
    act = two.act(two.first)
    for object_id, client_id in (
        (strangers.other.user.id, two.client.id),
        (new_id(), two.client.id),
        (two.other.user.id, strangers.client.id),
        (two.other.user.id, new_id()),
    ):
        with pytest.raises(NotFound):
            two.proposals.propose(act, "role.grant", object_id, {"role": "approver"}, client_id=client_id)
    for call in (two.proposals.get, two.proposals.confirm, two.proposals.withdraw):
        for proposal_id in (proposal.id, new_id()):
            with pytest.raises(ProposalNotFound):
                call(act, proposal_id)
    assert two.proposals.page(act, PageRequest(50, None))[0] == []


def test_whoever_can_confirm_is_told_and_nobody_else(two: Two) -> None:
    """APP-12: the second administrator hears of it without looking at a page; who proposed it knows."""
    two.grant()
    mails = [mail for mail in opened(two.gateway, two.office.id) if mail.template == "waiting_proposal"]
    assert [mail.to for mail in mails] == [two.second.user.email]
    assert "/people" in mails[0].text


def test_one_administrator_alone_waits_two_days_once_payments_were_submitted(gateway: Gateway) -> None:
    """APP-12: 48 hours, no wait before the client's first submission; a second person can still stop it."""
    scene = make_scene(gateway)
    scene.rule("every payment", scene.user("first"))
    proposals = ProposalService(gateway)
    someone = scene.person("someone", VIEWER)
    act = scene.act("administrator")
    early = proposals.propose(act, "role.grant", someone.id, {"role": "exporter"}, client_id=scene.client.id)
    assert (early.state, early.confirmer_id) == (ProposalState.CONFIRMED, None)
    scene.submitted(scene.wish())
    content = {"role": "approver"}
    proposal = proposals.propose(act, "role.grant", someone.id, content, client_id=scene.client.id)
    assert (proposal.state, proposal.effective_at) == (ProposalState.PROPOSED, scene.now + timedelta(hours=48))
    offset = scene.now - gateway.real_now()
    for wait, state in ((timedelta(hours=47), ProposalState.PROPOSED), (timedelta(hours=49), ProposalState.CONFIRMED)):
        moment = gateway.real_now() + offset + wait
        later = replace(gateway, real_now=lambda at=moment: at)
        ProposalService(later).run_due(scene.office.id)
        assert proposals.get(act, proposal.id).state is state
    with gateway.database.unit_of_work(scene.office.id) as session:
        held = {row.role for row in roles_in(session, scene.office.id, someone.id)}
    assert "approver" in held


def test_what_somebody_alone_waited_for_does_not_happen_once_the_right_is_gone(gateway: Gateway) -> None:
    """APP-12, OFF-16: 48 hours are there so that it can be stopped, by ending the role of whoever wanted it too."""
    scene = make_scene(gateway)
    scene.rule("every payment", scene.user("first"))
    someone = scene.person("someone", VIEWER)
    act = scene.act("administrator")
    scene.submitted(scene.wish())
    proposals = ProposalService(gateway)
    proposal = proposals.propose(act, "role.grant", someone.id, {"role": "approver"}, client_id=scene.client.id)
    system = gateway.system_act(scene.office.id)
    with gateway.database.unit_of_work(scene.office.id) as session:
        for held in roles_in(session, scene.office.id, act.principal.id):
            remove_role(gateway, session, system, held, is_legal_event=True)
    moment = scene.now + timedelta(hours=49)
    ProposalService(replace(gateway, real_now=lambda: moment)).run_due(scene.office.id)
    with gateway.database.unit_of_work(scene.office.id) as session:
        assert session.get_one(Proposal, proposal.id).state is ProposalState.EXPIRED
        assert {row.role for row in roles_in(session, scene.office.id, someone.id)} == {"viewer"}


def test_the_last_administrator_cannot_be_proposed_away(two: Two) -> None:
    """OFF-08: also when the other one went in the meantime."""
    people = PeopleService(two.gateway)
    with two.gateway.database.unit_of_work(two.office.id) as session:
        (own,) = [held for held in roles_in(session, two.office.id, two.first.user.id) if held.client_id is None]
        (others,) = [held for held in roles_in(session, two.office.id, two.second.user.id) if held.client_id is None]
    proposal = two.proposals.propose(two.act(two.first), "role.end", own.id, {})
    people.end_role(act_of_system(two.office), others.id)
    third = make_person(two.gateway, two.office, is_enrolled=False)
    with pytest.raises(LastAdministrator):
        two.proposals.propose(two.act(two.first), "role.end", own.id, {})
    held = people.grant_role(act_of_system(two.office), third.user.id, ADMIN)
    two.proposals.confirm(two.act(third), proposal.id)
    assert two.roles(two.first) == set()
    with pytest.raises(LastAdministrator):
        two.proposals.propose(two.act(third), "role.end", held.id, {})


def test_through_the_door_of_users_a_guarded_role_becomes_a_proposal(two: Two) -> None:
    users, act = UserService(two.gateway), two.act(two.first)
    nothing = {"client_id": two.client.id, "salaries": False, "from_date": None, "until_date": None}
    made = users.grant(act, two.other.user.id, "preparer", **nothing)  # type: ignore[arg-type]  # four values of one call
    assert not isinstance(made, Proposal)
    proposal = users.grant(act, two.other.user.id, "exporter", **nothing)  # type: ignore[arg-type]  # as above
    assert isinstance(proposal, Proposal)
    two.proposals.confirm(two.act(two.second), proposal.id)
    exporter = next(role for role in users.get(act, two.other.user.id).roles if role.role == "exporter")
    assert users.end(act, made.id) is None
    assert users.end(act, exporter.id) is not None
    assert {role.role for role in users.get(act, two.other.user.id).roles} == {"viewer", "exporter"}


def test_a_suspension_is_ended_by_two_people(two: Two) -> None:
    """OFF-03: suspending works at once; ending it takes two, through a closing and a reopening as well."""
    clients, first = ClientService(two.gateway), two.act(two.first)
    with pytest.raises(InvalidTransition):
        two.proposals.propose(first, "client.unsuspend", two.client.id, {}, client_id=two.client.id)
    clients.change_state(first, two.client.id, ClientState.SUSPENDED)
    for wanted in (ClientState.ACTIVE, ClientState.CLOSED, ClientState.ACTIVE):
        if wanted is ClientState.ACTIVE:
            with pytest.raises(SuspensionEndsByTwo):
                clients.change_state(first, two.client.id, wanted)
        else:
            clients.change_state(first, two.client.id, wanted)
    clients.change_state(first, two.client.id, ClientState.SUSPENDED)
    proposal = two.proposals.propose(first, "client.unsuspend", two.client.id, {}, client_id=two.client.id)
    with pytest.raises(SecondPersonRequired):
        two.proposals.confirm(first, proposal.id)
    two.proposals.confirm(two.act(two.second), proposal.id)
    assert clients.get(first, two.client.id).state is ClientState.ACTIVE
    clients.change_state(first, two.client.id, ClientState.CLOSED)
    assert clients.change_state(first, two.client.id, ClientState.ACTIVE).state is ClientState.ACTIVE


def test_ending_a_suspension_alone_is_refused(gateway: Gateway) -> None:
    """OFF-03: two users, not one who waits."""
    office = make_office(gateway)
    client = make_client(gateway, office)
    act = act_of(make_person(gateway, office, ADMIN, is_enrolled=False), office, ADMIN)
    ClientService(gateway).change_state(act, client.id, ClientState.SUSPENDED)
    with pytest.raises(SecondPersonMissing):
        ProposalService(gateway).propose(act, "client.unsuspend", client.id, {}, client_id=client.id)


def test_two_confirmations_at_once_give_one_role(committed: Gateway) -> None:
    """Also two admins who each propose to take the other's role: one admin stays."""
    two = make_two(committed)
    third = make_person(committed, two.office, ADMIN, is_enrolled=False)
    proposal = two.grant()
    outcomes = at_once(
        lambda: two.proposals.confirm(two.act(two.second), proposal.id),
        lambda: two.proposals.confirm(two.act(third), proposal.id),
    )
    assert sorted(outcomes) == ["done", "proposal_decided"]
    people, system = PeopleService(committed), act_of_system(two.office)
    with committed.database.unit_of_work(two.office.id) as session:
        held = [
            row for person in (two.first, two.second, third) for row in roles_in(session, two.office.id, person.user.id)
        ]
    people.end_role(system, held[0].id)
    outcomes = at_once(lambda: people.end_role(system, held[1].id), lambda: people.end_role(system, held[2].id))
    assert sorted(outcomes) == ["done", "last_administrator"]


def at_once(*calls: object) -> list[str]:
    outcomes: list[str] = []

    def run(call: object) -> None:
        try:
            call()  # type: ignore[operator]  # a lambda of the test
            outcomes.append("done")
        except GatewayError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes

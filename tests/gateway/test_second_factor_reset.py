"""Taking a second factor away, the day after it, and the code for the next one (SEC-13, APP-12, SEC-14)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.models import AuditEntry
from gateway.errors import NotFound, RightsError, SignInError
from gateway.identity.errors import (
    EnrolmentCodeWrong,
    OperatorNeeded,
    SecondFactorAlreadyEnrolled,
    SecondFactorNotEnrolled,
)
from gateway.identity.people import PeopleService
from gateway.identity.rights import (
    RESET_BAR,
    ClientRole,
    DecidingBarred,
    OfficeRole,
    PersonRequired,
    Principal,
    PrincipalKind,
)
from gateway.identity.second_factor import SecondFactorService
from gateway.identity.service import IdentityService
from gateway.ids import encode, new_id
from gateway.notices.outbox import opened
from gateway.offices.models import Client, Office
from gateway.people.errors import OwnSecondFactor
from gateway.people.second_factor_reset import KIND, SecondFactorResetService
from gateway.proposals.models import Proposal
from gateway.proposals.service import ProposalService
from gateway.proposals.states import ProposalState
from gateway.recovery.codes import RecoveryCodeService
from tests.gateway.builders import PASSWORD, Person, act_of, act_of_system, make_client, make_office, make_person
from tests.gateway.payments.scene import make_scene
from tests.gateway.serving import app_of

ADMIN, ADMINISTRATOR, APPROVER = OfficeRole.ADMIN, ClientRole.ADMINISTRATOR, ClientRole.APPROVER


@dataclass
class Place:
    """An office with three admins; the third lost a phone."""

    gateway: Gateway
    office: Office
    client: Client
    first: Person
    second: Person
    lost: Person

    def act(self, person: Person, *roles: OfficeRole | ClientRole, office: Office | None = None) -> Act:
        return act_of(
            person, office or self.office, *(roles or (ADMIN,)), client=self.client, now=self.gateway.real_now()
        )

    def propose(self, by: Person, of: Person, *roles: OfficeRole | ClientRole) -> Proposal:
        return SecondFactorResetService(self.gateway).propose(self.act(by, *roles), of.user.id)

    def reset(self, of: Person) -> None:
        proposal = self.propose(self.first, of)
        ProposalService(self.gateway).confirm(self.act(self.second), proposal.id)

    def code(self, of: Person, by: Person | None = None) -> str:
        return SecondFactorResetService(self.gateway).issue_code(self.act(by or self.first), of.user.id)[0]

    def sign_in(self, person: Person) -> Any:
        return IdentityService(self.gateway).sign_in(
            email=person.user.email, password=PASSWORD, code=None, source="203.0.113.1"
        )


@pytest.fixture
def place(gateway: Gateway) -> Place:
    office = make_office(gateway)
    client = make_client(gateway, office, now=gateway.real_now())
    first, second = (make_person(gateway, office, ADMIN, is_enrolled=False) for _ in range(2))
    return Place(gateway, office, client, first, second, make_person(gateway, office, ADMIN))


def test_two_other_administrators_reset_a_second_factor_and_everybody_is_told(place: Place) -> None:
    """SEC-13: sessions end, nothing of the old factor works, all administrators get a mail, the audit names it."""
    signed_in = IdentityService(place.gateway).sign_in(
        email=place.lost.user.email, password=PASSWORD, code=place.lost.code(place.gateway.real_now()), source="a"
    )
    own = place.gateway.act(signed_in.principal)
    paper = RecoveryCodeService(place.gateway).renew(own)[0]
    proposal = place.propose(place.first, place.lost)
    IdentityService(place.gateway).principal_of_session(signed_in.token)
    ProposalService(place.gateway).confirm(place.act(place.second), proposal.id)
    with pytest.raises(SignInError):
        IdentityService(place.gateway).principal_of_session(signed_in.token)
    again = place.sign_in(place.lost)
    assert again.principal.second_factor_at is None
    with pytest.raises(SignInError):
        RecoveryCodeService(place.gateway).confirm(again.token, paper, source="a")
    mails = [mail for mail in opened(place.gateway, place.office.id) if mail.template.startswith("second_factor_reset")]
    assert {(mail.to, mail.template) for mail in mails} == {
        (place.first.user.email, "second_factor_reset"),
        (place.second.user.email, "second_factor_reset"),
        (place.lost.user.email, "second_factor_reset_own"),
    }
    with place.gateway.database.unit_of_work(place.office.id) as session:
        entries = session.exec(select(AuditEntry)).all()
        noted = {entry.action: entry.second_factor for entry in entries}
    assert noted["proposal.created"] == noted["second_factor.reset"] == noted["proposal.confirmed"] == "totp"


def test_neither_the_person_nor_a_stranger_nor_a_machine_resets(place: Place) -> None:
    """SEC-13: an administrator other than the user; ids of another office are not there (SEC-05)."""
    with pytest.raises(OwnSecondFactor):
        place.propose(place.lost, place.lost)
    proposal = place.propose(place.first, place.lost)
    for call in (ProposalService(place.gateway).confirm, ProposalService(place.gateway).withdraw):
        with pytest.raises(RightsError):
            call(place.act(place.lost), proposal.id)
    staff = make_person(place.gateway, place.office, OfficeRole.STAFF, is_enrolled=False)
    with pytest.raises(RightsError):
        place.propose(staff, place.lost, OfficeRole.STAFF)
    elsewhere = make_office(place.gateway, name="Ander kantoor")
    stranger = make_person(place.gateway, elsewhere, ADMIN, is_enrolled=False)
    act = place.act(stranger, office=elsewhere)
    for user_id in (place.lost.user.id, new_id()):
        with pytest.raises(NotFound):
            SecondFactorResetService(place.gateway).propose(act, user_id)
        with pytest.raises(NotFound):
            SecondFactorResetService(place.gateway).issue_code(act, user_id)
    machine = place.gateway.act(Principal(PrincipalKind.MACHINE, new_id(), place.office.id))
    with pytest.raises(PersonRequired):
        SecondFactorResetService(place.gateway).propose(machine, place.lost.user.id)
    with pytest.raises(SecondFactorNotEnrolled):
        place.propose(place.first, place.second)


def test_a_person_of_two_offices_is_reset_by_the_operator_only(place: Place) -> None:
    """SEC-14: no office changes how somebody signs in who works for another one too, also when that began meanwhile."""
    proposal = place.propose(place.first, place.lost)
    elsewhere = make_office(place.gateway, name="Ander kantoor")
    PeopleService(place.gateway).grant_role(act_of_system(elsewhere), place.lost.user.id, OfficeRole.STAFF)
    with pytest.raises(OperatorNeeded):
        ProposalService(place.gateway).confirm(place.act(place.second), proposal.id)
    ProposalService(place.gateway).withdraw(place.act(place.second), proposal.id)
    with pytest.raises(OperatorNeeded):
        place.propose(place.first, place.lost)


def test_people_of_a_client_are_reset_by_its_administrators_its_only_one_by_the_office(place: Place) -> None:
    """SEC-13: the client's own administrators for its people; the office's admins for its only administrator."""
    boss = make_person(place.gateway, place.office, ADMINISTRATOR, client=place.client)
    approver = make_person(place.gateway, place.office, APPROVER, client=place.client)
    with pytest.raises(RightsError):
        place.propose(place.first, approver)
    alone = place.propose(boss, approver, ADMINISTRATOR)
    assert (alone.client_id, alone.state) == (place.client.id, ProposalState.CONFIRMED)  # nothing was ever submitted
    proposal = place.propose(place.first, boss)
    assert (proposal.client_id, proposal.state) == (place.client.id, ProposalState.PROPOSED)
    ProposalService(place.gateway).confirm(place.act(place.second), proposal.id)
    assert place.sign_in(boss).principal.second_factor_at is None


def test_a_lone_administrator_waits_and_approvers_and_admins_hear_of_it(gateway: Gateway) -> None:
    """APP-12: 48 hours and a mail to all approvers and administrators, once payments were submitted."""
    scene = make_scene(gateway)
    scene.rule("every payment", scene.user("first"))
    scene.submitted(scene.wish())
    lost = make_person(gateway, scene.office, APPROVER, client=scene.client)
    admin = make_person(gateway, scene.office, ADMIN, is_enrolled=False)
    proposal = SecondFactorResetService(gateway).propose(scene.act("administrator"), lost.user.id)
    assert proposal.effective_at is not None
    assert proposal.effective_at - proposal.created_at == timedelta(hours=48)
    mails = [mail for mail in opened(gateway, scene.office.id) if mail.template == "lone_proposal"]
    told = [admin.user, lost.user, *(scene.people[name].user for name in ("administrator", "first", "second"))]
    assert {mail.to for mail in mails} == {user.email for user in told}
    assert all("Tweede factor opnieuw instellen" in mail.text for mail in mails if mail.language == "nl")
    assert len({mail.to for mail in mails}) == len(mails)


def test_nothing_is_decided_or_exported_for_a_day_after_a_reset(place: Place) -> None:
    """SEC-13: whatever carries the person, a session or an application's assertion, before the factor is even asked."""
    place.reset(place.lost)
    signed_in = place.sign_in(place.lost)
    now = place.gateway.real_now()
    for decision in ("approve", "reject", "mixed", "export", "download"):
        with pytest.raises(DecidingBarred):
            signed_in.principal.require_fresh_second_factor(now, decision=decision)
    fresh = replace(signed_in.principal, second_factor_at=now)
    fresh.require_fresh_second_factor(now)
    later = replace(signed_in.principal, second_factor_at=now + RESET_BAR)
    later.require_fresh_second_factor(now + RESET_BAR, decision="approve")


def test_a_new_factor_with_rights_takes_the_code_that_was_handed_over(place: Place) -> None:
    """SEC-13: a password alone never becomes an administrator's second factor; five wrong codes end the right one."""
    service = SecondFactorService(place.gateway)
    with pytest.raises(SecondFactorAlreadyEnrolled):
        place.code(place.lost)
    place.reset(place.lost)
    user_id, now = place.lost.user.id, place.gateway.real_now()

    def enrol(handed: str) -> None:
        secret = service.enrol(user_id)
        service.confirm_own_enrolment(user_id, pyotp.TOTP(secret).at(now), handed_code=handed)

    with pytest.raises(EnrolmentCodeWrong):
        enrol("")
    with pytest.raises(OwnSecondFactor):
        place.code(place.lost, by=place.lost)
    code = place.code(place.lost)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    for _ in range(5):
        with pytest.raises(EnrolmentCodeWrong):
            enrol(wrong)
    with pytest.raises(EnrolmentCodeWrong):
        enrol(code)
    enrol(place.code(place.lost))
    with pytest.raises(SecondFactorAlreadyEnrolled):
        place.code(place.lost)


def test_a_code_ends_after_seven_days_and_staff_needs_none(place: Place) -> None:
    place.reset(place.lost)
    code = place.code(place.lost)
    later = replace(place.gateway, real_now=lambda: place.gateway.real_now() + timedelta(days=8))
    secret = SecondFactorService(later).enrol(place.lost.user.id)
    with pytest.raises(EnrolmentCodeWrong):
        SecondFactorService(later).confirm_own_enrolment(
            place.lost.user.id, pyotp.TOTP(secret).at(later.real_now()), handed_code=code
        )
    staff = make_person(place.gateway, place.office, OfficeRole.STAFF)
    place.reset(staff)
    secret = SecondFactorService(place.gateway).enrol(staff.user.id)
    now = place.gateway.real_now()
    SecondFactorService(place.gateway).confirm_own_enrolment(staff.user.id, pyotp.TOTP(secret).at(now), handed_code="")


@pytest.fixture
def http(place: Place) -> Iterator[TestClient]:
    with TestClient(app_of(place.gateway), base_url="http://127.0.0.1:8000", follow_redirects=False) as client:
        yield client


def test_the_endpoints_propose_and_hand_out_the_code_once(place: Place, http: TestClient) -> None:
    admin = make_person(place.gateway, place.office, ADMIN)
    token = (
        IdentityService(place.gateway)
        .sign_in(email=admin.user.email, password=PASSWORD, code=admin.code(place.gateway.real_now()), source="a")
        .token
    )
    headers = {"Authorization": f"Bearer {token}"}
    path = f"/v1/users/{encode('user', place.lost.user.id)}"
    answer = http.post(f"{path}/second-factor-resets", headers=headers)
    assert (answer.status_code, answer.json()["kind"]) == (202, KIND)
    again = http.post(f"{path}/second-factor-resets", headers=headers)
    assert (again.status_code, again.json()["code"]) == (409, "proposal_exists")
    assert http.post(f"{path}/enrolment-codes", headers=headers).json()["code"] == "second_factor_already_enrolled"
    proposal = answer.json()["id"]
    assert http.post(f"/v1/proposals/{proposal}/confirmations", headers=headers).status_code == 403
    listed = http.get(f"/v1/users/{encode('user', place.lost.user.id)}", headers=headers).json()
    assert listed["has_second_factor"] is True


def test_the_pages_reset_and_set_up_again_with_the_code(place: Place, http: TestClient) -> None:
    """SEC-13: from the button to the new authenticator, which is told what is missing on the way."""
    admin = make_person(place.gateway, place.office, ADMIN)
    signed_in = IdentityService(place.gateway).sign_in(
        email=admin.user.email, password=PASSWORD, code=admin.code(place.gateway.real_now()), source="a"
    )
    person = f"/people/{encode('user', place.lost.user.id)}"

    def post(token: str, form_token: str, path: str, status: int, **fields: str) -> str:
        answer = http.post(
            path, data={"form_token": form_token, **fields},
            headers={"Cookie": f"sluis_session={token}", "Origin": "http://127.0.0.1:8000"},
        )  # fmt: skip
        assert answer.status_code == status, answer.text
        return answer.text

    def admin_posts(path: str, status: int) -> str:
        return post(signed_in.token, signed_in.form_token, path, status)

    admin_posts(f"{person}/second-factor-reset", 303)
    with place.gateway.database.unit_of_work(place.office.id) as session:
        proposal = session.exec(select(Proposal)).one()
    ProposalService(place.gateway).confirm(place.act(place.first), proposal.id)
    shown = admin_posts(f"{person}/enrolment-code", 200)
    found = re.search(r"Code voor [^:]+: (\d{6})", shown)
    assert found is not None
    own = place.sign_in(place.lost)
    page = post(own.token, own.form_token, "/second-factor/set-up", 200)
    assert "Code van uw beheerder" in page
    (key,) = re.findall(r'<code class="key">([^<]+)</code>', page)
    secret = re.sub(r"\s", "", key)
    code = pyotp.TOTP(secret).at(place.gateway.real_now())
    refused = post(own.token, own.form_token, "/second-factor/confirmation", 422, code=code)
    assert "De code van uw beheerder klopt niet" in refused
    post(own.token, own.form_token, "/second-factor/confirmation", 303, code=code, enrolment_code=found[1])

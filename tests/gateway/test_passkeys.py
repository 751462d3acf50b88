"""Passkeys over the API, with an authenticator in software that can lie (SEC-01, SEC-02, SEC-13)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from gateway.assembly import Gateway
from gateway.audit.models import AuditEntry
from gateway.cookies import SESSION as COOKIE
from gateway.identity.errors import SecondFactorAlreadyEnrolled
from gateway.identity.models import WebSession
from gateway.identity.rights import OfficeRole
from gateway.identity.service import IdentityService
from gateway.identity.sessions import SessionService
from gateway.notices.outbox import opened
from gateway.offices.models import Office
from gateway.passkeys.models import Passkey
from tests.gateway.authenticator import Authenticator
from tests.gateway.builders import NOW, PASSWORD, Person, make_office, make_person
from tests.gateway.serving import app_of
from tests.gateway.web.world import Clock

ORIGIN, RP = "https://sluis.example.be", "sluis.example.be"


@dataclass
class Scene:
    """A person at the API."""

    http: TestClient
    gateway: Gateway
    clock: Clock
    office: Office
    person: Person
    token: str = ""

    def call(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        answer = self.http.request(method, path, json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def sign_in(self, *, code: bool = True) -> str:
        self.clock.step()
        self.token = ""
        body = {"email": self.person.user.email, "password": PASSWORD}
        if code and self.person.secret:
            body["code"] = self.person.code(self.clock())
        self.token = self.call("POST", "/v1/sessions", body, 201)["token"]
        return self.token

    def add(self, device: Authenticator, name: str = "Laptop", status: int = 201) -> Any:
        asked = self.call("POST", "/v1/passkey-registrations", None, 201)
        body = {"challenge_id": asked["challenge_id"], "credential": device.create(asked["options"]), "name": name}
        added = self.call("POST", "/v1/passkeys", body, status)
        self.token = added.get("token", self.token)
        return added

    def ask(self) -> Any:
        """The question of a sign-in with a passkey alone."""
        self.token = ""
        return self.call("POST", "/v1/passkey-challenges", None, 201)

    def answer(self, device: Authenticator, asked: Any, status: int = 201) -> Any:
        body = {"challenge_id": asked["challenge_id"], "credential": device.get(asked["options"])}
        signed_in = self.call("POST", "/v1/passkey-sessions", body, status)
        self.token = signed_in.get("token", "")
        return signed_in


@pytest.fixture
def scene(gateway: Gateway) -> Iterator[Scene]:
    clock = Clock(NOW)
    timed = replace(gateway, real_now=clock, settings=gateway.settings.model_copy(update={"base_url": ORIGIN}))
    office = make_office(timed)
    person = make_person(timed, office, OfficeRole.ADMIN)
    with TestClient(app_of(timed), client=("198.51.100.7", 1)) as http:
        made = Scene(http, timed, clock, office, person)
        made.sign_in()
        yield made


def device(**more: Any) -> Authenticator:
    return Authenticator(ORIGIN, RP, **more)


def test_a_passkey_alone_signs_in_with_both_factors(scene: Scene) -> None:
    """SEC-01: it asks for finger or PIN itself; the session says which factor was used."""
    mine = device()
    added = scene.add(mine)
    assert (added["passkey"]["name"], added["passkey"]["is_blocked"]) == ("Laptop", False)
    signed_in = scene.answer(mine, scene.ask())
    assert signed_in["has_fresh_second_factor"] is True
    row = scene.call("GET", "/v1/sessions")["items"][0]
    assert (row["sign_in_method"], row["second_factor_method"], row["is_current"]) == ("passkey", "passkey", True)


def test_several_passkeys_are_listed_and_end_one_by_one(scene: Scene) -> None:
    phone, laptop = device(), device()
    scene.add(phone, "Phone")
    first = scene.call("GET", "/v1/passkeys")["items"][0]["id"]
    scene.add(laptop, "Laptop")
    assert [row["name"] for row in scene.call("GET", "/v1/passkeys")["items"]] == ["Laptop", "Phone"]
    scene.call("DELETE", f"/v1/passkeys/{first}", status=204)
    scene.call("DELETE", f"/v1/passkeys/{first}", status=404)
    held = scene.token
    assert scene.answer(phone, scene.ask(), 401)["code"] == "passkey_refused"
    scene.answer(laptop, scene.ask())
    assert held != scene.token


def test_a_passkey_confirms_a_decision_and_the_audit_names_it(scene: Scene) -> None:
    """SEC-02: the entry names the method that was used, not the one that is usual."""
    mine = device()
    scene.add(mine)
    scene.clock.now += timedelta(minutes=6)
    assert scene.call("POST", "/v1/recovery-codes", None, 403)["code"] == "second_factor_required"
    asked = scene.call("POST", "/v1/sessions/current/passkey-challenges", None, 201)
    assert [one["id"] for one in asked["options"]["allowCredentials"]] == [mine.get(asked["options"])["id"]]
    body = {"challenge_id": asked["challenge_id"], "credential": mine.get(asked["options"])}
    scene.token = scene.call("POST", "/v1/sessions/current/passkey-answers", body)["token"]
    assert len(scene.call("POST", "/v1/recovery-codes", None, 201)["codes"]) == 10
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        entries = {entry.action: entry.second_factor for entry in session.exec(select(AuditEntry))}
    assert entries["passkey.added"] == "totp"
    assert entries["recovery_codes.renewed"] == "passkey"


def test_a_passkey_is_the_second_factor_after_a_password(scene: Scene) -> None:
    mine = device()
    scene.add(mine)
    before = scene.sign_in(code=False)
    scene.call("GET", "/v1/clients", status=403)
    asked = scene.call("POST", "/v1/sessions/current/passkey-challenges", None, 201)
    body = {"challenge_id": asked["challenge_id"], "credential": mine.get(asked["options"])}
    scene.token = scene.call("POST", "/v1/sessions/current/passkey-answers", body)["token"]
    assert scene.token != before
    scene.call("GET", "/v1/clients")


def test_the_first_second_factor_may_be_a_passkey_and_stays(scene: Scene) -> None:
    """SEC-01: somebody without an authenticator adds a passkey; the only one cannot be removed."""
    scene.person = make_person(scene.gateway, scene.office, OfficeRole.STAFF, is_enrolled=False)
    before = scene.sign_in()
    scene.call("GET", "/v1/clients", status=403)
    added = scene.add(device())
    assert scene.token != before
    scene.call("GET", "/v1/clients")
    refused = scene.call("DELETE", f"/v1/passkeys/{added['passkey']['id']}", status=409)
    assert refused["code"] == "last_second_factor"


@pytest.mark.parametrize("is_blocked", [False, True])
def test_a_password_alone_sets_up_no_authenticator_beside_a_passkey(scene: Scene, is_blocked: bool) -> None:
    """SEC-13: the pages of the set-up are for a first second factor; a blocked passkey is no reason for another."""
    scene.person = make_person(scene.gateway, scene.office, OfficeRole.STAFF, is_enrolled=False)
    scene.sign_in()
    scene.add(device())
    with scene.gateway.database.unit_of_work(None) as session:
        session.exec(select(Passkey)).one().blocked_at = scene.clock() if is_blocked else None
    token = scene.sign_in()
    with scene.gateway.database.unit_of_work(None) as session:
        form_token = session.get_one(WebSession, SessionService(scene.gateway).hash(token)).form_token
    scene.http.headers.update({"Cookie": f"__Host-{COOKIE}={token}", "Origin": ORIGIN})
    answer = scene.http.post("/second-factor/set-up", data={"form_token": form_token})
    assert (answer.status_code, 'class="qr"' in answer.text) == (409, False)
    with pytest.raises(SecondFactorAlreadyEnrolled):
        IdentityService(scene.gateway).confirm_enrolment(scene.person.user.id, "000000")


def test_a_password_alone_adds_no_passkey_where_a_second_factor_exists(scene: Scene) -> None:
    """SEC-13: else the password would be enough to replace the second factor."""
    scene.sign_in(code=False)
    assert scene.call("POST", "/v1/passkey-registrations", None, 403)["code"] == "second_factor_required"


@pytest.mark.parametrize(
    "more",
    [{"origin": "https://evil.example"}, {"rp_id": "evil.example"}, {"is_verifying": False}],
    ids=["another origin", "another relying party", "nobody verified"],
)
def test_answers_for_another_place_or_without_verification_are_refused(scene: Scene, more: dict[str, Any]) -> None:
    """A page elsewhere can pass our question on, and the browser writes where it was answered."""
    mine = device()
    scene.add(mine)
    liar = Authenticator(**{**vars(mine), **more})
    assert scene.answer(liar, scene.ask(), 401)["code"] == "passkey_refused"
    scene.sign_in()
    assert scene.add(Authenticator(**{"origin": ORIGIN, "rp_id": RP, **more}), status=401)["code"] == "passkey_refused"


def test_an_answer_works_once_and_for_five_minutes_and_for_its_own_question(scene: Scene) -> None:
    mine = device()
    scene.add(mine)
    asked = scene.ask()
    body = {"challenge_id": asked["challenge_id"], "credential": mine.get(asked["options"])}
    scene.call("POST", "/v1/passkey-sessions", body, 201)
    scene.call("POST", "/v1/passkey-sessions", body, 401)
    late = scene.ask()
    scene.clock.now += timedelta(minutes=5, seconds=1)
    scene.answer(mine, late, 401)
    one, other = scene.ask(), scene.ask()
    scene.answer(mine, {"challenge_id": one["challenge_id"], "options": other["options"]}, 401)


def test_a_question_belongs_to_the_session_that_asked(scene: Scene) -> None:
    mine = device()
    scene.add(mine)
    asked = scene.call("POST", "/v1/sessions/current/passkey-challenges", None, 201)
    scene.sign_in(code=False)
    body = {"challenge_id": asked["challenge_id"], "credential": mine.get(asked["options"])}
    scene.call("POST", "/v1/sessions/current/passkey-answers", body, 401)
    registration = {**body, "name": "Other"}
    scene.call("POST", "/v1/passkeys", registration, 401)


def test_a_passkey_of_somebody_else_confirms_nothing(scene: Scene) -> None:
    mine, theirs = device(), device()
    scene.add(mine)
    owner = scene.person
    scene.person = make_person(scene.gateway, scene.office, OfficeRole.STAFF, is_enrolled=False)
    scene.sign_in()
    scene.add(theirs)
    scene.person = owner
    scene.sign_in()
    asked = scene.call("POST", "/v1/sessions/current/passkey-challenges", None, 201)
    body = {"challenge_id": asked["challenge_id"], "credential": theirs.get(asked["options"])}
    scene.call("POST", "/v1/sessions/current/passkey-answers", body, 401)


def test_a_counter_that_goes_backwards_blocks_the_passkey_and_tells_its_owner(scene: Scene) -> None:
    """A copied key shows by its counter; the owner is told, and neither copy is accepted again."""
    mine = device(sign_count=7)
    scene.add(mine)
    scene.answer(mine, scene.ask())
    copy = Authenticator(**{**vars(mine), "sign_count": 3})
    scene.answer(copy, scene.ask(), 401)
    scene.answer(mine, scene.ask(), 401)
    assert [mail.template for mail in opened(scene.gateway, scene.office.id)] == ["passkey_blocked"]
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        assert "passkey.blocked" in {entry.action for entry in session.exec(select(AuditEntry))}
    scene.sign_in()
    assert scene.call("GET", "/v1/passkeys")["items"][0]["is_blocked"] is True


def test_a_stranger_cannot_block_a_passkey(scene: Scene) -> None:
    """The counter is looked at only when the signature is good."""
    mine = device(sign_count=7)
    scene.add(mine)
    forged = Authenticator(ORIGIN, RP, sign_count=1, credential_id=mine.credential_id, user_handle=mine.user_handle)
    scene.answer(forged, scene.ask(), 401)
    with scene.gateway.database.unit_of_work(None) as session:
        assert session.exec(select(Passkey.blocked_at)).one() is None
    scene.answer(mine, scene.ask())


def test_the_same_passkey_is_not_added_twice(scene: Scene) -> None:
    mine = device()
    scene.add(mine)
    assert scene.add(mine, status=409)["code"] == "passkey_known"


@pytest.mark.parametrize(
    "credential",
    [{}, {"id": "…"}, {"id": 5, "response": []}, {"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": {
        "clientDataJSON": "e30", "authenticatorData": "AAAA", "signature": "AAAA"}}],
)  # fmt: skip
def test_nonsense_is_refused_like_anything_else(scene: Scene, credential: dict[str, Any]) -> None:
    scene.add(device())
    asked = scene.ask()
    body = {"challenge_id": asked["challenge_id"], "credential": credential}
    assert scene.call("POST", "/v1/passkey-sessions", body, 401)["code"] == "passkey_refused"
    scene.sign_in()
    asked = scene.call("POST", "/v1/passkey-registrations", None, 201)
    body = {"challenge_id": asked["challenge_id"], "credential": credential, "name": "Nothing"}
    scene.call("POST", "/v1/passkeys", body, 401)


def test_an_ip_address_has_no_passkeys_and_says_who_must_act(scene: Scene) -> None:
    plain = scene.gateway.settings.model_copy(update={"base_url": "http://127.0.0.1:8000"})
    with TestClient(app_of(replace(scene.gateway, settings=plain))) as http:
        answer = http.post("/v1/passkey-challenges")
    assert (answer.status_code, answer.json()["code"]) == (503, "passkeys_unavailable")

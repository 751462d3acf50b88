"""Recovery codes, a forgotten password, another address (SEC-01, SEC-13)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from gateway.assembly import Gateway
from gateway.audit.models import AuditEntry
from gateway.identity.repository import IdentityRepository
from gateway.identity.rights import OfficeRole
from gateway.notices.outbox import Mail, opened
from tests.gateway.builders import NOW, PASSWORD, make_office, make_person
from tests.gateway.serving import app_of
from tests.gateway.test_passkeys import Scene
from tests.gateway.web.world import Clock

BASE = "https://sluis.example.be"
NEW = "another horse, another battery"


@pytest.fixture
def scene(gateway: Gateway) -> Iterator[Scene]:
    clock = Clock(NOW)
    timed = replace(gateway, real_now=clock, settings=gateway.settings.model_copy(update={"base_url": BASE}))
    office = make_office(timed)
    person = make_person(timed, office, OfficeRole.ADMIN)
    with TestClient(app_of(timed), client=("198.51.100.7", 1)) as http:
        made = Scene(http, timed, clock, office, person)
        made.sign_in()
        yield made


def mails(scene: Scene) -> list[Mail]:
    return opened(scene.gateway, scene.office.id)


def link_in(mail: Mail) -> str:
    found = re.search(r"https://\S+/([A-Za-z0-9_-]{40,})\s", mail.text)
    assert found is not None, mail.text
    assert found[0].startswith(BASE), "SEC-13: the configured address and no other"
    return found[1]


def actions(scene: Scene) -> list[str]:
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        return [entry.action for entry in session.exec(select(AuditEntry).order_by(AuditEntry.position))]  # type: ignore[arg-type]  # a column


def test_a_recovery_code_replaces_the_second_factor_once_and_its_owner_is_told(scene: Scene) -> None:
    codes = scene.call("POST", "/v1/recovery-codes", None, 201)["codes"]
    assert len(set(codes)) == 10
    scene.sign_in(code=False)
    before = scene.token
    body = {"recovery_code": codes[3].upper().replace("-", " ")}
    scene.token = scene.call("POST", "/v1/sessions/current/second-factors", body)["token"]
    assert scene.token != before
    assert scene.call("GET", "/v1/sessions")["items"][0]["second_factor_method"] == "recovery_code"
    assert scene.call("GET", "/v1/me/second-factors") == {
        "has_authenticator": True, "passkeys": 0, "recovery_codes_left": 9,
    }  # fmt: skip
    (mail,) = mails(scene)
    assert (mail.template, mail.to) == ("recovery_code_used", scene.person.user.email)
    assert "9" in mail.text
    assert "recovery_code.used" in actions(scene)
    scene.call("POST", "/v1/sessions/current/second-factors", body, 401)


def test_new_recovery_codes_end_the_old_ones(scene: Scene) -> None:
    old = scene.call("POST", "/v1/recovery-codes", None, 201)["codes"]
    scene.call("POST", "/v1/recovery-codes", None, 201)
    for code in (old[0], "aaaaa-aaaaa"):
        scene.call("POST", "/v1/sessions/current/second-factors", {"recovery_code": code}, 401)
    for body in ({}, {"code": "123456", "recovery_code": "aaaaa-aaaaa"}):
        scene.call("POST", "/v1/sessions/current/second-factors", body, 422)


def test_a_reset_sets_the_password_once_and_leaves_the_second_factor(scene: Scene) -> None:
    """SEC-13: it ends all sessions, tells the owner, and changes nothing else."""
    held, scene.token = scene.token, ""
    scene.call("POST", "/v1/password-resets", {"email": scene.person.user.email.upper()}, 202)
    token = link_in(mails(scene)[0])
    weak = {"token": token, "password": "wachtwoord123"}
    assert scene.call("POST", "/v1/password-reset-answers", weak, 422)["code"] == "password_weak"
    scene.call("POST", "/v1/password-reset-answers", {"token": token, "password": NEW}, 204)
    again = scene.call("POST", "/v1/password-reset-answers", {"token": token, "password": NEW}, 422)
    assert again["code"] == "link_not_valid"
    scene.token = held
    scene.call("GET", "/v1/me", status=401)
    scene.token = ""
    body = {"email": scene.person.user.email, "password": PASSWORD}
    scene.call("POST", "/v1/sessions", body, 401)
    body["password"] = NEW
    assert scene.call("POST", "/v1/sessions", body, 201)["has_fresh_second_factor"] is False
    assert [mail.template for mail in mails(scene)] == ["password_reset", "password_changed"]
    assert "password.changed" in actions(scene)
    with scene.gateway.database.unit_of_work(None) as session:
        user = IdentityRepository(session).user(scene.person.user.id)
        assert user is not None
        assert user.totp_confirmed_at is not None


def test_a_reset_link_ends_after_an_hour_and_the_newest_password_ends_the_others(scene: Scene) -> None:
    scene.token = ""
    for _ in range(2):
        scene.call("POST", "/v1/password-resets", {"email": scene.person.user.email}, 202)
    first, second = (link_in(mail) for mail in mails(scene))
    scene.call("POST", "/v1/password-reset-answers", {"token": second, "password": NEW}, 204)
    scene.call("POST", "/v1/password-reset-answers", {"token": first, "password": NEW}, 422)
    scene.call("POST", "/v1/password-resets", {"email": scene.person.user.email}, 202)
    late = link_in(mails(scene)[-1])
    scene.clock.now += timedelta(hours=1, seconds=1)
    scene.call("POST", "/v1/password-reset-answers", {"token": late, "password": NEW}, 422)


def test_a_reset_answers_alike_whoever_it_is_for_and_fills_nobodys_mailbox(scene: Scene) -> None:
    """SEC-13: the mail is written after the answer, so that not even the time tells."""
    scene.token = ""
    answers = [
        scene.http.post("/v1/password-resets", json={"email": email})
        for email in (scene.person.user.email, "nobody@example.test")
    ]
    assert {(answer.status_code, answer.content) for answer in answers} == {(202, b"null")}
    for _ in range(6):
        scene.call("POST", "/v1/password-resets", {"email": scene.person.user.email}, 202)
    assert len(mails(scene)) == 5
    for _ in range(2):
        scene.call("POST", "/v1/password-resets", {"email": "nobody@example.test"}, 202)
    assert scene.call("POST", "/v1/password-resets", {"email": "x@example.test"}, 429)["code"] == "sign_in_delayed"


def test_a_changed_password_ends_the_other_sessions(scene: Scene) -> None:
    elsewhere = scene.sign_in()
    here = scene.sign_in()
    body = {"current_password": "wrong", "password": NEW}
    assert scene.call("PUT", "/v1/me/password", body, 422)["code"] == "password_wrong"
    body["current_password"] = PASSWORD
    scene.call("PUT", "/v1/me/password", body, 204)
    scene.call("GET", "/v1/me")
    scene.token = elsewhere
    scene.call("GET", "/v1/me", status=401)
    scene.token = here
    scene.clock.now += timedelta(minutes=6)
    assert scene.call("PUT", "/v1/me/password", body, 403)["code"] == "second_factor_required"


def test_an_address_changes_when_both_addresses_agreed(scene: Scene) -> None:
    """SEC-13: confirmed at both, in either order; the old one is told."""
    before = scene.person.user.email
    scene.call("POST", "/v1/email-changes", {"email": "New.Address@example.test"}, 202)
    links = {mail.to: link_in(mail) for mail in mails(scene)}
    assert set(links) == {before, "new.address@example.test"}
    new = {"token": links["new.address@example.test"]}
    for _ in range(2):
        assert scene.call("POST", "/v1/email-change-answers", new) == {"is_complete": False}
    assert scene.call("POST", "/v1/email-change-answers", {"token": links[before]}) == {"is_complete": True}
    assert scene.call("POST", "/v1/email-change-answers", new, 422)["code"] == "link_not_valid"
    assert (mails(scene)[-1].template, mails(scene)[-1].to) == ("email_changed", before)
    assert "email.changed" in actions(scene)
    scene.token = ""
    scene.call("POST", "/v1/sessions", {"email": "new.address@example.test", "password": PASSWORD}, 201)


def test_an_address_of_somebody_else_is_not_told_and_not_taken(scene: Scene) -> None:
    other = make_person(scene.gateway, scene.office, OfficeRole.STAFF)
    scene.call("POST", "/v1/email-changes", {"email": other.user.email}, 202)
    links = [link_in(mail) for mail in mails(scene)]
    scene.call("POST", "/v1/email-change-answers", {"token": links[0]})
    assert scene.call("POST", "/v1/email-change-answers", {"token": links[1]}, 409)["code"] == "email_taken"


def test_a_newer_wish_and_a_day_end_a_change_of_address(scene: Scene) -> None:
    scene.call("POST", "/v1/email-changes", {"email": "first@example.test"}, 202)
    scene.call("POST", "/v1/email-changes", {"email": "second@example.test"}, 202)
    links = [link_in(mail) for mail in mails(scene)]
    scene.call("POST", "/v1/email-change-answers", {"token": links[1]}, 422)
    scene.clock.now += timedelta(hours=24, seconds=1)
    scene.call("POST", "/v1/email-change-answers", {"token": links[2]}, 422)

"""Signing in, second factor, sessions."""

from __future__ import annotations

import pyotp
import pytest
from starlette.testclient import TestClient

from gateway.assembly import Gateway
from gateway.audit.log import verify
from gateway.errors import SignInError
from gateway.identity.errors import PasswordWeak, SignInDelayed, SignInRefused
from gateway.identity.people import PeopleService
from gateway.identity.rights import ClientRole, OfficeRole, Permission
from gateway.identity.service import IdentityService
from tests.gateway.builders import PASSWORD, make_client, make_office, make_person
from tests.gateway.serving import app_of


def test_a_person_signs_in_with_password_and_code(gateway: Gateway) -> None:
    office = make_office(gateway)
    client = make_client(gateway, office)
    person = make_person(gateway, office, ClientRole.APPROVER, client=client)
    identity = IdentityService(gateway)
    signed_in = identity.sign_in(
        email=person.user.email.upper(), password=PASSWORD, code=person.code(gateway.real_now()), source="127.0.0.1"
    )
    principal, _ = identity.principal_of_session(signed_in.token)
    assert principal.allows(Permission.PAYMENTS_APPROVE, client.id)
    assert not principal.allows(Permission.PAYMENTS_WRITE, client.id)
    assert principal.second_factor_at is not None
    identity.sign_out(signed_in.token)
    with pytest.raises(SignInError):
        identity.principal_of_session(signed_in.token)


def test_with_a_password_alone_the_api_gives_nothing(gateway: Gateway) -> None:
    """The pages always led to the set-up of a second factor; the API once let a password alone read, and make keys."""
    office = make_office(gateway)
    person = make_person(gateway, office, OfficeRole.ADMIN, is_enrolled=False)
    with TestClient(app_of(gateway)) as http:
        body = {"email": person.user.email, "password": PASSWORD}
        headers = {"Authorization": f"Bearer {http.post('/v1/sessions', json=body).json()['token']}"}
        assert http.get("/v1/me", headers=headers).status_code == 200
        for answer in (
            http.get("/v1/clients", headers=headers),
            http.post("/v1/credentials", json={"name": "Portal", "scopes": ["coda"]}, headers=headers),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_required")
        code = http.post("/v1/sessions/current/second-factors", json={"code": "000000"}, headers=headers)
        assert code.json()["code"] == "second_factor_not_enrolled"
        assert http.delete("/v1/sessions/current", headers=headers).status_code == 204


def test_the_code_that_enrolled_signs_nobody_in(gateway: Gateway) -> None:
    """SEC-13: a TOTP code works once, the first one too."""
    identity, now = IdentityService(gateway), gateway.real_now()
    person = make_person(gateway, make_office(gateway), OfficeRole.STAFF, is_enrolled=False)
    code = pyotp.TOTP(identity.enrol_second_factor(person.user.id)).at(now)
    identity.confirm_enrolment(person.user.id, code)
    with pytest.raises(SignInRefused):
        identity.sign_in(email=person.user.email, password=PASSWORD, code=code, source="a")


def test_a_code_works_once(gateway: Gateway) -> None:
    office = make_office(gateway)
    person = make_person(gateway, office, OfficeRole.ADMIN)
    identity = IdentityService(gateway)
    code = person.code(gateway.real_now())
    identity.sign_in(email=person.user.email, password=PASSWORD, code=code, source="a")
    with pytest.raises(SignInRefused):
        identity.sign_in(email=person.user.email, password=PASSWORD, code=code, source="a")


def test_ten_failures_delay_their_source_and_nobody_else(gateway: Gateway) -> None:
    office = make_office(gateway)
    person = make_person(gateway, office, OfficeRole.STAFF, is_enrolled=False)
    identity = IdentityService(gateway)
    for _ in range(10):
        with pytest.raises(SignInRefused):
            identity.sign_in(email=person.user.email, password="wrong wrong wrong", code=None, source="bad")
    with pytest.raises(SignInDelayed):
        identity.sign_in(email=person.user.email, password=PASSWORD, code=None, source="bad")
    assert identity.sign_in(email=person.user.email, password=PASSWORD, code=None, source="good")


def test_a_weak_password_is_refused(gateway: Gateway) -> None:
    with pytest.raises(PasswordWeak):
        PeopleService(gateway).create_user(
            email="a@example.test", first_name="A", last_name="B", language="nl", password="wachtwoord123"
        )


def test_the_audit_chain_of_what_was_done_holds(gateway: Gateway) -> None:
    office = make_office(gateway)
    make_client(gateway, office)
    with gateway.database.unit_of_work(office.id) as session:
        assert verify(session, gateway.audit, office.id) is None

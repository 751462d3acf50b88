"""Sessions: tokens renewed when rights grow, listed and ended by their owner, switched between offices (SEC-01, 13)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.errors import NotFound, SignInError
from gateway.identity.errors import OwnSignInRequired, SignInRefused
from gateway.identity.people import PeopleService
from gateway.identity.repository import IdentityRepository
from gateway.identity.rights import OfficeRole
from gateway.identity.service import IdentityService
from gateway.identity.sessions import SESSION_IDLE_MAX, SESSION_LIFE_MAX, SessionService, SignedIn
from gateway.offices.models import Office
from tests.gateway.builders import NOW, PASSWORD, Person, act_of_system, make_office, make_person
from tests.gateway.serving import app_of
from tests.gateway.web.world import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def timed(gateway: Gateway, clock: Clock) -> Gateway:
    return replace(gateway, real_now=clock)


def sign_in(gateway: Gateway, clock: Clock, person: Person, *, code: bool = True, **more: Any) -> SignedIn:
    clock.step()
    return IdentityService(gateway).sign_in(
        email=person.user.email, password=PASSWORD, code=person.code(clock()) if code else None, source="198.51.100.7",
        **more,
    )  # fmt: skip


def act_with(gateway: Gateway, signed_in: SignedIn) -> Act:
    return gateway.act(signed_in.principal)


def test_a_second_factor_given_later_gives_a_new_token(timed: Gateway, clock: Clock) -> None:
    """Session fixation: whoever knew the token of the password alone has nothing afterwards (SEC-01)."""
    person = make_person(timed, make_office(timed), OfficeRole.ADMIN)
    planted = sign_in(timed, clock, person, code=False)
    assert planted.principal.second_factor_at is None
    clock.step()
    identity = IdentityService(timed)
    renewed = identity.confirm_second_factor(planted.token, person.code(clock()))
    assert renewed != planted.token
    with pytest.raises(SignInError):
        identity.principal_of_session(planted.token)
    principal, found = identity.principal_of_session(renewed)
    assert principal.second_factor_method == "totp"
    assert found.form_token != planted.form_token
    clock.step()
    assert identity.confirm_second_factor(renewed, person.code(clock())) == renewed


def test_each_sign_in_has_a_token_of_its_own(timed: Gateway, clock: Clock) -> None:
    person = make_person(timed, make_office(timed), OfficeRole.ADMIN)
    first, second = sign_in(timed, clock, person), sign_in(timed, clock, person)
    assert first.token != second.token
    assert first.principal.session_id != second.principal.session_id


def test_a_replayed_code_gives_nothing_anywhere(timed: Gateway, clock: Clock) -> None:
    """SEC-13: a code used at the sign-in is worth nothing at the decision either."""
    person = make_person(timed, make_office(timed), OfficeRole.ADMIN)
    signed_in = sign_in(timed, clock, person)
    with pytest.raises(SignInRefused):
        IdentityService(timed).confirm_second_factor(signed_in.token, person.code(clock()))


def test_a_session_ends_idle_and_after_eight_hours(timed: Gateway, clock: Clock) -> None:
    """SEC-01: 30 minutes idle or 8 hours."""
    person = make_person(timed, make_office(timed), OfficeRole.ADMIN)
    service = SessionService(timed)
    idle = sign_in(timed, clock, person)
    clock.now += SESSION_IDLE_MAX + timedelta(seconds=1)
    with pytest.raises(SignInError):
        service.principal(idle.token)
    busy = sign_in(timed, clock, person)
    until = clock() + SESSION_LIFE_MAX
    while clock() + timedelta(minutes=20) < until:
        clock.now += timedelta(minutes=20)
        service.principal(busy.token)
    clock.now = until + timedelta(seconds=1)
    with pytest.raises(SignInError):
        service.principal(busy.token)


def test_people_see_and_end_their_own_sessions_and_nobody_elses(timed: Gateway, clock: Clock) -> None:
    office = make_office(timed)
    person, other = (make_person(timed, office, OfficeRole.ADMIN) for _ in range(2))
    signed_in = sign_in(timed, clock, person)
    elsewhere = sign_in(timed, clock, person, device="Firefox, Windows")
    third, foreign = sign_in(timed, clock, person), sign_in(timed, clock, other)
    headers = {"Authorization": f"Bearer {signed_in.token}"}
    with TestClient(app_of(timed)) as http:
        shown = http.get("/v1/sessions", headers=headers).json()["items"]
        assert [row["is_current"] for row in shown] == [False, False, True]
        assert shown[1]["device"] == "Firefox, Windows"
        assert "sluis_session_" not in str(shown)
        foreign_id = http.get("/v1/sessions", headers={"Authorization": f"Bearer {foreign.token}"}).json()
        assert http.delete(f"/v1/sessions/{foreign_id['items'][0]['id']}", headers=headers).status_code == 404
        assert http.delete(f"/v1/sessions/{shown[1]['id']}", headers=headers).status_code == 204
        for token, status in ((elsewhere.token, 401), (third.token, 200), (foreign.token, 200)):
            assert http.get("/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code == status
        assert http.delete("/v1/sessions/others", headers=headers).json() == {"ended": 1}
        assert http.get("/v1/me", headers={"Authorization": f"Bearer {third.token}"}).status_code == 401
        assert http.get("/v1/me", headers=headers).status_code == 200


def in_two_offices(gateway: Gateway) -> tuple[Person, Office, Office]:
    first, second = make_office(gateway, name="Kantoor Een"), make_office(gateway, name="Kantoor Twee")
    person = make_person(gateway, first, OfficeRole.ADMIN)
    PeopleService(gateway).grant_role(act_of_system(second), person.user.id, OfficeRole.STAFF)
    return person, first, second


def test_one_sign_in_serves_several_offices_one_at_a_time(timed: Gateway, clock: Clock) -> None:
    """OFF-07: the roles are those of the office switched to; the token before is worth nothing."""
    person, first, second = in_two_offices(timed)
    stranger = make_office(timed)
    signed_in = sign_in(timed, clock, person, office_id=first.id)
    service, act = SessionService(timed), act_with(timed, signed_in)
    assert [office.name for office in service.offices(act)] == ["Kantoor Een", "Kantoor Twee"]
    with pytest.raises(NotFound):
        service.switch_office(act, signed_in.token, stranger.id)
    switched = service.switch_office(act, signed_in.token, second.id)
    assert switched.principal.office_id == second.id
    assert switched.principal.second_factor_method == "totp"
    assert switched.form_token != signed_in.form_token
    with pytest.raises(SignInError):
        service.principal(signed_in.token)
    principal, found = service.principal(switched.token)
    assert (principal.office_id, found.form_token) == (second.id, switched.form_token)


def test_a_session_of_an_offices_issuer_stays_in_that_office(timed: Gateway, clock: Clock) -> None:
    """SEC-14: an office's issuer is valid for its own grants only."""
    person, first, second = in_two_offices(timed)
    service = SessionService(timed)
    with timed.database.unit_of_work(None) as session:
        user = IdentityRepository(session).user(person.user.id)
        assert user is not None
        signed_in = service.open(session, user, first.id, clock(), sign_in_method="oidc", second_factor_method="oidc")
    act = act_with(timed, signed_in)
    assert [office.id for office in service.offices(act)] == [first.id]
    with pytest.raises(OwnSignInRequired):
        service.switch_office(act, signed_in.token, second.id)


def test_me_lists_the_offices_and_the_session_moves_over_the_api(timed: Gateway, clock: Clock) -> None:
    person, first, _ = in_two_offices(timed)
    signed_in = sign_in(timed, clock, person, office_id=first.id)
    with TestClient(app_of(timed)) as http:
        body = {"email": person.user.email, "password": PASSWORD}
        assert http.post("/v1/sessions", json=body).json()["code"] == "office_required"
        headers = {"Authorization": f"Bearer {signed_in.token}"}
        offices = {row["name"]: row["id"] for row in http.get("/v1/me", headers=headers).json()["offices"]}
        answer = http.post("/v1/sessions/current/offices", json={"office_id": offices["Kantoor Twee"]}, headers=headers)
        assert answer.status_code == 200, answer.text
        assert http.get("/v1/me", headers=headers).status_code == 401
        headers = {"Authorization": f"Bearer {answer.json()['token']}"}
        assert http.get("/v1/me", headers=headers).json()["office_id"] == offices["Kantoor Twee"]

"""Limits of signing in: ten tries per person and source, few passwords at once, the true address of the caller."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network

import pytest
from starlette.testclient import TestClient

from gateway import entrance
from gateway.assembly import Gateway
from gateway.identity import attempts, passwords, sign_in
from gateway.identity.errors import SignInBusy, SignInDelayed, SignInRefused
from gateway.identity.passwords import Turnstile
from gateway.identity.rights import OfficeRole
from gateway.identity.service import IdentityService
from gateway.settings import Settings
from tests.gateway.builders import NOW, PASSWORD, make_office, make_person
from tests.gateway.serving import app_of
from tests.gateway.web.world import Clock


def test_a_burst_does_not_exceed_ten(committed: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """SEC-01: counting and checking are one step, taken before the password is looked at."""
    checked = []
    lock = threading.Lock()

    def slow_and_wrong(*_: object) -> bool:
        with lock:
            checked.append(1)
        return False

    monkeypatch.setattr(sign_in, "is_password", slow_and_wrong)
    monkeypatch.setattr(sign_in, "turnstile", Turnstile(working=8, waiting=40))
    outcomes: list[type[Exception]] = []

    def attempt(_: int) -> None:
        with pytest.raises((SignInRefused, SignInDelayed)) as refused:
            IdentityService(committed).sign_in(email="a@example.test", password="x", code=None, source="bad")
        outcomes.append(refused.type)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(attempt, range(30)))
    assert len(checked) == 10
    assert outcomes.count(SignInRefused) == 10
    assert outcomes.count(SignInDelayed) == 20


def test_waiting_ends_after_fifteen_minutes_and_trying_does_not_prolong_it(gateway: Gateway) -> None:
    """SEC-01: the answer says how long is left."""
    clock = Clock(NOW)
    timed = replace(gateway, real_now=clock)
    identity = IdentityService(timed)
    person = make_person(timed, make_office(timed), OfficeRole.STAFF)

    def wrong() -> None:
        with pytest.raises(SignInRefused):
            identity.sign_in(email=person.user.email, password=PASSWORD, code="000000", source="bad")

    for _ in range(10):
        wrong()
    for minutes, left in ((0, 900), (10, 300), (14, 60)):
        clock.now = NOW + timedelta(minutes=minutes)
        with pytest.raises(SignInDelayed) as delayed:
            identity.sign_in(email=person.user.email, password=PASSWORD, code=None, source="bad")
        assert delayed.value.headers["Retry-After"] == str(left)
    clock.now = NOW + timedelta(minutes=15)
    wrong()


def test_knowing_the_password_does_not_start_the_tries_at_the_code_anew(gateway: Gateway) -> None:
    """SEC-01: a sign-in without a code succeeds and gives its own try back, no other."""
    clock = Clock(NOW)
    timed = replace(gateway, real_now=clock)
    identity = IdentityService(timed)
    person = make_person(timed, make_office(timed), OfficeRole.STAFF)
    for _ in range(5):
        for code in ("000000", "000001"):
            with pytest.raises(SignInRefused):
                identity.sign_in(email=person.user.email, password=PASSWORD, code=code, source="bad")
        if _ < 4:
            identity.sign_in(email=person.user.email, password=PASSWORD, code=None, source="bad")
    with pytest.raises(SignInDelayed):
        identity.sign_in(email=person.user.email, password=PASSWORD, code=None, source="bad")


def test_tries_at_the_code_are_limited_per_source(gateway: Gateway) -> None:
    clock = Clock(NOW)
    timed = replace(gateway, real_now=clock)
    identity = IdentityService(timed)
    person = make_person(timed, make_office(timed), OfficeRole.STAFF)
    token = identity.sign_in(email=person.user.email, password=PASSWORD, code=None, source="bad").token
    for _ in range(attempts.FAILURES_MAX):
        with pytest.raises(SignInRefused):
            identity.confirm_second_factor(token, "000000", source="bad")
    with pytest.raises(SignInDelayed):
        identity.confirm_second_factor(token, person.code(clock()), source="bad")
    own = identity.sign_in(email=person.user.email, password=PASSWORD, code=None, source="good").token
    assert identity.confirm_second_factor(own, person.code(clock()), source="good")


def test_ten_thousand_at_once_cost_no_more_than_a_few() -> None:
    """SEC-01: whoever would stand far back is refused before any work, with the time to come back."""
    turnstile = Turnstile(working=2, waiting=3)
    inside, go = threading.Semaphore(0), threading.Event()
    most, now, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal most, now
        with turnstile:
            with lock:
                now += 1
                most = max(most, now)
            inside.release()
            go.wait(10)
            with lock:
                now -= 1

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for _ in range(2):
        assert inside.acquire(timeout=10)
    while turnstile._places._value:  # the last of the five stands in the row
        pass
    for _ in range(10_000):
        with pytest.raises(SignInBusy) as busy, turnstile:
            pass
    assert busy.value.headers["Retry-After"] == "2"
    go.set()
    for thread in threads:
        thread.join(10)
    assert most == 2
    with turnstile:
        pass


def test_a_crowded_sign_in_answers_503_and_counts_nothing(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    person = make_person(gateway, make_office(gateway), OfficeRole.STAFF)
    full = Turnstile(working=1, waiting=0)
    monkeypatch.setattr(sign_in, "turnstile", full)
    body = {"email": person.user.email, "password": PASSWORD}
    with TestClient(app_of(gateway)) as http:
        with full:
            answer = http.post("/v1/sessions", json=body)
        assert (answer.status_code, answer.json()["code"]) == (503, "sign_in_busy")
        assert answer.headers["Retry-After"] == "2"
        assert http.post("/v1/sessions", json=body).status_code == 201
    assert passwords.turnstile is not full


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("10.0.0.2", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.2", ["192.0.2.66, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.2", ["192.0.2.66", "198.51.100.1, 10.0.0.3"], "198.51.100.1"),
        ("10.0.0.2", ["198.51.100.1:4711"], "198.51.100.1"),
        ("10.0.0.2", ["[2001:db8::7]:4711"], "2001:db8::7"),
        ("10.0.0.2", ["::ffff:198.51.100.1"], "198.51.100.1"),
        ("10.0.0.2", ["198.51.100.1, unknown"], "10.0.0.2"),
        ("10.0.0.2", ["198.51.100.1, unknown, 10.0.0.3"], "10.0.0.3"),
        ("10.0.0.2", [""], "10.0.0.2"),
        ("127.0.0.1", ["198.51.100.1"], "127.0.0.1"),
    ],
)
def test_the_callers_address_is_the_rightmost_that_is_not_our_proxy(
    peer: str, forwarded: list[str], expected: str
) -> None:
    """What a caller writes into the header itself is never believed."""
    assert entrance.client_address(peer, forwarded, [ip_network("10.0.0.0/8")]) == expected


def test_a_source_behind_a_proxy_is_limited_by_its_own_address(gateway: Gateway) -> None:
    """SEC-01: behind a proxy everybody once shared one source, so one could lock all others out."""
    behind = replace(
        gateway, settings=gateway.settings.model_copy(update={"trusted_proxies": [ip_network("10.0.0.2")]})
    )
    person = make_person(behind, make_office(behind), OfficeRole.STAFF, is_enrolled=False)
    body = {"email": person.user.email, "password": "wrong wrong wrong"}
    with TestClient(app_of(behind), client=("10.0.0.2", 1)) as http:
        statuses = [
            http.post("/v1/sessions", json=body, headers={"X-Forwarded-For": "203.0.113.66"}).status_code
            for _ in range(11)
        ]
        assert statuses == [401] * 10 + [429]
        body["password"] = PASSWORD
        assert http.post("/v1/sessions", json=body, headers={"X-Forwarded-For": "198.51.100.1"}).status_code == 201


@pytest.mark.parametrize(
    ("host", "is_served"),
    [
        ("sluis.example.be", True), ("SLUIS.example.be:443", True), ("sluis.example.be.", True),
        ("intern.example.be", True), ("127.0.0.1:8000", True), ("localhost", True), ("[::1]:8000", True),
        ("evil.example", False), ("sluis.example.be.evil.example", False), ("sluis.example.be@evil.example", False),
        ("evil.example/sluis.example.be", False), ("", False), ("[", False),
    ],
)  # fmt: skip
def test_only_our_own_names_are_served(host: str, is_served: bool) -> None:
    """SEC-13: no page, link or cache ever sees an address that somebody else chose."""
    settings = Settings(_env_file=None, base_url="https://sluis.example.be", allowed_hosts=["intern.example.be"])
    assert entrance.is_served(host, settings) is is_served


def test_a_foreign_host_is_answered_as_a_problem_and_health_under_any_name(gateway: Gateway) -> None:
    with TestClient(app_of(gateway)) as http:
        answer = http.get("/sign-in", headers={"Host": "evil.example"})
        assert (answer.status_code, answer.json()["code"]) == (421, "host_not_served")
        assert "evil.example" not in answer.text
        assert answer.headers["X-Request-ID"]
        assert http.get("/healthz", headers={"Host": "10.1.2.3:8000"}).status_code == 200

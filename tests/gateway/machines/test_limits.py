"""Rate limits (API-06): per caller, per office, per address; shared by the web processes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, text
from starlette.testclient import TestClient

from gateway.assembly import Gateway
from gateway.identity.rights import Principal, PrincipalKind
from gateway.ids import new_id
from gateway.machines.addresses import counted_as
from gateway.machines.limits import RateLimits
from gateway.machines.service import MachineService
from tests.gateway.builders import act_of_system, make_office
from tests.gateway.serving import app_of

NOON = 1_764_331_200.0


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


def limited(gateway: Gateway, *, caller: int = 0, office: int = 0, unknown: int = 0) -> Gateway:
    update = {
        "rate_limit_per_minute": caller, "rate_limit_office_per_minute": office,
        "rate_limit_unknown_per_minute": unknown,
    }  # fmt: skip
    return replace(gateway, settings=gateway.settings.model_copy(update=update))


def machine(office_id: Any = None) -> Principal:
    return Principal(kind=PrincipalKind.MACHINE, id=new_id(), office_id=office_id or new_id())


def passed(limits: RateLimits, principal: Principal, tries: int) -> int:
    return sum(not limits.spend(principal)[-1].is_exceeded for _ in range(tries))


@pytest.mark.parametrize("limit", [1, 7, 20, 100, 101])
def test_a_caller_gets_exactly_the_limit_in_a_minute(gateway: Gateway, limit: int) -> None:
    clock = Clock()
    limits = RateLimits(limited(gateway, caller=limit), clock=clock)
    caller = machine()
    assert passed(limits, caller, limit + 30) == limit
    assert passed(limits, machine(), 1) == 1
    clock.now += 60
    assert passed(limits, caller, 1) == 1


def test_several_processes_never_exceed_the_limit_together(gateway: Gateway) -> None:
    """API-06: a process hands out what it claimed; all together give at most the limit, and nearly all of it."""
    processes = [RateLimits(limited(gateway, caller=100), clock=Clock()) for _ in range(4)]
    caller = machine()
    given = sum(passed(processes[i % 4], caller, 1) for i in range(400))
    assert given == 100


def test_most_requests_cost_no_statement(gateway: Gateway) -> None:
    limits = RateLimits(limited(gateway, caller=600, office=3000), clock=Clock())
    caller = machine()
    statements: list[str] = []
    event.listen(gateway.database.bind, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert passed(limits, caller, 300) == 300
    assert sum("INSERT INTO rate_window" in statement for statement in statements) == 10 + 2


def test_no_office_starves_another(gateway: Gateway) -> None:
    """API-06: however many keys an office makes, together they have the office's share."""
    limits = RateLimits(limited(gateway, caller=50, office=100), clock=Clock())
    greedy = new_id()
    assert sum(passed(limits, machine(greedy), 50) for _ in range(10)) == 100
    assert passed(limits, machine(), 50) == 50


def test_the_answer_tells_how_the_limits_stand(gateway: Gateway) -> None:
    """API-06: RateLimit, RateLimit-Policy, Retry-After."""
    installation = limited(gateway, caller=3, office=100)
    office = make_office(installation)
    _, token = MachineService(installation).create_credential(act_of_system(office), name="x", scopes=["coda"])
    with TestClient(app_of(installation)) as http:
        http.app.state.limits._clock = Clock()  # type: ignore[attr-defined]  # the test's own time
        answers = [http.get("/v1/me", headers={"Authorization": f"Bearer {token}"}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0].headers["ratelimit-policy"] == '"default";q=3;w=60, "office";q=100;w=60'
    assert answers[0].headers["ratelimit"] == '"default";r=2;t=60, "office";r=99;t=60'
    refused = answers[3]
    assert (refused.json()["code"], refused.headers["retry-after"]) == ("rate_limited", "60")
    assert refused.headers["ratelimit"].startswith('"default";r=0;t=60')


def test_strangers_are_refused_without_a_statement(gateway: Gateway) -> None:
    """Wrong tokens are cheap to refuse, per address; a neighbour with a good token goes on."""
    installation = limited(gateway, unknown=5)
    office = make_office(installation)
    _, token = MachineService(installation).create_credential(act_of_system(office), name="x", scopes=["coda"])
    good = {"Authorization": f"Bearer {token}"}
    app = app_of(installation)
    app.state.limits._clock = Clock()
    with TestClient(app, client=("192.0.2.1", 1)) as http:
        assert http.get("/v1/me", headers=good).status_code == 200
        wrong = [http.get("/v1/me", headers={"Authorization": f"Bearer sluis_test_{i}"}).status_code for i in range(8)]
        assert wrong == [401] * 5 + [429] * 3
        statements: list[str] = []
        event.listen(gateway.database.bind, "before_cursor_execute", lambda *args: statements.append(args[2]))
        refused = http.post("/v1/sessions", json={"email": "a@example.test", "password": "x" * 12})
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert refused.headers["x-request-id"] == refused.json()["request_id"]
        assert statements == []
        assert http.get("/v1/me", headers=good).status_code == 200
    with TestClient(app, client=("192.0.2.2", 1)) as http:
        assert http.get("/v1/me", headers={"Authorization": "Bearer sluis_test_x"}).status_code == 401


def test_zero_is_no_limit(gateway: Gateway) -> None:
    assert RateLimits(gateway, clock=Clock()).spend(machine()) == []


def test_old_windows_are_swept_away(gateway: Gateway) -> None:
    clock = Clock()
    limits = RateLimits(limited(gateway, caller=10), clock=clock)
    limits.spend(machine())
    clock.now += 180
    limits.spend(machine())
    with gateway.database.unit_of_work(None) as session:
        assert session.connection().execute(text("SELECT count(*) FROM rate_window")).scalar_one() == 1


def test_one_ipv6_network_is_one_source(gateway: Gateway) -> None:
    """SEC-01, API-06: a caller with 64 bits of addresses of its own does not begin anew with each of them."""
    assert counted_as("2001:db8:1:2:3:4:5:6") == counted_as("2001:db8:1:2::1") == "2001:db8:1:2::/64"
    assert counted_as("2001:db8:1:3::1") != counted_as("2001:db8:1:2::1")
    assert (counted_as("::ffff:192.0.2.1"), counted_as("192.0.2.1"), counted_as(None)) == ("192.0.2.1", "192.0.2.1", "")
    limits = RateLimits(gateway)
    limits.note("a", "once good", is_known=True)
    limits.note("a", "once good", is_known=False)
    assert not limits._known, "a token that is no longer good opens no way around the limit"

"""A request sent twice is done once (API-03); a replay is authorised again (SEC-15)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import Context
from datetime import timedelta
from threading import Barrier, Event
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlmodel import select

from gateway.act import Act
from gateway.api import current_act
from gateway.app import create_app, subject_modules
from gateway.assembly import Gateway
from gateway.errors import ConfigError
from gateway.idempotency.errors import IdempotencyKeyInUse
from gateway.idempotency.models import IdempotencyKey
from gateway.idempotency.service import KEPT_FOR, LEASE, LEASE_WITH_EFFECTS, Claim, ClaimLost, IdempotencyService
from gateway.identity.rights import ClientRole, Permission
from gateway.ids import encode
from gateway.offices.models import Office
from gateway.offices.repository import ClientRepository
from gateway.offices.service import OfficeService
from gateway.operations import NOT_KEPT_MARK
from gateway.payments.baskets import BasketService
from gateway.payments.models import Basket
from tests.gateway.builders import NOW
from tests.gateway.payments.scene import Scene, make_scene
from tests.gateway.serving import app_of

KEY = "0b9c4a56-6d0e-4a55-9a52-7d3f1b0c2f11"
REQUIRED = {
    "create_consent", "create_account_reauthorisation", "create_renewal_link", "create_consent_invitation",
    "add_payments", "create_decision", "create_decisions", "create_exports",
}  # fmt: skip
"""Consents, payments, decisions, exports, initiations, deliveries; other subjects add theirs."""


class Caller:
    """Posts as whoever is set, with a key of its choice."""

    def __init__(self, gateway: Gateway, app: FastAPI | None = None) -> None:
        """`app`: one of its own, for callers that post at once as different people."""
        self.app = app or app_of(gateway)
        self.http = TestClient(self.app, raise_server_exceptions=False)
        self.app.dependency_overrides[current_act] = lambda: self.act
        self.act: Act | None = None

    def __call__(self, act: Act, path: str, body: Any = None, *, key: str | None = KEY, **headers: str) -> Any:
        self.act = dataclasses.replace(act, checks=[])
        if key is not None:
            headers["Idempotency-Key"] = key
        return self.http.post(f"/v1{path}", json=body, headers=headers)


@pytest.fixture
def scene(gateway: Gateway) -> Scene:
    return make_scene(gateway)


@pytest.fixture
def call(scene: Scene) -> Caller:
    return Caller(scene.gateway)


def basket_body(scene: Scene, name: str = "Week 47") -> dict[str, Any]:
    return {"client_id": encode("client", scene.client.id), "name": name}


def baskets(gateway: Gateway, office: Office) -> int:
    with gateway.database.unit_of_work(office.id) as session:
        return len(session.exec(select(Basket).where(Basket.office_id == office.id)).all())


def stored(gateway: Gateway, office: Office) -> list[IdempotencyKey]:
    with gateway.database.unit_of_work(office.id) as session:
        return list(session.exec(select(IdempotencyKey).where(IdempotencyKey.office_id == office.id)))


def later(gateway: Gateway, by: timedelta) -> Gateway:
    """The same installation, later."""
    moment = gateway.real_now() + by
    return dataclasses.replace(gateway, real_now=lambda: moment)


def claim(gateway: Gateway, act: Act, path: str = "/v1/baskets", fingerprint: bytes = b"f") -> Claim:
    got = IdempotencyService(gateway).claim(act, path=path, key=KEY, fingerprint=fingerprint)
    assert isinstance(got, Claim)
    return got


@contextmanager
def changing(monkeypatch: pytest.MonkeyPatch, after: Exception) -> Iterator[None]:
    """Making a basket fails after its commit."""
    original = BasketService.create

    def create(self: BasketService, *arguments: Any, **more: Any) -> Any:
        original(self, *arguments, **more)
        raise after

    with monkeypatch.context() as patched:
        patched.setattr(BasketService, "create", create)
        yield


def test_the_same_request_again_gets_the_same_answer(call: Caller, scene: Scene) -> None:
    """API-03: status, body and headers; done once."""
    portal = scene.machine("payments:write")
    first, again = (call(portal, "/baskets", basket_body(scene)) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["X-Request-ID"] != first.headers["X-Request-ID"]
    assert baskets(scene.gateway, scene.office) == 1


@pytest.mark.parametrize("other", ["body", "if_match"])
def test_another_request_with_the_key_is_refused(call: Caller, scene: Scene, other: str) -> None:
    """API-03: another body 422; a decision on another seal is another request too."""
    portal = scene.machine("payments:write")
    call(portal, "/baskets", basket_body(scene))
    match other:
        case "body":
            answer = call(portal, "/baskets", basket_body(scene, "Week 48"))
        case _:
            answer = call(portal, "/baskets", basket_body(scene), **{"If-Match": '"2"'})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


def test_keys_of_other_callers_and_other_paths_are_other_keys(call: Caller, scene: Scene) -> None:
    """SEC-15: scoped to credential and path."""
    one, two = scene.machine("payments:write"), scene.machine("payments:write")
    first, second = call(one, "/baskets", basket_body(scene)), call(two, "/baskets", basket_body(scene))
    assert first.json()["id"] != second.json()["id"]
    cancel = {"If-Match": first.headers["ETag"]}
    assert call(one, f"/baskets/{first.json()['id']}/cancellations", **cancel).status_code == 201


def test_two_at_once_run_once(committed: Gateway) -> None:
    """API-03: still running 409; whichever comes first."""
    scene = make_scene(committed)
    caller, ready, portal = Caller(committed), Barrier(4), scene.machine("payments:write")
    caller.http.get("/healthz")

    def send(_: int) -> Any:
        ready.wait()
        return caller(portal, "/baskets", basket_body(scene))

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, range(4)))
    made = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    assert len(made) == 1
    assert {answer.json()["code"] for answer in answers if answer.status_code != 201} <= {"idempotency_key_in_use"}
    assert baskets(committed, scene.office) == 1


def test_a_repetition_while_the_first_runs_is_told_to_wait(committed: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """API-03: still running 409."""
    scene = make_scene(committed)
    portal, original = scene.machine("payments:write"), BasketService.create
    begun, go_on = Event(), Event()

    def slow(self: BasketService, *arguments: Any, **more: Any) -> Any:
        begun.set()
        assert go_on.wait(60)
        return original(self, *arguments, **more)

    monkeypatch.setattr(BasketService, "create", slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(Caller(committed), portal, "/baskets", basket_body(scene))
        assert begun.wait(60)
        answer = Caller(committed)(portal, "/baskets", basket_body(scene))
        go_on.set()
        assert first.result().status_code == 201
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_in_use")
    assert answer.headers["Retry-After"] == "1"


def test_input_faults_and_refusals_free_the_key(call: Caller, scene: Scene) -> None:
    """API-03: input faults are not kept; a decision refused for want of a second factor is repeated with its key."""
    portal = scene.machine("payments:write")
    assert call(portal, "/baskets", {"name": "Week 47"}).status_code == 422
    assert call(
        portal, "/baskets", basket_body(scene) | {"client_id": encode("client", scene.office.id)}
    ).status_code == (404)
    assert call(portal, "/baskets", basket_body(scene)).status_code == 201
    scene.rule("one", scene.user("first"))
    _, (payment,) = scene.submitted(scene.wish())
    path = f"/payments/{encode('payment', payment.id)}/decisions"
    seal = {"If-Match": f'"{scene.payment(payment).seal}"'}
    stale = call(scene.act("first", is_fresh=False), path, {"verdict": "approve"}, **seal)
    assert (stale.status_code, stale.json()["code"]) == (403, "second_factor_required")
    assert call(scene.act("first"), path, {"verdict": "approve"}, **seal).status_code == 201
    again = call(scene.act("first"), path, {"verdict": "approve"}, **seal)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")


def test_a_replay_asks_for_the_right_again(call: Caller, scene: Scene) -> None:
    """SEC-15: 403 for a right that was lost, 403 without a fresh second factor, 404 when the grant ended."""
    scene.rule("one", scene.user("first"))
    _, (payment,) = scene.submitted(scene.wish())
    path = f"/payments/{encode('payment', payment.id)}/decisions"
    seal = {"If-Match": f'"{scene.payment(payment).seal}"'}

    def again(act: Act) -> tuple[int, str]:
        answer = call(act, path, {"verdict": "approve"}, **seal)
        return answer.status_code, answer.json().get("code", "")

    assert again(scene.act("first"))[0] == 201
    assert again(scene.act("first", is_fresh=False)) == (403, "second_factor_required")
    scene.take("first", ClientRole.APPROVER)
    scene.give("first", ClientRole.VIEWER)
    assert again(scene.act("first")) == (403, "not_allowed")
    scene.give("first", ClientRole.APPROVER)
    assert again(scene.act("first"))[0] == 201
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        for grant in ClientRepository(session).grants(scene.office.id, scene.client.id):
            grant.until_date = NOW.date() - timedelta(days=1)
    assert again(scene.act("first"))[0] == 404


@pytest.mark.parametrize("ends", ["confirmations", "withdrawals", "rules"])
def test_a_replay_of_a_decision_by_two_asks_who_decides_again(call: Caller, scene: Scene, ends: str) -> None:
    """SEC-15: the same answer again for who still decides; none for who lost the role or whose factor is stale."""
    for name in ("other", "third"):
        scene.person(name, ClientRole.ADMINISTRATOR)
    act = scene.act("other")
    body: Any = {"kind": "signing_limit.set", "object_id": encode("client", scene.client.id),
                 "client_id": encode("client", scene.client.id), "content": {"amount": "5000.00"}}  # fmt: skip
    made = call(scene.act("administrator"), "/proposals", body, key=None)
    assert made.status_code == 201, made.text
    path = f"/proposals/{made.json()['id']}/{ends}"
    body = None
    if ends == "rules":
        path = f"/clients/{encode('client', scene.client.id)}/approval-rules"
        body = {"name": "Ook", "approvers": [{"user_id": encode("user", scene.people["first"].id)}]}
    first = call(act, path, body)
    assert first.status_code in (201, 202), first.text
    again = call(act, path, body)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    stale = call(scene.act("other", is_fresh=False), path, body)
    assert (stale.status_code, stale.json()["code"]) == (403, "second_factor_required")
    scene.take("other", ClientRole.ADMINISTRATOR)
    scene.give("other", ClientRole.VIEWER)
    assert call(scene.act("other"), path, body).status_code in (403, 404)


def test_after_seven_days_the_key_is_new(scene: Scene) -> None:
    """API-03: for 7 days."""
    portal, gateway = scene.machine("payments:write"), scene.gateway
    first = Caller(gateway)(portal, "/baskets", basket_body(scene))
    just_before = Caller(later(gateway, KEPT_FOR - timedelta(minutes=1)))(portal, "/baskets", basket_body(scene))
    assert just_before.json()["id"] == first.json()["id"]
    after = Caller(later(gateway, KEPT_FOR + timedelta(minutes=1)))(portal, "/baskets", basket_body(scene))
    assert after.json()["id"] != first.json()["id"]


def test_old_keys_are_cleared_up_by_new_ones(scene: Scene) -> None:
    portal, gateway = scene.machine("payments:write"), scene.gateway
    for number in range(3):
        Caller(gateway)(portal, "/baskets", basket_body(scene), key=f"old-{number}")
    Caller(later(gateway, KEPT_FOR * 2))(portal, "/baskets", basket_body(scene), key="new")
    assert len(stored(gateway, scene.office)) == 1


def test_answers_are_not_readable_in_the_database(call: Caller, scene: Scene) -> None:
    """Law 6: answers hold personal data, and callers may put anything in their keys."""
    call(scene.machine("payments:write"), "/baskets", basket_body(scene, "Loon Jansen"), key="Jansen-1")
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        dump = str(session.connection().execute(text("SELECT k::text FROM idempotency_key k")).all())
    assert "answer" not in dump
    for mark in ("Jansen", b"Jansen".hex()):
        assert mark not in dump
    assert len(stored(scene.gateway, scene.office)) == 1


def test_a_crash_before_the_first_change_lets_a_repetition_run(scene: Scene) -> None:
    """Law 7: an unmarked key proves that nothing was changed."""
    portal, gateway = scene.machine("payments:write"), scene.gateway
    claim(gateway, portal)
    with pytest.raises(IdempotencyKeyInUse):
        claim(gateway, portal)
    taken = claim(later(gateway, LEASE + timedelta(seconds=1)), portal)
    assert taken.attempt == 2


def test_a_crash_after_the_first_change_is_never_run_again(
    scene: Scene, call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 7: what was changed is not changed twice."""

    portal, gateway = scene.machine("payments:write"), scene.gateway
    with monkeypatch.context() as patched:
        patched.setattr(IdempotencyService, "keep", lambda *_a, **_m: 1 / 0)
        assert call(portal, "/baskets", basket_body(scene)).status_code == 500
    assert baskets(gateway, scene.office) == 1
    soon = Caller(later(gateway, LEASE * 2))(portal, "/baskets", basket_body(scene))
    assert soon.json()["code"] == "idempotency_key_in_use"
    much_later = Caller(later(gateway, LEASE_WITH_EFFECTS * 2))(portal, "/baskets", basket_body(scene))
    assert (much_later.status_code, much_later.json()["code"]) == (409, "idempotency_outcome_unknown")
    assert baskets(gateway, scene.office) == 1


def test_a_run_that_was_taken_over_cannot_commit(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law 7: the slow one comes too late."""
    portal, gateway = scene.machine("payments:write"), scene.gateway
    original, answers = BasketService.create, []

    def overtaken(self: BasketService, *arguments: Any, **more: Any) -> Any:
        if not answers:
            answers.append(None)
            later_on = later(gateway, LEASE * 2)
            # Another request, and so another context.
            send = Caller(later_on)
            answers.append(Context().run(send, portal, "/baskets", basket_body(scene)))
        return original(self, *arguments, **more)

    monkeypatch.setattr(BasketService, "create", overtaken)
    slow = Caller(gateway)(portal, "/baskets", basket_body(scene))
    assert answers[1].status_code == 201
    assert slow.status_code == 409
    assert baskets(gateway, scene.office) == 1


def test_marking_a_lost_claim_rolls_back(scene: Scene) -> None:
    portal, gateway = scene.machine("payments:write"), scene.gateway
    old = claim(gateway, portal)
    claim(later(gateway, LEASE * 2), portal)
    with pytest.raises(ClaimLost), gateway.database.unit_of_work(scene.office.id) as session:
        IdempotencyService(gateway).mark(session, old)


def test_a_failure_of_others_after_a_change_is_kept(
    scene: Scene, call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 7: what reached a bank is asked about before it is repeated."""
    portal = scene.machine("payments:write")
    with changing(monkeypatch, ConfigError()):
        first = call(portal, "/baskets", basket_body(scene))
    again = call(portal, "/baskets", basket_body(scene))
    assert (first.status_code, again.status_code) == (503, 503)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["content-type"] == "application/problem+json"
    assert baskets(scene.gateway, scene.office) == 1


def test_a_defect_after_a_change_is_not_run_again_and_before_it_is(
    scene: Scene, call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    portal = scene.machine("payments:write")
    with changing(monkeypatch, RuntimeError()):
        assert call(portal, "/baskets", basket_body(scene)).status_code == 500
    assert call(portal, "/baskets", basket_body(scene)).json()["code"] == "idempotency_outcome_unknown"
    with monkeypatch.context() as patched:
        patched.setattr(BasketService, "create", lambda *_a, **_m: 1 / 0)
        assert call(portal, "/baskets", basket_body(scene), key="k2").status_code == 500
    assert call(portal, "/baskets", basket_body(scene), key="k2").status_code == 201


def test_a_secret_shown_once_is_not_kept(scene: Scene, call: Caller) -> None:
    """SEC-06: a token is stored as its hash alone, in kept answers too."""
    person = scene.act("first")
    rights = dataclasses.replace(person.principal, office_permissions=frozenset({Permission.ADMIN}))
    admin = dataclasses.replace(person, principal=rights)
    body = {"name": "Portal", "scopes": ["coda"]}
    assert call(admin, "/credentials", body).status_code == 201
    again = call(admin, "/credentials", body)
    assert (again.status_code, again.json()["code"]) == (409, "idempotency_answer_not_kept")
    assert [row.answer_cipher for row in stored(scene.gateway, scene.office)] == [None]


def test_no_answer_that_shows_a_secret_once_is_kept() -> None:
    """SEC-06: a key repeated within seven days shows no secret again."""
    document = create_app(None).openapi()  # type: ignore[arg-type]  # describing needs no installation
    shapes = document["components"]["schemas"]
    secret = {"secret", "client_secret", "token", "codes"}

    def fields(shape: Any, seen: frozenset[str] = frozenset()) -> Iterator[tuple[str, str]]:
        if isinstance(shape, list):
            for part in shape:
                yield from fields(part, seen)
        elif isinstance(shape, dict):
            name = str(shape.get("$ref", "")).rpartition("/")[2]
            if name and name not in seen:
                yield from fields(shapes[name], seen | {name})
            for field, told in shape.get("properties", {}).items():
                yield field, str(told.get("description", ""))
            for part in shape.values():
                yield from fields(part, seen)

    def routes(router: Any) -> Iterator[Any]:
        for route in router.routes:
            inner = getattr(route, "original_router", None)
            yield from [route] if inner is None else routes(inner)

    marked = {
        route.operation_id
        for module in subject_modules("endpoints")
        for route in routes(module.router)
        if (route.openapi_extra or {}).get(NOT_KEPT_MARK)
    }
    shown = {
        post["operationId"]
        for path in document["paths"].values()
        if (post := path.get("post")) is not None
        for status, answer in post["responses"].items()
        if status.startswith("2")
        if any(name in secret or "shown this once" in told for name, told in fields(answer))
    }
    assert {"create_credential", "rotate_webhook_secret", "create_invitation"} <= shown
    assert shown <= marked


def test_the_key_is_required_where_money_and_rights_begin(scene: Scene, call: Caller) -> None:
    """API-03: 400 without."""
    described = call.app.openapi()
    required = {
        operation["operationId"]
        for methods in described["paths"].values()
        for operation in methods.values()
        if any(p["name"] == "Idempotency-Key" and p.get("required") for p in operation.get("parameters", ()))
    }
    assert required >= REQUIRED
    basket, _ = scene.basket()
    answer = call(
        scene.machine("payments:write"), f"/baskets/{encode('basket', basket.id)}/payments", {"items": [{}]}, key=None
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_required")


@pytest.mark.parametrize("key", ["", " ", "a" * 256, "caf\xe9", "a\tb"])
def test_a_key_is_1_to_255_printable_ascii_characters(scene: Scene, call: Caller, key: str) -> None:
    """API-03."""
    headers = {"Idempotency-Key": key.encode("latin-1")}
    call.act = scene.machine("payments:write")
    answer = call.http.post("/v1/baskets", json=basket_body(scene), headers=headers)  # type: ignore[arg-type]  # raw bytes
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_invalid")
    longest = call(scene.machine("payments:write"), "/baskets", basket_body(scene), key="a" * 255)
    assert longest.status_code == 201


def test_two_keys_are_none(scene: Scene, call: Caller) -> None:
    call.act = scene.machine("payments:write")
    answer = call.http.post(
        "/v1/baskets", json=basket_body(scene), headers=[("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    )
    assert answer.json()["code"] == "idempotency_key_invalid"


def test_every_post_takes_a_key(call: Caller) -> None:
    """API-03: accepted on every POST."""
    for path, methods in call.app.openapi()["paths"].items():
        for method, operation in methods.items():
            named = {parameter["name"] for parameter in operation.get("parameters", ())}
            assert ("Idempotency-Key" in named) == (method == "post"), f"{method} {path}"


def test_another_offices_key_is_another_key(scene: Scene, call: Caller) -> None:
    """Law 5."""
    call(scene.machine("payments:write"), "/baskets", basket_body(scene))
    other = OfficeService(scene.gateway).create(name="Ander", language="nl", mode="test", consent_days_max=90)
    assert stored(scene.gateway, other) == []

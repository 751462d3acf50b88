"""What no honest caller sends is refused as the caller's fault, never a defect of ours (API-02)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from gateway.api import current_act
from gateway.app import BODY_BYTES_MAX, create_app
from gateway.assembly import Gateway
from gateway.identity.rights import Permission
from gateway.ids import encode
from gateway.offices.service import ClientService, ClientWish
from gateway.payments.baskets import BasketService
from gateway.payments.errors import ExternalIdTaken
from tests.gateway.builders import act_of_system, make_client, make_office
from tests.gateway.payments.scene import Scene, make_scene
from tests.sepa.samples import CREDITOR_IBAN

KEY = {"Idempotency-Key": "0b9c4a56-6d0e-4a55-9a52-7d3f1b0c2f11"}
NUL = "Bakkerij\u0000"


@pytest.fixture
def scene(gateway: Gateway) -> Scene:
    return make_scene(gateway)


@pytest.fixture
def http(scene: Scene) -> Iterator[TestClient]:
    app = create_app(scene.gateway)
    act = scene.machine(permissions=list(Permission))
    app.dependency_overrides[current_act] = lambda: act
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def refused(answer: Any, status: int = 422) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_text_with_a_nul_cannot_be_stored(http: TestClient, scene: Scene) -> None:
    client_id = encode("client", scene.client.id)
    refused(http.post("/v1/sessions", json={"email": NUL, "password": "x" * 12}))
    refused(http.get("/v1/payments?external_id=%00"))
    refused(http.post("/v1/baskets", json={"client_id": client_id, "name": NUL}))


@pytest.mark.parametrize("moment", ["2026-12-01T00:00:00", "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"])
def test_a_moment_without_offset_or_beyond_the_calendar_is_refused(http: TestClient, moment: str) -> None:
    refused(http.post("/v1/credentials", json={"name": "Portal", "scopes": ["coda"], "expires_at": moment}))


def test_the_first_day_of_the_calendar_has_no_month_before_it(http: TestClient, scene: Scene) -> None:
    answer = http.get(f"/v1/accounts/{encode('account', scene.accounts[0].id)}/days?to=0001-01-01")
    assert answer.status_code == 200, answer.text


def test_ten_days_before_the_first_day_of_the_calendar_are_past(http: TestClient, scene: Scene) -> None:
    basket = BasketService(scene.gateway).create(scene.machine("payments:write"), scene.client.id, name="Week").basket
    row = {
        "debtor_account_id": encode("account", scene.accounts[0].id),
        "creditor": {"name": "Drukkerij Voorbeeld BV", "iban": CREDITOR_IBAN},
        "amount": {"amount": "1.00", "currency": "EUR"},
        "execution_date": {"choice": "before_due_date", "days_before": 10},
        "due_date": "0001-01-02",
    }
    answer = http.post(f"/v1/baskets/{encode('basket', basket.id)}/payments", json={"items": [row]}, headers=KEY)
    assert answer.status_code == 200, answer.text
    findings = answer.json()["items"][0]["payment"]["findings"]
    assert "date_past" in {finding["code"] for finding in findings}


def test_an_address_that_is_none_is_refused(http: TestClient, scene: Scene) -> None:
    body = {"client_id": encode("client", scene.client.id), "bank_id": "crelan", "return_url": "http://["}
    refused(http.post("/v1/consents", json=body, headers=KEY))
    headers = {"Cookie": "sluis_session=x", "Origin": "http://["}
    http.app.dependency_overrides.clear()  # type: ignore[attr-defined]  # the application as it is served
    refused(http.delete("/v1/sessions/current", headers=headers), 401)


def test_a_body_without_length_is_cut_off_at_the_limit(http: TestClient) -> None:
    pieces = (b" " * (BODY_BYTES_MAX // 4) for _ in range(5))
    refused(http.post("/v1/sessions", content=pieces, headers={"Content-Type": "application/json"}), 413)


def test_a_defect_is_answered_with_its_id_and_the_safety_headers(http: TestClient) -> None:
    def broken(request: Request) -> None:
        raise RuntimeError(request.url.path)

    http.app.add_route("/broken", broken)  # type: ignore[attr-defined]  # as above
    answer = http.get("/broken")
    refused(answer, 500)
    assert answer.headers["X-Request-ID"] == answer.json()["request_id"]
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert "/broken" not in answer.text


def test_an_external_id_of_another_client_is_refused(http: TestClient, scene: Scene) -> None:
    one = {"name": "Bakkerij Voorbeeld BV", "external_id": "e-1", "enterprise_number": scene.client.enterprise_number}
    assert http.put("/v1/clients", json=one).status_code == 200
    answer = http.put("/v1/clients", json={**one, "enterprise_number": "0477472701"})
    refused(answer, 409)
    assert answer.json()["errors"][0]["code"] == "external_id_taken"


def test_the_same_client_or_basket_twice_at_once_is_made_once(committed: Gateway) -> None:
    office = make_office(committed)
    act = act_of_system(office)
    wish = ClientWish(name="Bakkerij Voorbeeld BV", language="nl", external_id="e-1")
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: ClientService(committed).put(act, wish), range(8)))
    assert sorted(is_new for _, is_new in made) == [False] * 7 + [True]
    client = make_client(committed, office)

    def create(_: int) -> bool:
        try:
            BasketService(committed).create(act, client.id, name="Week 47", external_id="b-1")
        except ExternalIdTaken:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(create, range(8))) == [False] * 7 + [True]

"""The road over REST: shapes, ETags, seals, problems, another office."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.testclient import TestClient

from gateway.act import Act
from gateway.api import current_act
from gateway.ids import encode, new_id
from tests.gateway.payments.scene import Scene, make_scene
from tests.gateway.serving import app_of
from tests.sepa.samples import CREDITOR_IBAN, GERMAN_IBAN, SWISS_IBAN


@dataclass
class Caller:
    """A client of the API that acts as whoever is set."""

    http: TestClient
    act: Act | None = None

    def __call__(self, method: str, path: str, *, by: Act, status: int, **more: Any) -> Any:
        self.act = by
        if method == "POST":
            more["headers"] = {"Idempotency-Key": str(new_id())} | more.get("headers", {})
        answer = self.http.request(method, f"/v1{path}", **more)
        assert answer.status_code == status, answer.text
        return answer

    def json(self, method: str, path: str, *, by: Act, status: int = 200, **more: Any) -> Any:
        return self(method, path, by=by, status=status, **more).json()


@pytest.fixture
def call(scene: Scene) -> Caller:
    app = app_of(scene.gateway)
    caller = Caller(TestClient(app))
    app.dependency_overrides[current_act] = lambda: caller.act
    return caller


def body(scene: Scene, **changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "debtor_account_id": encode("account", scene.accounts[0].id),
        "creditor": {"name": "Café Müller & Zonen", "iban": CREDITOR_IBAN},
        "amount": {"amount": "121.00", "currency": "EUR"},
        "remittance": {"kind": "structured", "issuer": "BBA", "reference": "+++291/4177/76370+++"},
        "source_reference": "invoice 1",
        "labels": ["kantoor"],
    }
    return row | changes


def new_basket(call: Caller, scene: Scene) -> str:
    made = call.json(
        "POST", "/baskets", by=scene.machine("payments:write"), status=201,
        json={"client_id": encode("client", scene.client.id), "name": "Week 47"},
    )  # fmt: skip
    return str(made["id"])


def test_the_portal_prepares_and_people_decide(call: Caller, scene: Scene) -> None:
    portal = scene.machine("payments:write")
    basket = new_basket(call, scene)
    rows = call.json(
        "POST", f"/baskets/{basket}/payments", by=portal, json={"items": [body(scene, external_id="p-1")]}
    )["items"]  # fmt: skip
    payment = rows[0]["payment"]
    assert rows[0]["status"] == "created"
    assert payment["creditor"]["name"] == "Café Müller & Zonen"
    assert payment["creditor"]["sent_name"] == "Cafe Muller + Zonen"
    assert payment["sent_remittance"]["reference"] == "291417776370"
    assert payment["amount"] == {"amount": "121.00", "currency": "EUR"}
    version = call("GET", f"/baskets/{basket}", by=portal, status=200).headers["ETag"]
    assert call.json("POST", f"/baskets/{basket}/submissions", by=portal, status=428, json={})["code"] == (
        "version_required"
    )
    submitted = call.json(
        "POST", f"/baskets/{basket}/submissions", by=portal, status=201, json={}, headers={"If-Match": version}
    )
    assert submitted["basket"]["state"] == "submitted"
    assert len(submitted["evaluations"][0]["may_act"]) == 2
    first = scene.act("first")
    (waiting,) = call.json("GET", "/approval-requests?view=by_me", by=first)["items"]
    seal = waiting["payment"]["seal"]
    decisions = f"/payments/{payment['id']}/decisions"
    approve = {"verdict": "approve"}
    assert call.json("POST", decisions, by=first, status=428, json=approve)["code"] == "seal_required"
    wrong = {"If-Match": '"v1:0"'}
    assert call.json("POST", decisions, by=first, status=412, json=approve, headers=wrong)["code"] == "seal_changed"
    right = {"If-Match": f'"{seal}"'}
    assert call.json("POST", decisions, by=portal, status=403, json=approve, headers=right)["code"] == (
        "person_required"
    )
    stale = scene.act("first", is_fresh=False)
    assert call.json("POST", decisions, by=stale, status=403, json=approve, headers=right)["code"] == (
        "second_factor_required"
    )
    decided = call.json("POST", decisions, by=first, status=201, json=approve, headers=right)
    assert decided["payment"]["state"] == "approved"
    exporter = scene.act("exporter")
    (export,) = call.json("POST", f"/baskets/{basket}/exports", by=exporter, status=201, json={})["items"]
    assert export["total"] == {"amount": "121.00", "currency": "EUR"}
    answer = call("GET", f"/exports/{export['id']}/content", by=exporter, status=200)
    assert answer.headers["ETag"] == f'"{export["sha256"]}"'
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{export["file_name"]}"'
    assert answer.content.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    assert call.json("GET", "/payments?source_reference=invoice 1", by=portal)["items"][0]["state"] == "exported"
    assert len(call.json("GET", f"/exports/{export['id']}/downloads", by=exporter)["items"]) == 1


def test_a_row_that_cannot_be_read_does_not_stop_the_others(call: Caller, scene: Scene) -> None:
    basket = new_basket(call, scene)
    rows = [
        body(scene, amount={"amount": 121.0, "currency": "EUR"}),
        body(scene, external_id="p-1"),
        body(scene, unknown=1),
        body(scene, external_id="p-1"),
        body(scene, amount={"amount": "1.005", "currency": "EUR"}),
    ]
    portal = scene.machine("payments:write")
    items = call.json("POST", f"/baskets/{basket}/payments", by=portal, json={"items": rows})["items"]
    assert [item["status"] for item in items] == ["refused", "created", "refused", "refused", "refused"]
    assert items[0]["errors"][0]["pointer"] == "/amount/amount"
    assert items[2]["errors"][0] == {
        "pointer": "/unknown", "code": "extra_forbidden", "detail": "This field is not known here.",
        "hint": "Compare the field with the documentation of the operation.",
    }  # fmt: skip
    assert items[3]["errors"][0]["code"] == "external_id_taken"
    assert items[3]["existing_payment_id"] == items[1]["payment"]["id"]
    assert len(call.json("GET", f"/baskets/{basket}/payments", by=portal)["items"]) == 1


def test_every_finding_of_a_row_is_told_at_once(call: Caller, scene: Scene) -> None:
    row = body(
        scene,
        creditor={"name": "Ω", "iban": "BE12 3102 9141 7793", "bic": "NOPE"},
        amount={"amount": "0.00", "currency": "USD"},
        remittance={"kind": "structured", "issuer": "BBA", "reference": "+++291/4177/76371+++"},
        execution_date={"choice": "fixed"},
        category_purpose="XXXX",
    )
    basket = new_basket(call, scene)
    act = scene.machine("payments:write")
    (item,) = call.json("POST", f"/baskets/{basket}/payments", by=act, json={"items": [row], "dry_run": True})["items"]
    assert item["status"] == "checked"
    found = {finding["code"]: finding for finding in item["payment"]["findings"]}
    assert item["payment"]["check_result"] == "blocked"
    assert found.keys() >= {
        "iban_checksum", "bic_format", "currency_not_supported", "amount_too_small", "belgian_reference_checksum",
        "date_missing", "category_purpose_unknown",
    }  # fmt: skip
    assert found["iban_checksum"]["pointer"] == "/creditor/iban"
    assert found["iban_checksum"]["hint"]
    assert call.json("GET", f"/baskets/{basket}", by=act)["payment_count"] == 0


@pytest.mark.parametrize(
    ("iban", "code"), [(GERMAN_IBAN, "belgian_reference_as_text"), (SWISS_IBAN, "address_missing")]
)
def test_a_foreign_account_has_its_own_findings(call: Caller, scene: Scene, iban: str, code: str) -> None:
    basket = new_basket(call, scene)
    row = body(scene, creditor={"name": "Ausland", "iban": iban})
    act = scene.machine("payments:write")
    (item,) = call.json("POST", f"/baskets/{basket}/payments", by=act, json={"items": [row]})["items"]
    assert code in [finding["code"] for finding in item["payment"]["findings"]]


def test_an_edit_needs_the_version_it_was_based_on(call: Caller, scene: Scene) -> None:
    _, payments = scene.submitted()
    path = f"/payments/{encode('payment', payments[0].id)}"
    act = scene.act("preparer")
    change = {"amount": {"amount": "99.00", "currency": "EUR"}}
    version = call("GET", path, by=act, status=200).headers["ETag"]
    assert call.json("PATCH", path, by=act, status=428, json=change)["code"] == "version_required"
    changed = call("PATCH", path, by=act, status=200, json=change, headers={"If-Match": version})
    assert changed.json()["amount"]["amount"] == "99.00"
    assert changed.headers["ETag"] != version
    again = call.json("PATCH", path, by=act, status=412, json=change, headers={"If-Match": version})
    assert again["code"] == "payment_changed"
    gone = call.json("PATCH", path, by=act, status=422, json={"state": "approved"}, headers={"If-Match": version})
    assert gone["errors"][0]["pointer"] == "/state"


def test_another_office_finds_nothing(call: Caller, scene: Scene) -> None:
    basket, payments = scene.submitted()
    scene.approve("first", *payments)
    (export,) = scene.export(basket)
    foreign = make_scene(scene.gateway)
    for name in ("administrator", "preparer", "first", "exporter"):
        act = foreign.act(name)
        for path in (
            f"/baskets/{encode('basket', basket.id)}",
            f"/baskets/{encode('basket', basket.id)}/payments",
            f"/payments/{encode('payment', payments[0].id)}",
            f"/payments/{encode('payment', payments[0].id)}/approval",
            f"/exports/{encode('export', export.id)}",
        ):
            here = call.json("GET", path, by=act, status=404)
            missing = path.replace(path.split("/")[2], encode(_kind(path), foreign.client.id))
            there = call.json("GET", missing, by=act, status=404)
            assert {k: v for k, v in here.items() if k != "request_id"} == {
                k: v for k, v in there.items() if k != "request_id"
            }
        for path in ("/baskets", "/payments", "/exports", "/approval-requests?view=by_others"):
            assert call.json("GET", path, by=act)["items"] == []
    content = f"/exports/{encode('export', export.id)}/content"
    assert call.json("GET", content, by=foreign.act("exporter"), status=404)["code"] == "export_not_found"
    decide = {"verdict": "approve"}
    path = f"/payments/{encode('payment', payments[0].id)}/decisions"
    seal = {"If-Match": f'"{payments[0].seal}"'}
    assert call.json("POST", path, by=foreign.act("first"), status=404, json=decide, headers=seal)["code"] == (
        "payment_not_found"
    )


def test_rules_groups_and_settings_are_written_and_read_back(call: Caller, scene: Scene) -> None:
    administrator = scene.act("administrator")
    client = encode("client", scene.client.id)
    group = call.json(
        "POST", f"/clients/{client}/approver-groups", by=administrator, status=201,
        json={"name": "Financiën", "user_ids": [encode("user", scene.people["first"].id)]},
    )  # fmt: skip
    rule = {
        "name": "Grote bedragen", "is_active": True, "mode": "sequence", "count": 1,
        "conditions": {
            "amount_from": {"amount": "5000.01", "currency": "EUR"}, "labels": ["kantoor"],
            "debtor_account_ids": [encode("account", scene.accounts[0].id)],
        },
        "approvers": [
            {"group_id": group["id"], "amount_max": {"amount": "9000.00", "currency": "EUR"}},
            {"user_id": encode("user", scene.people["second"].id)},
        ],
    }  # fmt: skip
    made = call.json("POST", f"/clients/{client}/approval-rules", by=administrator, status=201, json=rule)
    assert made["conditions"]["amount_from"] == {"amount": "5000.01", "currency": "EUR"}
    path = f"/approval-rules/{made['id']}"
    changed = call.json("PUT", path, by=administrator, json=rule | {"name": "Anders"}, headers={"If-Match": '"1"'})
    assert (changed["version"], changed["name"]) == (2, "Anders")
    assert call.json("PUT", path, by=administrator, status=412, json=rule, headers={"If-Match": '"1"'})["code"] == (
        "approval_rule_changed"
    )
    stranger = rule | {"approvers": [{"user_id": encode("user", scene.client.id)}]}
    refused = call.json("POST", f"/clients/{client}/approval-rules", by=administrator, status=422, json=stranger)
    assert refused["errors"][0]["pointer"] == "/approvers/0/user_id"
    machine = scene.machine("admin", "payments:write")
    for act in (machine, scene.machine(permissions=scene.act("administrator").principal.office_permissions)):
        assert call.json("POST", f"/clients/{client}/approval-rules", by=act, status=403, json=rule)["code"] == (
            "person_required"
        )
    assert len(call.json("GET", f"/clients/{client}/approval-rules", by=administrator)["items"]) == 2
    settings = f"/clients/{client}/approval-settings"
    etag = call("GET", settings, by=administrator, status=200).headers["ETag"]
    off = {"is_payment_process_on": False}
    assert not call.json("PUT", settings, by=administrator, json=off, headers={"If-Match": etag})[
        "is_payment_process_on"
    ]


def test_many_decisions_have_a_result_each(call: Caller, scene: Scene) -> None:
    _, payments = scene.submitted(*(scene.wish() for _ in range(3)))
    items = [
        {"payment_id": encode("payment", payments[0].id), "seal": payments[0].seal, "verdict": "approve"},
        {"payment_id": encode("payment", payments[1].id), "seal": "v1:other", "verdict": "approve"},
        {
            "payment_id": encode("payment", payments[2].id), "seal": payments[2].seal, "verdict": "reject",
            "reason_code": "disputed", "reason_text": "Niet geleverd",
        },
        {"payment_id": encode("payment", scene.client.id), "seal": "v1:other", "verdict": "approve"},
    ]  # fmt: skip
    results = call.json("POST", "/decisions", by=scene.act("first"), json={"items": items})["items"]
    assert [(r["status"], r["code"]) for r in results] == [
        ("decided", None), ("refused", "seal_changed"), ("decided", None), ("refused", "payment_not_found"),
    ]  # fmt: skip
    assert results[2]["payment"]["state"] == "rejected"


def _kind(path: str) -> str:
    return {"baskets": "basket", "payments": "payment", "exports": "export"}[path.split("/")[1]]

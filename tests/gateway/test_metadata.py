"""API-06: objects take up to 20 pairs of key and value and are found by them; each change is an entry and event."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import select
from starlette.testclient import TestClient

from gateway.app import create_app
from gateway.assembly import Gateway
from gateway.audit.models import AuditEntry
from gateway.documents import _NoInstallation
from gateway.events.models import Event
from gateway.identity.rights import Permission
from gateway.ids import encode
from gateway.machines.service import MachineService
from gateway.metadata.filters import LISTS
from gateway.metadata.models import MetadataPair
from gateway.metadata.service import BASKET, CLIENT, PAYMENT, MetadataService
from gateway.payments.errors import PaymentNotFound
from tests.gateway.builders import act_of_system, make_client, make_office
from tests.gateway.payments.scene import Scene, make_scene
from tests.gateway.serving import app_of
from tests.gateway.test_statement_counts import counted


@pytest.fixture
def scene(gateway: Gateway) -> Scene:
    return make_scene(gateway)


@pytest.fixture
def http(gateway: Gateway, scene: Scene) -> Iterator[TestClient]:
    """A program with the scopes for clients and payments."""
    act = act_of_system(scene.office, now=gateway.real_now())
    _, key = MachineService(gateway).create_credential(act, name="Portal", scopes=["clients", "payments:write"])
    with TestClient(app_of(gateway), headers={"Authorization": f"Bearer {key}"}) as client:
        yield client


def address(scene: Scene) -> str:
    return f"/v1/clients/{encode('client', scene.client.id)}/metadata"


def test_pairs_are_set_read_and_replaced_and_each_change_is_recorded(http: TestClient, scene: Scene) -> None:
    path = address(scene)
    assert http.get(path).json() == {"metadata": {}}
    pairs = {"dossier": "2026-118", "crm.id": "é – 1"}
    assert http.put(path, json={"metadata": pairs}).json() == {"metadata": pairs}
    assert http.put(path, json={"metadata": pairs}).status_code == 200
    assert http.put(path, json={"metadata": {"dossier": "2026-119"}}).json()["metadata"] == {"dossier": "2026-119"}
    assert http.get(path).json() == {"metadata": {"dossier": "2026-119"}}
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        entries = session.exec(select(AuditEntry).where(AuditEntry.action == "client.metadata_changed")).all()
        events = session.exec(select(Event).where(Event.type == "client.metadata_changed")).all()
    assert (len(entries), len(events)) == (2, 2), "a repetition changes nothing and is no entry"
    assert all(event.data == {} for event in events), "values may be personal, and stay out of events"


@pytest.mark.parametrize(
    "pairs",
    [
        {f"k{number}": "x" for number in range(21)},
        {"k" * 41: "x"},
        {"k": "x" * 501},
        {"k": ""},
        {"": "x"},
        {"a]b": "x"},
        {"k": 1},
        {"k": None},
    ],
)
def test_more_or_longer_pairs_than_allowed_are_refused(http: TestClient, scene: Scene, pairs: dict[str, Any]) -> None:
    assert http.put(address(scene), json={"metadata": pairs}).status_code == 422
    longest = {f"{number:02d}".ljust(40, "k"): "é" * 500 for number in range(20)}
    assert http.put(address(scene), json={"metadata": longest}).status_code == 200


PAIRS = {"dossier": "2026-118", "crm.id": "é – 1"}


def test_a_client_is_made_changed_and_shown_with_its_pairs(http: TestClient, scene: Scene) -> None:
    """In the bodies: left out or null, they stay; empty, they go. In answers: always there."""
    body = {"name": "Bakkerij Test", "external_id": "crm-1"}
    made = http.put("/v1/clients", json={**body, "metadata": PAIRS})
    assert (made.status_code, made.json()["metadata"]) == (201, PAIRS)
    path = f"/v1/clients/{made.json()['id']}"
    for more in ({}, {"metadata": None}, {"metadata": PAIRS}):
        assert http.put("/v1/clients", json={**body, **more}).json()["metadata"] == PAIRS
    assert http.get(path).json()["metadata"] == http.get(f"{path}/metadata").json()["metadata"] == PAIRS
    assert http.put("/v1/clients", json={**body, "metadata": {"tier": "1"}}).json()["metadata"] == {"tier": "1"}
    shown = {row["id"]: row["metadata"] for row in http.get("/v1/clients").json()["items"]}
    assert shown == {made.json()["id"]: {"tier": "1"}, encode("client", scene.client.id): {}}
    assert http.put("/v1/clients", json={**body, "metadata": {}}).json()["metadata"] == {}
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        entries = session.exec(select(AuditEntry).where(AuditEntry.action == "client.metadata_changed")).all()
    assert len(entries) == 3, "what stays as it is, is no entry"


def test_baskets_and_payments_are_made_changed_and_shown_with_their_pairs(http: TestClient, scene: Scene) -> None:
    body = {"client_id": encode("client", scene.client.id), "name": "Week 48", "metadata": PAIRS}
    basket = http.post("/v1/baskets", json=body).json()
    assert basket["metadata"] == PAIRS
    path = f"/v1/baskets/{basket['id']}"
    wish = {
        "debtor_account_id": encode("account", scene.accounts[0].id),
        "creditor": {"name": "Leverancier", "iban": "BE68539007547034"},
        "amount": {"amount": "10.00", "currency": "EUR"},
    }
    rows = [{**wish, "metadata": {"row": "1"}}, wish, {**wish, "metadata": {"k" * 41: "x"}}]
    made = http.post(f"{path}/payments", json={"items": rows}, headers={"Idempotency-Key": "a"}).json()["items"]
    assert [row["payment"] and row["payment"]["metadata"] for row in made] == [{"row": "1"}, {}, None]
    assert made[2]["errors"][0]["pointer"].startswith("/metadata"), made[2]
    first = f"/v1/payments/{made[0]['payment']['id']}"
    read = http.get(first)
    assert read.json()["metadata"] == {"row": "1"}
    edited = http.patch(first, json={"metadata": {"row": "one"}}, headers={"If-Match": read.headers["ETag"]})
    assert edited.json()["metadata"] == {"row": "one"}
    assert edited.headers["ETag"] == read.headers["ETag"], "pairs are no content: no version, no seal"
    kept = http.patch(first, json={"labels": ["x"]}, headers={"If-Match": read.headers["ETag"]}).json()
    assert kept["metadata"] == {"row": "one"}
    for listing in ("/v1/payments", f"{path}/payments"):
        pairs = [row["metadata"] for row in http.get(listing).json()["items"]]
        assert sorted(pairs, key=str) == [{"row": "one"}, {}] or sorted(pairs, key=len) == [{}, {"row": "one"}]
    assert http.get("/v1/baskets").json()["items"][0]["metadata"] == PAIRS


def test_an_account_is_changed_and_shown_with_its_pairs(gateway: Gateway, scene: Scene) -> None:
    act = act_of_system(scene.office, now=gateway.real_now())
    _, key = MachineService(gateway).create_credential(act, name="Portal", scopes=["accounts", "admin"])
    path = f"/v1/accounts/{encode('account', scene.accounts[0].id)}"
    with TestClient(app_of(gateway), headers={"Authorization": f"Bearer {key}"}) as http:
        changed = http.patch(path, json={"alias": "Zicht", "metadata": PAIRS}).json()
        assert (changed["alias"], changed["metadata"]) == ("Zicht", PAIRS)
        assert http.patch(path, json={"alias": "Zicht 2"}).json()["metadata"] == PAIRS
        rows = {row["id"]: row["metadata"] for row in http.get("/v1/accounts").json()["items"]}
        assert rows[changed["id"]] == PAIRS
        assert http.patch(path, json={"metadata": {}}).json()["metadata"] == {}


def test_every_answer_that_shows_such_an_object_shows_its_pairs() -> None:
    """In one place for all of them: an operation that is new is found by what it answers."""
    document = create_app(_NoInstallation()).openapi()  # type: ignore[arg-type]  # describing needs no installation
    shapes = document["components"]["schemas"]
    for name in ("ClientRead", "AccountRead", "ConsentRead", "BasketRead", "PaymentRead"):
        assert "metadata" in shapes[name]["required"], name
    for name in ("ClientWrite", "AccountWrite", "ConsentWrite", "BasketWrite", "PaymentWrite", "PaymentPatch"):
        assert "metadata" in shapes[name]["properties"], name
        assert "metadata" not in shapes[name].get("required", ()), name


def test_a_list_reads_the_pairs_of_all_its_rows_in_one_statement(http: TestClient, scene: Scene) -> None:
    """OPS-03; and a list of objects that take none reads none."""
    for number in range(3):
        make_client(scene.gateway, scene.office, name=f"Klant {number}")
    http.get("/v1/clients")
    for path, expected in (("/v1/clients?limit=1", 1), ("/v1/clients", 1), ("/v1/exports", 0)):
        with counted(scene.gateway) as statements:
            assert http.get(path).status_code == 200
        assert sum("metadata_pair" in statement for statement in statements) == expected, path


def test_lists_are_filtered_by_pairs_page_after_page(http: TestClient, scene: Scene) -> None:
    act, service = act_of_system(scene.office), MetadataService(scene.gateway)
    others = [make_client(scene.gateway, scene.office, name=f"Klant {number}") for number in range(5)]
    for number, client in enumerate(others):
        service.put(act, CLIENT, client.id, Permission.CLIENTS_WRITE, {"region": "west", "tier": str(number % 2)})
    found = http.get("/v1/clients", params={"metadata[region]": "west", "metadata[tier]": "0"}).json()["items"]
    assert [row["id"] for row in found] == [encode("client", others[number].id) for number in (0, 2, 4)]
    first = http.get("/v1/clients", params={"metadata[region]": "west", "limit": "3"}).json()
    rest = http.get(
        "/v1/clients", params={"metadata[region]": "west", "limit": "3", "cursor": first["next_cursor"]}
    ).json()
    assert len(first["items"] + rest["items"]) == 5
    stolen = http.get("/v1/clients", params={"metadata[region]": "east", "cursor": first["next_cursor"]})
    assert stolen.json()["code"] == "cursor_invalid"
    assert http.get("/v1/clients", params={"metadata[region]": "West"}).json()["items"] == []


def test_payments_and_baskets_are_filtered_too(http: TestClient, scene: Scene) -> None:
    basket, payments = scene.basket(scene.wish(), scene.wish())
    act, service = scene.act("preparer"), MetadataService(scene.gateway)
    service.put(act, PAYMENT, payments[0].id, Permission.PAYMENTS_WRITE, {"invoice": "1"})
    service.put(act, BASKET, basket.id, Permission.PAYMENTS_WRITE, {"run": "w48"})
    wanted = [encode("payment", payments[0].id)]
    for path in ("/v1/payments", f"/v1/baskets/{encode('basket', basket.id)}/payments"):
        found = http.get(path, params={"metadata[invoice]": "1"})
        assert [row["id"] for row in found.json()["items"]] == wanted, found.text
    assert len(http.get("/v1/baskets", params={"metadata[run]": "w48"}).json()["items"]) == 1
    assert http.get("/v1/baskets", params={"metadata[invoice]": "1"}).json()["items"] == []


def test_a_sealed_payment_keeps_its_seal(scene: Scene) -> None:
    """Law 4: pairs are no content; approvals stay."""
    scene.rule("every payment", scene.user("first"))
    basket, (payment,) = scene.submitted()
    scene.approve("first", payment)
    act = scene.act("preparer")
    MetadataService(scene.gateway).put(act, PAYMENT, payment.id, Permission.PAYMENTS_WRITE, {"invoice": "1"})
    assert len(scene.export(basket)) == 1


@pytest.mark.parametrize("query", ["metadata=x", "metadata[a]b=x", "metadata[]=x", "metadata[" + "k" * 41 + "]=x"])
def test_what_is_no_such_filter_is_refused(http: TestClient, query: str) -> None:
    assert http.get(f"/v1/clients?{query}").json()["code"] == "query_unknown"


def test_lists_of_other_objects_and_absurd_filters_are_refused(http: TestClient) -> None:
    assert http.get("/v1/exports?metadata[a]=x").json()["code"] == "query_unknown"
    many = "&".join(f"metadata[k{number}]=x" for number in range(21))
    assert http.get(f"/v1/clients?{many}").json()["code"] == "query_unknown"
    assert http.get("/v1/clients?metadata[a]=" + "x" * 501).json()["code"] == "query_unknown"
    described = http.get("/v1/openapi.json").json()["paths"].values()
    taking = {
        operation["operationId"]
        for methods in described
        for operation in methods.values()
        if any(parameter["name"] == "metadata" for parameter in operation.get("parameters", ()))
    }
    assert taking == LISTS


def test_another_offices_pairs_are_not_there(gateway: Gateway, scene: Scene) -> None:
    """Law 5, SEC-05: not read, not set, not found by a filter."""
    _, (payment,) = scene.basket()
    service, other = MetadataService(gateway), make_office(gateway)
    for call in (
        lambda: service.get(act_of_system(other), PAYMENT, payment.id, Permission.PAYMENTS_READ),
        lambda: service.put(act_of_system(other), PAYMENT, payment.id, Permission.PAYMENTS_WRITE, {"a": "b"}),
    ):
        with pytest.raises(PaymentNotFound):
            call()
    service.put(scene.act("preparer"), PAYMENT, payment.id, Permission.PAYMENTS_WRITE, {"a": "b"})
    with gateway.database.unit_of_work(other.id) as session:
        assert session.exec(select(MetadataPair)).all() == []


def test_values_are_found_by_index_under_row_level_security(gateway: Gateway, scene: Scene) -> None:
    """Design §3: leakproof operators only, so that the policy does not keep the index from being used."""
    with gateway.database.unit_of_work(scene.office.id) as session:
        # Enough pages that the number of conditions an index takes decides, whatever statistics there are.
        session.execute(
            text(
                "INSERT INTO metadata_pair (id, office_id, object_kind, object_id, client_id, key, value)"
                " SELECT gen_random_uuid(), :office, 'payment', gen_random_uuid(), :client, 'a', n::text"
                " FROM generate_series(1, 3000) n"
            ),
            {"office": scene.office.id, "client": scene.client.id},
        )
        session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = session.execute(
            text(
                "EXPLAIN SELECT object_id FROM metadata_pair WHERE office_id = :office AND object_kind = 'payment'"
                " AND key = 'a' AND value = 'b'"
            ),
            {"office": scene.office.id},
        ).scalars()
        plan_text = "\n".join(plan)
    assert "ix_metadata_pair_value" in plan_text
    assert "(value = 'b'" in plan_text.partition("Index Cond")[2].partition("\n")[0]

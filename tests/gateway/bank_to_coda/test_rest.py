"""The REST face: shapes, files, another office's data (404), no sign-in (401), and a bounded number of queries."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event
from starlette.testclient import TestClient

from connectors.simulator import SimulatorServer
from gateway.assembly import Gateway
from gateway.consents.service import ConsentService
from gateway.ids import encode, new_id
from gateway.machines.service import MachineService
from gateway.offices.models import Office
from tests.gateway.bank_to_coda.story import Story
from tests.gateway.builders import act_of_system, make_office
from tests.gateway.serving import app_of

LISTS = ("/v1/accounts", "/v1/transactions", "/v1/statements", "/v1/consents", "/v1/banks")


@pytest.fixture
def story(linked: Gateway, banks: SimulatorServer) -> Story:
    story = Story.begin(linked, banks)
    account = story.connect()
    story.work()
    story.sleep()
    story.read(account)
    return story


@pytest.fixture
def client(linked: Gateway) -> Iterator[TestClient]:
    with TestClient(app_of(linked)) as client:
        yield client


def sign_in(gateway: Gateway, office: Office, *scopes: str) -> dict[str, str]:
    """Headers of a machine with these scopes."""
    _credential, token = MachineService(gateway).create_credential(
        act_of_system(office, now=gateway.real_now()), name="test", scopes=list(scopes)
    )
    return {"Authorization": f"Bearer {token}", "Accept-Language": "en"}


@pytest.fixture
def headers(story: Story) -> dict[str, str]:
    return sign_in(story.gateway, story.office, "consents", "accounts", "transactions", "coda")


def ids(story: Story) -> dict[str, str]:
    account = story.accounts()[0]
    assert account.consent_id is not None
    return {
        "account": encode("account", account.id),
        "consent": encode("consent", account.consent_id),
        "transaction": encode("transaction", story.transactions()[0].id),
        "statement": encode("statement", story.statements("issued")[0].id),
        "client": encode("client", story.client.id),
    }


def addresses(known: dict[str, str]) -> list[str]:
    return [
        f"/v1/accounts/{known['account']}",
        f"/v1/accounts/{known['account']}/balances",
        f"/v1/accounts/{known['account']}/days",
        f"/v1/consents/{known['consent']}",
        f"/v1/transactions/{known['transaction']}",
        f"/v1/statements/{known['statement']}",
        f"/v1/statements/{known['statement']}/entries",
        f"/v1/statements/{known['statement']}/content",
        f"/v1/transactions?account_id={known['account']}",
        f"/v1/statements?account_id={known['account']}",
        f"/v1/accounts?client_id={known['client']}",
        f"/v1/consents?client_id={known['client']}",
    ]


def keyed(headers: dict[str, str]) -> dict[str, str]:
    return {**headers, "Idempotency-Key": str(new_id())}


def test_everything_of_the_road_can_be_read(story: Story, client: TestClient, headers: dict[str, str]) -> None:
    for address in [*LISTS, *addresses(ids(story))]:
        response = client.get(address, headers=headers)
        assert response.status_code == 200, (address, response.text)
    account = client.get("/v1/accounts", headers=headers).json()["items"][0]
    assert (account["health"], account["stale_reason"], account["next_step"]) == ("ok", None, None)
    assert account["fresh_as_of"].endswith("Z")
    assert account["last_statement_date"]
    statement = client.get("/v1/statements?state=issued&limit=1", headers=headers).json()["items"][0]
    assert statement["opening_balance"]["currency"] == "EUR"
    row = client.get("/v1/transactions?limit=1", headers=headers).json()["items"][0]
    assert isinstance(row["amount"]["amount"], str)


def test_a_file_is_the_same_at_every_download(story: Story, client: TestClient, headers: dict[str, str]) -> None:
    address = f"/v1/statements/{ids(story)['statement']}/content"
    first, second = client.get(address, headers=headers), client.get(address, headers=headers)
    assert first.content == second.content
    digest = hashlib.sha256(first.content).hexdigest()
    assert first.headers["X-Content-SHA256"] == digest
    assert first.headers["Content-Disposition"].endswith('_EUR_2026_001.cod"')
    again = client.get(address, headers={**headers, "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_another_office_s_ids_answer_like_missing_ones(story: Story, client: TestClient) -> None:
    other = make_office(story.gateway, name="Ander kantoor")
    headers = sign_in(story.gateway, other, "consents", "accounts", "transactions", "coda")
    known = ids(story)
    missing = {kind: encode(kind, new_id()) for kind in known}
    for foreign, absent in zip(addresses(known), addresses(missing), strict=True):
        answers = [client.get(address, headers=headers) for address in (foreign, absent)]
        assert [answer.status_code for answer in answers] == [404, 404], foreign
        bodies: list[dict[str, Any]] = [answer.json() for answer in answers]
        for body in bodies:
            body.pop("request_id")
        assert bodies[0] == bodies[1], foreign
    for address in LISTS[:-1]:
        assert client.get(address, headers=headers).json()["items"] == []
    for kind, path in (("account", "syncs"), ("consent", "revocations")):
        assert client.post(f"/v1/{kind}s/{known[kind]}/{path}", headers=headers).status_code == 404
    assert client.patch(f"/v1/accounts/{known['account']}", headers=headers, json={"alias": "x"}).status_code == 404
    body = {"client_id": known["client"], "bank_id": "crelan"}
    assert client.post("/v1/consents", headers=keyed(headers), json=body).status_code == 404


def test_without_sign_in_nothing_is_answered(story: Story, client: TestClient) -> None:
    for address in [*LISTS, *addresses(ids(story))]:
        assert client.get(address).status_code == 401, address
    assert client.post("/v1/consents", json={}).status_code == 401


def test_without_the_scope_it_is_refused(story: Story, client: TestClient) -> None:
    headers = sign_in(story.gateway, story.office, "clients")
    for address in (LISTS[0], LISTS[1], LISTS[2], LISTS[3]):
        assert client.get(address, headers=headers).status_code == 403, address


def test_a_consent_is_made_over_rest(story: Story, client: TestClient, headers: dict[str, str]) -> None:
    body = {"client_id": ids(story)["client"], "bank_id": "keytrade", "language": "fr"}
    response = client.post("/v1/consents", headers=keyed(headers), json=body)
    assert response.status_code == 201, response.text
    token = response.json()["authorisation_url"].rpartition("/")[2]
    assert ConsentService(story.gateway).view_link(token).bank_id == "keytrade"
    created = response.json()["consent"]
    assert (created["state"], created["accounts"]) == ("created", [])
    address = response.headers["Location"]
    assert client.post(f"{address}/revocations", headers=headers).json()["state"] == "abandoned"
    assert client.post(f"{address}/revocations", headers=headers).json()["code"] == "invalid_transition"
    wrong = client.post("/v1/consents", headers=keyed(headers), json={**body, "extra": 1, "language": "xx"})
    assert (wrong.status_code, len(wrong.json()["errors"])) == (422, 2)


def test_a_reading_is_asked_for_over_rest(story: Story, client: TestClient, headers: dict[str, str]) -> None:
    response = client.post(f"/v1/accounts/{ids(story)['account']}/syncs", headers=headers)
    assert response.status_code == 202, response.text
    story.work()
    done = client.get(response.headers["Location"], headers=headers).json()
    assert (done["state"], done["is_attended"], done["error_code"]) == ("done", False, None)


def test_settings_of_an_account_have_limits(story: Story, client: TestClient, headers: dict[str, str]) -> None:
    address = f"/v1/accounts/{ids(story)['account']}"
    changed = client.patch(address, headers=headers, json={"alias": "Zicht", "is_visible": False})
    assert (changed.json()["alias"], changed.json()["is_visible"]) == ("Zicht", False)
    assert client.patch(address, headers=headers, json={"statements_from": "2026-11-01"}).json()["code"] == (
        "statements_started"
    )


def test_an_account_that_needs_a_person_says_so_in_that_person_s_language(
    story: Story, client: TestClient, headers: dict[str, str]
) -> None:
    ConsentService(story.gateway).revoke(story.act, story.accounts()[0].consent_id or new_id())
    account = client.get("/v1/accounts", headers=headers).json()["items"][0]
    assert (account["health"], account["health_code"]) == ("you_act", "consent_revoked")
    assert account["next_step"]
    items = client.get("/v1/transactions", headers=headers).json()["items"]
    assert items, "an ended permission is not answered by an empty list"


def test_banks_say_what_is_known_and_what_is_not(story: Story, client: TestClient, headers: dict[str, str]) -> None:
    banks = {bank["id"]: bank for bank in client.get("/v1/banks", headers=headers).json()["items"]}
    assert banks["crelan"]["is_configured"]
    assert banks["crelan"]["former_names"] == ["AXA Bank Belgium"]
    assert banks["crelan"]["user_hint"]
    found = client.get("/v1/banks?iban=BE34 1030 7142 3390", headers=headers).json()["items"]
    assert [bank["id"] for bank in found] == ["crelan"]
    assert client.get("/v1/banks?iban=BE34103071423391", headers=headers).json()["code"] == "iban_invalid"
    assert (banks["wise"]["route"], banks["wise"]["linked_as"], banks["crelan"]["route"]) == (
        "ponto",
        "ponto",
        "direct",
    )


def test_pages_neither_skip_nor_repeat(story: Story, client: TestClient, headers: dict[str, str]) -> None:
    for address in ("/v1/transactions", "/v1/statements"):
        whole = [row["id"] for row in client.get(f"{address}?limit=500", headers=headers).json()["items"]]
        found: list[str] = []
        cursor = None
        while True:
            query = f"?limit=13&cursor={cursor}" if cursor else "?limit=13"
            page = client.get(address + query, headers=headers).json()
            found += [row["id"] for row in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert found == whole
        assert len(set(found)) == len(found)


@pytest.mark.parametrize("address", LISTS[:-1])
def test_a_list_asks_the_same_number_of_queries_whatever_its_length(
    story: Story, client: TestClient, headers: dict[str, str], address: str
) -> None:
    counts = []
    # The first request of a minute notes when the credential was last used.
    client.get(address, headers=headers)
    for limit in (1, 50):
        statements: list[str] = []

        def note(*arguments: Any, seen: list[str] = statements) -> None:
            seen.append(arguments[2])

        bind = story.gateway.database.bind
        event.listen(bind, "before_cursor_execute", note)
        assert client.get(f"{address}?limit={limit}", headers=headers).status_code == 200
        event.remove(bind, "before_cursor_execute", note)
        counts.append(len([sql for sql in statements if "SAVEPOINT" not in sql]))
    assert counts[0] == counts[1] <= 10, counts


def test_the_description_names_every_operation(client: TestClient) -> None:
    document = client.get("/v1/openapi.json").json()
    mine = [
        operation
        for path, operations in document["paths"].items()
        for operation in operations.values()
        if path.split("/")[2] in {"banks", "consents", "accounts", "transactions", "statements", "syncs"}
    ]
    assert len(mine) >= 16
    for operation in mine:
        assert operation["operationId"]
        assert operation["summary"]

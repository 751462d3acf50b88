"""Imports over HTTP: each form of upload, rows and faults in the caller's language, runs as jobs (OFF-12…15)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from gateway.api import current_act
from gateway.ids import decode
from gateway.imports.readers import BYTES_MAX
from gateway.imports.runs import RunService
from tests.gateway.imports.conftest import Desk
from tests.gateway.imports.files import HEADERS, PERSON, clients, csv_of, enterprise_number, xlsx_of
from tests.gateway.serving import app_of


@pytest.fixture
def http(desk: Desk) -> Iterator[TestClient]:
    app = app_of(desk.gateway)
    app.dependency_overrides[current_act] = lambda: desk.act
    # Large bodies are taken from callers who show who they are.
    with TestClient(app, raise_server_exceptions=False, headers={"Authorization": "Bearer desk"}) as client:
        yield client


def work(desk: Desk, import_id: str) -> None:
    """What the worker does with the job."""
    view = desk.imports.get(desk.act, decode("client_import", import_id))
    assert view.run is not None
    RunService(desk.gateway).work(desk.office.id, view.run.id)


def test_a_file_is_checked_imported_and_undone(http: TestClient, desk: Desk) -> None:
    """OFF-13, OFF-15: the whole way, faults in the caller's language."""
    rows = clients(3)
    rows[2][3] = "geen adres"
    sent = http.post("/v1/client-imports", files={"file": ("C:\\Lijsten\\klanten.xlsx", xlsx_of(HEADERS, rows))})
    assert sent.status_code == 201, sent.text
    made = sent.json()
    assert made["file_name"] == "klanten.xlsx"
    assert (made["counts"]["new"], made["counts"]["invalid"], made["counts"]["only_here"]) == (2, 1, 0)
    address = f"/v1/client-imports/{made['id']}"
    faulty = http.get(f"{address}/rows?kind=invalid", headers={"Accept-Language": "fr"}).json()["items"][0]
    assert faulty["number"] == 4
    assert faulty["faults"] == [
        {
            "column": "D",
            "header": "E-mail contact",
            "field": "contact_email",
            "code": "email_invalid",
            "detail": "Pas une adresse e-mail.",
        }
    ]
    repaired = http.patch(f"{address}/rows/4", json={"cells": {"contact_email": "an@example.test"}})
    assert (repaired.status_code, repaired.json()["kind"]) == (200, "new")
    begun = http.post(f"{address}/runs", json={})
    assert begun.status_code == 202, begun.text
    assert begun.headers["Location"] == f"/v1/jobs/{begun.json()['id']}"
    assert http.post(f"{address}/runs", json={}).json()["code"] == "client_import_busy"
    work(desk, made["id"])
    job = http.get(begun.headers["Location"]).json()
    assert (job["state"], job["done"], job["result"]["created"]) == ("succeeded", 3, 3)
    assert http.get(address).json()["counts"]["imported"] == 3
    assert http.post(f"{address}/undos", json={}).status_code == 202
    work(desk, made["id"])
    assert desk.clients() == []
    assert [row["outcome"] for row in http.get(f"{address}/rows").json()["items"]] == ["undone"] * 3
    assert http.get("/v1/client-imports").json()["items"][0]["counts"]["undone"] == 3
    assert http.post(f"{address}/undos", json={}).status_code == 409


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (csv_of(HEADERS, clients(1)), "text/csv"),
        (b'[{"name": "Bakkerij", "enterprise_number": "0477472701"}]', "application/json"),
        (xlsx_of(HEADERS, clients(1)), "application/octet-stream"),
    ],
)
def test_a_file_can_be_the_body_itself(http: TestClient, content: bytes, kind: str) -> None:
    answer = http.post("/v1/client-imports", content=content, headers={"Content-Type": kind})
    assert answer.status_code == 201, answer.text
    assert answer.json()["counts"]["new"] == 1


def test_a_file_above_the_limit_is_413(http: TestClient) -> None:
    """OFF-12; also when its length is not announced."""
    pieces = (b"x" * (BYTES_MAX // 4 + 1) for _ in range(4))
    for answer in (
        http.post("/v1/client-imports", content=b"x" * (BYTES_MAX + 1)),
        http.post("/v1/client-imports", content=pieces),
        http.post("/v1/client-imports", files={"file": ("a.csv", b"x" * (BYTES_MAX + 1))}),
        http.post("/v1/client-imports", content=csv_of(["Naam"], [["x"]] * 5001)),
    ):
        assert (answer.status_code, answer.json()["code"]) == (413, "client_import_too_large")


def test_a_refused_file_says_what_to_do(http: TestClient) -> None:
    answer = http.post("/v1/client-imports", content=b"%PDF-1.7", headers={"Accept-Language": "nl"})
    assert (answer.status_code, answer.json()["code"]) == (422, "client_import_other_kind")
    assert answer.json()["detail"] == "Het bestand lijkt op PDF."
    assert http.post("/v1/client-imports", data={"file": "no file"}, files={"x": ("a", b"")}).status_code == 422


def test_a_national_register_number_appears_in_no_answer(http: TestClient) -> None:
    """OFF-12: refused, never stored, not echoed."""
    content = csv_of(["Naam", "KBO", "Nota"], [[PERSON, "0477472701", PERSON]])
    made = http.post("/v1/client-imports", content=content)
    rows = http.get(f"/v1/client-imports/{made.json()['id']}/rows")
    assert [fault["column"] for fault in rows.json()["items"][0]["faults"]] == ["A", "C"]
    repaired = http.patch(f"/v1/client-imports/{made.json()['id']}/rows/2", json={"cells": {"client_code": PERSON}})
    digits = "".join(character for character in PERSON if character.isdigit())
    for answer in (made, rows, repaired):
        assert PERSON not in answer.text
        assert digits not in answer.text


def test_rows_are_paged_and_a_selection_is_imported(http: TestClient, desk: Desk) -> None:
    made = http.post("/v1/client-imports", content=csv_of(HEADERS, clients(5))).json()
    address = f"/v1/client-imports/{made['id']}"
    first = http.get(f"{address}/rows?limit=3").json()
    second = http.get(f"{address}/rows?limit=3&cursor={first['next_cursor']}").json()
    assert [row["number"] for row in first["items"] + second["items"]] == [2, 3, 4, 5, 6]
    assert http.get(f"{address}/rows?kind=new&limit=3&cursor={first['next_cursor']}").status_code == 400
    http.post(f"{address}/runs", json={"rows": [3, 4]})
    work(desk, made["id"])
    assert http.get(address).json()["run"]["counts"]["created"] == 2
    assert len(http.get(f"{address}/rows?outcome=imported").json()["items"]) == 2
    again = http.post("/v1/client-imports", content=csv_of(HEADERS, [["x", enterprise_number(9), "", ""]])).json()
    others = http.get(f"/v1/client-imports/{again['id']}/rows?kind=only_here").json()["items"]
    assert [row["name"] for row in others] == ["Bakkerij 2 BV", "Bakkerij 3 BV"]

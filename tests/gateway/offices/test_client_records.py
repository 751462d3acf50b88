"""OFF-02: clients by their key, their records, starters, and numbers that change."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from gateway.act import Act
from gateway.api import current_act
from gateway.errors import InputError
from gateway.identity.rights import OfficeRole
from gateway.ids import encode, new_id
from gateway.offices.models import NumberChange
from gateway.offices.numbers import DocumentRefused, NumberReason, NumberService, NumberTaken, NumberWish
from gateway.offices.service import ClientService, ClientWish
from gateway.profiles.models import ClientProfile
from tests.gateway.builders import make_client, make_office
from tests.gateway.payments.scene import ALL, Scene, make_scene
from tests.gateway.serving import app_of

NUMBER, OTHER = "0477472701", "0403019261"
PDF = b"%PDF-1.7\nProof"
DOCUMENT = base64.b64encode(PDF).decode()


@pytest.fixture
def scene(gateway: Any) -> Scene:
    scene = make_scene(gateway)
    scene.person("an", OfficeRole.ADMIN)
    scene.person("staff", OfficeRole.STAFF)
    return scene


@pytest.fixture
def an(scene: Scene) -> Act:
    return scene.act("an")


@pytest.fixture
def http(scene: Scene) -> Callable[..., Any]:
    app = app_of(scene.gateway)
    client = TestClient(app)

    def call(act: Act, method: str, path: str, **more: Any) -> Any:
        app.dependency_overrides[current_act] = lambda: act
        headers = {"Idempotency-Key": str(new_id())} if method == "POST" else {}
        return client.request(method, path, headers=headers, **more)

    return call


def record(scene: Scene, **more: Any) -> dict[str, Any]:
    return {
        "contact_name": "Lien Lindenaar", "contact_email": "Lien@Example.be", "mobile": "+32 470 12 34 56",
        "labels": ["horeca", "btw", "horeca"], "package": "bob50", "client_code": "KLA001",
        "responsible_id": encode("user", scene.people["an"].id),
    } | more  # fmt: skip


def test_a_client_is_made_with_its_record_and_repeating_changes_nothing(scene: Scene, an: Act, http: Any) -> None:
    """OFF-02: what is not named stays, null empties."""
    body = {"name": "Bakkerij Voorbeeld BV", "enterprise_number": NUMBER, "financial_year_end": "06-30"}
    first = http(an, "PUT", "/v1/clients", json=body | {"record": record(scene)})
    assert first.status_code == 201, first.text
    shown = first.json()["record"]
    assert (shown["contact_email"], shown["mobile"], shown["labels"]) == (
        "lien@example.be", "+32470123456", ["horeca", "btw"],
    )  # fmt: skip
    assert shown["contact_confirmed"] is False
    again = http(an, "PUT", "/v1/clients", json=body | {"record": record(scene)})
    assert (again.status_code, again.json()) == (200, first.json())
    before = ClientService(scene.gateway).get(an, _id(scene, first)).version
    named = http(an, "PUT", "/v1/clients", json=body | {"record": {"mobile": None}}).json()["record"]
    assert named == shown | {"mobile": None}
    assert http(an, "PUT", "/v1/clients", json=body).json()["record"] == named
    assert ClientService(scene.gateway).get(an, _id(scene, first)).version == before + 1


def _id(scene: Scene, answer: Any) -> Any:
    clients, _ = ClientService(scene.gateway).page(scene.act("an"), ALL)
    return next(client.id for client in clients if encode("client", client.id) == answer.json()["id"])


def test_a_changed_contact_waits_again(scene: Scene, an: Act, http: Any) -> None:
    """DEL-13: the same address stays confirmed, another does not."""
    body = {"name": "Bakkerij Voorbeeld BV", "enterprise_number": NUMBER, "record": record(scene)}
    client_id = _id(scene, http(an, "PUT", "/v1/clients", json=body))
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        profile = session.get(ClientProfile, client_id)
        assert profile is not None
        profile.contact_confirmed_at = scene.now
        session.add(profile)
    assert http(an, "PUT", "/v1/clients", json=body).json()["record"]["contact_confirmed"] is True
    body["record"] = {"contact_email": "ander@example.be"}
    assert http(an, "PUT", "/v1/clients", json=body).json()["record"]["contact_confirmed"] is False


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"contact_email": "lien"}, "/record/contact_email"), ({"mobile": "0470"}, "/record/mobile"),
        ({"package": "excel"}, "/record/package"), ({"labels": [""]}, "/record/labels/0"),
        ({"client_code": "a/b"}, "/record/client_code"), ({"responsible_id": None}, None),
    ],
)  # fmt: skip
def test_faults_of_a_record_are_named(
    scene: Scene, an: Act, http: Any, more: dict[str, Any], pointer: str | None
) -> None:
    """OFF-14, API-02."""
    body = {"name": "Bakkerij Voorbeeld BV", "enterprise_number": NUMBER, "record": record(scene, **more)}
    answer = http(an, "PUT", "/v1/clients", json=body)
    assert answer.status_code == (201 if pointer is None else 422)
    if pointer is not None:
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_somebody_of_another_office_looks_after_nobody_here(scene: Scene, an: Act, http: Any) -> None:
    """Law 5: nobody and somebody elsewhere answer alike."""
    other = make_scene(scene.gateway)
    other.person("elders", OfficeRole.ADMIN)
    for user_id in (other.people["elders"].id, scene.people["preparer"].id, new_id()):
        responsible = {"responsible_id": encode("user", user_id)}
        body = {"name": "Bakkerij", "enterprise_number": NUMBER, "record": responsible}
        answer = http(an, "PUT", "/v1/clients", json=body)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "responsible_unknown")


def test_lists_are_limited_by_what_is_noted(scene: Scene, an: Act, http: Any) -> None:
    """OFF-02: filters, and cursors that belong to them."""
    one = {"name": "Aa", "enterprise_number": NUMBER, "financial_year_end": "06-30", "record": record(scene)}
    http(an, "PUT", "/v1/clients", json=one)
    http(an, "PUT", "/v1/clients", json={"name": "Bb", "external_id": "p-1", "record": {"labels": ["btw"]}})

    def names(**wanted: str) -> list[str]:
        answer = http(an, "GET", "/v1/clients", params=wanted)
        assert answer.status_code == 200, answer.text
        return [item["name"] for item in answer.json()["items"]]

    assert names(label="btw") == ["Aa", "Bb"]
    assert names(label="horeca") == names(package="bob50") == names(enterprise_number="BE 0477.472.701") == ["Aa"]
    assert names(external_id="p-1") == ["Bb"]
    assert names(financial_year_end="06-30") == ["Aa"]
    assert names(responsible_id=encode("user", scene.people["an"].id)) == ["Aa"]
    assert names(state="closed") == names(label="btw", package="horus") == []
    assert http(an, "GET", "/v1/clients", params={"enterprise_number": "1"}).status_code == 422
    cursor = http(an, "GET", "/v1/clients", params={"label": "btw", "limit": 1}).json()["next_cursor"]
    assert names(label="btw", cursor=cursor) == ["Bb"]
    assert http(an, "GET", "/v1/clients", params={"cursor": cursor}).status_code == 400


# Starters -----------------------------------------------------------------------------------------------------------


def test_a_starter_stays_listed_until_confirmed(scene: Scene, an: Act, http: Any) -> None:
    """OFF-02: skipping the registry never skips the check digits; a repetition after confirming changes nothing."""
    body = {"name": "Starter", "enterprise_number": "0477472702", "skip_registry_check": True}
    assert http(an, "PUT", "/v1/clients", json=body).json()["errors"][0]["code"] == "enterprise_number_invalid"
    body["enterprise_number"] = NUMBER
    made = http(an, "PUT", "/v1/clients", json=body).json()
    assert made["registered"] is False
    waiting = http(an, "GET", "/v1/clients", params={"registered": "false"}).json()["items"]
    assert [item["id"] for item in waiting] == [made["id"]]
    path = f"/v1/clients/{made['id']}/registry-confirmations"
    assert http(scene.act("preparer"), "POST", path).status_code == 404
    assert http(an, "POST", path).json()["registered"] is True
    assert http(an, "POST", path).json()["code"] == "registry_confirmed"
    assert http(an, "PUT", "/v1/clients", json=body).json()["registered"] is True
    assert http(an, "GET", "/v1/clients", params={"registered": "false"}).json()["items"] == []


# Numbers ------------------------------------------------------------------------------------------------------------


def wish(**more: Any) -> NumberWish:
    return replace(NumberWish(NUMBER, "", NumberReason.MERGER, DOCUMENT), **more)


def test_a_number_changes_with_proof_and_the_client_stays_itself(scene: Scene, an: Act, http: Any) -> None:
    """OFF-02: id and history stay; the document is kept encrypted with its hash; the audit has it."""
    path = f"/v1/clients/{encode('client', scene.client.id)}"
    old = scene.client.enterprise_number
    body = {"enterprise_number": NUMBER, "reason": "merger", "document": DOCUMENT}
    answer = http(an, "POST", f"{path}/number-changes", json=body)
    assert answer.status_code == 201, answer.text
    assert (answer.json()["old_number"], answer.json()["new_number"]) == (old, NUMBER)
    assert answer.json()["document_sha256"] == hashlib.sha256(PDF).hexdigest()
    assert http(an, "GET", path).json()["enterprise_number"] == NUMBER
    items = http(an, "GET", f"{path}/number-changes").json()["items"]
    assert items == [answer.json()]
    document = http(an, "GET", f"{path}/number-changes/{items[0]['id']}/document")
    assert document.content == PDF
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        assert PDF not in session.exec(select(NumberChange.document_cipher)).one()
    (entry,) = [
        entry
        for entry in http(an, "GET", "/v1/audit-entries", params={"limit": 500}).json()["items"]
        if entry["action"] == "client.number_changed"
    ]
    assert {"enterprise_number", "document_sha256", "reason"} <= set(entry["changed_fields"])
    # The key leads to the same client from now on.
    put = http(an, "PUT", "/v1/clients", json={"name": scene.client.name, "enterprise_number": NUMBER})
    assert (put.status_code, put.json()["id"]) == (200, encode("client", scene.client.id))


def test_a_number_of_another_client_of_the_office_is_refused(scene: Scene, an: Act) -> None:
    """OFF-02, OFF-05: with another dossier code it is free; what another office has is not asked."""
    service = NumberService(scene.gateway)
    ClientService(scene.gateway).put(an, ClientWish(name="Ander", language="nl", enterprise_number=NUMBER))
    with pytest.raises(NumberTaken):
        service.change(an, scene.client.id, wish())
    client, _ = service.change(an, scene.client.id, wish(dossier_code="2"))
    assert (client.enterprise_number, client.dossier_code) == (NUMBER, "2")
    other = make_client(scene.gateway, make_office(scene.gateway))
    assert other.enterprise_number is not None
    moved, _ = service.change(an, scene.client.id, wish(enterprise_number=other.enterprise_number))
    assert moved.enterprise_number == other.enterprise_number


def test_a_change_needs_a_valid_number_and_a_document(scene: Scene, an: Act) -> None:
    """OFF-02."""
    service = NumberService(scene.gateway)
    with pytest.raises(InputError):
        service.change(an, scene.client.id, wish(enterprise_number="0477472702"))
    for document in ("", "%%%", base64.b64encode(b"<html>").decode(), base64.b64encode(b"MZ").decode()):
        with pytest.raises(DocumentRefused):
            service.change(an, scene.client.id, wish(document=document))


def test_only_admins_change_numbers_and_see_the_proof(scene: Scene, an: Act, http: Any) -> None:
    """OFF-08, law 5."""
    path = f"/v1/clients/{encode('client', scene.client.id)}/number-changes"
    body = {"enterprise_number": OTHER, "reason": "start_up", "document": DOCUMENT}
    for name in ("staff", "administrator", "preparer"):
        assert http(scene.act(name), "POST", path, json=body).status_code in (403, 404), name
    made = http(an, "POST", path, json=body).json()
    assert http(scene.act("administrator"), "GET", f"{path}/{made['id']}/document").status_code == 403
    stranger = make_scene(scene.gateway)
    stranger.person("vreemde", OfficeRole.ADMIN)
    foreign = http(stranger.act("vreemde"), "GET", f"{path}/{made['id']}/document")
    assert (foreign.status_code, foreign.json()["code"]) == (404, "client_not_found")

"""SEC-09: entries by object, person and moment; rights, rules and settings as of any moment; where acts came from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from gateway.assembly import Gateway
from gateway.audit.log import SOURCE, verify
from gateway.ids import encode
from gateway.machines.service import MachineService
from gateway.offices.service import ClientService, ClientWish
from tests.gateway.builders import NOW, act_of_system
from tests.gateway.payments.scene import Scene, make_scene
from tests.gateway.serving import app_of


@pytest.fixture
def scene(gateway: Gateway) -> Scene:
    return make_scene(gateway)


@pytest.fixture
def api(scene: Scene) -> Iterator[TestClient]:
    act = act_of_system(scene.office, now=scene.gateway.real_now())
    _, token = MachineService(scene.gateway).create_credential(act, name="Auditor", scopes=["audit"])
    app = app_of(scene.gateway)
    with TestClient(app, headers={"Authorization": f"Bearer {token}"}, client=("203.0.113.7", 5000)) as client:
        yield client


def moment(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def test_roles_can_be_asked_for_any_moment(scene: Scene, api: TestClient) -> None:
    scene.now = NOW + timedelta(days=2)
    from gateway.identity.rights import ClientRole  # noqa: PLC0415

    scene.take("first", ClientRole.APPROVER)
    first = encode("user", scene.people["first"].id)
    for as_of, expected in ((NOW + timedelta(days=1), ["approver"]), (NOW + timedelta(days=3), [])):
        answer = api.get("/v1/rights", params={"as_of": moment(as_of), "user_id": first})
        assert [item["role"] for item in answer.json()["items"]] == expected
    before = api.get("/v1/rights", params={"as_of": moment(NOW - timedelta(days=1))})
    assert before.json()["items"] == []


def test_the_rights_of_now_are_read_page_by_page(scene: Scene, api: TestClient) -> None:
    """API-04: "now" is another moment at the next page, and the cursor still this list's."""
    first = api.get("/v1/rights", params={"limit": 1}).json()
    answer = api.get("/v1/rights", params={"limit": 1, "cursor": first["next_cursor"]})
    assert answer.status_code == 200, answer.text
    assert answer.json()["items"][0]["membership_id"] != first["items"][0]["membership_id"]


def test_rules_can_be_asked_for_any_moment(scene: Scene, api: TestClient) -> None:
    from gateway.approvals.rulebook import RuleWish  # noqa: PLC0415
    from gateway.approvals.rules import RuleService  # noqa: PLC0415

    rule = scene.rule("every payment", scene.user("first"))
    scene.now = NOW + timedelta(days=2)
    wish = RuleWish(name="two of them", approvers=(scene.user("first"), scene.user("second")))
    RuleService(scene.gateway).change_rule(scene.act("administrator"), rule.rule_id, wish, version=1)
    client = encode("client", scene.client.id)
    for as_of, expected in (
        (NOW - timedelta(days=1), []),
        (NOW + timedelta(days=1), [("every payment", 1)]),
        (NOW + timedelta(days=3), [("two of them", 2)]),
    ):
        answer = api.get("/v1/approval-rule-versions", params={"as_of": moment(as_of), "client_id": client})
        assert [(item["name"], item["version"]) for item in answer.json()["items"]] == expected
    every = api.get("/v1/approval-rule-versions", params={"client_id": client}).json()["items"]
    assert [item["version"] for item in every] == [1, 2]


def test_an_object_is_told_as_it_was(scene: Scene, api: TestClient) -> None:
    later = act_of_system(scene.office, now=NOW + timedelta(days=2))
    wish = ClientWish(name="Nieuwe Naam BV", language="nl", enterprise_number=scene.client.enterprise_number)
    ClientService(scene.gateway).put(later, wish)
    client = encode("client", scene.client.id)
    for as_of, expected in ((NOW, scene.client.name), (NOW + timedelta(days=3), "Nieuwe Naam BV")):
        answer = api.get("/v1/object-states", params={"object_id": client, "as_of": moment(as_of)}).json()
        values = {item["field"]: item["value"] for item in answer["items"]}
        assert values["name"] == expected
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        session.connection().execute(text("DELETE FROM audit_value WHERE field = 'name'"))
        assert verify(session, scene.gateway.audit, scene.office.id) is None, "an erased value breaks nothing (SEC-11)"
    answer = api.get("/v1/object-states", params={"object_id": client}).json()
    assert {item["field"]: item["is_erased"] for item in answer["items"]}["name"] is True
    assert api.get("/v1/object-states", params={"object_id": "cli_x"}).status_code == 404


def test_entries_are_found_by_what_they_are_about(scene: Scene, api: TestClient) -> None:
    client = encode("client", scene.client.id)
    rule = scene.rule("every payment", scene.user("first"))
    made = {"proposal.created", "approval_rule.created", "proposal.confirmed"}
    for params, expected in (
        ({"object_id": client}, {"client.created"}),
        # A new rule has the number of its proposal (APP-12).
        ({"object_id": encode("approval_rule", rule.rule_id)}, made),
        ({"action": "client.created", "client_id": client}, {"client.created"}),
        ({"actor_id": encode("user", scene.people["administrator"].id)}, made),
        ({"until": moment(NOW - timedelta(days=1))}, set()),
    ):
        answer = api.get("/v1/audit-entries", params=params)
        assert {item["action"] for item in answer.json()["items"]} == expected, params
    assert api.get("/v1/audit-entries", params={"object_id": "nothing"}).status_code == 404


def test_an_act_tells_from_where_and_the_address_can_be_erased(scene: Scene, api: TestClient) -> None:
    """SEC-09, SEC-11: the address is a value like others; the chain holds without it."""
    answer = api.post(
        "/v1/audit-bundles",
        json={"client_ids": [encode("client", scene.client.id)], "from": "2026-11-20", "until": "2026-11-20"},
    )
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"].endswith(answer.json()["id"])
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        rows = session.connection().execute(text(f"SELECT new_value FROM audit_value WHERE field = '{SOURCE}'"))
        assert [row[0] for row in rows] == ["203.0.113.7"]
    entries = api.get("/v1/audit-entries", params={"action": "audit_bundle.requested"}).json()["items"]
    assert SOURCE not in entries[0]["changed_fields"]
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        session.connection().execute(text(f"DELETE FROM audit_value WHERE field = '{SOURCE}'"))
        assert verify(session, scene.gateway.audit, scene.office.id) is None


def test_a_bundle_is_asked_for_made_and_downloaded_over_the_api(scene: Scene, api: TestClient) -> None:
    """SEC-10: 202 with its address, 409 until it is ready, then the bytes with their hash."""
    from gateway.audit.bundles import BundleService  # noqa: PLC0415
    from gateway.audit.checkpoints import CheckpointService  # noqa: PLC0415
    from gateway.ids import decode  # noqa: PLC0415

    answer = api.post(
        "/v1/audit-bundles",
        json={
            "client_ids": [encode("client", scene.client.id)], "from": "2026-11-21", "until": "2026-11-21",
            "first_payment_above": "100.50",
        },
    )  # fmt: skip
    path = answer.headers["location"]
    assert (answer.json()["state"], api.get(path).json()["from"]) == ("queued", "2026-11-21")
    refused = api.get(f"{path}/content")
    assert (refused.status_code, refused.json()["code"]) == (409, "bundle_not_ready")
    BundleService(scene.gateway).make(scene.office.id, decode("audit_bundle", answer.json()["id"]))
    ready = api.get(path).json()
    assert (ready["state"], ready["entries"] > 0) == ("ready", True)
    content = api.get(f"{path}/content")
    assert content.headers["x-content-sha256"] == ready["sha256"]
    assert len(content.content) == ready["size"]
    assert api.get(f"{path}/content", headers={"If-None-Match": content.headers["etag"]}).status_code == 304
    assert [item["id"] for item in api.get("/v1/audit-bundles").json()["items"]] == [ready["id"]]
    CheckpointService(scene.gateway).make(scene.office.id)
    heads = api.get("/v1/audit-checkpoints").json()["items"]
    assert heads[0]["position"] > heads[1]["position"] == ready["head_position"]
    assert heads[0]["document"]["link"] == heads[0]["link"]

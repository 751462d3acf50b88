"""User assertions (SEC-04, SEC-15): what lets a person decide through the portal, and every way to cheat with them."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

from sqlmodel import select
from starlette.testclient import TestClient

from gateway.assembly import Gateway
from gateway.audit.log import canonical, verify
from gateway.audit.models import AuditEntry
from gateway.ids import decode, encode
from gateway.payments.states import PaymentState
from tests.gateway.builders import NOW
from tests.gateway.machines.decisions import decide, make_uuid, refused, seals_of, waiting
from tests.gateway.machines.portal import Portal, make_portal, signed
from tests.gateway.serving import app_of


def test_a_person_approves_through_the_portal(portal: Portal) -> None:
    """SEC-04: the decision is the person's; the audit names the application and the method (SEC-02)."""
    (payment,) = waiting(portal.scene)
    assertion = signed(portal.deciding("first", "approve", seals_of(payment)))
    answer = decide(portal, payment, assertion)
    assert answer.status_code == 201, answer.text
    assert portal.scene.payment(payment).state is PaymentState.APPROVED
    with portal.gateway.database.unit_of_work(portal.scene.office.id) as session:
        entry = session.exec(select(AuditEntry).where(AuditEntry.action == "payment.approval_given")).one()
        assert (entry.actor_kind, entry.actor_id) == ("user", portal.scene.people["first"].id)
        assert entry.second_factor == "assertion"
        assert entry.via_id == decode("application", portal.client_id)
        assert verify(session, portal.gateway.audit, portal.scene.office.id) is None


def test_the_application_of_an_entry_cannot_be_taken_out_of_the_chain() -> None:
    """SEC-09: entries with an application are version 2 of what the HMAC covers, others stay version 1."""
    fields: dict[str, Any] = {
        "id": make_uuid(1), "office_id": make_uuid(2), "position": 1, "occurred_at": NOW, "actor_kind": "user",
        "actor_id": make_uuid(3), "action": "payment.approval_given", "object_kind": "payment",
        "object_id": make_uuid(4), "digests": {}, "previous_mac": b"", "mac": b"",
    }  # fmt: skip
    without, with_one = AuditEntry(**fields), AuditEntry(**fields, via_id=make_uuid(5))
    assert json.loads(canonical(without))["version"] == 1
    assert "via_id" not in json.loads(canonical(without))
    assert json.loads(canonical(with_one))["version"] == 2
    assert canonical(with_one) != canonical(without)


def test_without_an_assertion_the_portal_decides_nothing(portal: Portal) -> None:
    """SEC-04: its own credentials can prepare, never decide, whatever its scopes."""
    (payment,) = waiting(portal.scene)
    answer = decide(portal, payment, None)
    assert (answer.status_code, answer.json()["code"]) == (403, "person_required")
    assert portal.scene.payment(payment).state is PaymentState.SUBMITTED


def test_without_the_scope_no_decision_is_carried(gateway: Gateway) -> None:
    """SEC-03: the operator grants the scope; the person's own right is not enough."""
    portal = make_portal(gateway, scopes=("payments:write",))
    (payment,) = waiting(portal.scene)
    answer = decide(portal, payment, signed(portal.deciding("first", "approve", seals_of(payment))))
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")


def test_the_scope_does_not_make_an_approver(portal: Portal) -> None:
    """The person's own rights count: the exporter may not approve, with whatever scope."""
    (payment,) = waiting(portal.scene)
    answer = decide(portal, payment, signed(portal.deciding("exporter", "approve", seals_of(payment))))
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")


def test_an_assertion_works_once(portal: Portal) -> None:
    one, two = waiting(portal.scene, 2)
    claims = portal.deciding("first", "approve", seals_of(one))
    assert decide(portal, one, signed(claims)).status_code == 201
    refused(decide(portal, one, signed(claims)), "replayed")
    # The id is what counts, not the text: another assertion with the same id is a replay too.
    refused(
        decide(portal, two, signed(portal.deciding("first", "approve", seals_of(two), jti=claims["jti"]))), "replayed"
    )


def test_two_requests_at_once_use_an_assertion_once(committed: Gateway) -> None:
    """SEC-04: the constraint decides, not a look before."""
    portal = make_portal(committed)
    assertion = signed(portal.claims("first"))
    answers: list[int] = []
    barrier = threading.Barrier(4)
    app = app_of(portal.gateway)
    with TestClient(app) as http:
        # What the framework builds at the first request is not the subject here.
        assert http.get("/v1/me", headers=portal.headers(signed(portal.claims("first")))).status_code == 200

    def call() -> None:
        with TestClient(app) as http:
            barrier.wait()
            answers.append(http.get("/v1/me", headers=portal.headers(assertion)).status_code)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 403, 403, 403]


def test_an_assertion_to_approve_does_not_reject(portal: Portal) -> None:
    (payment,) = waiting(portal.scene)
    answer = decide(portal, payment, signed(portal.deciding("first", "approve", seals_of(payment))), "reject")
    assert answer.json()["code"] == "assertion_mismatch"
    answer = decide(portal, payment, signed(portal.deciding("first", "reject", seals_of(payment))))
    assert answer.json()["code"] == "assertion_mismatch"
    assert portal.scene.payment(payment).state is PaymentState.SUBMITTED


def test_seals_and_payments_cannot_be_swapped(portal: Portal) -> None:
    """SEC-04: the assertion names the seals; more, fewer or others than the request has are refused."""
    one, two = waiting(portal.scene, 2)
    mine = encode("payment", one.id)
    for said in (seals_of(two), seals_of(one, two), {mine: two.seal}, {mine: "v1:0"}):
        answer = decide(portal, one, signed(portal.deciding("first", "approve", said)))
        assert (answer.status_code, answer.json()["code"]) == (403, "assertion_mismatch"), said
    body = {
        "items": [{"verdict": "approve", "payment_id": encode("payment", p.id), "seal": p.seal} for p in (one, two)]
    }
    only_one = signed(portal.deciding("first", "approve", seals_of(one)))
    answer = portal.http.post("/v1/decisions", json=body, headers=portal.headers(only_one))
    assert answer.json()["code"] == "assertion_mismatch"
    both = signed(portal.deciding("first", "approve", seals_of(one, two)))
    answer = portal.http.post("/v1/decisions", json=body, headers=portal.headers(both))
    assert [item["status"] for item in answer.json()["items"]] == ["decided", "decided"]


def test_a_mixed_bulk_is_not_carried(portal: Portal) -> None:
    one, two = waiting(portal.scene, 2)
    items = [{"verdict": "approve", "payment_id": encode("payment", one.id), "seal": one.seal}]
    items.append(
        {
            "verdict": "reject",
            "payment_id": encode("payment", two.id),
            "seal": two.seal,
            "reason_code": "disputed",
            "reason_text": "x",
        }
    )
    assertion = signed(portal.deciding("first", "approve", seals_of(one, two)))
    answer = portal.http.post("/v1/decisions", json={"items": items}, headers=portal.headers(assertion))
    assert answer.json()["code"] == "assertion_mismatch"


def test_the_client_is_part_of_the_word(portal: Portal) -> None:
    (payment,) = waiting(portal.scene)
    claims = portal.deciding("first", "approve", seals_of(payment)) | {"client": encode("client", make_uuid(9))}
    answer = decide(portal, payment, signed(claims))
    assert answer.json()["code"] == "assertion_mismatch"


def test_deciding_asks_for_a_sign_in_of_five_minutes_ago(portal: Portal) -> None:
    """SEC-04: the authentication time, not the time the assertion was made."""
    (payment,) = waiting(portal.scene)
    old = int((NOW - timedelta(minutes=5, seconds=1)).timestamp())
    answer = decide(portal, payment, signed(portal.deciding("first", "approve", seals_of(payment), auth_time=old)))
    assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_required")
    just = int((NOW - timedelta(minutes=5)).timestamp())
    assert (
        decide(
            portal, payment, signed(portal.deciding("first", "approve", seals_of(payment), auth_time=just))
        ).status_code
        == 201
    )


def test_exports_and_first_downloads_are_named_with_their_seals(portal: Portal) -> None:
    """SEC-04: a decision, export or first download."""
    scene = portal.scene
    scene.rule("every payment", scene.user("first"))
    basket, payments = scene.submitted(scene.wish(), scene.wish())
    scene.approve("first", *payments)
    path, name = f"/v1/baskets/{encode('basket', basket.id)}/exports", encode("basket", basket.id)
    seals = seals_of(*payments)
    assert portal.http.post(path, json={}, headers=portal.headers()).json()["code"] == "person_required"
    for claims in (
        portal.claims("exporter"),
        portal.deciding("exporter", "approve", seals),
        portal.deciding("exporter", "export", seals, basket=encode("basket", make_uuid(1))),
        portal.deciding("exporter", "export", seals_of(payments[0]), basket=name),
    ):
        answer = portal.http.post(path, json={}, headers=portal.headers(signed(claims)))
        assert answer.json()["code"] == "assertion_mismatch", claims
    answer = portal.http.post(
        path, json={}, headers=portal.headers(signed(portal.deciding("exporter", "export", seals, basket=name)))
    )
    assert answer.status_code == 201, answer.text
    export = answer.json()["items"][0]["id"]
    content = f"/v1/exports/{export}/content"
    assert portal.http.get(content, headers=portal.headers()).json()["code"] == "person_required"
    wrong = signed(portal.deciding("exporter", "export", seals, basket=name))
    assert portal.http.get(content, headers=portal.headers(wrong)).json()["code"] == "assertion_mismatch"
    right = signed(portal.deciding("exporter", "download", seals, export=export))
    assert portal.http.get(content, headers=portal.headers(right)).status_code == 200

"""SEC-04, SEC-15: whom an assertion carries, with which rights, and whose payments they prepare."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import select

from gateway.errors import NotFound
from gateway.identity.rights import ClientRole
from gateway.ids import decode, encode
from gateway.machines.applications import ApplicationService
from gateway.machines.issuers import IssuerService
from gateway.machines.service import MachineService
from gateway.payments.models import Payment
from gateway.payments.states import PaymentState
from sepa.approval import Mode
from tests.gateway.builders import act_of_system
from tests.gateway.machines.decisions import decide, me, refused, seals_of
from tests.gateway.machines.portal import Portal, signed


def test_a_person_who_left_is_nobody(portal: Portal) -> None:
    portal.scene.take("first", ClientRole.APPROVER)
    refused(me(portal, signed(portal.claims("first"))), "subject")


def test_an_api_key_carries_nobody(portal: Portal) -> None:
    _, key = MachineService(portal.gateway).create_credential(
        act_of_system(portal.scene.office), name="script", scopes=["payments:write"]
    )
    headers = {"Authorization": f"Bearer {key}", "Sluis-User-Assertion": signed(portal.claims("first"))}
    refused(portal.http.get("/v1/me", headers=headers), "key")


def test_the_person_has_no_more_rights_than_both(portal: Portal) -> None:
    shown = me(portal, signed(portal.claims("administrator"))).json()
    assert (shown["kind"], shown["id"]) == ("user", encode("user", portal.scene.people["administrator"].id))
    (held,) = shown["client_permissions"].values()
    assert "rules:write" not in held, "no scope gives it"
    assert "consents:write" not in held, "the application has no such scope"
    assert "payments:read" in held


def test_a_payment_prepared_for_a_person_is_that_persons(portal: Portal) -> None:
    """SEC-15, APP-06: the acting user counts as creator and cannot approve; one approver does."""
    scene = portal.scene
    scene.give("preparer", ClientRole.APPROVER)
    scene.rule("any of two", scene.user("first"), scene.user("preparer"), mode=Mode.COUNT)
    payment = prepared(portal, signed(portal.claims("preparer")))
    answer = decide(portal, payment, signed(portal.deciding("preparer", "approve", seals_of(payment))))
    assert answer.json()["code"] == "preparer_excluded", answer.text
    scene.decide("first", payment)
    assert scene.payment(payment).state is PaymentState.APPROVED


def test_a_payment_prepared_for_nobody_needs_two(portal: Portal) -> None:
    """SEC-15: without an assertion nobody knows who stands behind it."""
    scene = portal.scene
    scene.rule("any of two", scene.user("first"), scene.user("second"), mode=Mode.COUNT)
    payment = prepared(portal, None)
    outcome = scene.decide("first", payment)
    assert scene.payment(payment).state is PaymentState.SUBMITTED
    assert outcome.evaluation is not None
    assert outcome.evaluation.may_act == {str(scene.people["second"].id)}
    scene.decide("second", payment)
    assert scene.payment(payment).state is PaymentState.APPROVED


def test_a_payment_for_nobody_that_one_person_alone_could_approve_is_refused(portal: Portal) -> None:
    """SEC-15: it is never approved by one."""
    portal.scene.rule("one", portal.scene.user("first"))
    answer = submit(portal, None)
    assert (answer.status_code, answer.json()["code"]) == (409, "rule_unsatisfiable"), answer.text


def prepared(portal: Portal, assertion: str | None) -> Payment:
    answer = submit(portal, assertion)
    assert answer.status_code in (200, 201), answer.text
    with portal.gateway.database.unit_of_work(portal.scene.office.id) as session:
        return session.exec(select(Payment).where(Payment.office_id == portal.scene.office.id)).one()


def submit(portal: Portal, assertion: str | None) -> Any:
    """A basket with one payment, made and submitted by the portal, for the preparer when there is an assertion."""
    scene = portal.scene

    def headers(**more: str) -> dict[str, str]:
        again = None if assertion is None else signed(portal.claims("preparer"))
        return portal.headers(again, **more)

    http = portal.http
    body: dict[str, Any] = {"client_id": encode("client", scene.client.id), "name": "Portaal"}
    basket = http.post("/v1/baskets", json=body, headers=headers())
    assert basket.status_code == 201, basket.text
    path = f"/v1/baskets/{basket.json()['id']}"
    payment = {
        "debtor_account_id": encode("account", scene.accounts[0].id),
        "creditor": {"name": "Drukkerij Voorbeeld BV", "iban": "BE12310291417792"},
        "amount": {"amount": "10.00", "currency": "EUR"},
        "remittance": {"kind": "unstructured", "text": "Factuur 2026-118"},
    }
    added = http.post(f"{path}/payments", json={"items": [payment]}, headers=headers())
    assert added.status_code in (200, 201), added.text
    etag = http.get(path, headers=headers()).headers["etag"]
    more = {"If-Match": etag}
    return http.post(f"{path}/submissions", json={}, headers=headers(**more))


def test_a_person_links_the_own_account_and_nobody_elses(portal: Portal) -> None:
    """SEC-14: by issuer and subject, after a signed-in confirmation."""
    service, scene = IssuerService(portal.gateway), portal.scene
    service.link_own(scene.act("second"), signed(portal.claims("new-account")))
    shown = me(portal, signed(portal.claims("new-account"))).json()
    assert shown["id"] == encode("user", scene.people["second"].id)
    with pytest.raises(NotFound):
        service.link_own(scene.act("second"), signed(portal.claims("first")))
    answer = portal.http.post(
        "/v1/assertion-links",
        json={"assertion": signed(portal.claims("x"))},
        headers=portal.headers(signed(portal.claims("first"))),
    )
    assert answer.json()["code"] == "sign_in_here_required"


def test_the_token_of_a_revoked_application_carries_nobody(portal: Portal) -> None:
    application = decode("application", portal.client_id)
    ApplicationService(portal.gateway).revoke(act_of_system(portal.scene.office), application)
    assert me(portal, signed(portal.claims("first"))).status_code == 401

"""User assertions (SEC-04, SEC-15): what lets a person decide through the portal, and every way to cheat with them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jwk
from sqlmodel import select
from starlette.testclient import TestClient

from gateway.app import create_app
from gateway.assembly import Gateway
from gateway.audit.log import canonical, verify
from gateway.audit.models import AuditEntry
from gateway.errors import NotFound
from gateway.identity.rights import ClientRole
from gateway.ids import decode, encode
from gateway.machines.applications import ApplicationService
from gateway.machines.errors import IssuerUnusable
from gateway.machines.issuers import IssuerService
from gateway.machines.service import MachineService
from gateway.payments.models import Payment
from gateway.payments.states import PaymentState
from sepa.approval import Mode
from tests.gateway.builders import NOW, act_of_system, make_office
from tests.gateway.machines.portal import ISSUER, Portal, jwks, make_portal, raw, register, signed, signing_key
from tests.gateway.payments.scene import Scene


@pytest.fixture
def portal(gateway: Gateway) -> Portal:
    return make_portal(gateway)


def waiting(scene: Scene, count: int = 1) -> list[Payment]:
    """Payments that wait for one approver."""
    scene.rule("every payment", scene.user("first"))
    _, payments = scene.submitted(*(scene.wish() for _ in range(count)))
    return payments


def seals_of(*payments: Payment) -> dict[str, str | None]:
    return {encode("payment", payment.id): payment.seal for payment in payments}


def decide(portal: Portal, payment: Payment, assertion: str | None, verdict: str = "approve") -> Any:
    body: dict[str, Any] = {"verdict": verdict}
    if verdict == "reject":
        body |= {"reason_code": "disputed", "reason_text": "Factuur betwist"}
    path = f"/v1/payments/{encode('payment', payment.id)}/decisions"
    return portal.http.post(path, json=body, headers=portal.headers(assertion, **{"If-Match": f'"{payment.seal}"'}))


def me(portal: Portal, assertion: str) -> Any:
    return portal.http.get("/v1/me", headers=portal.headers(assertion))


def refused(answer: Any, reason: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (403, "assertion_refused"), answer.text
    assert reason in answer.json()["detail"]


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


def make_uuid(number: int) -> Any:
    return decode("user", f"usr_{number:026d}")


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
    app = create_app(portal.gateway)
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


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_the_four_signatures_that_count(gateway: Gateway, algorithm: str) -> None:
    portal = make_portal(gateway, keys=jwks(signing_key(algorithm)))
    assert me(portal, signed(portal.claims("first"), algorithm=algorithm)).status_code == 200


def test_no_algorithm_stands_in_for_another(gateway: Gateway) -> None:
    """Key confusion: a public key taken for a secret, a header that asks for no signature, RSA for EC."""
    rsa, ec = signing_key("RS256"), signing_key("ES256", "k2")
    portal = make_portal(gateway, keys=jwks(rsa, ec))
    claims = portal.claims("first")
    assert isinstance(rsa, jwk.RSAKey)
    public = rsa.as_pem(private=False)
    head = {"alg": "HS256", "kid": "k1"}
    signing_input = raw(head, claims).rpartition(".")[0]
    forged = hmac.new(public, signing_input.encode(), hashlib.sha256).digest()
    refused(me(portal, raw(head, claims, forged)), "header")
    for none in ("none", "None", "NONE", "", None, ["ES256"]):
        answer = me(portal, raw({"alg": none, "kid": "k1"}, claims))
        assert answer.json()["code"] == "assertion_refused"
    refused(me(portal, raw({"alg": "ES256", "kid": "k1"}, claims, b"0" * 64)), "header")
    refused(me(portal, raw({"alg": "RS256", "kid": "k2"}, claims, b"0" * 256)), "header")
    refused(me(portal, raw({"alg": "ES256", "kid": "k2"}, claims, b"\0" * 64)), "signature")
    for weak in ("RS512", "ES384", "HS512"):
        refused(me(portal, raw({"alg": weak, "kid": "k1"}, claims, b"0" * 64)), "header")


@pytest.mark.parametrize("name", ["jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "cty", "enc"])
def test_a_header_that_brings_its_own_key_or_rules_is_refused(portal: Portal, name: str) -> None:
    stranger = jwk.ECKey.generate_key("P-256", {"kid": "k1"})
    values = {"jwk": stranger.as_dict(private=False), "crit": ["exp"], "b64": False, "x5c": ["MIIB"]}
    head = {"alg": "ES256", "kid": "k1", name: values.get(name, "https://evil.example.test/jwks.json")}
    refused(me(portal, raw(head, portal.claims("first"), b"0" * 64)), "header")


def test_a_key_nobody_registered_is_refused(portal: Portal) -> None:
    stranger = jwk.ECKey.generate_key("P-256", {"kid": "k1"})
    refused(me(portal, signed(portal.claims("first"), key=stranger)), "signature")
    refused(me(portal, signed(portal.claims("first"), kid="k9")), "key")
    refused(me(portal, raw({"alg": "ES256"}, portal.claims("first"), b"0" * 64)), "key")
    good = signed(portal.claims("first"))
    head, body, signature = good.split(".")
    other = raw({}, portal.claims("exporter")).split(".")[1]
    refused(me(portal, f"{head}.{other}.{signature}"), "signature")
    refused(me(portal, f"{head}.{body}."), "signature")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"iss": "https://evil.example.test"}, "issuer"),
        ({"iss": None}, "iss"),
        ({"aud": "https://elsewhere.example.test"}, "audience"),
        ({"aud": ["http://127.0.0.1:8000", "https://elsewhere.example.test"]}, "audience"),
        ({"aud": None}, "audience"),
        ({"sub": "sub-nobody"}, "subject"),
        ({"sub": ""}, "sub"),
        ({"sub": ["sub-first"]}, "sub"),
        ({"amr": ["pwd"]}, "second_factor"),
        ({"amr": "mfa"}, "second_factor"),
        ({"amr": None}, "second_factor"),
        ({"auth_time": None}, "auth_time"),
        ({"auth_time": int(NOW.timestamp()) + 3600}, "auth_time"),
        ({"auth_time": int(NOW.timestamp()) - 9 * 3600}, "auth_time"),
        ({"auth_time": True}, "auth_time"),
        ({"auth_time": "1"}, "auth_time"),
        ({"exp": int(NOW.timestamp())}, "expired"),
        ({"iat": int(NOW.timestamp()) - 120, "exp": int(NOW.timestamp()) - 1}, "expired"),
        ({"exp": int(NOW.timestamp()) + 301}, "lifetime"),
        ({"iat": int(NOW.timestamp()) + 60}, "lifetime"),
        ({"nbf": int(NOW.timestamp()) + 60}, "lifetime"),
        ({"exp": 10**30}, "exp"),
        ({"jti": None}, "jti"),
        ({"jti": "x" * 201}, "jti"),
        ({"jti": "a\0b"}, "jti"),
        ({"decision": "transfer", "client": "cli_0", "seals": {}}, "decision"),
        ({"decision": "approve"}, "decision"),
        ({"decision": "approve", "client": "cli_0", "seals": {"pay_0": "x"}}, "decision"),
    ],
)
def test_a_word_that_does_not_hold_is_refused(portal: Portal, change: dict[str, Any], reason: str) -> None:
    """SEC-04: subject, audience, second factor, authentication time, single-use id."""
    claims = {name: value for name, value in (portal.claims("first") | change).items() if value is not None}
    refused(me(portal, signed(claims)), reason)


@pytest.mark.parametrize(
    "token",
    [
        "", ".", "..", "a.b", "a.b.c.d", "x" * 70_000, "é.é.é",
        raw({"alg": "ES256", "kid": "k1"}, b"[]"),
        raw({"alg": "ES256", "kid": "k1"}, b'{"exp": NaN}'),
        raw({"alg": "ES256", "kid": "k1"}, b'{"sub": "a", "sub": "b"}'),
        raw({"alg": "ES256", "kid": "k1"}, b"[" * 5000),
    ],
)  # fmt: skip
def test_what_is_no_token_is_refused_cheaply(portal: Portal, token: str) -> None:
    headers = {name.encode(): value.encode() for name, value in portal.headers(token).items()}
    answer = portal.http.get("/v1/me", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "assertion_refused")


def test_two_assertions_are_one_too_many(portal: Portal) -> None:
    headers = [("Authorization", f"Bearer {portal.token}")]
    headers += [("Sluis-User-Assertion", signed(portal.claims(name))) for name in ("first", "exporter")]
    refused(portal.http.get("/v1/me", headers=headers), "malformed")


def test_a_key_of_another_office_says_nothing_here(portal: Portal) -> None:
    """SEC-14: an office's issuer is valid for its own grants only; so are its subjects."""
    other = make_portal(portal.gateway, keys=jwks(signing_key("EdDSA")))
    refused(me(portal, signed(other.claims("first"), algorithm="EdDSA")), "header")
    refused(me(other, signed(portal.claims("first"))), "header")
    IssuerService(portal.gateway).end(act_of_system(portal.scene.office), ISSUER)
    refused(me(portal, signed(portal.claims("first"))), "issuer")


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


# Registering ---------------------------------------------------------------------------------------------------------


def test_keys_that_cannot_be_trusted_are_not_registered(portal: Portal) -> None:
    """SEC-04: the portal holds no key that vouches: neither a shared secret nor a private half is taken."""
    private = signing_key("ES256").as_dict(private=True)
    secret = jwk.OctKey.generate_key(256, {"kid": "k1"}).as_dict(private=True)
    weak = {"kty": "RSA", "kid": "k1", "e": "AQAB", "n": base64.urlsafe_b64encode(b"\xff" * 128).rstrip(b"=").decode()}
    curve = jwk.ECKey.generate_key("P-384", {"kid": "k1"}).as_dict(private=False)
    good = signing_key("ES256").as_dict(private=False)
    nameless = {name: value for name, value in good.items() if name != "kid"}
    for keys in (
        [private], [secret], [weak], [curve], [nameless], [good, good], [{**good, "use": "enc"}],
        [{**good, "alg": "RS256"}], [{"kty": "EC", "kid": "k1"}], [{**good, "x": "AAAA"}], [], [None], [good] * 11,
    ):  # fmt: skip
        with pytest.raises(IssuerUnusable):
            register(portal.gateway, portal.scene.office, {"keys": keys})
    documents: list[Any] = [None, [], {}, {"keys": {}}]
    for document in documents:
        with pytest.raises(IssuerUnusable):
            register(portal.gateway, portal.scene.office, document)


def test_test_and_live_never_share_a_key_of_an_issuer(portal: Portal) -> None:
    """API-11."""
    live = make_office(portal.gateway, mode="live")
    with pytest.raises(IssuerUnusable):
        register(portal.gateway, live, jwks(signing_key("ES256")))
    register(portal.gateway, live, jwks(signing_key("EdDSA")))
    with pytest.raises(IssuerUnusable):
        IssuerService(portal.gateway).put(
            act_of_system(portal.scene.office), "https://other.example.test", jwks(signing_key("ES256"))
        )


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

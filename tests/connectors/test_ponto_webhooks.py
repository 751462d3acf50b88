"""Webhooks of Ponto: deliveries the vendor signed, our own vectors, and what must be refused."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from connectors.families.ponto_doors import PontoPartnerConnector
from connectors.families.ponto_webhooks import (
    FETCH_EVERY,
    KEPT,
    KeyRing,
    KeyUnknown,
    WebhookRefused,
    read_event,
    read_keys,
    verify,
)
from tests.connectors.support import FakeBank, json_answer

NOW = 1_795_244_405
ISSUER = "https://api.ibanity.com"
AUDIENCE = "db5b5fab-8f4d-4e27-9da1-494c73cf256d"
BODY = json.dumps(
    {
        "data": {
            "type": "pontoConnect.account.transactionsCreated",
            "id": "6b8e3c6e",
            "attributes": {"createdAt": "2026-11-21T07:00:03.412Z", "count": 3},
            "relationships": {
                "account": {"data": {"type": "account", "id": "acc-1"}},
                "synchronization": {"data": {"type": "synchronization", "id": "sync-1"}},
                "organization": {"data": {"type": "organization", "id": "org-1"}},
            },
        }
    },
    indent=1,
).encode()


@cache
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def jwk(kid: str = "key-1", **changes: Any) -> dict[str, Any]:
    numbers = private_key().public_key().public_numbers()
    modulus = encoded(numbers.n.to_bytes(256))
    return {
        "kty": "RSA", "alg": "RS512", "use": "sig", "status": "ACTIVE", "kid": kid, "e": "AQAB", "n": modulus, **changes
    }  # fmt: skip


KEYS = {"keys": [jwk()]}


def signed(body: bytes = BODY, header: dict[str, Any] | None = None, **claims: Any) -> str:
    digest = base64.b64encode(hashlib.sha512(body).digest()).decode()
    values = {
        "iss": ISSUER, "aud": AUDIENCE, "iat": NOW - 2, "exp": NOW + 58, "jti": "j-1", "digest": digest, **claims
    }  # fmt: skip
    parts = [header or {"alg": "RS512", "kid": "key-1"}, {name: one for name, one in values.items() if one is not None}]
    text = ".".join(encoded(json.dumps(part).encode()) for part in parts)
    return f"{text}.{encoded(private_key().sign(text.encode(), padding.PKCS1v15(), hashes.SHA512()))}"


def check(signature: str, body: bytes = BODY, keys: Any = KEYS, now: int = NOW) -> str:
    return verify(signature, body, read_keys(keys), issuer=ISSUER, audience=AUDIENCE, now=now).jti


def test_a_delivery_that_holds_tells_its_id() -> None:
    assert check(signed()) == "j-1"


@pytest.mark.parametrize("age", [-25, 85])
def test_clocks_may_differ_by_half_a_minute(age: int) -> None:
    assert check(signed(), now=NOW - 2 + age)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://api.ibanity.example"},
        {"aud": "another application"},
        {"aud": [AUDIENCE]},
        {"aud": None},
        {"iat": NOW - 200, "exp": NOW - 140},
        {"iat": NOW + 60, "exp": NOW + 120},
        {"exp": NOW + 3600},
        {"exp": NOW - 2},
        {"exp": None},
        {"iat": str(NOW)},
        {"jti": None},
        {"jti": ""},
        {"digest": None},
        {"digest": base64.b64encode(hashlib.sha512(b"another body").digest()).decode()},
    ],
)
def test_a_claim_that_is_wrong_refuses_the_delivery(changes: dict[str, Any]) -> None:
    with pytest.raises(WebhookRefused) as caught:
        check(signed(**changes))
    assert type(caught.value) is WebhookRefused


@pytest.mark.parametrize("algorithm", ["none", "RS256", "HS512", "PS512", "rs512", None])
def test_no_other_algorithm_is_taken(algorithm: str | None) -> None:
    with pytest.raises(WebhookRefused, match="algorithm"):
        check(signed(header={"alg": algorithm, "kid": "key-1"}))


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "DEPRECATED"}, {"status": None}, {"use": "enc"}, {"kty": "EC"}, {"alg": "RS256"}, {"n": "!"},
        {"n": 7}, {"kid": None},
    ],
)  # fmt: skip
def test_only_an_active_key_for_signatures_verifies(changes: dict[str, Any]) -> None:
    with pytest.raises(KeyUnknown):
        check(signed(), keys={"keys": [jwk(**changes)]})


@pytest.mark.parametrize("document", [None, [], {}, {"keys": None}, {"keys": ["x"]}])
def test_a_set_without_keys_knows_none(document: Any) -> None:
    assert read_keys(document) == {}


def test_a_modulus_with_padding_is_read() -> None:
    assert check(signed(), keys={"keys": [jwk(n=jwk()["n"] + "==")]}) == "j-1"


@pytest.mark.parametrize("odd", ["", "a.b", "a.b.c", "..", "é.é.é", "W10.W10.AA", "A" * 9000])
def test_what_is_no_signature_is_refused(odd: str) -> None:
    with pytest.raises(WebhookRefused):
        check(odd)


def test_a_changed_header_claim_or_signature_is_refused() -> None:
    header, claims, value = signed().split(".")
    other = signed(jti="j-2").split(".")
    for odd in (f"{header}.{other[1]}.{value}", f"{header}.{claims}.{other[2]}"):
        with pytest.raises(WebhookRefused):
            check(odd)


def test_the_digest_is_over_the_bytes_as_they_came() -> None:
    with pytest.raises(WebhookRefused, match="digest"):
        check(signed(), json.dumps(json.loads(BODY)).encode())


def test_an_event_names_ids_only_and_an_unknown_type_is_kept() -> None:
    event = read_event(BODY)
    assert (event.event_type, event.account_id, event.synchronisation_id, event.organisation_id) == (
        "account.transactionsCreated", "acc-1", "sync-1", "org-1"
    )  # fmt: skip
    assert event.created_at == datetime(2026, 11, 21, 7, 0, 3, 412000, tzinfo=UTC)
    bare = read_event(b'{"data": {"type": "pontoConnect.something.new"}}')
    assert (bare.event_type, bare.account_id, bare.event_id) == ("something.new", None, None)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"data": []}', b'{"data": {"type": 1}}', b'{"data":{"type":"<"}}']
)
def test_what_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(WebhookRefused):
        read_event(body)


# Rotation


class Vendor:
    """Gives the set of the moment and counts how often it was asked."""

    def __init__(self) -> None:
        self.document: dict[str, Any] = {"keys": []}
        self.asked = 0
        self.now = datetime.fromtimestamp(NOW, UTC)

    def fetch(self) -> dict[str, Any]:
        self.asked += 1
        return self.document

    def ring(self) -> KeyRing:
        return KeyRing(self.fetch, now=lambda: self.now)


def test_a_new_key_is_fetched_once_and_forged_names_cannot_hammer_the_vendor() -> None:
    vendor = Vendor()
    ring = vendor.ring()
    for _ in range(5):
        with pytest.raises(KeyUnknown):
            ring.verify(signed(), BODY, issuer=ISSUER, audience=AUDIENCE)
    assert vendor.asked == 1
    vendor.document = KEYS
    vendor.now += FETCH_EVERY
    late: dict[str, Any] = {"iat": NOW + 298, "exp": NOW + 358}
    assert ring.verify(signed(**late), BODY, issuer=ISSUER, audience=AUDIENCE).jti == "j-1"
    assert vendor.asked == 2
    ring.verify(signed(**late), BODY, issuer=ISSUER, audience=AUDIENCE)
    assert vendor.asked == 2


def test_a_key_that_was_withdrawn_stops_verifying_after_a_day() -> None:
    vendor = Vendor()
    vendor.document = KEYS
    ring = vendor.ring()
    ring.verify(signed(), BODY, issuer=ISSUER, audience=AUDIENCE)
    vendor.document = {"keys": [jwk(status="DEPRECATED")]}
    vendor.now += KEPT + timedelta(seconds=1)
    later: dict[str, Any] = {"iat": NOW + 86_401, "exp": NOW + 86_461}
    with pytest.raises(KeyUnknown):
        ring.verify(signed(**later), BODY, issuer=ISSUER, audience=AUDIENCE)


def test_the_partner_reads_the_keys_beside_the_interface_without_a_token() -> None:
    bank = FakeBank(answers=[json_answer(KEYS)])
    connector = bank.connector("ponto", "https://api.ibanity.com/ponto-connect")
    assert isinstance(connector, PontoPartnerConnector)
    assert set(read_keys(connector.webhook_keys())) == {"key-1"}
    assert str(bank.requests[0].url) == "https://api.ibanity.com/webhooks/keys"
    assert "authorization" not in bank.requests[0].headers


# What the vendor signed, and our own vectors


SIGNED = (
    "ibanity-signed-integration-accountRevoked",
    "ibanity-signed-synchronization-succeededWithoutChange",
    "library-fixture-xs2a-succeededWithoutChange",
)


@pytest.mark.parametrize("name", SIGNED)
def test_a_delivery_the_vendor_signed_verifies(shared: Path, name: str) -> None:
    folder = shared / "samples" / "ponto" / "webhooks"
    sample = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    keys = read_keys(json.loads((folder / sample["jwks"]).read_text(encoding="utf-8")))
    expected = {"issuer": sample["expectedIssuer"], "audience": sample["expectedAudience"]}
    body, now = sample["body"].encode(), sample["evaluateAtEpoch"]
    assert verify(sample["headers"]["Signature"], body, keys, now=now, **expected).jti
    assert read_event(body).account_id
    with pytest.raises(WebhookRefused):
        verify(sample["headers"]["Signature"], body + b" ", keys, now=now, **expected)
    with pytest.raises(WebhookRefused):
        verify(sample["headers"]["Signature"], body, keys, now=now + 120, **expected)


def test_our_own_vectors_hold(shared: Path) -> None:
    file = shared / "samples" / "ponto" / "own" / "webhook-vectors.json"
    vectors = json.loads(file.read_text(encoding="utf-8"))
    keys = read_keys(vectors["jwks"])
    assert set(keys) == {"gw_events_1", "gw_events_2"}
    results = {}
    for vector in vectors["vectors"]:
        try:
            verify(
                vector["headers"]["Signature"],
                vector["body"].encode(),
                keys,
                issuer=vectors["issuer"],
                audience=vectors["audience"],
                now=vector["evaluateAtEpoch"],
            )
            results[vector["name"]] = "valid"
        except WebhookRefused:
            results[vector["name"]] = "invalid"
    assert results == {vector["name"]: vector["expect"] for vector in vectors["vectors"]}
    assert set(results.values()) == {"valid", "invalid"}

"""SEC-04: signatures, headers, keys and claims of a user assertion, and every way to cheat with them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import pytest
from joserfc import jwk

from gateway.assembly import Gateway
from gateway.machines.errors import IssuerUnusable
from gateway.machines.issuers import IssuerService
from tests.gateway.builders import NOW, act_of_system, make_office
from tests.gateway.machines.decisions import me, refused
from tests.gateway.machines.portal import ISSUER, Portal, jwks, make_portal, raw, register, signed, signing_key


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

"""Signatures of requests: the published vectors, every bank's own way, and what a bank refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors import signing
from connectors.key_ids import KeyIdForm, key_id
from connectors.signing import SignatureProfile, SignatureRefused, SigningKey

FOLDER = Path(__file__).parent / "vectors"
BANKS: dict[str, Any] = json.loads((FOLDER / "http_signatures.json").read_text(encoding="utf-8"))
PONTO: dict[str, Any] = json.loads((FOLDER / "ponto_signatures.json").read_text(encoding="utf-8"))
CERTIFICATE = x509.load_pem_x509_certificate(BANKS["certificate_pem"].encode())
PROFILES = {
    "berlin-group-consent": signing.BERLIN_GROUP,
    "berlin-group-get": signing.BERLIN_GROUP,
    "argenta-accounts": signing.ARGENTA,
    "ing-app-token": signing.ING,
    "bnppf-accounts": signing.BNPPF,
    "triodos-accounts": signing.TRIODOS,
    "stet-accounts": signing.STET,
}
KEY_IDS = {
    "berlin-group-consent": KeyIdForm.HEX_RFC4514,
    "argenta-accounts": KeyIdForm.DECIMAL_WITHOUT_BLANKS,
    "triodos-accounts": KeyIdForm.LOWER_HEX_RFC1779,
}
NOW = 1_795_251_600


@pytest.fixture(scope="module")
def own_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def each(document: dict[str, Any]) -> list[Any]:
    return [pytest.param(vector, id=vector["name"]) for vector in document["vectors"]]


@pytest.mark.parametrize("vector", each(BANKS))
def test_a_published_vector_is_rebuilt_and_verifies(vector: dict[str, Any]) -> None:
    """The string is compared byte for byte; RSA PKCS#1 v1.5 then has one signature only."""
    headers = {name.lower(): value for name, value in vector["headers"].items()}
    text = signing.signing_string(
        vector["method"], vector["target"], headers, vector["signed_headers"],
        created=vector["created"], expires=vector["expires"],
    )  # fmt: skip
    assert text == vector["signing_string"]
    found = signing.verify(
        PROFILES[vector["name"]],
        {vector["key_id"]: CERTIFICATE.public_key()}.get,  # type: ignore[arg-type]  # an RSA key
        method=vector["method"],
        target=vector["target"],
        headers={**headers, "Signature": vector["signature_header"]},
        body=vector["body"].encode(),
        now=vector["created"] or NOW,
    )
    assert found == vector["key_id"]


@pytest.mark.parametrize("vector", each(BANKS))
def test_our_own_header_has_the_form_of_the_vector(vector: dict[str, Any], own_key: rsa.RSAPrivateKey) -> None:
    """The same request signed by us: everything but the signature itself is the published text."""
    added = signing.sign(
        PROFILES[vector["name"]],
        SigningKey(vector["key_id"], own_key, CERTIFICATE),
        method=vector["method"],
        target=vector["target"],
        headers={name: value for name, value in vector["headers"].items() if name != "Digest"},
        body=vector["body"].encode(),
        now=vector["created"] or NOW,
    )
    # One bank wants the signature of a request without a token in another header.
    ours = added.get("Signature") or added["Authorization"].removeprefix("Signature ")
    theirs = vector["signature_header"]
    assert ours.rpartition(",signature=")[0] == theirs.rpartition(",signature=")[0]
    assert added["Digest"] == vector["headers"]["Digest"]


@pytest.mark.parametrize("name", sorted(KEY_IDS))
def test_key_ids_name_serial_number_and_issuer_in_each_banks_form(name: str) -> None:
    (vector,) = [vector for vector in BANKS["vectors"] if vector["name"] == name]
    assert key_id(CERTIFICATE, KEY_IDS[name]) == vector["key_id"]


def test_the_certificate_goes_along_in_one_line() -> None:
    der = signing.certificate_header(CERTIFICATE, signing.CertificateHeader.DER)
    assert der == BANKS["tpp_signature_certificate_header"]
    pem = signing.certificate_header(CERTIFICATE, signing.CertificateHeader.PEM_IN_BLANKS)
    assert "\n" not in pem
    assert x509.load_pem_x509_certificate(pem.replace("    ", "\n").encode()) == CERTIFICATE


@pytest.mark.parametrize("vector", each(PONTO))
def test_a_vector_of_ponto_is_accepted_or_refused_as_it_says(vector: dict[str, Any]) -> None:
    """CON-16: quoted and bare times, both alphabets of base64; a changed body, path or key is refused."""
    request = vector["request"]
    public = serialization.load_pem_public_key(PONTO["publicKeyPem"].encode())

    def check() -> str:
        return signing.verify(
            signing.PONTO,
            {PONTO["keyId"]: public}.get,  # type: ignore[arg-type]  # an RSA key
            method=request["method"],
            target=request["target"],
            headers={**request["headers"], "Host": PONTO["host"]},
            body=request["body"].encode(),
            now=vector["evaluateAtEpoch"],
        )

    if vector["expect"] == "valid":
        headers = {name.lower(): value for name, value in request["headers"].items()} | {"host": PONTO["host"]}
        read = signing.read_signature(headers["signature"])
        text = signing.signing_string(request["method"], request["target"], headers, read.names, created=read.created)
        assert text == vector["signingString"]
        assert check() == PONTO["keyId"]
    else:
        with pytest.raises(SignatureRefused):
            check()


def signed(profile: SignatureProfile, key: rsa.RSAPrivateKey) -> dict[str, str]:
    headers = {"Host": "bank.example", "Date": "Sat, 21 Nov 2026 09:00:00 GMT", "X-Request-ID": "1"}
    return headers | signing.sign(
        profile, SigningKey("k", key, CERTIFICATE), method="POST", target="/v1/x?a=%5B1%5D", headers=headers,
        body=b"{}", now=NOW,
    )  # fmt: skip


def verified(profile: SignatureProfile, key: rsa.RSAPrivateKey, headers: dict[str, str], **changed: Any) -> str:
    request: dict[str, Any] = {"method": "POST", "target": "/v1/x?a=%5B1%5D", "body": b"{}", "now": NOW} | changed
    return signing.verify(profile, {"k": key.public_key()}.get, headers=headers, **request)


@pytest.mark.parametrize("profile", [*{id(p): p for p in [*PROFILES.values(), signing.PONTO]}.values()])
def test_what_we_sign_verifies_and_nothing_else(profile: SignatureProfile, own_key: rsa.RSAPrivateKey) -> None:
    headers = signed(profile, own_key)
    assert verified(profile, own_key, headers) == "k"
    place, scheme = ("Authorization", "Signature ") if profile.is_in_authorization else ("Signature", "")
    refusals: list[tuple[dict[str, str], dict[str, Any]]] = [
        (headers, {"body": b"{ }"}),
        ({**headers, place: headers[place].replace('keyId="k"', 'keyId="other"')}, {}),
        ({name: value for name, value in headers.items() if name != place}, {}),
        ({**headers, place: f"{scheme}keyId"}, {}),
        ({**headers, "Digest": "MD5=AAAA"}, {}),
    ]
    if signing.REQUEST_TARGET in profile.signed:
        refusals += [(headers, {"target": "/v1/x"}), (headers, {"method": "GET"})]
    if profile.life_seconds is not None:
        refusals += [(headers, {"now": NOW + 61}), (headers, {"now": NOW - 61})]
    for given, changed in refusals:
        with pytest.raises(SignatureRefused):
            verified(profile, own_key, given, **changed)


def test_a_signature_stands_in_authorization_only_while_there_is_no_token(own_key: rsa.RSAPrivateKey) -> None:
    """The key id is then the name the bank gave us, and the certificate stays at home."""
    call: dict[str, Any] = {"method": "GET", "target": "/v3/accounts", "body": b"", "now": NOW}
    headers = {"Date": "Sat, 21 Nov 2026 09:00:00 GMT", "Authorization": "Bearer token-1"}
    added = signing.sign(signing.ING, SigningKey("client-7", own_key), headers=headers, **call)
    assert set(added) == {"Digest", "Signature"}
    for given, holds in (({**headers, **added}, True), ({**headers, "Authorization": "Signature x"}, False)):
        if holds:
            found = signing.verify(signing.ING, lambda _: own_key.public_key(), headers=given, **call)
            assert found == "client-7"
        else:
            with pytest.raises(SignatureRefused):
                signing.verify(signing.ING, lambda _: own_key.public_key(), headers=given, **call)


def test_a_part_that_is_sent_and_not_signed_is_refused(own_key: rsa.RSAPrivateKey) -> None:
    """A header added on the way, such as another call-back address, must not pass."""
    headers = signed(signing.BERLIN_GROUP, own_key)
    with pytest.raises(SignatureRefused):
        verified(signing.BERLIN_GROUP, own_key, {**headers, "TPP-Redirect-URI": "https://elsewhere.example"})


def test_a_missing_part_or_certificate_is_named(own_key: rsa.RSAPrivateKey) -> None:
    call: dict[str, Any] = {"method": "GET", "target": "/", "body": b"", "now": NOW}
    with pytest.raises(SignatureRefused, match="date"):
        signing.sign(signing.ING, SigningKey("k", own_key, CERTIFICATE), headers={}, **call)
    bare = replace(signing.TRIODOS, needed=frozenset({"digest"}))
    with pytest.raises(SignatureRefused, match="certificate"):
        signing.sign(bare, SigningKey("k", own_key), headers={}, **call)


def test_a_key_shows_nothing(own_key: rsa.RSAPrivateKey) -> None:
    """SEC-06."""
    assert repr(SigningKey("SN=1", own_key)) == "SigningKey(…)"

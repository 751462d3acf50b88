"""Webhooks of Ponto: whether a delivery is theirs, and what it says. Pure but for the key set's short memory.

A delivery carries a compact JWS (RFC 7515) in `Signature`: RS512, a key by `kid`, claims over issuer, application, time
and a SHA-512 digest of the body's bytes. The body holds ids only; what they stand for is read afterwards.
Source: the vendor's libraries up to 2025, and deliveries that the vendor signed in 2022 and 2023.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Final, TypeGuard

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from connectors import text
from connectors.families.ponto_rows import related_id

ALGORITHM: Final = "RS512"
LIFE_SECONDS: Final = 60
LEEWAY_SECONDS: Final = 30
SIGNATURE_LENGTH_MAX: Final = 8192
BODY_BYTES_MAX: Final = 64 * 1024
KEY_BITS_MIN: Final = 2048
KEPT: Final = timedelta(hours=24)
FETCH_EVERY: Final = timedelta(minutes=5)
"""Between two fetches: a `kid` is anybody's to invent, and must not become calls to the vendor."""
PREFIX: Final = "pontoConnect."

_TYPE: Final = re.compile(r"[A-Za-z][A-Za-z0-9.]{0,79}")

Keys = Mapping[str, rsa.RSAPublicKey]


class WebhookRefused(ValueError):
    """Not a delivery of Ponto's for us; the message says which check failed, and holds nothing of the delivery."""


class KeyUnknown(WebhookRefused):
    """No key of that name is active in the set at hand; a newer set may have it."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a signature that holds says of the delivery."""

    jti: str
    """Its id: one that comes again is a repeat."""
    issued_at: int
    expires_at: int
    """Unix seconds; with the leeway, until when a repeat can still pass the other checks."""


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """What happened, by ids of Ponto; None where the event does not name one."""

    event_type: str
    """Without the product's prefix: `account.transactionsCreated`. Types not listed anywhere are kept as they are."""
    event_id: str | None
    created_at: datetime | None
    organisation_id: str | None
    account_id: str | None
    synchronisation_id: str | None


def read_keys(document: Any) -> dict[str, rsa.RSAPublicKey]:
    """The keys of a set that may verify: RSA, for signatures, and active; others are left out.

    Source: RFC 7517; `status` is the vendor's own member, and `n` may carry padding.
    """
    listed = document.get("keys") if isinstance(document, Mapping) else None
    found: dict[str, rsa.RSAPublicKey] = {}
    for key in listed if isinstance(listed, list) else []:
        if not isinstance(key, Mapping) or (key.get("kty"), key.get("use"), key.get("status")) != (
            "RSA", "sig", "ACTIVE"
        ):  # fmt: skip
            continue
        if key.get("alg", ALGORITHM) != ALGORITHM:
            continue
        kid = text.present(key.get("kid"))
        try:
            numbers = rsa.RSAPublicNumbers(_number(key.get("e")), _number(key.get("n")))
            public = numbers.public_key()
        except ValueError:
            continue
        if kid is not None and public.key_size >= KEY_BITS_MIN:
            found[kid] = public
    return found


def verify(signature: str, body: bytes, keys: Keys, *, issuer: str, audience: str, now: int) -> Delivery:
    """Check one delivery and tell its id; raises `WebhookRefused`, and `KeyUnknown` where another set may help.

    `now` is Unix seconds, `body` the bytes as they came: a body that was parsed and written again has another digest.
    Whether the id came before is for the caller to know.
    """
    if len(signature) > SIGNATURE_LENGTH_MAX or len(body) > BODY_BYTES_MAX:
        raise WebhookRefused("the delivery is too large")
    parts = signature.strip().split(".")
    if len(parts) != 3 or not all(parts):
        raise WebhookRefused("the signature has another form")
    header, claims = _object(parts[0]), _object(parts[1])
    # Before any key is looked up: with another algorithm a public key might serve as a secret one.
    if header.get("alg") != ALGORITHM or "crit" in header:
        raise WebhookRefused("the algorithm is another one")
    kid = header.get("kid")
    key = keys.get(kid) if isinstance(kid, str) else None
    if key is None:
        raise KeyUnknown("the key is not known")
    try:
        key.verify(_bytes(parts[2]), f"{parts[0]}.{parts[1]}".encode(), padding.PKCS1v15(), hashes.SHA512())
    except InvalidSignature:
        raise WebhookRefused("it is not the signature of this delivery") from None
    return _checked(claims, body, issuer=issuer, audience=audience, now=now)


def read_event(body: bytes) -> WebhookEvent:
    """What a verified body says; raises `WebhookRefused` when it is no event at all."""
    try:
        data = json.loads(body)["data"]
        event_type = data["type"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise WebhookRefused("the body is no event") from None
    if not isinstance(event_type, str) or not _TYPE.fullmatch(event_type):
        raise WebhookRefused("the body is no event")
    attributes = data.get("attributes")
    return WebhookEvent(
        event_type=event_type.removeprefix(PREFIX),
        event_id=text.present_id(data.get("id")),
        created_at=text.moment(attributes.get("createdAt")) if isinstance(attributes, Mapping) else None,
        organisation_id=related_id(data, "organization"),
        account_id=related_id(data, "account"),
        synchronisation_id=related_id(data, "synchronization"),
    )


class KeyRing:
    """The vendor's keys, fetched when they are needed and kept for a day; may be used by several threads.

    A name that is not there makes the set be fetched anew, once per `FETCH_EVERY`: the vendor changes its keys. `fetch`
    gives the document, `now` an aware moment. What `fetch` raises passes through, and the old keys stay.
    """

    def __init__(self, fetch: Callable[[], Any], *, now: Callable[[], datetime]) -> None:
        self._fetch = fetch
        self._now = now
        self._lock = Lock()
        self._keys: Keys = {}
        self._tried_at: datetime | None = None
        self._fetched_at: datetime | None = None

    def verify(self, signature: str, body: bytes, *, issuer: str, audience: str) -> Delivery:
        """As `verify`, with the keys of the moment; raises `WebhookRefused`."""
        now = self._now()
        seconds = int(now.timestamp())
        keys = self._present(now)
        try:
            return verify(signature, body, keys, issuer=issuer, audience=audience, now=seconds)
        except KeyUnknown:
            newer = self._renewed(now)
            if newer is keys:
                raise
            return verify(signature, body, newer, issuer=issuer, audience=audience, now=seconds)

    def _present(self, now: datetime) -> Keys:
        is_old = self._fetched_at is None or now - self._fetched_at > KEPT
        return self._renewed(now) if is_old else self._keys

    def _renewed(self, now: datetime) -> Keys:
        with self._lock:
            if self._tried_at is None or now - self._tried_at >= FETCH_EVERY:
                self._tried_at = now
                self._keys = read_keys(self._fetch())
                self._fetched_at = now
            return self._keys


def _checked(claims: Mapping[str, Any], body: bytes, *, issuer: str, audience: str, now: int) -> Delivery:
    if claims.get("iss") != issuer or claims.get("aud") != audience:
        raise WebhookRefused("it was made by or for somebody else")
    issued, expires, jti = claims.get("iat"), claims.get("exp"), claims.get("jti")
    if not _is_whole(issued) or not _is_whole(expires) or not isinstance(jti, str) or not 0 < len(jti) <= 100:
        raise WebhookRefused("time or id is missing")
    if not 0 < expires - issued <= LIFE_SECONDS:
        raise WebhookRefused("it lives longer than it may")
    if expires < now - LEEWAY_SECONDS or issued > now + LEEWAY_SECONDS:
        raise WebhookRefused("it was made at another time")
    given, made = claims.get("digest"), base64.b64encode(hashlib.sha512(body).digest()).decode()
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), made.encode()):
        raise WebhookRefused("the digest is of another body")
    return Delivery(jti, issued, expires)


def _is_whole(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _object(part: str) -> Mapping[str, Any]:
    try:
        found = json.loads(_bytes(part))
    except (ValueError, RecursionError):
        raise WebhookRefused("the signature cannot be read") from None
    if not isinstance(found, Mapping):
        raise WebhookRefused("the signature cannot be read")
    return found


def _bytes(part: str) -> bytes:
    plain = part.rstrip("=")
    try:
        return base64.b64decode((plain + "=" * (-len(plain) % 4)).encode(), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise WebhookRefused("the signature cannot be read") from None


def _number(value: Any) -> int:
    if not isinstance(value, str):
        raise WebhookRefused("a key cannot be read")
    return int.from_bytes(_bytes(value))

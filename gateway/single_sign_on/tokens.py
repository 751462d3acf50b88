"""Reading an ID token: signature by one of the issuer's public keys, then every claim (OpenID Connect Core, 3.1.3.7).

Only asymmetric algorithms are accepted, whatever the token's header says: `none` and a MAC with the public key as its
secret are refused before a key is looked for.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ALGORITHMS: Final = ("RS256", "PS256", "ES256")
LEEWAY: Final = timedelta(seconds=60)
AGE_MAX: Final = timedelta(minutes=10)
"""A token is fetched right after it was issued; an old one is a replay."""


class TokenRefused(Exception):
    """The token is not good; the reason is for the log and names no value."""


@dataclass(frozen=True, slots=True)
class IdToken:
    """What a good token says."""

    subject: str
    authenticated_at: datetime | None
    """When the person last gave the factors, by `auth_time`; None when the issuer does not say."""
    amr: frozenset[str]
    acr: str | None


def public_keys(document: Mapping[str, Any]) -> KeySet:
    """The signing keys of a JWK set; keys of other kinds are left out. Raises `TokenRefused`."""
    found = document.get("keys")
    usable = [
        key
        for key in (found if isinstance(found, list) else [])
        if isinstance(key, dict) and key.get("kty") in ("RSA", "EC") and key.get("use", "sig") == "sig"
    ]
    try:
        return KeySet.import_key_set({"keys": usable})
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise TokenRefused("the issuer's keys cannot be read") from error


def read_id_token(text: str, keys: KeySet, *, issuer: str, client_id: str, nonce: str, now: datetime) -> IdToken:
    """The token's content when everything about it is right; raises `TokenRefused`."""
    try:
        claims = jwt.decode(text, keys, algorithms=list(ALGORITHMS)).claims
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise TokenRefused(f"the signature does not hold ({type(error).__name__})") from error
    _require(claims.get("iss") == issuer, "another issuer")
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    _require(isinstance(audiences, list) and client_id in audiences, "another audience")
    _require(claims.get("azp", client_id) == client_id, "another authorised party")
    _require(len(audiences or []) == 1 or "azp" in claims, "several audiences and no authorised party")
    expires, issued = _moment(claims, "exp"), _moment(claims, "iat")
    _require(expires is not None and now < expires + LEEWAY, "expired")
    _require(issued is not None and now - AGE_MAX <= issued <= now + LEEWAY, "issued at another time")
    not_before = _moment(claims, "nbf")
    _require(not_before is None or not_before <= now + LEEWAY, "not valid yet")
    given = claims.get("nonce")
    _require(isinstance(given, str) and secrets.compare_digest(given.encode(), nonce.encode()), "another nonce")
    subject = claims.get("sub")
    _require(isinstance(subject, str) and 0 < len(subject) <= 255, "no subject")
    amr, acr = claims.get("amr"), claims.get("acr")
    return IdToken(
        subject=str(subject),
        authenticated_at=_moment(claims, "auth_time"),
        amr=frozenset(value for value in amr if isinstance(value, str)) if isinstance(amr, list) else frozenset(),
        acr=acr if isinstance(acr, str) else None,
    )


def _moment(claims: Mapping[str, Any], name: str) -> datetime | None:
    value = claims.get(name)
    if value is None:
        return None
    _require(
        isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e11, f"no moment in {name}"
    )
    return datetime.fromtimestamp(int(value), UTC)


def _require(holds: bool, reason: str) -> None:
    if not holds:
        raise TokenRefused(reason)

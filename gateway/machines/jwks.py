"""The public keys of an identity provider: what is accepted when the operator registers them (SEC-04, RFC 7517)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from joserfc import jwk
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

from gateway.machines.errors import IssuerUnusable

KEYS_MAX: Final = 10
RSA_BITS_MIN: Final = 2048
PUBLIC: Final[Mapping[str, frozenset[str]]] = {
    "RSA": frozenset({"kty", "n", "e"}),
    "EC": frozenset({"kty", "crv", "x", "y"}),
    "OKP": frozenset({"kty", "crv", "x"}),
}
"""Members of a public key; `d` and its like make it private, and `oct` is a secret that the portal would share."""
ALGORITHMS: Final[Mapping[str, tuple[str, str | None]]] = {
    "RS256": ("RSA", None),
    "PS256": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "EdDSA": ("OKP", "Ed25519"),
    "Ed25519": ("OKP", "Ed25519"),
}
"""The signatures that count, each with the one kind of key that may give it: no confusion of one with another."""


class SignatureModel(Protocol):
    """One algorithm of the library."""

    def sign(self, msg: bytes, key: Any) -> bytes:
        """A signature."""

    def verify(self, msg: bytes, sig: bytes, key: Any) -> bool:
        """Whether it holds."""


def signature_model(algorithm: str) -> SignatureModel:
    """How a signature of this name is checked; `EdDSA` is the old name of `Ed25519` (RFC 9864)."""
    return JWSRegistry.algorithms["Ed25519" if algorithm == "EdDSA" else algorithm]


def public_keys(document: Any) -> tuple[dict[str, Any], list[str]]:
    """The document with nothing but public keys in it, and their thumbprints; raises `IssuerUnusable`."""
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or not 1 <= len(keys) <= KEYS_MAX:
        raise IssuerUnusable(reason=f"A JWKS with 1 to {KEYS_MAX} keys is expected.")
    kept = [_public_key(key) for key in keys]
    if len({key["kid"] for key in kept}) != len(kept):
        raise IssuerUnusable(reason="Two keys have the same kid.")
    prints = [jwk.import_key(key).thumbprint() for key in kept]
    if len(set(prints)) != len(prints):
        raise IssuerUnusable(reason="One key is there twice.")
    return {"keys": kept}, prints


def _public_key(key: Any) -> dict[str, Any]:
    if not isinstance(key, dict) or key.get("kty") not in PUBLIC:
        raise IssuerUnusable(reason="A key is neither RSA, EC nor OKP.")
    kind = key["kty"]
    names = PUBLIC[kind]
    kid = key.get("kid")
    if not isinstance(kid, str) or not 1 <= len(kid) <= 200:
        raise IssuerUnusable(reason="A key has no kid.")
    if set(key) & {"d", "p", "q", "dp", "dq", "qi", "k", "oth"}:
        raise IssuerUnusable(reason="A private key is in the file; the identity provider keeps that for itself.")
    if key.get("use", "sig") != "sig":
        raise IssuerUnusable(reason="A key is not for signatures.")
    if not names <= set(key) or not all(isinstance(key[name], str) for name in names):
        raise IssuerUnusable(reason="A key is not complete.")
    fits = [name for name, (of, curve) in ALGORITHMS.items() if of == kind and curve in (None, key.get("crv"))]
    if not fits or key.get("alg", fits[0]) not in fits:
        raise IssuerUnusable(reason="A key is of a curve or algorithm that does not count.")
    kept = {name: key[name] for name in sorted(names)} | {"kid": kid}
    if "alg" in key:
        kept["alg"] = key["alg"]
    try:
        bits = int.from_bytes(urlsafe_b64decode(key["n"].encode())).bit_length() if kind == "RSA" else None
        if bits is not None and bits < RSA_BITS_MIN:
            raise IssuerUnusable(reason=f"An RSA key has less than {RSA_BITS_MIN} bits.")
        jwk.import_key(kept)
    except (JoseError, ValueError, TypeError) as error:
        raise IssuerUnusable(reason="A key cannot be read.") from error
    return kept

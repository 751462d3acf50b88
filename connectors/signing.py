"""Signatures over HTTP requests: draft-cavage-http-signatures, versions 10 to 12, as the banks and Ponto use it.

What differs from bank to bank is data, a `SignatureProfile`; one piece of code builds the string that is signed, and
the same piece rebuilds it to verify, at the simulated banks. Not RFC 9421. Times are handed in as Unix seconds.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

REQUEST_TARGET: Final = "(request-target)"
CREATED: Final = "(created)"
EXPIRES: Final = "(expires)"
ORGANISATION_IDENTIFIER: Final = x509.ObjectIdentifier("2.5.4.97")
_PARAMETER: Final = re.compile(r'\(?([A-Za-z]+)\)?=(?:"([^"]*)"|(\d+))(?:,\s*|$)')
_SCHEME: Final = "Signature "
_HASHES: Final = {"SHA-256": hashlib.sha256, "SHA-512": hashlib.sha512}


class Algorithm(StrEnum):
    """How the string is signed, by its name in the header."""

    RSA_SHA256 = "rsa-sha256"
    RSA_SHA512 = "rsa-sha512"
    HS2019 = "hs2019"
    """RSASSA-PSS with SHA-256 and a salt of 32 bytes, as Ponto takes it."""


class CertificateHeader(StrEnum):
    """How `TPP-Signature-Certificate` holds the certificate."""

    DER = "der"
    """Base64 of the DER in one line: the standard."""
    PEM_IN_BLANKS = "pem_in_blanks"
    """The PEM text with every line end replaced by four blanks (Argenta)."""
    NONE = "none"
    """No such header: the key id says where the certificate is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureProfile:
    """How one bank wants its requests signed."""

    signed: tuple[str, ...]
    """Names in lower case, in this order; one that the request does not have is left out, unless it is `needed`."""
    needed: frozenset[str] = frozenset({"digest"})
    algorithm: Algorithm = Algorithm.RSA_SHA256
    digest: str = "SHA-256"
    certificate_header: CertificateHeader = CertificateHeader.DER
    life_seconds: int | None = None
    """From `(created)` to `(expires)`; None where neither or the first alone is sent."""
    is_created_quoted: bool = False
    every: tuple[str, ...] = ()
    """Beginnings of names of which every header is signed too, after the others: `ibanity-`."""
    is_in_authorization: bool = False
    """A request without a token carries its signature in `Authorization: Signature …`; one with a token does not send
    the certificate, since the key id is then the name the bank gave us."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The key of a QSEAL, or of Ponto's signature certificate, and the name under which the bank knows it."""

    key_id: str
    key: rsa.RSAPrivateKey
    certificate: x509.Certificate | None = None

    def __repr__(self) -> str:
        return "SigningKey(…)"


class SignatureRefused(ValueError):
    """A signature that does not hold; the message says which part, and holds nothing of the request."""


def digest_header(body: bytes, algorithm: str = "SHA-256") -> str:
    """`SHA-256=` and the hash of exactly these bytes; an empty body has one too. Source: RFC 3230."""
    return f"{algorithm}={base64.b64encode(_HASHES[algorithm](body).digest()).decode()}"


def signing_string(
    method: str,
    target: str,
    headers: Mapping[str, str],
    signed: Sequence[str],
    *,
    created: int | None = None,
    expires: int | None = None,
) -> str:
    """The lines that are signed; `headers` by name in lower case. Raises `SignatureRefused` for a name that is absent.

    `target` is path and query exactly as sent: encoded brackets stay encoded.
    """
    pseudo = {
        REQUEST_TARGET: f"{method.lower()} {target}",
        CREATED: None if created is None else str(created),
        EXPIRES: None if expires is None else str(expires),
    }
    lines = []
    for name in signed:
        value = pseudo[name] if name in pseudo else headers.get(name)
        if value is None:
            raise SignatureRefused(f"the signed part {name} is not there")
        lines.append(f"{name}: {value.strip()}")
    return "\n".join(lines)


def sign(
    profile: SignatureProfile,
    key: SigningKey,
    *,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes,
    now: int,
) -> dict[str, str]:
    """The headers to add: `Digest`, `Signature` and, where the bank wants it, `TPP-Signature-Certificate`.

    Where the profile says so, the signature stands in `Authorization`.

    `headers` are those of the request, `Host` (as the bank sees it) among them; `now` is Unix seconds. Raises
    `SignatureRefused` when a part that must be signed is not there.
    """
    digest = digest_header(body, profile.digest)
    known = {name.lower(): value for name, value in headers.items()} | {"digest": digest}
    created = now if CREATED in profile.signed else None
    expires = now + profile.life_seconds if EXPIRES in profile.signed and profile.life_seconds is not None else None
    there = {REQUEST_TARGET, CREATED, EXPIRES, *known}
    missing = profile.needed - there
    if missing:
        raise SignatureRefused(f"the signed part {min(missing)} is not there")
    names = [name for name in profile.signed if name in there]
    names += sorted(name for name in known if name.startswith(profile.every or ("\0",)) and name not in names)
    text = signing_string(method, target, known, names, created=created, expires=expires)
    value = base64.b64encode(_sign(profile.algorithm, key.key, text.encode())).decode()
    times = [
        f'created="{moment}"' if profile.is_created_quoted else f"({name})={moment}"
        for name, moment in (("created", created), ("expires", expires))
        if moment is not None
    ]
    middle = [f'algorithm="{profile.algorithm}"', f'headers="{" ".join(names)}"']
    # Ponto wants the time before the algorithm, the banks after the list of names; each as its description prints it.
    ordered = [*times, *middle] if profile.is_created_quoted else [*middle, *times]
    signature = ",".join([f'keyId="{key.key_id}"', *ordered, f'signature="{value}"'])
    has_token = profile.is_in_authorization and "authorization" in known
    added = {"Digest": digest}
    if profile.is_in_authorization and not has_token:
        added["Authorization"] = f"{_SCHEME}{signature}"
    else:
        added["Signature"] = signature
    if profile.certificate_header is not CertificateHeader.NONE and not has_token:
        if key.certificate is None:
            raise SignatureRefused("the certificate of the signing key is not there")
        added["TPP-Signature-Certificate"] = certificate_header(key.certificate, profile.certificate_header)
    return added


class RequestSigner:
    """Signs the requests to one bank; hand it to `BankHttp`. `now` gives an aware moment."""

    def __init__(self, profile: SignatureProfile, key: SigningKey, *, now: Callable[[], datetime]) -> None:
        self._profile = profile
        self._key = key
        self._now = now

    def __call__(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes, key_id: str | None = None
    ) -> dict[str, str]:
        """The headers to add, `Date` among them where it is signed and not there yet.

        `key_id` is the name a bank gave us, in place of that of the certificate.
        """
        now = self._now()
        key = self._key if key_id is None else replace(self._key, key_id=key_id)
        added: dict[str, str] = {}
        if "date" in self._profile.signed and "date" not in {name.lower() for name in headers}:
            added["Date"] = format_datetime(now.astimezone(UTC), usegmt=True)
        return added | sign(
            self._profile, key, method=method, target=target, headers={**headers, **added}, body=body,
            now=int(now.timestamp()),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Signature:
    """A `Signature` header, read."""

    key_id: str
    algorithm: str
    names: tuple[str, ...]
    value: bytes
    created: int | None = None
    expires: int | None = None


def read_signature(header: str) -> Signature:
    """The parts of a `Signature` header; raises `SignatureRefused`.

    Numbers may stand in quotes or not, and the value in either alphabet of base64: clients differ.
    """
    found: dict[str, str] = {}
    position = 0
    while position < len(header):
        part = _PARAMETER.match(header, position)
        if part is None or part[1] in found:
            raise SignatureRefused("the header cannot be read")
        found[part[1]] = part[2] if part[2] is not None else part[3]
        position = part.end()
    try:
        return Signature(
            key_id=found["keyId"],
            algorithm=found["algorithm"],
            names=tuple(found["headers"].split(" ")),
            value=_base64(found["signature"]),
            created=int(found["created"]) if "created" in found else None,
            expires=int(found["expires"]) if "expires" in found else None,
        )
    except KeyError as error:
        raise SignatureRefused(f"the header has no {error.args[0]}") from None
    except ValueError:
        raise SignatureRefused("the header cannot be read") from None


def verify(
    profile: SignatureProfile,
    key_of: Callable[[str], rsa.RSAPublicKey | None],
    *,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes,
    now: int,
    tolerance_seconds: int = 60,
) -> str:
    """Check a request as the bank would and return its key id; raises `SignatureRefused`.

    `key_of` gives the public key of a key id, None for one that is not known.
    """
    known = {name.lower(): value for name, value in headers.items()}
    authorization = known.get("authorization", "")
    if profile.is_in_authorization and authorization.startswith(_SCHEME):
        header: str | None = authorization.removeprefix(_SCHEME)
        # It cannot sign itself.
        del known["authorization"]
    else:
        header = known.get("signature")
    if header is None:
        raise SignatureRefused("there is no signature")
    signature = read_signature(header)
    if signature.algorithm != profile.algorithm:
        raise SignatureRefused("the algorithm is another one")
    expected = [name for name in profile.signed if name in known or name.startswith("(")]
    expected += [name for name in known if name.startswith(profile.every or ("\0",))]
    unsigned = (profile.needed | set(expected)) - set(signature.names)
    if unsigned:
        raise SignatureRefused(f"{min(unsigned)} is not signed")
    _check_digest(known.get("digest", ""), body)
    if signature.created is not None and abs(now - signature.created) > tolerance_seconds:
        raise SignatureRefused("it was made at another time")
    if signature.expires is not None and now > signature.expires:
        raise SignatureRefused("it has expired")
    public = key_of(signature.key_id)
    if public is None:
        raise SignatureRefused("the key is not known")
    text = signing_string(method, target, known, signature.names, created=signature.created, expires=signature.expires)
    try:
        _verify(profile.algorithm, public, signature.value, text.encode())
    except InvalidSignature:
        raise SignatureRefused("it is not the signature of this request") from None
    return signature.key_id


def certificate_header(certificate: x509.Certificate, form: CertificateHeader) -> str:
    """The value of `TPP-Signature-Certificate`."""
    if form is CertificateHeader.PEM_IN_BLANKS:
        return certificate.public_bytes(serialization.Encoding.PEM).decode().strip().replace("\n", "    ")
    return base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()


def _sign(algorithm: Algorithm, key: rsa.RSAPrivateKey, text: bytes) -> bytes:
    if algorithm is Algorithm.HS2019:
        return key.sign(text, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    return key.sign(text, padding.PKCS1v15(), _hash(algorithm))


def _verify(algorithm: Algorithm, key: rsa.RSAPublicKey, value: bytes, text: bytes) -> None:
    if algorithm is Algorithm.HS2019:
        key.verify(value, text, padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO), hashes.SHA256())
    else:
        key.verify(value, text, padding.PKCS1v15(), _hash(algorithm))


def _hash(algorithm: Algorithm) -> hashes.HashAlgorithm:
    return hashes.SHA512() if algorithm is Algorithm.RSA_SHA512 else hashes.SHA256()


def _check_digest(header: str, body: bytes) -> None:
    name, _, value = header.partition("=")
    make = _HASHES.get(name.upper())
    if make is None:
        raise SignatureRefused("the digest is of an unknown kind")
    try:
        given = _base64(value)
    except ValueError:
        raise SignatureRefused("the digest cannot be read") from None
    if given != make(body).digest():
        raise SignatureRefused("the digest is of another body")


def _base64(text: str) -> bytes:
    """Either alphabet, with or without padding; raises `ValueError`."""
    plain = text.strip().replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error


BERLIN_GROUP: Final = SignatureProfile(
    signed=("digest", "x-request-id", "psu-id", "psu-corporate-id", "date", "tpp-redirect-uri"),
    needed=frozenset({"digest", "x-request-id"}),
)
"""The standard's smallest set. Source: Berlin Group 1.3.11, section 12."""
ARGENTA: Final = SignatureProfile(
    signed=("digest", "x-request-id"),
    needed=frozenset({"digest", "x-request-id"}),
    algorithm=Algorithm.RSA_SHA512,
    certificate_header=CertificateHeader.PEM_IN_BLANKS,
)
TRIODOS: Final = SignatureProfile(
    signed=("digest", "x-request-id"), needed=frozenset({"digest", "x-request-id"})
)  # fmt: skip
ING: Final = SignatureProfile(
    signed=(REQUEST_TARGET, "date", "digest", "x-request-id"),
    needed=frozenset({REQUEST_TARGET, "date", "digest"}),
    is_in_authorization=True,
)
BNPPF: Final = SignatureProfile(
    signed=(REQUEST_TARGET, CREATED, EXPIRES, "host", "x-request-id", "digest"),
    needed=frozenset({REQUEST_TARGET, CREATED, EXPIRES, "host", "x-request-id", "digest"}),
    certificate_header=CertificateHeader.NONE,
    life_seconds=60,
)
STET: Final = SignatureProfile(
    signed=(REQUEST_TARGET, "host", "date", "content-type", "x-request-id", "digest", "psu-ip-address"),
    needed=frozenset({REQUEST_TARGET, "host", "date", "x-request-id", "digest"}),
    certificate_header=CertificateHeader.NONE,
)
BELFIUS: Final = SignatureProfile(
    signed=(REQUEST_TARGET, "date", "digest", "request-id"),
    needed=frozenset({REQUEST_TARGET, "date", "digest", "request-id"}),
    certificate_header=CertificateHeader.NONE,
)
"""Assumed: that payments are signed is known, what of them is not. The certificate lies at the bank."""
PONTO: Final = SignatureProfile(
    signed=(REQUEST_TARGET, "host", "digest", CREATED, "authorization"),
    needed=frozenset({REQUEST_TARGET, "host", "digest", CREATED}),
    algorithm=Algorithm.HS2019,
    digest="SHA-512",
    certificate_header=CertificateHeader.NONE,
    is_created_quoted=True,
    every=("ibanity-",),
)
"""Source: Ibanity's description of its signatures, draft version 12."""

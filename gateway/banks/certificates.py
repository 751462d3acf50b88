"""The certificates of this installation: read, checked, and shown without any part of a key (SEC-12).

A certificate with a fault is not used: the banks that need it are `not_configured`, all others go on. What an operator
should know, and nothing more, is a warning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from connectors.certificates import CertificateInfo, CertificateUnreadable, Purpose, Role, info_of
from gateway.settings import CertificateSettings

PURPOSES: Final = {"qwac": Purpose.WEB, "qseal": Purpose.SEAL}
"""Those of a licence holder, which speak of roles; an intermediary's own say nothing of the kind."""


class FindingCode(StrEnum):
    """What is wrong with a certificate, or worth knowing."""

    CERTIFICATE_UNREADABLE = "certificate_unreadable"
    KEY_UNREADABLE = "key_unreadable"
    KEY_DIFFERS = "key_differs"
    KEY_NOT_RSA = "key_not_rsa"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    OTHER_KIND = "other_kind"
    ROLE_MISSING = "role_missing"
    IDENTIFIER_CHANGED = "identifier_changed"
    NOT_FOR_TLS_CLIENTS = "not_for_tls_clients"
    ENDS_SOON = "ends_soon"
    IDENTIFIER_UNCONFIRMED = "identifier_unconfirmed"
    STATEMENTS_MISSING = "statements_missing"
    SELF_ISSUED = "self_issued"
    CHAIN_MISSING = "chain_missing"
    CHAIN_DISORDERED = "chain_disordered"


SENTENCES: Final = {
    FindingCode.CERTIFICATE_UNREADABLE: "The file holds no certificate that can be read.",
    FindingCode.KEY_UNREADABLE: "The key cannot be read: wrong file or wrong password.",
    FindingCode.KEY_DIFFERS: "The key is not that of the certificate.",
    FindingCode.KEY_NOT_RSA: "Requests are signed with RSA keys only.",
    FindingCode.NOT_YET_VALID: "It is valid from {day} on.",
    FindingCode.EXPIRED: "It ended on {day}.",
    FindingCode.OTHER_KIND: "The certificate says that it is for the other purpose.",
    FindingCode.ROLE_MISSING: "The certificate lacks the role PSP_AI: no bank gives account information with it.",
    FindingCode.IDENTIFIER_CHANGED: "It names {found}, the settings {expected}. Banks that know us by the identifier "
    "end every consent when it changes; to go on, write the new one into the settings.",
    FindingCode.NOT_FOR_TLS_CLIENTS: "Its extended key usage does not allow the part of the client.",
    FindingCode.ENDS_SOON: "It ends in {days} days, on {day}: order the next one and move the banks over.",
    FindingCode.IDENTIFIER_UNCONFIRMED: "It names {found}; write that into organisation_identifier, so that a change "
    "is noticed.",
    FindingCode.STATEMENTS_MISSING: "It says nothing of roles and authority: good for tests only.",
    FindingCode.SELF_ISSUED: "It is issued by itself: no bank accepts it.",
    FindingCode.CHAIN_MISSING: "The file holds the certificate alone; banks want those above it too, without the root.",
    FindingCode.CHAIN_DISORDERED: "A certificate in the file is not issued by the one behind it.",
}
WARNINGS: Final = frozenset(
    {
        FindingCode.ENDS_SOON,
        FindingCode.IDENTIFIER_UNCONFIRMED,
        FindingCode.STATEMENTS_MISSING,
        FindingCode.SELF_ISSUED,
        FindingCode.CHAIN_MISSING,
        FindingCode.CHAIN_DISORDERED,
    }
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding, in English, as all of the operator's commands are."""

    code: FindingCode
    text: str

    @property
    def is_fault(self) -> bool:
        """Whether the certificate cannot be used."""
        return self.code not in WARNINGS


@dataclass(frozen=True, slots=True)
class InstalledCertificate:
    """A certificate of the settings as found in its files."""

    name: str
    settings: CertificateSettings
    chain: tuple[x509.Certificate, ...] = ()
    """It and those above it; empty when unreadable."""
    info: CertificateInfo | None = None
    key: PrivateKeyTypes | None = field(default=None, repr=False)

    @property
    def rsa_key(self) -> rsa.RSAPrivateKey | None:
        """The key, where it can sign requests."""
        return self.key if isinstance(self.key, rsa.RSAPrivateKey) else None

    def findings(self, now: datetime) -> list[Finding]:
        """Faults first, in a fixed order."""
        found = [Finding(code, SENTENCES[code].format(**parameters)) for code, parameters in _findings(self, now)]
        return sorted(found, key=lambda finding: not finding.is_fault)

    def is_usable(self, now: datetime) -> bool:
        """Whether banks can be called with it."""
        return not any(finding.is_fault for finding in self.findings(now))


def install(name: str, settings: CertificateSettings) -> InstalledCertificate:
    """Read the files; what cannot be read is a finding, not an error."""
    try:
        chain = tuple(x509.load_pem_x509_certificates(settings.certificate_file.read_bytes()))
        info = info_of(chain[0])
    except (OSError, ValueError, CertificateUnreadable):
        return InstalledCertificate(name, settings)
    password = settings.key_password.get_secret_value().encode() if settings.key_password is not None else None
    try:
        key = serialization.load_pem_private_key(_key_part(settings.key_path.read_bytes()), password)
    except (OSError, ValueError, TypeError):
        # What the library says may hold parts of the file.
        return InstalledCertificate(name, settings, chain, info)
    return InstalledCertificate(name, settings, chain, info, key)


def _key_part(data: bytes) -> bytes:
    """The key of a file that may hold certificates before or behind it."""
    end = b"PRIVATE KEY-----"
    start, stop = data.find(b"-----BEGIN"), data.rfind(end)
    while start != -1 and end not in data[start : data.find(b"\n", start) + 1]:
        start = data.find(b"-----BEGIN", start + 1)
    return data[start : stop + len(end)] + b"\n" if start != -1 else data


def _findings(found: InstalledCertificate, now: datetime) -> Iterator[tuple[FindingCode, dict[str, object]]]:
    info = found.info
    if info is None:
        yield FindingCode.CERTIFICATE_UNREADABLE, {}
        return
    yield from _of_key(found)
    yield from _of_time(info, now)
    is_for_tls = found.settings.kind in ("qwac", "tls")
    if is_for_tls and info.is_for_tls_clients is False:
        yield FindingCode.NOT_FOR_TLS_CLIENTS, {}
    if found.settings.kind in PURPOSES:
        yield from _of_statements(found, info)
    if info.is_self_issued:
        yield FindingCode.SELF_ISSUED, {}
    elif is_for_tls and len(found.chain) == 1:
        yield FindingCode.CHAIN_MISSING, {}
    if any(below.issuer != above.subject for below, above in zip(found.chain, found.chain[1:], strict=False)):
        yield FindingCode.CHAIN_DISORDERED, {}


def _of_statements(
    found: InstalledCertificate, info: CertificateInfo
) -> Iterator[tuple[FindingCode, dict[str, object]]]:
    if info.purpose not in (None, PURPOSES[found.settings.kind]):
        yield FindingCode.OTHER_KIND, {}
    if info.authority_id is None:
        yield FindingCode.STATEMENTS_MISSING, {}
    elif Role.ACCOUNT_INFORMATION not in info.roles:
        yield FindingCode.ROLE_MISSING, {}
    expected, named = found.settings.organisation_identifier, info.organisation_identifier
    if expected is not None and named != expected:
        yield FindingCode.IDENTIFIER_CHANGED, {"found": named or "nobody", "expected": expected}
    if expected is None and named is not None:
        yield FindingCode.IDENTIFIER_UNCONFIRMED, {"found": named}


def _of_key(found: InstalledCertificate) -> Iterator[tuple[FindingCode, dict[str, object]]]:
    if found.key is None:
        yield FindingCode.KEY_UNREADABLE, {}
    elif found.key.public_key() != found.chain[0].public_key():
        yield FindingCode.KEY_DIFFERS, {}
    elif found.settings.kind in ("qseal", "signature") and found.rsa_key is None:
        yield FindingCode.KEY_NOT_RSA, {}


def _of_time(info: CertificateInfo, now: datetime) -> Iterator[tuple[FindingCode, dict[str, object]]]:
    if now < info.not_before:
        yield FindingCode.NOT_YET_VALID, {"day": info.not_before.date()}
    elif now > info.not_after:
        yield FindingCode.EXPIRED, {"day": info.not_after.date()}
    elif info.alarm(now) is not None:
        yield FindingCode.ENDS_SOON, {"days": info.days_left(now), "day": info.not_after.date()}

"""Certificates of a payment institution: what a QWAC or QSEAL says of roles, authority and identity.

Sources: ETSI TS 119 495 (PSD2 statement), EN 319 412-1 and -5 (identifier, kinds). Private keys are not read here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ORGANISATION_IDENTIFIER: Final = x509.ObjectIdentifier("2.5.4.97")
QC_STATEMENTS: Final = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.3")
QC_COMPLIANCE: Final = x509.ObjectIdentifier("0.4.0.1862.1.1")
QC_TYPE: Final = x509.ObjectIdentifier("0.4.0.1862.1.6")
PSD2_STATEMENT: Final = x509.ObjectIdentifier("0.4.0.19495.2")
IDENTIFIER: Final = re.compile(r"PSD[A-Z]{2}-[A-Z]{2,8}-[!-~]{1,64}")
"""`PSDBE-NBB-0123456789`: country, authority, number of the licence register. Source: TS 119 495, 5.2.1."""
ALARM_DAYS: Final = (60, 30, 14, 7)
"""Days before the end on which the operator is told (SEC-12)."""


class Role(StrEnum):
    """What the holder may do at banks."""

    ACCOUNT_SERVICING = "PSP_AS"
    PAYMENT_INITIATION = "PSP_PI"
    ACCOUNT_INFORMATION = "PSP_AI"
    CARD_ISSUING = "PSP_IC"


ROLES: Final = {
    "0.4.0.19495.1.1": Role.ACCOUNT_SERVICING,
    "0.4.0.19495.1.2": Role.PAYMENT_INITIATION,
    "0.4.0.19495.1.3": Role.ACCOUNT_INFORMATION,
    "0.4.0.19495.1.4": Role.CARD_ISSUING,
}


class Purpose(StrEnum):
    """What a certificate is for."""

    WEB = "web"
    """QWAC: mutual TLS on every call."""
    SEAL = "eseal"
    """QSEAL: signs requests."""


PURPOSES: Final = {"0.4.0.1862.1.6.2": Purpose.SEAL, "0.4.0.1862.1.6.3": Purpose.WEB}


class CertificateUnreadable(ValueError):
    """Not a certificate, or one whose statements cannot be read."""


@dataclass(frozen=True, slots=True)
class CertificateInfo:
    """What an operator wants to see of a certificate; no part of a key."""

    common_name: str | None
    organisation: str | None
    organisation_identifier: str | None
    """`PSDBE-NBB-…`; many banks know us by it, so that another one in a new certificate loses every consent."""
    purpose: Purpose | None
    """None where the certificate says nothing, as those of test authorities."""
    roles: frozenset[Role]
    authority_name: str | None
    authority_id: str | None
    """`BE-NBB`."""
    serial_number: str
    """Capital hexadecimal digits."""
    not_before: datetime
    not_after: datetime
    issuer: str
    """As RFC 4514 writes it."""
    is_self_issued: bool
    is_for_tls_clients: bool | None
    """Whether its extended key usage allows the part of the client in TLS; None where it has none."""

    def days_left(self, now: datetime) -> int:
        """Whole days from `now` to the end; below zero when it is over."""
        return (self.not_after - now) // timedelta(days=1)

    def is_valid(self, now: datetime) -> bool:
        """Whether `now` lies in its time."""
        return self.not_before <= now <= self.not_after

    def alarm(self, now: datetime) -> int | None:
        """The nearest of `ALARM_DAYS` that has been reached, 0 after the end, None while there is time."""
        left = self.days_left(now)
        if left < 0:
            return 0
        return min((days for days in ALARM_DAYS if left < days), default=None)


def read_certificate(data: bytes) -> CertificateInfo:
    """The first certificate of a PEM file, or a DER one; raises `CertificateUnreadable`."""
    try:
        found = x509.load_pem_x509_certificate(data) if b"-----BEGIN" in data else x509.load_der_x509_certificate(data)
    except ValueError:
        raise CertificateUnreadable("this is no certificate") from None
    return info_of(found)


def info_of(certificate: x509.Certificate) -> CertificateInfo:
    """What the certificate says; raises `CertificateUnreadable` for statements that break the standard."""
    statements = _statements(certificate)
    psd2 = _psd2(statements.get(PSD2_STATEMENT))
    return CertificateInfo(
        common_name=_attribute(certificate.subject, NameOID.COMMON_NAME),
        organisation=_attribute(certificate.subject, NameOID.ORGANIZATION_NAME),
        organisation_identifier=_attribute(certificate.subject, ORGANISATION_IDENTIFIER),
        purpose=_purpose(statements.get(QC_TYPE)),
        roles=frozenset(
            ROLES[role.oid.dotted_string] for role in (psd2.roles if psd2 else ()) if role.oid.dotted_string in ROLES
        ),
        authority_name=psd2.authority_name if psd2 else None,
        authority_id=psd2.authority_id if psd2 else None,
        serial_number=f"{certificate.serial_number:X}",
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        issuer=certificate.issuer.rfc4514_string(),
        is_self_issued=certificate.issuer == certificate.subject,
        is_for_tls_clients=_is_for_tls_clients(certificate),
    )


# The statements, in ASN.1 ------------------------------------------------------------------------------------------


@asn1.sequence
class _List:
    items: list[asn1.TLV]


@asn1.sequence
class _Bare:
    statement: x509.ObjectIdentifier


@asn1.sequence
class _Full:
    statement: x509.ObjectIdentifier
    info: asn1.TLV


@asn1.sequence
class _Role:
    oid: x509.ObjectIdentifier
    name: str


@asn1.sequence
class _Psd2:
    roles: list[_Role]
    authority_name: str
    authority_id: str


@asn1.sequence
class _Purpose:
    oid: x509.ObjectIdentifier


def qc_statements(purpose: Purpose, roles: list[Role], *, authority_name: str, authority_id: str) -> bytes:
    """The extension's value for these; for the certificates of simulated institutions."""
    oids = {role: oid for oid, role in ROLES.items()}
    (kind,) = [oid for oid, known in PURPOSES.items() if known is purpose]
    said = _Psd2(
        roles=[_Role(oid=x509.ObjectIdentifier(oids[role]), name=role.value) for role in roles],
        authority_name=authority_name,
        authority_id=authority_id,
    )
    parts = [
        asn1.encode_der(_Bare(statement=QC_COMPLIANCE)),
        _sequence(asn1.encode_der(QC_TYPE) + asn1.encode_der(_Purpose(oid=x509.ObjectIdentifier(kind)))),
        _sequence(asn1.encode_der(PSD2_STATEMENT) + asn1.encode_der(said)),
    ]
    return _sequence(b"".join(parts))


def _sequence(content: bytes) -> bytes:
    """DER of a sequence; the library has no list on its own and no part that may hold anything."""
    length = len(content)
    if length < 128:
        return bytes([0x30, length]) + content
    size = (length.bit_length() + 7) // 8
    return bytes([0x30, 0x80 | size]) + length.to_bytes(size, "big") + content


def _statements(certificate: x509.Certificate) -> dict[x509.ObjectIdentifier, asn1.TLV | None]:
    try:
        value = certificate.extensions.get_extension_for_oid(QC_STATEMENTS).value
    except x509.ExtensionNotFound:
        return {}
    if not isinstance(value, x509.UnrecognizedExtension):
        raise CertificateUnreadable("the statements of the certificate cannot be read")
    found: dict[x509.ObjectIdentifier, asn1.TLV | None] = {}
    try:
        for item in asn1.decode_der(_List, _sequence(value.value)).items:
            try:
                full = item.parse(_Full)
                found[full.statement] = full.info
            except ValueError:
                found[item.parse(_Bare).statement] = None
    except ValueError:
        raise CertificateUnreadable("the statements of the certificate cannot be read") from None
    return found


def _psd2(info: asn1.TLV | None) -> _Psd2 | None:
    try:
        return None if info is None else info.parse(_Psd2)
    except ValueError:
        raise CertificateUnreadable("the PSD2 statement of the certificate cannot be read") from None


def _purpose(info: asn1.TLV | None) -> Purpose | None:
    if info is None:
        return None
    try:
        return PURPOSES.get(info.parse(_Purpose).oid.dotted_string)
    except ValueError:
        # Several kinds in one statement: the standard wants one certificate for each.
        return None


def _is_for_tls_clients(certificate: x509.Certificate) -> bool | None:
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return None
    return ExtendedKeyUsageOID.CLIENT_AUTH in usages


def _attribute(name: x509.Name, oid: x509.ObjectIdentifier) -> str | None:
    found = name.get_attributes_for_oid(oid)
    return str(found[0].value) if found else None

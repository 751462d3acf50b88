"""What certificates of payment institutions say (SEC-12)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connectors.certificates import (
    IDENTIFIER,
    ORGANISATION_IDENTIFIER,
    QC_STATEMENTS,
    CertificateUnreadable,
    Purpose,
    Role,
    info_of,
    qc_statements,
    read_certificate,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2026, 12, 31, tzinfo=UTC)
CHECKED = (
    "30753008060604008e4601013013060604008e4601063009060704008e4601060330540606040081982702304a"
    "302630110607040081982701030c065053505f414930110607040081982701020c065053505f50490c184e6174"
    "696f6e616c2042616e6b206f662042656c6769756d0c0642452d4e4242"
)
"""The value checked with OpenSSL; `certificates.md` of the specification."""


def certificate(extension: bytes | None) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "BE"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Voorbeeld NV"),
            x509.NameAttribute(ORGANISATION_IDENTIFIER, "PSDBE-NBB-0999999922"),
            x509.NameAttribute(NameOID.COMMON_NAME, "gateway.example"),
        ]
    )
    builder = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(0xABC).not_valid_before(START).not_valid_after(END)
    )  # fmt: skip
    if extension is not None:
        builder = builder.add_extension(x509.UnrecognizedExtension(QC_STATEMENTS, extension), critical=False)
    return builder.sign(key, hashes.SHA256())


def test_the_statements_are_written_as_checked() -> None:
    made = qc_statements(
        Purpose.WEB, [Role.ACCOUNT_INFORMATION, Role.PAYMENT_INITIATION],
        authority_name="National Bank of Belgium", authority_id="BE-NBB",
    )  # fmt: skip
    assert made.hex() == CHECKED


@pytest.mark.parametrize("encoding", [serialization.Encoding.PEM, serialization.Encoding.DER])
def test_roles_authority_identifier_and_days_are_read(encoding: serialization.Encoding) -> None:
    found = read_certificate(certificate(bytes.fromhex(CHECKED)).public_bytes(encoding))
    assert found.purpose is Purpose.WEB
    assert found.roles == {Role.ACCOUNT_INFORMATION, Role.PAYMENT_INITIATION}
    assert (found.authority_name, found.authority_id) == ("National Bank of Belgium", "BE-NBB")
    assert (found.common_name, found.organisation) == ("gateway.example", "Voorbeeld NV")
    assert found.organisation_identifier == "PSDBE-NBB-0999999922"
    assert IDENTIFIER.fullmatch(found.organisation_identifier)
    assert found.serial_number == "ABC"
    assert (found.not_before, found.not_after) == (START, END)


def test_a_seal_is_told_from_a_certificate_for_tls() -> None:
    extension = qc_statements(Purpose.SEAL, [Role.ACCOUNT_INFORMATION], authority_name="NBB", authority_id="BE-NBB")
    assert info_of(certificate(extension)).purpose is Purpose.SEAL


def test_a_plain_certificate_has_no_roles() -> None:
    found = info_of(certificate(None))
    assert (found.purpose, found.roles, found.authority_id) == (None, frozenset(), None)


@pytest.mark.parametrize(
    ("left", "alarm"),
    [
        (timedelta(days=61), None), (timedelta(days=60), None), (timedelta(days=59, hours=1), 60),
        (timedelta(days=29), 30), (timedelta(days=13), 14), (timedelta(days=6), 7), (timedelta(hours=1), 7),
        (timedelta(hours=-1), 0),
    ],
)  # fmt: skip
def test_the_alarm_is_the_nearest_that_was_reached(left: timedelta, alarm: int | None) -> None:
    """SEC-12: 60, 30, 14 and 7 days before the end."""
    found = info_of(certificate(None))
    assert found.alarm(END - left) == alarm
    assert found.is_valid(END - left) is (left >= timedelta(0))


@pytest.mark.parametrize("extension", [b"\x30\x03\x30\x01\x02", b"nothing", bytes.fromhex(CHECKED)[:-1]])
def test_broken_statements_are_named(extension: bytes) -> None:
    with pytest.raises(CertificateUnreadable):
        info_of(certificate(extension))


@pytest.mark.parametrize("data", [b"", b"-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----\n", b"\x30\x82"])
def test_what_is_no_certificate_is_named(data: bytes) -> None:
    with pytest.raises(CertificateUnreadable):
        read_certificate(data)

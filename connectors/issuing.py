"""Certificates of invented institutions: an authority of our own, and the QWAC and QSEAL it gives.

For simulated banks, tests and first steps in a bank's sandbox that takes anybody's; no real bank accepts them. They say
what a real one says (roles, authority, identifier), so that everything which reads certificates is tried in earnest.
Source: ETSI TS 119 495, EN 319 412-1, -3 and -5. Moments are handed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from connectors.certificates import ORGANISATION_IDENTIFIER, QC_STATEMENTS, Purpose, Role, qc_statements

KEY_BITS: Final = 2048
AUTHORITY_NAME: Final = "Invented authority for test certificates"
LOOPBACK: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Institution:
    """Whom the certificates name; nobody real."""

    organisation: str = "Invented Payment Institution"
    organisation_identifier: str = "PSDBE-NBB-0999999922"
    country: str = "BE"
    domain: str = "tpp.example"
    authority_name: str = "National Bank of Belgium"
    authority_id: str = "BE-NBB"


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate with its key, and the one above it, without the root."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey
    above: tuple[x509.Certificate, ...] = ()

    def __repr__(self) -> str:
        return "Issued(…)"

    @property
    def chain_pem(self) -> bytes:
        """The certificate and those above it."""
        return b"".join(_pem(certificate) for certificate in (self.certificate, *self.above))

    def key_pem(self, password: str | None = None) -> bytes:
        """The key, in clear without a password."""
        locked: serialization.KeySerializationEncryption = (
            serialization.NoEncryption()
            if password is None
            else serialization.BestAvailableEncryption(password.encode())
        )
        return self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)


class InventedAuthority:
    """A root and what it lets issue; certificates are valid from `not_before` to `not_after`."""

    def __init__(self, *, not_before: datetime, not_after: datetime, name: str = AUTHORITY_NAME) -> None:
        self.not_before = not_before
        self.not_after = not_after
        root_key, self._key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        root_name, self._name = _authority_name(name), _authority_name(f"{name}, issuing")
        self._issuer, self._issuer_key = root_name, root_key
        self.root = self._authority(root_name, root_key, below=1)
        """What whoever checks our certificates trusts."""
        self._issuing = self._authority(self._name, self._key, below=0)
        self._issuer, self._issuer_key = self._name, self._key

    @property
    def root_pem(self) -> bytes:
        """The root, without its key."""
        return _pem(self.root)

    def server(self, host: str = LOOPBACK) -> Issued:
        """For a simulated bank that listens at this address."""
        key = _new_key()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Simulated banks")])
        builder = self._builder(name, key)
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address(host)), x509.DNSName("localhost")]), critical=False
        )
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        return Issued(self._sign(builder), key, (self._issuing,))

    def qwac(
        self,
        institution: Institution = Institution(),
        *,
        roles: Sequence[Role] = (Role.ACCOUNT_INFORMATION,),
        not_after: datetime | None = None,
    ) -> Issued:
        """For mutual TLS."""
        key = _new_key()
        builder = self._qualified(institution, Purpose.WEB, roles, key, not_after)
        builder = builder.add_extension(_usage(digital_signature=True), critical=True)
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(institution.domain)]), critical=False)
        return Issued(self._sign(builder), key, (self._issuing,))

    def qseal(
        self,
        institution: Institution = Institution(),
        *,
        roles: Sequence[Role] = (Role.ACCOUNT_INFORMATION,),
        not_after: datetime | None = None,
    ) -> Issued:
        """For the signatures of requests."""
        key = _new_key()
        builder = self._qualified(institution, Purpose.SEAL, roles, key, not_after)
        builder = builder.add_extension(_usage(digital_signature=True, content_commitment=True), critical=True)
        return Issued(self._sign(builder), key, (self._issuing,))

    def _qualified(
        self,
        institution: Institution,
        purpose: Purpose,
        roles: Sequence[Role],
        key: rsa.RSAPrivateKey,
        not_after: datetime | None,
    ) -> x509.CertificateBuilder:
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, institution.country),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, institution.organisation),
                x509.NameAttribute(ORGANISATION_IDENTIFIER, institution.organisation_identifier),
                x509.NameAttribute(NameOID.COMMON_NAME, institution.domain),
            ]
        )
        said = qc_statements(
            purpose,
            list(roles),
            authority_name=institution.authority_name,
            authority_id=institution.authority_id,
        )
        builder = self._builder(subject, key, not_after)
        return builder.add_extension(x509.UnrecognizedExtension(QC_STATEMENTS, said), critical=False)

    def _authority(self, name: x509.Name, key: ec.EllipticCurvePrivateKey, *, below: int) -> x509.Certificate:
        builder = self._builder(name, key).add_extension(x509.BasicConstraints(True, below), critical=True)
        return self._sign(builder.add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True))

    def _builder(
        self,
        subject: x509.Name,
        key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
        not_after: datetime | None = None,
    ) -> x509.CertificateBuilder:
        # Newer Pythons refuse a chain without these two.
        ours = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        theirs = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._issuer_key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.not_before)
            .not_valid_after(not_after or self.not_after)
            .add_extension(ours, critical=False)
            .add_extension(theirs, critical=False)
        )

    def _sign(self, builder: x509.CertificateBuilder) -> x509.Certificate:
        return builder.sign(self._issuer_key, hashes.SHA256())


def _authority_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "BE"), x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)


def _usage(
    *,
    digital_signature: bool = False,
    content_commitment: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=content_commitment,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )

"""How a signature names the certificate behind it: `SN=…,CA=…`, in the forms the banks take."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID


class KeyIdForm(StrEnum):
    """How a key id names a certificate by serial number and issuer.

    Printers of names disagree on `organizationIdentifier`; when a bank refuses all of these, the string it accepts is
    configured and none is computed.
    """

    HEX_RFC4514 = "hex_rfc4514"
    """Serial number in capital hexadecimal digits, issuer as RFC 4514 writes it."""
    DECIMAL_WITHOUT_BLANKS = "decimal_without_blanks"
    LOWER_HEX_RFC1779 = "lower_hex_rfc1779"
    HEX_ALONE = "hex_alone"


def key_id(certificate: x509.Certificate, form: KeyIdForm) -> str:
    """`SN=…,CA=…` of the certificate."""
    serial = certificate.serial_number
    if form is KeyIdForm.HEX_ALONE:
        return f"SN={serial:X}"
    if form is KeyIdForm.LOWER_HEX_RFC1779:
        return f"SN={serial:x},CA={_issuer(certificate, separator=', ', prefix='OID.')}"
    issuer = _issuer(certificate, separator=",", prefix="")
    if form is KeyIdForm.DECIMAL_WITHOUT_BLANKS:
        return f"SN={serial},CA={issuer.replace(' ', '')}"
    return f"SN={serial:X},CA={issuer}"


_SHORT_NAMES: Final = {
    NameOID.COMMON_NAME: "CN",
    NameOID.ORGANIZATION_NAME: "O",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
    NameOID.COUNTRY_NAME: "C",
    NameOID.LOCALITY_NAME: "L",
    NameOID.STATE_OR_PROVINCE_NAME: "ST",
}


def _issuer(certificate: x509.Certificate, *, separator: str, prefix: str) -> str:
    """The issuer, its last attribute first; commas and other marks in a value are escaped as RFC 4514 says."""
    return separator.join(
        f"{_SHORT_NAMES.get(attribute.oid, prefix + attribute.oid.dotted_string)}={_escaped(str(attribute.value))}"
        for attribute in reversed(list(certificate.issuer))
    )


def _escaped(value: str) -> str:
    text = re.sub(r'([,+"\\<>;=])', r"\\\1", value)
    return "\\" + text if text.startswith(("#", " ")) else text

"""Mutual TLS at the simulated banks: who calls is read from the client certificate, as a bank reads it.

The server asks for a certificate and does not insist, since browsers of PSUs come to the same address: the interface
refuses a call without one, the pages do not. One of an unknown authority fails in the handshake already. Source:
Berlin Group 1.3, message codes of status 401; ETSI TS 119 495 for the roles.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from connectors.certificates import CertificateUnreadable, Role, info_of
from connectors.key_ids import KeyIdForm, key_id

SCOPE_KEY: Final = "sluis.client_certificate"


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """What the server needs; switches https and the check of client certificates on."""

    server_file: Path
    """PEM with the server's certificate and its key."""
    authority_file: Path
    """PEM of the authority whose client certificates are accepted."""

    def options(self) -> dict[str, Any]:
        """The same as arguments of `uvicorn.Config`."""
        return {
            "ssl_certfile": self.server_file,
            "ssl_ca_certs": self.authority_file,
            "ssl_cert_reqs": ssl.CERT_OPTIONAL,
        }


class CertificateProtocol(HttpToolsProtocol):
    """Puts the client certificate, as DER, into the scope of each request."""

    def on_message_begin(self) -> None:
        """A new request of the connection."""
        super().on_message_begin()
        line = self.transport.get_extra_info("ssl_object")
        certificate = line.getpeercert(binary_form=True) if line is not None else None
        if certificate is not None:
            self.scope.setdefault("extensions", {})[SCOPE_KEY] = {"der": certificate}


class CallerRefused(Exception):
    """The bank does not answer this caller; `code` is one of the Berlin Group's."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def check_caller(scope: Any, now: datetime, *, reads_roles: bool) -> None:
    """Raise `CallerRefused` without a certificate, after its end, and without the role PSP_AI where roles are read."""
    held = scope.get("extensions", {}).get(SCOPE_KEY)
    if held is None:
        raise CallerRefused("CERTIFICATE_MISSING", "a client certificate is needed")
    try:
        found = info_of(x509.load_der_x509_certificate(held["der"]))
    except (ValueError, CertificateUnreadable) as error:
        raise CallerRefused("CERTIFICATE_INVALID", "the client certificate cannot be read") from error
    if now > found.not_after:
        raise CallerRefused("CERTIFICATE_EXPIRED", "the client certificate has ended")
    if reads_roles and Role.ACCOUNT_INFORMATION not in found.roles:
        raise CallerRefused("ROLE_INVALID", "the client certificate lacks the role PSP_AI")


def signature_keys(pem: bytes) -> dict[str, RSAPublicKey]:
    """The public key of a QSEAL under each name a bank may know it by."""
    certificate = x509.load_pem_x509_certificate(pem)
    public = certificate.public_key()
    if not isinstance(public, RSAPublicKey):
        raise TypeError("requests are signed with RSA keys only")
    return {key_id(certificate, form): public for form in KeyIdForm}

"""Mutual TLS on loopback: the right certificate is let in, a missing or an unknown one is the operator's matter."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connectors.errors import OperatorError
from connectors.http import BankHttp, BankRequest, CallKind
from tests.connectors.support import NOW

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
REQUEST = BankRequest(method="GET", url="/accounts", template="/accounts", kind=CallKind.ACCOUNTS, request_id="id-1")


@dataclass
class Authority:
    """Issues throw-away certificates into a folder."""

    folder: Path

    def __post_init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "throw-away authority")])
        certificate = self._builder(self.name, self.key).add_extension(x509.BasicConstraints(True, None), True)
        self.certificate = self._written("authority", certificate, self.key)

    def issue(self, name: str) -> Path:
        """Path of a file with certificate and key."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key)
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False)
        return self._written(name, builder, key)

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        today = datetime.now(UTC)  # TLS looks at the real clock
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(today - timedelta(days=1))
            .not_valid_after(today + timedelta(days=1))
        )

    def _written(self, name: str, builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> Path:
        path = self.folder / f"{name}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        certificate = builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        path.write_bytes(certificate + private)
        return path


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def bank(authority: Authority) -> Iterator[str]:
    """A bank that asks for a client certificate; gives its address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.issue("bank"))
    context.load_verify_locations(authority.certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=_serve, args=(listener, context), daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}/v1"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def _serve(listener: socket.socket, context: ssl.SSLContext) -> None:
    with suppress(OSError):
        while True:
            plain, _ = listener.accept()
            plain.settimeout(5)
            with suppress(OSError), plain, context.wrap_socket(plain, server_side=True) as line:
                line.recv(65_536)
                line.sendall(ANSWER)


def client(base_url: str, context: ssl.SSLContext) -> BankHttp:
    return BankHttp(base_url, bank_id="bank", now=lambda: NOW, sleep=lambda seconds: None, ssl_context=context)


def test_our_certificate_is_shown_and_accepted(bank: str, authority: Authority) -> None:
    context = ssl.create_default_context(cafile=str(authority.certificate))
    context.load_cert_chain(authority.issue("gateway"))
    http = client(bank, context)
    assert http.send(REQUEST).json() == {}
    http.close()


def test_without_a_certificate_the_operator_must_act(bank: str, authority: Authority) -> None:
    http = client(bank, ssl.create_default_context(cafile=str(authority.certificate)))
    with pytest.raises(OperatorError):
        http.send(REQUEST)
    http.close()


def test_a_bank_with_an_unknown_certificate_is_not_spoken_to(bank: str) -> None:
    http = client(bank, ssl.create_default_context())
    with pytest.raises(OperatorError):
        http.send(REQUEST)
    http.close()

"""What this installation has for one bank beside what that bank wants, and the line that is opened with it."""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal
from urllib.parse import urlsplit

from pydantic import SecretStr

from connectors import key_ids, registry
from connectors.base import BankEndpoint, Connector, Need
from connectors.certificates import IDENTIFIER
from connectors.http import LOOPBACK_HOSTS, BankHttp
from connectors.replay import RecordedAnswer, ReplayHttp
from connectors.signing import RequestSigner, SigningKey
from gateway.banks.certificates import InstalledCertificate, install
from gateway.banks.listening import heard
from gateway.errors import ConfigError
from gateway.i18n import _
from gateway.settings import BankAccessSettings, CertificateSettings, Settings


class Lack(StrEnum):
    """What is missing before a bank can be linked (CON-04)."""

    ACCESS = "access"
    TLS_CERTIFICATE = "tls_certificate"
    TLS_CERTIFICATE_UNUSABLE = "tls_certificate_unusable"
    SEAL_CERTIFICATE = "seal_certificate"
    SEAL_CERTIFICATE_UNUSABLE = "seal_certificate_unusable"
    IDENTIFIER_DIFFERS = "identifier_differs"
    KEY_ID = "key_id"
    API_KEY = "api_key"
    CLIENT_SECRET = "client_secret"  # noqa: S105 - a name


LACK_TEXTS: Final[Mapping[Lack, str]] = {
    Lack.ACCESS: _("Address and client id of the bank's interface"),
    Lack.TLS_CERTIFICATE: _("A certificate for mutual TLS; banks want a QWAC"),
    Lack.TLS_CERTIFICATE_UNUSABLE: _("A certificate for mutual TLS that can be used: the present one has a fault"),
    Lack.SEAL_CERTIFICATE: _("A certificate that signs requests; banks want a QSEAL"),
    Lack.SEAL_CERTIFICATE_UNUSABLE: _("A certificate for signatures that can be used: the present one has a fault"),
    Lack.IDENTIFIER_DIFFERS: _("One organisation identifier: the certificate names another than the client id"),
    Lack.KEY_ID: _("The key id, under which the bank finds the certificate of the signatures"),
    Lack.API_KEY: _("The API key of the bank's portal"),
    Lack.CLIENT_SECRET: _("The client secret of the registration"),
}


class BankFilesUnusable(ConfigError):
    """The line to a bank cannot be made with the files of the settings."""

    code = "bank_files_unusable"
    title = "The files named for this bank cannot be used"
    detail = "The line to bank {bank_id} cannot be made with the files that the settings name."
    hint = "The operator checks authority_file and the certificates with sluis certificates check."


@dataclass(frozen=True, slots=True)
class BankAccess:
    """How one bank is reached, with the certificates chosen for it."""

    bank_id: str
    settings: BankAccessSettings
    tls: InstalledCertificate | None
    seal: InstalledCertificate | None

    @property
    def is_simulated(self) -> bool:
        """Plain http, which is spoken on this machine only: nobody asks for certificates there."""
        return is_plain(self.settings.base_url)

    @property
    def licence_holder(self) -> str | None:
        """Who asks the bank: as set, else the intermediary itself, else the organisation of the QWAC (CON-04)."""
        if self.settings.licence_holder:
            return self.settings.licence_holder
        found = registry.connector_class(self.bank_id)
        if found.intermediary is not None:
            return found.intermediary
        info = self.tls.info if self.tls is not None and not self.is_simulated else None
        return info.organisation if info is not None else None

    def used(self) -> list[InstalledCertificate]:
        """The certificates that calls to this bank need."""
        needs = registry.connector_class(self.bank_id).needs()
        chosen = ((Need.TLS_CERTIFICATE, self.tls), (Need.SEAL_CERTIFICATE, self.seal))
        return [found for need, found in chosen if need in needs and found is not None]

    def lacks(self, now: datetime) -> list[Lack]:
        """What is missing or cannot be used, in the order of `Lack`; empty when the bank can be called."""
        found = set[Lack]()
        needs = registry.connector_class(self.bank_id).needs()
        for need, given in ((Need.API_KEY, self.settings.api_key), (Need.CLIENT_SECRET, self.settings.client_secret)):
            if need in needs and not _secret(given):
                found.add(Lack(need.value))
        if not self.is_simulated:
            found |= self._certificate_lacks(needs, now)
        return [lack for lack in Lack if lack in found]

    def _certificate_lacks(self, needs: frozenset[Need], now: datetime) -> set[Lack]:
        found = set[Lack]()
        for need, installed, unusable in (
            (Need.TLS_CERTIFICATE, self.tls, Lack.TLS_CERTIFICATE_UNUSABLE),
            (Need.SEAL_CERTIFICATE, self.seal, Lack.SEAL_CERTIFICATE_UNUSABLE),
        ):
            if need not in needs:
                continue
            if installed is None:
                found.add(Lack(need.value))
            elif not installed.is_usable(now):
                found.add(unusable)
            elif self._names_another(installed):
                found.add(Lack.IDENTIFIER_DIFFERS)
        if Need.KEY_ID in needs and not self.settings.key_id:
            found.add(Lack.KEY_ID)
        return found

    def _names_another(self, installed: InstalledCertificate) -> bool:
        """Whether the bank knows us by another organisation identifier than the certificate's.

        Where the client id is such an identifier, it must be that of the certificates: with another, every consent
        given so far is lost.
        """
        named = installed.info.organisation_identifier if installed.info is not None else None
        is_identifier = IDENTIFIER.fullmatch(self.settings.client_id) is not None
        return is_identifier and named is not None and named != self.settings.client_id

    def connect(self, now: Callable[[], datetime]) -> Connector:
        """The connector; what is missing was asked for before."""
        found, endpoint = registry.connector_class(self.bank_id), self._endpoint()
        http = BankHttp(
            endpoint.base_url,
            bank_id=self.bank_id,
            now=now,
            on_answer=heard,
            allowed_hosts=endpoint.allowed_hosts,
            ssl_context=None if self.is_simulated else self._tls(),
            signer=self._signer(found, now),
            signed_kinds=found.signed_kinds,
        )
        return found(endpoint, http, now=now, new_id=lambda: str(uuid.uuid4()))

    def replaying(self, answers: Iterable[RecordedAnswer], now: Callable[[], datetime]) -> Connector:
        """The connector over recorded answers: no certificate is opened and no bank called."""
        endpoint = self._endpoint()
        http = ReplayHttp(
            endpoint.base_url, bank_id=self.bank_id, now=now, answers=answers, allowed_hosts=endpoint.allowed_hosts
        )
        return registry.connector_class(self.bank_id)(endpoint, http, now=now, new_id=lambda: str(uuid.uuid4()))

    def _endpoint(self) -> BankEndpoint:
        settings = self.settings
        return BankEndpoint(
            base_url=settings.base_url.rstrip("/"),
            client_id=settings.client_id,
            allowed_hosts=frozenset(settings.allowed_hosts or registry.connector_class(self.bank_id).profile.hosts),
            api_key=_secret(settings.api_key),
            client_secret=_secret(settings.client_secret),
            authorisation_url=settings.authorisation_url,
        )

    def key_id(self) -> str | None:
        """The name we sign under: as set, else by the bank's rule; None where nothing is signed."""
        found = registry.connector_class(self.bank_id)
        if found.signature is None or self.seal is None or not self.seal.chain:
            return None
        return self.settings.key_id or key_ids.key_id(self.seal.chain[0], found.key_id_form)

    def _signer(self, found: type[Connector], now: Callable[[], datetime]) -> RequestSigner | None:
        key_id = self.key_id()
        if found.signature is None or self.seal is None or self.seal.rsa_key is None or key_id is None:
            return None
        return RequestSigner(found.signature, SigningKey(key_id, self.seal.rsa_key, self.seal.chain[0]), now=now)

    def _tls(self) -> ssl.SSLContext:
        authority = self.settings.authority_file
        try:
            context = ssl.create_default_context(cafile=None if authority is None else str(authority))
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.tls is not None:
                settings = self.tls.settings
                # A password that is not there is never asked for on a terminal.
                password = settings.key_password.get_secret_value() if settings.key_password is not None else ""
                context.load_cert_chain(settings.certificate_file, settings.key_path, password)
        except OSError as error:
            raise BankFilesUnusable(bank_id=self.bank_id) from error
        return context


def accesses(settings: Settings) -> tuple[dict[str, BankAccess], tuple[InstalledCertificate, ...]]:
    """The access of each bank of the settings, and every certificate; a bank without a choice uses the first."""
    installed = {name: install(name, given) for name, given in settings.certificates.items()}
    own = list[InstalledCertificate]()
    found = {}
    for bank_id, bank in settings.banks.items():
        if _is_known(bank_id):
            issues = registry.connector_class(bank_id).issues_certificates
            tls = _chosen(installed, bank.tls_certificate, "tls" if issues else "qwac")
            if bank.certificate_file is not None:
                tls = _own(bank_id, bank, "tls" if issues else "qwac")
                own.append(tls)
            seal = _chosen(installed, bank.seal_certificate, "signature" if issues else "qseal")
            found[bank_id] = BankAccess(bank_id, bank, tls, seal)
    return found, (*installed.values(), *own)


def _is_known(bank_id: str) -> bool:
    """Whether there is a connector for this bank."""
    return any(profile.bank_id == bank_id for profile in registry.profiles())


def is_plain(base_url: str) -> bool:
    """Whether the address is http on this machine."""
    parts = urlsplit(base_url)
    return parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS


def _chosen(installed: Mapping[str, InstalledCertificate], name: str | None, kind: str) -> InstalledCertificate | None:
    if name is not None:
        # One of another kind is none for this bank.
        return installed[name] if installed[name].settings.kind == kind else None
    # In the order of the settings: one that is added behind changes nothing until a bank names it.
    return next((found for found in installed.values() if found.settings.kind == kind), None)


def _own(bank_id: str, bank: BankAccessSettings, kind: Literal["qwac", "tls"]) -> InstalledCertificate:
    assert bank.certificate_file is not None, "asked for banks that have one"
    settings = CertificateSettings(kind=kind, certificate_file=bank.certificate_file, organisation_identifier=None)
    return install(f"banks.{bank_id}", settings)


def _secret(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value is not None else None

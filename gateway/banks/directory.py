"""Which banks there are, which of them this installation reaches, and the connector of each.

The profiles are found by `connectors.registry`; access (address, client id, certificate) is a setting per bank. A bank
without access is listed as `not_configured` and never offered (CON-04).
"""

from __future__ import annotations

import ssl
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from connectors import registry
from connectors.base import BankEndpoint, Connector
from connectors.http import BankHttp
from connectors.profile import BankProfile
from gateway.clock import real_now
from gateway.errors import ConfigError, NotFound
from gateway.settings import BankAccessSettings, Settings


class BankUnknown(NotFound):
    """No bank has this id."""

    code = "bank_unknown"
    title = "There is no bank with this id"
    detail = "No bank has the id {bank_id}."
    hint = "Take the id from GET /v1/banks."


class BankNotConfigured(ConfigError):
    """The installation has no access to this bank."""

    code = "bank_not_configured"
    title = "This bank is not connected yet"
    detail = "The installation has no access to bank {bank_id}."
    hint = "The operator sets SLUIS_BANKS for this bank after registering as its card says."


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """A bank and whether it can be linked here."""

    profile: BankProfile
    is_configured: bool


class BankDirectory:
    """Profiles and connectors; one connector per bank and process, made on first use."""

    def __init__(self, settings: Settings, *, now: Callable[[], datetime] = real_now) -> None:
        self._access = dict(settings.banks)
        self._now = now
        self._connectors: dict[str, Connector] = {}
        self._lock = threading.Lock()

    def entries(self) -> list[DirectoryEntry]:
        """All banks, by name."""
        profiles = sorted(registry.profiles(), key=lambda profile: profile.name.casefold())
        return [DirectoryEntry(profile, profile.bank_id in self._access) for profile in profiles]

    def profile(self, bank_id: str) -> BankProfile:
        """The profile; raises `BankUnknown`."""
        for profile in registry.profiles():
            if profile.bank_id == bank_id:
                return profile
        raise BankUnknown(bank_id=bank_id)

    def connector(self, bank_id: str) -> Connector:
        """The connector; raises `BankUnknown` or `BankNotConfigured`."""
        self.profile(bank_id)
        access = self._access.get(bank_id)
        if access is None:
            raise BankNotConfigured(bank_id=bank_id)
        with self._lock:
            if bank_id not in self._connectors:
                self._connectors[bank_id] = _connect(bank_id, access, self._now)
            return self._connectors[bank_id]

    def for_iban(self, iban: str) -> list[DirectoryEntry]:
        """The banks whose code stands in a Belgian IBAN, by name; empty for foreign numbers and unknown codes."""
        found = {profile.bank_id for profile in registry.bank_for_iban(iban)}
        return [entry for entry in self.entries() if entry.profile.bank_id in found]

    def close(self) -> None:
        """Close the lines to all banks; they are opened again when needed."""
        with self._lock:
            for connector in self._connectors.values():
                connector.http.close()
            self._connectors.clear()


def _connect(bank_id: str, access: BankAccessSettings, now: Callable[[], datetime]) -> Connector:
    hosts = frozenset(access.allowed_hosts or registry.connector_class(bank_id).profile.hosts)
    endpoint = BankEndpoint(base_url=access.base_url.rstrip("/"), client_id=access.client_id, allowed_hosts=hosts)
    http = BankHttp(endpoint.base_url, bank_id=bank_id, now=now, allowed_hosts=hosts, ssl_context=_tls(access))
    return registry.connector_class(bank_id)(endpoint, http, now=now, new_id=lambda: str(uuid.uuid4()))


def _tls(access: BankAccessSettings) -> ssl.SSLContext | None:
    if access.certificate_file is None:
        return None
    if urlsplit(access.base_url).scheme != "https":
        raise ConfigError(detail="a client certificate needs an https address")
    context = ssl.create_default_context()
    context.load_cert_chain(access.certificate_file)
    return context

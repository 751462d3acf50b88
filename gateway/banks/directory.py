"""Which banks there are, which of them this installation reaches, and the connector of each.

The profiles are found by `connectors.registry`; access (address, client id, certificates, secrets) is a setting per
bank. A bank that lacks something its connector needs is listed as not configured, with what is missing, and never
offered (CON-04).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from connectors import registry, through
from connectors.base import Connector
from connectors.profile import BankProfile
from connectors.replay import RecordedAnswer
from gateway.banks.access import LACK_TEXTS, BankAccess, Lack, accesses
from gateway.banks.certificates import InstalledCertificate
from gateway.clock import real_now
from gateway.errors import ConfigError, FieldFault, InputError, NotFound
from gateway.settings import Settings


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
    members = ("missing",)


class BankReachedThrough(InputError):
    """The bank has no connector of its own."""

    code = "bank_reached_through"
    title = "This bank is reached through another connection"
    detail = "{bank_name} has no connection of its own; its accounts come through {through_name}."
    hint = "Use the bank id in `linked_as` of GET /v1/banks; the account holder chooses the bank there."
    members = ("linked_as",)


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """A bank and whether it can be linked here."""

    profile: BankProfile
    missing: tuple[Lack, ...]
    through: BankProfile | None = None
    """The connection its accounts come by, where it has none of its own."""

    @property
    def linked_as(self) -> str:
        """The bank id a consent is asked for."""
        return (self.through or self.profile).bank_id

    @property
    def is_configured(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing

    @property
    def reauthorises_accounts(self) -> bool:
        """Whether each account has an end of its own and is authorised anew by itself."""
        is_own = self.is_configured and self.through is None
        return is_own and registry.connector_class(self.profile.bank_id).reauthorises_accounts

    @property
    def missing_texts(self) -> list[str]:
        """What is missing besides an access, in English."""
        return [LACK_TEXTS[lack] for lack in self.missing if lack is not Lack.ACCESS]


class BankDirectory:
    """Profiles and connectors; one connector per bank and process, made on first use."""

    def __init__(self, settings: Settings, *, now: Callable[[], datetime] = real_now) -> None:
        self._access, self.certificates = accesses(settings)
        """Read once, at the start: a new file is taken over by a restart."""
        self._now = now
        self._connectors: dict[str, Connector] = {}
        self._lock = threading.Lock()

    def entries(self) -> list[DirectoryEntry]:
        """All banks, by name."""
        found = [DirectoryEntry(profile, self._missing(profile.bank_id)) for profile in registry.profiles()]
        for bank in through.BANKS:
            found.append(DirectoryEntry(bank.profile(), self._missing(bank.through), self.profile(bank.through)))
        return sorted(found, key=lambda entry: entry.profile.name.casefold())

    def profile(self, bank_id: str) -> BankProfile:
        """The profile; raises `BankUnknown`, `BankReachedThrough`."""
        for profile in registry.profiles():
            if profile.bank_id == bank_id:
                return profile
        other = through.find(bank_id)
        if other is not None:
            way = self.profile(other.through)
            raise BankReachedThrough(
                bank_name=other.name,
                through_name=way.name,
                linked_as=other.through,
                faults=[
                    FieldFault("/bank_id", BankReachedThrough.code, BankReachedThrough.title, BankReachedThrough.hint)
                ],
            )
        raise BankUnknown(bank_id=bank_id)

    def reauthorises_accounts(self, bank_id: str) -> bool:
        """Whether accounts of this bank are authorised anew one by one, and it is configured."""
        return any(entry.reauthorises_accounts for entry in self.entries() if entry.profile.bank_id == bank_id)

    def connector(self, bank_id: str) -> Connector:
        """The connector; raises `BankUnknown`, `BankReachedThrough` or `BankNotConfigured`."""
        self.profile(bank_id)
        missing = self._missing(bank_id)
        if missing:
            raise BankNotConfigured(bank_id=bank_id, missing=[str(lack) for lack in missing])
        with self._lock:
            if bank_id not in self._connectors:
                self._connectors[bank_id] = self._access[bank_id].connect(self._now)
            return self._connectors[bank_id]

    def replaying(self, bank_id: str, answers: Iterable[RecordedAnswer], *, at: datetime) -> Connector:
        """A connector of its own over recorded answers, as at a moment; calls nobody. Raises as `connector`."""
        self.profile(bank_id)
        access = self._access.get(bank_id)
        if access is None:
            raise BankNotConfigured(bank_id=bank_id, missing=[str(Lack.ACCESS)])
        return access.replaying(answers, lambda: at)

    def accesses(self) -> list[BankAccess]:
        """The banks of the settings, by id; for the operator."""
        return [access for _, access in sorted(self._access.items())]

    def licence_holder(self, bank_id: str) -> str | None:
        """Who asks this bank; None where the bank is not configured, or nobody is named."""
        access = self._access.get(bank_id)
        return access.licence_holder if access is not None else None

    def users_of(self, certificate: InstalledCertificate) -> list[str]:
        """Ids of the banks that are called with this certificate."""
        return [access.bank_id for access in self.accesses() if certificate in access.used()]

    def _missing(self, bank_id: str) -> tuple[Lack, ...]:
        access = self._access.get(bank_id)
        return (Lack.ACCESS,) if access is None else tuple(access.lacks(self._now()))

    def for_iban(self, iban: str) -> list[DirectoryEntry]:
        """The banks whose code stands in a Belgian IBAN, by name; empty for foreign numbers and unknown codes."""
        found = {profile.bank_id for profile in registry.bank_for_iban(iban)}
        found |= {bank.bank_id for bank in through.for_iban(iban)}
        return [entry for entry in self.entries() if entry.profile.bank_id in found]

    def close(self) -> None:
        """Close the lines to all banks; they are opened again when needed."""
        with self._lock:
            for connector in self._connectors.values():
                connector.http.close()
            self._connectors.clear()

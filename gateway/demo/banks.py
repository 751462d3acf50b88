"""How the demo's installation reaches its simulated banks: a seal, and what each bank's registration would have given.

The simulated banks of the demo speak plain http, so that a browser shows their pages without a warning; they ask for no
client certificate there, and check every signature all the same.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from connectors import registry
from connectors.base import Need
from connectors.key_ids import KeyIdForm, key_id
from connectors.simulator.banks import every_bank
from gateway.banks.certificates import install
from gateway.banks.invented import QSEAL_FILE, write_certificates
from gateway.demo.world import CLIENT_ID
from gateway.settings import BankAccessSettings, CertificateSettings

CERTIFICATES: Final = "certificates"
CERTIFICATE_DAYS: Final = 90
REGISTERED: Final = SecretStr("given by the registration")
"""Key and secret: the simulated banks take any."""


def write_seal(folder: Path, *, now: datetime) -> Path:
    """Invented certificates in the demo's folder; the path of the seal."""
    write_certificates(folder / CERTIFICATES, now=now, days=CERTIFICATE_DAYS, identifier=CLIENT_ID)
    return folder / CERTIFICATES / QSEAL_FILE


def certificates(seal: Path) -> dict[str, CertificateSettings]:
    """The seal for banks, and the same for an intermediary that would have issued one of its own."""
    return {
        kind: CertificateSettings(kind=kind, certificate_file=seal, organisation_identifier=identifier)
        for kind, identifier in (("qseal", CLIENT_ID), ("signature", None))
    }


def access(bank_address: str, seal: Path) -> dict[str, BankAccessSettings]:
    """Each simulated bank with all it needs: those of the story, and for developers one of every family (API-11)."""
    found = {}
    for bank in every_bank():
        needs = registry.connector_class(bank.bank_id).needs()
        found[bank.bank_id] = BankAccessSettings(
            base_url=f"{bank_address}/{bank.bank_id}{bank.api_path}",
            client_id=CLIENT_ID,
            key_id=_key_id(seal) if Need.KEY_ID in needs else None,
            api_key=REGISTERED if Need.API_KEY in needs else None,
            client_secret=REGISTERED if Need.CLIENT_SECRET in needs else None,
        )
    return found


def in_clear(banks: dict[str, BankAccessSettings]) -> dict[str, dict[str, Any]]:
    """The value of `SLUIS_BANKS` for processes of the demo: its secrets open nothing."""
    return {
        bank_id: {
            name: value.get_secret_value() if isinstance(value, SecretStr) else value
            for name, value in bank.model_dump(exclude_none=True).items()
        }
        for bank_id, bank in banks.items()
    }


def _key_id(seal: Path) -> str:
    """A name under which the simulated banks know the seal, where a real one wants a public address."""
    settings = certificates(seal)["qseal"]
    return key_id(install("seal", settings).chain[0], KeyIdForm.HEX_ALONE)

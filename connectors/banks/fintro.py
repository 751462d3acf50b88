"""Fintro, of the BNP Paribas Fortis group; facts and their certainty stand in `fintro.md`."""

from datetime import date, timedelta
from typing import ClassVar

from connectors.families.stet import (
    FORTIS_CODES,
    FORTIS_HINTS,
    FORTIS_SANDBOX_URL,
    FortisConnector,
    fortis_servers,
)
from connectors.oauth import ServerMetadata
from connectors.profile import BankProfile, Confidence, IdTrust, Knowledge, Proof


class Fintro(FortisConnector):
    """Fintro: the group's interface at its own host."""

    brand: ClassVar[str] = "fintro"
    production_server: ClassVar[ServerMetadata | None] = fortis_servers("fintro.be")
    profile = BankProfile(
        bank_id="fintro",
        name="Fintro",
        bics=("GEBABEBB",),
        iban_bank_codes=FORTIS_CODES,
        family="stet",
        sandbox_url=FORTIS_SANDBOX_URL,
        production_url="https://regulatory.api.fintro.be/psd2/v4",
        hosts=("services.fintro.be", "sandbox.auth.bnpparibasfortis.com"),
        consent_validity=timedelta(days=90),
        id_trust=IdTrust.HIGH,
        gives_booked_balance=Knowledge.YES,
        gives_pending=Knowledge.YES,
        pays_single=Knowledge.YES,
        pays_instant=Knowledge.YES,
        proof=Proof.SIMULATED,
        confidence=Confidence.CONFIRMED,
        as_of=date(2026, 11, 29),
        user_hints=FORTIS_HINTS,
    )

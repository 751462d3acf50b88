"""Europabank, on the Worldline platform; facts and their certainty stand in `europabank.md`."""

from datetime import date, timedelta

from connectors.families.worldline import USER_HINTS, WorldlineConnector
from connectors.profile import BankProfile, Confidence, Knowledge, Proof


class Europabank(WorldlineConnector):
    """Europabank: nothing beyond the platform's common ways is known."""

    profile = BankProfile(
        bank_id="europabank",
        name="Europabank",
        bics=("EURBBE99",),
        iban_bank_codes=("671",),
        family="worldline",
        sandbox_url="https://sandbox-api.tpp.europabank.be/berlingroup/v1",
        production_url="https://api.tpp.europabank.be/berlingroup/v1",
        hosts=(".europabank.be",),
        consent_validity=timedelta(days=180),
        pays_single=Knowledge.YES,
        pays_instant=Knowledge.YES,
        proof=Proof.SIMULATED,
        confidence=Confidence.PLAUSIBLE,
        as_of=date(2026, 11, 28),
        user_hints=USER_HINTS,
    )

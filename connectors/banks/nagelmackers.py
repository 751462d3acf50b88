"""Nagelmackers, on the Worldline platform; facts and their certainty stand in `nagelmackers.md`."""

from datetime import date, timedelta

from connectors.families.worldline import USER_HINTS, WorldlineConnector
from connectors.profile import BankProfile, Confidence, Knowledge, Proof


class Nagelmackers(WorldlineConnector):
    """Nagelmackers: nothing beyond the platform's common ways is known."""

    profile = BankProfile(
        bank_id="nagelmackers",
        name="Nagelmackers",
        bics=("BNAGBEBB",),
        iban_bank_codes=(
            "132",
            "634-636",
            "646-647",
            "871",
            "877-879",
        ),
        family="worldline",
        sandbox_url="https://openbankingsandbox.nagelmackers.be/berlingroup/v1",
        production_url="https://openbankingapi.nagelmackers.be/berlingroup/v1",
        hosts=(".nagelmackers.be",),
        consent_validity=timedelta(days=180),
        pays_single=Knowledge.YES,
        pays_instant=Knowledge.YES,
        proof=Proof.SIMULATED,
        confidence=Confidence.CONFIRMED,
        as_of=date(2026, 11, 21),
        user_hints=USER_HINTS,
    )

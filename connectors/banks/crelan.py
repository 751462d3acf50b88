"""Crelan, on the Worldline platform; facts and their certainty stand in `crelan.md`."""

from datetime import date, timedelta

from connectors.families.worldline import USER_HINTS, WorldlineConnector
from connectors.profile import BankProfile, Confidence, Knowledge, Proof


class Crelan(WorldlineConnector):
    """Crelan: nothing beyond the platform's common ways is known."""

    profile = BankProfile(
        bank_id="crelan",
        name="Crelan",
        bics=(
            "NICABEBB",
            "AXABBE22",
        ),
        iban_bank_codes=(
            "103-108",
            "850-853",
            "859-860",
            "862-863",
            "865-866",
            "700-709",
            "750-765",
            "772-774",
            "800-806",
            "963",
            "975",
        ),
        family="worldline",
        sandbox_url="https://api-sandbox.crelan.be/berlingroup/v1",
        production_url="https://api.crelan.be/berlingroup/v1",
        hosts=(".crelan.be",),
        consent_validity=timedelta(days=180),
        pays_single=Knowledge.YES,
        pays_instant=Knowledge.YES,
        proof=Proof.SIMULATED,
        confidence=Confidence.CONFIRMED,
        as_of=date(2026, 11, 21),
        user_hints=USER_HINTS,
        routed_from=("AXA Bank Belgium",),
    )

"""Bank J. Van Breda & C°, on the Worldline platform; facts and their certainty stand in `vanbreda.md`."""

from datetime import date, timedelta

from connectors.families.worldline import USER_HINTS, WorldlineConnector
from connectors.profile import BankProfile, Confidence, Knowledge, Proof


class VanBreda(WorldlineConnector):
    """Bank J. Van Breda & C°: nothing beyond the platform's common ways is known."""

    profile = BankProfile(
        bank_id="vanbreda",
        name="Bank J. Van Breda & C°",
        bics=("JVBABE22",),
        iban_bank_codes=("645",),
        family="worldline",
        sandbox_url="https://xs2a-sandbox.bankvanbreda.be/berlingroup/v1",
        production_url="https://xs2a-api.bankvanbreda.be/berlingroup/v1",
        hosts=(".bankvanbreda.be",),
        consent_validity=timedelta(days=180),
        pays_single=Knowledge.YES,
        pays_instant=Knowledge.YES,
        proof=Proof.SIMULATED,
        confidence=Confidence.CONFIRMED,
        as_of=date(2026, 11, 21),
        user_hints=USER_HINTS,
    )

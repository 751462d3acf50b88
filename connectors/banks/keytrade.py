"""Keytrade Bank, on the Worldline platform; facts and their certainty stand in `keytrade.md`."""

from datetime import date, timedelta

from connectors.families.worldline import USER_HINTS, WorldlineConnector
from connectors.profile import BankProfile, Confidence, Knowledge, Proof


class Keytrade(WorldlineConnector):
    """Keytrade Bank: nothing beyond the platform's common ways is known."""

    profile = BankProfile(
        bank_id="keytrade",
        name="Keytrade Bank",
        bics=("KEYTBEBB",),
        iban_bank_codes=("651",),
        family="worldline",
        sandbox_url="https://psd2.api.sandbox.keytradebank.be/berlingroup/v1",
        production_url="https://psd2.api.keytradebank.be/berlingroup/v1",
        hosts=(".keytradebank.be",),
        consent_validity=timedelta(days=180),
        is_consent_validity_confirmed=True,
        pays_single=Knowledge.YES,
        pays_instant=Knowledge.YES,
        proof=Proof.SIMULATED,
        confidence=Confidence.CONFIRMED,
        as_of=date(2026, 11, 21),
        user_hints=USER_HINTS,
    )

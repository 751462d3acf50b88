"""ING Belgium; facts and their certainty stand in `ing.md`."""

from datetime import date, timedelta

from connectors.families.ing import USER_HINTS, IngConnector
from connectors.profile import BankProfile, Confidence, Knowledge, Proof


class Ing(IngConnector):
    """ING's interface with the Belgian country code."""

    country = "BE"
    profile = BankProfile(
        bank_id="ing",
        name="ING Belgium",
        bics=("BBRUBEBB",),
        iban_bank_codes=(
            "185",
            "300-399",
            "630-631",
            "652",
            "673",
            "828",
            "880-881",
            "883-884",
            "887-888",
            "910",
            "920",
            "922-923",
            "929-931",
            "934",
            "936",
            "939",
            "961",
            "971",
            "976",
        ),
        family="ing",
        sandbox_url="https://api.sandbox.ing.com",
        production_url="https://api.ing.com",
        hosts=(".ing.com",),
        consent_validity=timedelta(days=180),
        gives_booked_balance=Knowledge.YES,
        gives_pending=Knowledge.YES,
        pays_single=Knowledge.YES,
        proof=Proof.SIMULATED,
        confidence=Confidence.CONFIRMED,
        as_of=date(2026, 11, 29),
        user_hints=USER_HINTS,
    )

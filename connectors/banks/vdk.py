"""vdk bank, on the Worldline platform as far as known; facts and their certainty stand in `vdk.md`."""

from datetime import date, timedelta

from connectors.families.worldline import USER_HINTS, WorldlineConnector
from connectors.profile import BankProfile, Confidence, Knowledge, Proof


class Vdk(WorldlineConnector):
    """vdk bank: its portal is like that of Bank J. Van Breda & C°; nothing more is known."""

    profile = BankProfile(
        bank_id="vdk",
        name="vdk bank",
        bics=("VDSPBE91",),
        iban_bank_codes=("890-899",),
        family="worldline",
        sandbox_url=None,
        production_url=None,
        hosts=(".vdk.be",),
        consent_validity=timedelta(days=180),
        pays_single=Knowledge.YES,
        pays_instant=Knowledge.YES,
        proof=Proof.SIMULATED,
        confidence=Confidence.PLAUSIBLE,
        as_of=date(2026, 11, 28),
        user_hints=USER_HINTS,
    )

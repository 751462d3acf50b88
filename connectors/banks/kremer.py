"""Bank de Kremer, whose interface is not known; facts and their certainty stand in `kremer.md`."""

from datetime import date, timedelta

from connectors.families.worldline import USER_HINTS, WorldlineConnector
from connectors.profile import BankProfile, Confidence, Proof


class Kremer(WorldlineConnector):
    """Bank de Kremer: taken for the platform of Bank J. Van Breda & C°, whose division it is, until the bank says."""

    profile = BankProfile(
        bank_id="kremer",
        name="Bank de Kremer",
        bics=("ABERBE22",),
        iban_bank_codes=("111",),
        family="worldline",
        sandbox_url=None,
        production_url=None,
        hosts=(),
        consent_validity=timedelta(days=180),
        proof=Proof.DESCRIBED,
        confidence=Confidence.UNKNOWN,
        as_of=date(2026, 11, 28),
        user_hints=USER_HINTS,
    )

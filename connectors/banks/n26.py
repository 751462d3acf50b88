"""N26; facts and their certainty stand in `n26.md`."""

from datetime import date, timedelta

from connectors.families.n26 import USER_HINTS, N26Connector
from connectors.profile import BankProfile, Confidence, Knowledge, Proof


class N26(N26Connector):
    """N26, the only bank of its family; its numbers are German."""

    profile = BankProfile(
        bank_id="n26",
        name="N26",
        bics=("NTSBDEB1",),
        family="n26",
        sandbox_url="https://xs2a.tech26.de/sandbox/v1/berlin-group/v1",
        production_url="https://xs2a.tech26.de/v1/berlin-group/v1",
        hosts=("app.n26.com",),
        consent_validity=timedelta(days=180),
        is_consent_validity_confirmed=True,
        overlap_days=10,
        gives_booked_balance=Knowledge.NO,
        gives_pending=Knowledge.NO,
        pays_single=Knowledge.YES,
        pays_instant=Knowledge.YES,
        proof=Proof.SIMULATED,
        confidence=Confidence.CONFIRMED,
        as_of=date(2026, 11, 28),
        user_hints=USER_HINTS,
    )

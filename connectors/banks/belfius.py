"""Belfius; facts and their certainty stand in `belfius.md`."""

from datetime import date, timedelta

from connectors.families.belfius import USER_HINTS, BelfiusConnector
from connectors.profile import BankProfile, Confidence, Knowledge, Proof


class Belfius(BelfiusConnector):
    """Belfius: nothing beyond its own interface."""

    profile = BankProfile(
        bank_id="belfius",
        name="Belfius",
        bics=("GKCCBEBB",),
        iban_bank_codes=(
            "050-099",
            "550-560",
            "562-569",
            "624-625",
            "638",
            "657",
            "672",
            "680",
            "682-683",
            "775-799",
            "830-839",
        ),
        family="belfius",
        sandbox_url="https://sandbox.api.belfius.be:8443/sandbox/psd2",
        production_url="https://psd2.b2b.belfius.be:8443",
        # The page for the PSU; its host was seen in published answers.
        hosts=("www.belfius.be",),
        consent_validity=timedelta(days=90),
        # More takes the second token of the authorisation, whose field and header are not known.
        history=timedelta(days=90),
        # One balance without a name: that it counts booked rows is assumed, not known.
        gives_booked_balance=Knowledge.UNKNOWN,
        gives_pending=Knowledge.NO,
        pays_single=Knowledge.YES,
        pays_bulk=Knowledge.YES,
        pays_instant=Knowledge.YES,
        proof=Proof.SIMULATED,
        confidence=Confidence.CONFIRMED,
        as_of=date(2026, 11, 29),
        user_hints=USER_HINTS,
    )

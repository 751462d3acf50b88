"""Triodos Banque (français); facts and their certainty stand in `triodosfr.md`."""

from datetime import date, timedelta

from connectors.families.triodos import USER_HINTS, TriodosConnector
from connectors.profile import BankProfile, Confidence, Knowledge, Proof


class TriodosFr(TriodosConnector):
    """The tenant `be_fr`: the bank's customers who use its site in French."""

    profile = BankProfile(
        bank_id="triodosfr",
        name="Triodos Banque (français)",
        bics=("TRIOBEBB",),
        iban_bank_codes=("523",),
        family="triodos",
        sandbox_url="https://xs2a-sandbox.triodos.com/xs2a-bg/be_fr/v1",
        production_url=None,
        consent_validity=timedelta(days=180),
        gives_booked_balance=Knowledge.YES,
        gives_pending=Knowledge.YES,
        pays_single=Knowledge.YES,
        pays_bulk=Knowledge.YES,
        pays_instant=Knowledge.YES,
        proof=Proof.SIMULATED,
        confidence=Confidence.CONFIRMED,
        as_of=date(2026, 11, 28),
        user_hints=USER_HINTS,
    )

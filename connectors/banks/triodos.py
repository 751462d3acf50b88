"""Triodos Bank (Nederlands); facts and their certainty stand in `triodos.md`."""

from datetime import date, timedelta

from connectors.families.triodos import USER_HINTS, TriodosConnector
from connectors.profile import BankProfile, Confidence, Knowledge, Proof


class Triodos(TriodosConnector):
    """The tenant `be_nl`: the bank's customers who use its site in Dutch."""

    profile = BankProfile(
        bank_id="triodos",
        name="Triodos Bank (Nederlands)",
        bics=("TRIOBEBB",),
        iban_bank_codes=("523",),
        family="triodos",
        sandbox_url="https://xs2a-sandbox.triodos.com/xs2a-bg/be_nl/v1",
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

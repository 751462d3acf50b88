"""Argenta; facts and their certainty stand in `argenta.md`."""

from datetime import date, timedelta

from connectors.families.argenta import USER_HINTS, ArgentaConnector
from connectors.profile import BankProfile, Confidence, Knowledge, Proof


class Argenta(ArgentaConnector):
    """Argenta, the only bank of its family."""

    profile = BankProfile(
        bank_id="argenta",
        name="Argenta",
        bics=("ARSPBE22",),
        iban_bank_codes=("973", "978-980"),
        family="argenta",
        sandbox_url="https://api.test-payments.argenta.be/berlingroup/v1",
        production_url="https://api.payments.argenta.be/berlingroup/v1",
        hosts=("login.payments.argenta.be", "login.test-payments.argenta.be"),
        consent_validity=timedelta(days=90),
        gives_booked_balance=Knowledge.YES,
        gives_pending=Knowledge.YES,
        pays_single=Knowledge.YES,
        pays_instant=Knowledge.YES,
        proof=Proof.SIMULATED,
        confidence=Confidence.CONFIRMED,
        as_of=date(2026, 11, 28),
        user_hints=USER_HINTS,
    )

"""Ponto, by the door of a partner; facts and their certainty stand in `ponto.md`."""

from datetime import date, timedelta

from connectors.families.ponto_doors import USER_HINTS, PontoPartnerConnector
from connectors.profile import BankProfile, Confidence, IdTrust, Knowledge, Proof


class Ponto(PontoPartnerConnector):
    """Accounts of every bank that Ponto reaches, for the clients of one partner."""

    profile = BankProfile(
        bank_id="ponto",
        name="Ponto",
        bics=(),
        family="ponto",
        sandbox_url="https://api.ibanity.com/ponto-connect",
        production_url="https://api.ibanity.com/ponto-connect",
        consent_validity=timedelta(days=180),
        # Our own restraint: a read costs the account's bank nothing, and Ponto publishes no limit.
        calls_per_day_max=12,
        overlap_days=7,
        end_of_day_hour=8,
        id_trust=IdTrust.HIGH,
        gives_booked_balance=Knowledge.YES,
        gives_pending=Knowledge.YES,
        pays_single=Knowledge.YES,
        pays_bulk=Knowledge.YES,
        proof=Proof.SIMULATED,
        confidence=Confidence.CONFIRMED,
        as_of=date(2026, 11, 29),
        user_hints=USER_HINTS,
    )

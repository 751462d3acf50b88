"""Ponto, by an organisation's own integration; facts and their certainty stand in `pontocustom.md`."""

from datetime import date, timedelta

from connectors.families.ponto_doors import PontoCustomConnector
from connectors.profile import BankProfile, Confidence, IdTrust, Knowledge, Proof


class PontoCustom(PontoCustomConnector):
    """The accounts of the one organisation whose credentials are configured."""

    profile = BankProfile(
        bank_id="pontocustom",
        name="Ponto (custom integration)",
        bics=(),
        family="ponto",
        sandbox_url="https://api.myponto.com",
        production_url="https://api.myponto.com",
        # Links of its answers are not published; those of the partner's door name this host.
        hosts=("api.ibanity.com",),
        consent_validity=timedelta(days=180),
        # Our own restraint: a read costs the account's bank nothing, and Ponto publishes no limit.
        calls_per_day_max=12,
        overlap_days=7,
        end_of_day_hour=8,
        id_trust=IdTrust.HIGH,
        gives_booked_balance=Knowledge.YES,
        gives_pending=Knowledge.UNKNOWN,
        pays_single=Knowledge.YES,
        pays_bulk=Knowledge.YES,
        proof=Proof.SIMULATED,
        confidence=Confidence.CONFIRMED,
        as_of=date(2026, 11, 29),
        user_hints={
            "nl": "U hoeft niets te doen: uw eigen Ponto-integratie is al ingesteld. Rekeningen kiest u bij Ponto.",
            "fr": "Vous n'avez rien à faire : votre propre intégration Ponto est déjà réglée. Les comptes se "
            "choisissent chez Ponto.",
            "en": "There is nothing for you to do: your own Ponto integration is set up. Accounts are chosen at Ponto.",
            "de": "Sie müssen nichts tun: Ihre eigene Ponto-Integration ist eingerichtet. Konten wählen Sie bei Ponto.",
        },
    )

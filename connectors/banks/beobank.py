"""Beobank, on the Euro-Information platform; facts and their certainty stand in `beobank.md`."""

from datetime import date, timedelta
from typing import ClassVar, Final

from connectors.families.stet import StetConnector
from connectors.model import ConsentRequest
from connectors.oauth import ServerMetadata
from connectors.payments import PaymentOffer
from connectors.profile import BankProfile, Confidence, IdTrust, Knowledge, Proof

LANGUAGES: Final = ("fr", "nl", "en")


class Beobank(StetConnector):
    """The platform's dialect of STET 1.4.2: days as midnight, an empty link at the end, cards as accounts."""

    api_path: ClassVar[str] = "/stet-psd2-api/"
    # Credit transfers and instant ones; whether several beneficiaries may stand in one request is not known.
    payment_offer: ClassVar[PaymentOffer | None] = PaymentOffer(is_instant_possible=True)
    production_server: ClassVar[ServerMetadata | None] = ServerMetadata(
        "https://online.beobank.be/oauth2/{language}/banque/oauth2_authorization.aspx",
        "https://oauth2-apiii.e-i.com/beobank/oauth2/token",
    )
    profile = BankProfile(
        bank_id="beobank",
        name="Beobank",
        bics=("CTBKBEBX",),
        iban_bank_codes=(
            "109-110",
            "113-114",
            "119-124",
            "127",
            "129",
            "131",
            "133-134",
            "595-601",
            "950-959",
        ),
        family="stet",
        sandbox_url="https://oauth2-apiii.e-i.com/sandbox/beobank/stet-psd2-api/v2.2",
        production_url="https://oauth2-apiii.e-i.com/beobank/stet-psd2-api/v2.2",
        hosts=("online.beobank.be",),
        consent_validity=timedelta(days=180),
        id_trust=IdTrust.HIGH,
        gives_pending=Knowledge.YES,
        pays_single=Knowledge.YES,
        pays_instant=Knowledge.YES,
        proof=Proof.SIMULATED,
        confidence=Confidence.CONFIRMED,
        as_of=date(2026, 11, 29),
        user_hints={
            "nl": "Op de pagina van Beobank meldt u zich aan en kiest u de rekeningen. Kredietkaarten staan daar als "
            "eigen rekening: kies alleen de zichtrekeningen.",
            "fr": "Sur la page de Beobank, vous vous identifiez et vous choisissez les comptes. Les cartes de crédit y "
            "figurent comme des comptes : ne choisissez que les comptes à vue.",
            "en": "On Beobank's page you sign in and choose the accounts. Credit cards are listed there as accounts: "
            "choose the current accounts only.",
            "de": "Auf der Seite von Beobank melden Sie sich an und wählen die Konten. Kreditkarten stehen dort als "
            "eigene Konten: Wählen Sie nur die Girokonten.",
        },
    )

    def authorisation_endpoint(self, request: ConsentRequest) -> str:
        """The page in the PSU's language, in English where the bank has none in it."""
        wanted = (request.psu.language or "")[:2].casefold()
        language = wanted if wanted in LANGUAGES else "en"
        return super().authorisation_endpoint(request).replace("{language}", language)

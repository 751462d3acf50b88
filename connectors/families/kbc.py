"""KBC, CBC and KBC Brussels: Berlin Group as it was in version 1.1, with later additions.

The answer to a new consent names no address to send the PSU to: it is built here, with the company of the group the
PSU banks with. The description has no way to read or end a consent. Source: the bank's interface description 2.0.6,
pages of its developer portal, and published clients of 2020 and 2023.
"""

from __future__ import annotations

import re
from typing import ClassVar, Final
from urllib.parse import urlsplit

from connectors.dialect import Dialect
from connectors.errors import RequestRefused
from connectors.families.berlin_group import BerlinGroupConnector, ConsentModel
from connectors.oauth import ServerMetadata
from connectors.payments import Bulk, PaymentOffer

AUTHORISE: Final = "https://idp.kbc.com/ASK/oauth/authorize/1"
TOKEN: Final = "https://openapi.kbc-group.com/ASK/oauth/token/1"  # noqa: S105 - an address
VERSION_PATH: Final = "/psd2/v2"
GROUP_HOSTS: Final = ("idp.kbc.com", "openapi.kbc-group.com")

USER_HINTS: Final = {
    "nl": "De bank vraagt eerst of u particulier of zakelijk wilt inloggen: kies zakelijk, anders ziet u de rekeningen "
    "van de vennootschap niet. Daarna keurt u goed in {mobile} of {business}.",
    "fr": "La banque demande d'abord si vous vous connectez à titre privé ou professionnel : choisissez professionnel, "
    "sinon vous ne verrez pas les comptes de la société. Vous approuvez ensuite dans {mobile} ou {business}.",
    "en": "The bank first asks whether you sign in for private or for business use: choose business, or you will not "
    "see the company's accounts. Then you approve in {mobile} or {business}.",
    "de": "Die Bank fragt zuerst, ob Sie sich privat oder geschäftlich anmelden: Wählen Sie geschäftlich, sonst sehen "
    "Sie die Konten der Gesellschaft nicht. Danach genehmigen Sie in {mobile} oder {business}.",
}

_PARTY_BEFORE_KIND: Final = re.compile(
    r"\A(?P<name>\S[^\n]{1,68}?)\s+(?:Betaling met|Domiciliëring|Overschrijving|Paiement|Domiciliation|Transfert|"
    r"Ordre permanent|Payment with)\b"
)
"""Of a payment without a creditor the bank writes the name into the text, before the words that say what it was.

Source: normalising rules and samples for both banks in a public client (actualbudget/actual).
"""
DIALECT: Final = Dialect(
    id_fields=("transactionId",),
    party_patterns=(_PARTY_BEFORE_KIND,),
    are_party_patterns_for_debits=True,
    # Seven digits of which the first resemble those of CODA; nobody has verified it.
    is_proprietary_code_wording=False,
)


def user_hints(brand: str) -> dict[str, str]:
    """The hints with the names of the brand's two apps."""
    return {
        language: hint.format(mobile=f"{brand} Mobile", business=f"{brand} Business")
        for language, hint in USER_HINTS.items()
    }


class KbcConnector(BerlinGroupConnector):
    """The group's interface; a brand sets profile and company."""

    # Since 2021 the IBAN may be left out, and the PSU ticks the accounts at the bank.
    consent_model: ClassVar[ConsentModel] = ConsentModel.BANK_OFFERED
    is_state_in_redirect_uri: ClassVar[bool] = False
    lists_balances_with_accounts: ClassVar[bool] = True
    # The description has `/balances` too, the client that worked used the list only.
    has_balances_in_list_only: ClassVar[bool] = True
    can_read_consents: ClassVar[bool] = False
    booking_status: ClassVar[str] = "booked"
    dialect: ClassVar[Dialect] = DIALECT
    payment_offer: ClassVar[PaymentOffer | None] = PaymentOffer(bulk=Bulk.FILE)
    needs_psu_for_payments: ClassVar[bool] = True

    def authorisation_server(self) -> ServerMetadata:
        """The group's addresses in production; elsewhere those beside the interface, as the host is not published."""
        production = self.profile.production_url
        if production is not None and urlsplit(production).hostname == urlsplit(self.endpoint.base_url).hostname:
            return ServerMetadata(AUTHORISE, TOKEN)
        root = f"{self.endpoint.base_url.removesuffix(VERSION_PATH)}/ASK/oauth"
        return ServerMetadata(f"{root}/authorize/1", f"{root}/token/1")

    def is_period_refused(self, error: RequestRefused) -> bool:
        """Its errors carry no code that could tell; a bare 400 is asked once more, for the shorter period."""
        return error.status == 400 if error.bank_code is None else super().is_period_refused(error)

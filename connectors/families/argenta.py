"""Argenta: Berlin Group 1.3 behind a gateway of its own, with an API key and signed requests.

The consent links to the metadata of the authorisation server, whose form is published nowhere; the two addresses a
client used are fixed here. Source: the bank's interface descriptions 1.5 (2021) and a published client of 2023.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final
from urllib.parse import urlsplit

from connectors import signing
from connectors.base import Need
from connectors.dialect import Dialect
from connectors.errors import OperatorError
from connectors.families.berlin_group import BerlinGroupConnector
from connectors.key_ids import KeyIdForm
from connectors.oauth import ServerMetadata
from connectors.payments import PaymentOffer
from connectors.signing import SignatureProfile

VERSION_PATH: Final = "/berlingroup/v1"
OAUTH_PATH: Final = "/psd2/v1/berlingroup-auth"
API_PREFIX: Final = "api."
LOGIN_PREFIX: Final = "login."

USER_HINTS: Final = {
    "nl": "U meldt zich aan op de pagina van Argenta zelf, met het middel dat u voor haar internetbankieren gebruikt. "
    "Blijf daarna nog op deze pagina: de oudere verrichtingen geeft de bank alleen in de eerste tien minuten.",
    "fr": "Vous vous identifiez sur la page d'Argenta elle-même, avec le moyen que vous utilisez pour sa banque en "
    "ligne. Restez ensuite sur cette page : la banque ne donne les opérations anciennes que pendant les dix premières "
    "minutes.",
    "en": "You sign in on Argenta's own page, with the means you use for its internet banking. Stay on this page "
    "afterwards: the bank gives older transactions in the first ten minutes only.",
    "de": "Sie melden sich auf der Seite von Argenta selbst an, mit dem Mittel, das Sie für ihr Online-Banking "
    "benutzen. Bleiben Sie danach auf dieser Seite: Ältere Umsätze gibt die Bank nur in den ersten zehn Minuten.",
}
DIALECT: Final = Dialect(
    id_fields=("entryReference", "transactionId"),
    # What these letters and digits mean is published nowhere.
    is_proprietary_code_wording=False,
)


class ArgentaConnector(BerlinGroupConnector):
    """The bank's interface: global consent, one OAuth server, API key and signature on each call."""

    signature: ClassVar[SignatureProfile | None] = signing.ARGENTA
    key_id_form: ClassVar[KeyIdForm] = KeyIdForm.DECIMAL_WITHOUT_BLANKS
    registered: ClassVar[frozenset[Need]] = frozenset({Need.API_KEY})
    is_state_in_redirect_uri: ClassVar[bool] = False
    needs_token_to_revoke: ClassVar[bool] = True
    dialect: ClassVar[Dialect] = DIALECT
    payment_offer: ClassVar[PaymentOffer | None] = PaymentOffer(is_instant_possible=True)

    def bank_headers(self) -> Mapping[str, str]:
        """The key the portal gave; without it the bank answers nothing."""
        if self.endpoint.api_key is None:
            raise OperatorError("the API key of the bank's portal is not set", bank_id=self.profile.bank_id)
        return {"apiKey": self.endpoint.api_key}

    def authorisation_server(self) -> ServerMetadata:
        """Login host for the PSU's browser, interface host for tokens; both end alike in production and in test."""
        root = self.endpoint.base_url.removesuffix(VERSION_PATH)
        parts = urlsplit(root)
        is_argenta = parts.netloc.startswith(API_PREFIX)
        login = root.replace(API_PREFIX, LOGIN_PREFIX, 1) if is_argenta else root
        return ServerMetadata(f"{login}{OAUTH_PATH}", f"{root}{OAUTH_PATH}/token")

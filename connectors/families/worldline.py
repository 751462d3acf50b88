"""Belgian banks on the Worldline (equensWorldline) platform: Berlin Group 1.3.6 with OAuth2 as the way to authorise.

No request signature and no registration: the client id is the organisation identifier of the QWAC. Each consent has its
own authorisation address, read from the metadata its `scaOAuth` link names. Source: developer portals of the banks.
"""

from __future__ import annotations

from typing import ClassVar

from connectors.families.berlin_group import BerlinGroupConnector
from connectors.payments import PaymentOffer

USER_HINTS = {
    "nl": "U meldt zich aan op de pagina van de bank zelf, met het middel dat u voor haar internetbankieren gebruikt.",
    "fr": "Vous vous identifiez sur la page de la banque elle-même, avec le moyen que vous utilisez pour sa banque "
    "en ligne.",
    "en": "You sign in on the bank's own page, with the means you use for its internet banking.",
    "de": "Sie melden sich auf der Seite der Bank selbst an, mit dem Mittel, das Sie für ihr Online-Banking benutzen.",
}
"""What the PSU needs at hand (CON-02); the banks publish no more than this."""


class WorldlineConnector(BerlinGroupConnector):
    """Global consent, OAuth2 per consent, balances in the list of accounts."""

    # The OAuth answer carries the state itself; these banks compare the return address letter by letter.
    is_state_in_redirect_uri: ClassVar[bool] = False
    lists_balances_with_accounts: ClassVar[bool] = True
    # Whether and how these banks take several payments at once stands in none of the published texts.
    payment_offer: ClassVar[PaymentOffer | None] = PaymentOffer(is_instant_possible=True)

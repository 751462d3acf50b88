"""What the account holder is told before the permission, word for word, and the version of that text (CON-06, CON-07).

The page and the evidence take it from here, so that the evidence says what was shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Final

from gateway.consents.states import Relation
from gateway.i18n import _, translate, translations
from gateway.web.formats import day

WHAT: Final = (
    _("What is read"),
    _(
        "Current accounts that you tick yourself: name of the holder, account number, balances and transactions. "
        "No payment can be made with it."
    ),
)
WHAT_FOR: Final = (_("What for"), _("To make bank statements for your accounts."))
WHO_ASKS: Final = (_("Who asks the bank"), _("%(holder)s, on its licence, for %(office)s."))
UNTIL_WHEN: Final = (_("Until when"), _("%(day)s at the latest. After that you are asked again."))
HOW_TO_STOP: Final = (
    _("How to stop"),
    _("At any time: in your internet banking, or by a word to %(office)s."),
)
TEXTS: Final = (WHAT, WHAT_FOR, WHO_ASKS, UNTIL_WHEN, HOW_TO_STOP)

RELATIONS: Final = {
    Relation.OWNER: _("The owner of the business, or a partner in it"),
    Relation.TRADE_NAME: _("Another name under which it trades"),
    Relation.FORMER_NAME: _("Its name before it was changed"),
    Relation.OTHER: _("Something else: the account is used for the business"),
}
"""What the holder whom the bank names can be to the client."""


def terms(
    language: str, *, office: str, licence_holder: str | None, valid_until: date | None
) -> Sequence[tuple[str, str]]:
    """Heading and sentence of each point, in the order of the page."""
    known = {"office": office, "holder": licence_holder or "", "day": day(valid_until)}
    return [
        (translate(language, heading), translations(language).gettext(text) % known)
        for heading, text in TEXTS
        if licence_holder is not None or (heading, text) != WHO_ASKS
    ]


@cache
def text_version(language: str) -> str:
    """Another one whenever a word of the text changes in this language."""
    words = "\0".join(translate(language, text) for pair in TEXTS for text in pair)
    return f"{language}-{hashlib.sha256(words.encode()).hexdigest()[:12]}"

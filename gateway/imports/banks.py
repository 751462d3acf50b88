"""Banks as people name them: by BIC, by the name on the registry's list, or by the short name everybody uses.

A bank need not be one that is connected here: an account can be known without consent (OFF-10). The list of names and
BICs is that of the National Bank of Belgium in schwifty; ours come first.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Final

from schwifty.registry import get_banks_by_country

from connectors import registry
from gateway.imports.columns import key_of

SHORT_NAMES: Final = {
    "Argenta": "ARSPBE22",
    "Bank Van Breda": "JVBABE22",
    "Belfius": "GKCCBEBB",
    "Beobank": "CTBKBEBX",
    "BNP Paribas Fortis": "GEBABEBB",
    "bunq": "BUNQBEB2",
    "CBC": "CREGBEBB",
    "Crelan": "NICABEBB",
    "Degroof Petercam": "DEGRBEBB",
    "Deutsche Bank": "DEUTBEBE",
    "Europabank": "EURBBE99",
    "ING": "BBRUBEBB",
    "KBC": "KREDBEBB",
    "Keytrade Bank": "KEYTBEBB",
    "Nagelmackers": "BNAGBEBB",
    "Revolut": "REVOBEB2",
    "Triodos": "TRIOBEBB",
    "vdk": "VDSPBE91",
    "Wise": "TRWIBEB1",
}
"""The drop-down of the templates, by name."""

Bank = tuple[str | None, str | None]
"""Id of a bank of ours, and BIC; one of the two at least."""


@cache
def bank_keys() -> dict[str, Bank]:
    """Key of a name, an id or a BIC (8 or 11 characters) to the bank."""
    found: dict[str, Bank] = {}
    bics = Counter(bic[:8] for profile in registry.profiles() for bic in profile.bics)
    for profile in registry.profiles():
        bank = (profile.bank_id, profile.bics[0] if profile.bics else None)
        for word in (profile.bank_id, profile.name):
            found.setdefault(key_of(word), bank)
        for bic in profile.bics:
            # KBC and KBC Brussels share one: it does not say which of the two is meant.
            found.setdefault(key_of(bic[:8]), (profile.bank_id if bics[bic[:8]] == 1 else None, bic))
    for name, bic in SHORT_NAMES.items():
        ours = found.get(key_of(bic), (None, None))[0]
        found.setdefault(key_of(name), (ours, bic))
    for listed in get_banks_by_country("BE"):
        if listed.bic:
            bic = str(listed.bic).removesuffix("XXX")
            ours = found.get(key_of(bic[:8]), (None, None))[0]
            found.setdefault(key_of(listed.name), (ours, bic))
            found.setdefault(key_of(bic[:8]), (ours, bic))
    return found

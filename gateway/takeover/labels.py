"""What a take-over list says, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.i18n import _

VERDICTS: Final[Mapping[str, str]] = {
    "continues": _("Can continue here"),
    "unsure": _("Check first"),
    "cannot": _("Cannot continue here"),
}
REASONS: Final[Mapping[str, str]] = {
    "number_invalid": _("This is no account number; correct it in the list."),
    "kind_savings": _("A savings account: banks give third parties current accounts only."),
    "kind_card": _("A card account: banks give third parties current accounts only."),
    "kind_loan": _("A loan: banks give third parties current accounts only."),
    "kind_investment": _("An investment account: banks give third parties current accounts only."),
    "kind_other": _("Not a current account: banks give third parties current accounts only."),
    "bank_not_offered": _("This bank is not among those that can be read here."),
    "no_booked_balance": _("This bank gives no booked balance, without which no statement proves."),
    "booked_balance_unknown": _("It is not known whether this bank gives a booked balance: connect it first and see."),
    "bank_not_connected": _("This bank is not set up on this installation yet."),
}
FEE: Final = _("Archiving an account there may not stop the bank’s own fee for CODA: cancel it at the bank as well.")
"""Said with every list: two parties charge for the same file."""

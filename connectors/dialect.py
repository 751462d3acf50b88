"""How the rows of one bank differ from the standard, as data for the normaliser."""

from __future__ import annotations

import re
from dataclasses import dataclass

from connectors.model import AccountKind


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one bank's rows differ from the standard."""

    is_unsigned: bool = False
    """Amounts carry no sign: the side of the counterparty gives it."""
    id_fields: tuple[str, ...] = ("transactionId", "entryReference")
    proprietary_code_is_coda: bool = False
    """The bank's own code is the eight digits of CODA."""
    party_patterns: tuple[re.Pattern[str], ...] = ()
    """Where the bank writes parties in its text; groups `name` and `iban`, either may lack."""
    are_party_patterns_for_debits: bool = False
    """Only what the bank writes of money paid can be read: in a receipt the words would be the payer's own."""
    is_proprietary_code_wording: bool = True
    """The bank's own code is words that tell what the row is; False where it is a number or letters without sense."""
    finds_references_within_text: bool = True
    """A delimited reference among other words counts; False where the bank itself says which texts are references."""
    kind_without_type: AccountKind = AccountKind.OTHER
    """What an account is when the bank names neither type nor product; not current unless the bank's card says so."""


STANDARD = Dialect()

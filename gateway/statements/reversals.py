"""Reversals: entries that offset an issued one which the bank took back or changed (STA-03, STA-12).

A reversal names the statement and sequence of the entry it offsets. It is the only entry that no transaction of the
bank stands behind, and it is written only where the balance proves with it: `gateway.statements.offsets` decides.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import coda
from coda.codes import exists
from gateway.statements.models import Statement, StatementEntry
from gateway.transactions.models import BankTransaction

REFERENCE_LENGTH: Final = 21
CORRECTED: Final = {True: "99", False: "49"}
"""CODA operation "cancellation or correction": of a debit, which is a credit now, and of a credit."""
OTHER_FAMILY: Final = "03"
"""For a family without such operations (49, foreign counter transactions): what the standard gives for the rest."""

_TEXTS: Final = {
    "nl": "Tegenboeking van afschrift {number}, volgnummer {sequence}: door de bank geschrapt of gewijzigd.",
    "fr": "Contre-passation de l'extrait {number}, numéro d'ordre {sequence} : annulé ou modifié par la banque.",
    "en": "Reversal of statement {number}, sequence {sequence}: withdrawn or changed by the bank.",
    "de": "Gegenbuchung zu Auszug {number}, Folgenummer {sequence}: von der Bank gestrichen oder geändert.",
}
"""Part of the file, so not in the catalogues of the screens."""


@dataclass(frozen=True, slots=True)
class Reversal:
    """What offsets one issued entry."""

    entry: StatementEntry
    """The entry it offsets."""
    statement: Statement
    """The one that entry stands on."""
    row: BankTransaction
    """Its transaction, as the bank gave it last."""
    coda_code: str

    @property
    def amount(self) -> Decimal:
        """The opposite of the entry's."""
        return -self.entry.amount

    @property
    def bank_reference(self) -> str:
        """Stable and unique: made from the place of the entry it offsets, 21 letters and digits."""
        key = f"reversal|{self.entry.bank_reference}|{self.statement.year}|{self.statement.number}"
        return base64.b32encode(hashlib.sha256(key.encode()).digest()).decode()[:REFERENCE_LENGTH]

    def text(self, language: str) -> str:
        """What the file says of it."""
        number = f"{self.statement.year}-{self.statement.number:03d}"
        return _TEXTS.get(language, _TEXTS["en"]).format(number=number, sequence=self.entry.sequence)


Line = BankTransaction | Reversal
"""What stands on a statement."""


def code_of_reversal(content: bytes, sequence: int, amount: Decimal) -> str:
    """CODA code of the reversal of the entry `sequence` of a file; `amount` is the reversal's own.

    The family is the one that was written, whatever the mapping makes of that transaction today.
    """
    (statement,) = coda.read(content)
    written = next(entry.transaction_code for entry in statement.entries() if entry.sequence == sequence)
    family, operation = written[1:3], CORRECTED[amount > 0]
    return f"0{family if exists(family, operation) else OTHER_FAMILY}{operation}000"

"""Recognising Belgian national register numbers, to refuse and never store them (OFF-12).

Eleven digits: birth date YYMMDD (month raised by 20 or 40 in a BIS number), order of the day, and 97 minus the first
nine digits modulo 97; for people born from 2000 on the nine digits have a 2 before them. Source: law of 8 August 1983,
royal decree of 3 April 1984, article 1 and 4.
"""

from __future__ import annotations

import re
from typing import Final

from sepa.accounts import compact_iban, iban_fault

_DIGITS: Final = re.compile(
    r"(?<![0-9])[0-9]{2}[ ./-]?[0-9]{2}[ ./-]?[0-9]{2}[ ./-]{0,3}[0-9]{3}[ ./-]?[0-9]{2}(?![0-9])", re.ASCII
)
_MONTHS: Final = frozenset(raised + month for raised in (0, 20, 40) for month in range(13))


def holds_national_number(text: str) -> bool:
    """Whether a number of the national register stands anywhere in the text, with or without dots and dashes."""
    if len(text) < 11:
        return False
    for match in _DIGITS.finditer(text):
        # +32 470 … is a phone number; chance makes one in fifty of them look like a birth date.
        if text[: match.start()].endswith("+"):
            continue
        if is_national_number("".join(character for character in match[0] if character.isdigit())):
            return iban_fault(compact_iban(text)) is not None
    return False


def is_national_number(digits: str) -> bool:
    """Whether eleven digits are such a number, by date and check digits."""
    base, check = int(digits[:9]), int(digits[9:])
    if int(digits[2:4]) not in _MONTHS or int(digits[4:6]) > 31:
        return False
    return check in (97 - base % 97, 97 - (2_000_000_000 + base) % 97)

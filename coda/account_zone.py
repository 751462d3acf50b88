"""The account zone: 37 characters that hold account number and currency, laid out by the structure digit of record 1.

Record 1 has it at 6-42 and record 8 at 5-41, always alike. Record 23 has one of its own, which no digit describes.
Source: CODA 2.6, record 1, notes on positions 2 and 6-42.
"""

import re
from collections.abc import Mapping

ZONE_LENGTH = 37

# Structure digit → (part, first column within the zone, length), in the order of the standard.
ZONES: Mapping[str, tuple[tuple[str, int, int], ...]] = {
    "0": (("number", 1, 12), ("currency", 14, 3), ("qualification", 17, 1), ("country", 18, 2), ("extension", 23, 15)),
    "1": (("number", 1, 34), ("currency", 35, 3)),
    "2": (("number", 1, 31), ("extension", 32, 3), ("currency", 35, 3)),
    "3": (("number", 1, 34), ("currency", 35, 3)),
}


def split_zone(structure: str, zone: str) -> dict[str, str]:
    """Parts of an account zone, without the blanks around them. An unknown structure is read as 0."""
    parts = ZONES.get(structure, ZONES["0"])
    return {name: zone[start - 1 : start - 1 + length].strip(" ") for name, start, length in parts}


def join_zone(structure: str, parts: Mapping[str, str]) -> str:
    """Account zone of the parts, without the blanks at its end. Raises `ValueError` naming a part that does not fit."""
    zone = [" "] * ZONE_LENGTH
    known = {name for name, _, _ in ZONES[structure]}
    for name, text in parts.items():
        if text and name not in known:
            raise ValueError(f"account.{name}: structure {structure} has no place for it")
    for name, start, length in ZONES[structure]:
        text = parts.get(name, "")
        if len(text) > length:
            raise ValueError(f"account.{name}: at most {length} characters in structure {structure}")
        zone[start - 1 : start - 1 + length] = text.ljust(length)
    return "".join(zone).rstrip(" ")


def counterparty_account(zone: str) -> tuple[str, str]:
    """Account number and currency (or "") of the zone in record 23.

    A Belgian account number of 12 digits is known by the blank after it; anything else fills the first 34 columns.
    """
    if len(zone) <= 34 and zone[:1].isalpha():
        return zone if zone[-1] != " " else zone.rstrip(" "), ""  # an IBAN
    padded = zone.ljust(ZONE_LENGTH)
    if re.fullmatch(r"[0-9]{12}", padded[:12]) and padded[12] == " ":
        number, currency = padded[:12], padded[13:16].strip(" ")
        return ("" if number == "0" * 12 else number), currency
    return padded[:34].strip(" "), padded[34:].strip(" ")


def is_iban(text: str) -> bool:
    """Whether the text is a compact IBAN with valid check digits (ISO 13616: modulo 97 is 1)."""
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", text):
        return False
    return int("".join(str(int(character, 36)) for character in text[4:] + text[:4])) % 97 == 1


def is_belgian_number(text: str) -> bool:
    """Whether the text is a Belgian account number of 12 digits (or structured communication) with its check digits.

    The last two digits are the first ten modulo 97, 97 for remainder 0.
    """
    if len(text) != 12 or not (text.isascii() and text.isdecimal()):
        return False
    base, check_digits = divmod(int(text), 100)
    return check_digits == (base % 97 or 97)

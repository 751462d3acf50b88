"""Account numbers, BICs, SEPA countries and enterprise numbers.

Nothing is corrected here: blanks in a typed IBAN are dropped, everything else is right or has a fault. The IBAN
registry and the national checks come from schwifty; which countries are in SEPA is our own list, because schwifty's
flag lags behind. Sources: ISO 13616 (IBAN), ISO 9362:2022 (BIC), EPC409-09 (SEPA countries), KBO/BCE (check digits).
"""

import csv
import re
import warnings
from functools import cache, lru_cache
from importlib.resources import files

from schwifty import BIC, IBAN
from schwifty.exceptions import (
    InvalidAccountCode,
    InvalidBankCode,
    InvalidBBANChecksum,
    InvalidChecksumDigits,
    InvalidCountryCode,
    InvalidLength,
    NationalChecksumNotVerified,
    SchwiftyException,
)

from sepa.errors import AccountInvalid

# schwifty warns where a country has national check digits without a public rule: then there is nothing more to check.
# Filtered once, because `catch_warnings` is not safe between threads; as an error it is caught below.
warnings.filterwarnings("ignore", category=NationalChecksumNotVerified)

_BELGIAN = re.compile(r"BE([0-9]{2})([0-9]{10})([0-9]{2})")
_COMPACT = re.compile(r"[A-Z0-9]+")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{1,30}")
_BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")
_FAULTS: tuple[tuple[type[SchwiftyException], str], ...] = (
    (InvalidCountryCode, "iban_country_unknown"),
    (InvalidLength, "iban_length"),
    (InvalidChecksumDigits, "iban_checksum"),
    (InvalidBankCode, "iban_format"),
    (InvalidAccountCode, "iban_format"),
)


def compact_iban(typed: str) -> str:
    """A typed IBAN without blanks, in capitals; says nothing about whether it is valid."""
    if _COMPACT.fullmatch(typed):
        return typed
    compact = "".join(typed.split())
    return compact.upper() if compact.isascii() else compact


def print_iban(iban: str) -> str:
    """An IBAN in groups of four, for people."""
    return " ".join(iban[i : i + 4] for i in range(0, len(iban), 4))


def iban_fault(iban: str) -> str | None:
    """The finding code of what is wrong with a compact IBAN, or None.

    One of `iban_format`, `iban_country_unknown`, `iban_length`, `iban_checksum`, `iban_national_checksum`, and
    `iban_foreign_checksum`: only a warning, since the account checks of other countries change without notice here.
    """
    # Nearly every payment is Belgian: the registry's answer in three lines, twenty times as fast. A test compares both.
    match = _BELGIAN.fullmatch(iban)
    if match is None:
        return _registry_fault(iban)
    check, base, national = match.groups()
    if (int(base + national) * 1_000_000 + 111_400 + int(check)) % 97 != 1:
        return "iban_checksum"
    return None if int(national) == (int(base) % 97 or 97) else "iban_national_checksum"


def require_iban(typed: str) -> str:
    """The compact form of a valid IBAN; raises `AccountInvalid` with the finding code as `fault`."""
    iban = compact_iban(typed)
    fault = iban_fault(iban)
    if fault and fault != "iban_foreign_checksum":
        raise AccountInvalid("the account number is not a valid IBAN", fault=fault)
    return iban


def bic_fault(bic: str) -> str | None:
    """`bic_format` when the text is not a BIC of 8 or 11 characters with a known country, otherwise None.

    Digits in the first four places are allowed since ISO 9362:2014; pain.001.001.03 refuses them.
    """
    return None if _BIC.fullmatch(bic) and _is_bic(bic) else "bic_format"


def bic_of(iban: str) -> str | None:
    """The BIC of the bank an IBAN belongs to, or None when the registry does not know it. Only for valid IBANs."""
    try:
        bic = IBAN(iban).bic
    except SchwiftyException:
        return None
    return str(bic) if bic else None


@lru_cache(maxsize=1_000)
def is_sepa(country: str) -> bool:
    """Whether a country or territory (ISO 3166 letters, also the first two of an IBAN) is in the SEPA schemes."""
    return country in _countries()


@lru_cache(maxsize=1_000)
def is_eea(country: str) -> bool:
    """Whether it lies in the European Economic Area, where a payment needs no address."""
    return _countries().get(country, False)


def enterprise_number_fault(digits: str) -> str | None:
    """`enterprise_number_format` or `enterprise_number_checksum` for a number that is not 10 good digits, or None.

    First digit 0 or 1; the last two are 97 minus the first eight modulo 97. Source: KBO/BCE.
    """
    if not re.fullmatch("[01][0-9]{9}", digits):
        return "enterprise_number_format"
    return None if 97 - int(digits[:8]) % 97 == int(digits[8:]) else "enterprise_number_checksum"


def require_enterprise_number(typed: str) -> str:
    """The 10 digits of a typed enterprise or Belgian VAT number.

    Drops `BE`, dots and blanks, and adds the zero of an old number of nine digits. Raises `AccountInvalid`.
    """
    compact = re.sub(r"[\s.]", "", typed).removeprefix("BE").removeprefix("be")
    digits = compact.rjust(10, "0") if len(compact) == 9 else compact
    fault = enterprise_number_fault(digits)
    if fault:
        raise AccountInvalid("not a valid enterprise number", fault=fault)
    return digits


@lru_cache(maxsize=10_000)
def _registry_fault(iban: str) -> str | None:
    if not _IBAN.fullmatch(iban):
        return "iban_format"
    try:
        IBAN(iban, validate_bban=True)
    except NationalChecksumNotVerified:
        return None
    except InvalidBBANChecksum:
        return "iban_foreign_checksum"
    except SchwiftyException as error:
        return next((code for kind, code in _FAULTS if isinstance(error, kind)), "iban_format")
    return None


@lru_cache(maxsize=10_000)
def _is_bic(bic: str) -> bool:
    try:
        BIC(bic)
    except SchwiftyException:
        return False
    return True


@cache
def _countries() -> dict[str, bool]:
    text = files("sepa").joinpath("data/sepa_countries.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("# "))
    return {row["country"]: row["is_eea"] == "yes" for row in rows}

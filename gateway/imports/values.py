"""Reading one cell: from the text somebody typed to the value we store, or the code of its fault (OFF-14)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from gateway.imports.columns import key_of
from gateway.profiles.packages import CHANNELS, PACKAGES
from sepa.accounts import bic_fault, compact_iban, iban_fault, require_enterprise_number
from sepa.errors import AccountInvalid

NAME_MAX: Final = 70
LABELS_MAX: Final = 20
YEAR_OF_LEAP_DAY: Final = 2024

_EMAIL: Final = re.compile(r"[^@\s\"(),:;<>\[\]\\]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_DAY_FIRST: Final = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")
_ISO: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DAY_MONTH: Final = re.compile(r"([0-9]{1,2})([/.-])([0-9]{1,2})(?:[/.-](?:[0-9]{4}|[0-9]{2}))?")
_BELGIAN_AMOUNT: Final = re.compile(r"[-+]?(?:[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]+)(?:,[0-9]{1,3})?")
_PLAIN_AMOUNT: Final = re.compile(r"[-+]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]{1,3})?")
_EITHER: Final = re.compile(r"[-+]?[1-9][0-9]{0,2}[.,][0-9]{3}")
_SPACES: Final = re.compile(r"[\s\u00a0\u202f]+")


class Faulty(ValueError):
    """The text is not a value of its column."""

    def __init__(self, code: str, **parameters: Any) -> None:
        super().__init__(code)
        self.code = code
        self.parameters = parameters


def text(value: str, *, length: int = NAME_MAX) -> str:
    """A text of one line."""
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in value):
        raise Faulty("control_characters")
    if len(value) > length:
        raise Faulty("too_long", max=length)
    return value


def enterprise_number(value: str) -> str:
    """Ten digits."""
    try:
        return require_enterprise_number(text(value, length=40).replace("-", ""))
    except AccountInvalid as error:
        raise Faulty("enterprise_number_invalid") from error


def client_code(value: str) -> str:
    """A code that can name a folder."""
    code = text(value, length=20)
    if "/" in code or "\\" in code or ".." in code:
        raise Faulty("client_code_invalid")
    return code


def iban(value: str) -> str:
    """Compact, with right check digits, the Belgian ones included."""
    compact = compact_iban(text(value, length=60)).replace("-", "")
    fault = iban_fault(compact)
    if fault == "iban_national_checksum":
        raise Faulty("iban_national")
    if fault is not None and fault != "iban_foreign_checksum":
        raise Faulty("iban_invalid")
    return compact


def bank(value: str, banks: Mapping[str, tuple[str | None, str | None]]) -> dict[str, str | None]:
    """Bank id and BIC, whichever is known; `banks` leads from name, id or BIC, as keys, to both."""
    known = banks.get(key_of(text(value)))
    if known is not None:
        return {"bank_id": known[0], "bic": known[1]}
    compact = _SPACES.sub("", value).upper()
    if bic_fault(compact) is not None:
        raise Faulty("bank_unknown")
    return {"bank_id": banks.get(key_of(compact[:8]), (None, None))[0], "bic": compact}


def email(value: str) -> str:
    """In small letters, as addresses are compared."""
    address = text(value, length=254).lower()
    local, _, _domain = address.partition("@")
    if not _EMAIL.fullmatch(address) or local.startswith(".") or local.endswith(".") or ".." in local:
        raise Faulty("email_invalid")
    return address


def mobile(value: str) -> str:
    """E.164: + and at most 15 digits; blanks, dots, dashes and brackets are dropped."""
    digits = re.sub(r"[\s\u00a0\u202f./()-]", "", text(value, length=40).replace("(0)", ""))
    number = f"+{digits[2:]}" if digits.startswith("00") else digits
    if not _E164.fullmatch(number):
        raise Faulty("mobile_invalid")
    return number


def labels(value: str) -> list[str]:
    """Divided by semicolons or commas, each once."""
    found = dict.fromkeys(text(part.strip(), length=40) for part in re.split("[;,]", value) if part.strip())
    if len(found) > LABELS_MAX:
        raise Faulty("too_long", max=LABELS_MAX * 40)
    return list(found)


def day(value: str) -> str:
    """ISO form of a day written day first or ISO."""
    match = _DAY_FIRST.fullmatch(value)
    try:
        if match:
            return date(int(match[3]), int(match[2]), int(match[1])).isoformat()
        if _ISO.fullmatch(value):
            return date.fromisoformat(value).isoformat()
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T00:00:00", value):
            return datetime.fromisoformat(value).date().isoformat()
    except ValueError:
        pass
    raise Faulty("date_invalid")


def financial_year_end(value: str) -> str:
    """`MM-DD` of a day and month: 31/12, 31.12, 12-31, or any date that ends a year.

    With a dash and two numbers below 13 nobody can tell day and month apart; that is refused.
    """
    try:
        return day(value)[5:]
    except Faulty:
        pass
    match = _DAY_MONTH.fullmatch(value)
    if match is None:
        raise Faulty("financial_year_end_invalid")
    first, second = int(match[1]), int(match[3])
    if match[2] == "-" and first <= 12:
        if second <= 12 and first != second:
            raise Faulty("financial_year_end_invalid")
        first, second = second, first
    try:
        return date(YEAR_OF_LEAP_DAY, second, first).isoformat()[5:]
    except ValueError as error:
        raise Faulty("financial_year_end_invalid") from error


def coda_number(value: str) -> int:
    """1 to 999."""
    if not (value.isascii() and value.isdigit() and len(value) <= 3 and 1 <= int(value) <= 999):
        raise Faulty("coda_number_invalid")
    return int(value)


def amount(value: str) -> str:
    """A decimal text; thousands by dots and a decimal comma, or the other way round."""
    compact = _SPACES.sub("", value).removeprefix("€").removesuffix("€").removesuffix("EUR")
    if _EITHER.fullmatch(compact):
        # 1.250 may be twelve hundred and fifty or one and a quarter.
        raise Faulty("amount_invalid")
    if _BELGIAN_AMOUNT.fullmatch(compact):
        compact = compact.replace(".", "").replace(",", ".")
    elif _PLAIN_AMOUNT.fullmatch(compact):
        compact = compact.replace(",", "")
    else:
        raise Faulty("amount_invalid")
    try:
        number = Decimal(compact)
    except InvalidOperation as error:
        raise Faulty("amount_invalid") from error
    if abs(number) >= Decimal(10) ** 12:
        raise Faulty("amount_invalid")
    return amount_text(number)


def amount_text(number: Decimal) -> str:
    """Two decimals, three where there are three."""
    return str(number.quantize(Decimal("0.001")).normalize() + Decimal("0.00"))


def language(value: str) -> str:
    """One of our four; their names are understood too."""
    found = _LANGUAGES.get(key_of(value))
    if found is None:
        raise Faulty("language_unknown")
    return found


def package(value: str) -> str:
    """Package id."""
    return _one_of(value, _PACKAGES, "package_unknown")


def delivery(value: str) -> str:
    """Channel id."""
    return _one_of(value, _CHANNELS, "delivery_unknown")


def yes_no(value: str) -> bool:
    """In any of the four languages."""
    key = key_of(value)
    if key in _YES:
        return True
    if key in _NO:
        return False
    raise Faulty("yes_no_invalid")


def _one_of(value: str, known: Mapping[str, str], code: str) -> str:
    found = known.get(key_of(value))
    if found is None:
        raise Faulty(code)
    return found


_LANGUAGES: Final = {
    "nl": "nl", "nederlands": "nl", "neerlandais": "nl", "dutch": "nl", "niederlandisch": "nl",
    "fr": "fr", "francais": "fr", "frans": "fr", "french": "fr", "franzosisch": "fr",
    "en": "en", "english": "en", "engels": "en", "anglais": "en", "englisch": "en",
    "de": "de", "deutsch": "de", "duits": "de", "allemand": "de", "german": "de",
}  # fmt: skip
_YES: Final = frozenset({"yes", "y", "ja", "j", "oui", "o", "true", "1", "x", "waar", "vrai", "wahr"})
_NO: Final = frozenset({"no", "n", "nee", "neen", "non", "nein", "false", "0", "onwaar", "faux", "falsch"})
CHANNEL_WORDS: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "download": ("Download", "Téléchargement", "Download", "Download"),
    "sftp": ("sFTP", "sFTP", "sFTP", "sFTP"),
    "ftps": ("FTPS", "FTPS", "FTPS", "FTPS"),
    "email": ("E-mail", "E-mail", "E-mail", "E-Mail"),
    "agent": ("Ophaalagent", "Agent de collecte", "Pull agent", "Abholdienst"),
    "manual": ("Handmatig", "Manuelle", "By hand", "Manuell"),
}
"""Drop-down words of the templates: nl, fr, en, de."""
_PACKAGES: Final = {
    key_of(word): package_id for package_id, name in PACKAGES.items() for word in (package_id, name)
} | {"neutraal": "neutral", "neutre": "neutral", "expertm": "expert_m"}
_CHANNELS: Final = {key_of(word): channel for channel, words in CHANNEL_WORDS.items() for word in (channel, *words)} | {
    "mail": "email",
    "telechargement": "download",
}
assert set(CHANNEL_WORDS) == set(CHANNELS), "each channel has its words"

READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "enterprise_number": enterprise_number,
    "external_id": text,
    "name": text,
    "client_code": client_code,
    "dossier_code": lambda value: text(value, length=20),
    "language": language,
    "contact_name": text,
    "contact_email": email,
    "mobile": mobile,
    "labels": labels,
    "package": package,
    "financial_year_end": financial_year_end,
    "statements_from": day,
    "next_coda_number": coda_number,
    "last_balance": amount,
    "delivery": delivery,
    "destination": lambda value: text(value, length=254),
    "send_invitation": yes_no,
}
"""How the cells of each column are read; those of accounts, people and groups need what the office has."""

"""Reading the text fields of banks: what counts as absent, line breaks, names, dates, references with check digits."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from schwifty import IBAN
from schwifty.exceptions import SchwiftyException
from stdnum import iso11649
from stdnum.be import ogm_vcs

BRUSSELS = ZoneInfo("Europe/Brussels")
FILLERS = frozenset({"NOTPROVIDED", "NOT PROVIDED"})

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_BREAK = re.compile(r"<br\s*/?\s*>", re.IGNORECASE)
_BLANKS = re.compile(r"[^\S\n]+")
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ](.+))?")
_OFFSET = re.compile(r"(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})$")
_DELIMITED = re.compile(r"(?:\+{3}|\*{3})\s*([0-9]{3})/?([0-9]{4})/?([0-9]{5})\s*(?:\+{3}|\*{3})")
_WHOLE = re.compile(r"([0-9]{3})/?([0-9]{4})/?([0-9]{5})")
_RF = re.compile(r"RF[0-9]{2}[A-Z0-9]{1,21}")


def present(value: object) -> str | None:
    """The text without outer blanks; None for what banks send instead of nothing (`" "`, `NOTPROVIDED`, `{}`).

    Whole numbers become text, other kinds count as absent. Source: transaction mapping, rule 1.
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    try:
        # NUL and lone surrogates are legal in JSON and in no database.
        text = _UNSTORABLE.sub("", str(value)).strip()
    except ValueError:  # an integer of thousands of digits
        return None
    return None if not text or text.upper() in FILLERS else text


def present_id(value: object) -> str | None:
    """As `present`, and `0` is absent too: some banks send it in place of an id."""
    text = present(value)
    return None if text == "0" else text


def lines(text: str) -> list[str]:
    """The lines of a bank's text: HTML breaks become line breaks, blanks collapse, empty lines go; NFC."""
    plain = _BREAK.sub("\n", unicodedata.normalize("NFC", text)).replace("\r", "\n")
    return [line for line in (_BLANKS.sub(" ", line).strip() for line in plain.split("\n")) if line]


def same_name(left: str | None, right: str | None) -> bool:
    """Whether two names are the same but for case, accents, punctuation and the order of their words."""
    if left is None or right is None:
        return False
    words = _words(left)
    return bool(words) and words == _words(right)


def compact(text: str | None) -> str:
    """Text for comparing: compatibility form, no case, no blanks."""
    if text is None:
        return ""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(folded.split())


def compact_account(value: object) -> str | None:
    """An account number without blanks, in capitals; None when absent."""
    text = present(value)
    return "".join(text.split()).upper() if text else None


def day(value: object) -> date | None:
    """The Brussels calendar day of a date, a timestamp or an instant; None when absent or unreadable.

    A plain date and a timestamp without offset are taken as written; an instant (`Z` or an offset) becomes its day in
    Brussels. Source: SYN-08.
    """
    text = present(value)
    match = _DAY.fullmatch(text) if text else None
    if match is None:
        return None
    try:
        if match[2] and _OFFSET.search(match[2]):
            return datetime.fromisoformat(f"{match[1]}T{match[2]}").astimezone(BRUSSELS).date()
        return date.fromisoformat(match[1])
    except (ValueError, OverflowError):
        return None


def moment(value: object) -> datetime | None:
    """A timestamp as an aware UTC moment; one without offset is Brussels time. None when absent or unreadable."""
    text = present(value)
    if text is None:
        return None
    try:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo else read.replace(tzinfo=BRUSSELS)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=4096)
def is_iban(text: str) -> bool:
    """Whether a compact IBAN has the length, form and check digits of its country."""
    if not text.isascii():
        return False
    try:
        IBAN(text)
    except (SchwiftyException, ValueError):
        return False
    return True


def bic_of(iban: str) -> str | None:
    """The BIC of the bank whose code stands in an IBAN, by the national lists; None where they do not say."""
    if not is_iban(iban):
        return None
    found = IBAN(iban).bic
    return None if found is None else str(found)


def belgian_reference(text: str) -> str | None:
    """The twelve digits of a structured communication that is the whole text, check digits right or not.

    Accepts `+++ddd/dddd/ddddd+++`, `***…***` and the digits alone; None for every other text.
    """
    match = _DELIMITED.fullmatch(text) or _WHOLE.fullmatch(text)
    return "".join(match.groups()) if match else None


def belgian_references_within(text: str) -> list[str]:
    """The twelve digits of each delimited structured communication inside a longer text, without repeats."""
    return list(dict.fromkeys("".join(match.groups()) for match in _DELIMITED.finditer(text)))


def is_belgian_reference(digits: str) -> bool:
    """Whether twelve digits end in the first ten modulo 97 (0 counts as 97)."""
    # The checker takes full-width digits and other separators too; only plain digits are meant here.
    return len(digits) == 12 and digits.isascii() and digits.isdigit() and ogm_vcs.is_valid(digits)


def rf_reference(text: str) -> str | None:
    """An ISO 11649 reference that is the whole text, compact, check digits right or not; None for other texts."""
    plain = "".join(text.split()).upper() if text.isascii() else ""
    return plain if _RF.fullmatch(plain) else None


def is_rf_reference(reference: str) -> bool:
    """Whether a compact `RF…` reference has its check digits right (ISO 11649)."""
    return bool(_RF.fullmatch(reference)) and iso11649.is_valid(reference)


def _words(name: str) -> list[str]:
    plain = "".join(
        character
        for character in unicodedata.normalize("NFKD", name.casefold())
        if not unicodedata.category(character).startswith("M")
    )
    return sorted("".join(character if character.isalnum() else " " for character in plain).split())

"""How values are shown to people: Belgian dates and amounts, IBANs in fours (UIX-02)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from gateway.clock import BRUSSELS

NO_BREAK: Final = "\N{NO-BREAK SPACE}"


def amount(value: Decimal) -> str:
    """`1.250,00`, with three decimals only where the amount has them: `-0,125`."""
    decimals = 2 if value == value.quantize(Decimal("0.01")) else 3
    english = f"{value:,.{decimals}f}"
    return english.translate(str.maketrans(",.", ".,"))


def money(value: Decimal, currency: str = "EUR") -> str:
    """`€ 1.250,00`; other currencies by their code."""
    return f"{'€' if currency == 'EUR' else currency}{NO_BREAK}{amount(value)}"


def day(value: date | None) -> str:
    """`21/11/2026`; a dash when there is none."""
    return value.strftime("%d/%m/%Y") if value is not None else "–"


def moment(value: datetime | None) -> str:
    """`21/11/2026 09:15`, Brussels time; a dash when there is none."""
    return value.astimezone(BRUSSELS).strftime("%d/%m/%Y %H:%M") if value is not None else "–"


def fours(text: str | None) -> str:
    """An IBAN in groups of four."""
    compact = (text or "").replace(" ", "")
    return NO_BREAK.join(compact[start : start + 4] for start in range(0, len(compact), 4))


def enterprise(text: str | None) -> str:
    """A Belgian enterprise number as people write it; anything else unchanged."""
    digits = text or ""
    if len(digits) == 10 and digits.isascii() and digits.isdigit():
        return f"{digits[:4]}.{digits[4:7]}.{digits[7:]}"
    return digits


def structured(digits: str | None) -> str:
    """The Belgian structured communication as `+++123/4567/89002+++`; anything else unchanged."""
    text = digits or ""
    if len(text) == 12 and text.isascii() and text.isdigit():
        return f"+++{text[:3]}/{text[3:7]}/{text[7:]}+++"
    return text


def parse_amount(text: str) -> Decimal | None:
    """What a person typed as an amount: `1.250,00`, `1250,00` or `1250.00`; None when it is not one.

    A single point followed by three digits is a thousands separator, as Belgians write it.
    """
    compact = text.strip().replace(" ", "").replace(NO_BREAK, "").removeprefix("€")
    if "," in compact:
        compact = compact.replace(".", "").replace(",", ".")
    elif compact.count(".") > 1 or (compact.count(".") == 1 and len(compact.rpartition(".")[2]) == 3):
        compact = compact.replace(".", "")
    if not compact.isascii() or not compact.replace(".", "", 1).isdigit():
        return None
    try:
        return Decimal(compact)
    except InvalidOperation:
        return None


def parse_day(text: str) -> date | None:
    """A day as browsers send it (`2026-11-21`) or Belgians write it (`21/11/2026`); None when it is not one."""
    parts = text.strip().split("/")
    if len(parts) == 3:
        parts.reverse()
    else:
        parts = text.strip().split("-")
    try:
        year, month, number = (int(part) for part in parts)
        return date(year, month, number)
    except ValueError:
        return None

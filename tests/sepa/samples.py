"""Where the shared samples are, and invented values with valid check digits."""

import csv
import os
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sepa import Party, Payment

ROOT = Path(__file__).resolve().parents[2]
TODAY = date(2027, 1, 4)
DEBTOR_IBAN = "BE33363291417746"
CREDITOR_IBAN = "BE12310291417792"
GERMAN_IBAN = "DE89370400440532013000"
SWISS_IBAN = "CH9300762011623852957"
OGM = "291417776370"


def shared(path: str) -> Path:
    """A shared sample; the test is skipped, visibly, when the samples are not there."""
    folder = Path(os.environ.get("SHARED", str(ROOT.parent / "shared")))
    if not (folder / path).exists():
        pytest.skip(f"shared samples absent: {path} (set SHARED)")
    return folder / path


def rows(path: str) -> list[dict[str, str]]:
    """The rows of a shared CSV list."""
    with shared(path).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def belgian_iban(number: int) -> str:
    """A valid Belgian IBAN for a number of at most 10 digits."""
    national = f"{number:010d}{number % 97 or 97:02d}"
    return f"BE{98 - int(national + '111400') % 97:02d}{national}"


def payment(**changes: Any) -> Payment:
    """A payment without findings on `TODAY`."""
    values: dict[str, Any] = {
        "payment_id": "pay_01hzz0000000000000000000aa",
        "end_to_end_id": "INV-2026-00001",
        "debtor_iban": DEBTOR_IBAN,
        "creditor": Party("Leverancier 1 BV"),
        "creditor_iban": CREDITOR_IBAN,
        "amount": Decimal("1210.00"),
    }
    return Payment(**(values | changes))

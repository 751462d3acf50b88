"""ISO 20022 external code sets used in payment orders, kept as data (`data/external_codes.csv`)."""

import csv
from functools import cache
from importlib.resources import files


@cache
def code_set(name: str) -> frozenset[str]:
    """The codes of `category_purpose`, `purpose`, `service_level` or `local_instrument`."""
    text = files("sepa").joinpath("data/external_codes.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("# "))
    codes = frozenset(row["code"] for row in rows if row["code_set"] == name)
    assert codes, f"no code set {name}"
    return codes

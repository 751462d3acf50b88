"""Transaction codes: type, family, operation and category, with their labels.

The table is `transaction_codes.csv` beside this file: Febelfin, CODA 2.6, list of transaction codes (English, Dutch
and French edition), with the codes of older editions and of banks that are still seen in files. Its column `ours` names
the languages whose label is our own wording: German throughout, French for the types.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files

LANGUAGES = ("nl", "fr", "en", "de")


@dataclass(frozen=True, slots=True)
class CodeTable:
    """Labels by language for each part of a code."""

    types: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    families: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    operations: Mapping[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)
    categories: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@lru_cache(maxsize=1)
def table() -> CodeTable:
    """The table, read once."""
    types: dict[str, Mapping[str, str]] = {}
    families: dict[str, Mapping[str, str]] = {}
    operations: dict[tuple[str, str], Mapping[str, str]] = {}
    categories: dict[str, Mapping[str, str]] = {}
    text = files("coda").joinpath("transaction_codes.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        labels = {language: row[language] for language in LANGUAGES if row.get(language)}
        match row["part"]:
            case "type":
                types[row["code"]] = labels
            case "family":
                families[row["code"]] = labels
            case "operation":
                operations[row["family"], row["code"]] = labels
            case "category":
                categories[row["code"]] = labels
    return CodeTable(types, families, operations, categories)


@lru_cache(maxsize=4096)
def exists(family: str, operation: str) -> bool:
    """Whether family and operation stand in the table together; operations 40-48 and 90-98 are each bank's own."""
    codes = table()
    is_own = operation.isdecimal() and (40 <= int(operation) <= 48 or 90 <= int(operation) <= 98)
    return (family, operation) in codes.operations or (is_own and family in codes.families)


def label(code: str, language: str = "en") -> str:
    """What the eight digits of a transaction code mean, such as "Direct debit: Unpaid debt"; "" when unknown.

    Languages are nl, fr, en and de; where the table has no label in one, the English stands in.
    """
    codes = table()
    family, operation, category = code[1:3], code[3:5], code[5:8]
    found = [codes.families.get(family), codes.operations.get((family, operation))]
    if category not in ("", "000"):
        found.append(codes.categories.get(category))
    return ": ".join(_in(labels, language) for labels in found if labels)


def type_label(code: str, language: str = "en") -> str:
    """What the first digit of a transaction code means: single, total or detail; "" when unknown."""
    labels = table().types.get(code[:1])
    return _in(labels, language) if labels else ""


def _in(labels: Mapping[str, str], language: str) -> str:
    return labels.get(language) or labels.get("en", "")

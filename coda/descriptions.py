"""What records, fields, communications, values and findings mean, in Dutch, French, English and German.

The texts are our own and stand in `descriptions.csv` beside this file; the facts behind them are those of Febelfin,
CODA 2.6, and for version 1 of the importers that still read it.
"""

import csv
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

from coda.codes import LANGUAGES


@lru_cache(maxsize=1)
def descriptions() -> Mapping[tuple[str, str], Mapping[str, str]]:
    """Texts by language, of a kind (record, field, type, part, value, r_type, word, finding, hint, …) and a name."""
    text = files("coda").joinpath("descriptions.csv").read_text(encoding="utf-8")
    return {
        (row["kind"], row["name"]): {language: row[language] for language in LANGUAGES}
        for row in csv.DictReader(text.splitlines())
    }


def describe(kind: str, name: str, language: str = "en") -> str:
    """The text, in English when the language is not nl, fr or de; "" when there is none."""
    texts = descriptions().get((kind, name))
    return (texts.get(language) or texts["en"]) if texts else ""


def r_type(code: str, language: str = "en") -> str:
    """Why money came back, by the digit in record 22, column 113 (1 reject to 5 cancellation); "" when unknown."""
    return describe("r_type", code, language)


def r_reason(code: str, language: str = "en") -> str:
    """The ISO 20022 reason code of record 22, columns 114-117, in words; "" when unknown."""
    return describe("r_reason", code.strip().upper(), language)

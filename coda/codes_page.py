"""The page of all codes, made from the tables: `python -m coda.codes_page > docs/coda/codes.md`."""

import sys
from collections.abc import Iterator, Mapping

from coda.codes import table
from coda.descriptions import descriptions
from coda.structured import Part, parts_of, types, value_label

_HEADING = """# Codes of CODA

Made from `coda/transaction_codes.csv`, `coda/structured_communications.csv` and `coda/descriptions.csv` by
`python -m coda.codes_page`; do not edit. Source of the codes: Febelfin, CODA 2.6, with those of older editions and of
banks that are still seen. English, Dutch and French labels of transaction codes are those of the standard; the German
ones, and the French ones of the types, are our own wording, as are all texts of the other tables.
"""

_LANGUAGES = ("en", "nl", "fr", "de")
_KINDS: Mapping[str, str] = {
    "number": "number",
    "digits": "digits",
    "date": "DDMMYY",
    "date8": "DDMMYYYY",
    "time": "HHMM",
    "text": "text",
}


def codes_page() -> str:
    """The whole page, as Markdown."""
    return "\n".join([_HEADING, *_transaction_codes(), *_structured(), *_returns()]) + "\n"


def _transaction_codes() -> Iterator[str]:
    codes = table()
    yield "## Transaction codes: type (1 digit), family (2), operation (2), category (3)"
    yield ""
    yield "Operations 01-49 debit, 50-99 credit; 40-48, 90-98 and categories 700-999 are each bank's own."
    yield ""
    yield "### Types"
    yield ""
    yield from _table(codes.types)
    yield ""
    yield "### Families and their operations"
    for family, labels in codes.families.items():
        yield ""
        yield f"**{family}** {' · '.join(_cell(labels[language]) for language in _LANGUAGES)}"
        yield ""
        yield from _table({code: each for (of, code), each in codes.operations.items() if of == family})
    yield ""
    yield "### Categories"
    yield ""
    yield from _table(codes.categories)


def _structured() -> Iterator[str]:
    texts = descriptions()
    yield ""
    yield "## Structured communications"
    yield ""
    yield "Types from 100 stand in movements, those below in information. Columns count from 1, after the type."
    for code in types():
        labels = texts["type", code]
        yield ""
        yield f"**{code}** {' · '.join(labels[language] for language in _LANGUAGES)}"
        yield ""
        yield "| Columns | Holds | Name | en | nl | fr | de |"
        yield "|---|---|---|---|---|---|---|"
        for part in parts_of(code):
            words = texts["part", part.name]
            cells = " | ".join(words[language] for language in _LANGUAGES)
            yield f"| {_columns(part)} | {_holds(part)} | `{part.name}` | {cells} |"
            for value in part.codes:
                labels = {language: value_label(code, part.name, value, language) for language in _LANGUAGES}
                if labels["en"]:
                    yield f"| | `{value}` | | {' | '.join(labels.values())} |"


def _returns() -> Iterator[str]:
    texts = descriptions()
    for kind, title in (("r_type", "Why money came back: record 22, column 113"), ("r_reason", "Reasons (ISO 20022)")):
        yield ""
        yield f"## {title}"
        yield ""
        yield from _table({name: labels for (of, name), labels in texts.items() if of == kind})


def _table(rows: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    yield "| Code | en | nl | fr | de |"
    yield "|---|---|---|---|---|"
    for code, labels in rows.items():
        cells = " | ".join(_cell(labels.get(language, "")) for language in _LANGUAGES)
        yield f"| `{code}` | {cells} |"


def _columns(part: Part) -> str:
    if not part.length:
        return f"{part.start}-"
    return f"{part.start}-{part.start + part.length - 1}" if part.length > 1 else str(part.start)


def _holds(part: Part) -> str:
    return f"number, {part.decimals} decimals" if part.kind == "number" else _KINDS[part.kind]


def _cell(text: str) -> str:
    return text.replace("|", "/")


if __name__ == "__main__":
    sys.stdout.write(codes_page())

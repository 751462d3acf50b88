"""The x-ray of a file for the terminal: every line in the colours of its fields, and each field in words below it."""

import re
from collections.abc import Iterator

from coda.descriptions import describe
from coda.errors import Finding
from coda.explain import ExplainedLine, Explanation, xray
from coda.fields import CONTROL
from coda.source import Source

# SGR codes of ANSI terminals; they hold on dark and on light backgrounds.
_COLOURS = {"money": "32", "date": "36", "party": "35", "text": "33", "code": "34", "blank": "2"}
_FAULT, _WARNING, _DIM, _BOLD = "1;97;41", "30;43", "2", "1"


def xray_text(
    source: Source,
    language: str = "en",
    *,
    colour: bool = True,
    first_line: int = 1,
    last_line: int | None = None,
) -> Iterator[str]:
    """The x-ray, a line of text at a time. Without colour the fields on a line stand between bars.

    Raises `NotCoda` for a file that is no CODA.
    """
    for line in xray(source, first_line=first_line, last_line=last_line, language=language):
        yield from _line(line, language, colour)


def explanation_text(explanation: Explanation, *, colour: bool = True) -> Iterator[str]:
    """One field, with its meaning in four languages and what is wrong with it."""

    def word(name: str) -> str:
        return describe("word", name, explanation.language)

    first, last = explanation.columns
    yield f"{word('line')} {explanation.line}, {word('columns')} {first}-{last}"
    rows = {
        word("record"): f"{explanation.record} {explanation.record_meaning[explanation.language]}".strip(),
        word("field"): explanation.field,
        word("raw"): _visible(explanation.raw),
        word("value"): _plain(explanation.value) or word("blank"),
    }
    for language in ("nl", "fr", "en", "de"):
        said = explanation.value_meaning[language]
        rows[language] = (
            f"{explanation.field_meaning[language]}. {said}" if said else explanation.field_meaning[language]
        )
    width = max(map(len, rows))
    yield from (f"  {_painted(name.ljust(width), _DIM, colour)}  {text}" for name, text in rows.items())
    yield from _findings(explanation.findings, explanation.language, colour)


def _line(line: ExplainedLine, language: str, colour: bool) -> Iterator[str]:
    title = f"{describe('word', 'line', language)} {line.number}  {line.record:2} {line.record_meaning[language]}"
    yield _painted(title.rstrip(), _BOLD, colour)
    parts = [_painted(_plain(field.raw), _colour(field), colour) for field in line.fields]
    yield "".join(parts) if colour else f"|{'|'.join(parts)}|"
    for field in line.fields:
        if field.role == "blank" and not field.findings:
            continue
        first, last = field.columns
        columns = f"{first}-{last}" if first != last else f"{first}"
        name = field.field.partition(".")[2]
        shown = field.value or describe("word", "blank", language)
        meaning = field.meaning
        yield f"  {columns:>7}  {_painted(name.ljust(30), _colour(field), colour)} {_plain(shown)}"
        yield f"  {'':7}  {_painted(meaning, _DIM, colour)}"
        yield from _findings(field.findings, language, colour)
    yield from _findings(line.findings, language, colour)
    yield ""


def _findings(findings: tuple[Finding, ...], language: str, colour: bool) -> Iterator[str]:
    for finding in findings:
        severity = _painted(finding.severity_in(language), _severity_colour(finding), colour)
        text = f"{finding.title_in(language)} ({finding.code}): {finding.found_in(language)}"
        text += f" – {finding.hint_in(language)}"
        yield f"  {'':7}  {severity} {_plain(text)}"


def _colour(field: Explanation) -> str:
    if field.findings:
        return _FAULT if any(finding.severity == "fault" for finding in field.findings) else _WARNING
    return _COLOURS[field.role]


def _severity_colour(finding: Finding) -> str:
    return _FAULT if finding.severity == "fault" else _WARNING


def _painted(text: str, code: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour and text else text


def _plain(text: str) -> str:
    """The text without characters that a terminal would act on."""
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def _visible(text: str) -> str:
    """The text with its outer blanks visible as dots."""
    return re.sub(r"^ +| +$", lambda blanks: "·" * len(blanks[0]), _plain(text))

"""`sluis coda …`: check, show, explain, compare and convert CODA files, without a database and without storing them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final, Literal

import typer

import coda
from coda.chain import ChainFinding
from coda.compare import Difference, MovementComparison
from coda.model import Movement
from coda.xray_text import explanation_text
from gateway.coda_inputs import Input, InputRefused, Reading, inputs, one_input, refuse

FINE: Final = 0
FAULTS: Final = 1
REASONS_SHOWN: Final = 2  # by each rule of an importer; the JSON has more

Language = Literal["nl", "fr", "en", "de"]

coda_commands = typer.Typer(no_args_is_help=True, help="Check, show, explain, compare and convert CODA files.")

Files = Annotated[list[Path], typer.Argument(help="Files or zip archives; - for standard input.", show_default=False)]
File = Annotated[Path, typer.Argument(help="A file, a zip of one, or - for standard input.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
In = Annotated[Language, typer.Option("--language", help="Language of meanings.")]
Plain = Annotated[bool, typer.Option("--no-colour", help="No colours; there are none in a file or a pipe.")]

# What to do instead, by what the file looks like (`found` of the finding not_coda).
_INSTEAD: Final = {
    "a PDF document": "a PDF is for people; download the CODA file of the same statement",
    "an XML statement (camt)": "this is a camt statement; ask the bank for CODA, or have both delivered",
    "an XML payment file (pain)": "this is a payment file; `sluis pain check` looks at those",
    "an MT940 statement": "this is MT940; ask the bank for CODA",
    "a SWIFT message (MT940)": "this is MT940; ask the bank for CODA",
    "an empty file": "the file is empty; fetch it again",
    "a compressed file": "unpack it first; only zip archives are unpacked here",
}


@coda_commands.command("check")
def check(
    files: Files,
    *,
    importer: Annotated[
        list[str] | None,
        typer.Option(help=f"Would this package take the file? One of {', '.join(coda.importers())}; may be repeated."),
    ] = None,
    chain: Annotated[bool, typer.Option("--chain", help="Check too how the statements follow each other.")] = False,
    language: In = "en",
    as_json: Json = False,
) -> None:
    """Print every finding with line, columns, what was found and what was expected; exit 1 when a file has faults."""
    for name in importer or ():
        if name not in coda.importers():
            refuse("--importer", f"{name} is not known; known are {', '.join(coda.importers())}")
    documents: list[dict[str, Any]] = []
    outcomes: list[bool] = []

    def checked_one_by_one(reading: Reading) -> Iterator[tuple[str, BinaryIO]]:
        for each in inputs(files, reading):
            document, text, ok = _checked(each, importer or (), language)
            outcomes.append(ok)
            documents.append(document)
            if not as_json:
                _print_all(text)
            if isinstance(each, Input):
                yield each.name, each.rewound()

    with Reading(passes=2 + 2 * len(importer or ()) + 3 * chain) as reading:
        sources = checked_one_by_one(reading)
        report = coda.check_chain(sources) if chain else None
        for _ in sources:
            pass
    if as_json:
        _print_json({"files": documents, "chain": _chain_document(report, language)} if report else documents)
    elif report:
        _print_all(_chain_text(report, language))
    raise typer.Exit(FINE if all(outcomes) and (report is None or report.ok) else FAULTS)


@coda_commands.command("show")
def show(files: Files, *, language: In = "en", as_json: Json = False) -> None:
    """Print what CODA files hold, as text or JSON; exit 1 when one is not CODA."""
    is_fine = True
    documents = []
    with Reading() as reading:
        for each in inputs(files, reading):
            try:
                source = _readable(each)
                if as_json:
                    documents.append(coda.show(source))
                else:
                    print(coda.render(source, language))
            except _Refused as refused:
                is_fine = _complain(refused)
            except coda.NotCoda as error:
                is_fine = _complain(_not_coda(each.name, error))
    if as_json and documents:
        _print_json(documents[0] if len(documents) == 1 and len(files) == 1 else documents)
    raise typer.Exit(FINE if is_fine else FAULTS)


@coda_commands.command("explain")
def explain(
    file: File,
    *,
    line: Annotated[int | None, typer.Option(min=1, help="Explain this line only.")] = None,
    column: Annotated[int | None, typer.Option(min=1, help="With --line: the field at this column only.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the file as a page to this path; - prints it.")] = None,
    language: In = "en",
    no_colour: Plain = False,
    as_json: Json = False,
) -> None:
    """Explain every field of a CODA file: what stands there, what it means, what is wrong with it."""
    if column is not None and line is None:
        refuse("--column", "needs --line")
    with Reading() as reading, one_input(file, reading) as each:
        try:
            if html is not None:
                _write(html, coda.xray_html(_readable(each), language, title=Path(each.name).name))
            elif line is not None and column is not None:
                found = coda.explain(_readable(each), line, column, language)
                if as_json:
                    _print_json(_explanation_document(found, language))
                else:
                    _print_all(explanation_text(found, colour=_has_colour(no_colour)))
            elif as_json:
                lines = coda.xray(_readable(each), first_line=line or 1, last_line=line, language=language)
                _print_json([_line_document(explained, language) for explained in lines])
            else:
                text = coda.xray_text(
                    _readable(each), language, colour=_has_colour(no_colour), first_line=line or 1, last_line=line
                )
                _print_all(text)
        except coda.NotCoda as error:
            _complain(_not_coda(each.name, error))
            raise typer.Exit(FAULTS) from error
        except coda.InvalidValue as error:
            refuse(f"--{error.field}", error.reason)


@coda_commands.command("diff")
def diff(
    a: Annotated[Path, typer.Argument(help="A file or zip archive; - for standard input.", show_default=False)],
    b: Annotated[Path, typer.Argument(help="What to compare it with.", show_default=False)],
    *,
    as_json: Json = False,
) -> None:
    """Compare two CODA files, or archives of them, on what they say; exit 1 when they differ."""
    refusals: list[_Refused] = []
    with Reading() as reading:
        comparison = coda.compare(_statements(a, reading, refusals), _statements(b, reading, refusals))
    if refusals:
        for refused in refusals:
            _complain(refused)
        raise typer.Exit(FAULTS)
    if as_json:
        _print_json(comparison.as_json())
    else:
        _print_all(_comparison_text(comparison))
    raise typer.Exit(FINE if comparison.is_same else FAULTS)


@coda_commands.command("convert")
def convert(
    files: Files,
    *,
    to: Annotated[Literal["json", "csv"], typer.Option(help="csv: a row for each movement; json: the whole file.")],
    out: Annotated[Path | None, typer.Option(help="Write to this path instead of the terminal.")] = None,
    language: In = "en",
    delimiter: Annotated[str, typer.Option(help="Between the cells of a csv; Belgian spreadsheets expect ;.")] = ",",
) -> None:
    """Convert CODA files to JSON or CSV, in UTF-8; exit 1 when one is not CODA."""
    if len(delimiter) != 1 or not delimiter.isprintable() or delimiter in "\"'":
        refuse("--delimiter", "must be one character, such as , or ;")
    refusals: list[_Refused] = []
    with Reading() as reading:
        _write(out or Path("-"), _converted(inputs(files, reading), to, language, delimiter, refusals))
    for refused in refusals:
        _complain(refused)
    raise typer.Exit(FAULTS if refusals else FINE)


class _Refused(Exception):
    """A file that cannot be read: its name and why, for people."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"{name}: {reason}")


def _readable(each: Input | InputRefused) -> Any:
    """The stream of an input. Raises `_Refused`."""
    if isinstance(each, InputRefused):
        raise _Refused(each.name, each.reason)
    return each.rewound()


def _not_coda(name: str, error: coda.NotCoda) -> _Refused:
    found = error.findings[0].found
    return _Refused(name, f"is not CODA but {found}: {_INSTEAD.get(found, error.findings[0].hint)}")


def _complain(refused: _Refused) -> bool:
    print(refused, file=sys.stderr)
    return False


def _checked(
    each: Input | InputRefused, importers: Iterable[str], language: Language
) -> tuple[dict[str, Any], list[str], bool]:
    """Document, text and whether there are no faults, of one file."""
    name = each.name
    if isinstance(each, InputRefused):
        document = {
            "file": name,
            "ok": False,
            "statements": 0,
            "movements": 0,
            "findings": [_unreadable(each, language)],
        }
        return document, [f"{name}: {each.reason}"], False
    report = coda.check(each.rewound())
    verdicts = [coda.would_accept(each.rewound(), key) for key in importers]
    text = [f"{name}: {_told(finding, language)}" for finding in report.findings]
    text.append(
        f"{name}: {_count(len(report.faults), 'fault')}, "
        f"{_count(len(report.warnings), 'warning')}, {_count(report.statements, 'statement')}, "
        f"{_count(report.movements, 'movement')}"
    )
    if report.findings and report.findings[0].code == "not_coda":
        text = [f"{name}: {_not_coda(name, coda.NotCoda(report.findings)).reason}"]
    for verdict in verdicts:
        text.append(f"{name}: {coda.importers()[verdict.importer].name}: accepts: {verdict.accepted}")
        text.extend(f"{name}:   {line}" for line in _reasons_text(verdict, language))
        text.extend(f"{name}:   not checked: {rule}" for rule in verdict.unchecked)
    document = {
        "file": Path(name).name,
        "ok": report.ok,
        "statements": report.statements,
        "movements": report.movements,
        "findings": [_finding_document(finding, language) for finding in report.findings],
    }
    if verdicts:
        document["verdicts"] = [
            {
                "importer": verdict.importer,
                "accepted": verdict.accepted,
                "reasons": [_finding_document(reason, language) for reason in verdict.reasons],
                "counts": dict(verdict.counts),
                "unchecked": list(verdict.unchecked),
            }
            for verdict in verdicts
        ]
    return document, text, report.ok and all(verdict.accepted != "no" for verdict in verdicts)


def _reasons_text(verdict: coda.Verdict, language: Language) -> Iterator[str]:
    """The first reasons by each rule, and how many more there are."""
    for code, count in verdict.counts.items():
        for reason in [each for each in verdict.reasons if each.code == code][:REASONS_SHOWN]:
            yield _told(reason, language)
        if count > REASONS_SHOWN:
            yield f"and {count - REASONS_SHOWN:,} more ({code})"


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def _told(finding: coda.Finding, language: Language) -> str:
    return f"{finding.severity_in(language)}: {finding.told_in(language)}"


def _unreadable(refused: InputRefused, language: Language) -> dict[str, Any]:
    finding = coda.Finding("unreadable", "fault", 1, None, "file", refused.reason, "a file", "Give the file itself.")
    return _finding_document(finding, language)


def _statements(path: Path, reading: Reading, refusals: list[_Refused]) -> Iterator[coda.Statement]:
    for each in inputs([path], reading):
        try:
            yield from coda.read(_readable(each), tolerant=True)
        except _Refused as refused:
            refusals.append(refused)
        except coda.NotCoda as error:
            refusals.append(_not_coda(each.name, error))


def _converted(
    every: Iterable[Input | InputRefused], to: str, language: Language, delimiter: str, refusals: list[_Refused]
) -> Iterator[str]:
    has_header = False
    for each in every:
        try:
            source = _readable(each)
            if to == "json":
                yield from coda.to_json(source)
            else:
                yield from coda.to_csv(source, language, delimiter=delimiter, header=not has_header)
                has_header = True
        except _Refused as refused:
            refusals.append(refused)
        except coda.NotCoda as error:
            refusals.append(_not_coda(each.name, error))


def _comparison_text(comparison: coda.Comparison) -> Iterator[str]:
    for day in comparison.days:
        if day.outcome == "identical" and not day.movements.is_reordered:
            continue
        place = "" if day.is_in_a and day.is_in_b else f" (only in {'A' if day.is_in_a else 'B'})"
        yield f"{day.account} {day.currency} {day.day or 'no date'}: {day.outcome.replace('_', ' ')}{place}"
        yield from _differences_text("  ", (*day.differences, *day.numbers))
        yield from _movements_text("  ", day.movements)
        if day.movements.is_reordered:
            yield "  the movements are in another order"
    yield comparison.summary


def _movements_text(indent: str, movements: MovementComparison) -> Iterator[str]:
    for sign, only in (("-", movements.missing), ("+", movements.extra)):
        yield from (f"{indent}{sign} {_movement_text(movement)}" for movement in only)
    for changed in movements.changed:
        yield f"{indent}~ {_movement_text(changed.a)}"
        yield from _differences_text(f"{indent}    ", changed.differences)
        if changed.details:
            yield from _movements_text(f"{indent}    ", changed.details)


def _movement_text(movement: Movement) -> str:
    text = " ".join(f"{movement.counterparty_name} {movement.communication}".split())
    return f"{movement.sequence:04d} {movement.entry_date or '-'} {movement.amount:>14.3f}  {_printable(text):.80}"


def _differences_text(indent: str, differences: Iterable[Difference]) -> Iterator[str]:
    for each in differences:
        yield f"{indent}{each.field}: {_printable(each.a) or '(nothing)'} → {_printable(each.b) or '(nothing)'}"


def _chain_text(report: coda.ChainReport, language: Language) -> Iterator[str]:
    for each in report.findings:
        finding = each.finding
        after = f" after {each.after}" if each.after else ""
        account = f" {each.account}:" if each.account else ""
        yield (
            f"chain: {finding.severity_in(language)}:{account} {each.file}{after}: {finding.field}: "
            f"{finding.found_in(language)} ({finding.code}) – {finding.hint_in(language)}"
        )
    yield (
        f"chain: {'unbroken' if report.ok else 'broken'}, {report.accounts} accounts, {report.statements} statements "
        f"in {report.files} files"
    )


def _chain_document(report: coda.ChainReport, language: Language) -> dict[str, Any]:
    return {
        "ok": report.ok,
        "accounts": report.accounts,
        "statements": report.statements,
        "files": report.files,
        "findings": [_chain_finding_document(each, language) for each in report.findings],
    }


def _chain_finding_document(each: ChainFinding, language: Language) -> dict[str, Any]:
    place = {"file": each.file, "account": each.account, "after": each.after}
    return place | _finding_document(each.finding, language)


def _finding_document(finding: coda.Finding, language: Language) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "line": finding.line,
        "columns": list(finding.columns) if finding.columns else None,
        "field": finding.field,
        "found": finding.found,
        "expected": finding.expected,
        "title": finding.title_in(language),
        "hint": finding.hint_in(language),
    }


def _line_document(line: coda.ExplainedLine, language: Language) -> dict[str, Any]:
    return {
        "line": line.number,
        "record": line.record,
        "text": line.text,
        "meaning": dict(line.record_meaning),
        "fields": [_explanation_document(field, language) for field in line.fields],
        "findings": [_finding_document(finding, language) for finding in line.findings],
    }


def _explanation_document(found: coda.Explanation, language: Language) -> dict[str, Any]:
    return {
        "line": found.line,
        "columns": list(found.columns),
        "record": found.record,
        "field": found.field,
        "raw": found.raw,
        "value": found.value,
        "field_meaning": dict(found.field_meaning),
        "value_meaning": dict(found.value_meaning),
        "findings": [_finding_document(finding, language) for finding in found.findings],
    }


def _write(path: Path, pieces: Iterable[str]) -> None:
    """Write the pieces to the path, or print them. A file that cannot be written ends the command."""
    if str(path) == "-":
        for piece in pieces:
            sys.stdout.write(piece)
        return
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            file.writelines(pieces)
    except OSError as error:
        refuse(str(path), f"cannot be written: {error.strerror}")


def _has_colour(no_colour: bool) -> bool:
    return not no_colour and sys.stdout.isatty()


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)


def _print_all(lines: Iterable[str]) -> None:
    with suppress(BrokenPipeError):  # `| head` has seen enough
        for line in lines:
            print(line)


def _print_json(document: Any) -> None:
    print(json.dumps(document, ensure_ascii=False, indent=1))

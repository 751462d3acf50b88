"""`sluis pain …`: payment files on the command line, without a database."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from gateway.clock import brussels_date, real_now
from sepa import pain_check

FINE: Final = 0
FAULTS: Final = 1
CANNOT_RUN: Final = 2

pain_commands = typer.Typer(no_args_is_help=True, help="Check pain.001 files.")

Files = Annotated[list[Path], typer.Argument(help="One or more files.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Today = Annotated[str | None, typer.Option("--today", help="Judge dates as on this day, YYYY-MM-DD (default: today).")]


@pain_commands.command("check")
def pain_check_(files: Files, *, as_json: Json = False, today: Today = None) -> None:
    """Print every finding with path, line, what was found and what was expected; exit 1 when a file has faults."""
    day = _day(today)
    reports = [(file, pain_check.check_file(_existing(file), today=day)) for file in files]
    if as_json:
        _print_json([_pain_document(file, report) for file, report in reports])
    else:
        for file, report in reports:
            for finding in report.findings:
                print(f"{file}: {finding}")
            print(
                f"{file}: {'no faults' if report.ok else 'faults'}, {report.version or 'unknown version'}, "
                f"{report.count or 0} payments, total {report.total or 0}, SHA-256 {report.sha256}"
            )
    raise typer.Exit(FINE if all(report.ok for _, report in reports) else FAULTS)


def _existing(file: Path) -> Path:
    if not file.is_file():
        print(f"{file}: there is no such file", file=sys.stderr)
        raise typer.Exit(CANNOT_RUN)
    return file


def _day(text: str | None) -> date:
    if text is None:
        return brussels_date(real_now())
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        print(f"--today: {text} is not a day of the form YYYY-MM-DD", file=sys.stderr)
        raise typer.Exit(CANNOT_RUN) from error


def _pain_document(file: Path, report: pain_check.Report) -> dict[str, Any]:
    return {
        "file": file.name,
        "ok": report.ok,
        "version": report.version,
        "count": report.count,
        "total": None if report.total is None else str(report.total),
        "sha256": report.sha256,
        "findings": list(_pain_findings(report)),
    }


def _pain_findings(report: pain_check.Report) -> Iterator[dict[str, Any]]:
    for finding in report.findings:
        yield {
            "code": finding.code,
            "severity": finding.severity,
            "path": finding.path,
            "line": finding.line,
            "found": finding.found,
            "expected": finding.expected,
            "hint": finding.hint,
        }


def _print_json(document: Any) -> None:
    print(json.dumps(document, ensure_ascii=False, indent=1))

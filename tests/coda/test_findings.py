"""The findings of every sample, as reviewed: places and codes only, since most samples are not ours to quote."""

import json
from pathlib import Path
from typing import Any

import pytest

import coda
from coda.chain import CHAIN_RULES
from coda.codes import LANGUAGES
from coda.descriptions import descriptions
from coda.rules import RULES
from tests.coda.test_samples import NAMES, path_of

GOLDEN = Path(__file__).parent / "golden"
OWN = sorted(GOLDEN.glob("*.cod"))

# What the expected file of a sample says is wrong, and the code of the finding that says the same.
CHECKS = {
    "records_ok": "record_count",
    "debit_ok": "debit_total",
    "credit_ok": "credit_total",
    "balance_ok": "balance",
    "account_zone_same": "account_zone",
}
# Faults that an expected file cannot hold, since it says what was read: a value that cannot be read, a record that is
# not there.
UNREADABLE = {"not_digits", "bad_date", "account_layout", "unknown_version", "missing_record"}


def compare(path: Path, *, update: bool) -> None:
    """Compare the findings with the golden file, or write it."""
    found = [
        {
            "code": finding.code,
            "severity": finding.severity,
            "line": finding.line,
            "columns": list(finding.columns) if finding.columns else None,
            "field": finding.field,
        }
        for finding in coda.check(path).findings
    ]
    golden = GOLDEN / "findings" / f"{path.stem}.findings.json"
    if update:
        rows = ",\n".join(f"  {json.dumps(row)}" for row in found)
        golden.write_text(f"[\n{rows}\n]\n" if rows else "[]\n", "utf-8")
    assert found == json.loads(golden.read_text("utf-8"))


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_a_golden_file_has_exactly_its_reviewed_findings(path: Path, update_golden: bool) -> None:
    compare(path, update=update_golden)


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_has_exactly_its_reviewed_findings(shared: Path, name: str, update_golden: bool) -> None:
    compare(path_of(shared, name), update=update_golden)


@pytest.mark.parametrize("name", NAMES)
def test_the_faults_of_a_sample_are_those_of_its_expected_file(shared: Path, name: str) -> None:
    path = path_of(shared, name)
    expected: dict[str, Any] = json.loads(path.with_name(f"{name}.expected.json").read_text("utf-8"))
    faults = [finding for finding in coda.check(path).faults if finding.code not in UNREADABLE]
    by_line = {
        "line_length": [number for number, _ in expected["bad_length_lines"]],
        "next_code": expected["next_code_mismatch_lines"],
        "link_code": expected["link_code_mismatch_lines"],
    }
    for code, lines in by_line.items():
        assert [finding.line for finding in faults if finding.code == code] == lines
    totals = [finding.code for finding in faults if finding.code not in by_line]
    wrong = [CHECKS[key] for each in expected["statements"] for key, ok in each["checks"].items() if ok is False]
    assert sorted(totals) == sorted(wrong)


def test_every_finding_has_a_name_and_a_hint_in_four_languages() -> None:
    texts = descriptions()
    for kind in ("finding", "hint"):
        assert {name for each, name in texts if each == kind} == {*RULES, *CHAIN_RULES}
        for code in (*RULES, *CHAIN_RULES):
            said = texts[kind, code]
            assert all(said[language].strip() for language in LANGUAGES), (kind, code)
            assert kind == "finding" or len(set(said.values())) == len(LANGUAGES), "no language stands in for another"


def test_a_finding_is_told_in_each_language() -> None:
    (finding,) = coda.check(b"%PDF-1.7 something").findings
    assert str(finding) == finding.told_in("en")
    assert finding.told_in("nl").startswith(
        "regel 1, file: gevonden 'a PDF document', verwacht a CODA file (not_coda) – Kies"
    )
    assert {finding.title_in(language) for language in LANGUAGES} == {
        "Not CODA",
        "Geen CODA",
        "Pas du CODA",
        "Kein CODA",
    }


def test_a_rule_of_an_importer_is_told_as_its_source_has_it() -> None:
    finding = coda.Finding("oca_header", "fault", 1, (1, 5), "header", "x", "y", "As the source says.")
    assert finding.hint_in("fr") == finding.hint
    assert finding.title_in("fr") == "oca_header"
    assert finding.place_in("fr") == "ligne 1, positions 1-5, header"

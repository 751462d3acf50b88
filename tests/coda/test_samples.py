"""Files of banks and of other projects, which are not ours to copy: read from the shared folder where it is present."""

import json
from pathlib import Path

import pytest

import coda

NAMES = [
    "bnp_globalisation_duplicate",
    "bnp_invented_no_line_flags",
    "bnp_two_days_multi",
    "bnp_two_incoming",
    "cbc_short_totals_wrong",
    "empty_statement_0_1_9",
    "faulty_line_of_137",
    "faulty_version_5",
    "kbc_2006_large_all_families",
    "kbc_2011_details",
    "kbc_collective_with_details",
    "kbc_count_wrong",
    "kbc_structured_cp1252",
    "kbc_structured_utf8",
    "kbc_total_without_details",
]
CONSISTENT = [
    "bnp_two_days_multi",
    "empty_statement_0_1_9",
    "kbc_2006_large_all_families",
    "kbc_structured_cp1252",
    "kbc_structured_utf8",
    "kbc_total_without_details",
]


def path_of(shared: Path, name: str) -> Path:
    path = shared / "samples" / "coda" / f"{name}.cod"
    if not path.is_file():
        pytest.skip(f"the sample {name} is not in {path.parent}")
    return path


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_shown_exactly_as_expected(shared: Path, name: str) -> None:
    path = path_of(shared, name)
    expected = json.loads(path.with_name(f"{name}.expected.json").read_text("utf-8"))
    assert json.dumps(coda.show(path)) == json.dumps(expected)


@pytest.mark.parametrize("name", NAMES)
def test_the_strict_reader_takes_the_consistent_samples_only(shared: Path, name: str) -> None:
    path = path_of(shared, name)
    assert coda.check(path).ok == (name in CONSISTENT)
    assert list(coda.read(path, tolerant=True)), "the tolerant reader shows every sample"
    if name not in CONSISTENT:
        with pytest.raises(coda.FaultyFile):
            list(coda.read(path))


@pytest.mark.parametrize("name", CONSISTENT)
def test_a_consistent_sample_is_written_back_line_by_line_but_for_reserved_columns(shared: Path, name: str) -> None:
    path = path_of(shared, name)
    lines = path.read_text("utf-8" if name.endswith("utf8") else "cp1252").splitlines()
    for finding in coda.check(path).findings:
        if finding.code == "reserved_not_blank":
            first, last = finding.columns or (1, 0)
            line = lines[finding.line - 1]
            lines[finding.line - 1] = line[: first - 1] + " " * (last - first + 1) + line[last:]
    assert coda.write(coda.read(path)).decode("cp1252").splitlines() == lines


def test_the_findings_of_a_line_of_137_characters_have_their_places(shared: Path) -> None:
    report = coda.check(path_of(shared, "faulty_line_of_137"))
    places = {(finding.code, finding.line) for finding in report.faults}
    assert {("line_length", 2), ("bad_date", 2), ("next_code", 144), ("record_count", 267)} <= places


def test_version_5_is_refused_with_its_finding(shared: Path) -> None:
    report = coda.check(path_of(shared, "faulty_version_5"))
    finding = next(finding for finding in report.faults if finding.code == "unknown_version")
    assert (finding.line, finding.columns, finding.field) == (1, (128, 128), "header.version")

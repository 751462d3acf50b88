from pathlib import Path

import pytest

import coda
from coda.rules import RULES

GOLDEN = Path(__file__).parent / "golden"
DAMAGED = sorted((Path(__file__).parent / "damaged").glob("*.cod"))


def findings_of(path: Path) -> list[str]:
    return [f"{finding.severity}: {finding}" for finding in coda.check(path).findings]


@pytest.mark.parametrize("path", DAMAGED, ids=lambda path: path.stem)
def test_a_damaged_file_has_exactly_its_findings(path: Path) -> None:
    expected = path.with_name(f"{path.stem}.findings.txt").read_text("utf-8").splitlines()
    assert expected, "a damaged file has at least one finding"
    assert findings_of(path) == expected


@pytest.mark.parametrize("path", DAMAGED, ids=lambda path: path.stem)
def test_the_strict_reader_refuses_faults_and_takes_warnings(path: Path) -> None:
    report = coda.check(path)
    assert report.ok == (not report.faults)
    if report.ok:
        assert list(coda.read(path))
        return
    with pytest.raises(coda.FaultyFile) as caught:
        list(coda.read(path))
    assert caught.value.findings == report.findings
    assert list(coda.read(path, tolerant=True)), "the tolerant reader still shows it"
    assert coda.show(path)["statements"]


def test_every_rule_has_a_damaged_file_that_breaks_it() -> None:
    broken = {finding.code for path in DAMAGED for finding in coda.check(path).findings}
    assert set(RULES) - broken == {"not_coda"}


def test_a_finding_is_one_line_with_its_place_and_what_to_do() -> None:
    path = GOLDEN.parent / "damaged" / "amount_with_letters.cod"
    assert str(coda.check(path).findings[0]) == (
        "line 3, columns 32-47, movement.amount: found '00000000O8665330', expected sign 0 or 1 and 15 digits "
        "(not_digits) – Only digits may stand here, filled with zeros on the left."
    )


def test_an_error_says_where_but_not_what_was_found_so_that_it_may_be_logged() -> None:
    path = GOLDEN.parent / "damaged" / "account_of_record_8_differs.cod"
    with pytest.raises(coda.FaultyFile) as caught:
        list(coda.read(path))
    assert str(caught.value) == (
        "1 fault in the CODA file; the first: line 31, columns 5-41, new_balance.account_zone (account_zone)"
    )
    assert caught.value.code == "coda_faulty_file"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "an empty file"),
        (b"\r\n  \n", "an empty file"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"PK\x03\x04\x14", "a ZIP or Office file"),
        (b'<?xml version="1.0"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">', "camt"),
        (b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09">', "pain"),
        (b"<!DOCTYPE html><html>", "an HTML page"),
        (b"<x/>", "an XML file"),
        (b":20:STARTUMS\r\n:25:BE68539007547034\r\n", "MT940"),
        (b"{1:F01KREDBEBBAXXX0000000000}{2:I940}{4:\r\n:20:X\r\n", "MT940"),
        (b'{"statements": []}', "JSON"),
        ("0000016032630005".encode("utf-16"), "UTF-16"),
        (b"datum;bedrag\n2026-03-16;12,50\n", "text in another format"),
    ],
)
def test_a_file_that_is_no_coda_has_one_finding_that_says_what_it_is(content: bytes, name: str) -> None:
    report = coda.check(content)
    assert [finding.code for finding in report.findings] == ["not_coda"]
    assert name in report.findings[0].found
    for tolerant in (False, True):
        with pytest.raises(coda.NotCoda):
            list(coda.read(content, tolerant=tolerant))
    with pytest.raises(coda.NotCoda):
        coda.show(content)


def test_a_report_counts_statements_and_movements() -> None:
    report = coda.check(GOLDEN / "syn_account_structures.cod")
    assert (report.statements, report.movements, report.facts.lines) == (5, 10, 50)
    assert report.warnings == report.faults == ()


def test_the_number_after_9999_is_0000_and_then_0001() -> None:
    lines = (GOLDEN / "syn_information_records.cod").read_bytes().split(b"\r\n")
    head, main, tail = lines[:2], lines[28], lines[30:]
    movements = [main[:2] + f"{number:04d}".encode() + main[6:125] + b"0 0" for number in [*range(1, 10000), 0, 1]]
    report = coda.check(b"\r\n".join([*head, *movements, *tail]))
    assert "sequence_number" not in {finding.code for finding in report.findings}

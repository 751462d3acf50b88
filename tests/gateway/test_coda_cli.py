"""The `sluis coda` commands: exit codes, archives, standard input, and what is no CODA."""

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import coda
from gateway import coda_inputs
from gateway.coda_cli import coda_commands
from gateway.coda_inputs import Reading

FOLDER = Path(__file__).parents[1] / "coda"
GROUPS = FOLDER / "golden" / "syn_globalisation.cod"
EMPTY = FOLDER / "golden" / "syn_empty.cod"
DAMAGED = FOLDER / "damaged" / "date_that_is_no_day.cod"


def run(*arguments: object, given: bytes | None = None) -> Result:
    return CliRunner().invoke(coda_commands, [str(each) for each in arguments], input=given)


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return path


def test_sound_files_are_fine_and_damaged_ones_are_not() -> None:
    assert run("check", GROUPS, EMPTY).exit_code == 0
    result = run("check", GROUPS, DAMAGED)
    assert result.exit_code == 1
    assert "(bad_date)" in result.stdout
    assert "syn_globalisation.cod: no faults" in result.stdout


def test_the_findings_are_json_when_asked_for() -> None:
    result = run("check", DAMAGED, "--json")
    (document,) = json.loads(result.stdout)
    assert (document["file"], document["ok"]) == ("date_that_is_no_day.cod", False)
    assert document["findings"][0]["code"] == "bad_date"


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("nl", "fout: regel 3, posities 116-121, movement.entry_date: gevonden"),
        ("fr", "erreur: ligne 3, positions 116-121, movement.entry_date: trouvé"),
        ("de", "Fehler: Zeile 3, Stellen 116-121, movement.entry_date: gefunden"),
    ],
)
def test_findings_are_told_in_the_language_asked_for(language: str, said: str) -> None:
    assert said in run("check", DAMAGED, "--language", language).stdout
    (document,) = json.loads(run("check", DAMAGED, "--language", language, "--json").stdout)
    hint = document["findings"][0]["hint"]
    assert hint != json.loads(run("check", DAMAGED, "--json").stdout)[0]["findings"][0]["hint"]
    assert hint in run("explain", DAMAGED, "--language", language).stdout


def test_an_archive_is_checked_member_by_member(tmp_path: Path) -> None:
    packed = archive(
        tmp_path / "year.zip",
        {"a.cod": GROUPS.read_bytes(), "a.pdf": b"%PDF", "b/c.cod": EMPTY.read_bytes(), "b/note.txt": b"hello"},
    )
    result = run("check", packed)
    assert result.exit_code == 1
    assert f"{packed}/a.cod: no faults" in result.stdout
    assert f"{packed}/b/note.txt: is not CODA but text in another format" in result.stdout
    assert "a.pdf" not in result.stdout


def test_a_bad_member_does_not_stop_the_others(tmp_path: Path) -> None:
    packed = archive(tmp_path / "bad.zip", {"a.cod": b"x" * 5000, "b.cod": EMPTY.read_bytes(), "c.zip": b"PK"})
    content = bytearray(packed.read_bytes())
    place = content.index(b"a.cod") + 5
    content[place : place + 8] = b"\xff" * 8
    packed.write_bytes(content)
    result = run("check", packed)
    assert result.exit_code == 1
    assert "a.cod: cannot be unpacked" in result.stdout
    assert "b.cod: no faults" in result.stdout
    assert "c.zip: is an archive within an archive" in result.stdout


def test_a_zip_bomb_is_refused_by_its_unpacked_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coda_inputs, "MEMBER_BYTES_MAX", 1000)
    packed = archive(tmp_path / "bomb.zip", {"a.cod": b"0" * 1_000_000, "b.cod": EMPTY.read_bytes()})
    result = run("check", packed)
    assert "a.cod: more than 1,000 bytes when unpacked" in result.stdout
    assert "b.cod: no faults" in result.stdout
    monkeypatch.setattr(coda_inputs, "ARCHIVE_BYTES_MAX", 600)
    packed = archive(tmp_path / "many.zip", {f"{index}.cod": EMPTY.read_bytes() for index in range(3)})
    assert "1.cod: more than" in run("check", packed).stdout
    monkeypatch.setattr(coda_inputs, "MEMBERS_MAX", 2)
    assert "3 files in one archive, at most 2" in run("check", packed).stdout


def test_standard_input_is_read() -> None:
    assert run("check", "-", given=GROUPS.read_bytes()).exit_code == 0
    assert run("show", "-", given=b"").exit_code == 1
    assert json.loads(run("show", "-", "--json", given=EMPTY.read_bytes()).stdout)["statements"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"%PDF-1.7", "a PDF is for people"),
        (b"<?xml version='1.0'?><Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'/>", "camt statement"),
        (b"{1:F01KREDBEBB}", "this is MT940"),
        (b":20:REF\n:25:123", "this is MT940"),
        (b"", "the file is empty"),
    ],
)
@pytest.mark.parametrize("command", ["check", "show", "explain", "convert"])
def test_what_is_no_coda_is_told_what_it_is(command: str, content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "file.cod"
    path.write_bytes(content)
    more = ["--to", "csv"] if command == "convert" else []
    result = run(command, path, *more)
    assert result.exit_code == 1
    assert said in result.stdout + result.stderr


@pytest.mark.parametrize("command", ["check", "show", "explain"])
def test_a_directory_and_a_missing_file_cannot_be_read(command: str, tmp_path: Path) -> None:
    result = run(command, tmp_path)
    assert (result.exit_code, "is a directory; give its files" in result.stderr) == (2, True)
    result = run(command, tmp_path / "none.cod")
    assert (result.exit_code, "there is no such file" in result.stderr) == (2, True)


def test_an_importer_says_what_it_would_make_of_the_file() -> None:
    result = run("check", GROUPS, "--importer", "tryton", "--importer", "octopus")
    assert result.exit_code == 1
    assert "Tryton account_statement_coda on febelfin-coda: accepts: no" in result.stdout
    assert "Octopus: accepts: unknown" in result.stdout
    assert "tryton_type_9" in result.stdout
    assert "and 12 more (tryton_groups)" in result.stdout
    (document,) = json.loads(run("check", EMPTY, "--importer", "noviat", "--json").stdout)
    assert document["verdicts"][0]["accepted"] in ("yes", "with warnings")
    assert run("check", EMPTY, "--importer", "abacus").exit_code == 2


def test_the_chain_of_several_files_is_checked(tmp_path: Path) -> None:
    other = tmp_path / "copy.cod"
    other.write_bytes(EMPTY.read_bytes())
    result = run("check", EMPTY, other, "--chain")
    assert "(chain_duplicate_file)" in result.stdout
    assert "chain: unbroken, 1 accounts, 1 statements in 2 files" in result.stdout
    assert result.exit_code == 0
    document = json.loads(run("check", EMPTY, other, "--chain", "--json").stdout)
    assert (len(document["files"]), document["chain"]["ok"]) == (2, True)


def test_a_field_is_explained_in_the_language_asked_for() -> None:
    result = run("explain", GROUPS, "--line", 3, "--column", 40, "--language", "fr")
    assert result.exit_code == 0
    assert "movement.amount" in result.stdout
    assert "\x1b" not in result.stdout
    document = json.loads(run("explain", GROUPS, "--line", 3, "--column", 40, "--json").stdout)
    assert document["field"] == "movement.amount"
    assert run("explain", GROUPS, "--line", 999).stdout == ""
    assert run("explain", GROUPS, "--line", 999, "--column", 1).exit_code == 2
    assert run("explain", GROUPS, "--column", 1).exit_code == 2


def test_a_whole_file_is_explained_as_text_and_as_a_page(tmp_path: Path) -> None:
    text = run("explain", GROUPS, "--language", "de").stdout
    assert "Schlusssatz" in text
    page = tmp_path / "page.html"
    assert run("explain", GROUPS, "--html", page, "--language", "nl").exit_code == 0
    assert page.read_text("utf-8").startswith('<!doctype html>\n<html lang="nl">')
    assert "<h1>syn_globalisation.cod</h1>" in page.read_text("utf-8")


def test_files_are_compared_on_what_they_say(tmp_path: Path) -> None:
    result = run("diff", GROUPS, GROUPS)
    assert (result.exit_code, result.stdout) == (0, "1 of 1 day identical\n")
    packed = archive(tmp_path / "same.zip", {"x.cod": GROUPS.read_bytes()})
    assert run("diff", GROUPS, packed).exit_code == 0
    result = run("diff", GROUPS, EMPTY)
    assert result.exit_code == 1
    assert "- 0001" in result.stdout
    assert json.loads(run("diff", GROUPS, EMPTY, "--json").stdout)["missing"] == 5
    letter = tmp_path / "letter.pdf"
    letter.write_bytes(b"%PDF")
    assert run("diff", GROUPS, letter).exit_code == 1


def test_files_are_converted_to_a_table_with_one_heading(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    assert run("convert", GROUPS, GROUPS, "--to", "csv", "--out", out, "--delimiter", ";").exit_code == 0
    rows = list(csv.DictReader(io.StringIO(out.read_text("utf-8")), delimiter=";"))
    (statement,) = coda.read(GROUPS)
    assert len(rows) == 2 * len(statement.movements)
    assert json.loads(run("convert", GROUPS, "--to", "json").stdout)["lines"] == coda.show(GROUPS)["lines"]
    assert run("convert", GROUPS, "--to", "csv", "--delimiter", ";;").exit_code == 2
    assert run("convert", GROUPS, "--to", "csv", "--out", tmp_path / "no" / "such.csv").exit_code == 2


def test_an_archive_of_several_files_is_not_explained(tmp_path: Path) -> None:
    packed = archive(tmp_path / "two.zip", {"a.cod": EMPTY.read_bytes(), "b.cod": EMPTY.read_bytes()})
    assert "holds several files" in run("explain", packed).stderr
    one = archive(tmp_path / "one.zip", {"a.cod": EMPTY.read_bytes()})
    assert run("explain", one).exit_code == 0


def test_a_bar_comes_only_after_a_second_and_when_somebody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(coda_inputs.time, "monotonic", lambda: now[0])
    with Reading(is_shown=True) as reading:
        reading.expect(1000)
        reading.add(10)
        assert not reading.is_bar_shown
        now[0] = 1.5
        reading.add(10)
        assert reading.is_bar_shown
    with Reading(is_shown=False) as reading:
        now[0] = 9.0
        reading.add(10)
        assert not reading.is_bar_shown

"""`sluis certificates`: what an operator sees of them, and what its exit codes say (SEC-12)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.banks.invented import settings_of
from gateway.cli import app
from gateway.files_cli import CANNOT_RUN, FAULTS, FINE

IDENTIFIER = "PSDBE-NBB-0999999922"
KBC = {"kbc": {"base_url": "https://kbc.example/psd2/v2", "client_id": IDENTIFIER}}
ARGENTA = {"argenta": {"base_url": "https://argenta.example/berlingroup/v1", "client_id": "abc"}}

runner = CliRunner()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Invented certificates, named by the settings of an installation that reaches KBC."""
    monkeypatch.chdir(tmp_path)
    made = runner.invoke(app, ["certificates", "make-test", str(tmp_path / "made")])
    assert made.exit_code == FINE, made.output
    assert json.dumps(settings_of(tmp_path / "made", IDENTIFIER)) in made.output
    monkeypatch.setenv("SLUIS_CERTIFICATES", json.dumps(settings_of(tmp_path / "made", IDENTIFIER)))
    monkeypatch.setenv("SLUIS_BANKS", json.dumps(KBC))
    return tmp_path / "made"


def test_the_list_shows_identifier_roles_authority_days_and_banks(folder: Path) -> None:
    shown = runner.invoke(app, ["certificates", "list", "--json"])
    assert shown.exit_code == FINE
    qwac, qseal = json.loads(shown.output)
    assert (qwac["name"], qwac["kind"], qwac["banks"]) == ("test-qwac", "qwac", ["kbc"])
    assert (qwac["organisation_identifier"], qwac["roles"], qwac["authority_id"]) == (IDENTIFIER, ["PSP_AI"], "BE-NBB")
    assert (qwac["days_left"], qwac["alarm"], qwac["findings"]) == (89, None, [])
    assert (qseal["kind"], qseal["banks"]) == ("qseal", [])
    text = runner.invoke(app, ["certificates", "list"]).output
    assert f"{IDENTIFIER}, PSP_AI, authority BE-NBB, 89 days left" in text
    assert "used by no bank" in text


def test_the_check_passes_when_all_is_there_and_fails_with_what_is_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert runner.invoke(app, ["certificates", "check"]).exit_code == FINE
    monkeypatch.setenv("SLUIS_BANKS", json.dumps(KBC | ARGENTA))
    checked = runner.invoke(app, ["certificates", "check", "--json"])
    assert checked.exit_code == FAULTS
    argenta, kbc = json.loads(checked.output)["banks"]
    assert (argenta["bank"], argenta["missing"], kbc["missing"]) == ("argenta", ["api_key"], [])
    assert argenta["key_id"].startswith("SN=")
    assert "The API key of the bank's portal (api_key)" in runner.invoke(app, ["certificates", "check"]).output


def test_a_certificate_that_ends_within_a_week_fails_the_check(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for days, code in ((20, FINE), (6, FAULTS)):
        made = tmp_path / str(days)
        assert runner.invoke(app, ["certificates", "make-test", str(made), "--days", str(days)]).exit_code == FINE
        monkeypatch.setenv("SLUIS_CERTIFICATES", json.dumps(settings_of(made, IDENTIFIER)))
        checked = runner.invoke(app, ["certificates", "check"])
        assert checked.exit_code == code
        assert "ends_soon" in checked.output


def test_files_that_are_there_are_not_overwritten(folder: Path) -> None:
    before = (folder / "qwac.pem").read_bytes()
    assert runner.invoke(app, ["certificates", "make-test", str(folder)]).exit_code == CANNOT_RUN
    assert (folder / "qwac.pem").read_bytes() == before
    assert (folder / "qwac.pem").stat().st_mode & 0o077 == 0


def test_nothing_that_is_printed_holds_a_key(folder: Path) -> None:
    for command in (["list"], ["list", "--json"], ["check"], ["check", "--json"]):
        assert "PRIVATE" not in runner.invoke(app, ["certificates", *command]).output

"""`sluis clients import`: exit codes, dry run, JSON (API-12)."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway import runtime
from gateway.cli import app
from gateway.ids import encode
from tests.gateway.builders import make_office
from tests.gateway.imports.conftest import Desk
from tests.gateway.imports.files import HEADERS, clients, csv_of

runner = CliRunner()


@pytest.fixture(autouse=True)
def installation(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command meets the rolled-back database."""
    addresses = contextlib.nullcontext(runtime.Addresses("postgresql://nowhere.example/x", None))
    monkeypatch.setattr(runtime, "database_addresses", lambda _settings: addresses)
    monkeypatch.setattr(runtime, "prepare", lambda *_: None)
    monkeypatch.setattr(runtime, "open_gateway", lambda _settings: desk.gateway)


def run(*arguments: str) -> tuple[int, str]:
    result = runner.invoke(app, ["clients", "import", *arguments])
    return result.exit_code, result.output


def test_a_dry_run_changes_nothing_and_names_cells(desk: Desk, tmp_path: Path) -> None:
    rows = clients(3)
    rows[1][2] = "BE00"
    file = tmp_path / "clients.csv"
    file.write_bytes(csv_of(HEADERS, rows))
    office = encode("office", desk.office.id)
    code, output = run(str(file), "--dry-run", "--office", office)
    assert code == 1
    assert "C3: IBAN 1: Not an IBAN, or its check digits are wrong. [iban_invalid]" in output
    assert "2 new, 0 existing, 0 only here, 1 invalid" in output
    assert desk.clients() == []
    code, output = run(str(file), "--office", office, "--json", "--language", "nl")
    assert code == 1
    document = json.loads(output[output.index("{") :])
    assert document["import"]["run"]["counts"]["created"] == 2
    assert document["invalid"][0]["faults"][0]["detail"] == "Geen IBAN, of de controlecijfers kloppen niet."
    assert len(desk.clients()) == 2
    file.write_bytes(csv_of(HEADERS, clients(1)))
    assert run(str(file), "--office", office)[0] == 0


def test_without_file_or_office_it_cannot_run(desk: Desk, tmp_path: Path) -> None:
    make_office(desk.gateway, name="Ander kantoor")
    assert run(str(tmp_path / "none.csv"))[0] == 2
    file = tmp_path / "clients.csv"
    file.write_bytes(csv_of(HEADERS, clients(1)))
    code, output = run(str(file), "--office", "Onbekend")
    assert code == 2
    assert "name one of the offices" in output

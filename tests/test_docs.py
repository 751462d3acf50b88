"""Commands, settings and error codes are documented by name; generated documents are up to date."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer.main

from connectors.errors import Fault
from gateway import documents
from gateway.bank_trouble import NEXT, TEXTS
from gateway.cli import app
from gateway.settings import Settings

ROOT = Path(__file__).parents[1]


def commands(command: Any, path: tuple[str, ...] = ()) -> list[tuple[str, Any]]:
    if hasattr(command, "commands"):
        return [found for name, child in command.commands.items() for found in commands(child, (*path, name))]
    return [(" ".join(path), command)]


GENERATED = documents.documents()


@pytest.mark.parametrize("path", sorted(GENERATED))
def test_a_generated_document_is_up_to_date(path: Path) -> None:
    assert (ROOT / path).read_text() == GENERATED[path], "run python -m gateway.documents"


def test_every_setting_is_documented_by_name() -> None:
    page = (ROOT / "docs/settings.md").read_text()
    missing = [name for name in Settings.model_fields if f"`SLUIS_{name.upper()}`" not in page]
    assert not missing


def test_every_command_is_documented_and_explains_itself() -> None:
    page = (ROOT / "docs/commands.md").read_text()
    for name, command in commands(typer.main.get_command(app)):
        assert f"`sluis {name}`" in page, name
        assert command.help, name
        for parameter in command.params:
            assert getattr(parameter, "help", None), f"{name} {parameter.name}"


def test_every_connector_error_has_texts() -> None:
    assert set(TEXTS) == documents.connector_codes()


def test_every_kind_of_bank_fault_says_what_happens_next_and_is_used() -> None:
    """SYN-13: seven kinds, each with at least one error behind it."""
    assert set(NEXT) == set(Fault)
    assert all(documents.codes_of(fault) for fault in Fault)


def test_every_error_says_what_to_do() -> None:
    for kind in documents.error_kinds():
        assert re.fullmatch(r"[a-z][a-z0-9_]+", kind.code), kind
        assert kind.title, kind
        assert kind.hint or kind.code == "error", kind


def test_every_decision_record_is_dated() -> None:
    records = sorted((ROOT / "docs/decisions").glob("0*.md"))
    assert records
    for record in records:
        text = record.read_text()
        assert re.search(r"^Date: \d{4}-\d{2}-\d{2}$", text, re.MULTILINE), record.name
        for heading in ("## Context", "## Decision", "## Consequences"):
            assert heading in text, f"{record.name} lacks {heading}"


def test_the_repository_names_no_machine_and_no_registry() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=False, capture_output=True, text=True
    ).stdout.splitlines()
    if not tracked:
        pytest.skip("not a git checkout")
    # Spelt in parts, so that this file does not find itself.
    hosts = re.compile(
        r"pypi\.o" r"rg|pythonhosted\.o" r"rg|npmjs\.(o" r"rg|c" r"om)|deb\.debian\.o" r"rg|/(ro" r"ot|ho" r"me)/"
    )
    for name in tracked:
        path = ROOT / name
        if path.suffix in {".png", ".cod", ".xsd"} or "/static/" in name or "/assets/" in name or not path.is_file():
            continue
        found = hosts.search(path.read_text(errors="replace"))
        assert found is None, f"{name}: {found and found[0]}"

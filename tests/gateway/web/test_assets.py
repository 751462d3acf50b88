"""What we took over from others is unchanged, and every asset is our own."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from gateway.web.rendering import FOLDER, STATIC
from tests.conftest import ROOT


@pytest.mark.parametrize("folder", [STATIC / "vendor", ROOT / "tests" / "assets"], ids=["vendor", "tests"])
def test_vendored_files_are_those_of_the_manifest(folder: Path) -> None:
    entries = json.loads((folder / "manifest.json").read_text())
    known = {"manifest.json"} | {entry["file"] for entry in entries} | {entry["licence_file"] for entry in entries}
    assert {path.name for path in folder.iterdir()} == known
    for entry in entries:
        assert hashlib.sha256((folder / entry["file"]).read_bytes()).hexdigest() == entry["sha256"], entry["file"]
        assert entry["licence"]
        assert (folder / entry["licence_file"]).stat().st_size > 100


@pytest.mark.parametrize("path", sorted((FOLDER / "templates").iterdir()), ids=lambda path: path.name)
def test_templates_hold_no_inline_code_and_no_other_host(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"<style|style=|<script(?![^>]*\bsrc=)|\son[a-z]+=|javascript:", text)
    assert not re.search(r"https?://", text)

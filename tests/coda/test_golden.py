"""The golden files: invented, one feature each, fully consistent. Beside each its content as `show` gives it."""

import json
from pathlib import Path

import pytest

import coda

FOLDER = Path(__file__).parent / "golden"
FILES = sorted(FOLDER.glob("*.cod"))


def name_of(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_golden_file_is_shown_exactly_as_expected(path: Path) -> None:
    expected = path.with_name(f"{path.stem}.expected.json").read_text("utf-8")
    shown = coda.show(path)
    assert shown == json.loads(expected)
    # The order of the keys is that of the expected file too.
    assert json.dumps(shown) == json.dumps(json.loads(expected))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_golden_file_has_no_faults_and_is_written_back_byte_for_byte(path: Path) -> None:
    assert coda.check(path).ok
    assert coda.write(coda.read(path)) == path.read_bytes()


def test_all_golden_files_are_there() -> None:
    assert len(FILES) == 6

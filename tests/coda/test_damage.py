"""Whatever is wrong with a file, nothing but our own errors comes out of what looks at it."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import coda
from coda.compare import Comparison
from tests.coda.builders import entry, quick, statement

FOLDER = Path(__file__).parent
EVERY = [*sorted((FOLDER / "damaged").glob("*.cod")), *sorted((FOLDER / "golden").glob("*.cod"))]
SOUND = coda.write([statement([entry("A"), entry("B", reference="RF34SYN826003")]), statement(number=8)])


def look_at(content: bytes) -> Comparison:
    """Everything that takes a file, one after the other."""
    for importer in coda.importers():
        assert coda.would_accept(content, importer).accepted in ("yes", "no", "with warnings", "unknown")
    coda.check_chain([content])
    json.loads("".join(coda.to_json(content)))
    assert "".join(coda.to_csv(content)).startswith("account,")
    "".join(coda.xray_html(content))
    "".join(coda.xray_text(content))
    for one in coda.read(content, tolerant=True):
        coda.tree(one)
    return coda.compare(content, content)


@pytest.mark.parametrize("path", EVERY, ids=lambda path: path.stem)
def test_every_damaged_file_can_be_looked_at(path: Path) -> None:
    assert look_at(path.read_bytes()).is_same


@quick
@given(st.integers(0, len(SOUND) - 1), st.binary(max_size=6), st.integers(0, 300))
def test_a_file_damaged_anywhere_can_be_looked_at(place: int, junk: bytes, lost: int) -> None:
    content = SOUND[:place] + junk + SOUND[place + lost :]
    if coda.check(content).findings[:1] and coda.check(content).findings[0].code == "not_coda":
        return
    assert look_at(content).is_same


def test_every_sample_of_the_banks_can_be_looked_at(shared: Path) -> None:
    for path in sorted((shared / "samples/coda").glob("*.cod")):
        assert look_at(path.read_bytes()).is_same, path.name

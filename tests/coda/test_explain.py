import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import coda
from coda.descriptions import descriptions
from coda.explain import xray
from coda.records import VERSION_1, VERSION_2
from coda.xray_html import xray_html
from coda.xray_text import explanation_text, xray_text
from tests.coda.builders import entry, quick, statement

GOLDEN = Path(__file__).parent / "golden"
STRUCTURED = GOLDEN / "syn_structured_communications.cod"
EVERY = [*sorted(GOLDEN.glob("*.cod")), *sorted((Path(__file__).parent / "damaged").glob("*.cod"))]
WRITTEN = coda.write([statement([entry(reference="+++505/1686/26077+++")])])


def name_of(path: Path) -> str:
    return path.stem


def test_a_field_is_explained_with_its_value_and_its_meaning_in_four_languages() -> None:
    found = coda.explain(WRITTEN, 3, 40, language="nl")
    assert (found.line, found.columns, found.record, found.field) == (3, (32, 47), "21", "movement.amount")
    assert (found.raw, found.value) == ("0000000000012500", "12.500")
    assert set(found.field_meaning) == set(found.value_meaning) == set(found.record_meaning) == {"nl", "fr", "en", "de"}
    assert found.value_meaning["fr"] == "crédit"
    assert found.meaning.endswith(". credit")


@pytest.mark.parametrize(
    ("column", "field", "value", "meaning"),
    [
        (54, "movement.transaction_code.type", "0", "Simple amount without detail"),
        (57, "movement.transaction_code.operation", "50", "Transfer in your favour"),
        (64, "movement.communication.type", "101", "Belgian structured communication"),
        (77, "movement.communication.reference", "505168626077", ""),
        (90, "movement.reserved", "", ""),
        (128, "movement.link_code", "0", ""),
    ],
)
def test_what_is_laid_out_within_a_field_is_taken_apart(column: int, field: str, value: str, meaning: str) -> None:
    found = coda.explain(WRITTEN, 3, column)
    assert (found.field, found.value, found.value_meaning["en"]) == (field, value, meaning)


def test_a_structured_communication_is_explained_over_the_seam_of_two_lines() -> None:
    lines = {line.number: line for line in xray(STRUCTURED)}
    shared = [
        (line.number, field.columns)
        for line in lines.values()
        for field in line.fields
        if field.field == "movement.communication.structured_communication"
    ]
    assert shared == [(11, (111, 115)), (12, (11, 17))]


def test_the_account_zone_is_explained_by_its_structure() -> None:
    names = {
        field.field
        for line in xray(GOLDEN / "syn_account_structures.cod")
        for field in line.fields
        if line.record in ("1", "8")
    }
    assert {"old_balance.account_zone.qualification", "new_balance.account_zone.extension"} <= names


def test_a_finding_stands_at_the_field_it_touches() -> None:
    damaged = Path(__file__).parent / "damaged" / "date_that_is_no_day.cod"
    (finding,) = [each for each in coda.check(damaged).findings if each.code == "bad_date"]
    assert finding.columns is not None
    found = coda.explain(damaged, finding.line, finding.columns[0])
    assert found.findings == (finding,)
    assert found.field == finding.field


@pytest.mark.parametrize("path", EVERY, ids=name_of)
def test_the_fields_of_every_line_are_the_line(path: Path) -> None:
    lines = list(xray(path))
    texts = path.read_bytes().decode("cp1252", "replace").split("\n")
    assert [line.number for line in lines] == list(range(1, len(texts) + (texts[-1] != "")))
    for line in lines:
        raw = "".join(field.raw for field in line.fields)
        assert raw.rstrip() == line.text.rstrip()
        for before, after in zip(line.fields, line.fields[1:], strict=False):
            assert after.columns[0] == before.columns[1] + 1
    found = {id(each) for line in lines for each in line.findings}
    found |= {id(each) for line in lines for field in line.fields for each in field.findings}
    assert len(found) == len(coda.check(path).findings)


def test_every_field_of_every_record_is_described_in_four_languages() -> None:
    texts = descriptions()
    for records in (VERSION_1, VERSION_2):
        for record in records.values():
            assert all(texts["record", record.subject].values())
            for column in record.layout:
                name = f"{record.subject}.{column.name}" if column.codec else column.name
                assert all(texts["field", name].values()), name


@pytest.mark.parametrize(
    ("line", "column", "language", "field"),
    [(99, 1, "en", "line"), (3, 129, "en", "column"), (3, 0, "en", "column"), (3, 1, "it", "language")],
)
def test_a_place_that_does_not_exist_is_refused(line: int, column: int, language: str, field: str) -> None:
    with pytest.raises(coda.InvalidValue) as refusal:
        coda.explain(WRITTEN, line, column, language)
    assert refusal.value.field == field


def test_a_file_that_is_no_coda_is_refused() -> None:
    with pytest.raises(coda.NotCoda):
        coda.explain(b"%PDF-1.7", 1, 1)


def test_the_text_has_colours_only_when_asked_for() -> None:
    plain, coloured = "\n".join(xray_text(STRUCTURED, colour=False)), "\n".join(xray_text(STRUCTURED, colour=True))
    assert "\x1b" not in plain
    assert "|21|0001|0000|" in plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured).replace("|", "").split() == plain.replace("|", "").split()


def test_one_field_as_text_has_all_languages() -> None:
    text = "\n".join(explanation_text(coda.explain(WRITTEN, 3, 40, "de"), colour=False))
    for part in ("Zeile 3, Stellen 32-47", "movement.amount", "12.500", "credit", "crédit", "Gutschrift"):
        assert part in text


class Page(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.fields: list[str] = []
        self._in_field = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend(attrs)
        self._in_field = ("tabindex", "0") in attrs

    def handle_endtag(self, tag: str) -> None:
        self._in_field = False

    def handle_data(self, data: str) -> None:
        if self._in_field:
            self.fields.append(data)


ALLOWED = {"html", "head", "meta", "title", "style", "body", "header", "h1", "p", "span", "section", "h2", "ul", "li",
           "a", "main", "div"}  # fmt: skip


@pytest.mark.parametrize("path", EVERY, ids=name_of)
def test_the_page_holds_every_field_and_nothing_that_runs(path: Path) -> None:
    page = Page("".join(xray_html(path, "nl", title=path.name)))
    assert set(page.tags) <= ALLOWED
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "style")]
    assert all(value and value.startswith("#L") for name, value in page.attributes if name == "href")
    fields = [field.raw for line in xray(path) for field in line.fields if field.raw]
    assert [len(text) for text in page.fields] == [len(text) for text in fields]


def test_a_file_full_of_markup_is_escaped_everywhere() -> None:
    attack = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;"
    line = (attack * 3)[:128]
    content = ("0000016032630005  " + attack).ljust(127)[:127] + "2\r\n" + f"21{line[2:]}\r\n" + f"{line}\r\n"
    page = "".join(xray_html(content.encode("cp1252"), title=attack))
    parsed = Page(page)
    assert set(parsed.tags) <= ALLOWED
    assert "<script" not in page
    assert "<img" not in page
    assert not [name for name, _ in parsed.attributes if name.startswith("on")]
    assert attack[:30] in "".join(parsed.fields)


@quick
@given(st.binary(max_size=600))
def test_any_bytes_are_shown_without_markup_or_control_characters(junk: bytes) -> None:
    content = b"00000160326" + junk
    page = "".join(xray_html(content))
    assert set(Page(page).tags) <= ALLOWED
    text = "\n".join(xray_text(content, colour=False))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text + page)


def test_a_long_file_is_cut_and_the_page_says_so() -> None:
    page = "".join(xray_html(STRUCTURED, lines_max=3))
    assert page.count('class="line') == 3
    assert "the rest of the file is left out" in page


def test_a_range_of_lines_of_a_stream_is_read_no_further() -> None:
    lines = list(xray(io.BytesIO(WRITTEN * 3), first_line=2, last_line=4))
    assert [line.number for line in lines] == [2, 3, 4]

"""What files are taken and what is refused: kinds, limits, attacks (OFF-12)."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from gateway.errors import GatewayError
from gateway.imports import errors, workbooks
from gateway.imports.national_numbers import holds_national_number
from gateway.imports.readers import BYTES_MAX, read_table
from gateway.imports.tables import ROWS_MAX, Table
from tests.gateway.imports.files import HEADERS, PERSON, clients, csv_of, enterprise_number, iban, xlsx_of

FILES = Path(__file__).parent / "golden"


def rows_of(table: Table) -> list[dict[str, str]]:
    """Texts by field, the code in brackets where a text is refused."""
    fields = {header.index: header.field or header.text for header in table.headers}
    return [
        {fields[index]: cell.text if cell.fault is None else f"[{cell.fault}]" for index, cell in row.cells.items()}
        for row in table.rows
    ]


def repacked(content: bytes, change: Callable[[str, bytes], bytes | None], **more: bytes) -> bytes:
    """A workbook with changed, removed or added parts."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = change(name, old.read(name))
            if part is not None:
                new.writestr(name, part)
        for name, part in more.items():
            new.writestr(name, part)
    return stream.getvalue()


def same(_name: str, part: bytes) -> bytes:
    return part


def outcome_of(content: bytes) -> int:
    """As the API would answer; anything but a refusal of ours is raised."""
    try:
        read_table(content)
    except GatewayError as error:
        return error.http_status
    return 200


GOOD = xlsx_of(HEADERS, clients(2))


@pytest.mark.parametrize("path", sorted(FILES.glob("*.*")), ids=lambda path: path.name)
def test_the_same_clients_come_out_of_every_format(path: Path) -> None:
    """OFF-12: XLSX, CSV with comma or semicolon, with or without byte-order mark, JSON."""
    found = rows_of(read_table(path.read_bytes()))
    wanted = [
        {
            "name": "Café Noord BV",
            "enterprise_number": "0400.000.185",
            "iban_1": "BE68 5390 0754 7034",
            "mobile": "+32 470 12 34 56",
        },
        {"name": 'Drukkerij "De Pers", NV', "enterprise_number": "0400.001.373", "last_balance": "1250,00"},
    ]
    assert found == wanted


def test_numbers_dates_and_booleans_of_a_workbook_become_texts() -> None:
    row = [477472701, date(2026, 12, 31), 1250.5, True, 12, 0.1]
    content = xlsx_of(["KBO", "Statements from", "Last balance", "Send invitation", "Next CODA number", "Naam"], [row])
    assert rows_of(read_table(content)) == [
        {
            "enterprise_number": "477472701",
            "statements_from": "2026-12-31",
            "last_balance": "1250.5",
            "send_invitation": "yes",
            "next_coda_number": "12",
            "name": "0.1",
        }
    ]


def test_headers_are_known_in_four_languages_below_a_title() -> None:
    for header in ("Ondernemingsnummer", "N° d'entreprise", "ENTERPRISE NUMBER", "Unternehmensnummer", "kbo-nummer"):
        table = read_table(csv_of(["Onze klanten"], [["", ""], [header, "iban 2"], ["0477472701", "x"]]))
        assert [found.field for found in table.headers] == ["enterprise_number", "iban_2"]
        assert table.rows[0].number == 4, "as the spreadsheet shows it"


def test_a_formula_is_refused_and_never_evaluated() -> None:
    """OFF-12: also where it pretends to be a text."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Naam", "KBO"])
    sheet.append(['=HYPERLINK("http://elsewhere.example")', "0477472701"])
    stream = io.BytesIO()
    book.save(stream)
    assert rows_of(read_table(stream.getvalue()))[0]["name"] == "[formula_refused]"
    assert rows_of(read_table(csv_of(["Naam"], [["=1+1"]]))) == [{"name": "[formula_refused]"}]
    assert rows_of(read_table(b'[{"name": "=1+1"}]')) == [{"name": "[formula_refused]"}]


@pytest.mark.parametrize(
    "text", [PERSON, "85073003328", "85 07 30 033 28", f"RR {PERSON} (zaakvoerder)", "01020312340"]
)
def test_a_national_register_number_is_refused_in_any_column(text: str) -> None:
    """OFF-12: refused, and its text goes no further."""
    if text == "01020312340":
        base = 2_010_203_123
        text = f"010203123{97 - base % 97:02d}"
    for header in ("Naam", "Opmerkingen"):
        table = read_table(csv_of([header, "KBO"], [[text, "0477472701"]]))
        assert table.rows[0].cells[0].fault == "national_number_refused"
        assert text not in repr(table)


def test_a_national_register_number_that_a_spreadsheet_took_for_a_number_is_refused() -> None:
    table = read_table(xlsx_of(["Naam", "Code"], [["Bakkerij", 85073003328]]))
    assert table.rows[0].cells[1].fault == "national_number_refused"
    assert "85073003328" not in repr(table)


def test_phone_and_account_numbers_are_no_national_register_numbers() -> None:
    assert not any(holds_national_number(f"+3247{number:07d}") for number in range(0, 10_000_000, 9_973))
    assert not any(holds_national_number(iban(number)) for number in range(500))
    assert not any(holds_national_number(enterprise_number(number)) for number in range(500))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%PDF-1.7 ...", errors.FileOfOtherKind),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), errors.OldSpreadsheet),
        (b"<html><table>", errors.FileOfOtherKind),
        (b"PK\x05\x06" + bytes(18), errors.FileOfOtherKind),
        (b"", errors.FileEmpty),
        (b"\xef\xbb\xbf \n", errors.FileEmpty),
        ("Naam;KBO\nCafé;0477472701".encode("latin-1"), errors.EncodingRefused),
        ("Naam;KBO".encode("utf-16"), errors.EncodingRefused),
        (b"Naam;KBO\n\x00;1", errors.FileRefused),
        (b"Voornaam;Leeftijd\nAn;4", errors.HeaderMissing),
        (b"Naam;KBO", errors.FileEmpty),
        (b'Naam;KBO\n"open;1', errors.FileRefused),
        (b"Naam;Benaming\na;b", errors.ColumnTwice),
        (b'{"name": "x"}', errors.FileRefused),
        (b'[{"name": "x", "name": "y"}]', errors.FileRefused),
        (b"[1, 2]", errors.FileRefused),
        (b"[NaN]", errors.FileRefused),
        (b"[" * 100_000, errors.FileRefused),
        (b"[]", errors.FileEmpty),
    ],
)
def test_what_is_no_list_of_clients_is_told_by_what_it_is(content: bytes, kind: type[GatewayError]) -> None:
    with pytest.raises(kind) as refused:
        read_table(content)
    assert type(refused.value) is kind


def test_half_a_surrogate_pair_is_no_text() -> None:
    """JSON can write it, no encoding can hold it: a cell is to be repaired, a name refuses the file."""
    for cell in (r'"Bakkerij \ud800"', r'["\udfff"]'):
        assert rows_of(read_table(b'[{"name": %s}]' % cell.encode())) == [{"name": "[not_a_text]"}]
    assert rows_of(read_table(rb'[{"name": "\ud83e\udd50"}]')) == [{"name": "\N{CROISSANT}"}]
    with pytest.raises(errors.FileRefused):
        read_table(rb'[{"name": "x", "\ud800": "y"}]')


def test_the_limits_of_rows_and_bytes() -> None:
    """OFF-12: above 5,000 rows or 10 MB: 413."""
    rows = [["x"]] * ROWS_MAX
    assert len(read_table(csv_of(["Naam"], rows)).rows) == ROWS_MAX
    for content in (
        csv_of(["Naam"], [*rows, ["x"]]),
        json.dumps([{"name": "x"}] * (ROWS_MAX + 1)).encode(),
        b"Naam\n" + b"x" * BYTES_MAX,
    ):
        with pytest.raises(errors.ImportTooLarge) as refused:
            read_table(content)
        assert refused.value.http_status == 413


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    """OFF-12: 100 MB unpacked by the directory; the packed file is small."""
    bomb = repacked(GOOD, same, **{"xl/media/a.bin": bytes(workbooks.UNPACKED_BYTES_MAX)})
    assert len(bomb) < 200_000
    with pytest.raises(errors.ImportTooLarge):
        read_table(bomb)


def test_a_directory_that_lies_about_sizes_is_found_out() -> None:
    bomb = bytearray(repacked(GOOD, same, **{"xl/media/a.bin": bytes(3_000_000)}))
    size = (3_000_000).to_bytes(4, "little")
    assert bomb.count(size) == 2
    with pytest.raises(errors.FileRefused):
        read_table(bytes(bomb.replace(size, (10).to_bytes(4, "little"))))


def test_an_archive_inside_the_archive_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0.bin", bytes(50_000_000))
    opened: list[object] = []
    real = zipfile.ZipFile.open
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *given, **more: opened.append(given[1]) or real(*given, **more))
    assert len(read_table(repacked(GOOD, same, **{"xl/embeddings/a.zip": inner.getvalue()})).rows) == 2
    assert "0.bin" not in {getattr(name, "filename", name) for name in opened}


@pytest.mark.parametrize(
    "declaration",
    [b'<!DOCTYPE x [<!ENTITY a "b">]>', b'<!DOCTYPE x SYSTEM "file:///etc/passwd">'],
)
@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "[Content_Types].xml", "_rels/.rels"])
def test_document_types_and_entities_are_refused_in_every_part(declaration: bytes, part: str) -> None:
    """OFF-12, design: refuse any DOCTYPE before parsing."""
    hostile = repacked(GOOD, lambda name, text: declaration + text if name == part else text)
    with pytest.raises(errors.DangerousXml):
        read_table(hostile)


def test_a_document_type_hidden_at_a_seam_or_in_another_encoding_is_found() -> None:
    def padded(name: str, text: bytes) -> bytes:
        if name != "xl/workbook.xml":
            return text
        filler = b"<!--" + b"x" * (workbooks.PIECE_BYTES - 12) + b"-->"
        return filler + b"<!DOCTYPE x>" + text

    with pytest.raises(errors.DangerousXml):
        read_table(repacked(GOOD, padded))
    for encoded in (
        lambda text: text.decode().encode("utf-16"),
        lambda text: b'<?xml version="1.0" encoding="UTF-7"?>' + text,
    ):
        with pytest.raises(errors.DangerousXml):
            read_table(repacked(GOOD, lambda name, text, by=encoded: by(text) if name == "xl/workbook.xml" else text))


@pytest.mark.parametrize(
    ("parts", "kind"),
    [
        ({"xl/vbaProject.bin": b"x"}, errors.MacrosRefused),
        ({"xl/externalLinks/externalLink1.xml": b"<x/>"}, errors.LinksRefused),
    ],
)
def test_macros_and_links_to_other_files_are_refused(parts: Mapping[str, bytes], kind: type[GatewayError]) -> None:
    with pytest.raises(kind):
        read_table(repacked(GOOD, same, **parts))


def test_other_office_documents_are_told_apart() -> None:
    kinds = {
        "content.xml": errors.OtherSpreadsheet,
        "xl/workbook.bin": errors.OtherSpreadsheet,
        "word/document.xml": errors.FileOfOtherKind,
        "readme.txt": errors.FileOfOtherKind,
    }
    for name, kind in kinds.items():
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr(name, "x")
        with pytest.raises(kind):
            read_table(stream.getvalue())


@pytest.mark.parametrize("number", ["1048576", "999999999999", "-5", "x"])
def test_a_row_number_that_lies_costs_nothing(number: str) -> None:
    def far(name: str, text: bytes) -> bytes:
        return (
            text.replace(b'<row r="3"', b'<row r="' + number.encode() + b'"') if name.endswith("sheet1.xml") else text
        )

    assert b'<row r="3"' in zipfile.ZipFile(io.BytesIO(GOOD)).read("xl/worksheets/sheet1.xml")
    try:
        table = read_table(repacked(GOOD, far))
    except errors.FileRefused:
        return
    assert len(table.rows) <= 2


def test_more_elements_than_any_list_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "ELEMENTS_MAX", 2_000)
    with pytest.raises(errors.ImportTooLarge):
        read_table(xlsx_of(HEADERS, clients(500)))


def test_a_hidden_sheet_is_not_what_people_mean() -> None:
    book = load_workbook(io.BytesIO(GOOD))
    hidden = book.create_sheet("Lists", 0)
    hidden.append(["Naam"])
    hidden.append(["Verborgen"])
    hidden.sheet_state = "hidden"
    stream = io.BytesIO()
    book.save(stream)
    assert rows_of(read_table(stream.getvalue()))[0]["name"] == "Bakkerij 1 BV"


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode(errors="replace")))
def test_whatever_bytes_come_the_answer_is_a_table_or_a_refusal(content: bytes) -> None:
    """Bad input: never a defect of ours."""
    for start in (b"", b"PK\x03\x04", b"[", b"Naam;KBO\n"):
        assert outcome_of(start + content) in (200, 413, 422)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(zipfile.ZipFile(io.BytesIO(GOOD)).namelist())), st.integers(0, 3000), st.binary(max_size=30)
)
def test_whatever_part_of_a_workbook_is_damaged_the_answer_is_a_table_or_a_refusal(
    part: str, position: int, junk: bytes
) -> None:
    def damaged(name: str, text: bytes) -> bytes:
        return text[:position] + junk + text[position + len(junk) :] if name == part else text

    assert outcome_of(repacked(GOOD, damaged)) in (200, 413, 422)

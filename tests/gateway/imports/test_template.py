"""The template: four languages, drop-downs, texts that never become formulas, and the way back (OFF-12)."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from lxml import etree
from openpyxl import load_workbook
from starlette.testclient import TestClient

from gateway.api import current_act
from gateway.i18n import LANGUAGES
from gateway.imports.columns import COLUMNS, field_of
from gateway.imports.templates import TemplateService
from gateway.offices.service import ClientService, ClientWish
from tests.gateway.builders import make_person
from tests.gateway.imports.conftest import Desk
from tests.gateway.imports.test_runs import FULL
from tests.gateway.serving import app_of

HOSTILE = ("=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)")


def opened(content: bytes) -> Any:
    return load_workbook(io.BytesIO(content))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_template_has_known_headers_and_drop_downs(desk: Desk, language: str) -> None:
    make_person(desk.gateway, desk.office, is_enrolled=False)
    content = TemplateService(desk.gateway).make(desk.act, language)
    book = opened(content)
    sheet = book.worksheets[0]
    fields = [field_of(cell.value) for cell in sheet[1]]
    assert set(fields) == {column.field for column in COLUMNS} | {
        f"{kind}_{number}" for kind in ("iban", "bank") for number in (1, 2, 3)
    }
    assert book.worksheets[1].sheet_state == "hidden"
    offered = {
        field_of(sheet.cell(1, cells.min_col).value)
        for choice in sheet.data_validations.dataValidation
        for cells in choice.sqref.ranges
    }
    assert {"language", "bank_1", "bank_3", "package", "delivery", "send_invitation"} <= offered
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            if name.endswith((".xml", ".rels")):
                etree.fromstring(archive.read(name))


def test_a_filled_template_sent_back_changes_nothing(desk: Desk) -> None:
    """OFF-12, OFF-15: filled with the present clients."""
    desk.import_(desk.check(list(FULL), list(FULL.values())))
    for name in HOSTILE[1:]:
        ClientService(desk.gateway).put(desk.act, ClientWish(name=name, language="nl", external_id=name))
    for language in LANGUAGES:
        content = TemplateService(desk.gateway).make(desk.act, language, is_filled=True)
        view = desk.imports.create(desk.act, content)
        assert (view.counts["existing"], view.counts["invalid"], view.counts["only_here"]) == (4, 0, 0)
        assert [row.content["changes"] for row in desk.rows(view)] == [[]] * 4


def test_no_cell_begins_a_formula(desk: Desk) -> None:
    """Formula injection: whatever a client is called, its cell is a text."""
    for name in HOSTILE:
        ClientService(desk.gateway).put(desk.act, ClientWish(name=name, language="nl", external_id=name))
    book = opened(TemplateService(desk.gateway).make(desk.act, "nl", is_filled=True))
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.value for cell in cells} >= set(HOSTILE)
    assert {cell.data_type for cell in cells} == {"s"}
    assert all(cell.quotePrefix for cell in cells if cell.value in HOSTILE)


def test_a_name_that_no_workbook_can_hold_loses_what_it_cannot(desk: Desk) -> None:
    """One such client may not keep the office from its template."""
    wish = ClientWish(name="Bakkerij\ufffe\uffff", language="nl", external_id="a\x07\x1b")
    ClientService(desk.gateway).put(desk.act, wish)
    book = opened(TemplateService(desk.gateway).make(desk.act, "nl", is_filled=True))
    cells = {cell.value for row in book.worksheets[0].iter_rows() for cell in row}
    assert "Bakkerij" in cells


def test_templates_are_fetched_over_http(desk: Desk) -> None:
    app = app_of(desk.gateway)
    app.dependency_overrides[current_act] = lambda: desk.act
    with TestClient(app, raise_server_exceptions=False) as http:
        answer = http.get("/v1/client-import-templates/fr.xlsx?filled=true")
        assert answer.status_code == 200
        assert answer.headers["content-disposition"] == 'attachment; filename="sluis-clients-fr.xlsx"'
        assert opened(answer.content).worksheets[0].title == "Clients"
        assert http.get("/v1/client-import-templates/es.xlsx").json()["code"] == "client_import_template_not_found"

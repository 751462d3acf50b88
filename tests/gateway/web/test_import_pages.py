"""The pages of an import, without scripts: send, look, repair, import, undo."""

from __future__ import annotations

import re

from gateway.imports.runs import RunService
from gateway.imports.service import ImportService
from gateway.pagination import PageRequest
from tests.gateway.imports.files import HEADERS, clients, csv_of
from tests.gateway.web.conftest import Browser
from tests.gateway.web.world import World


def send(browser: Browser, content: bytes, name: str = "klanten.csv", status: int = 200) -> str:
    answer = browser.client.post(
        "/client-imports",
        data={"form_token": browser.token},
        files={"file": (name, content)},
        headers=browser.headers,
        follow_redirects=True,
    )
    assert answer.status_code == status, answer.text
    return answer.text


def work(world: World) -> None:
    """What the worker does."""
    gateway = world.gateway
    act = world.act("accountant")
    view = ImportService(gateway).page(act, PageRequest(1, None))[0][0]
    assert view.run is not None
    RunService(gateway).work(act.office_id, view.run.id)


def test_a_list_is_sent_repaired_imported_and_undone(browser: Browser, world: World) -> None:
    """OFF-12, OFF-13, OFF-15."""
    world.speak("en")
    browser.sign_in(world.people["accountant"])
    assert "Import clients" in browser.get("/client-imports")
    rows = clients(3)
    rows[1][3] = '"><script>'
    text = send(browser, csv_of(HEADERS, rows))
    assert "Invalid (1)" in text
    assert "Not an e-mail address." in text
    assert "<script>&#34;" not in text
    path = re.search(r'action="(/client-imports/imp_\w+)/rows/3"', text)
    assert path is not None
    text = browser.post(f"{path[1]}/rows/3", {"cell-contact_email": "an@example.test"})
    assert "Invalid (0)" in text
    assert "3 valid rows can be imported now." in text
    assert "being imported" in browser.post(f"{path[1]}/runs") + browser.get(f"{path[1]}?view=new")
    work(world)
    text = browser.get(path[1])
    assert "3 created, 0 changed, 0 unchanged." in text
    browser.post(f"{path[1]}/undos")
    work(world)
    assert "3 taken back, 0 left as they are." in browser.get(path[1])


def test_a_file_that_is_no_list_is_said_on_the_page(browser: Browser, world: World) -> None:
    world.speak("nl")
    browser.sign_in(world.people["accountant"])
    browser.get("/client-imports")
    assert "Dit is geen rekenblad" in send(browser, b"%PDF-1.7", status=422)
    assert "Het bestand is te groot" in send(browser, csv_of(["Naam"], [["x"]] * 5001), status=413)


def test_a_template_is_fetched_and_its_clients_recognised(browser: Browser, world: World) -> None:
    world.speak("en")
    browser.sign_in(world.people["accountant"])
    browser.get("/client-imports")
    answer = browser.client.get("/client-imports/templates/fr.xlsx?clients=yes")
    assert answer.status_code == 200
    text = send(browser, answer.content, "gabarit.xlsx")
    assert "Only here (0)" in text
    assert "Invalid (0)" in text


def test_a_client_of_the_office_sees_no_imports(browser: Browser, world: World) -> None:
    world.speak("en")
    browser.sign_in(world.people["preparer"])
    assert "You do not have the right to do this" in browser.get("/client-imports", status=403)

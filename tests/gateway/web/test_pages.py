"""Every page in every language, with data, empty, without the right, and with another office's ids."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import event

from gateway.assembly import Gateway
from gateway.i18n import LANGUAGES
from gateway.identity.rights import OfficeRole
from tests.gateway.builders import make_office, make_person
from tests.gateway.web.conftest import Browser
from tests.gateway.web.world import World, typed

NOBODYS = "01aaaaaaaaaaaaaaaaaaaaaaaa"


def pages(world: World) -> list[tuple[str, str]]:
    """Who looks at which page."""
    draft = world.payments("draft", by="preparer")[0]
    return [
        ("accountant", "/day"),
        ("accountant", "/day?show=problem"),
        ("accountant", "/day?show=waiting"),
        ("accountant", f"/statements/{typed('statement', world.statements['bakery 212'].id)}"),
        ("accountant", f"/statements/{typed('statement', world.statements['held'].id)}"),
        ("accountant", f"/accounts/{typed('account', world.statements['held'].account_id)}"),
        ("accountant", "/statements"),
        ("accountant", f"/accounts/{typed('account', world.statements['held'].account_id)}/days"),
        ("accountant", f"/accounts/{typed('account', world.statements['held'].account_id)}/comparison"),
        ("accountant", f"/accounts/{typed('account', world.statements['held'].account_id)}/source"),
        ("accountant", "/link-a-bank"),
        ("accountant", f"/consents/{typed('consent', world.consents['bakery crelan'].id)}/stop"),
        ("accountant", "/baskets"),
        ("accountant", f"/baskets/{typed('basket', world.baskets['exported'].id)}"),
        ("accountant", "/exports"),
        ("accountant", "/second-factor"),
        ("preparer", f"/baskets/{typed('basket', world.baskets['draft'].id)}"),
        ("preparer", f"/payments/{typed('payment', draft.id)}/edit"),
        ("director", f"/baskets/{typed('basket', world.baskets['approved'].id)}"),
        ("approver", "/to-approve"),
        ("approver", "/to-approve?view=by_others"),
        ("approver", "/to-approve?view=approved"),
        ("approver", "/to-approve?view=rejected"),
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_speaks_every_language(browser: Browser, world: World, language: str) -> None:
    world.speak(language)
    reader = ""
    for who, path in pages(world):
        if who != reader:
            browser.client.cookies.clear()
            browser.sign_in(world.people[who])
            reader = who
        text = browser.get(path)
        assert f'<html lang="{language}">' in text
        assert text.count("<h1") == 1, path
        assert "{{" not in text
        assert "%(" not in text, path


def test_an_empty_office_is_told_what_to_do(browser: Browser, timed: Gateway) -> None:
    person = make_person(timed, make_office(timed), OfficeRole.ADMIN)
    browser.sign_in(person)
    for path in ("/day", "/baskets", "/exports", "/to-approve", "/link-a-bank"):
        assert 'class="empty"' in browser.get(path), path


def test_pages_are_kept_by_nobody_and_no_part_of_the_api(browser: Browser, world: World) -> None:
    browser.sign_in(world.people["accountant"])
    response = browser.client.get("/day")
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
    assert response.headers["x-frame-options"] == "DENY"
    paths = browser.client.get("/v1/openapi.json").json()["paths"]
    assert paths
    assert all(path.startswith("/v1/") or path == "/oauth/token" for path in paths)


def test_assets_named_by_their_content_are_kept_for_a_year(browser: Browser) -> None:
    found = re.search(r'href="(/static/sluis\.css\?v=[0-9a-f]+)"', browser.get("/sign-in"))
    assert found is not None
    assert "immutable" in browser.client.get(found[1]).headers["cache-control"]
    assert browser.client.get("/static/sluis.css").headers["cache-control"] == "no-cache"


def test_who_has_no_right_is_told_whom_to_ask(browser: Browser, world: World) -> None:
    browser.sign_in(world.people["support"])
    for path in ("/day", "/baskets", "/exports", "/link-a-bank"):
        text = browser.get(path, 403)
        assert "Vraag het aan een beheerder" in text
    statement = world.statements["bakery 212"]
    browser.get(f"/statements/{typed('statement', statement.id)}/file", 403)


def test_another_offices_ids_are_not_there(browser: Browser, world: World, timed: Gateway) -> None:
    stranger = make_person(timed, make_office(timed, name="Ander kantoor"), OfficeRole.ADMIN)
    browser.sign_in(stranger)
    payment = world.payments("draft", by="preparer")[0]
    looked = {
        f"/statements/{typed('statement', world.statements['bakery 212'].id)}": "statement",
        f"/statements/{typed('statement', world.statements['bakery 212'].id)}/file": "statement",
        f"/consents/{typed('consent', world.consents['bakery crelan'].id)}/stop": "consent",
        f"/baskets/{typed('basket', world.baskets['draft'].id)}": "basket",
        f"/payments/{typed('payment', payment.id)}/edit": "payment",
    }
    for path, kind in looked.items():
        foreign = browser.get(path, 404)
        missing = re.sub(r"_[0-9a-hjkmnp-tv-z]{26}", f"_{NOBODYS}", path)
        assert _told(foreign) == _told(browser.get(missing, 404)), kind
    token = browser.token = _token(browser)
    assert token
    for path in (
        f"/clients/{typed('client', world.clients['bakery'].id)}/fetch",
        f"/accounts/{typed('account', world.accounts['bakery'].id)}/fetch",
        f"/consents/{typed('consent', world.consents['bakery crelan'].id)}/stop",
        f"/baskets/{typed('basket', world.baskets['draft'].id)}/submission",
        f"/baskets/{typed('basket', world.baskets['approved'].id)}/exports",
        f"/payments/{typed('payment', payment.id)}/cancellation",
    ):
        browser.post(path, {"version": "1"}, 404)
        browser.token = token


def test_the_day_page_shows_difference_next_step_and_files(browser: Browser, world: World) -> None:
    world.speak("en")
    text = browser.sign_in(world.people["accountant"])
    assert "Difference with the bank: €\xa0-42,00" in text
    assert "The permission at the bank has ended: send the account holder a new link." in text
    assert "BE" in text
    statement = world.statements["bakery 212"]
    path = f"/statements/{typed('statement', statement.id)}/file"
    response = browser.client.get(path)
    assert response.headers["content-disposition"] == f'attachment; filename="{statement.file_name}"'
    assert response.headers["etag"] == f'"{statement.sha256}"'
    only = browser.get("/day?show=problem")
    assert "Leieweve Textiel NV" in only
    assert "Bakkerij Korenhof BV" not in only


def test_a_client_role_sees_its_own_client_only(browser: Browser, world: World) -> None:
    browser.sign_in(world.people["preparer"])
    text = browser.get("/day")
    assert "Leieweve Textiel NV" in text
    assert "Bakkerij Korenhof BV" not in text


def _told(text: str) -> str:
    """What the page says, without the ids of this request."""
    return re.sub(r"<code>[^<]*</code>|\?[^\"]*|form_token\" value=\"[^\"]*", "", text[text.index("<main") :])


def _token(browser: Browser) -> str:
    browser.get("/day")
    return browser.token


def test_the_day_page_asks_the_database_as_often_for_many_clients(browser: Browser, world: World) -> None:
    browser.sign_in(world.people["accountant"])
    few = _statements(browser, world, "/day")
    for number in range(12):
        world.client(f"more {number}", f"Klant {number:02d} BV")
        world.account(f"more {number}", f"more {number}", "crelan", "10.00")
    assert _statements(browser, world, "/day") == few


def _statements(browser: Browser, world: World, path: str) -> int:
    """How many statements one look at a page takes."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        seen.append(statement)

    bind = world.gateway.database.bind
    event.listen(bind, "before_cursor_execute", note)
    try:
        browser.get(path)
    finally:
        event.remove(bind, "before_cursor_execute", note)
    return len(seen)


def test_odd_input_is_refused_and_never_a_defect(browser: Browser, world: World) -> None:
    browser.sign_in(world.people["accountant"])
    browser.get("/link-a-bank")
    browser.post("/link-a-bank/search", {"bank": "\x00"}, status=200)
    browser.headers["Referer"] = "http://["
    browser.get("/statements/stm_nothing", status=404)
    too_large = {"bank": "x" * (21 * 1024 * 1024)}
    browser.post("/link-a-bank/search", too_large, status=413)


def test_the_cookie_of_the_pages_opens_nothing_for_another_site(browser: Browser, world: World) -> None:
    browser.sign_in(world.people["director"])
    assert browser.client.get("/v1/exports").status_code == 200
    answer = browser.client.get("/v1/exports", headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_refused")


def test_a_bank_that_is_not_found_can_be_asked_for(browser: Browser, world: World) -> None:
    """CON-02."""
    browser.sign_in(world.people["accountant"])
    browser.get("/link-a-bank")
    assert "/link-a-bank/ask" in browser.post("/link-a-bank/search", {"wanted": "Bank van de Maan"})
    shown = browser.post("/link-a-bank/ask", {"wanted": "  Bank van  de Maan "})
    assert "Bank van de Maan is" in shown
    assert "/link-a-bank/ask" not in shown
    browser.post("/link-a-bank/ask", {"wanted": "kbc"}, status=409)
    browser.post("/link-a-bank/ask", {"wanted": ""}, status=422)

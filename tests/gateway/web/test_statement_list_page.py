"""STA-22: the page that finds statements and gives those ticked, or all of them, in one download."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta

import pytest

from gateway.i18n import LANGUAGES
from gateway.ids import new_id
from gateway.statement_downloads import selection
from tests.gateway.web.conftest import Browser
from tests.gateway.web.world import TODAY, World, typed


def manifest_of(browser: Browser, path: str) -> list[str]:
    """The names in the archive behind an address."""
    answer = browser.client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as read:
        names = [each["name"] for each in json.loads(read.read("manifest.json"))["files"]]
        assert read.namelist() == [*names, "manifest.json"]
    return names


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_list_shows_what_a_search_finds_in_the_reader_s_language(
    browser: Browser, world: World, language: str
) -> None:
    world.speak(language)
    browser.sign_in(world.people["accountant"])
    text = browser.get("/statements")
    assert "%(" not in text
    assert "{found}" not in text
    for key in ("bakery 212", "textile 231", "held", "garden 088"):
        assert typed("statement", world.statements[key].id) in text
    held = world.statements["held"]
    assert f'value="{typed("statement", held.id)}"' not in text, "a held one cannot be ticked"
    assert ("Search" in text) == (language == "en")


def test_every_part_of_the_search_narrows(browser: Browser, world: World) -> None:
    world.speak("en")
    browser.sign_in(world.people["accountant"])
    shown = {key: typed("statement", row.id) for key, row in world.statements.items()}

    def found(query: str) -> set[str]:
        text = browser.get(f"/statements?{query}")
        return {key for key, value in shown.items() if f"/statements/{value}" in text}

    client = typed("client", world.clients["bakery"].id)
    account = typed("account", world.accounts["textile"].id)
    friday = (TODAY - timedelta(days=1)).isoformat()
    assert found(f"client={client}") == {"bakery 212", "bakery 211", "bakery 210"}
    assert found(f"account={account}") == {"textile 231", "textile 230"}
    assert found("number=231") == {"textile 231"}
    assert found("state=held") == {"held"}
    assert found(f"from={friday}&client={client}") == {"bakery 212"}
    assert found("period=2025") == set()
    assert found("period=2026-Q4") == found("") == set(shown)
    assert found("amount=542,50") == {"bakery 212"}, "an entry of 542.50"
    assert found("amount=-542,50") == {"bakery 212"}
    assert "No statement is found by this search." in browser.get("/statements?period=2025")
    for wrong in ("period=2026-Q7", "number=1000", "amount=veel", "state=sold", "from=gisteren"):
        assert "The search cannot be understood" in browser.get(f"/statements?{wrong}", status=422), wrong
    browser.get(f"/statements?client={typed('client', new_id())}", status=404)


def test_what_is_ticked_or_all_that_was_found_comes_in_one_download(
    browser: Browser, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.speak("en")
    browser.sign_in(world.people["accountant"])
    one, two = world.statements["bakery 212"], world.statements["textile 231"]
    ticked = "&".join(f"statement={typed('statement', row.id)}" for row in (one, two))
    assert sorted(manifest_of(browser, f"/statements/archive?what=ticked&form=files&{ticked}")) == sorted(
        [str(one.file_name), str(two.file_name)]
    )
    client = typed("client", world.clients["bakery"].id)
    everything = manifest_of(browser, f"/statements/archive?what=all&form=files&client={client}&period=2026-11")
    assert everything == [world.statements[f"bakery {number}"].file_name for number in (210, 211, 212)]
    assert "Tick at least one statement" in browser.get("/statements/archive?what=ticked&form=files", status=422)
    assert "No issued statement" in browser.get("/statements/archive?what=all&form=files&period=2025", status=404)
    monkeypatch.setattr(selection, "STATEMENTS_MAX", 2)
    refused = browser.get(f"/statements/archive?what=all&form=files&client={client}", status=422)
    assert "3 statements are in the selection; one download gives at most 2." in refused


def test_statements_of_clients_one_may_not_see_are_neither_shown_nor_given(browser: Browser, world: World) -> None:
    browser.sign_in(world.people["approver"])
    text = browser.get("/statements")
    assert typed("statement", world.statements["textile 231"].id) in text
    bakery = typed("statement", world.statements["bakery 212"].id)
    assert bakery not in text
    assert "Korenhof" not in text
    browser.get(f"/statements/archive?what=ticked&form=files&statement={bakery}", status=404)
    browser.get(f"/statements?client={typed('client', world.clients['bakery'].id)}", status=404)

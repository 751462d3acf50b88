"""The page of an account: calls, full reading, what is made of it (SYN-02, SYN-04, STA-04, STA-08, STA-14)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import select

from gateway.accounts import budget
from gateway.accounts.models import Account, BankCall, Sync
from gateway.assembly import Gateway
from gateway.i18n import LANGUAGES
from gateway.ids import new_id
from tests.gateway.web.conftest import Browser
from tests.gateway.web.world import World, typed


@pytest.fixture
def path(world: World) -> str:
    return f"/accounts/{typed('account', world.statements['bakery 212'].account_id)}"


def account_of(gateway: Gateway, world: World) -> Account:
    with gateway.database.unit_of_work(world.office.id) as session:
        return session.get_one(Account, world.statements["bakery 212"].account_id)


def spend(gateway: Gateway, world: World, *outcomes: str | None) -> None:
    """So many unattended calls within the last hours, made by another office."""
    found = budget.hash_of(gateway.keys, account_of(gateway, world), mode=world.office.mode)
    with gateway.database.unit_of_work(world.office.id) as session:
        for hours, outcome in enumerate(outcomes, 1):
            moment = world.clock() - timedelta(hours=hours)
            session.add(BankCall(id=new_id(), account_hash=found, reason="request", called_at=moment, outcome=outcome))


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_names_the_calls_and_what_used_them(
    browser: Browser, world: World, gateway: Gateway, path: str, language: str
) -> None:
    spend(gateway, world, "ok", "bank_unavailable")
    world.speak(language)
    browser.sign_in(world.people["accountant"])
    text = browser.get(path)
    assert "{{" not in text
    assert "%(" not in text
    assert "bank_unavailable" in text
    if language == "en":
        assert "2 of 4 in the last 24 hours" in text
        assert "Asked for · by another office" in text
        assert "That takes 1 of these calls" in text


def test_the_whole_history_is_read_on_demand_while_there_is_room(
    browser: Browser, world: World, gateway: Gateway, path: str
) -> None:
    world.speak("en")
    browser.sign_in(world.people["accountant"])
    browser.get(path)
    assert "The whole history is being read." in browser.post(f"{path}/full-reading")
    with gateway.database.unit_of_work(world.office.id) as session:
        account_id = world.statements["bakery 212"].account_id
        waiting = session.exec(select(Sync.reason).where(Sync.account_id == account_id, Sync.state == "queued")).all()
        assert waiting == ["full"]


def test_without_room_the_page_says_from_when_on(browser: Browser, world: World, gateway: Gateway, path: str) -> None:
    spend(gateway, world, "ok", "ok", "ok", "ok")
    world.speak("en")
    browser.sign_in(world.people["accountant"])
    browser.get(path)
    answer = browser.client.post(f"{path}/full-reading", data={"form_token": browser.token}, headers=browser.headers)
    assert answer.status_code == 429
    assert "4 of 4 in the last 24 hours" in answer.text


def test_what_is_made_of_it_is_set_by_whoever_may(browser: Browser, world: World, gateway: Gateway, path: str) -> None:
    world.speak("en")
    browser.sign_in(world.people["accountant"])
    browser.get(path)
    chosen = {
        "releases_computed": "on",
        "issues_derived": "on",
        "has_empty_files": "on",
        "excluded_reason": " Stopt deze maand ",
    }
    text = browser.post(f"{path}/statements", chosen)
    account = account_of(gateway, world)
    assert (account.releases_computed, account.issues_derived, account.empty_statement) == (True, True, "daily")
    assert account.excluded_reason == "Stopt deze maand"
    assert 'value="Stopt deze maand"' in text
    browser.post(f"{path}/statements", {"excluded_reason": ""})
    account = account_of(gateway, world)
    assert (account.releases_computed, account.issues_derived) == (False, False)
    assert (account.empty_statement, account.excluded_reason) == ("none", None)


def test_an_account_of_another_office_does_not_exist(browser: Browser, world: World) -> None:
    browser.sign_in(world.people["accountant"])
    for way in ("", "/statements", "/full-reading"):
        unknown = f"/accounts/{typed('account', new_id())}{way}"
        answer = (
            browser.client.post(unknown, data={"form_token": browser.token}, headers=browser.headers)
            if way
            else browser.client.get(unknown)
        )
        assert answer.status_code == 404

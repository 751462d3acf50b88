"""STA-21: the page that compares our days with the bank's own files, and switches over, without scripts."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.account_sources.files import BankFileService
from gateway.account_sources.states import Source
from gateway.account_sources.switching import SourceService
from gateway.accounts.models import Account
from gateway.foreign_files.reading import SentFile
from gateway.i18n import LANGUAGES
from tests.gateway.foreign_files.files import bank_file
from tests.gateway.web.conftest import Browser
from tests.gateway.web.world import TODAY, World, typed

DAY = TODAY - timedelta(days=2)


@pytest.fixture
def fed(world: World) -> Account:
    """The bakery's till account: the bank's files are its source, and it was read beside them."""
    account = world.accounts["bakery till"]
    SourceService(world.gateway).switch(world.act("accountant"), account.id, Source.CODABOX, DAY)
    content = bank_file(account.iban, DAY, number=41, opening=Decimal("10.00"), amounts=[Decimal("-2.50")])
    BankFileService(world.gateway).upload(world.act("accountant"), account.id, [SentFile("bank.cod", content)])
    return account


def address(account: Account) -> str:
    return f"/accounts/{typed('account', account.id)}/comparison"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_says_the_sentence_the_days_and_both_sides(
    browser: Browser, world: World, fed: Account, language: str
) -> None:
    world.speak(language)
    browser.sign_in(world.people["accountant"])
    text = browser.get(f"{address(fed)}?from={DAY.isoformat()}&to={TODAY.isoformat()}")
    assert "{same}" not in text
    assert "%(" not in text
    assert f'id="day-{DAY.isoformat()}"' in text
    assert "€\xa0-2,50" in text
    if language == "en":
        assert "0 of 1 day identical in amounts" in text
        assert "only in the bank’s file" in text
        assert "Entry on one side only" in text
        assert "There is nothing to compare in this period" in browser.get(
            f"{address(fed)}?from=2020-01-01&to=2020-01-31"
        )
        wrong = browser.get(f"{address(fed)}?from=2026-02-01&to=2026-01-01", status=422)
        assert "The period is not usable" in wrong
        assert address(fed) in browser.get(address(fed).replace("comparison", "source"))


def test_the_switch_over_is_refused_on_the_page_while_its_day_is_not_proven(
    browser: Browser, world: World, fed: Account
) -> None:
    world.speak("en")
    browser.sign_in(world.people["accountant"])
    text = browser.get(address(fed))
    after = (DAY + timedelta(days=1)).isoformat()
    assert f'name="from_day" value="{after}"' in text
    assert "cannot be switched on this day" in browser.post(
        address(fed), {"from_day": DAY.isoformat(), "reason": "Overstap"}, status=409
    )
    refused = browser.post(address(fed), {"from_day": after, "reason": "Overstap"}, status=409)
    assert "The last bank-made statement closes at 7.50" in refused
    browser.post(address(fed), {"from_day": "morgen", "reason": "Overstap"}, status=422)
    assert "Say why the source is switched" in browser.post(address(fed), {"from_day": after}, status=422)


def test_who_may_not_change_the_client_compares_and_switches_nothing(browser: Browser, world: World) -> None:
    account = world.accounts["textile wages"]
    SourceService(world.gateway).switch(world.act("accountant"), account.id, Source.UPLOAD, DAY)
    browser.sign_in(world.people["accountant"])
    assert 'name="from_day"' in browser.get(address(account))
    browser.client.cookies.clear()
    browser.sign_in(world.people["approver"])
    assert 'name="from_day"' not in browser.get(address(account))
    assert browser.client.get(address(world.accounts["bakery"])).status_code == 404

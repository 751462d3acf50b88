"""CON-17: the page of an account's source: since when, a second source to choose from, and switching deliberately."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.account_sources.files import BankFileService
from gateway.accounts.models import Account
from gateway.foreign_files.reading import SentFile
from gateway.i18n import LANGUAGES
from tests.gateway.foreign_files.files import bank_file
from tests.gateway.web.conftest import Browser
from tests.gateway.web.world import TODAY, World, typed

DAY = TODAY - timedelta(days=2)


@pytest.fixture
def till(world: World) -> Account:
    """The bakery's till account, read at its bank; nothing is issued of it yet."""
    return world.accounts["bakery till"]


def address(account: Account, page: str = "source") -> str:
    return f"/accounts/{typed('account', account.id)}/{page}"


def of_day(account: Account, *, number: int = 41) -> bytes:
    return bank_file(account.iban, DAY, number=number, opening=Decimal("10.00"), amounts=[Decimal("-2.50")])


def send(browser: Browser, account: Account, *files: tuple[str, bytes], status: int = 200) -> str:
    answer = browser.client.post(
        f"{address(account)}/files", data={"form_token": browser.token}, files=[("files", file) for file in files],
        headers=browser.headers, follow_redirects=True,
    )  # fmt: skip
    assert answer.status_code == status, answer.text
    return browser._seen(answer.text)


def test_a_file_of_a_second_source_is_held_and_the_page_lets_a_person_choose_ours(
    browser: Browser, world: World, till: Account
) -> None:
    world.speak("en")
    browser.sign_in(world.people["accountant"])
    text = browser.get(address(till))
    assert "Read at the bank" in text
    assert "Since the beginning." in text
    assert "Days with a second source" not in text
    text = send(browser, till, ("<bank>.cod", of_day(till)))
    assert "Days with a second source" in text
    assert "&lt;bank&gt;.cod" in text
    found = re.search(r'action="(/bank-files/\w+)/set-aside"', text)
    assert found is not None
    assert browser.client.get(f"{found[1]}/file").status_code == 409
    text = browser.post(f"{found[1]}/set-aside")
    assert "Days with a second source" not in text
    assert "Set aside" in text
    assert "No file was sent" in send(browser, till, ("leeg.cod", b""), status=422)


def test_a_switch_is_looked_at_first_and_done_with_a_reason(browser: Browser, world: World, till: Account) -> None:
    world.speak("en")
    browser.sign_in(world.people["accountant"])
    browser.get(address(till))
    send(browser, till, ("bank.cod", of_day(till)), ("tweede.cod", of_day(till, number=42)))
    look = f"{address(till)}/switch?source=codabox&from={DAY.isoformat()}"
    text = browser.get(look)
    assert "1 file that is held now is passed on." in text
    assert "1 file stays held until you choose." in text
    form = {"source": "codabox", "from": DAY.isoformat(), "reason": " "}
    assert "Say why the source is switched" in browser.post(f"{address(till)}/switch", form, status=422)
    assert "Read at the bank" in browser.get(address(till)), "nothing was changed by looking"
    text = browser.post(f"{address(till)}/switch", form | {"reason": "De klant houdt <CodaBox>"})
    assert "Files of CodaBox" in text
    assert f"Since {DAY:%d/%m/%Y}." in text
    assert "De klant houdt &lt;CodaBox&gt;" in text
    assert "Keep what stands" in text, "the second file of the same day waits"
    found = re.search(r'href="(/bank-files/\w+/file)" download>([^<]+)<', text)
    assert found is not None
    assert found[2] == "bank.cod"
    assert browser.client.get(found[1]).content == of_day(till)
    late = browser.get(f"{address(till)}/switch?source=isabel&from={DAY.isoformat()}", status=409)
    assert "The source cannot be switched on this day" in late
    browser.get(f"{address(till)}/switch?source=elsewhere&from={DAY.isoformat()}", status=422)
    browser.get(f"{address(till)}/switch?source=codabox&from=", status=422)
    days = browser.get(f"{address(till, 'days')}?month={DAY:%Y-%m}")
    assert "Proven by files of the bank" in days
    assert re.search(r'<td class="good">\s*<span class="date num">19</span>.*?bank\.cod', days, re.DOTALL)
    assert "No file of the bank was sent for it yet" in days


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_speak_the_reader_s_language(browser: Browser, world: World, till: Account, language: str) -> None:
    world.speak(language)
    content = SentFile("bank.cod", of_day(till))
    BankFileService(world.gateway).upload(world.act("accountant"), till.id, [content])
    browser.sign_in(world.people["accountant"])
    for path in (address(till), f"{address(till)}/switch?source=upload&from={DAY.isoformat()}"):
        text = browser.get(path)
        assert "%(" not in text
        assert "{{" not in text
        assert ("Source of statements" in text) == (language == "en")


def test_who_may_not_change_the_client_sees_the_source_and_no_form(browser: Browser, world: World) -> None:
    account = world.accounts["textile wages"]
    content = SentFile("bank.cod", of_day(account))
    BankFileService(world.gateway).upload(world.act("accountant"), account.id, [content])
    world.speak("en")
    browser.sign_in(world.people["approver"])
    text = browser.get(address(account))
    assert "Days with a second source" in text
    assert "<form" not in text.partition("<main")[2]
    browser.get(f"{address(account)}/switch?source=codabox&from={DAY.isoformat()}", status=403)
    browser.get(address(world.accounts["bakery"]), status=404)

"""STA-20: the page that takes over the numbering of a former source, without scripts."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

from gateway.ids import encode
from tests.gateway.foreign_files.files import OTHER_IBAN, bank_file
from tests.gateway.web.conftest import Browser
from tests.gateway.web.world import TODAY, World


def send(browser: Browser, path: str, *files: tuple[str, bytes], status: int = 200) -> str:
    answer = browser.client.post(
        path, data={"form_token": browser.token}, files=[("files", file) for file in files], headers=browser.headers,
        follow_redirects=True,
    )  # fmt: skip
    assert answer.status_code == status, answer.text
    return answer.text


def test_files_are_dropped_looked_at_and_confirmed(browser: Browser, world: World) -> None:
    world.speak("en")
    browser.sign_in(world.people["accountant"])
    iban = world.accounts["bakery till"].iban
    path = f"/clients/{encode('client', world.clients['bakery'].id)}/numbering"
    assert "Take over numbering" in browser.get(path.removesuffix("numbering") + "accounts")
    assert "Send the last files" in browser.get(path)
    days = [TODAY - timedelta(days=5), TODAY - timedelta(days=4)]
    one = bank_file(iban, days[0], number=41, opening=Decimal("100.00"), amounts=[Decimal("2.50")], paper=207)
    two = bank_file(
        iban, days[1], number=43, opening=Decimal("102.50"), amounts=[Decimal("2.50")], opening_date=days[0]
    )
    text = send(browser, path, ("een.cod", one), ("twee.cod", two))
    assert "twee.cod has number 043 where 042 should follow" in text
    assert "Confirm<" not in text
    strange = bank_file(OTHER_IBAN, days[0], number=1, opening=Decimal(0), amounts=[Decimal(1)])
    text = send(browser, path, ("een.cod", one), ("<b>.cod", strange))
    assert "&lt;b&gt;.cod is of account …7792" in text
    assert "CODA 041, paper 207" in text
    assert "€\xa0102,50" in text
    found = re.search(r'action="(/clients/\w+/numbering/nho_\w+)"', text)
    assert found is not None
    text = browser.post(found[1])
    assert "Confirmed" in text
    assert '<dd class="num">042</dd>' in text
    assert "There is already" not in text
    assert "No file was sent" in send(browser, path, ("leeg.cod", b""), status=422)


def test_the_last_file_is_typed(browser: Browser, world: World) -> None:
    world.speak("nl")
    browser.sign_in(world.people["accountant"])
    path = f"/clients/{encode('client', world.clients['bakery'].id)}/numbering"
    browser.get(path)
    typed = {
        "account": f"{world.accounts['bakery till'].iban}/EUR", "number": "41", "balance": "1.250,00",
        "closing_date": (TODAY - timedelta(days=4)).isoformat(),
    }  # fmt: skip
    assert "Geef een bedrag" in browser.post(f"{path}/typed", typed | {"balance": "veel"}, status=422)
    assert "Geef een nummer" in browser.post(f"{path}/typed", typed | {"number": "1000"}, status=422)
    text = browser.post(f"{path}/typed", typed)
    assert "nummer 041, getypt" in text
    assert "Wacht op uw bevestiging" in text


def test_who_may_not_change_a_client_sees_what_stands_and_no_form(browser: Browser, world: World) -> None:
    world.speak("en")
    browser.sign_in(world.people["approver"])
    path = f"/clients/{encode('client', world.clients['textile'].id)}/numbering"
    main = browser.get(path).partition("<main")[2]
    assert "<form" not in main
    assert "No numbering was taken over." in main

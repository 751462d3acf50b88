"""CON-18: the page of the take-over list, without scripts."""

from __future__ import annotations

from tests.gateway.web.conftest import Browser
from tests.gateway.web.test_numbering_page import send
from tests.gateway.web.world import World


def test_a_list_is_shown_with_what_can_continue_and_downloaded(browser: Browser, world: World) -> None:
    world.speak("en")
    browser.sign_in(world.people["accountant"])
    assert "Take-over list" in browser.get("/client-imports")
    assert "Send the list" in browser.get("/takeover")
    iban = world.accounts["bakery till"].iban
    content = f"IBAN;Klant;Type\r\n{iban};Bakkerij;\r\nBE68539007547034;<b>;Spaarrekening".encode()
    text = send(browser, "/takeover", ("lijst.csv", content))
    assert "2 accounts" in text
    assert "Cannot continue here" in text
    assert "&lt;b&gt;" in text
    assert "may not stop the bank’s own fee" in text
    answer = browser.client.post(
        "/takeover", data={"form_token": browser.token, "act": "csv"}, files=[("files", ("lijst.csv", content))],
        headers=browser.headers,
    )  # fmt: skip
    assert answer.headers["content-type"].startswith("text/csv")
    assert iban in answer.text
    assert "column" in send(browser, "/takeover", ("lijst.csv", b"a;b\r\n1;2"), status=422)

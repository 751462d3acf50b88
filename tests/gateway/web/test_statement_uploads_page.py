"""STA-19: the page that takes statements for missing days, without scripts."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

from gateway.identity.service import user_label
from gateway.ids import encode
from tests.gateway.foreign_files.files import OTHER_IBAN
from tests.gateway.statement_uploads.files import Stated, as_camt, as_mt940, camt_statement
from tests.gateway.web.conftest import Browser
from tests.gateway.web.test_numbering_page import send
from tests.gateway.web.world import TODAY, World


def test_statements_are_sent_looked_at_and_taken_in(browser: Browser, world: World) -> None:
    world.speak("en")
    account = world.accounts["bakery till"]
    account.history_from, account.complete_until = TODAY - timedelta(days=40), TODAY - timedelta(days=10)
    world.save(account)
    browser.sign_in(world.people["accountant"])
    path = f"/clients/{encode('client', world.clients['bakery'].id)}/statement-uploads"
    assert "Upload statements" in browser.get(path.removesuffix("statement-uploads") + "accounts")
    assert "Send files" in browser.get(path)
    day = TODAY - timedelta(days=9)
    one = Stated(account.iban, day - timedelta(days=1), Decimal("100.00"), day, [(day, Decimal("-2.50"))])
    strange = Stated(OTHER_IBAN, day - timedelta(days=1), Decimal("100.00"), day)
    text = send(browser, path, ("een.sta", as_mt940(one)), ("<b>.xml", as_camt(camt_statement(strange))))
    assert "&lt;b&gt;.xml is of account …7792 EUR" in text
    assert "Waits for your confirmation" in text
    assert f"Uploaded by {user_label(world.people['accountant'].user)}" in text
    assert "€\xa097,50" in text
    found = re.search(r'action="(/clients/\w+/statement-uploads/upl_\w+)"', text)
    assert found is not None
    text = browser.post(found[1])
    assert "Taken in" in text
    assert found[1] not in text
    assert "was taken in before" in send(browser, path, ("een.sta", as_mt940(one)), status=422)
    assert "No file was sent" in send(browser, path, ("leeg.cod", b""), status=422)


def test_who_may_not_change_a_client_sees_what_was_uploaded_and_no_form(browser: Browser, world: World) -> None:
    world.speak("en")
    browser.sign_in(world.people["approver"])
    path = f"/clients/{encode('client', world.clients['textile'].id)}/statement-uploads"
    assert "<form" not in browser.get(path).partition("<main")[2]

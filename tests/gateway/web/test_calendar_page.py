"""STA-02, STA-03, STA-23, SYN-15: the calendar of an account, the restart and the refused file, on pages."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from gateway.assembly import Gateway
from gateway.i18n import LANGUAGES
from gateway.ids import new_id
from gateway.statements.models import AccountDay, Statement
from gateway.statements.states import DayState
from tests.gateway.web.conftest import Browser
from tests.gateway.web.world import World, typed

PDF = b"%PDF-1.7 afschrift"


@pytest.fixture
def days(gateway: Gateway, world: World) -> list[AccountDay]:
    """The last six days of the bakery's account, one of each kind."""
    account = world.statements["bakery 212"].account_id
    today = world.statements["bakery 212"].day
    kinds: list[tuple[DayState, str | None, str | None]] = [
        (DayState.HELD, None, "difference"),
        (DayState.SOURCE_FAILED, None, "not_read_yet"),
        (DayState.LEFT_OUT, None, "restarted"),
        (DayState.STATEMENT, "computed", None),
        (DayState.NO_ENTRIES, "proven", None),
        (DayState.STATEMENT, "proven", None),
    ]
    rows = [
        AccountDay(
            id=new_id(), office_id=world.office.id, account_id=account, day=today - timedelta(days=back),
            state=state, proof=proof, cause=cause, entries_count=2, is_restarted=back == 5,
        )
        for back, (state, proof, cause) in enumerate(kinds)
    ]  # fmt: skip
    world.save(*rows)
    return rows


def address(world: World) -> str:
    return f"/accounts/{typed('account', world.statements['bakery 212'].account_id)}/days"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_day_has_shape_word_and_cause_in_the_reader_s_language(
    browser: Browser, world: World, days: list[AccountDay], language: str
) -> None:
    world.speak(language)
    browser.sign_in(world.people["accountant"])
    months = {f"{row.day:%Y-%m}" for row in days}
    text = " ".join(browser.get(f"{address(world)}?month={month}") for month in sorted(months))
    assert "{{" not in text
    assert "%(" not in text
    for tone, shape in (("good", "●"), ("calm", "○"), ("wait", "◐"), ("bad", "▲")):
        assert re.search(rf'<td class="{tone}">.*?{shape}', text, re.DOTALL), tone
    for row in days:
        told = f'id="day-{row.day.isoformat()}"' in text
        assert told == (
            row.state in {"held", "source_failed", "left_out"} or row.proof == "computed" or row.is_restarted
        )
    if language == "en":
        assert "The balance does not prove." in text
        assert "Book these entries by hand" in text
        assert "The first statement after two people restarted the chain" in text


def test_a_month_that_is_none_or_lies_ahead_is_the_present_one(browser: Browser, world: World) -> None:
    browser.sign_in(world.people["accountant"])
    present = browser.get(address(world))
    month = re.search(r'<h2 id="month">([^<]+)</h2>', present)
    assert month is not None
    for other in ("2099-01", "0001-01", "nonsense", "2026-13"):
        assert month[0] in browser.get(f"{address(world)}?month={other}")


def test_the_calendar_of_another_office_does_not_exist(browser: Browser, world: World) -> None:
    browser.sign_in(world.people["accountant"])
    assert browser.client.get(f"/accounts/{typed('account', new_id())}/days").status_code == 404


def test_a_restart_needs_a_day_a_balance_and_a_document(browser: Browser, world: World, days: list[AccountDay]) -> None:
    world.speak("en")
    browser.sign_in(world.people["accountant"])
    month = f"{days[0].day:%Y-%m}"
    text = browser.get(f"{address(world)}?month={month}")
    assert 'name="document"' in text
    path = f"/accounts/{typed('account', days[0].account_id)}/restarts"
    form = {"form_token": browser.token, "day": days[0].day.isoformat(), "balance": "1.250,00"}
    for wrong, said in (({"balance": "veel"}, "Type the balance"), ({"day": "morgen"}, "cannot be restarted")):
        answer = browser.client.post(
            path, data={**form, **wrong}, files={"document": ("a.pdf", PDF)}, headers=browser.headers
        )
        assert answer.status_code in {409, 422}
        assert said in answer.text


def test_a_refused_file_is_marked_with_the_package_s_message_and_then_declared(
    browser: Browser, world: World, gateway: Gateway
) -> None:
    statement = world.statements["bakery 212"]
    path = f"/statements/{typed('statement', statement.id)}"
    world.speak("en")
    browser.sign_in(world.people["accountant"])
    assert "Declare that they are in no package" not in browser.get(path)
    browser.post(f"{path}/refusal", {"message": " "}, status=422)
    text = browser.post(f"{path}/refusal", {"message": "Volgnummer 045 verwacht"})
    assert "Volgnummer 045 verwacht" in text
    assert "Declare that they are in no package" in text
    with gateway.database.unit_of_work(world.office.id) as session:
        assert session.get_one(Statement, statement.id).import_refusal == "Volgnummer 045 verwacht"

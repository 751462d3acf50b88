"""SYN-12, SYN-11: silence is told once, the operator hears of what waits for us, and a day without proof is a gap."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlmodel import select

from connectors.simulator import FaultKind, SimulatorServer
from gateway.accounts.models import Account
from gateway.accounts.quiet import SILENT_MIN, silent_after
from gateway.accounts.service import AccountService
from gateway.assembly import Gateway
from gateway.errors import PeriodInvalid
from gateway.events.models import Event
from gateway.notices.outbox import opened
from gateway.statements.closings import ClosingDay, closing_days
from gateway.transactions.dispatch import Dispatcher
from tests.gateway.bank_to_coda.story import Story

DAY = date(2026, 11, 1)


@pytest.fixture
def story(linked: Gateway, banks: SimulatorServer) -> Story:
    return Story.begin(linked, banks)


def test_an_account_is_silent_after_three_times_its_usual_gap() -> None:
    assert silent_after([]) == SILENT_MIN
    assert silent_after([DAY + timedelta(days=offset) for offset in range(10)]) == SILENT_MIN
    monthly = [DAY + timedelta(days=30 * number) for number in range(6)]
    assert silent_after(monthly) == timedelta(days=90)
    assert silent_after([*monthly, monthly[-1] + timedelta(days=300)]) == timedelta(days=90), "one pause is no habit"


def told(story: Story, event_type: str) -> int:
    with story.gateway.database.unit_of_work(story.office.id) as session:
        return len(session.exec(select(Event).where(Event.type == event_type)).all())


def test_a_silent_account_is_told_once_until_it_moves_again(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    account = story.connect(is_started=False)
    story.work()
    assert told(story, "account.dormant") == 0
    account = story.account(account.id)
    moment = story.act.today
    for step, expected in ((34, 0), (36, 1), (40, 1)):
        monkeypatch.setattr(
            "gateway.transactions.repository.TransactionRepository.last_booking_day",
            lambda *_args, step=step: moment - timedelta(days=step),
        )
        story.read(account)
        assert told(story, "account.dormant") == expected
    assert story.account(account.id).dormant_since == moment - timedelta(days=36)
    monkeypatch.undo()
    story.read(account)
    assert story.account(account.id).dormant_since is None


def test_an_account_that_is_quiet_on_purpose_is_not_told(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    account = story.connect(is_started=False)
    story.work()
    view = AccountService(story.gateway).change(story.act, account.id, {"is_quiet": True})
    assert view.account.is_quiet
    last = story.act.today - timedelta(days=300)
    monkeypatch.setattr("gateway.transactions.repository.TransactionRepository.last_booking_day", lambda *_args: last)
    story.read(account)
    assert told(story, "account.dormant") == 0


def test_an_account_the_bank_lists_no_more_is_told_once(story: Story, banks: SimulatorServer) -> None:
    account = story.connect()
    story.work()
    banks.faults.order(FaultKind.STATUS, bank_id="crelan", endpoint="transactions", times=None, status=404)
    assert story.read(account).error_code == "bank_request_refused", "the bank lists it still"
    assert told(story, "account.closed") == 0
    with story.gateway.database.unit_of_work(story.office.id) as session:
        held = session.get_one(Account, account.id)
        held.iban, held.bank_account_id = "BE71096123456769", "3dc3d5b3-7023-4848-9853-f5400a64e80f"
    for _ in range(2):
        story.read(story.account(account.id))
    assert story.account(account.id).health_code == "account_gone"
    assert told(story, "account.closed") == 1


def test_the_operator_is_told_once_of_what_waits_for_us_for_a_day(linked: Gateway, banks: SimulatorServer) -> None:
    settings = linked.settings.model_copy(update={"operator_email": "operator@example.test"})
    story = Story.begin(replace(linked, settings=settings), banks)
    account = story.connect()
    story.work()
    banks.faults.order(FaultKind.STATUS, bank_id="crelan", endpoint="transactions", times=None, status=503)
    story.read(account)
    assert story.account(account.id).health == "we_act"

    def mails() -> int:
        Dispatcher(story.gateway).run_office(story.office.id)
        return sum(mail.template == "accounts_wait" for mail in opened(story.gateway, story.office.id))

    story.sleep(days=0, hours=23)
    assert mails() == 0
    story.sleep(days=0, hours=2)
    assert (mails(), mails()) == (1, 1)
    assert story.account(account.id).alerted_at is not None
    banks.faults.clear()
    story.work()
    assert story.account(account.id).alerted_at is None, "its health changed"


def test_each_day_has_one_closing_balance_or_a_gap(story: Story) -> None:
    account = story.connect()
    story.work()
    for _ in range(3):
        story.sleep()
        story.read(account)
    account = story.account(account.id)
    truth = story.banks.world.account(account.iban)
    today = story.act.today
    days = closing_days(story.gateway, story.act, account, today - timedelta(days=120), today)
    assert [row.day for row in days] == [today - timedelta(days=120 - number) for number in range(120)]
    known = [row for row in days if row.amount is not None]
    assert len(known) > 60
    assert all(row.amount == story.banks.world.balance(truth, row.day) for row in known)
    assert {row.basis for row in known} <= {"bank", "computed"}
    assert {row.cause for row in days if row.amount is None} == {"before_statements_from"}
    with pytest.raises(PeriodInvalid):
        closing_days(story.gateway, story.act, account, today, today - timedelta(days=1))


def test_a_held_day_is_a_gap_and_says_why(story: Story) -> None:
    account = story.connect()
    story.work()
    story.sleep()
    story.read(account)
    story.sleep()
    story.banks.faults.order(FaultKind.WRONG_BALANCE, account=account.iban, amount="0.07", times=None)
    story.read(account)
    yesterday = story.act.today - timedelta(days=1)
    (found,) = closing_days(story.gateway, story.act, story.account(account.id), yesterday, yesterday)
    assert found == ClosingDay(yesterday, None, None, "difference")

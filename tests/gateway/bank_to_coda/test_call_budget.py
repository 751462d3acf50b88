"""SYN-02, SYN-03, SYN-04, OFF-05: four unattended calls in any 24 hours, for all offices, through crashes and races."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlmodel import col, select

from connectors.simulator import FaultKind, SimulatorServer
from gateway.accounts import budget
from gateway.accounts.calls import call_budget
from gateway.accounts.errors import AccountNotFound, BankCallBudgetExhausted
from gateway.accounts.models import Account, BankCall
from gateway.accounts.schemas import CallBudgetRead
from gateway.assembly import Gateway
from gateway.ids import new_id
from gateway.transactions.dispatch import Dispatcher
from gateway.transactions.slots import slots_of
from gateway.transactions.sync import SyncService
from tests.gateway.bank_to_coda.story import Story
from tests.gateway.bank_to_coda.test_crashes import killed
from tests.gateway.builders import act_of_system, make_client, make_office
from tests.gateway.payments.scene import make_account

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def standing(*calls: tuple[float, str], maximum: int = 4) -> budget.Standing:
    """Calls as hours before noon and their reason."""
    rows = [
        BankCall(id=new_id(), account_hash=b"", reason=reason, called_at=NOON - timedelta(hours=hours))
        for hours, reason in sorted(calls, reverse=True)
    ]
    return budget.Standing(rows, maximum, NOON)


def test_two_calls_are_planned_and_two_are_there_to_be_asked_for() -> None:
    assert standing().has_room("request")
    asked = standing((5, "request"), (3, "full"))
    assert not asked.has_room("request")
    assert not asked.has_room("reread")
    assert asked.has_room("planned"), "what is asked for takes no planned reading away"
    assert (asked.remaining, asked.remaining_on_request) == (2, 0)
    assert asked.free_at("request") == NOON + timedelta(hours=19)


def test_the_window_rolls() -> None:
    full = standing((20, "planned"), (10, "planned"), (5, "request"), (1, "request"))
    assert (full.used, full.remaining) == (4, 0)
    assert not full.has_room("planned")
    assert full.free_at("planned") == full.resets_at == NOON + timedelta(hours=4)
    assert full.free_at("request") == NOON + timedelta(hours=19), "two of the reserve are used until then"


def test_a_stricter_bank_still_answers_who_asks() -> None:
    assert standing(maximum=2).remaining_on_request == 1
    assert not standing((2, "request"), maximum=2).has_room("request")
    assert standing((2, "request"), maximum=2).has_room("planned")


def take(gateway: Gateway, office_id: UUID, account_id: UUID, *, reason: str = "planned", now: datetime = NOON) -> bool:
    with gateway.database.unit_of_work(office_id) as session:
        held = session.get_one(Account, account_id)
        is_taken, _ = budget.take(
            session, gateway.keys, held, mode="test", sync_id=new_id(), reason=reason, now=now, maximum=4
        )
        return is_taken


def test_calls_are_counted_for_all_offices_together_and_name_nobody(gateway: Gateway) -> None:
    """OFF-05: rows are never shared, only the call budget is."""
    accounts = []
    for _ in range(2):
        office = make_office(gateway)
        accounts.append((office, make_account(gateway, make_client(gateway, office))))
    iban = accounts[0][1].iban
    with gateway.database.unit_of_work(accounts[1][0].id) as session:
        session.get_one(Account, accounts[1][1].id).iban = iban
    taken = [take(gateway, accounts[turn % 2][0].id, accounts[turn % 2][1].id) for turn in range(5)]
    assert taken == [True, True, True, True, False]
    assert take(gateway, accounts[0][0].id, accounts[0][1].id, now=NOON + timedelta(hours=24))
    assert not take(gateway, accounts[0][0].id, accounts[0][1].id, now=NOON - timedelta(hours=1)), "a clock set back"
    assert take(gateway, accounts[0][0].id, accounts[0][1].id, now=NOON + timedelta(days=9)), "a clock moved on"
    with gateway.database.unit_of_work(None) as session:
        rows = session.exec(select(BankCall)).all()
        assert len({row.account_hash for row in rows}) == 1
        assert not [row for row in rows if iban.encode() in row.account_hash]
        budget.forget(session, now=NOON + timedelta(days=30))
        assert session.exec(select(BankCall)).all() == []


def test_the_last_call_is_spent_once(committed: Gateway) -> None:
    """Two workers of two offices reach for it at the same moment."""
    offices = [make_office(committed) for _ in range(2)]
    accounts = [make_account(committed, make_client(committed, office)) for office in offices]
    with committed.database.unit_of_work(offices[1].id) as session:
        session.get_one(Account, accounts[1].id).iban = accounts[0].iban
    for _ in range(3):
        assert take(committed, offices[0].id, accounts[0].id)
    for _ in range(5):
        meeting, taken = threading.Barrier(2), []

        def reach(turn: int, meeting: threading.Barrier = meeting, taken: list[bool] = taken) -> None:
            meeting.wait()
            taken.append(take(committed, offices[turn].id, accounts[turn].id))

        workers = [threading.Thread(target=reach, args=(turn,)) for turn in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert sorted(taken) == [False, True]
        with committed.database.unit_of_work(None) as session:
            rows = session.exec(select(BankCall).order_by(col(BankCall.id))).all()
            assert len(rows) == 4
            session.delete(rows[-1])


# On the road


@pytest.fixture
def story(linked: Gateway, banks: SimulatorServer) -> Story:
    return Story.begin(linked, banks)


@pytest.fixture
def killable(live: Gateway, banks: SimulatorServer) -> Story:
    return Story.begin(live, banks)


def seen(story: Story, account: Account) -> CallBudgetRead:
    return CallBudgetRead.of(call_budget(story.gateway, story.act, account.id))


def test_the_ledger_tells_what_was_used_by_whom_and_when_it_comes_free(story: Story) -> None:
    account = story.connect()
    story.work()
    assert (seen(story, account).used, seen(story, account).resets_at) == (0, None), "the first one was attended"
    first = story.read(account)
    story.sleep(days=0, hours=2)
    story.banks.faults.order(FaultKind.STATUS, bank_id="crelan", endpoint="transactions", times=None, status=503)
    assert story.read(account).state == "failed"
    story.banks.faults.clear()
    with story.gateway.database.unit_of_work(None) as session:
        elsewhere = budget.hash_of(story.gateway.keys, account, mode="test")
        session.add(
            BankCall(id=new_id(), account_hash=elsewhere, sync_id=new_id(), reason="planned", called_at=story.now)
        )
    found = seen(story, account)
    assert (found.limit, found.used, found.remaining, found.remaining_on_request) == (4, 3, 1, 0)
    assert [(call.reason, call.is_own, call.outcome) for call in found.calls] == [
        ("planned", False, None),
        ("request", True, "bank_unavailable"),
        ("request", True, "ok"),
    ]
    assert found.calls[0].sync_id is None
    assert found.calls[2].sync_id == first.id
    assert found.resets_at == found.on_request_from == first.started_at + timedelta(hours=24)  # type: ignore[operator]
    assert found.full_reading_from == story.act.today - story.gateway.banks.profile("crelan").history


def test_without_room_a_request_is_refused_and_the_bank_is_not_called(story: Story) -> None:
    account = story.connect()
    story.work()
    for _ in range(2):
        story.read(account)
    story.banks.faults.order(FaultKind.STATUS, bank_id="crelan", times=None, status=500)
    with pytest.raises(BankCallBudgetExhausted) as refused:
        SyncService(story.gateway).request(story.act, account.id)
    assert refused.value.headers == {"Retry-After": "86400"}
    assert refused.value.parameters["resets_at"] == (story.now + timedelta(days=1)).isoformat()
    assert not story.queued()
    assert seen(story, account).used == 2


def test_a_reading_while_the_holder_is_present_spends_nothing(story: Story) -> None:
    account = story.connect()
    story.work()
    for _ in range(6):
        story.visit(account)
        story.work()
    assert seen(story, account).used == 0


def test_a_planned_reading_without_room_is_refused_by_us_with_the_moment(story: Story) -> None:
    account = story.connect()
    story.work()
    for _ in range(4):
        assert story.read(account).state == "done"
    last = story.read(account)
    assert (last.state, last.error_code, last.retry_after_seconds) == ("failed", "bank_call_budget_exhausted", 86_400)
    assert story.account(account.id).health == "ok", "the bank was not asked, and nothing is wrong with it"


def test_the_morning_reading_comes_when_the_call_that_stands_in_its_way_is_a_day_old(story: Story) -> None:
    account, dispatcher = story.connect(), Dispatcher(story.gateway)
    story.work()
    story.sleep(days=0, hours=12)
    for _ in range(4):
        story.read(account)
    story.sleep(days=0, hours=11)
    assert slots_of(account.id, story.act.today, 5)[0].due_at < story.now
    assert dispatcher.run_office(story.office.id) == 0, "four calls in the last 24 hours"
    story.sleep(days=0, hours=13)
    assert dispatcher.run_office(story.office.id) == 1


def test_a_try_that_died_with_its_worker_counts_and_so_does_the_next_one(killable: Story) -> None:
    story, account = killable, killable.connect()
    story.work()
    sync = SyncService(story.gateway).request(story.act, account.id)

    def work(gateway: Gateway) -> None:
        SyncService(gateway).run(story.office.id, sync.id)

    assert killed(story.gateway, work, at=2, is_committed=True), "after the intent"
    assert seen(story, account).used == 1
    work(story.gateway)
    found = seen(story, account)
    assert (found.used, [call.outcome for call in found.calls]) == (2, ["ok", None])


def test_a_full_reading_asks_for_all_history_and_costs_what_it_says(story: Story) -> None:
    account = story.connect()
    story.work()
    story.sleep()
    before = seen(story, account)
    service = SyncService(story.gateway)
    sync = service.request(story.act, account.id, is_full=True)
    assert service.request(story.act, account.id, is_full=True).id == sync.id, "one under way is enough"
    story.work()
    done = service.get(story.act, sync.id)
    assert (done.state, done.reason, done.window_from) == ("done", "full", before.full_reading_from)
    within = [row for row in story.transactions() if row.booking_date >= done.window_from]  # type: ignore[operator]
    assert done.counts["new"] + done.counts["kept"] == len(within) > 100
    assert seen(story, account).used - before.used == before.full_reading_calls


def test_a_repeat_leaves_a_call_for_somebody_who_asks(story: Story) -> None:
    account, dispatcher = story.connect(), Dispatcher(story.gateway)
    story.work()
    story.sleep(days=0, hours=22)
    story.banks.faults.order(FaultKind.STATUS, bank_id="crelan", endpoint="transactions", times=None, status=503)
    for _ in range(2):
        story.read(account)
    assert dispatcher.run_office(story.office.id) == 1
    story.work()
    story.sleep(days=0, hours=2)
    assert seen(story, account).remaining == 1
    assert dispatcher.run_office(story.office.id) == 0


def test_a_held_day_is_read_for_once_more_out_of_the_reserve(story: Story) -> None:
    """STA-03: one longer fetch, within the budget, and one call is left for whoever asks."""
    account, dispatcher = story.connect(), Dispatcher(story.gateway)
    story.work()
    story.sleep()
    story.visit(account)
    story.work()
    story.sleep(days=0, hours=22)
    story.banks.faults.order(FaultKind.WRONG_BALANCE, account=account.iban, amount="0.07", times=None)
    assert dispatcher.run_office(story.office.id) == 1
    story.work()
    assert story.statements("held")
    assert dispatcher.run_office(story.office.id) == 0, "what is booked late has to have come"
    story.sleep(days=0, hours=1)
    assert dispatcher.run_office(story.office.id) == 1
    (sync,) = story.queued()
    assert sync.reason == "reread"
    story.work()
    done = SyncService(story.gateway).get(story.act, sync.id)
    assert done.window_from == story.act.today - story.gateway.banks.profile("crelan").history
    assert seen(story, account).remaining_on_request == 1
    story.sleep(days=0, hours=1)
    assert dispatcher.run_office(story.office.id) == 0, "once"


def test_another_office_s_account_has_no_ledger_to_see(linked: Gateway) -> None:
    office, other = make_office(linked), make_office(linked)
    account = make_account(linked, make_client(linked, other))
    with pytest.raises(AccountNotFound):
        call_budget(linked, act_of_system(office), account.id)


def test_an_account_that_no_bank_is_asked_about_has_no_calls(gateway: Gateway) -> None:
    office = make_office(gateway)
    account = make_account(gateway, make_client(gateway, office))
    found = CallBudgetRead.of(call_budget(replace(gateway), act_of_system(office), account.id))
    assert (found.limit, found.remaining, found.on_request_from, found.full_reading_from) == (0, 0, None, None)

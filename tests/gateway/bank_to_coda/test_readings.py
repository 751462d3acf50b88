"""Readings: bank trouble moves nothing, changes at the bank are followed, and the schedule finds what is due."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from connectors.model import Balance as BankBalance
from connectors.model import BalanceKind, RejectedRow, Transaction
from connectors.simulator import FaultKind, SimulatorServer
from gateway.accounts.health import set_health
from gateway.accounts.models import Account, Balance
from gateway.accounts.repository import BalanceRepository
from gateway.accounts.states import SyncHealth
from gateway.assembly import Gateway
from gateway.clock import BRUSSELS
from gateway.ids import new_id
from gateway.offices.models import ClientState
from gateway.offices.service import ClientService
from gateway.transactions.absorb import Window
from gateway.transactions.balances import keep_balances
from gateway.transactions.dispatch import Dispatcher
from gateway.transactions.fetching import Fetched
from gateway.transactions.merging import Merger, Reading
from gateway.transactions.models import BankTransaction, PendingTransaction, ReviewItem, TransactionRevision
from gateway.transactions.sync import last_complete_day
from tests.gateway.bank_to_coda.shelf import FIRST, Shelf, form
from tests.gateway.bank_to_coda.story import Story
from tests.gateway.builders import make_office


@pytest.fixture
def story(linked: Gateway, banks: SimulatorServer) -> Story:
    return Story.begin(linked, banks)


def everything(story: Story) -> tuple[Any, ...]:
    """Every row, balance, statement and mark a reading could move."""
    with story.gateway.database.unit_of_work(story.office.id) as session:
        accounts = [
            row.model_dump(exclude={"health", "health_code", "health_since", "last_sync_at"})
            for row in session.exec(select(Account))
        ]
        return (
            accounts,
            [row.model_dump() for row in session.exec(select(BankTransaction).order_by(col(BankTransaction.id)))],
            [row.model_dump() for row in session.exec(select(PendingTransaction).order_by(col(PendingTransaction.id)))],
            [row.model_dump() for row in session.exec(select(Balance).order_by(col(Balance.id)))],
            [row.model_dump() for row in story.statements()],
        )


@pytest.mark.parametrize(
    ("kind", "params", "code", "health"),
    [
        (FaultKind.STATUS, {"status": 401, "code": "TOKEN_INVALID"}, "consent_ended", "you_act"),
        (FaultKind.STATUS, {"status": 403}, "consent_error", "you_act"),
        (FaultKind.STATUS, {"status": 429, "retry_after": 3600}, "bank_quota_exhausted", "we_act"),
        (FaultKind.STATUS, {"status": 400}, "bank_request_refused", "we_act"),
        (FaultKind.STATUS, {"status": 401, "code": "CERTIFICATE_EXPIRED"}, "operator_error", "we_act"),
        (FaultKind.HTML, {}, "bank_answer_invalid", "we_act"),
        (FaultKind.BROKEN_JSON, {}, "bank_answer_invalid", "we_act"),
        (FaultKind.FOREIGN_NEXT_LINK, {}, "bank_answer_invalid", "we_act"),
    ],
)
def test_bank_trouble_has_a_clear_code_and_moves_nothing(
    story: Story, kind: FaultKind, params: dict[str, Any], code: str, health: str
) -> None:
    account = story.connect()
    story.work()
    before = everything(story)
    is_ending = code == "consent_ended" or kind is FaultKind.FOREIGN_NEXT_LINK
    for endpoint in ("transactions",) if is_ending else ("transactions", "balances"):
        story.banks.faults.order(kind, bank_id="crelan", endpoint=endpoint, times=None, **params)
        sync = story.read(account)
        assert (sync.state, sync.error_code) == ("failed", code)
        assert story.account(account.id).health == health
        assert everything(story) == before
        assert sync.retry_after_seconds == params.get("retry_after")
        story.banks.faults.clear()


@pytest.mark.parametrize("status", [500, 503])
def test_a_bank_that_is_down_half_way_moves_nothing(story: Story, status: int) -> None:
    account = story.connect()
    story.work()
    before = everything(story)
    order = {"bank_id": "crelan", "endpoint": "transactions", "times": None, "status": status}
    story.banks.faults.order(FaultKind.STATUS, page=2, **order)
    with story.gateway.database.unit_of_work(story.office.id) as session:
        row = session.exec(select(Account)).one()
        row.complete_until = None
        session.add(row)
    sync = story.read(account)
    assert (sync.state, sync.error_code) == ("failed", "bank_unavailable")
    assert everything(story)[1:] == before[1:]
    story.banks.faults.clear()
    assert story.read(account).state == "done"
    assert story.account(account.id).health == "ok"


def test_reading_again_adds_nothing_even_when_ids_change(story: Story) -> None:
    account = story.connect()
    story.work()
    before = [row.id for row in story.transactions()]
    story.banks.faults.order(FaultKind.CHANGING_IDS, bank_id="crelan", endpoint="transactions", times=None)
    for _ in range(3):
        assert story.read(account).counts["new"] == 0
    assert [row.id for row in story.transactions()] == before


@pytest.mark.parametrize("page_size", [3, 50])
def test_the_size_of_pages_does_not_matter(story: Story, page_size: int) -> None:
    simulator = story.banks.simulator
    known = dict(simulator.banks)
    simulator.banks["crelan"] = replace(known["crelan"], page_size=page_size)
    try:
        account = story.connect()
        story.work()
    finally:
        simulator.banks.update(known)
    truth = story.banks.world.booked(story.banks.world.account(account.iban))
    assert Counter((row.booking_date, row.amount) for row in story.transactions()) == Counter(
        (row.booking_date, row.amount) for row in truth
    )


def test_a_changed_row_keeps_its_id_and_its_old_form(story: Story) -> None:
    account = story.connect()
    story.work()
    ids = {row.id for row in story.transactions()}
    story.banks.faults.order(FaultKind.CHANGED_TEXT, account=account.iban, text="Andere mededeling")
    assert story.read(account).counts["edited"] == 1
    assert {row.id for row in story.transactions()} == ids
    with story.gateway.database.unit_of_work(story.office.id) as session:
        (revision,) = session.exec(select(TransactionRevision)).all()
    assert revision.raw_cipher is not None
    changed = next(row for row in story.transactions() if row.id == revision.transaction_id)
    assert changed.remittance_information == "Andere mededeling"


def test_a_row_that_vanishes_is_marked_and_comes_back_as_itself(story: Story) -> None:
    account = story.connect()
    story.work()
    story.banks.faults.order(FaultKind.VANISHED_ROW, account=account.iban)
    assert story.read(account).counts["vanished"] == 1
    (gone,) = [row for row in story.transactions() if row.state == "vanished"]
    assert gone.vanished_at is not None
    story.banks.faults.clear()
    assert story.read(account).counts["revived"] == 1
    assert next(row for row in story.transactions() if row.id == gone.id).state == "booked"


def test_pending_rows_are_apart_and_replaced_at_each_reading(story: Story) -> None:
    """SYN-07."""
    account = story.connect()
    story.work()
    story.sleep(hours=10, days=0)
    story.read(account)
    for _ in range(2):
        with story.gateway.database.unit_of_work(story.office.id) as session:
            shown = len(session.exec(select(PendingTransaction)).all())
        assert shown == len(story.banks.world.pending(story.banks.world.account(account.iban)))
        story.read(account)
    assert not [row for row in story.transactions() if row.booking_date > story.act.today]


def test_the_window_begins_at_the_last_complete_day_less_the_overlap(story: Story) -> None:
    account = story.connect()
    story.work()
    story.sleep()
    sync = story.read(account)
    today = story.act.today
    assert (sync.window_from, sync.window_until) == (today - timedelta(days=2 + 5), today)


def windows(story: Story, days: int) -> list[int]:
    """How many days back each of so many daily readings went."""
    account = story.accounts()[0]
    found = []
    for _ in range(days):
        story.sleep()
        sync = story.read(account)
        assert sync.window_from is not None
        found.append((story.act.today - sync.window_from).days)
    return found


def test_all_that_the_bank_gives_is_read_again_once_a_week(story: Story) -> None:
    """SYN-04: usual readings go back by the overlap, one a week as far as the bank lets them."""
    account = story.connect()
    story.work()
    history = story.gateway.banks.profile(account.bank_id).history.days
    assert windows(story, 15) == [*[7] * 6, history, *[7] * 6, history, 7]


def test_late_rows_that_cancel_out_are_found_within_a_week(story: Story) -> None:
    """Law 1: no balance tells that a booking and its reversal of days long read are missing."""
    account = story.connect()
    story.work()
    windows(story, 2)
    truth, day = story.banks.world.account(account.iban), story.act.today - timedelta(days=20)
    for amount in ("12.10", "-12.10"):
        story.banks.world.book(truth, Decimal(amount), booking_date=day, texts=("Vergissing",))
    windows(story, 2)
    assert not [row for row in story.transactions() if row.remittance_information == "Vergissing"]
    windows(story, 4)
    late = [row for row in story.transactions() if row.remittance_information == "Vergissing"]
    assert sorted(row.amount for row in late) == [Decimal("-12.10"), Decimal("12.10")]


def test_a_long_reading_that_the_bank_refuses_is_tried_once_a_day(story: Story) -> None:
    story.connect()
    story.work()
    windows(story, 6)
    story.sleep()
    account = story.accounts()[0]
    story.banks.faults.order(FaultKind.STATUS, endpoint="transactions", status=500, times=9)
    assert story.read(account).state == "failed"
    story.banks.faults.clear()
    story.sleep(days=0, hours=1)
    usual = story.read(account)
    assert usual.state == "done"
    assert usual.window_from is not None
    assert (story.act.today - usual.window_from).days < 10
    assert windows(story, 1) == [story.gateway.banks.profile(account.bank_id).history.days]


def test_an_account_with_a_held_day_is_read_whole_once_a_day(story: Story) -> None:
    """STA-03: the first longer reading may come while the bank still shows the fault, as any later one may."""
    account = story.connect()
    story.work()
    story.start(account, days=5)
    windows(story, 2)
    history = story.gateway.banks.profile(account.bank_id).history.days
    wrong = story.banks.faults.order(FaultKind.WRONG_BALANCE, account=account.iban, amount="0.07", times=None)
    assert windows(story, 1) == [7]
    assert [row.hold_code for row in story.statements("held")] == ["difference"]
    assert windows(story, 3) == [history] * 3
    again = story.read(account)
    assert again.window_from is not None
    assert (story.act.today - again.window_from).days < 10, "once a day"
    story.banks.faults.clear(wrong.fault_id)
    assert windows(story, 2) == [history, 7]
    assert not story.statements("held")


@pytest.mark.parametrize(("hour", "minute", "days"), [(4, 59, 2), (5, 0, 1), (23, 59, 1), (0, 0, 2)])
def test_a_day_is_complete_at_the_bank_s_hour_on_the_day_after(hour: int, minute: int, days: int) -> None:
    now = datetime(2026, 11, 23, hour, minute, tzinfo=BRUSSELS)
    assert last_complete_day(now, 5) == now.date() - timedelta(days=days)


def test_the_schedule_reads_twice_a_day_and_repeats_a_failure_once(story: Story) -> None:
    account, dispatcher, office_id = story.connect(), Dispatcher(story.gateway), story.office.id
    assert dispatcher.run_office(office_id) == 0, "the first reading is under way"
    story.work()
    assert dispatcher.run_office(office_id) == 0, "this morning's reading is stored"
    story.sleep(days=0, hours=7)
    assert dispatcher.run_office(office_id) == 1
    assert dispatcher.run_office(office_id) == 0
    story.work()
    story.sleep(days=0, hours=15)
    story.banks.faults.order(FaultKind.HTML, bank_id="crelan", times=None)
    planned = 0
    for _ in range(8):
        planned += dispatcher.run_office(office_id)
        story.work()
        story.sleep(days=0, hours=1)
    assert planned == 2, "07:00 to 14:00: one reading and one repeat"
    assert story.account(account.id).health == "we_act"


def test_a_reading_whose_job_was_lost_is_found_again(story: Story) -> None:
    story.connect()
    (sync,) = story.queued()
    story.sleep(days=0, hours=1)
    Dispatcher(story.gateway).run_office(story.office.id)
    (again,) = story.queued()
    assert again.id == sync.id
    assert again.requested_at > sync.requested_at


def test_a_lost_reading_is_found_again_where_no_other_is_planned(story: Story) -> None:
    """It once stood in the way of every further reading on demand, since that one counted as under way."""
    account = story.connect()
    with story.gateway.database.unit_of_work(story.office.id) as session:
        set_health(
            session, story.gateway.events, story.act, session.merge(account), SyncHealth.YOU_ACT, code="consent_error"
        )
    story.sleep(days=0, hours=1)
    before = [sync.requested_at for sync in story.queued()]
    assert Dispatcher(story.gateway).run_office(story.office.id) == 0
    assert [sync.requested_at for sync in story.queued()] > before


def test_what_is_wrong_in_one_office_does_not_stop_the_others(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    make_office(story.gateway)
    dispatcher, seen = Dispatcher(story.gateway), []

    def broken(office_id: UUID) -> int:
        seen.append(office_id)
        raise RuntimeError

    monkeypatch.setattr(dispatcher, "run_office", broken)
    dispatcher.run()
    assert len(seen) == 2


def test_what_is_booked_on_a_later_day_is_not_in_the_balance_of_the_day_that_ended(story: Story) -> None:
    """On a Saturday banks book on the Monday: the balance during the day holds it, the one of Friday does not."""
    account = story.connect()
    (sync,) = story.queued()
    today = story.act.today
    rows = [form(today + timedelta(days=offset), Decimal(10) ** offset, "rent") for offset in (-1, 0, 2)]
    balance = BankBalance(BalanceKind.INTERIM_BOOKED, Decimal("1000.00"), "EUR")
    fetched = Fetched(Reading(Window(today - timedelta(days=5), today), rows), [balance], story.act.now)
    with story.gateway.database.unit_of_work(story.office.id) as session:
        keep_balances(session, story.act, account, sync, fetched)
        closings = BalanceRepository(session).closings(story.office.id, account.id, date_from=FIRST)
        assert [(row.reference_date, row.amount) for row in closings] == [
            (today - timedelta(days=1), Decimal("1000.00") - 1 - 100)
        ]


def test_a_suspended_client_is_not_read(story: Story) -> None:
    story.connect()
    ClientService(story.gateway).change_state(story.act, story.client.id, ClientState.SUSPENDED)
    story.work()
    assert not story.transactions()
    story.sleep()
    assert Dispatcher(story.gateway).run_office(story.office.id) == 0


# The merge on the database, with invented rows


@pytest.fixture
def shelf(gateway: Gateway) -> Shelf:
    return Shelf(gateway)


forms = st.builds(
    form,
    st.integers(0, 3).map(lambda offset: FIRST + timedelta(days=offset)),
    st.sampled_from([Decimal("-5.00"), Decimal("10.00")]),
    st.sampled_from(["rent", "coffee"]),
)
WHOLE = Window(FIRST, FIRST + timedelta(days=3))


@given(
    history=st.lists(forms, max_size=12), readings=st.lists(st.randoms(use_true_random=False), min_size=2, max_size=3)
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_database_holds_the_same_set_after_any_repetition(
    shelf: Shelf, history: list[Transaction], readings: list[Any]
) -> None:
    account = shelf.account()
    for chance in readings:
        chance.shuffle(history)
        shelf.take(account, Reading(WHOLE, list(history)))
    assert Counter(row.fingerprint for row in shelf.rows(account)) == Counter(row.fingerprint for row in history)


@given(history=st.lists(forms, max_size=8), shown=st.lists(forms, max_size=8))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_database_follows_the_bank_and_deletes_nothing(
    shelf: Shelf, history: list[Transaction], shown: list[Transaction]
) -> None:
    account = shelf.account()
    shelf.take(account, Reading(WHOLE, history))
    ids = {row.id for row in shelf.rows(account)}
    shelf.take(account, Reading(WHOLE, shown))
    rows = shelf.rows(account)
    assert ids <= {row.id for row in rows}
    assert Counter(row.fingerprint for row in rows if row.state == "booked") == Counter(
        row.fingerprint for row in shown
    )


def test_a_better_rule_for_fingerprints_makes_no_new_rows(shelf: Shelf) -> None:
    account = shelf.account()
    twin = form(FIRST, Decimal("5.00"), "coffee")
    other = form(FIRST, Decimal("6.00"), "rent")
    shelf.take(account, Reading(WHOLE, [twin, twin, other]))

    def newer(row: Transaction) -> Transaction:
        return replace(row, fingerprint=f"v2|{row.remittance_information}", fingerprint_version=2)

    def renormalise(raw: Any) -> Transaction:
        return newer(twin if raw["text"] == "coffee" else other)

    counts = shelf.take(account, Reading(WHOLE, [newer(twin), newer(twin), newer(other)], renormalise=renormalise))
    assert (counts["kept"], counts["new"], counts["edited"]) == (3, 0, 0)
    assert sorted((row.fingerprint, row.occurrence) for row in shelf.rows(account)) == [
        ("v2|coffee", 1),
        ("v2|coffee", 2),
        ("v2|rent", 1),
    ]


def test_what_nobody_can_read_goes_to_review_once(shelf: Shelf) -> None:
    account = shelf.account()
    for _ in range(2):
        shelf.take(account, Reading(WHOLE, [], [RejectedRow("amount_missing", {"secret": "Jan Voorbeeld"})]))
    with shelf.gateway.database.unit_of_work(shelf.office.id) as session:
        (item,) = session.exec(select(ReviewItem)).all()
    assert item.reason == "amount_missing"
    assert b"Voorbeeld" not in item.raw_cipher


def test_raw_rows_are_encrypted_and_bound_to_their_row(shelf: Shelf) -> None:
    account = shelf.account()
    shelf.take(account, Reading(WHOLE, [form(FIRST, Decimal("5.00"), "Jan"), form(FIRST, Decimal("6.00"), "Piet")]))
    first, second = shelf.rows(account)
    with shelf.gateway.database.unit_of_work(shelf.office.id) as session:
        merger = Merger(shelf.gateway, session, shelf.act)
        assert merger.open_raw(first)["text"] == first.remittance_information
        first.raw_cipher = second.raw_cipher
        with pytest.raises(Exception, match="keys_unusable"):
            merger.open_raw(first)


def test_the_database_refuses_a_double(shelf: Shelf) -> None:
    account = shelf.account()
    shelf.take(account, Reading(WHOLE, [form(FIRST, Decimal("5.00"), "coffee")]))
    row = shelf.rows(account)[0].model_dump()
    with pytest.raises(IntegrityError), shelf.gateway.database.unit_of_work(shelf.office.id) as session:
        session.add(BankTransaction(**{**row, "id": new_id()}))

"""SYN-02, STA-01, OPS-04: when accounts are read by plan, and how softly a bank that does not answer is asked."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.accounts.models import Sync
from gateway.accounts.states import SyncState
from gateway.clock import BRUSSELS
from gateway.ids import new_id
from gateway.transactions.pacing import DOWN_AFTER, REPEAT_AFTER, REPEAT_AFTER_MAX, UNDER_WAY_MAX, BankPace, paces
from gateway.transactions.places import FIRST_GUESS, WAIT_MAX, BankPlaces
from gateway.transactions.slots import slot_at, slots_of

ACCOUNT = UUID("01900000-0000-7000-8000-000000000001")
DAYS = st.dates(date(2026, 1, 1), date(2032, 12, 31))
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@given(account_id=st.uuids(), day=DAYS, hour=st.integers(0, 6))
def test_every_account_is_due_between_the_end_of_the_bank_s_day_and_seven(
    account_id: UUID, day: date, hour: int
) -> None:
    morning, afternoon = slots_of(account_id, day, hour)
    assert datetime.combine(day, time(hour), tzinfo=BRUSSELS) <= morning.due_at
    assert morning.due_at < datetime.combine(day, time(7), tzinfo=BRUSSELS)
    local = afternoon.due_at.astimezone(BRUSSELS)
    assert (local.date(), local.hour in (14, 15)) == (day, True)
    assert slots_of(account_id, day, hour) == (morning, afternoon), "the same in every process"


@given(account_id=st.uuids(), day=DAYS)
def test_a_bank_whose_day_ends_late_is_read_soon_after(account_id: UUID, day: date) -> None:
    morning, _ = slots_of(account_id, day, 8)
    begins = datetime.combine(day, time(8), tzinfo=BRUSSELS)
    assert begins <= morning.due_at < begins + timedelta(minutes=30)


def test_accounts_are_spread_over_the_slot_and_move_from_day_to_day() -> None:
    day = date(2026, 11, 23)
    begins, _ = slots_of(ACCOUNT, day, 5)
    per_tenth = [0] * 10
    for number in range(2_000):
        morning, _ = slots_of(UUID(int=number), day, 5)
        per_tenth[int((morning.due_at - begins.begins_at) / timedelta(minutes=100) * 10)] += 1
    assert min(per_tenth) > 130
    assert len({slots_of(ACCOUNT, day + timedelta(days=offset), 5)[0].due_at.time() for offset in range(10)}) > 5


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
@pytest.mark.parametrize("hour", [0, 2, 3, 5])
def test_the_day_on_which_the_clock_changes_has_one_morning_and_one_afternoon(day: date, hour: int) -> None:
    """Minute by minute through the day: each slot begins once, in order, and none begins again in the doubled hour."""
    moment = datetime.combine(day, time(0), tzinfo=BRUSSELS).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), time(0), tzinfo=BRUSSELS).astimezone(UTC)
    seen = []
    while moment < end:
        slot = slot_at(ACCOUNT, moment, hour)
        if slot is not None and slot not in seen:
            seen.append(slot)
        moment += timedelta(minutes=1)
    assert seen == list(slots_of(ACCOUNT, day, hour))
    assert seen[0].due_at.astimezone(BRUSSELS).time() < time(7)


def test_nothing_is_due_in_the_first_hours_of_a_year() -> None:
    midnight = datetime(2027, 1, 1, 0, 0, tzinfo=BRUSSELS)
    assert slot_at(ACCOUNT, midnight - timedelta(seconds=1), 5) == slots_of(ACCOUNT, date(2026, 12, 31), 5)[1]
    assert slot_at(ACCOUNT, midnight, 5) is None
    assert slot_at(ACCOUNT, midnight + timedelta(hours=7), 5) == slots_of(ACCOUNT, date(2027, 1, 1), 5)[0]


# How hard a bank is asked


def reading(state: SyncState, *, minutes: int = 0, error_code: str | None = None, account_id: UUID = ACCOUNT) -> Sync:
    moment = NOON + timedelta(minutes=minutes)
    return Sync(
        id=new_id(), office_id=new_id(), account_id=account_id, state=state, reason="planned", is_attended=False,
        requested_at=moment, started_at=moment, finished_at=moment, error_code=error_code, counts={},
    )  # fmt: skip


def pace(*syncs: Sync) -> BankPace:
    return paces(syncs, {ACCOUNT: "crelan"}).get("crelan", BankPace())


def down(count: int) -> list[Sync]:
    return [reading(SyncState.FAILED, minutes=number, error_code="bank_unavailable") for number in range(count)]


def test_a_bank_that_is_down_is_tried_by_one_reading_at_a_time_and_ever_less_often() -> None:
    assert pace(*down(DOWN_AFTER - 1)).lets_begin(NOON)
    last = NOON + timedelta(minutes=DOWN_AFTER - 1)
    found = pace(*down(DOWN_AFTER))
    assert not found.lets_begin(last + REPEAT_AFTER - timedelta(seconds=1))
    assert found.lets_begin(last + REPEAT_AFTER)
    assert not pace(*down(DOWN_AFTER), reading(SyncState.QUEUED)).lets_begin(last + REPEAT_AFTER), "one is trying"
    longer = NOON + timedelta(minutes=DOWN_AFTER)
    assert not pace(*down(DOWN_AFTER + 1)).lets_begin(longer + REPEAT_AFTER)
    assert pace(*down(DOWN_AFTER + 1)).lets_begin(longer + 2 * REPEAT_AFTER)
    assert pace(*down(20)).lets_begin(NOON + timedelta(minutes=19) + REPEAT_AFTER_MAX)


def test_a_reading_the_bank_answered_ends_the_waiting_for_all() -> None:
    found = pace(*down(5), reading(SyncState.DONE, minutes=10))
    assert found.lets_begin(NOON + timedelta(minutes=11))
    assert found.lets_repeat(NOON, NOON + REPEAT_AFTER)


def test_a_repeat_waits_for_a_sign_of_life_or_finds_out_for_all() -> None:
    found = pace(*down(1))
    assert not found.lets_repeat(NOON, NOON + REPEAT_AFTER - timedelta(seconds=1))
    assert found.lets_repeat(NOON, NOON + REPEAT_AFTER)
    found.under_way += 1
    assert not found.lets_repeat(NOON, NOON + REPEAT_AFTER), "another one is finding out"


def test_one_bank_that_is_down_does_not_slow_another() -> None:
    other = UUID(int=2)
    found = paces(
        [*down(5), reading(SyncState.DONE, minutes=1, account_id=other)], {ACCOUNT: "crelan", other: "keytrade"}
    )
    assert not found["crelan"].lets_begin(NOON + timedelta(minutes=5))
    assert found["keytrade"].lets_begin(NOON + timedelta(minutes=5))


def test_what_one_bank_can_pile_up_is_bounded() -> None:
    assert not pace(*(reading(SyncState.QUEUED) for _ in range(UNDER_WAY_MAX))).lets_begin(NOON)


def test_a_fault_of_one_account_says_nothing_of_its_bank() -> None:
    failed = [reading(SyncState.FAILED, error_code="bank_request_refused") for _ in range(10)]
    assert pace(*failed).lets_begin(NOON)


def test_a_bank_that_hangs_leaves_a_place_for_the_others() -> None:
    places = BankPlaces(3)
    with places.one_of("crelan") as first, places.one_of("crelan") as second, places.one_of("crelan") as third:
        assert (first, second) == (None, None)
        assert third is not None
        with places.one_of("keytrade") as other:
            assert other is None
    with places.one_of("crelan") as again:
        assert again is None
    with BankPlaces(1).one_of("crelan") as only:
        assert only is None, "a worker with one place has none to keep"


@pytest.mark.parametrize("seconds", [0.4, 6.0])
def test_what_finds_no_place_comes_back_when_one_should_be_free(seconds: float) -> None:
    """The turns of a bank follow one another as its readings do, each later than the one before."""
    moment = [1000.0]
    places = BankPlaces(3, clock=lambda: moment[0])
    for _ in range(40):
        with places.one_of("crelan"):
            moment[0] += seconds
    waits = []
    with places.one_of("crelan"), places.one_of("crelan"):
        for _ in range(100):
            with places.one_of("crelan") as wait:
                assert wait is not None
                waits.append(wait.total_seconds())
    assert waits[:3] == pytest.approx([seconds / 2, seconds, seconds * 1.5], rel=0.01)
    assert max(waits) <= WAIT_MAX
    with places.one_of("keytrade"), places.one_of("keytrade"), places.one_of("keytrade") as unmeasured:
        assert unmeasured == timedelta(seconds=FIRST_GUESS / 2)

"""Law 1, on the pure core: nothing lost, nothing twice, whatever a bank does with pages, order and ids."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ids import new_id
from gateway.transactions.absorb import StoredRow, Window, plan

FIRST = date(2026, 11, 1)


@dataclass(frozen=True)
class Row:
    """A booked row as the bank gives it."""

    booking_date: date
    amount: Decimal
    text: str
    bank_transaction_id: str | None = None

    @property
    def fingerprint(self) -> str:
        return f"{self.booking_date}|{self.amount}|{self.text}"


class Store:
    """Stored rows, changed by plans as the database is."""

    def __init__(self) -> None:
        self.rows: list[StoredRow] = []

    def take(self, fetched: Sequence[Row], window: Window, *, are_ids_trusted: bool = False) -> None:
        decided = plan(self.rows, fetched, window, are_ids_trusted=are_ids_trusted)
        by_id = {row.id: row for row in self.rows}
        for gone in decided.vanished:
            by_id[gone] = replace(by_id[gone], is_vanished=True)
        for back in decided.revived:
            by_id[back] = replace(by_id[back], is_vanished=False)
        for edit in decided.edited:
            form = fetched[edit.row.index]
            by_id[edit.id] = replace(
                by_id[edit.id],
                booking_date=form.booking_date,
                amount=form.amount,
                fingerprint=form.fingerprint,
                occurrence=edit.row.occurrence,
            )
        self.rows = list(by_id.values())
        for new in decided.new:
            row = fetched[new.index]
            self.rows.append(StoredRow(new_id(), row.booking_date, row.amount, row.fingerprint, new.occurrence))
        keys = Counter((row.fingerprint, row.occurrence) for row in self.rows)
        assert not [key for key, count in keys.items() if count > 1], "the database would refuse this"

    def present(self) -> Counter[str]:
        return Counter(row.fingerprint for row in self.rows if not row.is_vanished)


rows = st.builds(
    Row,
    booking_date=st.integers(0, 6).map(lambda offset: FIRST + timedelta(days=offset)),
    amount=st.sampled_from([Decimal("-5.00"), Decimal("10.00"), Decimal("10.01")]),
    text=st.sampled_from(["rent", "invoice 1", "coffee"]),
)
histories = st.lists(rows, max_size=25)
WHOLE = Window(FIRST, FIRST + timedelta(days=6))


@given(histories, st.randoms(use_true_random=False), st.integers(1, 5))
@settings(max_examples=300, deadline=None)
def test_any_order_and_repetition_gives_the_same_set(history: list[Row], chance: random.Random, times: int) -> None:
    store = Store()
    for _ in range(times):
        chance.shuffle(history)
        store.take(history, WHOLE)
    assert store.present() == Counter(row.fingerprint for row in history)
    assert len(store.rows) == len(history)


@given(histories, st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=6))
@settings(max_examples=300, deadline=None)
def test_overlapping_windows_add_up_to_the_history(history: list[Row], spans: list[tuple[int, int]]) -> None:
    store = Store()
    for a, b in [*spans, (0, 6)]:
        window = Window(FIRST + timedelta(days=min(a, b)), FIRST + timedelta(days=max(a, b)))
        store.take([row for row in history if row.booking_date in window], window)
    assert store.present() == Counter(row.fingerprint for row in history)
    assert not [row for row in store.rows if row.is_vanished]


@given(histories, st.data())
@settings(max_examples=200, deadline=None)
def test_a_history_that_grows_is_followed_and_keeps_its_ids(history: list[Row], data: st.DataObject) -> None:
    store, known = Store(), 0
    while known < len(history):
        known = data.draw(st.integers(known + 1, len(history)))
        before = {row.id for row in store.rows}
        store.take(history[:known], WHOLE)
        assert before <= {row.id for row in store.rows if not row.is_vanished}
    assert store.present() == Counter(row.fingerprint for row in history)


@given(histories, st.data())
@settings(max_examples=200, deadline=None)
def test_the_store_follows_the_bank_and_deletes_nothing(history: list[Row], data: st.DataObject) -> None:
    store, seen = Store(), 0
    for _ in range(4):
        shown = data.draw(st.lists(st.sampled_from(history), max_size=len(history)) if history else st.just([]))
        store.take(shown, WHOLE)
        assert store.present() == Counter(row.fingerprint for row in shown)
        assert len(store.rows) >= seen
        seen = len(store.rows)


@given(histories, st.integers(0, 10**6))
@settings(max_examples=150, deadline=None)
def test_ids_that_change_add_none(history: list[Row], salt: int) -> None:
    store = Store()
    for turn in (0, salt, salt + 1):
        store.take([replace(row, bank_transaction_id=f"{turn}-{i}") for i, row in enumerate(history)], WHOLE)
    assert len(store.rows) == len(history)


def test_twins_stay_two_and_the_issued_one_stays_when_one_goes() -> None:
    twin = Row(FIRST, Decimal("-4.20"), "coffee")
    store = Store()
    store.take([twin, twin], WHOLE)
    assert sorted(row.occurrence for row in store.rows) == [1, 2]
    store.rows = [replace(row, is_issued=row.occurrence == 2) for row in store.rows]
    store.take([twin], WHOLE)
    assert [(row.is_issued, row.is_vanished) for row in sorted(store.rows, key=lambda row: row.occurrence)] == [
        (False, True),
        (True, False),
    ]
    store.take([twin, twin], WHOLE)
    assert len(store.rows) == 2
    assert not [row for row in store.rows if row.is_vanished]


def test_a_changed_text_is_an_edit_and_keeps_the_id() -> None:
    store = Store()
    store.take([Row(FIRST, Decimal("9.00"), "old")], WHOLE)
    kept = store.rows[0].id
    store.take([Row(FIRST, Decimal("9.00"), "new")], WHOLE)
    assert [(row.id, row.is_vanished) for row in store.rows] == [(kept, False)]


def test_two_changed_rows_of_one_amount_are_not_guessed() -> None:
    store = Store()
    store.take([Row(FIRST, Decimal("9.00"), "a"), Row(FIRST, Decimal("9.00"), "b")], WHOLE)
    fetched = [Row(FIRST, Decimal("9.00"), "c"), Row(FIRST, Decimal("9.00"), "d")]
    decided = plan(store.rows, fetched, WHOLE)
    assert len(decided.new) == len(decided.vanished) == len(decided.undecided) == 2
    assert not decided.edited


def test_a_row_given_twice_is_one_only_where_ids_are_trusted() -> None:
    row = Row(FIRST, Decimal("9.00"), "a", bank_transaction_id="T1")
    assert len(plan([], [row, row], WHOLE, are_ids_trusted=True).new) == 1
    assert len(plan([], [row, row], WHOLE).new) == 2


def test_a_trusted_id_follows_a_row_to_another_day() -> None:
    stored = StoredRow(new_id(), FIRST, Decimal("9.00"), "x", 1, bank_transaction_id="T1")
    moved = Row(FIRST + timedelta(days=1), Decimal("9.00"), "a", bank_transaction_id="T1")
    decided = plan([stored], [moved], WHOLE, are_ids_trusted=True)
    assert [edit.id for edit in decided.edited] == [stored.id]
    assert not decided.vanished
    assert not decided.new


def test_rows_outside_the_window_are_left_alone() -> None:
    outside = StoredRow(new_id(), FIRST - timedelta(days=1), Decimal("9.00"), "same", 1)
    decided = plan([outside], [], WHOLE)
    assert decided.is_quiet

"""Law 2, on the pure core: balances chain and prove, and nothing is invented."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ids import new_id
from gateway.statements.proof import ZERO, Closing, Judgement, Ledger, Opening, OpenRow, judge
from gateway.statements.states import Proof

FIRST = date(2026, 11, 2)
DAY = timedelta(days=1)


def at(day: date, hour: int = 9) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=UTC)


def row(day: date, amount: str, *, seen: date | None = None, gone: date | None = None) -> OpenRow:
    return OpenRow(new_id(), day, Decimal(amount), at(seen or day + DAY), at(gone) if gone else None)


def closing(day: date, amount: Decimal | str, *, read: date | None = None) -> Closing:
    return Closing(day, Decimal(amount), at(read or day + DAY), "bank")


def started(balance: str, *, until: date = FIRST - DAY) -> Opening:
    """A chain that is closed and proven up to a day."""
    return Opening(FIRST - 30 * DAY, until, Decimal(balance), FIRST - 20 * DAY, at(FIRST - 19 * DAY))


def decide(
    rows: Sequence[OpenRow], closings: Sequence[Closing], *, last: date, opening: Opening | None = None
) -> Judgement:
    return judge(Ledger(rows, closings), first_date=FIRST, last_date=last, opening=opening)


cents = st.integers(-10_000, 10_000).filter(bool).map(lambda number: Decimal(number).scaleb(-2))
days_of_amounts = st.lists(st.lists(cents, max_size=4), min_size=1, max_size=12)


@given(days_of_amounts, cents, st.data())
@settings(max_examples=300, deadline=None)
def test_true_data_proves_whatever_balances_the_bank_shows(
    amounts: list[list[Decimal]], opening: Decimal, data: st.DataObject
) -> None:
    days = [FIRST + index * DAY for index in range(len(amounts))]
    rows = [row(day, str(amount)) for day, of_day in zip(days, amounts, strict=True) for amount in of_day]
    truth, balance = [], opening
    for of_day in amounts:
        balance += sum(of_day, ZERO)
        truth.append(balance)
    shown = data.draw(st.sets(st.sampled_from(days)))
    closings = [closing(day, truth[index]) for index, day in enumerate(days) if day in shown]
    judged = decide(rows, closings, last=days[-1], opening=started(str(opening)))
    for index, result in enumerate(judged.days):
        assert result.opening == (truth[index - 1] if index else opening)
        assert result.closing == truth[index]
        is_covered = bool(shown) and result.day <= max(shown)
        assert (result.proof is not None) == is_covered
        assert result.difference is None
        if result.day in shown and (index == 0 or days[index - 1] in shown):
            assert result.proof is Proof.PROVEN
        elif is_covered:
            assert result.proof is Proof.PROVEN_BY_SPAN
            assert result.span is not None


@given(days_of_amounts, cents, cents)
@settings(max_examples=200, deadline=None)
def test_a_wrong_last_balance_holds_with_the_exact_difference(
    amounts: list[list[Decimal]], opening: Decimal, off: Decimal
) -> None:
    days = [FIRST + index * DAY for index in range(len(amounts))]
    rows = [row(day, str(amount)) for day, of_day in zip(days, amounts, strict=True) for amount in of_day]
    true_closing = opening + sum((entry.amount for entry in rows), ZERO)
    judged = decide(rows, [closing(days[-1], true_closing + off)], last=days[-1], opening=started(str(opening)))
    last = judged.days[-1]
    assert (last.proof, last.hold_code, last.difference) == (None, "difference", off)
    assert last.causes
    assert all(result.proof is None for result in judged.days)


@given(days_of_amounts, cents)
@settings(max_examples=150, deadline=None)
def test_one_bank_balance_alone_proves_nothing(amounts: list[list[Decimal]], balance: Decimal) -> None:
    days = [FIRST + index * DAY for index in range(len(amounts))]
    rows = [row(day, str(amount), seen=days[-1]) for day, of in zip(days, amounts, strict=True) for amount in of]
    judged = decide(rows, [closing(days[-1], balance)], last=days[-1])
    assert judged.opening is not None
    assert judged.days[-1].closing == balance
    assert {result.hold_code for result in judged.days} == {"awaiting_bank_balance"}


@given(days_of_amounts, cents, cents)
@settings(max_examples=150, deadline=None)
def test_a_second_balance_releases_the_derived_days(
    amounts: list[list[Decimal]], opening: Decimal, more: Decimal
) -> None:
    days = [FIRST + index * DAY for index in range(len(amounts) + 1)]
    anchor = days[-2]
    rows = [row(day, str(a), seen=anchor + DAY) for day, of in zip(days[:-1], amounts, strict=True) for a in of]
    first = opening + sum((entry.amount for entry in rows), ZERO)
    rows.append(row(days[-1], str(more)))
    judged = decide(rows, [closing(anchor, first), closing(days[-1], first + more)], last=days[-1])
    assert judged.opening is not None
    assert judged.opening.balance == opening
    assert {result.proof for result in judged.days[:-1]} == {Proof.DERIVED}
    assert judged.days[-1].proof is Proof.PROVEN


def test_two_balances_that_disagree_hold_everything() -> None:
    closings = [closing(FIRST, "100.00"), replace(closing(FIRST + DAY, "99.00"), is_of_whole=False)]
    judged = decide([row(FIRST, "10.00")], closings, last=FIRST + DAY)
    assert [result.proof for result in judged.days] == [None, None]
    assert judged.days[1].difference == Decimal("-1.00")


def test_an_opening_is_not_derived_from_a_reading_of_some_last_days() -> None:
    """A booking dated before those days is in its balance and not among the rows: the opening would hide it."""
    known = row(FIRST, "10.00", seen=FIRST + DAY)
    closings = [
        closing(FIRST + DAY, "110.00"),
        *(replace(closing(FIRST + days * DAY, "113.00"), is_of_whole=False) for days in (2, 3)),
    ]
    held = decide([known], closings, last=FIRST + 3 * DAY)
    assert [result.proof for result in held.days] == [None] * 4
    assert held.days[2].difference == Decimal("3.00")
    hidden = row(FIRST, "3.00", seen=FIRST + 4 * DAY)
    judged = decide([known, hidden], closings, last=FIRST + 3 * DAY)
    assert judged.opening is not None
    assert judged.opening.balance == Decimal("100.00")
    assert set(judged.days[0].rows) == {known.id, hidden.id}
    assert all(result.proof is not None for result in judged.days)


def test_what_was_found_before_the_first_day_is_in_the_opening_while_nothing_is_issued() -> None:
    known = row(FIRST, "10.00", seen=FIRST + DAY)
    found = row(FIRST - 2 * DAY, "3.00", seen=FIRST + 2 * DAY)
    whole = [closing(FIRST, "110.00"), closing(FIRST + DAY, "113.00", read=FIRST + 2 * DAY)]
    waiting = decide([known, found], whole, last=FIRST + DAY)
    assert all(result.proof is None for result in waiting.days)
    later = replace(closing(FIRST + 2 * DAY, "113.00"), is_of_whole=False)
    judged = decide([known, found], [*whole, later], last=FIRST + 2 * DAY)
    assert judged.opening is not None
    assert judged.opening.balance == Decimal("103.00")
    assert [result.closing for result in judged.days] == [Decimal("113.00")] * 3
    assert not any(result.late for result in judged.days)


def test_where_no_reading_of_everything_came_with_a_balance_the_first_one_serves() -> None:
    closings = [replace(closing(FIRST + days * DAY, "110.00"), is_of_whole=False) for days in (0, 1)]
    judged = decide([row(FIRST, "10.00")], closings, last=FIRST + DAY)
    assert [result.proof for result in judged.days] == [Proof.DERIVED, Proof.PROVEN]


def test_a_first_balance_that_was_wrong_is_replaced_by_a_later_reading_of_everything() -> None:
    """Each is tried, and the difference from the latest one is named: it asks for another reading of everything."""
    wrong, partly = closing(FIRST, "100.01"), replace(closing(FIRST + DAY, "100.00"), is_of_whole=False)
    assert decide([], [wrong, partly], last=FIRST + DAY).days[1].difference == Decimal("-0.01")
    again = closing(FIRST + DAY, "100.00")
    waiting = decide([], [wrong, partly, again], last=FIRST + DAY)
    assert {result.hold_code for result in waiting.days} == {"awaiting_bank_balance"}
    judged = decide([], [wrong, partly, again, closing(FIRST + 2 * DAY, "100.00")], last=FIRST + 2 * DAY)
    assert all(result.proof is not None for result in judged.days)


@given(days_of_amounts, cents, st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_rows_that_carry_the_balance_after_them_confirm_the_opening(
    amounts: list[list[Decimal]], opening: Decimal, chance: Random
) -> None:
    """STA-05: no later balance is awaited, and no day is merely derived; a single row that leads elsewhere ends it."""
    anchor = FIRST + (len(amounts) - 1) * DAY
    rows, balance = [], opening
    for index, of_day in enumerate(amounts):
        for amount in of_day:
            balance += amount
            rows.append(replace(row(FIRST + index * DAY, str(amount), seen=anchor + DAY), balance_after=balance))
    chance.shuffle(rows)
    judged = decide(rows, [closing(anchor, balance)], last=anchor)
    if not rows:
        assert all(result.proof is None for result in judged.days)
        return
    assert {result.proof for result in judged.days} == {Proof.PROVEN}
    assert judged.opening is not None
    assert judged.opening.balance == opening
    odd = chance.randrange(len(rows))
    rows[odd] = replace(rows[odd], balance_after=chance.choice([None, balance + Decimal("0.01")]))
    assert all(result.proof is None for result in decide(rows, [closing(anchor, balance)], last=anchor).days)


def test_where_the_office_chose_so_the_first_days_are_issued_before_a_later_balance() -> None:
    """STA-05."""
    ledger = Ledger([row(FIRST, "10.00")], [closing(FIRST, "110.00")], may_derive=True)
    judged = judge(ledger, first_date=FIRST, last_date=FIRST + DAY, opening=None)
    assert [result.proof for result in judged.days] == [Proof.DERIVED, None]
    assert judged.opening is not None
    assert judged.opening.balance == Decimal("100.00")


def test_without_any_bank_balance_nothing_begins() -> None:
    assert decide([row(FIRST, "10.00")], [], last=FIRST).opening is None


def test_a_late_entry_goes_into_the_next_file_and_is_named() -> None:
    late = row(FIRST - 2 * DAY, "-7.00", seen=FIRST + DAY)
    rows = [row(FIRST, "10.00"), late]
    judged = decide(rows, [closing(FIRST, "103.00")], last=FIRST, opening=started("100.00"))
    (result,) = judged.days
    assert result.proof is Proof.PROVEN
    assert result.late == {late.id}
    assert set(result.rows) == {rows[0].id, late.id}


def test_a_late_entry_dated_before_the_chain_counts_only_when_it_was_not_in_the_first_balance() -> None:
    before = FIRST - 40 * DAY
    known = row(before, "-7.00", seen=FIRST - 30 * DAY)
    late = row(before, "-3.00", seen=FIRST + DAY)
    judged = decide([known, late], [closing(FIRST, "97.00")], last=FIRST, opening=started("100.00"))
    assert judged.days[0].rows == (late.id,)
    assert judged.days[0].proof is Proof.PROVEN


def test_a_balance_that_was_wrong_once_is_bridged_by_a_later_one_that_agrees() -> None:
    rows = [row(FIRST, "10.00"), row(FIRST + DAY, "5.00")]
    closings = [closing(FIRST, "109.00"), closing(FIRST + DAY, "115.00")]
    judged = decide(rows, closings, last=FIRST + DAY, opening=started("100.00"))
    assert [result.proof for result in judged.days] == [Proof.PROVEN_BY_SPAN, Proof.PROVEN_BY_SPAN]
    assert judged.days[0].span == (FIRST - DAY, FIRST + DAY)


def test_after_a_difference_later_days_wait() -> None:
    rows = [row(FIRST, "10.00"), row(FIRST + DAY, "5.00")]
    closings = [closing(FIRST, "109.00"), closing(FIRST + DAY, "114.00")]
    judged = decide(rows, closings, last=FIRST + DAY, opening=started("100.00"))
    assert [result.hold_code for result in judged.days] == ["difference", "waits_for_earlier"]


def test_a_vanished_row_counts_in_the_balance_in_which_it_still_stood() -> None:
    vanished = row(FIRST, "10.00", gone=FIRST + 2 * DAY)
    kept = row(FIRST, "1.00")
    closings = [closing(FIRST, "111.00"), closing(FIRST + DAY, "101.00", read=FIRST + 2 * DAY)]
    judged = decide([vanished, kept], closings, last=FIRST + DAY)
    assert judged.opening is not None
    assert judged.opening.balance == Decimal("100.00")
    assert judged.days[-1].proof is not None


def test_the_bank_s_newest_word_about_a_day_counts() -> None:
    closings = [closing(FIRST, "1.00"), closing(FIRST, "110.00", read=FIRST + 2 * DAY)]
    judged = decide([row(FIRST, "10.00")], closings, last=FIRST, opening=started("100.00"))
    assert judged.days[0].proof is Proof.PROVEN


def computing(
    rows: Sequence[OpenRow], closings: Sequence[Closing], *, days: int, since: date | None = None
) -> Judgement:
    """As the account decides whose days may be computed (STA-04)."""
    opening = replace(started("100.00"), computed_from=since)
    ledger = Ledger(rows, closings, may_compute=True)
    return judge(ledger, first_date=FIRST, last_date=FIRST + (days - 1) * DAY, opening=opening)


def test_days_without_a_balance_are_computed_after_the_last_one_that_proves() -> None:
    rows = [row(FIRST + n * DAY, "1.00") for n in range(3)]
    judged = computing(rows, [closing(FIRST, "101.00")], days=3)
    assert [result.proof for result in judged.days] == [Proof.PROVEN, Proof.COMPUTED, Proof.COMPUTED]
    assert judged.days[2].closing == Decimal("103.00")


def test_a_difference_anywhere_computes_nothing() -> None:
    rows = [row(FIRST + n * DAY, "1.00") for n in range(3)]
    judged = computing(rows, [closing(FIRST + DAY, "999.00")], days=3)
    assert [result.proof for result in judged.days] == [None, None, None]
    assert judged.days[1].hold_code == "difference"


def test_what_follows_computed_days_is_proven_by_the_span_that_includes_them() -> None:
    since = FIRST - 3 * DAY
    judged = computing([row(FIRST, "1.00")], [closing(FIRST, "101.00")], days=2, since=since)
    assert [result.proof for result in judged.days] == [Proof.PROVEN_BY_SPAN, Proof.COMPUTED]
    assert judged.days[0].span == (since - DAY, FIRST)


def test_a_chain_that_is_only_derived_is_not_computed() -> None:
    ledger = Ledger([row(FIRST, "1.00")], [closing(FIRST, "5.00")], may_compute=True)
    judged = judge(ledger, first_date=FIRST, last_date=FIRST + DAY, opening=None)
    assert [result.proof for result in judged.days] == [None, None]


def test_a_balance_that_held_what_no_reading_had_shown_does_not_keep_the_chain_from_beginning() -> None:
    """Booked long before and found only by a longer reading, after the first balance had counted it (STA-05)."""
    rows = [row(FIRST, "10.00"), row(FIRST, "250.00", seen=FIRST + 3 * DAY), row(FIRST + 2 * DAY, "1.00")]
    first = closing(FIRST + DAY, "360.00")
    later = [closing(FIRST + 2 * DAY, "361.00"), closing(FIRST + 3 * DAY, "361.00")]
    assert all(day.proof is None for day in decide(rows, [first], last=FIRST + DAY).days)
    judged = decide(rows, [first, *later], last=FIRST + 3 * DAY)
    assert judged.opening is not None
    assert judged.opening.balance == Decimal("100.00")
    assert judged.opening.anchor_date == FIRST + 2 * DAY
    assert [day.proof for day in judged.days] == [Proof.DERIVED] * 3 + [Proof.PROVEN]

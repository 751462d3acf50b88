"""The invented world: deterministic, balanced, and with valid numbers throughout."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from schwifty import IBAN
from stdnum import iso11649
from stdnum.be import ogm_vcs, vat

from connectors.simulator.banking_days import is_banking_day
from connectors.simulator.clock import BRUSSELS, BankClock
from connectors.simulator.companies import ACCOUNTS, COMPANIES
from connectors.simulator.rows import Row
from connectors.simulator.world import World

TODAY = date(2026, 11, 20)


def world(seed: int = 1, today: date = TODAY) -> World:
    return World(seed, BankClock(today))


def everything(seen: World) -> list[Row]:
    return [row for account in seen.accounts for row in seen.booked(account)]


def test_the_same_seed_and_day_give_the_same_rows() -> None:
    assert everything(world()) == everything(world())


def test_another_seed_gives_another_history() -> None:
    assert everything(world(1)) != everything(world(2))


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(min_value=1, max_value=9), min_size=1, max_size=5))
def test_the_clock_may_move_in_one_or_many_steps(steps: list[int]) -> None:
    stepwise, at_once = world(), world()
    account = stepwise.account("BE10651720331504")
    for days in steps:
        stepwise.clock.advance(days=days)
        stepwise.booked(account)
    at_once.clock.advance(days=sum(steps))
    assert stepwise.booked(account) == at_once.booked(account)
    assert stepwise.pending(account) == at_once.pending(account)


def test_two_worlds_started_on_other_days_agree_on_the_days_they_share() -> None:
    early, late = world(today=TODAY), world(today=TODAY + timedelta(days=10))
    account = early.account("BE34103071423390")
    shared = (late.start, TODAY - timedelta(days=1))
    assert early.booked(account, *shared) == late.booked(account, *shared)


@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.account_id)
def test_balances_add_up_every_day_of_every_account(account) -> None:
    seen = world()
    seen.clock.advance(days=45)
    days = seen.day_totals(account, seen.start, seen.clock.today)
    assert len(days) == 90 + 45 + 1
    assert days[0].opening_balance == account.opening_balance
    for before, after in itertools.pairwise(days):
        assert before.opening_balance + before.total == before.closing_balance == after.opening_balance
        assert seen.balance(account, before.day) == before.closing_balance
    assert days[-1].closing_balance == seen.balance(account)


def test_current_and_savings_accounts_stay_above_zero() -> None:
    seen = world()
    for account in seen.accounts:
        if account.iban:
            assert min(day.closing_balance for day in seen.day_totals(account, seen.start, TODAY)) > 0, account


@pytest.mark.parametrize("account", [item for item in ACCOUNTS if item.iban], ids=lambda item: item.account_id)
def test_every_account_has_a_valid_belgian_iban_of_its_bank(account) -> None:
    iban = IBAN(account.iban, validate_bban=True)
    assert iban.country_code == "BE"
    assert iban.bic == account.bic


def test_every_enterprise_number_is_valid() -> None:
    assert [company.name for company in COMPANIES if not vat.is_valid(f"BE{company.enterprise_number}")] == []


def test_every_counterparty_has_a_valid_iban() -> None:
    found = {row.counterparty for row in everything(world()) if row.counterparty and row.counterparty.iban}
    assert len(found) > 20
    for party in found:
        iban = IBAN(party.iban, validate_bban=True)
        assert str(iban.bic)[:8] == party.bic


def test_every_structured_reference_has_valid_check_digits() -> None:
    references = [row.structured for row in everything(world()) if row.structured]
    belgian = [reference for reference in references if not reference.startswith("RF")]
    assert len(belgian) > 50
    assert len(references) - len(belgian) > 20
    assert [item for item in belgian if len(item) != 12 or not ogm_vcs.is_valid(item)] == []
    assert [item for item in references if item.startswith("RF") and not iso11649.is_valid(item)] == []


def test_references_in_texts_have_valid_check_digits() -> None:
    texts = [row.texts[0] for row in everything(world()) if len(row.texts) == 1]
    printed = [text for text in texts if text.startswith("+++")]
    bare = [text for text in texts if len(text) == 12 and text.isdigit()]
    assert len(printed) > 20
    assert len(bare) > 10
    assert [text for text in printed + bare if not ogm_vcs.is_valid(text.strip("+").replace("/", ""))] == []


def test_the_history_holds_what_an_accountant_meets() -> None:
    rows = everything(world())
    codes = Counter(row.code for row in rows)
    expected = (
        *("PMNT-RCDT-ESCT", "PMNT-ICDT-ESCT", "PMNT-ICDT-SALA", "PMNT-ICDT-STDO", "PMNT-RDDT-ESDD", "PMNT-RDDT-UPDD"),
        *("PMNT-CCRD-POSD", "PMNT-CCRD-CWDL", "PMNT-RRCT-ESCT", "PMNT-IRCT-ESCT", "PMNT-ICDT-BOOK", "PMNT-RCDT-BOOK"),
        *("PMNT-CCRD-BOOK", "ACMT-MDOP-FEES", "ACMT-MCOP-INTR", "ACMT-MDOP-TAXE"),
    )
    for code in expected:
        assert codes[code] >= 1, code
    assert codes[None] > 10
    assert any(row.value_date is None for row in rows)
    assert any(sum(map(len, row.texts)) > 140 for row in rows)
    assert any(row.mandate_id and row.creditor_id for row in rows)
    assert any(row.batch_count for row in rows)
    assert any(row.exchange for row in rows)
    assert {row.counterparty.iban[:2] for row in rows if row.counterparty and row.counterparty.iban} == {
        "BE",
        "DE",
        "FR",
        "NL",
    }
    assert all(len(text) <= 140 for row in rows for text in row.texts)


def test_more_volume_gives_more_receipts_and_believable_balances() -> None:
    busy = World(1, BankClock(TODAY), volume=20)
    account = busy.account("BE34103071423390")
    assert len(busy.booked(account)) > 1800
    assert 0 < busy.balance(account) < 100_000


def test_genuine_twins_differ_in_their_id_only() -> None:
    seen = world()
    rows = seen.booked(seen.account("BE70651148062725"))
    alike = Counter((row.booking_date, row.amount, row.texts) for row in rows)
    twins = [row for row in rows if alike[row.booking_date, row.amount, row.texts] == 2]
    assert len(twins) >= 4
    assert len({row.transaction_id() for row in twins}) == len(twins)


def test_transaction_ids_are_unique_in_the_whole_world() -> None:
    rows = everything(world())
    assert len({row.transaction_id() for row in rows}) == len(rows) > 1500


def test_on_closed_days_only_instant_transfers_and_the_credit_card_move() -> None:
    kinds = {row.key.split("|")[2] for row in everything(world()) if not is_banking_day(row.booking_date)}
    assert kinds == {"instant-in", "instant-out", "purchase"}


@pytest.mark.parametrize(
    "closed", ["2026-01-01", "2026-04-03", "2026-04-06", "2026-05-01", "2026-12-25", "2027-03-26", "2026-11-21"]
)
def test_closing_days_of_target_are_no_banking_days(closed: str) -> None:
    assert not is_banking_day(date.fromisoformat(closed))


def test_some_days_pass_without_movement() -> None:
    seen = world()
    for account in seen.accounts:
        assert any(day.rows == 0 for day in seen.day_totals(account, seen.start, TODAY)), account


def test_both_sides_of_an_own_transfer_meet() -> None:
    seen = world()
    rows = [(account, row) for account in seen.accounts for row in seen.booked(account)]
    legs = [(account, row) for account, row in rows if "|own_" in row.key]
    assert len(legs) > 10
    for account, row in legs:
        other = row.counterparty.iban
        assert any(
            there.account_id == other and leg.amount == -row.amount and leg.booking_date == row.booking_date
            for there, leg in legs
            if there is not account
        )


def test_the_credit_card_is_settled_with_what_was_spent_the_month_before() -> None:
    seen = world()
    seen.clock.advance(days=20)
    card = seen.account("498012XXXXXX7731")
    settled = next(row for row in reversed(seen.booked(card)) if "card_settled" in row.key)
    spent = seen.booked(card, date(2026, 11, 1), date(2026, 11, 30))
    assert settled.booking_date == date(2026, 12, 4)
    assert settled.amount == -sum(row.amount for row in spent if "purchase" in row.key)


def test_a_pending_row_is_booked_under_another_id() -> None:
    seen = world()
    account = seen.account("BE70651148062725")
    seen.clock.advance(hours=12)
    pending = seen.pending(account)
    assert pending
    seen.clock.advance(days=4)
    booked = {row.key: row for row in seen.booked(account)}
    for row in pending:
        assert booked[row.key].transaction_id() != row.transaction_id(is_pending=True)
    assert not {row.key for row in pending} & {row.key for row in seen.pending(account)}


def test_something_is_pending_on_every_day() -> None:
    seen = world()
    for _ in range(20):
        assert any(seen.pending(account) for account in seen.accounts), seen.clock.today
        seen.clock.advance(days=1)


def test_a_late_booking_changes_the_balances_of_the_past() -> None:
    seen = world()
    account = seen.account("BE34103071423390")
    day = TODAY - timedelta(days=3)
    before = seen.balance(account, day)
    row = seen.book(account, Decimal("-17.42"), booking_date=day)
    assert seen.balance(account, day) == before - Decimal("17.42")
    assert row in seen.booked(account, day, day)


def test_a_booking_for_later_waits_as_pending() -> None:
    seen = world()
    account = seen.account("BE34103071423390")
    row = seen.book(account, Decimal("-100"), booking_date=TODAY + timedelta(days=3))
    assert row in seen.pending(account)
    seen.clock.advance(days=3)
    assert row in seen.booked(account)


@pytest.mark.parametrize("amount", ["0", "1.001", "NaN", "Infinity"])
def test_an_amount_no_bank_books_is_refused(amount: str) -> None:
    seen = world()
    with pytest.raises(ValueError, match="amount"):
        seen.book(seen.account("BE34103071423390"), Decimal(amount))


def test_the_clock_does_not_go_back() -> None:
    clock = BankClock(TODAY)
    with pytest.raises(ValueError, match="does not go back"):
        clock.set(clock.now - timedelta(seconds=1))


def test_the_hour_that_comes_twice_passes_twice() -> None:
    clock = BankClock(date(2026, 10, 25), at=time(1, 59))
    seen = [clock.advance(minutes=30).astimezone(UTC).strftime("%H:%M") for _ in range(5)]
    assert seen == ["00:29", "00:59", "01:29", "01:59", "02:29"]


def test_a_day_keeps_the_time_on_the_wall_when_the_clocks_change() -> None:
    clock = BankClock(date(2026, 10, 24))
    clock.advance(days=1)
    assert clock.now == datetime(2026, 10, 25, 9, tzinfo=BRUSSELS)
    assert clock.now.astimezone(UTC).hour == 8

"""STA-02, decision 0060: which balance at the end of a day a reading tells, at a bank that names no day for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

import pytest

from connectors.model import Balance, BalanceKind, Transaction, TransactionStatus
from connectors.simulator import SimulatorServer
from gateway.assembly import Gateway
from gateway.transactions.closings import closing_of_day_before
from tests.gateway.bank_to_coda.story import Story

TODAY = date(2026, 11, 24)
DAY = timedelta(days=1)


def balance(kind: BalanceKind, *, day: date | None = None) -> Balance:
    return Balance(kind=kind, amount=Decimal("100.00"), currency="EUR", reference_date=day)


def booked(*days: date | None) -> Sequence[Transaction]:
    return [
        Transaction(
            status=TransactionStatus.BOOKED, amount=Decimal("7.00"), currency="EUR", booking_date=day,
            value_date=day, is_value_date_assumed=False, fingerprint=str(index), fingerprint_version=1,
        )
        for index, day in enumerate(days)
    ]  # fmt: skip


def test_a_balance_during_the_day_is_lessened_by_what_is_booked_since() -> None:
    rows = booked(TODAY - DAY, TODAY, TODAY + DAY)
    assert closing_of_day_before(balance(BalanceKind.INTERIM_BOOKED), rows, TODAY) == Decimal("86.00")


def test_a_closing_balance_without_a_day_counts_only_while_nothing_newer_is_booked() -> None:
    undated = balance(BalanceKind.CLOSING_BOOKED)
    assert closing_of_day_before(undated, booked(TODAY - DAY), TODAY) == Decimal("100.00")
    for later in (TODAY, TODAY + DAY, None):
        assert closing_of_day_before(undated, booked(TODAY - DAY, later), TODAY) is None


@pytest.mark.parametrize("kind", [BalanceKind.EXPECTED, BalanceKind.INTERIM_AVAILABLE])
def test_what_is_not_booked_tells_no_closing(kind: BalanceKind) -> None:
    assert closing_of_day_before(balance(kind), [], TODAY) is None


def test_a_closing_balance_with_a_day_speaks_for_itself() -> None:
    dated = balance(BalanceKind.CLOSING_BOOKED, day=TODAY - DAY)
    assert closing_of_day_before(dated, [], TODAY) is None


def test_the_days_of_a_bank_with_undated_closing_balances_prove(
    linked: Gateway, banks: SimulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """STA-02: read in the morning before anything is booked, and held only until then."""
    story = Story.begin(linked, banks)
    connector = linked.banks.connector("crelan")
    stated = type(connector).balances

    def undated(*arguments: object) -> list[Balance]:
        return [
            Balance(kind=BalanceKind.CLOSING_BOOKED, amount=one.amount, currency=one.currency, reference_date=None)
            for one in stated(*arguments)  # type: ignore[arg-type]  # passed on as they are
            if one.kind is BalanceKind.INTERIM_BOOKED
        ]

    monkeypatch.setattr(type(connector), "balances", undated)
    account = story.connect()
    story.work()
    # Six in the morning, before the banks book.
    story.sleep(days=0, hours=21)
    story.read(account)
    story.sleep()
    story.read(account)
    assert story.statements("issued")
    assert {row.bank_balance_basis for row in story.statements("issued")} <= {"computed", None}
    assert not [row for row in story.statements("held") if row.hold_code == "no_bank_balance"]

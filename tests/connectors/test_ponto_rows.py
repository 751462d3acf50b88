"""Rows of Ponto in the normal form: twins, gaps, days, references."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connectors.model import (
    Transaction,
    TransactionStatus,
)
from tests.connectors.ponto_stubs import (
    StubPonto,
    connector_at,
    read,
    rows_of,
    rows_with,
)
from tests.connectors.support import (
    TODAY,
    FakeBank,
    access,
    stub,
)


def test_twins_differ_by_id_only_and_one_row_given_twice_counts_once() -> None:
    twins = rows_of(rows_with({"id": "a"}, {"id": "b"}, {"id": "t-1"}))
    fingerprints = [row.fingerprint for row in twins if row.bank_transaction_id in ("a", "b")]
    assert len(fingerprints) == 2
    assert len(set(fingerprints)) == 1
    assert [row.bank_transaction_id for row in twins].count("t-1") == 1


def test_another_id_or_none_changes_nothing_else() -> None:
    first, other, bare = rows_of(rows_with({"id": "a"}, {"id": "other"}, {"id": None}))[2:5]
    assert first.fingerprint == other.fingerprint == bare.fingerprint
    assert bare.bank_transaction_id is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"amount": None}, "amount_missing"),
        ({"amount": "veel"}, "amount_unreadable"),
        ({"currency": None}, "currency_missing"),
        ({"executionDate": None, "valueDate": None}, "booking_date_missing"),
    ],
)
def test_a_row_that_cannot_be_understood_is_handed_over_for_review(change: dict[str, Any], reason: str) -> None:
    pages = rows_with(change)
    (rejected,) = [row for page in pages for row in page.rejected]
    assert rejected.reason == reason
    assert rejected.raw["type"] == "transaction"


def test_missing_fields_leave_a_row_that_is_poorer_and_right() -> None:
    kept = {"amount": -5, "currency": "EUR", "executionDate": "2026-11-18T00:00:00.000Z"}
    names = stub("ponto", "transactions-2.json")["data"][0]["attributes"]
    (row,) = [row for row in rows_of(rows_with({**dict.fromkeys(names), **kept})) if row.bank_transaction_id == "t-9"]
    assert (row.amount, row.counterparty_name, row.remittance_information) == (Decimal("-5.00"), None, None)
    assert "counterparty_name" in row.missing_fields


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-11-18T00:00:00.000Z", date(2026, 11, 18)),
        ("2026-11-17T23:00:00.000Z", date(2026, 11, 18)),
        ("2026-07-17T22:00:00.000Z", date(2026, 7, 18)),
    ],
)
def test_both_midnights_are_the_day_in_brussels(written: str, day: date) -> None:
    raw = stub("ponto", "transactions-1.json")["data"][0]
    raw["attributes"]["executionDate"] = written
    row = connector_at(FakeBank()).transaction(
        raw, status=TransactionStatus.BOOKED, account_iban="", account_holder=None, own_ibans=frozenset(), today=TODAY
    )
    assert isinstance(row, Transaction)
    assert row.booking_date == day
    assert row.raw is raw


def test_a_reference_counts_where_ponto_says_so_or_where_it_is_the_whole_text() -> None:
    inside, whole, wrong = rows_of(
        rows_with(
            {"id": "a", "remittanceInformation": "Betaling +++090/9337/55493+++ bedankt"},
            {"id": "b", "remittanceInformation": "+++090/9337/55493+++"},
            {"id": "c", "remittanceInformation": "090933755499", "remittanceInformationType": "structured"},
        )
    )[2:5]
    assert (inside.structured_reference, inside.remittance_information) == (
        None, "Betaling +++090/9337/55493+++ bedankt"
    )  # fmt: skip
    assert whole.structured_reference == "090933755493"
    assert (wrong.structured_reference, wrong.warnings) == (None, ("structured_reference_failed",))


def test_two_currencies_of_one_number_are_two_accounts() -> None:
    euros, dollars, *_ = connector_at(FakeBank(handler=StubPonto())).accounts(access())
    assert euros.iban == dollars.iban
    assert (euros.bank_account_id, dollars.bank_account_id) == ("res-1", "res-2")


def test_what_was_pending_is_booked_later_under_another_id() -> None:
    before = rows_of(read(FakeBank(handler=StubPonto())))[-1]
    reservation = {**stub("ponto", "pending-transactions.json")["data"][0]["attributes"], "id": "t-5"}
    (after,) = [row for row in rows_of(rows_with(reservation)) if row.bank_transaction_id == "t-5"]
    assert (before.status, after.status) == (TransactionStatus.PENDING, TransactionStatus.BOOKED)
    assert before.fingerprint == after.fingerprint

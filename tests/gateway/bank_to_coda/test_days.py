"""Statements: held with the exact difference, late entries, files that never change, numbers of the year."""

from __future__ import annotations

import io
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlmodel import select

import coda
from connectors.simulator import FaultKind, SimulatorServer
from gateway.accounts.errors import StatementsFromTooEarly, StatementsStarted
from gateway.accounts.models import Account
from gateway.accounts.service import AccountService
from gateway.assembly import Gateway
from gateway.audit.log import verify
from gateway.errors import InvalidTransition, PeriodInvalid
from gateway.ids import new_id
from gateway.offices.models import Client
from gateway.pagination import PageRequest
from gateway.statements import issuing
from gateway.statements.coda_file import Period, entry_of, reference_of, write_file
from gateway.statements.errors import StatementNotIssued
from gateway.statements.models import StatementEntry, StatementFile
from gateway.statements.service import StatementFilter, StatementService
from gateway.statements.states import TRANSITIONS, StatementState, check_step
from gateway.transactions.models import BankTransaction
from gateway.transactions.sync import SyncService
from tests.gateway.bank_to_coda.story import Story


@pytest.fixture
def story(linked: Gateway, banks: SimulatorServer) -> Story:
    return Story.begin(linked, banks)


def started(story: Story) -> Account:
    """An account whose chain has begun."""
    account = story.connect()
    story.work()
    story.sleep()
    story.read(account)
    return account


def files(story: Story) -> dict[str, bytes]:
    with story.gateway.database.unit_of_work(story.office.id) as session:
        return {row.name: row.content for row in session.exec(select(StatementFile))}


def test_every_day_has_its_state_and_none_is_left_out(story: Story) -> None:
    account = started(story)
    service = StatementService(story.gateway)
    today = story.act.today
    days = service.days(story.act, story.account(account.id), today - timedelta(days=100), today)
    assert [row.day for row in days] == [today - timedelta(days=n) for n in range(100, 0, -1)]
    assert {row.state for row in days} == {"before_start", "statement", "no_entries"}
    for row in days:
        if row.state == "no_entries":
            assert row.opening_balance == row.closing_balance
    story.sleep(days=3)
    unread = service.days(story.act, story.account(account.id), today, story.act.today)
    assert [(row.state, row.cause) for row in unread] == [("source_failed", "not_read_yet")] * 3
    with pytest.raises(PeriodInvalid):
        service.days(story.act, account, today, today - timedelta(days=1))


def test_a_wrong_bank_balance_holds_the_day_with_the_exact_difference_until_it_is_right(story: Story) -> None:
    account = started(story)
    issued = files(story)
    story.sleep()
    truth = story.banks.world.account(account.iban)
    story.banks.world.book(truth, Decimal("-12.34"), booking_date=story.act.today - timedelta(days=1))
    story.banks.faults.order(FaultKind.WRONG_BALANCE, account=account.iban, amount="0.07", times=None)
    story.read(account)
    (held,) = story.statements("held")
    assert (held.hold_code, held.difference, held.number) == ("difference", Decimal("0.07"), None)
    assert held.bank_balance is not None
    assert held.bank_balance - held.closing_balance == Decimal("0.07")
    assert held.likely_causes
    with pytest.raises(StatementNotIssued):
        StatementService(story.gateway).content(story.act, held.id)
    assert files(story) == issued
    story.banks.faults.order(FaultKind.STATUS, account=account.iban, endpoint="transactions", status=403)
    refused = story.visit(account)
    story.work()
    assert SyncService(story.gateway).get(story.act, refused.id).state == "failed"
    sync = story.read(account)
    assert sync.window_from == story.act.today - timedelta(days=90), "one longer reading follows, also after a failure"
    assert story.read(account).window_from != sync.window_from
    story.banks.faults.clear()
    story.read(account)
    assert not story.statements("held")
    assert story.statements("issued")[-1].id == held.id


def test_a_late_booking_goes_into_the_next_file_and_no_byte_changes(story: Story) -> None:
    account = started(story)
    before = files(story)
    truth = story.banks.world.account(account.iban)
    late_day = story.act.today - timedelta(days=3)
    story.banks.world.book(truth, Decimal("-17.42"), booking_date=late_day, texts=("Nagekomen kost",))
    story.sleep()
    story.read(account)
    after = files(story)
    assert {name: after[name] for name in before} == before
    last = story.statements("issued")[-1]
    assert (last.late_count, last.day) == (1, story.act.today - timedelta(days=1))
    (statement,) = coda.read(after[last.file_name or ""])
    late = next(entry for entry in statement.entries() if entry.amount == Decimal("-17.42"))
    assert late.entry_date == last.day
    assert late.value_date == late_day
    assert any(f"Boekingsdatum bank {late_day:%d.%m.%Y}" in item.communication for item in late.information)


def test_a_doubled_row_is_held_as_a_twin_and_solved_by_the_next_reading(story: Story) -> None:
    account = started(story)
    truth = story.banks.world.account(account.iban)
    story.banks.world.book(truth, Decimal("-41.17"), booking_date=story.act.today)
    # Six in the morning: yesterday is over at the bank, and its newest row is still yesterday's.
    story.sleep(days=0, hours=21)
    story.banks.faults.order(FaultKind.DUPLICATED_ROW, bank_id="crelan", endpoint="transactions")
    story.read(account)
    (held,) = story.statements("held")
    assert (held.hold_code, held.likely_causes) == ("difference", ["twin"])
    assert held.difference == -min(row.amount for row in story.transactions() if row.occurrence == 2)
    story.banks.faults.clear()
    story.read(account)
    assert not story.statements("held")
    assert [row.state for row in story.transactions() if row.occurrence == 2] == ["vanished"]


def test_the_application_cannot_change_or_remove_issued_bytes(story: Story) -> None:
    started(story)
    for statement in ("UPDATE statement_file SET content = ''", "DELETE FROM statement_file"):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            story.gateway.database.unit_of_work(story.office.id) as session,
        ):
            session.execute(text(statement))


def test_each_entry_is_on_one_statement_once(story: Story) -> None:
    account = started(story)
    with story.gateway.database.unit_of_work(story.office.id) as session:
        entries = session.exec(select(StatementEntry)).all()
        assert verify(session, story.gateway.audit, story.office.id) is None
    expected = [row.id for row in story.transactions() if row.booking_date < story.act.today]
    assert sorted(row.transaction_id for row in entries) == sorted(expected)
    assert len({row.bank_reference for row in entries}) == len(entries)
    assert account.iban in next(iter(files(story)))


def test_closing_again_changes_nothing(story: Story) -> None:
    account = started(story)
    before = (files(story), [row.model_dump() for row in story.statements()])
    assert StatementService(story.gateway).close_days(story.office.id, account.id) == 0
    assert (files(story), [row.model_dump() for row in story.statements()]) == before


def test_the_office_chooses_the_first_day_until_the_first_file_is_there(story: Story) -> None:
    account = story.connect()
    story.work()
    service, first = AccountService(story.gateway), story.act.today - timedelta(days=10)
    with pytest.raises(StatementsFromTooEarly):
        service.change(story.act, account.id, {"statements_from": story.act.today - timedelta(days=91)})
    service.change(story.act, account.id, {"statements_from": first, "alias": "Hoofdrekening"})
    story.sleep()
    story.read(account)
    issued = story.statements("issued")
    assert min(row.day for row in issued) >= first
    assert issued[0].number == 1
    truth = story.banks.world.account(account.iban)
    assert issued[0].opening_balance == story.banks.world.balance(truth, first - timedelta(days=1))
    with pytest.raises(StatementsStarted):
        service.change(story.act, account.id, {"statements_from": first + timedelta(days=1)})


def test_numbers_begin_at_001_in_a_new_year_and_have_no_gap(story: Story) -> None:
    account = started(story)
    for _ in range(7):
        story.sleep(days=7)
        story.read(account)
    by_year: dict[int, list[int]] = {}
    for row in story.statements("issued"):
        assert row.year == row.day.year
        by_year.setdefault(row.year or 0, []).append(row.number or 0)
    assert set(by_year) == {2026, 2027}
    for numbers in by_year.values():
        assert numbers == list(range(1, len(numbers) + 1))


def test_beyond_999_nothing_is_issued_and_the_day_says_so(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issuing, "NUMBER_MAX", 5)
    started(story)
    assert [row.number for row in story.statements("issued")] == [1, 2, 3, 4, 5]
    held = story.statements("held")
    assert held[0].hold_code == "numbers_exhausted"
    assert {row.hold_code for row in held[1:]} == {"waits_for_earlier"}


def test_a_day_with_too_many_entries_is_split_over_proven_files(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issuing, "ENTRIES_MAX", 2)
    started(story)
    issued = story.statements("issued")
    assert max(row.part for row in issued) > 1
    assert [row.number for row in issued] == list(range(1, len(issued) + 1))
    for earlier, later in pairwise(issued):
        assert later.opening_balance == earlier.closing_balance
    assert len(files(story)) == len(issued)


def test_statements_are_found_by_account_day_number_and_state(story: Story) -> None:
    account = started(story)
    service, act, page = StatementService(story.gateway), story.act, PageRequest(500, None)
    rows, cursor = service.page(act, page)
    assert cursor is None
    assert [row.id for row in rows] == [row.id for row in reversed(story.statements())]
    one, _ = service.page(act, page, StatementFilter(account_id=account.id, year=2026, number=3))
    assert [row.number for row in one] == [3]
    day = one[0].day
    assert service.page(act, page, StatementFilter(date_from=day, date_until=day))[0] == one
    assert not service.page(act, page, StatementFilter(state=StatementState.HELD))[0]
    views, _ = service.entries(act, one[0].id, page)
    assert sum(view.entry.amount for view in views) == one[0].closing_balance - one[0].opening_balance


# The file itself


def transaction(**more: Any) -> BankTransaction:
    values: dict[str, Any] = {
        "id": new_id(), "office_id": new_id(), "account_id": new_id(), "state": "booked",
        "booking_date": date(2026, 11, 20), "value_date": date(2026, 11, 20), "amount": Decimal("-10.00"),
        "currency": "EUR", "fingerprint": "f" * 64, "fingerprint_version": 1, "occurrence": 1, "raw_cipher": b"",
        "coda_code": "00101000", "coda_code_basis": "default",
    }  # fmt: skip
    return BankTransaction(**{**values, **more})


def test_no_text_is_lost_and_references_are_structured() -> None:
    account = Account(iban="BE34103071423390", currency="EUR", bic="NICABEBB", holder_name="Bakkerij Voorbeeld BV")
    client = Client(name="Bakkerij Voorbeeld BV", enterprise_number="0110203432")
    name = "Vennootschap met een bijzonder lange naam en nog een staart NV"
    rows = [
        transaction(
            counterparty_name=name,
            counterparty_iban="BE50063157924018",
            counterparty_bic="GKCCBEBB",
            structured_reference="123456789002",
            remittance_information="en daarbij " + "woord " * 60,
            end_to_end_id="E2E-1",
            iso_code="PMNT-RDDT-UPDD",
        ),
        transaction(
            occurrence=2,
            amount=Decimal("10.00"),
            coda_code="00150000",
            structured_reference="RF18539007547034",
            counterparty_bic="ODD",
            purpose_code="TOOLONG",
            counterparty_bban="9" * 40,
        ),
    ]
    period = Period(7, date(2026, 11, 20), Decimal("100.00"), date(2026, 11, 19), Decimal("100.00"))
    content = write_file(account, client, period, rows, language="nl")
    assert all(len(line) == 128 for line in content.split(b"\r\n")[:-1])
    assert content.endswith(b"\r\n")
    (statement,) = coda.read(io.BytesIO(content))
    first, second = statement.entries()
    assert (first.communication_type, first.communication[:12]) == ("101", "123456789002")
    assert second.communication_type == "100"
    words = " ".join(item.communication for item in first.information)
    assert words.count("woord") == 60
    assert name in words
    assert (first.r_type, first.customer_reference, first.counterparty_bic) == ("2", "E2E-1", "GKCCBEBB")
    assert "ODD" in " ".join(item.communication for item in second.information)
    assert statement.number == 7


def test_the_bank_reference_is_stable_unique_and_fits() -> None:
    one, twin = transaction(), transaction(occurrence=2)
    assert reference_of(one) == reference_of(transaction())
    assert reference_of(one) != reference_of(twin)
    assert len(reference_of(one)) == 21
    assert entry_of(one, one.booking_date, language="nl").notes == []


@pytest.mark.parametrize("state", StatementState)
def test_only_the_steps_of_the_life_cycle_are_possible(state: StatementState) -> None:
    for wanted in StatementState:
        if wanted in TRANSITIONS[state]:
            check_step(state, wanted)
        else:
            with pytest.raises(InvalidTransition):
                check_step(state, wanted)

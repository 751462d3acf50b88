"""STA-03, STA-12: an issued entry that the bank took back or changed is offset in the next statement, and only then."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlmodel import col, select

import coda
from coda.codes import exists, table
from connectors.profile import IdTrust
from connectors.simulator import SimulatorServer
from connectors.simulator.rows import Row
from connectors.simulator.world import SimulatedAccount
from gateway.accounts.models import Account
from gateway.assembly import Gateway
from gateway.ids import new_id
from gateway.pagination import PageRequest
from gateway.statements.models import Statement, StatementEntry
from gateway.statements.offsets import Gone, judge_with_offsets
from gateway.statements.proof import Judgement, Ledger, OpenRow
from gateway.statements.reversals import code_of_reversal
from gateway.statements.schemas import EntryRead
from gateway.statements.service import EntryView, StatementService
from gateway.statements.states import Proof
from tests.gateway.bank_to_coda.story import Story
from tests.gateway.bank_to_coda.test_days import files, started
from tests.gateway.bank_to_coda.test_proof import DAY, FIRST, at, closing, row
from tests.gateway.bank_to_coda.test_proof import started as chain

AMOUNT = Decimal("-55.55")


@pytest.fixture
def story(linked: Gateway, banks: SimulatorServer) -> Story:
    return Story.begin(linked, banks)


@pytest.fixture
def account(story: Story) -> Account:
    return started(story)


@pytest.fixture
def truth(story: Story, account: Account) -> SimulatedAccount:
    return story.banks.world.account(account.iban)


def issued_row(story: Story, account: Account, truth: SimulatedAccount) -> Row:
    """A row on an issued statement."""
    booked = story.banks.world.book(truth, AMOUNT, booking_date=story.act.today, texts=("Factuur 2026/117",))
    pass_day(story, account)
    assert AMOUNT in {entry.amount for entry in entries(story)}
    return booked


def pass_day(story: Story, account: Account) -> None:
    story.sleep()
    story.read(account)


def entries(story: Story) -> list[StatementEntry]:
    with story.gateway.database.unit_of_work(story.office.id) as session:
        return list(session.exec(select(StatementEntry).order_by(col(StatementEntry.id))))


def views(story: Story, statement: Statement) -> list[EntryView]:
    return StatementService(story.gateway).entries(story.act, statement.id, PageRequest(500, None))[0]


def test_a_vanished_entry_is_offset_in_the_next_statement_and_no_issued_byte_changes(
    story: Story, account: Account, truth: SimulatedAccount
) -> None:
    gone = issued_row(story, account, truth)
    original = story.statements("issued")[-1]
    before = files(story)
    story.banks.world.hide(truth, gone.key)
    pass_day(story, account)
    assert not story.statements("held")
    after = files(story)
    assert {name: after[name] for name in before} == before
    last = story.statements("issued")[-1]
    assert last.id != original.id
    assert last.proof == Proof.PROVEN
    reversals = [view for view in views(story, last) if view.entry.reverses_entry_id is not None]
    (shown,) = [EntryRead.of(view) for view in reversals]
    assert shown.amount.amount == "55.55"
    assert shown.reverses is not None
    named = next(view.entry for view in views(story, original) if view.entry.amount == AMOUNT)
    assert (shown.reverses.statement_id, shown.reverses.sequence) == (original.id, named.sequence)
    assert shown.coda_code_basis == "reversal"
    (written,) = coda.read(after[last.file_name or ""])
    movement = next(entry for entry in written.entries() if entry.sequence == shown.sequence)
    (first,) = coda.read(before[original.file_name or ""])
    offset = next(entry for entry in first.entries() if entry.sequence == named.sequence)
    assert movement.transaction_code == f"0{offset.transaction_code[1:3]}99000"
    assert movement.amount == -AMOUNT
    words = " ".join([movement.communication, *(item.communication for item in movement.information)])
    assert f"Tegenboeking van afschrift {original.year}-{original.number:03d}, volgnummer {named.sequence}" in words
    assert "Factuur 2026/117" in words
    assert len({entry.bank_reference for entry in entries(story)}) == len(entries(story))
    for _ in range(2):
        pass_day(story, account)
    assert len([entry for entry in entries(story) if entry.reverses_entry_id is not None]) == 1, "offset once"


def test_a_moved_row_is_offset_and_comes_again_as_a_new_row(
    story: Story, account: Account, truth: SimulatedAccount
) -> None:
    gone = issued_row(story, account, truth)
    story.banks.world.hide(truth, gone.key)
    story.banks.world.book(truth, AMOUNT, booking_date=story.act.today, texts=("Factuur 2026/117",))
    pass_day(story, account)
    assert not story.statements("held")
    last = story.statements("issued")[-1]
    amounts = [view.entry.amount for view in views(story, last)]
    assert {AMOUNT, -AMOUNT} <= set(amounts)
    assert amounts[0] == -AMOUNT, "the reversal first"


def test_a_row_that_comes_back_after_its_reversal_is_issued_anew_with_a_reference_of_its_own(
    story: Story, account: Account, truth: SimulatedAccount
) -> None:
    gone = issued_row(story, account, truth)
    story.banks.world.hide(truth, gone.key)
    pass_day(story, account)
    story.banks.world.show(truth, gone.key)
    pass_day(story, account)
    assert not story.statements("held")
    written = [entry for entry in entries(story) if entry.amount == AMOUNT]
    assert [entry.is_live for entry in written] == [False, True]
    assert written[0].transaction_id == written[1].transaction_id
    assert len({entry.bank_reference for entry in entries(story)}) == len(entries(story))


def test_an_entry_whose_amount_the_bank_changed_is_offset_and_written_with_the_new_amount(
    story: Story, account: Account, truth: SimulatedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector = story.gateway.banks.connector("crelan")
    monkeypatch.setattr(type(connector), "profile", replace(connector.profile, id_trust=IdTrust.HIGH))
    gone = issued_row(story, account, truth)
    ledger = story.banks.world._ledger(truth)
    changed = Decimal("-60.00")
    monkeypatch.setattr(
        ledger, "extra", [replace(one, amount=changed) if one.key == gone.key else one for one in ledger.extra]
    )
    pass_day(story, account)
    assert not story.statements("held")
    of_row = {entry.amount: entry for entry in entries(story) if entry.amount in {AMOUNT, -AMOUNT, changed}}
    assert {amount: entry.is_live for amount, entry in of_row.items()} == {AMOUNT: False, -AMOUNT: False, changed: True}
    assert len({entry.transaction_id for entry in of_row.values()}) == 1
    assert of_row[-AMOUNT].reverses_entry_id == of_row[AMOUNT].id


def test_a_row_that_a_reading_lacks_by_mistake_is_not_offset(
    story: Story, account: Account, truth: SimulatedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The balance still counts it: with a reversal nothing would prove."""
    gone = issued_row(story, account, truth)
    world, shown = story.banks.world, story.banks.world.booked
    balance = world.balance
    monkeypatch.setattr(world, "booked", lambda *a, **k: [one for one in shown(*a, **k) if one.key != gone.key])
    monkeypatch.setattr(world, "balance", lambda *a, **k: balance(*a, **k) + AMOUNT)
    pass_day(story, account)
    assert not story.statements("held")
    assert [one.amount for one in story.transactions() if one.state == "vanished"] == [AMOUNT]
    assert not [entry for entry in entries(story) if entry.reverses_entry_id is not None]


# The choice itself


def offset(ledger: Ledger, gone: list[Gone], *, days: int = 1, opening: str = "100.00") -> Judgement:
    last = FIRST + (days - 1) * DAY
    return judge_with_offsets(ledger, gone, first_date=FIRST, last_date=last, opening=chain(opening))


def vanished(amount: str, noticed: date) -> Gone:
    return Gone(new_id(), Decimal(amount), at(noticed))


def test_only_what_makes_the_balance_prove_is_offset() -> None:
    old, new = vanished("-5.00", FIRST - 3 * DAY), vanished("-7.00", FIRST + DAY)
    ledger = Ledger([row(FIRST, "10.00")], [closing(FIRST, "117.00")])
    (day,) = offset(ledger, [old, new]).days
    assert day.offsets == (new.entry_id,)
    assert (day.proof, day.closing) == (Proof.PROVEN, Decimal("117.00"))
    (day,) = offset(replace(ledger, closings=[closing(FIRST, "115.00")]), [old, new]).days
    assert day.offsets == (old.entry_id,)
    (day,) = offset(replace(ledger, closings=[closing(FIRST, "122.00")]), [old, new]).days
    assert set(day.offsets) == {old.entry_id, new.entry_id}


def test_nothing_is_offset_where_the_day_proves_without_it_or_not_with_it_either() -> None:
    gone = [vanished("-7.00", FIRST + DAY)]
    ledger = Ledger([row(FIRST, "10.00")], [closing(FIRST, "110.00")])
    assert offset(ledger, gone).days[0].offsets == ()
    (held,) = offset(replace(ledger, closings=[closing(FIRST, "111.00")]), gone).days
    assert (held.proof, held.offsets, held.difference) == (None, (), Decimal("1.00"))
    (waiting,) = offset(replace(ledger, closings=[]), gone).days
    assert (waiting.proof, waiting.offsets) == (None, ())


def test_a_reversal_stands_on_the_first_day_that_needs_it_and_later_days_chain() -> None:
    gone = vanished("-7.00", FIRST + 2 * DAY)
    rows = [row(FIRST, "10.00"), row(FIRST + DAY, "1.00"), row(FIRST + 2 * DAY, "2.00")]
    closings = [closing(FIRST, "110.00"), closing(FIRST + 2 * DAY, "120.00")]
    days = offset(Ledger(rows, closings), [gone], days=3).days
    assert [day.offsets for day in days] == [(), (gone.entry_id,), ()]
    assert [day.proof for day in days] == [Proof.PROVEN, Proof.PROVEN_BY_SPAN, Proof.PROVEN_BY_SPAN]
    assert days[1].has_entries


def test_a_changed_amount_comes_again_no_earlier_than_its_reversal() -> None:
    again = OpenRow(new_id(), FIRST - 9 * DAY, Decimal("-8.00"), at(FIRST + 2 * DAY))
    gone = Gone(new_id(), Decimal("-7.00"), at(FIRST + 2 * DAY), again)
    closings = [closing(FIRST, "110.00"), closing(FIRST + DAY, "109.00")]
    days = offset(Ledger([row(FIRST, "10.00")], closings), [gone], days=2).days
    assert days[0].offsets == ()
    assert (days[1].rows, days[1].offsets) == ((again.id,), (gone.entry_id,))
    assert days[1].late == {again.id}
    assert days[1].closing == Decimal("109.00")


def test_every_family_of_the_standard_has_a_code_for_reversals() -> None:
    families = [family for family in table().families if family != "00"]
    assert len(families) > 15
    for family in families:
        operation = next(code for known, code in table().operations if known == family)
        statement = coda.compose(
            coda.Account.of_iban("BE34103071423390", "EUR"),
            number=1,
            old_balance=Decimal(0),
            old_balance_date=FIRST,
            new_balance=Decimal("1.00"),
            new_balance_date=FIRST + timedelta(days=1),
            entries=[
                coda.Entry(
                    amount=Decimal("1.00"),
                    entry_date=FIRST,
                    bank_reference="A",
                    transaction_code=f"0{family}{operation}000",
                )
            ],
        )
        code = code_of_reversal(coda.write([statement]), 1, Decimal("-1.00"))
        assert exists(code[1:3], code[3:5])
        assert code[3:5] == "49"
        assert code[1:3] == (family if family != "49" else "03")

"""STA-19, SYN-11, CON-13: files of the bank fill gaps and histories of an account that is read at its bank."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlmodel import select

from connectors.simulator import SimulatorServer
from connectors.simulator.faults import FaultKind
from gateway.accounts.models import Account, Balance
from gateway.accounts.service import AccountService
from gateway.assembly import Gateway
from gateway.audit.log import verify
from gateway.errors import InvalidTransition
from gateway.foreign_files.errors import ForeignFilesRefused
from gateway.foreign_files.reading import SentFile
from gateway.pagination import PageRequest
from gateway.profiles.service import KnownAccountService
from gateway.statement_uploads.errors import StatementUploadNotFound, StatementUploadOutdated
from gateway.statement_uploads.models import StatementUploadFile, StatementUploadPart
from gateway.statement_uploads.service import StatementUploadService, UploadView
from gateway.statements.closings import closing_days
from gateway.statements.service import StatementService
from gateway.transactions.dispatch import Dispatcher
from tests.gateway.bank_to_coda.story import Story
from tests.gateway.bank_to_coda.test_renewals import give, renew, under
from tests.gateway.builders import make_client, make_office
from tests.gateway.foreign_files.files import OTHER_IBAN, bank_file
from tests.gateway.statement_uploads.files import (
    ONE_DAY,
    Stated,
    as_camt,
    as_mt940,
    camt_statement,
    coda_days,
    stated,
)


@pytest.fixture
def story(linked: Gateway, banks: SimulatorServer) -> Story:
    return Story.begin(linked, banks)


def begun(story: Story) -> Account:
    """An account whose first days are issued."""
    account = story.connect()
    story.work()
    story.sleep()
    story.read(account)
    assert story.statements("issued")
    return story.account(account.id)


def upload(story: Story, *contents: bytes | SentFile) -> UploadView:
    files = [
        content if isinstance(content, SentFile) else SentFile(f"file{index}", content)
        for index, content in enumerate(contents)
    ]
    return StatementUploadService(story.gateway).upload(story.act, story.client.id, files)


def confirm(story: Story, view: UploadView) -> UploadView:
    return StatementUploadService(story.gateway).confirm(story.act, view.row.id)


def close(story: Story, account: Account) -> int:
    return StatementService(story.gateway).close_days(story.office.id, account.id)


def only(view: UploadView) -> StatementUploadPart:
    ((part, _account),) = view.parts
    return part


def codes(part: StatementUploadPart) -> list[str]:
    return [fault["code"] for fault in part.faults]


def booked(story: Story) -> Counter[tuple[date, Decimal]]:
    return Counter((row.booking_date, row.amount) for row in story.transactions() if row.state == "booked")


def truth(story: Story, account: Account, first: date, last: date) -> Counter[tuple[date, Decimal]]:
    return Counter(stated(story.banks, account.iban, first, last).entries)


def days(story: Story, account: Account, first: date, last: date) -> Sequence[tuple[date, str | None]]:
    return [(row.day, row.proof) for row in StatementService(story.gateway).days(story.act, account, first, last)]


def interrupted(story: Story) -> tuple[Account, date, date]:
    """An account with a gap that the bank does not give any more: its first and last missing day."""
    account = begun(story)
    story.sleep(days=story.gateway.banks.profile(story.bank_id).history.days + 12)
    Dispatcher(story.gateway).run_office(story.office.id)
    give(story, renew(story, under(account))[1])
    story.work()
    (gap,) = AccountService(story.gateway).get(story.act, account.id).gaps
    return story.account(account.id), gap.first_day, gap.last_day


def before_history(story: Story, account: Account, *, days: int) -> Stated:
    """What the bank's file says of days before its interface begins."""
    assert account.history_from is not None
    last = account.history_from - ONE_DAY
    closing = story.banks.world.balance(story.banks.world.account(account.iban), last)
    entries = [(last - ONE_DAY, Decimal("-10.00")), (last - ONE_DAY, Decimal("-10.00")), (last, Decimal("32.50"))]
    opening = closing - sum(amount for _, amount in entries)
    return Stated(account.iban, last - timedelta(days=days), opening, last, entries)


@pytest.mark.parametrize("kind", ["coda", "camt053", "mt940"])
def test_files_fill_a_gap_and_its_days_are_proven_and_issued(story: Story, kind: str) -> None:
    account, first, last = interrupted(story)
    before = [(row.number, row.sha256) for row in story.statements("issued")]
    one = stated(story.banks, account.iban, first, last)
    assert one.entries, "there is something to fill"
    if kind == "coda":
        view = upload(story, *coda_days(story.banks, account.iban, first, last))
    elif kind == "camt053":
        view = upload(story, as_camt(camt_statement(one)))
    else:
        view = upload(story, as_mt940(one))
    part = only(view)
    assert not part.faults, part.faults
    assert view.row.state == "proposed"
    # What was booked on the day of the last reading before the gap is there already.
    there = sum((booked(story) & Counter(one.entries)).values())
    assert (part.first_day, part.last_day) == (first, last)
    assert (part.added_count, part.known_count) == (len(one.entries) - there, there)
    assert part.added_count > 30
    assert {file.format for file in view.files} == {kind}
    assert not [row for row in story.transactions() if row.upload_id], "nothing is taken in before it is confirmed"
    done = confirm(story, view)
    assert done.row.state == "confirmed"
    assert truth(story, account, first, last) <= booked(story)
    assert not AccountService(story.gateway).get(story.act, account.id).gaps
    close(story, account)
    assert all(proof is not None for _, proof in days(story, account, first, last))
    issued = story.statements("issued")
    assert [(row.number, row.sha256) for row in issued][: len(before)] == before, "what is issued stays"
    assert {day for day, _ in one.entries} <= {row.day for row in issued}
    brought = [row for row in story.transactions() if row.upload_id is not None]
    assert {row.upload_id for row in brought} == {view.row.id}
    assert all(row.coda_code and row.counterparty_iban != account.iban for row in brought)
    with story.gateway.database.unit_of_work(story.office.id) as session:
        assert verify(session, story.gateway.audit, story.office.id) is None


def test_history_from_before_the_connection_counts_in_no_statement_and_shows_in_the_daily_balances(
    story: Story,
) -> None:
    """SYN-11: balances of a document say so; what lies before the chain is never a late entry of it."""
    account = begun(story)
    assert account.history_from is not None
    first, last = account.history_from - timedelta(days=20), account.history_from - ONE_DAY
    one = before_history(story, account, days=20)
    view = upload(story, as_camt(camt_statement(one)))
    assert not only(view).faults
    confirm(story, view)
    issued = [(row.number, row.sha256, row.entries_count) for row in story.statements("issued")]
    close(story, account)
    assert [(row.number, row.sha256, row.entries_count) for row in story.statements("issued")] == issued
    account = story.account(account.id)
    assert account.history_from == first, "statements could begin there"
    found = {row.day: row for row in closing_days(story.gateway, story.act, account, first, last)}
    assert (found[last].amount, found[last].basis) == (one.closing, "document")
    with story.gateway.database.unit_of_work(story.office.id) as session:
        stored = session.exec(select(Balance).where(Balance.basis == "document")).all()
    assert {(row.reference_date, row.amount) for row in stored} == {
        (first - ONE_DAY, one.opening), (last, one.closing),
    }  # fmt: skip
    story.sleep()
    story.read(account)
    rows = story.statements("issued")
    assert rows[-1].closing_balance == story.banks.world.balance(
        story.banks.world.account(account.iban), rows[-1].day
    ), "the chain goes on as if nothing had been added before it"


def test_what_the_bank_left_out_is_filled_and_a_later_reading_doubles_nothing(story: Story) -> None:
    account = begun(story)
    simulated = story.banks.world.account(account.iban)
    day = story.act.today
    story.banks.faults.order(FaultKind.WRONG_BALANCE, account=account.iban, amount="-82.20", times=None)
    story.sleep()
    story.read(account)
    assert story.account(account.id).health == "ok"
    assert all(proof is None for _, proof in days(story, account, day, day)), "the bank counts what it does not show"
    one = stated(story.banks, account.iban, day, day)
    twins = [(day, Decimal("-41.10"))] * 2
    view = upload(story, as_camt(camt_statement(replace(one, entries=[*one.entries, *twins]))))
    part = only(view)
    assert (part.faults, part.added_count, part.known_count) == ([], 2, len(one.entries))
    confirm(story, view)
    close(story, account)
    assert all(proof == "proven" for _, proof in days(story, account, day, day))
    assert {row.day for row in story.statements("issued")} >= {day}
    files = [(row.number, row.sha256) for row in story.statements("issued")]
    story.read(account)
    assert booked(story)[day, Decimal("-41.10")] == 2, "the bank does not show them, and they stay"
    ids = {row.id for row in story.transactions() if row.amount == Decimal("-41.10")}
    story.banks.faults.clear()
    for _ in twins:
        story.banks.world.book(simulated, Decimal("-41.10"), booking_date=day)
    story.sleep()
    story.read(account)
    assert booked(story)[day, Decimal("-41.10")] == 2, "the bank tells them now, and they are the same two"
    again = [row for row in story.transactions() if row.amount == Decimal("-41.10")]
    assert {row.id for row in again} == ids
    assert {row.upload_id for row in again} == {view.row.id}
    assert [(row.number, row.sha256) for row in story.statements("issued")][: len(files)] == files
    assert not story.statements("held")
    assert all(row.late_count == 0 for row in story.statements("issued") if row.day > day)


def test_an_entry_of_an_issued_day_goes_into_the_next_statement(story: Story) -> None:
    """STA-06: no issued file is touched; the entry says when it was booked."""
    account = begun(story)
    issued = story.statements("issued")
    old = issued[-1].day
    before = [(row.number, row.sha256) for row in issued]
    day = story.act.today
    story.banks.faults.order(FaultKind.WRONG_BALANCE, account=account.iban, amount="-3.33", times=None)
    story.sleep()
    story.read(account)
    one = stated(story.banks, account.iban, day, day)
    view = upload(story, as_mt940(replace(one, entries=[*one.entries, (old, Decimal("-3.33"))])))
    part = only(view)
    assert (part.faults, part.added_count, part.late_count) == ([], 1, 1)
    confirm(story, view)
    close(story, account)
    after = story.statements("issued")
    assert [(row.number, row.sha256) for row in after][: len(before)] == before
    (late,) = [row for row in story.transactions() if row.amount == Decimal("-3.33")]
    assert late.booking_date == old
    (of_day,) = [statement for statement in after if statement.day == day]
    assert of_day.late_count == 1
    assert of_day.closing_balance == one.closing - Decimal("3.33")


def test_files_of_other_accounts_and_files_that_are_known_are_refused_by_name(story: Story) -> None:
    account = begun(story)
    last = story.account(account.id).complete_until
    assert last is not None
    fine = as_camt(camt_statement(stated(story.banks, account.iban, last, last)))
    strange = bank_file(OTHER_IBAN, last, number=1, opening=Decimal(0), amounts=[Decimal(1)])
    mixed = as_camt(
        camt_statement(stated(story.banks, account.iban, last, last)),
        camt_statement(Stated(OTHER_IBAN, last - ONE_DAY, Decimal(1), last)),
    )
    dollars = as_mt940(Stated(account.iban, last - ONE_DAY, Decimal(1), last, currency="USD"))
    for content, found in ((strange, "…7792 EUR"), (mixed, "…7792 EUR"), (dollars, f"…{account.iban[-4:]} USD")):
        with pytest.raises(ForeignFilesRefused) as refused:
            upload(story, content)
        (fault,) = refused.value.faults
        assert fault.code == "wrong_account"
        assert (fault.parameters["found"], fault.parameters["expected"]) == (found, f"…{account.iban[-4:]} EUR")
    view = upload(story, fine, strange)
    assert [fault["code"] for fault in view.row.refused_files] == ["wrong_account"]
    assert (only(view).added_count, only(view).faults) == (0, [])
    with story.gateway.database.unit_of_work(story.office.id) as session:
        (kept,) = session.exec(select(StatementUploadFile)).all()
    assert fine not in kept.content_cipher
    assert kept.size == len(fine)
    confirm(story, view)
    assert confirm(story, view).row.state == "confirmed", "to repeat it is harmless"
    with pytest.raises(ForeignFilesRefused) as refused:
        upload(story, fine)
    (fault,) = refused.value.faults
    assert (fault.code, fault.parameters["found"]) == ("taken_in_before", story.act.today.isoformat())


def test_balances_of_the_bank_and_of_the_file_must_be_the_same(story: Story) -> None:
    account = begun(story)
    last = story.account(account.id).complete_until
    assert last is not None
    one = stated(story.banks, account.iban, last, last)
    before = booked(story)
    wrong = Stated(account.iban, one.opening_day, one.opening + 1, last, one.entries)
    refused = upload(story, as_camt(camt_statement(wrong)))
    assert (refused.row.state, codes(only(refused))) == ("refused", ["balance_differs"])
    (fault,) = only(refused).faults
    assert (fault["found"], fault["expected"]) == (f"{one.opening + 1:.2f}", f"{one.opening:.2f}")
    with pytest.raises(InvalidTransition):
        confirm(story, refused)
    today = story.act.today
    early = stated(story.banks, account.iban, today, today)
    assert codes(only(upload(story, as_camt(camt_statement(early))))) == ["day_not_over"]
    far = Stated(account.iban, date(2024, 1, 1), Decimal(5), date(2024, 1, 2))
    assert codes(only(upload(story, as_camt(camt_statement(far))))) == ["days_missing"]
    assert booked(story) == before


def test_what_changed_since_it_was_shown_is_shown_again_first(story: Story) -> None:
    account = begun(story)
    assert account.history_from is not None
    one = before_history(story, account, days=9)
    first = upload(story, as_camt(camt_statement(one)))
    second = upload(story, as_mt940(one))
    confirm(story, first)
    count = len(story.transactions())
    with pytest.raises(StatementUploadOutdated):
        confirm(story, second)
    assert len(story.transactions()) == count, "all of it or nothing"
    third = upload(story, as_mt940(one))
    assert (only(third).added_count, only(third).known_count) == (0, len(one.entries))
    with pytest.raises(StatementUploadNotFound):
        StatementUploadService(story.gateway).confirm(
            story.gateway.system_act(make_office(story.gateway).id), third.row.id
        )


def test_an_account_that_was_not_read_or_is_no_account_takes_nothing_in(story: Story) -> None:
    account = story.connect()
    day = story.act.today - timedelta(days=3)
    one = stated(story.banks, account.iban, day, day)
    assert codes(only(upload(story, as_camt(camt_statement(one))))) == ["not_read_yet"]
    other = make_client(story.gateway, story.office, now=story.now)
    KnownAccountService(story.gateway).add(story.act, other.id, iban=OTHER_IBAN, wanted={})
    with pytest.raises(ForeignFilesRefused):
        StatementUploadService(story.gateway).upload(story.act, other.id, [SentFile("a", as_camt(camt_statement(one)))])
    views, _ = StatementUploadService(story.gateway).page(story.act, PageRequest(50, None), client_id=story.client.id)
    assert [view.row.state for view in views] == ["refused"]

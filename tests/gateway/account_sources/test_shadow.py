"""STA-21: our days beside the bank's own files, without number or delivery."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from starlette.testclient import TestClient

import coda
from connectors.simulator import SimulatorServer
from gateway.account_sources.anew import made_anew
from gateway.account_sources.files import BankFileService
from gateway.account_sources.shadow import DayDifference, ShadowService
from gateway.account_sources.states import Source
from gateway.account_sources.switching import SourceService
from gateway.accounts.errors import AccountNotFound
from gateway.accounts.models import Account
from gateway.assembly import Gateway
from gateway.errors import PeriodInvalid
from gateway.foreign_files.reading import SentFile
from gateway.ids import encode
from gateway.statements.states import StatementState
from tests.gateway.bank_to_coda.story import Story
from tests.gateway.bank_to_coda.test_rest import sign_in
from tests.gateway.builders import make_office
from tests.gateway.foreign_files.files import ONE_DAY, bank_file, bank_files
from tests.gateway.serving import app_of


@pytest.fixture
def story(linked: Gateway, banks: SimulatorServer) -> Story:
    return Story.begin(linked, banks)


def shadowed(story: Story, files: list[SentFile], account: Account) -> Account:
    """The bank's files are the source, and the account is read beside them."""
    first = story.act.today - timedelta(days=40)
    SourceService(story.gateway).switch(story.act, account.id, Source.CODABOX, first)
    BankFileService(story.gateway).upload(story.act, account.id, files)
    story.work()
    story.sleep()
    story.read(account)
    return story.account(account.id)


def test_days_are_compared_without_a_number_and_the_sentence_says_how_many_agree(story: Story) -> None:
    account = story.connect(is_started=False)
    last = story.act.today - timedelta(days=2)
    first = last - timedelta(days=20)
    files = bank_files(story.banks, account.iban, first, last, number=11)
    account = shadowed(story, files, account)
    report = ShadowService(story.gateway).compare(story.act, account.id, first, last)
    assert len(report.days) == len(files)
    assert (report.same, {day.outcome for day in report.days}) == (len(files), {"identical_in_amounts"})
    assert all(day.is_proven for day in report.days)
    assert {day.state for day in report.days} == {StatementState.COMPARED}
    fields = {each.field for day in report.days for each in day.differences}
    assert not fields & {"new_balance", "old_balance", "entries_count", "movement", "movement.amount"}
    assert {"movement.communication", "movement.bank_reference"} <= fields, "these files have texts of their own"
    assert not story.statements(), "no statement of ours, no number, no delivery"


def test_files_that_say_what_ours_would_are_identical_and_a_day_not_read_is_not_proven(story: Story) -> None:
    account = story.connect(is_started=False)
    story.work()
    account = story.account(account.id)
    last = account.complete_until
    assert last is not None
    first = last - timedelta(days=20)
    with story.gateway.database.unit_of_work(story.office.id) as session:
        made = made_anew(story.gateway, session, account, story.client, first=first, last=last)
    written = [(each, coda.write(each.statements)) for each in made if each.statements]
    day = last + ONE_DAY
    opening = story.banks.world.balance(story.banks.world.account(account.iban), last)
    beyond = bank_file(account.iban, day, number=99, opening=opening, amounts=[Decimal("1.00")])
    files = [SentFile(f"{each.day}.cod", content) for each, content in written] + [SentFile("beyond.cod", beyond)]
    BankFileService(story.gateway).upload(story.act, account.id, files)
    report = ShadowService(story.gateway).compare(story.act, account.id, first, day)
    *compared, unread = report.days
    assert len(compared) == report.identical == len(written) > 2
    assert not [one for each in compared for one in each.differences]
    assert (unread.outcome, unread.state, unread.is_in_ours, unread.theirs_count) == ("different", None, False, 1)
    # One balance of the bank alone proves nothing, as for an issued statement.
    assert {(each.state, each.hold_code) for each in compared} == {(StatementState.HELD, "awaiting_bank_balance")}
    story.sleep()
    story.read(account)
    again = ShadowService(story.gateway).compare(story.act, account.id, first, last)
    assert {each.state for each in again.days} == {StatementState.COMPARED}


def test_a_day_that_differs_is_listed_with_both_sides(story: Story) -> None:
    account = story.connect(is_started=False)
    last = story.act.today - timedelta(days=2)
    files = bank_files(story.banks, account.iban, last - timedelta(days=20), last, number=11)
    truth = story.banks.world.account(account.iban)
    day = max(row.booking_date for row in story.banks.world.booked(truth) if row.booking_date <= last)
    opening = story.banks.world.balance(truth, day - ONE_DAY)
    files[-1] = SentFile(
        "other.cod", bank_file(account.iban, day, number=40, opening=opening, amounts=[Decimal("0.01")])
    )
    account = shadowed(story, files, account)
    report = ShadowService(story.gateway).compare(story.act, account.id, last - timedelta(days=20), last)
    assert [each.day for each in report.days if each.outcome == "different"] == [day]
    listed = report.days[-1].differences
    assert DayDifference("movement", "", "0.01", Decimal("0.01")) in listed
    assert any(each.field == "new_balance" for each in listed)
    with pytest.raises(PeriodInvalid):
        ShadowService(story.gateway).compare(story.act, account.id, last, last - ONE_DAY)
    other = story.gateway.system_act(make_office(story.gateway, name="Ander kantoor").id)
    with pytest.raises(AccountNotFound):
        ShadowService(story.gateway).compare(other, account.id, last, last)


@pytest.mark.parametrize(
    ("language", "wanted"),
    [("en", "days identical in amounts"), ("nl", "dagen gelijk in bedragen"),
     ("fr", "jours identiques en montants"), ("de", "Tagen in den Beträgen gleich")],
)  # fmt: skip
def test_the_sentence_is_said_in_four_languages(story: Story, language: str, wanted: str) -> None:
    account = story.connect(is_started=False)
    last = story.act.today - timedelta(days=2)
    shadowed(story, bank_files(story.banks, account.iban, last - timedelta(days=20), last, number=11), account)
    headers = sign_in(story.gateway, story.office, "coda") | {"Accept-Language": language}
    path = f"/v1/accounts/{encode('account', account.id)}/shadow-comparison"
    with TestClient(app_of(story.gateway)) as http:
        answer = http.get(f"{path}?to={last.isoformat()}", headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.json()["sentence"].endswith(wanted)
        early = http.get(f"{path}?from=2020-01-01&to=2020-01-31", headers=headers).json()
        assert (early["days"], early["days_count"]) == ([], 0)

"""CON-17: one declared source per account; bank-made CODA is passed on byte for byte, and never mixed with ours."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from starlette.testclient import TestClient

from connectors.simulator import SimulatorServer
from gateway.account_sources.declared import source_of
from gateway.account_sources.errors import (
    BankFileNotFound,
    SecondSource,
    SourceDayNotProven,
    SourceDayRefused,
    SourceIsPresent,
    SourceNotPossible,
)
from gateway.account_sources.files import BankFileFilter, BankFileService
from gateway.account_sources.models import BankFile
from gateway.account_sources.states import Source
from gateway.account_sources.switching import SourceService
from gateway.accounts.errors import AccountNotFound
from gateway.accounts.models import Account
from gateway.assembly import Gateway
from gateway.errors import InvalidTransition
from gateway.foreign_files.errors import ForeignFilesRefused
from gateway.foreign_files.reading import SentFile
from gateway.ids import encode
from gateway.pagination import PageRequest
from gateway.profiles.service import KnownAccountService
from gateway.statements.service import StatementService
from tests.gateway.bank_to_coda.story import Story
from tests.gateway.bank_to_coda.test_rest import sign_in
from tests.gateway.builders import make_office
from tests.gateway.foreign_files.files import ONE_DAY, OTHER_IBAN, bank_file, bank_files
from tests.gateway.serving import app_of

ALL = PageRequest(200, None)


@pytest.fixture
def story(linked: Gateway, banks: SimulatorServer) -> Story:
    return Story.begin(linked, banks)


def started(story: Story) -> Account:
    """An account with statements of ours."""
    account = story.connect()
    story.work()
    story.sleep()
    story.read(account)
    return story.account(account.id)


def switch(story: Story, account: Account, source: Source, day: date) -> Account:
    return SourceService(story.gateway).switch(story.act, account.id, source, day)


def upload(story: Story, account: Account, *contents: bytes) -> list[BankFile]:
    views, _ = BankFileService(story.gateway).upload(
        story.act, account.id, [SentFile(f"{index}.cod", content) for index, content in enumerate(contents)]
    )
    return [view.row for view in views]


def state_of(story: Story, row: BankFile) -> str:
    return BankFileService(story.gateway).get(story.act, row.id).row.state


def booked(story: Story, account: Account, amount: str = "-12.34") -> None:
    """A movement of the day that just ended."""
    truth = story.banks.world.account(account.iban)
    story.banks.world.book(truth, Decimal(amount), booking_date=story.act.today - ONE_DAY)


def of_day(story: Story, account: Account, day: date, *, number: int) -> bytes:
    """The bank's file of a day."""
    (file,) = bank_files(story.banks, account.iban, day, day, number=number)
    return file.content


def test_a_bank_made_file_comes_out_as_it_went_in(story: Story) -> None:
    """Also one with line ends and padding that our writer would never make."""
    iban = OTHER_IBAN
    known = KnownAccountService(story.gateway).add(story.act, story.client.id, iban=iban, wanted={})
    day = story.act.today - timedelta(days=3)
    account = SourceService(story.gateway).switch(story.act, known.id, Source.CODABOX, day)
    assert (account.id, source_of(account), account.source_from) == (known.id, Source.CODABOX, day)
    content = bank_file(iban, day, number=77, opening=Decimal("5.00"), amounts=[Decimal("1.10")], paper=3)
    odd = content.replace(b"\r\n", b"\n")
    (row,) = upload(story, account, odd)
    assert row.state == "passed_on"
    view, given = BankFileService(story.gateway).content(story.act, row.id)
    assert given == odd
    assert view.sha256 == hashlib.sha256(odd).hexdigest()
    assert not story.statements(), "it is not among ours, and takes none of our numbers"
    assert [again.id for again in upload(story, account, odd)] == [row.id], "the same file again is the same file"


def test_on_days_of_another_source_a_file_is_held_until_a_person_chooses(story: Story) -> None:
    account = started(story)
    last = story.statements("issued")[-1]
    before = [(row.number, row.sha256) for row in story.statements("issued")]
    held, other = upload(
        story, account,
        bank_file(account.iban, last.day, number=9, opening=Decimal("1.00"), amounts=[Decimal("1.00")]),
        bank_file(account.iban, last.day, number=10, opening=Decimal("2.00"), amounts=[Decimal("1.00")]),
    )  # fmt: skip
    assert (held.state, held.source) == ("held", "direct")
    with pytest.raises(SecondSource) as refused:
        BankFileService(story.gateway).content(story.act, held.id)
    assert refused.value.parameters == {"source": "direct"}
    BankFileService(story.gateway).set_aside(story.act, held.id)
    assert state_of(story, held) == "set_aside"
    with pytest.raises(SecondSource):
        BankFileService(story.gateway).content(story.act, held.id)
    with pytest.raises(InvalidTransition):
        BankFileService(story.gateway).set_aside(story.act, held.id)
    listed, _ = BankFileService(story.gateway).page(story.act, ALL, BankFileFilter(account_id=account.id))
    assert {(view.row.id, view.row.state) for view in listed} == {(held.id, "set_aside"), (other.id, "held")}
    assert [(row.number, row.sha256) for row in story.statements("issued")] == before


def test_a_switch_says_from_which_day_and_leaves_no_day_with_two_sources_or_none(story: Story) -> None:
    account = started(story)
    days = StatementService(story.gateway)
    closed = max(
        row.day for row in days.days(story.act, account, story.act.today - timedelta(days=60), story.act.today)
    )
    for wrong in (closed, closed + 2 * ONE_DAY, story.act.today + timedelta(days=9)):
        with pytest.raises(SourceDayRefused):
            switch(story, account, Source.CODABOX, wrong)
    with pytest.raises(SourceIsPresent):
        switch(story, account, Source.DIRECT, closed + ONE_DAY)
    with pytest.raises(SourceNotPossible):
        switch(story, account, Source.PONTO, closed + ONE_DAY)
    story.sleep()
    booked(story, account)
    day = closed + ONE_DAY
    waiting = upload(story, account, of_day(story, account, day, number=301))[0]
    assert waiting.state == "held"
    switch(story, account, Source.ISABEL, day)
    assert state_of(story, waiting) == "passed_on", "the person chose the files"
    count = len(story.statements("issued"))
    story.read(account)
    assert len(story.statements("issued")) == count, "ours are not made of its days"
    (shown,) = days.calendar(story.act, story.account(account.id), day, day)
    assert (shown.row.state, shown.row.proof, shown.row.cause) == ("statement", "bank_file", None)
    assert shown.file is not None
    assert (shown.file.bank_file_id, shown.file.name, shown.file.number) == (waiting.id, "0.cod", 301)
    second = upload(story, account, of_day(story, account, day, number=302))[0]
    assert second.state == "held", "a second file of the same day is a second source as well"


def test_back_to_reading_ours_go_on_at_the_balance_and_after_the_number_of_the_last_file(story: Story) -> None:
    account = started(story)
    ours = [row.number or 0 for row in story.statements("issued")]
    closed = story.act.today - ONE_DAY
    story.sleep()
    booked(story, account)
    day = closed + ONE_DAY
    switch(story, account, Source.CODABOX, day)
    (file,) = upload(story, account, of_day(story, account, day, number=301))
    assert file.state == "passed_on"
    story.read(account)
    story.sleep()
    booked(story, account, "99.00")
    with pytest.raises(SourceDayRefused) as refused:
        switch(story, account, Source.DIRECT, day)
    assert refused.value.parameters["expected"] == (day + ONE_DAY).isoformat()
    switch(story, account, Source.DIRECT, day + ONE_DAY)
    assert source_of(story.account(account.id)) is Source.DIRECT
    story.read(account)
    last = story.statements("issued")[-1]
    truth = story.banks.world.account(account.iban)
    assert (last.number, last.day) == (302, day + ONE_DAY)
    assert last.opening_balance == story.banks.world.balance(truth, day)
    assert last.closing_balance == story.banks.world.balance(truth, day + ONE_DAY)
    assert [row.number for row in story.statements("issued")][:-1] == ours
    assert state_of(story, file) == "passed_on", "the days of the files stay theirs"
    content = BankFileService(story.gateway).content(story.act, file.id)[1]
    assert content == of_day(story, account, day, number=301)


def test_a_lower_number_of_the_bank_never_makes_ours_repeat(story: Story) -> None:
    account = started(story)
    highest = max(row.number or 0 for row in story.statements("issued"))
    day = story.act.today
    story.sleep()
    booked(story, account)
    switch(story, account, Source.UPLOAD, day)
    upload(story, account, of_day(story, account, day, number=1))
    with pytest.raises(SourceDayNotProven):
        # STA-21: nothing was read of that day yet.
        switch(story, account, Source.DIRECT, day + ONE_DAY)
    story.sleep()
    story.read(account)
    story.sleep()
    booked(story, account, "5.00")
    switch(story, account, Source.DIRECT, day + ONE_DAY)
    story.read(account)
    later = [row.number for row in story.statements("issued") if row.day > day]
    assert later
    assert later == [highest + 1 + index for index in range(len(later))]


def test_an_account_fed_by_files_from_the_start_hands_over_when_it_is_read(story: Story) -> None:
    """STA-20 by the switch itself: the first file of ours follows the last bank-made one."""
    iban = next(
        row.iban for row in story.banks.world.accounts_of("lien.lindenaar", "crelan") if row.cash_account_type == "CACC"
    )
    assert iban is not None
    known = KnownAccountService(story.gateway).add(story.act, story.client.id, iban=iban, wanted={})
    last = story.act.today - timedelta(days=10)
    files = bank_files(story.banks, iban, last - timedelta(days=14), last, number=60)
    first_day = last - timedelta(days=30)
    SourceService(story.gateway).switch(story.act, known.id, Source.CODABOX, first_day)
    rows = upload(story, story.account(known.id), *(file.content for file in files))
    assert {row.state for row in rows} == {"passed_on"}
    account = story.connect(is_started=False)
    assert account.id == known.id
    story.work()
    assert not story.statements(), "read at the bank as well, its days wait"
    end = max(row.last_day for row in rows)
    switch(story, account, Source.DIRECT, end + ONE_DAY)
    StatementService(story.gateway).close_days(story.office.id, account.id)
    issued = story.statements("issued")
    assert [row.number for row in issued] == [60 + len(files) + index for index in range(len(issued))]
    assert issued[0].opening_balance == story.banks.world.balance(story.banks.world.account(iban), end)


def test_a_file_of_another_account_or_office_is_refused(story: Story) -> None:
    account = started(story)
    strange = bank_file(OTHER_IBAN, story.act.today, number=1, opening=Decimal(0), amounts=[Decimal(1)])
    with pytest.raises(ForeignFilesRefused) as refused:
        upload(story, account, strange)
    assert [fault.parameters["expected"] for fault in refused.value.faults] == [f"…{account.iban[-4:]}"]
    (row,) = upload(story, account, of_day(story, account, story.statements("issued")[-1].day, number=1))
    other = make_office(story.gateway, name="Ander kantoor")
    act = story.gateway.system_act(other.id)
    with pytest.raises(AccountNotFound):
        SourceService(story.gateway).switch(act, account.id, Source.CODABOX, story.act.today)
    with pytest.raises(AccountNotFound):
        BankFileService(story.gateway).upload(act, account.id, [SentFile("a.cod", strange)])
    for call in (BankFileService(story.gateway).get, BankFileService(story.gateway).set_aside):
        with pytest.raises(BankFileNotFound):
            call(act, row.id)
    assert BankFileService(story.gateway).page(act, ALL)[0] == []


def test_the_rest_face(story: Story) -> None:
    account = started(story)
    headers = sign_in(story.gateway, story.office, "clients", "accounts", "coda")
    path = f"/v1/accounts/{encode('account', account.id)}"
    day = story.act.today
    content = bank_file(account.iban, day, number=5, opening=Decimal("1.00"), amounts=[Decimal("1.00")])
    with TestClient(app_of(story.gateway)) as http:
        assert http.get(path, headers=headers).json()["source"] == "direct"
        sent: Any = http.post(f"{path}/bank-files", files=[("files", ("bank.cod", content))], headers=headers)
        assert sent.status_code == 201, sent.text
        (file,) = sent.json()["items"]
        assert (file["state"], file["origin"]) == ("held", "bank-made")
        address = f"/v1/bank-files/{file['id']}"
        held = http.get(f"{address}/content", headers=headers)
        assert (held.status_code, held.json()["code"], held.json()["source"]) == (409, "second_source", "direct")
        body = {"source": "codabox", "from_day": (day + 3 * ONE_DAY).isoformat()}
        wrong = http.post(f"{path}/source-switches", json=body, headers=headers)
        assert (wrong.status_code, wrong.json()["code"]) == (409, "source_day_refused")
        done = http.post(f"{path}/source-switches", json=body | {"from_day": day.isoformat()}, headers=headers)
        assert (done.status_code, done.json()["source"]) == (201, "codabox"), done.text
        told = http.get(path, headers=headers).json()
        assert (told["source"], told["source_from"]) == ("codabox", day.isoformat())
        given = http.get(f"{address}/content", headers=headers)
        assert given.content == content
        assert given.headers["X-Content-SHA256"] == hashlib.sha256(content).hexdigest()
        listed = http.get(f"/v1/bank-files?account_id={told['id']}&state=passed_on", headers=headers).json()["items"]
        assert [item["id"] for item in listed] == [file["id"]]
        again = http.post(f"{address}/set-asides", headers=headers)
        assert (again.status_code, again.json()["code"]) == (409, "invalid_transition")

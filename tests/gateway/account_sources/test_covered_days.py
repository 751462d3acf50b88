"""CON-17, SYN-15: days of bank-made files in the calendar, and what a switch would do before it is done."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from connectors.simulator import SimulatorServer
from gateway.account_sources.errors import SourceDayRefused, SourceIsPresent
from gateway.account_sources.files import BankFileService
from gateway.account_sources.foreseeing import foresee
from gateway.account_sources.models import BankFile, SourceSwitch
from gateway.account_sources.states import Source
from gateway.account_sources.switching import SourceService
from gateway.accounts.errors import AccountNotFound
from gateway.accounts.models import Account
from gateway.assembly import Gateway
from gateway.foreign_files.reading import SentFile
from gateway.ids import encode
from gateway.pagination import PageRequest
from gateway.profiles.service import KnownAccountService
from gateway.statements.closings import closing_days
from gateway.statements.service import StatementService
from tests.gateway.bank_to_coda.story import Story
from tests.gateway.bank_to_coda.test_rest import sign_in
from tests.gateway.builders import make_office
from tests.gateway.foreign_files.files import ONE_DAY, OTHER_IBAN, bank_file
from tests.gateway.serving import app_of

ALL = PageRequest(200, None)


@pytest.fixture
def story(linked: Gateway, banks: SimulatorServer) -> Story:
    return Story.begin(linked, banks)


def fed(story: Story, first: date) -> Account:
    """An account that is never read: bank-made files are its source from a day on."""
    known = KnownAccountService(story.gateway).add(story.act, story.client.id, iban=OTHER_IBAN, wanted={})
    return SourceService(story.gateway).switch(story.act, known.id, Source.CODABOX, first, reason="Mandaat loopt nog")


def send(story: Story, account: Account, *files: tuple[str, bytes]) -> list[UUID]:
    sent = [SentFile(name, content) for name, content in files]
    return [view.row.id for view in BankFileService(story.gateway).upload(story.act, account.id, sent)[0]]


def shown(story: Story, account: Account, first: date, last: date) -> dict[int, tuple[Any, ...]]:
    """By the distance from the first day: state, proof, cause and the file's name."""
    views = StatementService(story.gateway).calendar(story.act, account, first, last)
    return {
        (view.row.day - first).days: (
            str(view.row.state), view.row.proof, view.row.cause, view.file.name if view.file else None,
        )
        for view in views
    }  # fmt: skip


def test_a_day_of_a_bank_made_file_is_proven_by_it_and_a_missing_one_is_named(story: Story) -> None:
    first = story.act.today - timedelta(days=10)
    account = fed(story, first)
    ids = send(
        story, account,
        ("a.cod", bank_file(OTHER_IBAN, first + ONE_DAY, number=7, opening=Decimal("5.00"), amounts=[Decimal(1)],
                            opening_date=first - 3 * ONE_DAY)),
        ("b.cod", bank_file(OTHER_IBAN, first + 4 * ONE_DAY, number=8, opening=Decimal("6.00"),
                            amounts=[Decimal(2), Decimal(-1)])),
        ("c.cod", bank_file(OTHER_IBAN, first + 7 * ONE_DAY, number=10, opening=Decimal("9.00"))),
    )  # fmt: skip
    days = shown(story, account, first - ONE_DAY, story.act.today)
    assert days[0][0] == "before_start"
    silent, missing = ("no_entries", "bank_file", None), ("source_failed", None, "bank_file_missing", None)
    assert days[1] == (*silent, "a.cod"), "no entry since its old balance"
    assert days[2] == ("statement", "bank_file", None, "a.cod")
    assert [days[3], days[4]] == [(*silent, "b.cod")] * 2
    assert days[5] == ("statement", "bank_file", None, "b.cod")
    assert [days[6], days[7]] == [missing] * 2, "c.cod opens at 9.00, b.cod closed at 7.00"
    assert days[8] == (*silent, "c.cod"), "an empty statement of the bank says that nothing happened"
    assert {days[back] for back in range(9, len(days))} == {("source_failed", None, "awaiting_bank_file", None)}
    assert len(days) == 11, "no day is left out"
    inside = shown(story, account, first + 2 * ONE_DAY, first + 3 * ONE_DAY)
    assert inside == {0: days[3], 1: days[4]}, "files around the period speak of it too"
    series = closing_days(story.gateway, story.act, account, first + 4 * ONE_DAY, first + 5 * ONE_DAY)
    assert [(day.amount, day.basis, day.cause) for day in series] == [
        (Decimal("7.00"), "document", None), (None, None, "bank_file_missing"),
    ]  # fmt: skip
    headers = sign_in(story.gateway, story.office, "accounts")
    path = f"/v1/accounts/{encode('account', account.id)}"
    with TestClient(app_of(story.gateway)) as http:
        answer = http.get(f"{path}/days?from={first + ONE_DAY}&to={first + ONE_DAY}", headers=headers)
        (item,) = answer.json()["items"]
        assert (item["proof"], item["file_name"], item["bank_file_id"]) == (
            "bank_file", "a.cod", encode("bank_file", ids[0]),
        )  # fmt: skip
        assert item["closing_balance"] == {"amount": "6.00", "currency": "EUR"}
        switches = http.get(f"{path}/source-switches", headers=headers).json()["items"]
    assert [(row["former"], row["source"], row["from_day"], row["reason"]) for row in switches] == [
        ("direct", "codabox", first.isoformat(), "Mandaat loopt nog")
    ]


def test_what_a_switch_would_do_is_what_it_does_and_looking_changes_nothing(story: Story) -> None:
    account = story.connect()
    story.work()
    story.sleep()
    story.read(account)
    day = story.act.today
    one, other = (
        ("one.cod", bank_file(account.iban, day, number=301, opening=Decimal(1), amounts=[Decimal(1)])),
        ("other.cod", bank_file(account.iban, day, number=302, opening=Decimal(2), amounts=[Decimal(1)])),
    )
    send(story, account, one, other)
    foreseen = foresee(story.gateway, story.act, account.id, Source.CODABOX, day)
    assert (str(foreseen.former), foreseen.files_count, foreseen.held_count) == ("direct", 1, 1)
    assert foreseen.next_number is None
    with pytest.raises(SourceDayRefused):
        foresee(story.gateway, story.act, account.id, Source.CODABOX, day + ONE_DAY)
    with pytest.raises(SourceIsPresent):
        foresee(story.gateway, story.act, account.id, Source.DIRECT, day)
    with story.gateway.database.unit_of_work(story.office.id) as session:
        assert {row.state for row in session.exec(select(BankFile))} == {"held"}
        assert not session.exec(select(SourceSwitch)).all()
    assert story.account(account.id).bank_made_source is None
    SourceService(story.gateway).switch(story.act, account.id, Source.CODABOX, day, reason="De klant wil CodaBox")
    story.sleep()
    story.read(account)
    with pytest.raises(SourceDayRefused):
        foresee(story.gateway, story.act, account.id, Source.DIRECT, day)
    with story.gateway.database.unit_of_work(story.office.id) as session:
        assert sorted(row.state for row in session.exec(select(BankFile))) == ["held", "passed_on"]
        switches = session.exec(select(SourceSwitch)).all()
    assert [(row.source, row.reason) for row in switches] == [("codabox", "De klant wil CodaBox")]
    other_office = story.gateway.system_act(make_office(story.gateway, name="Ander kantoor").id)
    with pytest.raises(AccountNotFound):
        SourceService(story.gateway).switches(other_office, account.id, ALL)

"""What the office chooses of an account's statements: STA-04, STA-06, STA-08, STA-14."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlmodel import select

import coda
from connectors.simulator import SimulatorServer
from gateway.accounts.models import Account
from gateway.accounts.service import AccountService, warnings_of
from gateway.assembly import Gateway
from gateway.errors import RightsError
from gateway.identity.rights import ClientRole
from gateway.offices.models import Client, ClientSettings
from gateway.offices.settings import default_settings
from gateway.statements.coda_file import Period, write_file
from gateway.statements.models import StatementEntry
from gateway.statements.service import StatementService
from tests.gateway.bank_to_coda.story import Story
from tests.gateway.bank_to_coda.test_days import files, started
from tests.gateway.builders import act_of, make_person


@pytest.fixture
def story(linked: Gateway, banks: SimulatorServer) -> Story:
    return Story.begin(linked, banks)


@pytest.fixture
def mute(story: Story, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """The bank stops giving balances."""
    connector = story.gateway.banks.connector("crelan")

    def stop() -> None:
        monkeypatch.setattr(type(connector), "balances", lambda *_: [])

    return stop


def choose(story: Story, account: Account, **wanted: object) -> None:
    AccountService(story.gateway).change(story.act, account.id, wanted)


def pass_day(story: Story, account: Account, amount: str = "-3.10") -> None:
    """A day with one more entry, read the morning after."""
    truth = story.banks.world.account(account.iban)
    story.banks.world.book(truth, Decimal(amount), booking_date=story.act.today)
    story.sleep()
    story.read(account)


def last_day(story: Story, account: Account) -> tuple[str, str | None, str | None]:
    day = story.act.today - timedelta(days=1)
    (row,) = StatementService(story.gateway).days(story.act, story.account(account.id), day, day)
    return row.state, row.proof, row.cause


# Without a balance of the bank (STA-04)


def test_without_the_setting_a_day_without_a_bank_balance_waits(story: Story, mute: Callable[[], None]) -> None:
    account = started(story)
    mute()
    pass_day(story, account)
    assert [row.hold_code for row in story.statements("held")] == ["awaiting_bank_balance"]
    assert last_day(story, account) == ("held", None, "awaiting_bank_balance")


def test_with_it_the_day_is_issued_as_computed_until_a_later_balance_proves_it(
    story: Story, mute: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    account = started(story)
    proven_until = story.statements("issued")[-1].day
    choose(story, account, releases_computed=True)
    mute()
    pass_day(story, account)
    pass_day(story, account)
    computed = story.statements("issued")[-2:]
    assert [row.proof for row in computed] == ["computed", "computed"]
    assert last_day(story, account) == ("statement", "computed", None)
    before = files(story)
    monkeypatch.undo()
    pass_day(story, account)
    proven = {row.id: row for row in story.statements("issued")}
    for row in computed:
        now = proven[row.id]
        assert now.proof == "proven_by_span"
        assert now.details == {
            "span_from": (computed[0].day - timedelta(days=1)).isoformat(),
            "span_until": (story.act.today - timedelta(days=1)).isoformat(),
        }
        assert now.sha256 == row.sha256
    assert proven_until < computed[0].day
    assert story.statements("issued")[-1].proof == "proven_by_span", "the stretch ends with the day that proves it"
    assert {name: files(story)[name] for name in before} == before
    pass_day(story, account)
    assert story.statements("issued")[-1].proof == "proven"


def test_a_chain_that_never_began_is_not_computed(story: Story, mute: Callable[[], None]) -> None:
    mute()
    account = story.connect()
    choose(story, account, releases_computed=True)
    story.work()
    story.sleep()
    story.read(account)
    assert not story.statements("issued")
    assert last_day(story, account) == ("held", None, "no_bank_balance")


# The first statements (STA-05)


def test_the_first_statements_do_not_wait_where_the_office_chose_so(story: Story) -> None:
    account = story.connect()
    story.work()
    assert not story.statements("issued")
    choose(story, account, issues_derived=True)
    StatementService(story.gateway).close_days(story.office.id, account.id)
    first = story.statements("issued")
    assert first
    assert {row.proof for row in first} == {"derived"}
    pass_day(story, account)
    later = story.statements("issued")[len(first) :]
    assert later
    assert {row.proof for row in later} == {"proven"}
    assert [row.number for row in story.statements("issued")] == list(range(1, len(first) + len(later) + 1))


# Days without entries (STA-08)


def test_a_day_without_entries_makes_an_empty_file_only_where_that_was_chosen(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = started(story)
    world, shown = story.banks.world, story.banks.world.booked
    quiet = story.act.today
    monkeypatch.setattr(world, "booked", lambda *a, **k: [row for row in shown(*a, **k) if row.booking_date < quiet])
    count = len(files(story))
    story.sleep()
    story.read(account)
    assert len(files(story)) == count
    assert last_day(story, account) == ("no_entries", "proven", None)
    choose(story, account, empty_statement="daily")
    for _ in range(2):
        story.sleep()
        story.read(account)
    empty = story.statements("issued")[-2:]
    assert [row.entries_count for row in empty] == [0, 0]
    assert [row.number for row in empty] == [count + 1, count + 2]
    for row in empty:
        content = files(story)[row.file_name or ""]
        assert [line[:1] for line in content.split(b"\r\n")[:-1]] == [b"0", b"1", b"9"]
        (read,) = coda.read(content)
        assert (read.number, read.old_balance.amount, read.creation_date) == (
            row.number, row.closing_balance, row.day,
        )  # fmt: skip
    assert last_day(story, account) == ("no_entries", "proven", None)


# The date of a late entry (STA-06)


@pytest.mark.parametrize("chosen", ["file", "booking"])
def test_a_late_entry_has_the_date_that_its_package_takes(story: Story, chosen: str) -> None:
    account = started(story)
    defaults = default_settings(story.act, story.client.id)
    with story.gateway.database.unit_of_work(story.office.id) as session:
        settings = session.get(ClientSettings, story.client.id) or defaults
        settings.late_entry_date, settings.version = chosen, 1
        session.add(settings)
    late_day = story.act.today - timedelta(days=3)
    truth = story.banks.world.account(account.iban)
    story.banks.world.book(truth, Decimal("-17.42"), booking_date=late_day)
    story.sleep()
    story.read(account)
    last = story.statements("issued")[-1]
    (read,) = coda.read(files(story)[last.file_name or ""])
    entry = next(entry for entry in read.entries() if entry.amount == Decimal("-17.42"))
    note = f"Boekingsdatum bank {late_day:%d.%m.%Y}"
    has_note = any(note in item.communication for item in entry.information)
    assert (entry.entry_date, has_note) == ((last.day, True) if chosen == "file" else (late_day, False))
    with story.gateway.database.unit_of_work(story.office.id) as session:
        stored = session.exec(select(StatementEntry).where(StatementEntry.amount == Decimal("-17.42"))).one()
    assert (stored.entry_date, stored.booking_date) == (entry.entry_date, late_day)
    assert last.late_count == 1


# Which accounts have files (STA-14)


def test_an_account_that_is_excluded_with_a_reason_makes_no_statements(story: Story) -> None:
    account = started(story)
    count = len(files(story))
    choose(story, account, excluded_reason="Dollars worden met de hand geboekt")
    pass_day(story, account)
    assert len(files(story)) == count
    assert last_day(story, account) == ("before_start", None, "statements_excluded")
    choose(story, account, excluded_reason=None)
    story.read(account)
    assert len(files(story)) == count + 1


def test_only_the_office_decides_what_is_made_of_an_account(story: Story) -> None:
    account = story.connect()
    person = make_person(story.gateway, story.office, ClientRole.ADMINISTRATOR, client=story.client, is_enrolled=False)
    act = act_of(person, story.office, ClientRole.ADMINISTRATOR, client=story.client, now=story.now)
    for name, value in (
        ("releases_computed", True),
        ("issues_derived", True),
        ("empty_statement", "daily"),
        ("excluded_reason", "x"),
    ):
        with pytest.raises(RightsError):
            AccountService(story.gateway).change(act, account.id, {name: value})


@pytest.mark.parametrize(("iban", "structure", "warnings"), [
    ("BE34103071423390", "2", []), ("NL91ABNA0417164300", "3", ["foreign_iban"]),
])  # fmt: skip
def test_a_foreign_number_has_structure_3_and_a_warning(iban: str, structure: str, warnings: list[str]) -> None:
    account = Account(iban=iban, currency="EUR", bic="ABNANL2A", holder_name="Bakkerij Voorbeeld BV")
    client = Client(name="Bakkerij Voorbeeld BV", enterprise_number="0110203432")
    period = Period(1, date(2026, 11, 20), Decimal("1.00"), date(2026, 11, 19), Decimal("1.00"))
    content = write_file(account, client, period, [], language="nl")
    assert content.split(b"\r\n")[1][:2] == f"1{structure}".encode()
    assert warnings_of(account) == warnings

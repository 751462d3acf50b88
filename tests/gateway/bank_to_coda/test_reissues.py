"""STA-23: files that are in no package are withdrawn by two people, and their days issued anew."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlmodel import col, select

import coda
from connectors.simulator import SimulatorServer
from gateway.accounts.models import Account
from gateway.assembly import Gateway
from gateway.errors import InputError, InvalidTransition, RightsError
from gateway.events.models import Event
from gateway.identity.rights import ClientRole, PersonRequired
from gateway.offices.models import Client
from gateway.pagination import PageRequest
from gateway.proposals.errors import ProposalOvertaken
from gateway.proposals.models import Proposal
from gateway.proposals.service import ProposalService
from gateway.statements import reissuing
from gateway.statements.coda_file import FileRefused
from gateway.statements.errors import ReissueRefused, StatementNotRefused
from gateway.statements.models import Statement, StatementEntry
from gateway.statements.refusals import RefusalService
from gateway.statements.service import StatementService
from tests.gateway.bank_to_coda.story import Story
from tests.gateway.bank_to_coda.test_days import files, started
from tests.gateway.bank_to_coda.test_restarts import People
from tests.gateway.builders import make_person

MESSAGE = "Volgnummer 045 verwacht"


@pytest.fixture
def story(linked: Gateway, banks: SimulatorServer) -> Story:
    return Story.begin(linked, banks)


@pytest.fixture
def account(story: Story) -> Account:
    return started(story)


@pytest.fixture
def people(story: Story) -> People:
    return People(story)


def refuse(story: Story, people: People, statement: Statement) -> Statement:
    return RefusalService(story.gateway).mark(people.act(people.first), statement.id, MESSAGE)


def propose(story: Story, people: People, statement: Statement, number: int | None = None) -> Proposal:
    return RefusalService(story.gateway).propose(people.act(people.first), statement.id, next_number=number)


def withdraw(story: Story, people: People, statement: Statement, number: int | None = None) -> None:
    refuse(story, people, statement)
    people.confirm(propose(story, people, statement, number))


def amounts(story: Story, statement: Statement) -> list[Decimal]:
    views, _ = StatementService(story.gateway).entries(story.act, statement.id, PageRequest(500, None))
    return [view.entry.amount for view in views]


def test_refused_files_get_the_declared_numbers_and_the_old_bytes_stay(
    story: Story, account: Account, people: People
) -> None:
    before, old = files(story), story.statements("issued")
    withdraw(story, people, old[0], 45)
    now = files(story)
    assert {name: now[name] for name in before} == before
    withdrawn, renewed = story.statements("withdrawn"), story.statements("issued")
    assert [row.id for row in withdrawn] == [row.id for row in old]
    assert [row.number for row in renewed] == list(range(45, 45 + len(old)))
    for earlier, later in zip(old, renewed, strict=True):
        assert later.replaces_id == earlier.id
        assert later.file_name == f"{account.iban}_EUR_{later.year}_{later.number:03d}_R1.cod"
        (read,) = coda.read(now[later.file_name])
        assert (read.number, read.old_balance.amount, read.closing_balance) == (
            later.number, earlier.opening_balance, earlier.closing_balance,
        )  # fmt: skip
        assert amounts(story, later) == amounts(story, earlier)
        assert StatementService(story.gateway).content(story.act, earlier.id).sha256 == earlier.sha256
    truth = story.banks.world.account(account.iban)
    story.banks.world.book(truth, Decimal("2.00"), booking_date=story.act.today)
    story.sleep()
    story.read(account)
    assert story.statements("issued")[-1].number == 45 + len(old), "the next file follows the declared numbers"


def test_files_before_the_one_that_was_refused_stay_as_they_are(story: Story, account: Account, people: People) -> None:
    old = story.statements("issued")
    withdraw(story, people, old[3])
    assert [row.id for row in story.statements("issued")[:3]] == [row.id for row in old[:3]]
    renewed = story.statements("issued")[3:]
    assert [row.number for row in renewed] == [row.number for row in old[3:]]
    assert {row.revision for row in renewed} == {1}
    withdraw(story, people, renewed[0])
    assert {row.revision for row in story.statements("issued")[3:]} == {2}
    assert story.statements("issued")[3].file_name == f"{account.iban}_EUR_{old[3].year}_{old[3].number:03d}_R2.cod"
    with story.gateway.database.unit_of_work(story.office.id) as session:
        live = session.exec(select(StatementEntry).where(col(StatementEntry.is_live))).all()
    assert len({entry.transaction_id for entry in live}) == len(live) == sum(
        row.entries_count for row in story.statements("issued")
    )  # fmt: skip


def test_a_corrected_company_number_stands_in_the_new_files(story: Story, account: Account, people: People) -> None:
    old = story.statements("issued")
    with story.gateway.database.unit_of_work(story.office.id) as session:
        client = session.get_one(Client, story.client.id)
        client.enterprise_number = "0477472701"
        session.add(client)
    withdraw(story, people, old[0])
    for row in story.statements("issued"):
        (read,) = coda.read(files(story)[row.file_name or ""])
        assert read.account.company_id == "00477472701"


def test_the_event_names_the_old_hash_and_the_new_one(story: Story, account: Account, people: People) -> None:
    old = story.statements("issued")
    withdraw(story, people, old[-1])
    new = story.statements("issued")[-1]
    with story.gateway.database.unit_of_work(story.office.id) as session:
        found = session.exec(select(Event).where(Event.type == "statement.reissued")).all()
    (event,) = found
    assert (event.data["old_sha256"], event.data["sha256"]) == (old[-1].sha256, new.sha256)
    assert old[-1].sha256 != new.sha256 or old[-1].number == new.number


def test_reversals_and_late_entries_are_written_anew_as_they_were(
    story: Story, account: Account, people: People
) -> None:
    truth = story.banks.world.account(account.iban)
    gone = story.banks.world.book(truth, Decimal("-55.55"), booking_date=story.act.today)
    story.sleep()
    story.read(account)
    story.banks.world.hide(truth, gone.key)
    story.banks.world.book(truth, Decimal("-4.00"), booking_date=story.act.today - timedelta(days=2))
    story.sleep()
    story.read(account)
    old = story.statements("issued")
    withdraw(story, people, old[0], 100)
    renewed = story.statements("issued")
    views, _ = StatementService(story.gateway).entries(story.act, renewed[-1].id, PageRequest(500, None))
    (reversal,) = [view for view in views if view.entry.reverses_entry_id is not None]
    assert reversal.reversed is not None
    original, source = reversal.reversed
    assert (original.amount, source.id) == (Decimal("-55.55"), renewed[-2].id)
    (read,) = coda.read(files(story)[renewed[-1].file_name or ""])
    words = " ".join(entry.communication for entry in read.entries())
    assert f"{source.year}-{source.number:03d}" in words
    story.sleep()
    story.read(account)
    assert not story.statements("held"), "offset once, also in the new files"


def test_nothing_is_withdrawn_without_a_refusal_two_people_and_a_number_that_can_be(
    story: Story, account: Account, people: People
) -> None:
    old = story.statements("issued")
    service = RefusalService(story.gateway)
    with pytest.raises(StatementNotRefused):
        propose(story, people, old[2])
    with pytest.raises(PersonRequired):
        service.mark(story.act, old[2].id, MESSAGE)
    administrator = make_person(
        story.gateway, story.office, ClientRole.ADMINISTRATOR, client=story.client, is_enrolled=False
    )
    with pytest.raises(RightsError):
        service.mark(people.act(administrator, ClientRole.ADMINISTRATOR), old[2].id, MESSAGE)
    marked = refuse(story, people, old[2])
    assert (marked.import_refusal, marked.import_refused_by) == (MESSAGE, people.first.user.id)
    assert marked.state == "issued", "a mark alone changes no state"
    for number in (2, 999):
        with pytest.raises(InputError):
            propose(story, people, old[2], number)
    proposal = propose(story, people, old[2], 3)
    shown = ProposalService(story.gateway).get(people.act(people.second), proposal.id)
    assert shown.content == {"next_number": 3, "files": len(old) - 2, "until": old[-1].day.isoformat()}
    assert story.statements("issued") == story.statements()
    people.confirm(proposal)
    with pytest.raises(InvalidTransition):
        service.mark(people.act(people.first), old[2].id, MESSAGE)


def test_a_declaration_that_was_overtaken_or_cannot_be_written_changes_nothing(
    story: Story, account: Account, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = story.statements("issued")
    refuse(story, people, old[1])
    waiting = propose(story, people, old[1])
    withdraw(story, people, old[0])
    with pytest.raises(ProposalOvertaken):
        people.confirm(waiting)
    first = story.statements("issued")[0]
    refuse(story, people, first)
    proposal = propose(story, people, first)

    def refused(*_: object, **__: object) -> bytes:
        raise FileRefused("account.bic")

    monkeypatch.setattr(reissuing, "write_file", refused)
    before = files(story)
    with pytest.raises(ReissueRefused):
        people.confirm(proposal)
    assert files(story) == before
    assert story.statements("issued")[0].id == first.id

"""STA-03, SYN-11, SYN-15: two people of the office restart a held chain at a balance on a document of the bank."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import col, select

import coda
from connectors.simulator import SimulatorServer
from gateway.accounts.models import Account, Balance
from gateway.accounts.repository import BalanceRepository
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.models import AuditEntry
from gateway.errors import InputError, RightsError
from gateway.identity.models import Membership
from gateway.identity.rights import ClientRole, OfficeRole, PersonRequired, SecondFactorRequired
from gateway.ids import new_id
from gateway.offices.numbers import DocumentRefused
from gateway.pagination import PageRequest
from gateway.proposals.errors import SecondPersonMissing, SecondPersonRequired
from gateway.proposals.models import Proposal
from gateway.proposals.service import ProposalService
from gateway.statements.documents import read_document
from gateway.statements.errors import BankDocumentNotFound, RestartDayInvalid
from gateway.statements.models import BankDocument
from gateway.statements.restarts import RestartService
from gateway.statements.schemas import StatementRead
from gateway.statements.service import StatementService
from tests.gateway.bank_to_coda.story import Story
from tests.gateway.bank_to_coda.test_days import files, started
from tests.gateway.builders import Person, act_of, make_person

DOCUMENT = b"%PDF-1.7 afschrift"
LOST = Decimal("-77.10")
"""An entry that the bank's balance counts and its interface never shows."""


@pytest.fixture
def story(linked: Gateway, banks: SimulatorServer) -> Story:
    return Story.begin(linked, banks)


@pytest.fixture
def account(story: Story) -> Account:
    return started(story)


class People:
    """Two of the office, who act now."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.first = make_person(story.gateway, story.office, OfficeRole.ADMIN, is_enrolled=False)
        self.second = make_person(story.gateway, story.office, OfficeRole.ADMIN, is_enrolled=False)

    def act(self, person: Person, role: OfficeRole | ClientRole = OfficeRole.ADMIN, *, is_fresh: bool = True) -> Act:
        client = self.story.client if isinstance(role, ClientRole) else None
        return act_of(person, self.story.office, role, client=client, now=self.story.now, is_fresh=is_fresh)

    def propose(self, account: Account, day: date, balance: Decimal, **more: Any) -> Proposal:
        values = {"currency": "EUR", "document": base64.b64encode(DOCUMENT).decode(), **more}
        return RestartService(self.story.gateway).propose(
            self.act(self.first), account.id, day=day, balance=balance, **values
        )

    def confirm(self, proposal: Proposal) -> Proposal:
        return ProposalService(self.story.gateway).confirm(self.act(self.second), proposal.id)


@pytest.fixture
def people(story: Story) -> People:
    return People(story)


@pytest.fixture
def hold(story: Story, account: Account, monkeypatch: pytest.MonkeyPatch) -> Callable[[], date]:
    """Makes the account held for good; the last day that is over."""

    def held() -> date:
        world, shown, stated = story.banks.world, story.banks.world.booked, story.banks.world.balance
        truth = world.account(account.iban)
        lost = world.book(truth, LOST, booking_date=story.act.today)
        world.book(truth, Decimal("-3.10"), booking_date=story.act.today)
        monkeypatch.setattr(world, "booked", lambda *a, **k: [row for row in shown(*a, **k) if row.key != lost.key])
        monkeypatch.setattr(world, "balance", lambda *a, **k: stated(*a, **k) + LOST)
        story.sleep()
        story.read(account)
        story.sleep()
        world.book(truth, Decimal("-1.00"), booking_date=story.act.today - timedelta(days=1))
        story.read(account)
        assert story.statements("held")
        return story.act.today - timedelta(days=1)

    return held


def balance_at(story: Story, account: Account, day: date) -> Decimal:
    return story.banks.world.balance(story.banks.world.account(account.iban), day)


def test_the_chain_goes_on_from_the_document_and_everything_before_it_is_left_out(
    story: Story, account: Account, people: People, hold: Callable[[], date]
) -> None:
    issued, day = files(story), hold()
    held = story.statements("held")
    last_number = story.statements("issued")[-1].number or 0
    proposal = people.propose(account, day, balance_at(story, account, day))
    assert story.statements("held") == held, "nothing happens before the second person"
    with pytest.raises(SecondPersonRequired):
        ProposalService(story.gateway).confirm(people.act(people.first), proposal.id)
    people.confirm(proposal)

    left_out = story.statements("left_out")
    assert [row.day for row in left_out] == [row.day for row in held]
    assert {row.hold_code for row in left_out} == {"restarted"}
    listed, _ = StatementService(story.gateway).entries(story.act, left_out[0].id, PageRequest(500, None))
    assert len(listed) == left_out[0].entries_count > 0
    days = StatementService(story.gateway).days(story.act, story.account(account.id), held[0].day, day)
    assert {(row.state, row.cause) for row in days} == {("left_out", "restarted")}
    assert files(story) == issued

    truth = story.banks.world.account(account.iban)
    story.banks.world.book(truth, Decimal("12.00"), booking_date=story.act.today)
    story.sleep()
    story.read(account)
    first = story.statements("issued")[-1]
    assert (first.number, first.opening_balance, first.proof) == (
        last_number + 1, balance_at(story, account, day), "proven",
    )  # fmt: skip
    shown = StatementRead.of(first)
    assert (shown.restarted, shown.restart_id) == (True, proposal.id)
    assert first.old_balance_date == day
    (written,) = coda.read(files(story)[first.file_name or ""])
    assert written.old_balance.date == day
    (calendar,) = StatementService(story.gateway).days(story.act, story.account(account.id), first.day, first.day)
    assert calendar.is_restarted
    story.sleep()
    story.banks.world.book(truth, Decimal("1.00"), booking_date=story.act.today - timedelta(days=1))
    story.read(account)
    assert not StatementRead.of(story.statements("issued")[-1]).restarted, "the first one alone says so"


def test_the_restart_is_kept_with_its_document_balance_and_audit(
    story: Story, account: Account, people: People, hold: Callable[[], date]
) -> None:
    day = hold()
    balance = balance_at(story, account, day)
    before = story.statements("issued")[-1]
    people.confirm(people.propose(account, day, balance))
    rows, _, currency = RestartService(story.gateway).page(people.act(people.first), account.id, PageRequest(10, None))
    (done,) = rows
    assert currency == "EUR"
    assert (done.day, done.balance, done.previous_balance) == (day, balance, before.closing_balance)
    assert {done.proposer_id, done.confirmer_id} == {people.first.user.id, people.second.user.id}
    document, content = read_document(story.gateway, story.act, done.document_id)
    assert content == DOCUMENT
    assert document.document_sha256 == hashlib.sha256(DOCUMENT).hexdigest()
    assert DOCUMENT not in document.document_cipher
    with pytest.raises(BankDocumentNotFound):
        read_document(story.gateway, story.act, new_id())
    with story.gateway.database.unit_of_work(story.office.id) as session:
        balances = BalanceRepository(session).closings(story.office.id, account.id, date_from=day)
        assert [row.amount for row in balances if row.basis == "document"] == [balance]
        actions = session.exec(select(AuditEntry.action).order_by(col(AuditEntry.position))).all()
    assert "statement.chain_restarted" in actions


def test_a_row_that_was_left_out_is_never_issued_and_one_that_comes_later_is(
    story: Story, account: Account, people: People, hold: Callable[[], date]
) -> None:
    day = hold()
    people.confirm(people.propose(account, day, balance_at(story, account, day)))
    truth = story.banks.world.account(account.iban)
    late = Decimal("-9.09")
    story.banks.world.book(truth, late, booking_date=day)
    story.sleep()
    story.read(account)
    last = story.statements("issued")[-1]
    views, _ = StatementService(story.gateway).entries(story.act, last.id, PageRequest(500, None))
    assert [view.entry.booking_date for view in views if view.entry.amount == late] == [day]
    assert Decimal("-3.10") not in {view.entry.amount for view in views}
    assert not story.statements("held")


def test_an_account_whose_chain_never_began_is_started_by_a_document(
    story: Story, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector = story.gateway.banks.connector("crelan")
    monkeypatch.setattr(type(connector), "balances", lambda *_: [])
    account = started(story)
    assert not story.statements()
    day = story.act.today - timedelta(days=1)
    people.confirm(people.propose(account, day, balance_at(story, account, day)))
    assert story.statements("left_out")
    monkeypatch.undo()
    story.banks.world.book(story.banks.world.account(account.iban), Decimal("5.00"), booking_date=story.act.today)
    story.sleep()
    story.read(account)
    (first,) = story.statements("issued")
    assert (first.number, first.proof, first.restart_id is not None) == (1, "proven", True)


def test_only_a_day_that_waits_can_be_restarted(
    story: Story, account: Account, people: People, hold: Callable[[], date]
) -> None:
    with pytest.raises(RestartDayInvalid):
        people.propose(account, story.act.today - timedelta(days=1), Decimal("1.00"))
    day = hold()
    for other in (story.act.today, story.statements("issued")[-1].day):
        with pytest.raises(RestartDayInvalid) as refusal:
            people.propose(account, other, Decimal("1.00"))
        assert refusal.value.parameters["last_day"] == day.isoformat()
    with pytest.raises(DocumentRefused):
        people.propose(account, day, Decimal("1.00"), document="bm90IGEgcGRm")
    with pytest.raises(InputError):
        people.propose(account, day, Decimal("1.00"), currency="USD")


def test_what_proves_in_the_meantime_is_issued_and_not_left_out(
    story: Story, account: Account, people: People, hold: Callable[[], date], monkeypatch: pytest.MonkeyPatch
) -> None:
    day = hold()
    proposal = people.propose(account, day, balance_at(story, account, day))
    monkeypatch.undo()
    story.read(account)
    assert not story.statements("held")
    with pytest.raises(RestartDayInvalid):
        people.confirm(proposal)
    assert not story.statements("left_out")


def test_two_of_the_office_decide_and_nobody_else(
    story: Story, account: Account, people: People, hold: Callable[[], date]
) -> None:
    day = hold()
    service = RestartService(story.gateway)
    wish = {
        "day": day, "balance": Decimal("1.00"), "currency": "EUR", "document": base64.b64encode(DOCUMENT).decode(),
    }  # fmt: skip
    administrator = make_person(
        story.gateway, story.office, ClientRole.ADMINISTRATOR, client=story.client, is_enrolled=False
    )
    with pytest.raises(PersonRequired):
        service.propose(story.act, account.id, **wish)  # type: ignore[arg-type]  # one dict of all
    with pytest.raises(SecondFactorRequired):
        service.propose(people.act(people.first, is_fresh=False), account.id, **wish)  # type: ignore[arg-type]
    with pytest.raises(RightsError):
        service.propose(people.act(administrator, ClientRole.ADMINISTRATOR), account.id, **wish)  # type: ignore[arg-type]
    with story.gateway.database.unit_of_work(story.office.id) as session:
        assert not session.exec(select(BankDocument)).all(), "nothing is kept of what was refused"
        assert not session.exec(select(Balance).where(Balance.basis == "document")).all()


def test_one_alone_restarts_nothing(story: Story, account: Account, hold: Callable[[], date]) -> None:
    day = hold()
    people = People(story)
    alone = people.first
    with story.gateway.database.unit_of_work(story.office.id) as session:
        for membership in session.exec(select(Membership).where(Membership.user_id == people.second.user.id)):
            membership.ended_at = story.now
            session.add(membership)
    with pytest.raises(SecondPersonMissing):
        RestartService(story.gateway).propose(
            people.act(alone), account.id, day=day, balance=Decimal("1.00"), currency="EUR",
            document=base64.b64encode(DOCUMENT).decode(),
        )  # fmt: skip

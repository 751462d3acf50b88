"""SYN-05, SYN-06, SYN-08: what nobody can decide waits for a person; what changes after issue is told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import col, select

from connectors.model import RejectedRow, Transaction, TransactionStatus
from connectors.simulator import FaultKind, SimulatorServer
from gateway.accounts.models import Account
from gateway.assembly import Gateway
from gateway.audit.models import AuditEntry
from gateway.errors import InputError, InvalidTransition, RightsError
from gateway.events.models import Event
from gateway.identity.rights import ClientRole, OfficeRole
from gateway.notices.outbox import opened
from gateway.pagination import PageRequest
from gateway.reviews.errors import ReviewItemNotFound, ReviewOutdated
from gateway.reviews.schemas import ReviewDecisionWrite, ReviewItemRead
from gateway.reviews.service import ReviewService
from gateway.statements.models import StatementEntry, StatementFile
from gateway.transactions.absorb import Window
from gateway.transactions.merging import Reading
from gateway.transactions.models import TransactionRevision
from gateway.transactions.review_list import Decision
from gateway.transactions.states import ReviewState
from tests.gateway.bank_to_coda.shelf import FIRST, Shelf, form
from tests.gateway.bank_to_coda.story import Story
from tests.gateway.builders import act_of, act_of_system, make_office, make_person

ALL = PageRequest(50, None)
WHOLE = Window(FIRST, FIRST)


@pytest.fixture
def story(linked: Gateway, banks: SimulatorServer) -> Story:
    return Story.begin(linked, banks)


@pytest.fixture
def shelf(gateway: Gateway) -> Shelf:
    return Shelf(gateway)


def listed(gateway: Gateway, act: Any, state: ReviewState = ReviewState.OPEN) -> list[ReviewItemRead]:
    views, _ = ReviewService(gateway).page(act, ALL, state=state)
    return [ReviewItemRead.of(view) for view in views]


def effects(item: ReviewItemRead) -> list[tuple[str, str | None]]:
    shape = item.model_dump(mode="json")
    return [(one["decision"], one["effect"] and one["effect"]["amount"]) for one in shape["options"]]


# Rows that changed, and nobody can say into which


def undecided(shelf: Shelf) -> tuple[Account, list[ReviewItemRead]]:
    account = shelf.account()
    nine = Decimal("9.00")
    shelf.take(account, Reading(WHOLE, [form(FIRST, nine, "a"), form(FIRST, nine, "b")]))
    for _ in range(2):
        shelf.take(account, Reading(WHOLE, [form(FIRST, nine, "c"), form(FIRST, nine, "d")]))
    return account, listed(shelf.gateway, shelf.act)


def test_rows_that_may_have_changed_are_kept_with_both_readings_and_their_effect(shelf: Shelf) -> None:
    account, items = undecided(shelf)
    stored = {row.id: row for row in shelf.rows(account)}
    assert len(stored) == 4, "nothing is dropped"
    assert [item.reason for item in items] == ["edit_undecided"] * 2, "and the same reading again adds no entry"
    for item in items:
        assert effects(item) == [("changed", "0.00"), ("separate", "0.00")]
        assert item.transaction_id is not None
        assert stored[item.transaction_id].state == "booked"
        assert {stored[one].remittance_information for one in item.candidate_ids} == {"a", "b"}


def test_a_row_said_to_be_the_changed_one_keeps_its_id_and_its_old_form(shelf: Shelf) -> None:
    account, (item, other) = undecided(shelf)
    service = ReviewService(shelf.gateway)
    with pytest.raises(InputError):
        service.decide(shelf.act, item.id, Decision.CHANGED)
    with pytest.raises(InputError):
        service.decide(shelf.act, item.id, Decision.CREDIT)
    old = item.candidate_ids[0]
    service.decide(shelf.act, item.id, Decision.CHANGED, transaction_id=old)
    rows = {row.id: row for row in shelf.rows(account)}
    assert item.transaction_id is not None
    assert (rows[old].state, rows[item.transaction_id].state) == ("booked", "vanished")
    assert rows[old].remittance_information == rows[item.transaction_id].remittance_information
    with shelf.gateway.database.unit_of_work(shelf.office.id) as session:
        kinds = session.exec(
            select(TransactionRevision.kind)
            .where(TransactionRevision.transaction_id == old)
            .order_by(col(TransactionRevision.id))
        ).all()
        acts = session.exec(select(AuditEntry.action).where(AuditEntry.object_id == item.id)).all()
    assert list(kinds) == ["vanished", "edited"]
    assert list(acts) == ["review_item.decided"]
    with pytest.raises(InvalidTransition):
        service.decide(shelf.act, item.id, Decision.SEPARATE)
    with pytest.raises(ReviewOutdated):
        service.decide(shelf.act, other.id, Decision.CHANGED, transaction_id=old)
    nine = Decimal("9.00")
    counts = shelf.take(account, Reading(WHOLE, [form(FIRST, nine, "c"), form(FIRST, nine, "d")]))
    assert (counts["kept"], counts["new"], counts["vanished"], counts["revived"]) == (2, 0, 0, 0), "and it stays so"
    assert {row.state for row in shelf.rows(account) if row.id == old} == {"booked"}


def test_rows_said_to_be_separate_stay_as_they_are(shelf: Shelf) -> None:
    account, items = undecided(shelf)
    before = [row.model_dump() for row in shelf.rows(account)]
    for item in items:
        ReviewService(shelf.gateway).decide(shelf.act, item.id, Decision.SEPARATE)
    assert [row.model_dump() for row in shelf.rows(account)] == before
    assert not listed(shelf.gateway, shelf.act)
    assert len(listed(shelf.gateway, shelf.act, ReviewState.DECIDED)) == 2


# Rows that could not be read


def test_a_row_without_a_side_shows_both_readings_and_counts_as_decided(story: Story) -> None:
    """The bank's next reading gives the same row without a side again: it is the one that was decided."""
    account = story.connect()
    story.work()
    shelf = Shelf.__new__(Shelf)
    shelf.gateway, shelf.office, shelf.client, shelf.act = story.gateway, story.office, story.client, story.act
    day = story.act.today
    raw = {
        "transactionAmount": {"amount": "12.50", "currency": "EUR"},
        "bookingDate": day.isoformat(),
        "remittanceInformationUnstructured": "huur",
    }
    connector = story.gateway.banks.connector("crelan")

    def renormalise(row: Any) -> Transaction | RejectedRow:
        if "creditDebitIndicator" not in row:
            return RejectedRow("sign_undecided", row)
        return connector.transaction(
            row,
            status=TransactionStatus.BOOKED,
            account_iban=account.iban,
            account_holder=None,
            own_ibans=frozenset(),
            today=day,
        )

    window = Window(day, day)
    before = len(story.transactions())
    rows = [row for row in story.transactions() if row.booking_date == day]
    assert not rows, "a day without other rows"
    for _ in range(2):
        shelf.take(account, Reading(window, [], [RejectedRow("sign_undecided", raw)], renormalise))
    (item,) = listed(story.gateway, story.act)
    assert effects(item) == [("credit", "12.50"), ("debit", "-12.50"), ("leave_out", "0.00")]
    assert item.bank_form == raw
    assert len(story.transactions()) == before
    ReviewService(story.gateway).decide(story.act, item.id, Decision.DEBIT)
    (added,) = [row for row in story.transactions() if row.booking_date == day]
    assert added.amount == Decimal("-12.50")
    counts = shelf.take(account, Reading(window, [], [RejectedRow("sign_undecided", raw)], renormalise))
    assert (counts["kept"], counts["new"], counts["rejected"]) == (1, 0, 0)
    assert not listed(story.gateway, story.act)


def test_a_row_nobody_can_read_waits_until_somebody_leaves_it_out(shelf: Shelf) -> None:
    account = shelf.account()
    broken = RejectedRow("amount_missing", {"text": "x"})
    shelf.take(account, Reading(WHOLE, [], [broken]))
    (item,) = listed(shelf.gateway, shelf.act)
    assert effects(item) == [("leave_out", "0.00")]
    assert item.bank_form == {"text": "x"}
    wanted = ReviewDecisionWrite.model_validate({"decision": "leave_out"}).decision
    ReviewService(shelf.gateway).decide(shelf.act, item.id, wanted)
    assert shelf.take(account, Reading(WHOLE, [], [broken]))["rejected"] == 1
    assert not listed(shelf.gateway, shelf.act)


# Who may


def test_the_office_decides_and_nobody_else(shelf: Shelf) -> None:
    _, (item, _other) = undecided(shelf)
    service = ReviewService(shelf.gateway)
    manager = make_person(shelf.gateway, shelf.office, ClientRole.ADMINISTRATOR, client=shelf.client)
    client_side = act_of(manager, shelf.office, ClientRole.ADMINISTRATOR, client=shelf.client, now=shelf.act.now)
    assert service.get(client_side, item.id).item.id == item.id
    with pytest.raises(RightsError):
        service.decide(client_side, item.id, Decision.SEPARATE)
    stranger = act_of_system(make_office(shelf.gateway), now=shelf.act.now)
    with pytest.raises(ReviewItemNotFound):
        service.get(stranger, item.id)
    with pytest.raises(ReviewItemNotFound):
        service.decide(stranger, item.id, Decision.SEPARATE)
    staff = act_of(
        make_person(shelf.gateway, shelf.office, OfficeRole.STAFF), shelf.office, OfficeRole.STAFF, now=shelf.act.now
    )
    assert service.decide(staff, item.id, Decision.SEPARATE).item.state == "decided"


# Changed after issue


@pytest.mark.parametrize(("kind", "change"), [(FaultKind.CHANGED_TEXT, "edited"), (FaultKind.VANISHED_ROW, "vanished")])
def test_a_change_of_an_issued_row_is_told_and_touches_no_file(story: Story, kind: FaultKind, change: str) -> None:
    admin = make_person(story.gateway, story.office, OfficeRole.ADMIN)
    account = story.connect()
    story.work()
    story.sleep()
    story.read(account)
    with story.gateway.database.unit_of_work(story.office.id) as session:
        entries = session.exec(select(StatementEntry)).all()
        files = {file.statement_id: file.content for file in session.exec(select(StatementFile))}
    issued = {entry.transaction_id: entry.statement_id for entry in entries}
    row = max((row for row in story.transactions() if row.id in issued), key=lambda one: (one.booking_date, one.id))
    truth = story.banks.world.booked(story.banks.world.account(account.iban))
    key = next(
        one.transaction_id() for one in truth if (one.booking_date, one.amount) == (row.booking_date, row.amount)
    )
    story.banks.faults.order(kind, account=account.iban, transaction_id=key)
    assert story.read(account).counts[change] == 1
    with story.gateway.database.unit_of_work(story.office.id) as session:
        (event,) = session.exec(select(Event).where(Event.type == "transaction.changed_after_issue")).all()
        after = {file.statement_id: file.content for file in session.exec(select(StatementFile))}
        (revision,) = session.exec(select(TransactionRevision)).all()
    assert event.object_id == revision.transaction_id
    assert (event.data["change"], revision.kind) == (change, change)
    assert {name: after[name] for name in files} == files, "the bytes stay"
    (item,) = listed(story.gateway, story.act)
    assert (item.reason, item.transaction_id) == ("changed_after_issue", revision.transaction_id)
    assert item.statement_id == issued[revision.transaction_id]
    effect = -row.amount if change == "vanished" else Decimal(0)
    assert [Decimal(amount or "") for _, amount in effects(item)] == [effect]
    mails = [mail for mail in opened(story.gateway, story.office.id) if mail.template == "changed_after_issue"]
    assert [mail.to for mail in mails] == [admin.user.email]
    story.banks.faults.clear()
    story.read(account)
    ReviewService(story.gateway).decide(story.act, item.id, Decision.ACKNOWLEDGE)


def test_a_change_of_a_row_on_no_statement_is_no_news_of_that_kind(story: Story) -> None:
    account = story.connect(is_started=False)
    story.work()
    story.banks.faults.order(FaultKind.CHANGED_TEXT, account=account.iban, text="Andere mededeling")
    assert story.read(account).counts["edited"] == 1
    assert not listed(story.gateway, story.act)

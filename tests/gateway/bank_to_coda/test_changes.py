"""Following changes: whoever keeps a copy by `transactions/sync` has what we have (API-04)."""

from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from connectors.model import Transaction, TransactionStatus
from gateway.assembly import Gateway
from gateway.pagination import CursorInvalid, PageRequest
from gateway.transactions.absorb import Window
from gateway.transactions.merging import Merger, Reading
from gateway.transactions.models import BankTransaction, ChangeSet, PendingTransaction
from gateway.transactions.service import TransactionService
from tests.gateway.bank_to_coda.shelf import FIRST, SEEN, Shelf, form
from tests.gateway.builders import act_of_system, make_office

WHOLE = Window(FIRST, FIRST + timedelta(days=3))


class Copy:
    """What a portal keeps: rows by id, and how far it has read."""

    def __init__(self, shelf: Shelf, *, limit: int = 2, **wanted: UUID) -> None:
        self.shelf, self.limit, self.wanted = shelf, limit, wanted
        self.cursor: str | None = None
        self.rows: dict[UUID, Any] = {}

    def follow(self) -> None:
        """Read until nothing is left."""
        service = TransactionService(self.shelf.gateway)
        while True:
            found = service.changes(self.shelf.act, PageRequest(self.limit, self.cursor), **self.wanted)
            for row in found.added:
                assert row.id not in self.rows, "added twice"
            self.rows |= {row.id: row for row in (*found.added, *found.modified)}
            for row_id, _account in found.removed:
                # One that came and went between two readings was never seen.
                self.rows.pop(row_id, None)
            self.cursor = found.next_cursor
            if not found.has_more:
                return


def stored(shelf: Shelf) -> set[tuple[UUID, str, Decimal, str | None]]:
    with shelf.gateway.database.unit_of_work(shelf.office.id) as session:
        return {view(row) for table in (BankTransaction, PendingTransaction) for row in session.exec(select(table))}


def view(row: Any) -> tuple[UUID, str, Decimal, str | None]:
    return row.id, getattr(row, "state", "pending"), row.amount, row.remittance_information


@pytest.fixture
def shelf(gateway: Gateway) -> Shelf:
    return Shelf(gateway)


rows = st.builds(
    form,
    st.integers(0, 3).map(lambda offset: FIRST + timedelta(days=offset)),
    st.sampled_from([Decimal("-5.00"), Decimal("10.00")]),
    st.sampled_from(["rent", "coffee"]),
    status=st.sampled_from([TransactionStatus.BOOKED, TransactionStatus.BOOKED, TransactionStatus.PENDING]),
)


@given(
    readings=st.lists(st.tuples(st.integers(0, 1), st.lists(rows, max_size=6), st.booleans()), min_size=1, max_size=5),
    limit=st.integers(1, 4),
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_copy_is_the_same_whatever_the_bank_shows_and_whenever_it_is_read(
    shelf: Shelf, readings: list[tuple[int, list[Transaction], bool]], limit: int
) -> None:
    """Any readings of two accounts, followed now and then in pages of any size."""
    shelf = Shelf(shelf.gateway)
    accounts, copy = [shelf.account(), shelf.account()], Copy(shelf, limit=limit)
    for which, shown, is_followed in readings:
        shelf.take(accounts[which], Reading(WHOLE, shown))
        if is_followed:
            copy.follow()
    copy.follow()
    assert {view(row) for row in copy.rows.values()} == stored(shelf)


def test_a_quiet_reading_gives_nothing_to_follow(shelf: Shelf) -> None:
    account, copy = shelf.account(), Copy(shelf)
    pending = form(FIRST, Decimal("7.00"), "card", status=TransactionStatus.PENDING)
    shown = [form(FIRST, Decimal("5.00"), "coffee"), pending]
    shelf.take(account, Reading(WHOLE, shown))
    copy.follow()
    before = copy.cursor
    shelf.take(account, Reading(WHOLE, shown))
    copy.follow()
    assert copy.cursor == before
    with shelf.gateway.database.unit_of_work(shelf.office.id) as session:
        assert [row.position for row in session.exec(select(ChangeSet))] == [1]


def test_an_account_or_client_can_be_followed_alone(shelf: Shelf) -> None:
    one, other = shelf.account(), shelf.account()
    shelf.take(one, Reading(WHOLE, [form(FIRST, Decimal("5.00"), "coffee")]))
    shelf.take(other, Reading(WHOLE, [form(FIRST, Decimal("6.00"), "rent")]))
    copies = (Copy(shelf, account_id=one.id), Copy(shelf, client_id=shelf.client.id))
    for copy in copies:
        copy.follow()
    assert [{row.remittance_information for row in copy.rows.values()} for copy in copies] == [
        {"coffee"},
        {"coffee", "rent"},
    ]


def test_a_cursor_belongs_to_its_office_and_its_filters(shelf: Shelf) -> None:
    account, copy = shelf.account(), Copy(shelf)
    shelf.take(account, Reading(WHOLE, [form(FIRST, Decimal("5.00"), "coffee")]))
    copy.follow()
    service, request = TransactionService(shelf.gateway), PageRequest(50, copy.cursor)
    with pytest.raises(CursorInvalid):
        service.changes(shelf.act, request, account_id=account.id)
    stranger = act_of_system(make_office(shelf.gateway), now=SEEN)
    with pytest.raises(CursorInvalid):
        service.changes(stranger, request)
    assert service.changes(stranger, PageRequest(50, None)).added == []


def test_a_reading_committed_late_is_not_skipped(committed: Gateway) -> None:
    """Law 1: the set that is stored first but committed last gets the higher position."""
    shelf = Shelf(committed)
    slow, fast, copy = shelf.account(), shelf.account(), Copy(shelf)
    is_stored, may_commit = threading.Event(), threading.Event()

    def read_slowly() -> None:
        with committed.database.unit_of_work(shelf.office.id) as session:
            reading = Reading(WHOLE, [form(FIRST, Decimal("5.00"), "slow")])
            Merger(committed, session, shelf.act).absorb(slow, reading, seen_at=SEEN)
            is_stored.set()
            assert may_commit.wait(30)

    thread = threading.Thread(target=read_slowly)
    thread.start()
    assert is_stored.wait(30)
    shelf.take(fast, Reading(WHOLE, [form(FIRST, Decimal("6.00"), "fast")]))
    copy.follow()
    assert {row.remittance_information for row in copy.rows.values()} == {"fast"}
    may_commit.set()
    thread.join(30)
    copy.follow()
    assert {row.remittance_information for row in copy.rows.values()} == {"fast", "slow"}

"""The road from Ponto to CODA: one link, accounts in two currencies, days proven from a copy (CON-16)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import cast
from uuid import UUID

import pytest

from connectors.base import Connector
from connectors.errors import BankUnavailable, ConsentError
from connectors.model import Access, PsuContext, Synchronisation
from connectors.simulator import SimulatorConfig, SimulatorServer, every_bank
from gateway.accounts.models import Account
from gateway.accounts.syncs import queue_sync
from gateway.assembly import Gateway
from gateway.consents.service import ConsentService
from gateway.consents.tokens import NoTokens
from gateway.transactions.copies import LOOKS_MAX, renew_copy
from gateway.transactions.sync import SyncService
from tests.gateway.bank_to_coda.conftest import TODAY
from tests.gateway.bank_to_coda.story import BROWSER, PSU, Story, connect_to


@pytest.fixture(scope="module")
def running() -> Iterator[SimulatorServer]:
    (bank,) = [bank for bank in every_bank() if bank.bank_id == "ponto"]
    with SimulatorServer(SimulatorConfig(today=TODAY, banks=(bank,))) as server:
        yield server


@pytest.fixture
def story(gateway: Gateway, running: SimulatorServer) -> Iterator[Story]:
    running.simulator.reset()
    connected = connect_to(running, gateway)
    yield Story.begin(connected, running, "ponto")
    connected.banks.close()


def queue_attended(story: Story, account: Account) -> UUID:
    """A reading that the holder asked for, with the address of that moment."""
    gateway = story.gateway
    with gateway.database.unit_of_work(story.office.id) as session:
        found = story.account(account.id)
        return queue_sync(session, gateway.keys, found, reason="request", now=story.now, psu=PSU).id


def test_accounts_of_two_currencies_are_offered_and_the_link_ends_with_the_first_of_them(story: Story) -> None:
    view = story.authorise()
    offered = ConsentService(story.gateway).offered(view.token, browser_secret=BROWSER)
    current = [(row.iban, row.currency) for row in offered if row.kind == "current"]
    assert sorted(currency for _, currency in current) == ["EUR", "USD"]
    assert len({iban for iban, _ in current}) == 1


def test_one_number_in_two_currencies_has_a_chain_and_files_for_each(story: Story) -> None:
    """STA-14, STA-02: the foreign currency is never added to the other."""
    view = story.authorise()
    service = ConsentService(story.gateway)
    offered = service.offered(view.token, browser_secret=BROWSER)
    chosen = [row.id for row in offered if row.kind == "current"]
    service.choose(view.token, browser_secret=BROWSER, consent_account_ids=chosen, psu=PSU)
    accounts = [story.start(account) for account in story.accounts() if account.consent_id is not None]
    story.work()
    for account in accounts:
        truth = next(
            one for one in story.banks.world.accounts_of("erik.wouters", "ponto") if one.currency == account.currency
        )
        story.banks.world.book(truth, Decimal("7.00"), booking_date=story.act.today)
    story.sleep()
    for account in accounts:
        story.read(account)
    assert {account.currency for account in accounts} == {"EUR", "USD"}
    for account in accounts:
        mine = [row for row in story.statements("issued") if row.account_id == account.id]
        assert [row.number for row in mine] == list(range(1, len(mine) + 1))
        assert {row.currency for row in mine} == {account.currency}
        assert {(row.file_name or "").split("_")[1] for row in mine} == {account.currency}
        for earlier, later in pairwise(mine):
            assert later.opening_balance == earlier.closing_balance


def test_days_are_read_and_closed(story: Story) -> None:
    account = story.connect()
    story.work()
    story.sleep()
    assert story.read(account).state == "done"
    assert story.statements("issued")


def test_rows_of_a_copy_were_seen_when_the_copy_was_made(story: Story) -> None:
    """STA-02: the opening is the copy's balance less the copy's own rows, however much later both are stored."""
    account = story.connect()
    story.sleep(days=0, hours=4)
    story.work()
    assert story.account(account.id).fresh_as_of == story.now - timedelta(hours=4), "the copy made at the link"
    story.sleep()
    story.read(account)
    assert story.statements("issued")


def test_a_copy_proves_no_day_that_was_not_over_when_it_was_made(story: Story) -> None:
    account = story.connect()
    story.work()
    made = story.banks.clock.now
    # Ponto cannot read the bank any more: what the bank booked in the evening is not in the copy.
    story.banks.simulator.ponto.fail(account.iban, "internalServerError")
    story.sleep()
    story.read(account)
    assert story.account(account.id).complete_until == TODAY - timedelta(days=1)
    assert story.account(account.id).fresh_as_of == made
    story.banks.simulator.ponto.mend(account.iban)
    story.read(account)
    assert story.account(account.id).complete_until == TODAY


def test_a_reading_in_the_background_starts_nothing_at_the_bank_and_one_with_the_holder_does(story: Story) -> None:
    account = story.connect()
    begun = story.banks.simulator.ponto.begun
    story.work()
    assert begun() == 1, "the holder has just made the link"
    story.sleep(days=0, hours=1)
    story.read(account)
    assert begun() == 1, "somebody of the office asked: the holder is not there"
    sync = queue_attended(story, account)
    story.sleep(days=0, hours=1)
    SyncService(story.gateway).run(story.office.id, sync)
    assert begun() == 1, "the holder asked an hour ago"
    SyncService(story.gateway).run(story.office.id, queue_attended(story, account))
    assert begun() == 2


class Source:
    """A source whose copies take so many looks to renew, or cannot be renewed."""

    def __init__(self, looks: int = 0, error: Exception | None = None) -> None:
        self.looks = looks
        self.error = error
        self.slept: list[float] = []

    def start_synchronisation(self, access: Access, bank_account_id: str) -> Synchronisation:
        if self.error is not None:
            raise self.error
        return Synchronisation("s", is_done=self.looks == 0)

    def synchronisation(self, access: Access, synchronisation_id: str) -> Synchronisation:
        self.looks -= 1
        return Synchronisation("s", is_done=self.looks == 0)

    def renew(self, psu: PsuContext | None = PSU) -> None:
        renew_copy(
            cast("Connector", self), Access("c", NoTokens(), psu), "a", age=timedelta(0), sleep=self.slept.append
        )


def test_a_copy_is_waited_for_a_moment_and_not_longer() -> None:
    ready, slow, absent = Source(3), Source(1000), Source(5)
    ready.renew()
    slow.renew()
    absent.renew(psu=None)
    assert (len(ready.slept), len(slow.slept), len(absent.slept)) == (3, LOOKS_MAX, 0)


def test_a_copy_that_cannot_be_renewed_is_read_as_it_is_unless_somebody_must_act() -> None:
    Source(error=BankUnavailable("down")).renew()
    with pytest.raises(ConsentError):
        Source(error=ConsentError("to authorise anew")).renew()

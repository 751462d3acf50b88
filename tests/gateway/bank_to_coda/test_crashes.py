"""Laws 3 and 7: killed at any commit, or done by two workers at once, the road ends where it would have ended."""

from __future__ import annotations

import contextlib
import itertools
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from sqlmodel import select

from connectors.simulator import SimulatorServer
from connectors.simulator.psu import approve
from gateway.accounts.models import Account
from gateway.assembly import Gateway
from gateway.consents import polling
from gateway.consents.errors import CallbackNotValid
from gateway.consents.models import Consent
from gateway.consents.service import ConsentService
from gateway.statements.models import StatementFile
from gateway.statements.service import StatementService
from gateway.transactions.sync import SyncService
from tests.gateway.bank_to_coda.killing import killed
from tests.gateway.bank_to_coda.story import BROWSER, HOLDERS, PSU, Story, much_later, query_of

POINTS = list(itertools.product(range(1, 12), (False, True)))


def check(story: Story, account: Account) -> None:
    """Rows are the bank's, statements chain, numbers run, bytes are there."""
    truth = story.banks.world.account(account.iban)
    assert Counter((row.booking_date, row.amount) for row in story.transactions()) == Counter(
        (row.booking_date, row.amount) for row in story.banks.world.booked(truth)
    )
    issued = story.statements("issued")
    for _, of_year in itertools.groupby(issued, key=lambda row: row.year):
        numbers = [row.number for row in of_year]
        assert numbers == list(range(1, len(numbers) + 1))
    for earlier, later in itertools.pairwise(issued):
        assert later.opening_balance == earlier.closing_balance
    with story.gateway.database.unit_of_work(story.office.id) as session:
        assert len(session.exec(select(StatementFile.id)).all()) == len(issued)  # type: ignore[call-overload]
    for row in issued:
        assert row.closing_balance == story.banks.world.balance(truth, row.day)


def test_a_reading_killed_at_every_commit_ends_as_if_it_had_not_been(live: Gateway, banks: SimulatorServer) -> None:
    story = Story.begin(live, banks, "nagelmackers")
    account = story.connect()
    for day in range(3):
        sync = story.queued()[0] if day == 0 else story.visit(account)
        kills = 0
        for at, is_committed in POINTS:

            def work(gateway: Gateway, sync_id: UUID = sync.id) -> None:
                SyncService(gateway).run(story.office.id, sync_id)

            if not killed(live, work, at=at, is_committed=is_committed):
                break
            kills += 1
        assert kills >= 3
        SyncService(live).run(story.office.id, sync.id)
        assert SyncService(live).get(story.act, sync.id).state == "done"
        check(story, account)
        story.sleep()
    assert story.statements("issued")


@pytest.mark.parametrize("is_committed", [False, True])
def test_days_are_closed_whole_or_not_at_all(live: Gateway, banks: SimulatorServer, is_committed: bool) -> None:
    story = Story.begin(live, banks, "nagelmackers")
    account = story.connect()
    story.work()
    story.sleep()
    sync = story.visit(account)
    before = story.statements("issued")
    for at in range(1, 12):

        def work(gateway: Gateway) -> None:
            SyncService(gateway).run(story.office.id, sync.id)

        if not killed(live, work, at=at, is_committed=is_committed):
            break
        files = len(story.statements("issued"))
        assert files == 0 or not story.statements("held"), "some days of one closing are there and others not"
    assert not before
    check(story, account)
    assert story.statements("issued")


def test_a_call_back_killed_at_every_commit_loses_nothing(live: Gateway, banks: SimulatorServer) -> None:
    story = Story.begin(live, banks)
    for at, is_committed in POINTS:
        token = story.invite()
        service = ConsentService(live)
        answer = query_of(approve(service.begin(token, browser_secret=BROWSER, psu=PSU), HOLDERS["crelan"]))

        def work(gateway: Gateway, answer: dict[str, str] = answer) -> None:
            ConsentService(gateway).receive(answer, browser_secret=BROWSER, psu=PSU)

        was_killed = killed(live, work, at=at, is_committed=is_committed)
        view = service.view_link(token)
        if was_killed and view.state != "valid":
            polling.poll(much_later(story), story.office.id, view.consent_id)
        if service.view_link(token).state != "valid":
            # The bank's code was spent and its answer lost: the same link leads through once more.
            with contextlib.suppress(CallbackNotValid):
                service.receive(answer, browser_secret=BROWSER, psu=PSU)
        if service.view_link(token).state != "valid":
            story.authorise(token)
        assert service.view_link(token).state == "valid"
        assert service.offered(token, browser_secret=BROWSER)
        if not was_killed:
            break
    with live.database.unit_of_work(story.office.id) as session:
        consents = session.exec(select(Consent)).all()
    assert {consent.state for consent in consents} == {"valid"}
    assert len(consents) > 8


def test_two_workers_on_one_account_give_no_double_and_no_gap(live: Gateway, banks: SimulatorServer) -> None:
    story = Story.begin(live, banks)
    account = story.connect()
    story.work()
    for _ in range(2):
        story.sleep()
        sync = story.visit(account)
        with ThreadPoolExecutor(4) as workers:
            jobs = [workers.submit(SyncService(live).run, story.office.id, sync.id) for _ in range(3)]
            jobs.append(workers.submit(StatementService(live).close_days, story.office.id, account.id))
            for job in jobs:
                job.result(timeout=60)
        check(story, account)
    assert story.statements("issued")


def test_two_workers_with_an_old_token_spend_the_refresh_token_once(live: Gateway, banks: SimulatorServer) -> None:
    story = Story.begin(live, banks, "keytrade")
    account = story.connect()
    story.work()
    story.sleep()
    syncs = [story.visit(account), SyncService(live).request(story.act, account.id)]
    assert syncs[0].id == syncs[1].id, "one reading is under way"
    with ThreadPoolExecutor(3) as workers:
        for job in [workers.submit(SyncService(live).run, story.office.id, syncs[0].id) for _ in range(3)]:
            job.result(timeout=60)
    assert SyncService(live).get(story.act, syncs[0].id).state == "done"
    with live.database.unit_of_work(story.office.id) as session:
        assert session.exec(select(Consent)).one().tokens_version == 2
    assert story.account(account.id).health == "ok"


def test_two_browsers_with_one_call_back_are_one(live: Gateway, banks: SimulatorServer) -> None:
    story, service = Story.begin(live, banks), ConsentService(live)
    answer = query_of(approve(service.begin(story.invite(), browser_secret=BROWSER, psu=PSU), HOLDERS["crelan"]))

    def receive(_: int) -> str:
        try:
            return service.receive(answer, browser_secret=BROWSER, psu=PSU).state
        except CallbackNotValid:
            return "refused"

    with ThreadPoolExecutor(3) as workers:
        assert sorted(workers.map(receive, range(3))) == ["refused", "refused", "valid"]

"""A simulated year with every fault: two independent readers accept each file, chains hold, held days name a cause.

STA-15. `make year` runs 365 days of 20 accounts; the default is a few days of four accounts, over the end of a year.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from sqlmodel import col, select

from connectors.errors import ConnectorError
from connectors.simulator import DEFAULT_BANKS, SimulatorConfig, SimulatorServer, companies
from connectors.simulator.companies import SimulatedAccount
from connectors.simulator.references import belgian_iban
from gateway.accounts.models import Account, Sync
from gateway.accounts.service import AccountService
from gateway.accounts.states import UNFINISHED
from gateway.assembly import Gateway
from gateway.consents.service import ConsentService
from gateway.offices.service import OfficeService
from gateway.statements.models import Statement, StatementFile
from gateway.statements.service import StatementService
from gateway.transactions.dispatch import Dispatcher
from gateway.transactions.sync import SyncService
from tests.gateway.bank_to_coda.histories import ANSWER_FAULTS
from tests.gateway.bank_to_coda.story import BROWSER, PSU, Story, connect_to
from tests.peers import NAMES, read_all_with_peer

DAYS = int(os.environ.get("SLUIS_YEAR_DAYS", "14"))
ACCOUNTS = int(os.environ.get("SLUIS_YEAR_ACCOUNTS", "4"))
SEED = int(os.environ.get("SLUIS_SEED", "1"))
FIRST = date(2026, 12, 21)
RENEWED_EVERY = 80
ONE_DAY = timedelta(days=1)
PLACES = (
    ("crelan", "NICABEBB", "103", companies.BAKERY),
    ("keytrade", "KEYTBEBB", "651", companies.BAKERY),
    ("vanbreda", "JVBABE22", "645", companies.TEXTILE),
    ("nagelmackers", "BNAGBEBB", "634", companies.TEXTILE),
)


def more_accounts() -> tuple[SimulatedAccount, ...]:
    """What the banks hold beside the listed accounts, so that all together are as many as wanted."""
    return tuple(
        SimulatedAccount(
            account_id=iban, iban=iban, bank_id=bank_id, bic=bic, company_id=company, name=f"Rekening {number}",
            product="Business", cash_account_type="CACC", opening_balance=Decimal(number * 1_000),
            activities=companies.SECOND,
        )
        for number, (bank_id, bic, code, company) in zip(range(max(0, ACCOUNTS - 4)), itertools.cycle(PLACES))
        for iban in (belgian_iban(code, f"{7_100_000 + number * 13}"),)
    )  # fmt: skip


@pytest.fixture
def world() -> Iterator[SimulatorServer]:
    """The banks before the turn of a year."""
    banks = tuple(replace(bank, unattended_calls_max=None) for bank in DEFAULT_BANKS)
    with SimulatorServer(SimulatorConfig(today=FIRST, banks=banks, accounts=more_accounts())) as server:
        yield server


class Year:
    """An office per bank, with all current accounts of one company there."""

    def __init__(self, gateway: Gateway, world: SimulatorServer) -> None:
        self.gateway, self.world = gateway, world
        self.chance = random.Random(SEED)
        self.stories = [Story.begin(gateway, world, bank_id) for bank_id, *_ in PLACES]
        for story in self.stories:
            self.authorise(story)
            for account in story.accounts():
                first = story.act.today - timedelta(days=5)
                AccountService(gateway).change(story.act, account.id, {"statements_from": first})

    def authorise(self, story: Story) -> None:
        """All current accounts, anew or for the first time."""
        service = ConsentService(self.gateway)
        with contextlib.suppress(ConnectorError):
            view = story.authorise()
            if view.can_choose:
                offered = service.offered(view.token, browser_secret=BROWSER)
                ticked = [row.id for row in offered if row.kind == "current"]
                service.choose(view.token, browser_secret=BROWSER, consent_account_ids=ticked, psu=PSU)

    def night(self) -> None:
        """Banks and offices move on to the next morning."""
        before = self.world.clock.now
        seconds = int((self.world.clock.advance(days=1) - before).total_seconds())
        for story in self.stories:
            OfficeService(self.gateway).move_clock(story.office.id, seconds=seconds)

    def trouble(self) -> None:
        """What goes wrong on a day: at most one thing for each account, and one for all."""
        world = self.world.world
        for story in self.stories:
            for account in story.accounts():
                truth = world.account(account.iban)
                rows = world.booked(truth)
                kind = self.chance.choice(["late", "vanish", "reword", *["quiet"] * 9])
                if kind == "late":
                    days = self.chance.randint(1, 9)
                    world.book(truth, Decimal("-17.42"), booking_date=self.world.clock.today - timedelta(days=days))
                elif kind == "vanish" and rows:
                    world.hide(truth, self.chance.choice(rows[-9:]).key)
                elif kind == "reword" and rows:
                    world.change_text(truth, self.chance.choice(rows[-9:]).key, "Gewijzigde mededeling")
        if self.chance.random() < 0.4:
            fault = self.chance.choice(ANSWER_FAULTS)
            endpoint = self.chance.choice(["transactions", "balances"])
            self.world.faults.order(fault, endpoint=endpoint, times=self.chance.randint(1, 4))

    def work(self) -> None:
        """What is due is planned and done."""
        for story in self.stories:
            Dispatcher(self.gateway).run_office(story.office.id)
            with self.gateway.database.unit_of_work(story.office.id) as session:
                due = session.exec(select(Sync.id).where(col(Sync.state).in_(UNFINISHED))).all()
            for sync_id in due:
                SyncService(self.gateway).run(story.office.id, sync_id)

    def live(self, days: int) -> None:
        for number in range(1, days + 1):
            self.night()
            self.trouble()
            self.work()
            for story in self.stories:
                if number % RENEWED_EVERY == 0 or any(row.health == "you_act" for row in story.accounts()):
                    self.authorise(story)


def test_two_independent_readers_accept_every_file_of_a_troubled_year(
    committed: Gateway, world: SimulatorServer, tmp_path: Path
) -> None:
    gateway = connect_to(world, committed)
    year = Year(gateway, world)
    year.live(DAYS)
    paths: list[Path] = []
    said: list[Statement] = []
    held: Counter[str] = Counter()
    for story in year.stories:
        with gateway.database.unit_of_work(story.office.id) as session:
            files = {file.statement_id: file for file in session.exec(select(StatementFile)).all()}
        for account in story.accounts():
            for statement in chained(story, account.id):
                paths.append(tmp_path / f"{len(paths):05}.cod")
                paths[-1].write_bytes(files.pop(statement.id).content)
                said.append(statement)
            held.update(causes_of(story, account))
        assert not files, "every file belongs to an issued statement"
    gateway.banks.close()
    assert len(paths) >= DAYS, f"{len(paths)} files of {DAYS} days; held: {held}"
    for name in NAMES:
        for statement, (theirs,) in zip(said, read_all_with_peer(name, paths), strict=True):
            assert theirs["number"] == statement.number
            assert Decimal(theirs["old_balance"]) == statement.opening_balance
            assert Decimal(theirs["new_balance"]) == statement.closing_balance
            assert len(theirs["entries"]) == statement.entries_count
    print(f"{DAYS} days, {ACCOUNTS} accounts, {len(paths)} files; held days by cause: {dict(held)}")


def chained(story: Story, account_id: UUID) -> list[Statement]:
    """The issued statements of an account: numbers run in each year, balances follow each other."""
    issued = [row for row in story.statements("issued") if row.account_id == account_id]
    numbers: Counter[int] = Counter()
    for statement in issued:
        numbers[statement.day.year] += 1
        assert statement.number == numbers[statement.day.year]
    for earlier, later in itertools.pairwise(issued):
        assert later.opening_balance == earlier.closing_balance
    return issued


def causes_of(story: Story, account: Account) -> list[str]:
    """Why days are not closed; every one of them says it (SYN-15)."""
    last = story.act.today - ONE_DAY
    first = max(FIRST - timedelta(days=5), last - timedelta(days=360))
    days = StatementService(story.gateway).days(story.act, account, first, last)
    assert len(days) >= (last - first).days
    open_days = [day for day in days if day.state not in {"statement", "no_entries"}]
    assert all(day.cause for day in open_days)
    return [day.cause for day in open_days if day.cause]

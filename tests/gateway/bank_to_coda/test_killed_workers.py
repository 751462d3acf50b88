"""Real worker processes, killed at random moments of readings, closings and dispatching (law 7, OPS-04).

`make kills COUNT=200 SEED=7` kills so many; the default kills few, at the same moments each time.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlmodel import col, select

import coda
from connectors.errors import ConsentEnded
from connectors.simulator import SimulatorServer
from gateway.accounts.errors import BankCallBudgetExhausted
from gateway.accounts.models import Account, Sync
from gateway.accounts.states import UNFINISHED
from gateway.assembly import Gateway
from gateway.consents.endings import TOKEN_LOST
from gateway.embedded import APPLICATION, EmbeddedPostgres
from gateway.events.models import Event
from gateway.offices.service import OfficeService
from gateway.statements.models import Statement, StatementFile
from gateway.transactions.dispatch import Dispatcher
from tests.gateway.bank_to_coda.story import Story

KILLS = int(os.environ.get("SLUIS_KILLS", "6"))
SEED = int(os.environ.get("SLUIS_SEED", "1"))
BANKS = ("crelan", "nagelmackers", "vanbreda")
PATIENCE_SECONDS = 90
ONE_DAY = timedelta(days=1)

NURSERY = """
import json, os, signal, sys, time
from dataclasses import replace
from datetime import datetime
from gateway import logs
from gateway.jobs import queue
logs.configure("CRITICAL")
queue.HEARTBEAT = queue.timedelta(seconds=0.2)
queue.STALLED_AFTER = queue.timedelta(seconds=0.8)
from gateway import worker
from gateway.consents import tokens
tokens.WAITS_MAX = 3
worker.STALLED_AFTER = queue.STALLED_AFTER
worker.RESCUE_EVERY = queue.timedelta(seconds=0.3)
from gateway.assembly import build
from gateway.banks.directory import BankDirectory
from gateway.crypto import KeyRing
from gateway.database import connect, libpq_url
from gateway.settings import Settings
settings = Settings(_env_file=None, **json.loads(sys.argv[1]))
url, start = sys.argv[2], datetime.fromisoformat(sys.argv[3])
def gateway():
    known = BankDirectory(settings, now=lambda: start)
    return replace(build(settings, connect(url), keys), banks=known, real_now=lambda: start)
keys = KeyRing.load(settings.keys_path)
print("ready", flush=True)
for line in sys.stdin:
    wait = float(line)
    pid = os.fork()
    if pid == 0:
        worker.run(gateway(), libpq_url(url))
        os._exit(0)
    if wait:
        time.sleep(wait)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        print("killed", flush=True)
    else:
        print("working", flush=True)
        sys.stdin.readline()
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        print("ended", flush=True)
"""
"""Forks a worker for each line: so long it lives, or until the next line. Loaded once, since that takes seconds.

Its real time stands where that of the test stands, so the turn of a worker that was killed while it renewed tokens is
waited for by number of looks: three, since nobody else is at it here (CON-15).
"""


class Nursery:
    """Workers to be killed, one at a time."""

    def __init__(self, gateway: Gateway, url: str) -> None:
        access = {
            bank_id: {"base_url": bank.base_url, "client_id": bank.client_id, "client_secret": "of-a-test"}
            for bank_id, bank in gateway.settings.banks.items()
        }
        settings = {"data_folder": str(gateway.settings.data_folder), "mode": "test", "banks": access}
        self._process = subprocess.Popen(
            [sys.executable, "-c", NURSERY, json.dumps(settings), url, gateway.real_now().isoformat()],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._read() == "ready"

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def say(self, word: str) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        return self._read()

    def end(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()


@pytest.mark.processes
def test_workers_killed_at_any_moment_lose_and_double_nothing(
    live: Gateway, banks: SimulatorServer, postgres: EmbeddedPostgres, own_database: str
) -> None:
    stories = [Story.begin(live, banks, bank_id) for bank_id in BANKS]
    accounts = [story.connect() for story in stories]
    chance = random.Random(SEED)
    url = postgres.url(APPLICATION, own_database).render_as_string(hide_password=False)
    nursery = Nursery(live, url)
    try:
        for _ in range(KILLS):
            if not any(unfinished(story) for story in stories):
                next_day(stories)
            assert nursery.say(f"{chance.uniform(0.05, 1.6):.3f}") == "killed"
        for _ in range(2):
            assert nursery.say("0") == "working"
            deadline = time.monotonic() + PATIENCE_SECONDS
            while any(unfinished(story) for story in stories):
                assert time.monotonic() < deadline, "a reading was lost with its worker"
                time.sleep(0.2)
            assert nursery.say("end") == "ended"
            next_day(stories)
    finally:
        nursery.end()
    lost = sum(check(story, account) for story, account in zip(stories, accounts, strict=True))
    print(f"{KILLS} kills; {lost} readings ended with tokens that were lost with their worker")


def unfinished(story: Story) -> list[Sync]:
    with story.gateway.database.unit_of_work(story.office.id) as session:
        return list(session.exec(select(Sync).where(col(Sync.state).in_(UNFINISHED))).all())


def next_day(stories: list[Story]) -> None:
    """Noon of the next day, and what is due is planned.

    Whoever's tokens were lost with a worker, between the bank's answer and the store, has authorised anew (CON-15).
    """
    banks, gateway = stories[0].banks, stories[0].gateway
    for story in stories:
        if any(account.health_code == TOKEN_LOST for account in story.accounts()):
            story.choose(story.authorise())
    before = banks.clock.now
    seconds = int((banks.clock.advance(days=1) - before).total_seconds())
    for story in stories:
        OfficeService(gateway).move_clock(story.office.id, seconds=seconds)
    Dispatcher(gateway).run()


def check(story: Story, account: Account) -> int:
    """Rows are the bank's; numbers run, statements chain, and each reading and each file was told once.

    Returns how many readings failed because tokens were lost.
    """
    truth = story.banks.world.account(account.iban)
    shown = Counter((row.booking_date, row.amount) for row in story.banks.world.booked(truth))
    stored = Counter((row.booking_date, row.amount) for row in story.transactions())
    assert not stored - shown
    with story.gateway.database.unit_of_work(story.office.id) as session:
        failed = session.exec(select(Sync.error_code, Sync.bank_code).where(Sync.state == "failed")).all()
    lost = failed.count((ConsentEnded.code, TOKEN_LOST))
    # Each killed try has spent a call: a reading that was killed often enough has none left on that day (SYN-02).
    spent = failed.count((BankCallBudgetExhausted.code, None))
    assert len(failed) == lost + spent, "no bank refused anything"
    assert [row.id for row in story.accounts()] == [account.id], "who authorises anew makes no second account"
    # The last day was planned and not read.
    assert all(day >= story.act.today - ONE_DAY for day, _ in shown - stored)
    issued = story.statements("issued")
    assert issued, "days were closed"
    assert [row.number for row in issued] == numbers(issued)
    for earlier, later in itertools.pairwise(issued):
        assert later.opening_balance == earlier.closing_balance
    with story.gateway.database.unit_of_work(story.office.id) as session:
        files = session.exec(select(StatementFile)).all()
        told = Counter(session.exec(select(Event.type, Event.object_id)).all())
    assert {file.statement_id for file in files} == {row.id for row in issued}
    for file in files:
        (read,) = coda.read(file.content)
        assert read.movements
    twice = {kind for (kind, _), count in told.items() if count > 1 and kind in {"sync.succeeded", "statement.issued"}}
    assert not twice
    return lost


def numbers(issued: Sequence[Statement]) -> list[int]:
    """001 and on in each year."""
    years = Counter[int]()
    found = []
    for row in issued:
        years[row.day.year] += 1
        found.append(years[row.day.year])
    return found

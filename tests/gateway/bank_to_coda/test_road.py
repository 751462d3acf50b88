"""The whole road, on the simulator over real HTTP: from invitation to CODA file."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from decimal import Decimal

import pytest

import coda
from connectors.simulator import SimulatorServer
from gateway.assembly import Gateway
from gateway.statements.service import StatementService
from tests.gateway.bank_to_coda.story import Story


@pytest.mark.parametrize("bank_id", ["crelan", "keytrade", "vanbreda", "nagelmackers"])
def test_a_consent_becomes_proven_coda_files(linked: Gateway, banks: SimulatorServer, bank_id: str) -> None:
    story = Story.begin(linked, banks, bank_id)
    account = story.connect()
    story.work()
    account = story.account(account.id)
    assert account.health == "ok"
    truth = banks.world.account(account.iban)
    assert sum(row.amount for row in story.transactions()) == sum(row.amount for row in banks.world.booked(truth))
    assert not story.statements("issued"), "one bank balance alone agrees with anything derived from it"
    story.sleep()
    story.read(account)
    issued = story.statements("issued")
    assert issued
    assert [row.number for row in issued] == list(range(1, len(issued) + 1))
    balance = issued[0].opening_balance
    assert balance == truth.opening_balance
    for row in issued:
        assert row.opening_balance == balance
        balance = row.closing_balance
        assert balance == banks.world.balance(truth, row.day)
        file = StatementService(linked).content(story.act, row.id)
        assert hashlib.sha256(file.content).hexdigest() == row.sha256
        (statement,) = coda.read(file.content)
        assert statement.closing_balance == balance
        assert statement.number == row.number
    assert not story.statements("held")


def test_what_only_the_balance_knows_is_read_before_the_first_file(linked: Gateway, banks: SimulatorServer) -> None:
    """Law 1: dated further back than readings go, and booked before the chain began, it is found and written."""
    story = Story.begin(linked, banks)
    account = story.connect()
    story.work()
    truth = banks.world.account(account.iban)
    hidden = banks.world.book(truth, Decimal("12.10"), booking_date=banks.clock.today - timedelta(days=9))
    story.read(account)
    for _ in range(4):
        story.sleep()
        story.read(account)
    issued = story.statements("issued")
    assert issued
    assert all(row.closing_balance == banks.world.balance(truth, row.day) for row in issued)
    assert [row.amount for row in story.transactions()].count(hidden.amount) == [
        row.amount for row in banks.world.booked(truth)
    ].count(hidden.amount)
    assert not story.statements("held")

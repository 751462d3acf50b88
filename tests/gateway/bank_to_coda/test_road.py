"""The whole road, on the simulator over real HTTP: from invitation to CODA file."""

from __future__ import annotations

import hashlib

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

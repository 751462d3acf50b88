"""SYN-10: an improved mapping over stored answers makes no bank call, and shows its differences before they apply."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import select

from connectors.banks.crelan import Crelan
from connectors.model import RejectedRow, Transaction
from connectors.simulator import FaultKind, SimulatorServer
from gateway.assembly import Gateway
from gateway.audit.models import AuditEntry
from gateway.errors import PeriodInvalid
from gateway.remapping.errors import MappingStale
from gateway.remapping.service import RemappingService
from gateway.statements.models import StatementFile
from tests.gateway.bank_to_coda.story import Story


@pytest.fixture
def story(linked: Gateway, banks: SimulatorServer) -> Story:
    return Story.begin(linked, banks)


def better(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """The connector reads every row otherwise in these fields."""
    before = Crelan.transaction

    def transaction(self: Crelan, raw: Any, **more: Any) -> Transaction | RejectedRow:
        form = before(self, raw, **more)
        return form if isinstance(form, RejectedRow) else replace(form, **changes)

    monkeypatch.setattr(Crelan, "transaction", transaction)


def test_the_differences_are_shown_and_then_applied_without_a_bank(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = story.connect()
    story.work()
    story.sleep()
    story.read(account)
    story.banks.faults.order(FaultKind.STATUS, bank_id="crelan", times=None, status=500)
    service, last = RemappingService(story.gateway), story.act.today
    first = last - timedelta(days=60)
    assert not service.differences(story.act, account.id, first, last).rows, "the same mapping reads the same"
    before = {row.id: (row.amount, row.fingerprint, row.raw_cipher) for row in story.transactions()}
    with story.gateway.database.unit_of_work(story.office.id) as session:
        files = [file.sha256 for file in session.exec(select(StatementFile))]

    better(monkeypatch, purpose_code="ZZZZ")
    found = service.differences(story.act, account.id, first, last)
    assert len(found.rows) == found.read > 50
    assert all(set(one.fields) == {"purpose_code"} and one.is_applicable for one in found.rows)
    assert not [row for row in story.transactions() if row.purpose_code == "ZZZZ"], "looking changes nothing"
    with pytest.raises(MappingStale):
        service.apply(story.act, account.id, first + timedelta(days=1), last, seal=found.seal)
    assert service.apply(story.act, account.id, first, last, seal=found.seal) == found.read
    changed = [row for row in story.transactions() if row.purpose_code == "ZZZZ"]
    assert len(changed) == found.read
    assert {row.id: (row.amount, row.fingerprint, row.raw_cipher) for row in story.transactions()} == before
    with story.gateway.database.unit_of_work(story.office.id) as session:
        assert [file.sha256 for file in session.exec(select(StatementFile))] == files
        entries = session.exec(select(AuditEntry).where(AuditEntry.action == "transaction.remapped")).all()
    assert len(entries) == found.read
    assert not service.differences(story.act, account.id, first, last).rows


def test_what_would_move_a_balance_is_shown_and_not_applied(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    account = story.connect()
    story.work()
    service, last = RemappingService(story.gateway), story.act.today
    first = last - timedelta(days=30)
    better(monkeypatch, amount=Decimal("1.00"), purpose_code="ZZZZ")
    found = service.differences(story.act, account.id, first, last)
    assert found.rows
    assert not [one for one in found.rows if one.is_applicable]
    assert service.apply(story.act, account.id, first, last, seal=found.seal) == 0
    assert not [row for row in story.transactions() if row.purpose_code == "ZZZZ"]
    with pytest.raises(PeriodInvalid):
        service.differences(story.act, account.id, last - timedelta(days=100), last)

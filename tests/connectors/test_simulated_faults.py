"""What every bank passes when it fails: cut lines, limits, pages for people, ends of a consent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from connectors.errors import (
    BankAnswerInvalid,
    BankUnavailable,
    ConnectorError,
    ConsentEnded,
    ConsentError,
    QuotaExhausted,
)
from connectors.http import Limits
from connectors.model import TransactionStatus
from connectors.simulator import SimulatorServer
from tests.connectors.simulated import BANKS, opened, server, simulated

__all__ = ["server", "simulated"]


@pytest.fixture
def small_pages(simulated: SimulatorServer) -> Iterator[SimulatorServer]:
    """Pages so short that every bank has three."""
    known = dict(simulated.simulator.banks)
    simulated.simulator.banks.update({name: replace(bank, page_size=8) for name, bank in known.items()})
    yield simulated
    simulated.simulator.banks.update(known)


PERIOD = 40
"""Days read here: enough for three pages and more."""
FAULTS: list[tuple[str, dict[str, Any], type[ConnectorError]]] = [
    ("html", {"page": 2}, BankAnswerInvalid),
    ("broken_json", {}, BankAnswerInvalid),
    ("foreign_next_link", {}, BankAnswerInvalid),
    ("status", {"status": 403}, ConsentError),
    ("status", {"status": 429, "page": 2}, QuotaExhausted),
    ("status", {"status": 500, "times": 3}, BankUnavailable),
    ("cut", {"times": 3}, BankUnavailable),
    ("status", {"status": 401, "times": None}, ConsentEnded),
    ("consent_expired", {"page": 3}, ConsentEnded),
    ("consent_revoked", {"page": 2}, ConsentEnded),
]
PASSING: list[tuple[str, dict[str, Any]]] = [
    ("status", {"status": 500}),
    ("status", {"status": 503, "times": 2}),
    ("status", {"status": 401, "page": 2}),
    ("cut", {"page": 2}),
    ("changing_ids", {"times": None}),
    ("missing_fields", {"fields": ["transactionId"], "times": None}),
]


def named(scenario: tuple[Any, ...]) -> str:
    """What a report shows of a scenario: its kind and what is particular to it."""
    return " ".join([scenario[0], *(f"{name}={value}" for name, value in scenario[1].items())])


@pytest.mark.parametrize("bank_id", BANKS)
@pytest.mark.parametrize(("kind", "params", "error"), FAULTS, ids=map(named, FAULTS))
def test_a_fault_in_the_middle_spoils_the_whole_read(
    small_pages: SimulatorServer, bank_id: str, kind: str, params: dict[str, Any], error: type[ConnectorError]
) -> None:
    simulated = small_pages
    line = opened(simulated, bank_id)
    with closing(line.http):
        account = line.current_account()
        simulated.faults.order(kind, endpoint="transactions", **params)
        with pytest.raises(ConnectorError) as caught:
            line.rows(account, days=PERIOD)
        assert type(caught.value) is error


@pytest.mark.parametrize(("kind", "params"), PASSING, ids=map(named, PASSING))
@pytest.mark.parametrize("bank_id", BANKS)
def test_a_fault_that_passes_changes_nothing(
    small_pages: SimulatorServer, bank_id: str, kind: str, params: dict[str, Any]
) -> None:
    simulated = small_pages
    line = opened(simulated, bank_id)
    with closing(line.http):
        account = line.current_account()
        before = Counter(row.fingerprint for row in line.rows(account, days=PERIOD))
        simulated.faults.order(kind, endpoint="transactions", **params)
        assert Counter(row.fingerprint for row in line.rows(account, days=PERIOD)) == before


@pytest.mark.parametrize("bank_id", BANKS)
def test_a_page_linked_to_itself_is_read_once_and_nothing_is_lost(simulated: SimulatorServer, bank_id: str) -> None:
    line = opened(simulated, bank_id)
    with closing(line.http):
        account = line.current_account()
        whole = Counter(row.fingerprint for row in line.rows(account, days=10))
        simulated.faults.order("repeated_next_link", endpoint="transactions")
        assert Counter(row.fingerprint for row in line.rows(account, days=10)) == whole


@pytest.mark.parametrize("bank_id", BANKS)
def test_a_short_wait_the_bank_names_is_kept_and_a_slow_bank_is_given_up(
    simulated: SimulatorServer, bank_id: str
) -> None:
    line = opened(simulated, bank_id, limits=Limits(read_seconds=0.3))
    with closing(line.http):
        account = line.current_account()
        simulated.faults.order("status", endpoint="transactions", status=429, retry_after=1)
        assert line.rows(account, days=10)
        simulated.faults.order("slow", endpoint="transactions", seconds=1, times=3)
        with pytest.raises(BankUnavailable):
            line.rows(account, days=10)
        assert [record.status for record in line.records[-3:]] == [None, None, None]


@pytest.mark.parametrize("bank_id", BANKS)
def test_an_answer_without_a_body_is_an_empty_list_where_the_bank_may_give_one(
    simulated: SimulatorServer, bank_id: str
) -> None:
    line = opened(simulated, bank_id)
    with closing(line.http):
        account = line.current_account()
        simulated.faults.order("no_content", endpoint="transactions")
        if bank_id == "ponto":
            # Its lists always have a body, so that none is no answer.
            with pytest.raises(BankAnswerInvalid):
                line.rows(account, days=10)
        else:
            assert not any(row.status is TransactionStatus.BOOKED for row in line.rows(account, days=10))
        assert any(row.status is TransactionStatus.BOOKED for row in line.rows(account, days=10))

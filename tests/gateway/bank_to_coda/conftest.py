"""Simulated banks over real HTTP, and installations connected to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest

from connectors.simulator import DEFAULT_BANKS, SimulatorConfig, SimulatorServer
from gateway.assembly import Gateway
from tests.gateway.bank_to_coda.story import connect_to

TODAY = date(2026, 11, 23)
"""A Monday, so that a day later is a banking day too."""


@pytest.fixture(scope="session")
def running_banks() -> Iterator[SimulatorServer]:
    """One server for all tests of this process; no limit of unattended calls, since a test makes many in one day.

    Nagelmackers' access tokens live for months: its tests are not about renewing them.
    """
    lives = {"nagelmackers": 10_000_000}
    banks = tuple(
        replace(bank, unattended_calls_max=None, access_token_seconds=lives.get(bank.bank_id, 3600))
        for bank in DEFAULT_BANKS
    )
    with SimulatorServer(SimulatorConfig(today=TODAY, banks=banks)) as server:
        yield server


@pytest.fixture
def banks(running_banks: SimulatorServer) -> SimulatorServer:
    """The banks as they were at the start."""
    running_banks.simulator.reset()
    return running_banks


@pytest.fixture
def linked(gateway: Gateway, banks: SimulatorServer) -> Iterator[Gateway]:
    """A rolled-back installation that reaches the simulated banks."""
    connected = connect_to(banks, gateway)
    yield connected
    connected.banks.close()


@pytest.fixture
def live(committed: Gateway, banks: SimulatorServer) -> Iterator[Gateway]:
    """A committed installation that reaches the simulated banks."""
    connected = connect_to(banks, committed)
    yield connected
    connected.banks.close()

"""Random histories keep the laws 1, 2, 3 and 7, whatever bank, clock and machine do (SYN-05, SYN-15, STA-02, STA-09).

`make histories COUNT=2000 SEED=7` runs so many, shared among three seasons; the default runs the same few each time.
A failure prints its steps.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import Engine, event

from connectors.simulator import DEFAULT_BANKS, SimulatorConfig, SimulatorServer
from gateway.assembly import build
from gateway.consents import tokens
from gateway.crypto import KeyRing
from gateway.database import connect
from gateway.embedded import APPLICATION, DATABASE, EmbeddedPostgres
from gateway.settings import Settings
from tests.gateway.bank_to_coda.histories import History
from tests.gateway.bank_to_coda.story import Story, connect_to

MANY = int(os.environ.get("SLUIS_HISTORIES", "0"))
FEW = 4
STEPS = int(os.environ.get("SLUIS_HISTORY_STEPS", "25"))
FIRST_DAYS = (date(2026, 12, 21), date(2027, 3, 22), date(2026, 10, 19))
"""A year end, and both changes of the clock, lie in the days that follow."""


@pytest.fixture(scope="module", params=FIRST_DAYS, ids=str)
def era(request: pytest.FixtureRequest) -> Iterator[SimulatorServer]:
    """The banks at one time of the year."""
    banks = tuple(replace(bank, unattended_calls_max=None) for bank in DEFAULT_BANKS)
    with SimulatorServer(SimulatorConfig(today=request.param, banks=banks)) as server:
        yield server


@pytest.fixture
def place(
    era: SimulatorServer,
    settings: Settings,
    postgres: EmbeddedPostgres,
    keys: KeyRing,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[[], Story]]:
    """A fresh, committed installation for every history, on one engine: it knows each statement from the last one."""
    # A turn that a killed worker left is waited for in real time (CON-15), and no call to these banks takes so long.
    monkeypatch.setattr(tokens, "WAITS_MAX", 25)
    numbers = itertools.count(1)
    gateway = build(settings, connect(postgres.url(APPLICATION, DATABASE), pool_size=5), keys)
    engine: Engine = gateway.database.bind  # type: ignore[attr-defined]  # a gateway that commits has an engine
    made: list[str] = []

    @event.listens_for(engine, "do_connect")
    def go_to_the_last(_dialect: Any, _record: Any, _args: Any, parameters: dict[str, Any]) -> None:
        parameters["dbname"] = made[-1]

    def end() -> None:
        engine.dispose()
        while made:
            postgres.drop_database(made.pop())

    def begin() -> Story:
        end()
        era.simulator.reset()
        made.append(f"history_{next(numbers)}")
        postgres.create_database(made[-1], template=DATABASE)
        return Story.begin(connect_to(era, gateway), era)

    yield begin
    end()


def test_random_histories_keep_the_laws(place: Callable[[], Story]) -> None:
    chosen = settings(
        max_examples=max(1, MANY // len(FIRST_DAYS)) if MANY else FEW,
        stateful_step_count=STEPS,
        derandomize=not MANY,
        database=None,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    run_state_machine_as_test(lambda: History(place), settings=chosen)

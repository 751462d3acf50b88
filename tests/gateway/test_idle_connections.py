"""A connection that lay idle is tried before it is used; one used a moment ago is not asked again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, text

from gateway import database
from gateway.database import Database, connect
from gateway.embedded import APPLICATION, EmbeddedPostgres


@pytest.fixture
def pooled(postgres: EmbeddedPostgres, own_database: str) -> Iterator[Database]:
    """One connection, idle in its pool."""
    made = connect(postgres.url(APPLICATION, own_database), pool_size=1, max_overflow=0)
    yield made
    engine_of(made).dispose()


def engine_of(made: Database) -> Engine:
    assert isinstance(made.bind, Engine)
    return made.bind


def backend_of(made: Database) -> int:
    with made.unit_of_work(None) as session:
        found: int = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
        return found


def end(postgres: EmbeddedPostgres, backend: int) -> None:
    """What a restart of the server does to a connection."""
    with postgres._administer() as administrator:
        administrator.execute("SELECT pg_terminate_backend(%s, 5000)", (backend,))


def test_what_went_away_meanwhile_is_replaced(
    pooled: Database, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "IDLE_SECONDS", 0.0)
    before = backend_of(pooled)
    end(postgres, before)
    assert backend_of(pooled) != before


def test_no_round_trip_is_spent_on_one_just_used(pooled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "IDLE_SECONDS", 3_600.0)
    tried: list[Any] = []
    monkeypatch.setattr(engine_of(pooled).dialect, "do_ping", tried.append)
    assert backend_of(pooled) == backend_of(pooled)
    assert not tried
    monkeypatch.setattr(database, "IDLE_SECONDS", 0.0)
    backend_of(pooled)
    assert len(tried) == 1

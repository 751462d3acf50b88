"""A real PostgreSQL with our migrations: rolled back per test, or an own copy where commits are the subject."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine, create_engine

from connectors import http
from gateway import migrations
from gateway.assembly import Gateway, build
from gateway.crypto import KeyRing
from gateway.database import Database, connect
from gateway.embedded import APPLICATION, DATABASE, OWNER, EmbeddedPostgres
from gateway.identity import passwords
from gateway.settings import Settings
from gateway.transactions import copies

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres(worker_folder: Path) -> Iterator[EmbeddedPostgres]:
    """The server of this test process; its database `sluis` is the migrated template and nobody stays connected."""
    with EmbeddedPostgres(worker_folder / "postgres", is_durable=False) as server:
        migrations.upgrade(server.url(OWNER))
        yield server


@pytest.fixture(scope="session")
def keys(worker_folder: Path) -> KeyRing:
    """Keys of this test process."""
    return KeyRing.generate(worker_folder / "keys.json")


@pytest.fixture(scope="session")
def settings(worker_folder: Path) -> Settings:
    """Settings as the tests need them; the environment and `.env` of the machine do not count."""
    return Settings(
        _env_file=None, data_folder=worker_folder, mode="test", base_url="http://127.0.0.1:8000", default_language="en",
        allowed_hosts=["testserver"],
        # Tests call faster than people; the limits have tests of their own.
        rate_limit_per_minute=0, rate_limit_office_per_minute=0, rate_limit_unknown_per_minute=0,
    )  # fmt: skip


@pytest.fixture(scope="session")
def service_database(postgres: EmbeddedPostgres) -> str:
    """One copy of the template for all tests that roll back."""
    postgres.create_database("service_tests", template=DATABASE)
    return "service_tests"


@pytest.fixture(scope="session")
def service_engine(postgres: EmbeddedPostgres, service_database: str) -> Iterator[Engine]:
    """One engine, since each compiles every statement anew: a third of what a test costs."""
    engine = create_engine(postgres.url(APPLICATION, service_database), query_cache_size=5000)
    yield engine
    engine.dispose()


@pytest.fixture
def database(service_engine: Engine) -> Iterator[Database]:
    """Rolled back after the test; for rules that do not turn on commits."""
    with service_engine.connect() as connection:
        outer = connection.begin()
        yield Database(connection)
        outer.rollback()


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Passwords hashed with little work: at full strength they would be an eighth of the suite."""
    with pytest.MonkeyPatch.context() as patch:
        quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr(passwords, "_hasher", quick)
        patch.setattr(passwords, "_decoy", quick.hash("a password nobody has"))
        yield


@pytest.fixture(scope="session", autouse=True)
def impatience() -> Iterator[None]:
    """Between two tries at a bank, or two looks at Ponto's copy, lies no time: simulated ones answer as they do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(copies, "LOOK_SECONDS", 0.0)
        patch.setattr(http, "_wait", lambda _tries: 0.0)
        yield


@pytest.fixture
def gateway(settings: Settings, database: Database, keys: KeyRing) -> Gateway:
    """An installation on the rolled-back database."""
    return build(settings, database, keys)


@pytest.fixture
def own_database(postgres: EmbeddedPostgres) -> Iterator[str]:
    """Name of a committed copy of the template, dropped after the test; for tenancy, workers, crashes and races."""
    name = f"own_{next(_numbers)}"
    postgres.create_database(name, template=DATABASE)
    yield name
    postgres.drop_database(name)


@pytest.fixture
def committed(settings: Settings, postgres: EmbeddedPostgres, own_database: str, keys: KeyRing) -> Iterator[Gateway]:
    """An installation on an own, committed database."""
    database = connect(postgres.url(APPLICATION, own_database), pool_size=5)
    yield build(settings, database, keys)
    database.bind.engine.dispose()

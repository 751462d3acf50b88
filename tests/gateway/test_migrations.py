"""The written-out migrations give exactly the tables that the code declares, and run once whoever starts them."""

from __future__ import annotations

import importlib
import pkgutil
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError

from gateway import migrations
from gateway.database import GLOBAL_TABLES, Base
from gateway.embedded import OWNER, EmbeddedPostgres
from gateway.migrations import versions
from gateway.models import import_all


def test_the_migrated_database_is_what_the_code_declares(postgres: EmbeddedPostgres, service_database: str) -> None:
    import_all()
    engine = create_engine(postgres.url(OWNER, service_database))
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_name": lambda name, kind, _: not (kind == "table" and name.startswith("procrastinate_")),
            },
        )
        differences = [
            found for found in compare_metadata(context, Base.metadata) if "alembic_version" not in str(found)
        ]
    engine.dispose()
    assert differences == []


def test_the_migrations_name_every_table() -> None:
    """Together they list each table that is left once: those of offices behind their policy, the others on purpose."""
    import_all()
    revisions = [
        importlib.import_module(f"{versions.__name__}.{module.name}")
        for module in pkgutil.iter_modules(versions.__path__)
    ]
    dropped = {table for revision in revisions for table in getattr(revision, "DROPPED_TABLES", ())}
    listed = {
        kind: [table for revision in revisions for table in getattr(revision, kind, ()) if table not in dropped]
        for kind in ("GLOBAL_TABLES", "OFFICE_TABLES")
    }
    assert sorted(listed["GLOBAL_TABLES"]) == sorted(GLOBAL_TABLES)
    assert sorted(listed["OFFICE_TABLES"]) == sorted(set(Base.metadata.tables) - GLOBAL_TABLES)


def test_two_deployments_at_once_migrate_once(postgres: EmbeddedPostgres) -> None:
    postgres.create_database("two_at_once")
    url = postgres.url(OWNER, "two_at_once")
    failures: list[Exception] = []

    def migrate() -> None:
        try:
            migrations.upgrade(url)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test says so
            failures.append(error)

    threads = [threading.Thread(target=migrate) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    newest = ScriptDirectory(str(Path(migrations.__file__).parent)).get_current_head()
    engine = create_engine(url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).all() == [(newest,)]
    engine.dispose()
    postgres.drop_database("two_at_once")
    assert failures == []


def test_a_failing_migration_leaves_nothing_behind(postgres: EmbeddedPostgres) -> None:
    postgres.create_database("failing")
    url = postgres.url(OWNER, "failing")
    engine = create_engine(url)
    with engine.begin() as connection:
        # In the way of a table that comes late.
        connection.execute(text("CREATE TABLE export_payment (id integer)"))
    with pytest.raises(ProgrammingError, match="export_payment"):
        migrations.upgrade(url)
    with engine.connect() as connection:
        tables = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
    engine.dispose()
    postgres.drop_database("failing")
    assert tables == [("export_payment",)]

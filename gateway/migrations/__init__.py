"""Schema changes, forward only, run once under a lock by `sluis migrate` as the owner of the tables."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, create_engine, text

from gateway.database import with_driver

LOCK: Final = 7_365_100
"""Advisory lock: two deployments that start together migrate one after the other."""


def upgrade(owner_url: URL | str, *, revision: str = "head") -> None:
    """Bring the database to `revision`; the whole step is one transaction, so a failing one leaves nothing behind."""
    engine = create_engine(with_driver(owner_url), hide_parameters=True)
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            config = Config()
            config.set_main_option("script_location", str(Path(__file__).parent))
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
    finally:
        engine.dispose()

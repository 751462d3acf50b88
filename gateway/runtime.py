"""Opening an installation: keys, database, migrations; for every process of it.

Without `SLUIS_DATABASE_URL` one supervising process starts the embedded server, migrates it and hands its address to
the processes it starts. With it, keys must exist and `sluis migrate` is a step of its own (OPS-01, OPS-06).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr

from gateway import migrations
from gateway.assembly import Gateway, build
from gateway.crypto import KeyRing
from gateway.database import connect, libpq_url
from gateway.embedded import APPLICATION, OWNER, EmbeddedPostgres
from gateway.errors import ConfigError
from gateway.settings import Settings

POSTGRES_FOLDER: Final = "postgres"


class DatabaseNotNamed(ConfigError):
    """This process needs the address of a database."""

    code = "database_not_named"
    title = "No database is named"
    detail = "The setting {setting} is empty."
    hint = "Set it, or use `sluis serve --all-in-one`, which brings its own PostgreSQL."


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the database is, per role; SQLAlchemy addresses with their passwords."""

    application: str
    owner: str | None


@contextlib.contextmanager
def database_addresses(settings: Settings) -> Iterator[Addresses]:
    """The operator's database, or the embedded one for as long as the block runs."""
    if settings.database_url is not None:
        owner = settings.database_owner_url
        yield Addresses(settings.database_url.get_secret_value(), owner.get_secret_value() if owner else None)
        return
    with EmbeddedPostgres(settings.data_folder / POSTGRES_FOLDER) as server:
        yield Addresses(
            server.url(APPLICATION).render_as_string(hide_password=False),
            server.url(OWNER).render_as_string(hide_password=False),
        )


def prepare(settings: Settings, addresses: Addresses) -> None:
    """Migrate and make keys where the installation is our own (embedded); an operator does both on purpose."""
    if settings.database_url is not None:
        return
    assert addresses.owner is not None, "the embedded server gives both addresses"
    migrations.upgrade(addresses.owner)
    if not settings.keys_path.exists():
        KeyRing.generate(settings.keys_path)


def open_gateway(settings: Settings) -> Gateway:
    """The installation as this process sees it; raises `ConfigError` when it is not complete."""
    if settings.database_url is None:
        raise DatabaseNotNamed(setting="SLUIS_DATABASE_URL")
    settings.check_files()
    keys = KeyRing.load(settings.keys_path)
    return build(settings, connect(settings.database_url.get_secret_value()), keys)


@contextlib.contextmanager
def opened_gateway(settings: Settings) -> Iterator[Gateway]:
    """The installation for one command, on the operator's database or the embedded one; closed at the end."""
    with database_addresses(settings) as addresses:
        gateway = open_gateway(with_database(settings, addresses))
        try:
            yield gateway
        finally:
            gateway.database.bind.engine.dispose()


def conninfo(settings: Settings) -> str:
    """libpq connection string of the application role, for procrastinate."""
    if settings.database_url is None:
        raise DatabaseNotNamed(setting="SLUIS_DATABASE_URL")
    return libpq_url(settings.database_url.get_secret_value())


def with_database(settings: Settings, addresses: Addresses) -> Settings:
    """The same settings, naming the database; for work in the supervising process itself."""
    return settings.model_copy(update={"database_url": SecretStr(addresses.application)})

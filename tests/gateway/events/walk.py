"""Watches every change of a state in the tables of the event families, and finds those that told nothing (API-08).

Triggers of a superuser in the test's own database note each change with the number of its transaction. An event of the
same object, written by the same transaction, must stand beside it: whatever code made the change, and however.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import psycopg

from gateway.database import libpq_url
from gateway.embedded import SUPERUSER, EmbeddedPostgres


@dataclass(frozen=True)
class Watched:
    """A table whose `state` column is the life of something; `told_of` is the column with the id its events carry."""

    family: str
    table: str
    state: str = "state"
    told_of: str = "id"


WATCHED: Final = (
    Watched("client", "client"),
    Watched("consent", "consent"),
    Watched("account", "account", state="health"),
    Watched("sync", "sync"),
    Watched("statement", "statement"),
    Watched("basket", "basket"),
    Watched("payment", "payment"),
    # A request is part of its payment's life; its events carry the payment's id.
    Watched("approval", "approval_request", told_of="payment_id"),
    Watched("approval", "approval", state="verdict", told_of="payment_id"),
    Watched("export", "export"),
    Watched("import", "client_import_run", state="(finished_at IS NULL)", told_of="import_id"),
    Watched("transaction", "bank_transaction"),
)
OTHERWISE: Final = {
    "coda": "a file is made with its statement: `coda.ready` carries the statement's id",
    "delivery": "nothing is delivered yet",
    "duplicate": "found while payments are checked, and kept with them",
    "test": "no object",
    "audit": "entries are not told one by one; heads have no state",
}
"""Families without a life cycle of their own in the database, and why."""
SILENT: Final = {
    ("sync", "queued"): "asked for; what comes of it is told",
    ("sync", "running"): "under way; what comes of it is told",
    ("sync", "stored"): "told as `sync.succeeded` once the days it proves are closed",
    ("statement", "collecting"): "the day is not over",
}
"""States whose beginning tells nobody anything."""


class Walk:
    """Begun before the story, asked after it."""

    def __init__(self, postgres: EmbeddedPostgres, database: str) -> None:
        self._address = libpq_url(postgres.url(SUPERUSER, database))
        with self._connect() as connection:
            connection.execute(
                "CREATE TABLE walked (family text, object uuid, before text, after text,"
                " transaction bigint DEFAULT (pg_current_xact_id()::text::bigint % 4294967296))"
            )
            for one in WATCHED:
                before, after = (one.state.replace("finished_at", f"{row}.finished_at") for row in ("OLD", "NEW"))
                if "(" not in one.state:
                    before, after = f"OLD.{one.state}", f"NEW.{one.state}"
                connection.execute(
                    f"CREATE FUNCTION walk_{one.table}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$"
                    f" DECLARE was text; BEGIN IF TG_OP = 'UPDATE' THEN was := {before}; END IF;"
                    f" IF was IS DISTINCT FROM ({after})::text THEN INSERT INTO walked (family, object, before, after)"
                    f" VALUES ('{one.family}', NEW.{one.told_of}, was, {after}); END IF; RETURN NULL; END $$"
                )
                connection.execute(
                    f"CREATE TRIGGER walk AFTER INSERT OR UPDATE ON {one.table}"
                    f" FOR EACH ROW EXECUTE FUNCTION walk_{one.table}()"
                )

    def seen(self) -> set[tuple[str, str]]:
        """Family and state of every step taken."""
        with self._connect() as connection:
            return {(row[0], row[1]) for row in connection.execute("SELECT DISTINCT family, after FROM walked")}

    def untold(self) -> list[tuple[str, str | None, str]]:
        """Family, state before and after, of the steps without an event in their transaction."""
        with self._connect() as connection:
            rows = connection.execute(
                "SELECT DISTINCT family, before, after FROM walked WHERE NOT EXISTS (SELECT FROM event"
                " WHERE event.xmin::text::bigint = walked.transaction"
                " AND (event.object_id = walked.object OR (family = 'transaction' AND event.subject = 'transaction')))"
            ).fetchall()
        return sorted((row for row in rows if (row[0], row[2]) not in SILENT), key=str)

    def _connect(self) -> psycopg.Connection[tuple[str, str | None, str]]:
        return psycopg.connect(self._address, autocommit=True)

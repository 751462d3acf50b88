"""From one master key to the next: every stored secret is wrapped anew, in batches, while the service runs (SEC-06).

What must still be done is read from the ciphertexts themselves, so the work can be stopped anywhere, repeated, and
shared by several workers: each takes rows that no other holds. Statements speak of tables and columns of our own list.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.sql import ColumnElement
from sqlmodel import Session

from gateway import jobs, keyfile
from gateway.assembly import Gateway
from gateway.crypto import KeyRing, KeysUnusable, key_id_of
from gateway.custody.columns import ENCRYPTED, EncryptedColumn
from gateway.database import GLOBAL_TABLES, Base
from gateway.keyfile import KeyStillNeeded
from gateway.models import import_all
from gateway.offices.repository import OfficeRepository

TASK: Final = "rewrap_secrets"
BATCH: Final = 500
UNREADABLE: Final = "unreadable"
NOBODY: Final = UUID(int=0)
"""Below every id: where a walk begins."""

log = logging.getLogger("gateway.custody")


@dataclass(frozen=True, slots=True)
class Usage:
    """How many secrets of one column one master key holds."""

    table: str
    column: str
    key_id: str
    version: int
    count: int


class RotationService:
    """Wraps secrets anew and tells which master key is used where."""

    def __init__(self, gateway: Gateway, columns: Iterable[EncryptedColumn] = ENCRYPTED) -> None:
        self.gateway = gateway
        self.columns = tuple(columns)
        import_all()

    def rewrap(self, *, batch: int = BATCH) -> int:
        """Bring every secret under the current master key; returns how many were wrapped anew."""
        return sum(
            self._column(column, office_id, batch) for column in self.columns for office_id in self._offices(column)
        )

    def usage(self) -> list[Usage]:
        """Counts per column, master key and version, over all offices."""
        counts: Counter[tuple[str, str, str, int]] = Counter()
        for column in self.columns:
            for office_id in self._offices(column):
                with self.gateway.database.unit_of_work(office_id) as session:
                    for head, count in _heads(session, column, office_id):
                        counts[column.table, column.column, *_read(head)] += count
        return [Usage(*key, count) for key, count in sorted(counts.items())]

    def retire(self, key_id: str, *, now: datetime) -> None:
        """Take a master key out of the file; raises `KeyStillNeeded` while one secret needs it."""
        path = self.gateway.settings.keys_path
        with keyfile.changing(path) as held:
            # Looked up with the file locked; SETTLING keeps out what was written with it a moment ago.
            document = keyfile.retired(held[-1], key_id, now=now)
            needed = sum(usage.count for usage in self.usage() if usage.key_id == key_id)
            if needed:
                raise KeyStillNeeded(reason=f"{needed} stored secrets need the key {key_id}")
            held.append(document)

    def _offices(self, column: EncryptedColumn) -> list[UUID | None]:
        if column.table in GLOBAL_TABLES:
            return [None]
        with self.gateway.database.unit_of_work(None) as session:
            return list(OfficeRepository(session).all_ids())

    def _column(self, column: EncryptedColumn, office_id: UUID | None, batch: int) -> int:
        done, after, rounds = 0, NOBODY, 0
        while True:
            with self.gateway.database.unit_of_work(office_id) as session:
                rows = _not_current(session, column, office_id, self.gateway.keys, after=after, batch=batch)
                done += self._rewrap_rows(session, column, office_id, rows)
            rounds += 1
            if len(rows) < batch:
                if rounds > 1 and done:
                    log.info("secrets wrapped anew", extra={"table": column.table, "count": done})
                return done
            after = rows[-1][0]

    def _rewrap_rows(
        self, session: Session, column: EncryptedColumn, office_id: UUID | None, rows: list[tuple[UUID, UUID, bytes]]
    ) -> int:
        table = Base.metadata.tables[column.table]
        done = 0
        for row_id, bound_to, cipher in rows:
            try:
                anew = self.gateway.keys.rewrap(cipher, office_id=office_id, table=column.binding, row_id=bound_to)
            except KeysUnusable:
                # Counted by `sluis keys status`; the others go on.
                log.warning("secret not wrapped anew", extra={"table": column.table, "row": str(row_id)})
                continue
            if anew is not None:
                session.connection().execute(
                    update(table)
                    .where(table.c.id == row_id, *_of_office(table, office_id))
                    .values({column.column: anew})
                )
                done += 1
        return done


def request_rewrap(session: Session) -> None:
    """Have a worker begin at once; without it the hourly look does."""
    jobs.enqueue(session, TASK, lock=TASK)


def _not_current(
    session: Session, column: EncryptedColumn, office_id: UUID | None, keys: KeyRing, *, after: UUID, batch: int
) -> list[tuple[UUID, UUID, bytes]]:
    """Rows in order of id that are not under the current master key and that nobody else is working on."""
    table = Base.metadata.tables[column.table]
    cipher, head = table.c[column.column], keys.head()
    query = (
        select(table.c.id, table.c[column.row], cipher)
        .where(
            *_of_office(table, office_id),
            table.c.id > after,
            cipher.is_not(None),
            func.substring(cipher, 1, len(head)) != head,
        )
        .order_by(table.c.id)
        .limit(batch)
        .with_for_update(skip_locked=True)
    )
    return [(row[0], row[1], row[2]) for row in session.connection().execute(query)]


def _heads(session: Session, column: EncryptedColumn, office_id: UUID | None) -> list[tuple[bytes, int]]:
    table = Base.metadata.tables[column.table]
    cipher = table.c[column.column]
    # Version, length and id of the master key; the length stands in the second byte.
    length = func.least(func.get_byte(func.substring(cipher, 2, 1), 0) + 2, func.length(cipher))
    head = func.substring(cipher, 1, length).label("head")
    query = (
        select(head, func.count())
        .where(*_of_office(table, office_id), cipher.is_not(None), func.length(cipher) > 1)
        .group_by(head)
    )
    return [(row[0], row[1]) for row in session.connection().execute(query)]


def _of_office(table: Any, office_id: UUID | None) -> list[ColumnElement[bool]]:
    return [] if office_id is None else [table.c.office_id == office_id]


def _read(head: bytes) -> tuple[str, int]:
    try:
        return key_id_of(head), head[0]
    except KeysUnusable:
        return UNREADABLE, head[0]

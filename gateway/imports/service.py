"""Taking a file in, the dry run, repairing rows, forgetting (OFF-12…14)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Uuid, func
from sqlmodel import Session, col, select

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import FieldFault, InputError
from gateway.identity.rights import Permission
from gateway.ids import new_id
from gateway.imports import present
from gateway.imports.checks import Columns, Judged, Typed, judge, keys_of, read_rows, typed_rows
from gateway.imports.columns import is_field
from gateway.imports.contents import columns_of, content_of, opened, seal, stored_columns, typed_of
from gateway.imports.errors import ImportBusy, ImportErased, ImportNotFound, ImportRowNotFound, RowImported
from gateway.imports.models import ClientImport, ClientImportRow, ClientImportRun, Outcome, RowKind
from gateway.imports.readers import read_table
from gateway.imports.repository import ImportRepository
from gateway.imports.tables import checked
from gateway.offices.models import Client
from gateway.pagination import PageRequest, Sort

UNUSED_LIFE: Final = timedelta(days=7)
"""How long the rows of an import that nobody carried out are kept."""
UNDO_LIFE: Final = timedelta(hours=24)
"""How long an import can be undone, and its rows are kept after its last run (OFF-15)."""
ONLY_HERE: Final = "only_here"


@dataclass(frozen=True, slots=True)
class RowView:
    """A row of the dry run, opened; for `only_here` a client without a row."""

    kind: str
    row: ClientImportRow | None
    content: Mapping[str, Any]
    client: Client | None = None


@dataclass(frozen=True, slots=True)
class ImportView:
    """An import with its counts and its newest run."""

    client_import: ClientImport
    counts: Mapping[str, int]
    run: ClientImportRun | None


def require_bulk(act: Act) -> None:
    """Importing shows and touches any client of the office, so the right must hold for all of them (OFF-09).

    Raises `RightsError` for staff who reach the clients of some groups only.
    """
    act.require_for_office(Permission.CLIENTS_WRITE)


class ImportService:
    """Imports of one office's clients."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def create(self, act: Act, content: bytes, *, file_name: str | None = None) -> ImportView:
        """Read a file and sort its rows; nothing is changed at any client.

        Raises `ImportTooLarge` and subclasses of `FileRefused`.
        """
        require_bulk(act)
        table = read_table(content)
        client_import = ClientImport(
            id=new_id(),
            office_id=act.office_id,
            creator_kind=act.principal.kind,
            creator_id=act.principal.id,
            file_name=_plain_name(file_name),
            format=table.format,
            columns=stored_columns(table.headers),
            row_count=len(table.rows),
            created_at=act.now,
            erase_after=act.now + UNUSED_LIFE,
        )
        with self.gateway.database.unit_of_work(act.office_id) as session:
            judged, _office = judged_rows(
                session, act.office_id, typed_rows(table.headers, table.rows), Columns(table.headers)
            )
            session.add(client_import)
            session.flush()
            ImportRepository(session).add_rows(
                act.office_id, [self._stored(act.office_id, client_import.id, row) for row in judged]
            )
            self.gateway.audit.record(
                session,
                act,
                "client_import.created",
                "client_import",
                client_import.id,
                changes={"rows": Change(None, len(judged))},
            )
            return self._view(session, act, client_import)

    def get(self, act: Act, import_id: UUID) -> ImportView:
        """One import; raises `ImportNotFound`."""
        require_bulk(act)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            return self._view(session, act, self._require(session, act, import_id))

    def page(self, act: Act, request: PageRequest) -> tuple[list[ImportView], str | None]:
        """Imports, newest first."""
        require_bulk(act)
        order = [Sort(col(ClientImport.id), lambda found: str(found.id), UUID, is_descending=True)]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            imports = ImportRepository(session)
            found, cursor = self.gateway.pager.page(
                session, imports.all(act.office_id), order, request, name=f"client-imports:{act.office_id}"
            )
            ids = [each.id for each in found]
            counts, runs = imports.counts(act.office_id, ids), imports.last_runs(act.office_id, ids)
            return [
                ImportView(each, each.counts or counts_of(counts.get(each.id, {})), runs.get(each.id)) for each in found
            ], cursor

    def rows(
        self,
        act: Act,
        import_id: UUID,
        request: PageRequest,
        *,
        kind: str | None = None,
        outcome: Outcome | None = None,
    ) -> tuple[list[RowView], str | None]:
        """Rows in the order of the file; of kind `only_here`, the clients that the file does not name, by name."""
        require_bulk(act)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            client_import = self._require(session, act, import_id)
            imports = ImportRepository(session)
            name = f"client-import-rows:{import_id}:{kind}:{outcome}"
            if kind == ONLY_HERE:
                if client_import.erased_at is not None:
                    raise ImportErased
                order = [
                    Sort(col(Client.name), lambda client: client.name, str),
                    Sort(col(Client.id), lambda client: str(client.id), UUID),
                ]
                clients, cursor = self.gateway.pager.page(
                    session, imports.only_here(act.office_id, import_id), order, request, name=name
                )
                return [RowView(ONLY_HERE, None, {}, client) for client in clients], cursor
            query = imports.rows(act.office_id, import_id)
            if kind is not None:
                query = query.where(ClientImportRow.kind == RowKind(kind))
            if outcome is not None:
                query = query.where(ClientImportRow.outcome == outcome)
            by_number = [Sort(col(ClientImportRow.number), lambda row: row.number, int)]
            rows, cursor = self.gateway.pager.page(session, query, by_number, request, name=name)
            return [self._row_view(row) for row in rows], cursor

    def row(self, act: Act, import_id: UUID, number: int) -> RowView:
        """One row; raises `ImportRowNotFound`."""
        require_bulk(act)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            self._require(session, act, import_id)
            row = ImportRepository(session).row(act.office_id, import_id, number)
            if row is None:
                raise ImportRowNotFound
            return self._row_view(row)

    def repair(self, act: Act, import_id: UUID, number: int, cells: Mapping[str, str | None]) -> RowView:
        """Give cells of a row another text (None empties one) and sort all waiting rows anew.

        All, since a repaired key may be the twin of another row, or no longer be. Raises `InputError` for an unknown
        field, `ImportRowNotFound`, `RowImported`, `ImportBusy`, `ImportErased`.
        """
        require_bulk(act)
        unknown = sorted(name for name in cells if not is_field(name))
        if unknown:
            raise InputError(
                faults=[FieldFault(f"/cells/{name}", "field_unknown", "There is no such column.") for name in unknown]
            )
        with self.gateway.database.unit_of_work(act.office_id) as session:
            imports = ImportRepository(session)
            client_import = self._require(session, act, import_id, is_locked=True)
            if client_import.erased_at is not None:
                raise ImportErased
            if imports.open_run(act.office_id, import_id) is not None:
                raise ImportBusy
            row = imports.row(act.office_id, import_id, number)
            if row is None:
                raise ImportRowNotFound
            if row.outcome is not Outcome.WAITING:
                raise RowImported
            waiting = imports.waiting_rows(act.office_id, import_id)
            contents = {each.id: opened(self.gateway.keys, each) for each in waiting}
            contents[row.id] = _repaired(contents[row.id], cells)
            judged, _office = judged_rows(
                session,
                act.office_id,
                [typed_of(each.number, contents[each.id]) for each in waiting],
                columns_of(client_import),
            )
            changed = [
                self._judged_row(each, fresh)
                for each, fresh in zip(waiting, judged, strict=True)
                if each.id == row.id or content_of(fresh) != contents[each.id] or each.kind is not fresh.kind
            ]
            imports.change_rows(act.office_id, changed)
            client_import.version += 1
            session.add(client_import)
            self.gateway.audit.record(
                session,
                act,
                "client_import.row_repaired",
                "client_import",
                import_id,
                changes={"row": Change(None, number), "fields": Change(None, sorted(cells))},
            )
            session.refresh(row)
            return self._row_view(row)

    def erase_due(self, act: Act) -> int:
        """Forget the rows of imports whose time is over; returns how many imports. Their counts stay."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            imports = ImportRepository(session)
            due = imports.to_erase(act.office_id, now=act.now)
            erased = 0
            for client_import in due:
                if imports.open_run(act.office_id, client_import.id) is not None:
                    continue
                client_import.counts = dict(self._view(session, act, client_import).counts)
                client_import.erased_at = act.now
                session.add(client_import)
                imports.erase_rows(act.office_id, client_import.id)
                self.gateway.audit.record(session, act, "client_import.erased", "client_import", client_import.id)
                erased += 1
            return erased

    def _require(self, session: Session, act: Act, import_id: UUID, *, is_locked: bool = False) -> ClientImport:
        found = ImportRepository(session).get(act.office_id, import_id, is_locked=is_locked)
        if found is None:
            raise ImportNotFound
        return found

    def _view(self, session: Session, act: Act, client_import: ClientImport) -> ImportView:
        imports = ImportRepository(session)
        run = imports.last_runs(act.office_id, [client_import.id]).get(client_import.id)
        if client_import.counts is not None:
            return ImportView(client_import, client_import.counts, run)
        counts = counts_of(imports.counts(act.office_id, [client_import.id]).get(client_import.id, {}))
        others = imports.only_here(act.office_id, client_import.id).with_only_columns(func.count())
        return ImportView(client_import, counts | {ONLY_HERE: session.execute(others).scalar_one()}, run)

    def _row_view(self, row: ClientImportRow) -> RowView:
        return RowView(row.kind.value, row, opened(self.gateway.keys, row))

    def _stored(self, office_id: UUID, import_id: UUID, judged: Judged) -> dict[str, Any]:
        row_id = new_id()
        return {
            "id": row_id,
            "office_id": office_id,
            "import_id": import_id,
            "number": judged.typed.number,
            "kind": judged.kind,
            "client_id": judged.client_id,
            "outcome": Outcome.WAITING,
            "content_cipher": seal(self.gateway.keys, office_id, row_id, content_of(judged)),
        }

    def _judged_row(self, row: ClientImportRow, judged: Judged) -> dict[str, Any]:
        return {
            "id": row.id,
            "kind": judged.kind,
            "client_id": judged.client_id,
            "content_cipher": seal(self.gateway.keys, row.office_id, row.id, content_of(judged)),
        }


def judged_rows(
    session: Session, office_id: UUID, rows: Sequence[Typed], columns: Columns, *, is_locked: bool = False
) -> tuple[list[Judged], present.Present]:
    """Cells, then keys, then the office: a handful of queries, however many rows. Also what the office has.

    `is_locked` keeps what the office has as it is until the end of the unit of work, for rows that are then written.
    """
    lists = present.lists_of(session, office_id)
    judged = read_rows(rows, columns, lists)
    office = present.load(session, office_id, lists, **keys_of(judged), is_locked=is_locked)
    judge(judged, columns, office)
    return judged, office


def counts_of(found: Mapping[tuple[RowKind, Outcome], int]) -> dict[str, int]:
    """Rows by kind and by what became of them."""
    counts = {str(kind): 0 for kind in RowKind}
    counts |= {str(outcome): 0 for outcome in (Outcome.IMPORTED, Outcome.UNDONE, Outcome.KEPT)}
    for (kind, outcome), count in found.items():
        counts[str(kind)] += count
        if str(outcome) in counts:
            counts[str(outcome)] += count
    return counts


def _repaired(content: dict[str, Any], cells: Mapping[str, str | None]) -> dict[str, Any]:
    kept = {name: text for name, text in content["cells"].items() if name not in cells}
    refused = {name: code for name, code in content["refused"].items() if name not in cells}
    for name, text in cells.items():
        cell = checked(text or "")
        if cell.fault is not None:
            refused[name] = cell.fault
        elif cell.text:
            kept[name] = cell.text
    # What stood in a column that is passed over was never kept: repairing the row is the answer to it.
    return {**content, "cells": kept, "refused": refused, "elsewhere": {}}


def _plain_name(file_name: str | None) -> str | None:
    """The last part of a file's name, without what could harm a page or a log."""
    if not file_name:
        return None
    last = file_name.replace("\\", "/").rpartition("/")[2]
    plain = "".join(character for character in last if character.isprintable())[:100]
    return plain or None


def names_of(session: Session, office_id: UUID, client_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Names of clients, for rows that do not say one."""
    query = select(Client.id, Client.name).where(
        Client.office_id == office_id, present.among(Client.id, list(client_ids), Uuid)
    )
    return dict(session.exec(query).all())

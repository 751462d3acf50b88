"""Shapes of imports in the API."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import Field

from gateway.api import MomentText, Shape
from gateway.i18n import translate
from gateway.ids import ClientId, ClientImportId, JobId
from gateway.imports.faults import FAULTS, KEPT, WARNINGS
from gateway.imports.models import ClientImportRun, Outcome, RunKind
from gateway.imports.service import ImportView, RowView

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
RowKindText = Literal["new", "existing", "only_here", "invalid"]


class ImportColumn(Shape):
    """One column of the file."""

    letter: str | None = Field(description="As the spreadsheet shows it; null in JSON.", examples=["C"])
    header: str
    field: str | None = Field(description="What it stands for; null: the column is passed over.", examples=["iban_1"])


class ImportCounts(Shape):
    """Rows by kind, and by what became of them."""

    new: int
    existing: int
    invalid: int
    only_here: int | None = Field(
        default=None, description="Clients the file does not name; they are never touched. Null in lists."
    )
    imported: int
    undone: int
    kept: int = Field(description="An undo left these clients as they are; the rows say why.")


class ImportRunRead(Shape):
    """Carrying out or undoing an import."""

    job_id: JobId
    kind: RunKind
    total: int
    done: int
    counts: dict[str, int] = Field(
        description="created, changed, unchanged, invalid of an import; undone and kept of an undo."
    )
    started_at: MomentText
    finished_at: MomentText | None


class ClientImportRead(Shape):
    """A file that was read, and what would come of it."""

    id: ClientImportId
    file_name: str | None
    format: Literal["xlsx", "csv", "json"]
    columns: list[ImportColumn]
    row_count: int
    counts: ImportCounts
    created_at: MomentText
    erase_after: MomentText = Field(description="The rows are erased from then on; counts stay.")
    erased_at: MomentText | None
    run: ImportRunRead | None = Field(description="The newest run.")


class ImportChange(Shape):
    """One field that gets another value."""

    field: str
    old: str | int | bool | list[str] | None = Field(description="Null: it was empty.")
    new: str | int | bool | list[str] | None


class ImportFault(Shape):
    """What is wrong with one cell."""

    column: str | None = Field(description="Letter of the column; null in JSON.", examples=["C"])
    header: str = Field(description="Header of the column, or the field that is missing.", examples=["IBAN 1"])
    field: str
    code: str = Field(description="Stable.", examples=["iban_invalid"])
    detail: str = Field(description="In the language of Accept-Language.")


class ImportNote(Shape):
    """A code with its sentence."""

    code: str
    detail: str


class ImportRowRead(Shape):
    """One row of the file, or one client that the file does not name."""

    number: int | None = Field(description="As the spreadsheet shows it; null for `only_here`.")
    kind: RowKindText
    client_id: ClientId | None
    name: str | None
    cells: dict[str, str] = Field(description="What stands in the row, by field; refused texts are left out.")
    changes: list[ImportChange]
    faults: list[ImportFault]
    warnings: list[ImportNote]
    outcome: Outcome | None
    reason: ImportNote | None = Field(description="Why an undo left the client as it is.")


class ImportRowWrite(Shape):
    """New texts for cells; null empties one. Without any, the row is checked again."""

    cells: dict[Annotated[str, Field(max_length=40)], Annotated[str, Field(max_length=2000)] | None] = Field(
        default_factory=dict, examples=[{"iban_1": "BE68 5390 0754 7034"}]
    )


class ImportRunWrite(Shape):
    """Which rows to import."""

    rows: Annotated[list[int], Field(min_length=1, max_length=5000)] | None = Field(
        default=None, description="Row numbers; without them every valid row that waits."
    )


class ImportUndoWrite(Shape):
    """Nothing to choose: whatever can be taken back is."""


def import_read(view: ImportView) -> ClientImportRead:
    """As the API shows it."""
    found = view.client_import
    return ClientImportRead.model_validate(
        {
            "id": found.id,
            "file_name": found.file_name,
            "format": found.format,
            "columns": found.columns,
            "row_count": found.row_count,
            "counts": dict(view.counts),
            "created_at": found.created_at,
            "erase_after": found.erase_after,
            "erased_at": found.erased_at,
            "run": None if view.run is None else run_read(view.run),
        }
    )


def run_read(run: ClientImportRun) -> ImportRunRead:
    """As the API shows it."""
    return ImportRunRead.model_validate(run)


def row_read(view: RowView, language: str) -> ImportRowRead:
    """As the API shows it, in the caller's language."""
    content, row, client = view.content, view.row, view.client
    return ImportRowRead.model_validate(
        {
            "number": None if row is None else row.number,
            "kind": view.kind,
            "client_id": _client_id(view),
            "name": client.name if client is not None else content.get("cells", {}).get("name"),
            "cells": content.get("cells", {}),
            "changes": content.get("changes", []),
            "faults": [fault_shown(fault, language) for fault in content.get("faults", ())],
            "warnings": [_note(code, WARNINGS[code], language) for code in content.get("warnings", ())],
            "outcome": None if row is None else row.outcome,
            "reason": None if row is None or row.reason is None else _note(row.reason, KEPT[row.reason], language),
        }
    )


def fault_shown(fault: dict[str, Any], language: str) -> dict[str, Any]:
    """A stored fault with its sentence."""
    sentence = translate(language, FAULTS[fault["code"]]).format_map(fault["parameters"])
    return {name: fault[name] for name in ("column", "header", "field", "code")} | {"detail": sentence}


def _client_id(view: RowView) -> UUID | None:
    if view.client is not None:
        return view.client.id
    return None if view.row is None else view.row.client_id


def _note(code: str, text: str, language: str) -> dict[str, str]:
    return {"code": code, "detail": translate(language, text)}

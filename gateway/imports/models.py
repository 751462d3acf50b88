"""Tables of imports, their rows and their runs. What rows say is encrypted and erased after the undo window."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from gateway.database import Base, Moment, office_key, office_reference, words


class RowKind(StrEnum):
    """How the dry run sorts a row (OFF-13); `only_here` is not a row of the file and has no table."""

    NEW = "new"
    EXISTING = "existing"
    INVALID = "invalid"


class Outcome(StrEnum):
    """What became of a row."""

    WAITING = "waiting"
    QUEUED = "queued"
    IMPORTED = "imported"
    UNDO_QUEUED = "undo_queued"
    UNDONE = "undone"
    KEPT = "kept"
    """The undo left the client as it is; `reason` says why."""


class RunKind(StrEnum):
    """Carrying an import out, or undoing it."""

    IMPORT = "import"
    UNDO = "undo"


class ClientImport(Base, table=True):
    """One file that was sent."""

    __tablename__ = "client_import"
    __table_args__ = (office_key(), Index(None, "office_id", "created_at"))

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    creator_kind: str = Field(max_length=10)
    creator_id: UUID
    file_name: str | None = Field(default=None, max_length=100)
    format: str = Field(max_length=4)
    columns: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    """letter, header and field (null: passed over) of every column."""
    row_count: int
    created_at: datetime = Field(sa_type=Moment)
    erase_after: datetime = Field(sa_type=Moment, index=True)
    """The rows are erased from then on."""
    erased_at: datetime | None = Field(default=None, sa_type=Moment)
    counts: dict[str, int] | None = Field(default=None, sa_type=JSONB)
    """The last counts, kept when the rows are erased."""
    version: int = 1


class ClientImportRow(Base, table=True):
    """One row of the file."""

    __tablename__ = "client_import_row"
    __table_args__ = (
        office_key(),
        office_reference("import_id", "client_import", ondelete="CASCADE"),
        UniqueConstraint("office_id", "import_id", "number"),
        Index("ix_client_import_row_kind", "import_id", "kind", "number"),
        Index("ix_client_import_row_run", "run_id", "outcome"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    import_id: UUID
    number: int
    """As the spreadsheet shows it."""
    kind: RowKind = Field(sa_type=words(RowKind))
    client_id: UUID | None = Field(default=None, index=True)
    """The client that has this key, or was made from the row."""
    outcome: Outcome = Field(default=Outcome.WAITING, sa_type=words(Outcome))
    reason: str | None = Field(default=None, max_length=20)
    run_id: UUID | None = None
    imported_at: datetime | None = Field(default=None, sa_type=Moment)
    content_cipher: bytes
    """Cells, values, changes and faults."""


class ClientImportRun(Base, table=True):
    """Carrying out or undoing, once; at most one at a time per import."""

    __tablename__ = "client_import_run"
    __table_args__ = (
        office_key(),
        office_reference("import_id", "client_import", ondelete="CASCADE"),
        office_reference("job_id", "job"),
        Index(
            "uq_client_import_run_open",
            "office_id",
            "import_id",
            unique=True,
            postgresql_where=text("finished_at IS NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    import_id: UUID = Field(index=True)
    kind: RunKind = Field(sa_type=words(RunKind))
    actor_kind: str = Field(max_length=10)
    actor_id: UUID
    request_id: str | None = Field(default=None, max_length=64)
    job_id: UUID
    """The job that callers ask for progress."""
    total: int
    done: int = 0
    counts: dict[str, int] = Field(default_factory=dict, sa_type=JSONB)
    started_at: datetime = Field(sa_type=Moment)
    finished_at: datetime | None = Field(default=None, sa_type=Moment)

"""Carrying an import out, and undoing it: chunk by chunk, each a unit of work of its own (OFF-13, OFF-15).

A run is begun in one unit of work, with its job; it goes on wherever it stopped, since a chunk writes clients and marks
its rows together. Nothing here sends anything to anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from gateway import jobs
from gateway.act import Act
from gateway.addresses.repository import AddressRepository
from gateway.addresses.waiting import tell_admins
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import ConflictError
from gateway.identity.rights import Permission, Principal, PrincipalKind
from gateway.ids import encode, new_id
from gateway.imports.applying import Written, take_back, write
from gateway.imports.checks import Judged
from gateway.imports.contents import columns_of, content_of, opened, seal, typed_of
from gateway.imports.errors import ImportBusy, ImportErased, ImportNotFound, NothingToImport, UndoOver
from gateway.imports.hindrances import hindrances
from gateway.imports.models import ClientImport, ClientImportRow, ClientImportRun, Outcome, RunKind
from gateway.imports.repository import ImportRepository
from gateway.imports.service import UNDO_LIFE, judged_rows, require_bulk
from gateway.jobs.models import Job
from gateway.jobs.service import JobService

TASK: Final = "run_client_import"
CHUNK: Final = 500
"""Rows per unit of work: seconds of work at most are done again after a crash."""
JOB_KINDS: Final = {RunKind.IMPORT: "client_import", RunKind.UNDO: "client_import_undo"}
ATTEMPTS: Final = 3
"""Another import or the API may take the same key in the same moment."""

Progress = Callable[[int, int], None]


class RunService:
    """Runs of imports."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def start(
        self,
        act: Act,
        import_id: UUID,
        *,
        kind: RunKind = RunKind.IMPORT,
        numbers: Sequence[int] | None = None,
        has_task: bool = True,
    ) -> tuple[ClientImportRun, Job]:
        """Begin a run over the valid rows, or those of them with these numbers; over everything imported for an undo.

        Without a task the caller works it off itself (`work`). Raises `ImportBusy`, `NothingToImport`, `UndoOver`,
        `ImportErased`, `ImportNotFound`.
        """
        require_bulk(act)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            imports = ImportRepository(session)
            client_import = imports.get(act.office_id, import_id, is_locked=True)
            if client_import is None:
                raise ImportNotFound
            if client_import.erased_at is not None:
                raise UndoOver if kind is RunKind.UNDO else ImportErased
            if imports.open_run(act.office_id, import_id) is not None:
                raise ImportBusy
            run = ClientImportRun(
                id=new_id(),
                office_id=act.office_id,
                import_id=import_id,
                kind=kind,
                actor_kind=act.principal.kind,
                actor_id=act.principal.id,
                request_id=act.request_id,
                job_id=new_id(),
                total=0,
                started_at=act.now,
            )
            if kind is RunKind.UNDO:
                run.total = imports.queue_undo(act.office_id, import_id, run.id, since=act.now - UNDO_LIFE)
            else:
                run.total = imports.queue(act.office_id, import_id, run.id, numbers=numbers)
            if run.total == 0:
                raise UndoOver if kind is RunKind.UNDO else NothingToImport
            job = JobService(self.gateway).start(session, act, kind=JOB_KINDS[kind], total=run.total)
            run.job_id = job.id
            session.add(run)
            client_import.erase_after = max(client_import.erase_after, act.now + UNDO_LIFE)
            session.add(client_import)
            self.gateway.audit.record(
                session,
                act,
                f"client_import.{'undo' if kind is RunKind.UNDO else 'run'}_started",
                "client_import",
                import_id,
                changes={"rows": Change(None, run.total)},
            )
            if has_task:
                jobs.enqueue(
                    session, TASK, lock=f"client-import:{import_id}", office_id=str(act.office_id), run_id=str(run.id)
                )
        return run, job

    def work(self, office_id: UUID, run_id: UUID, progress: Progress | None = None) -> None:
        """Work a run off, from wherever it stands, until it ends or its job is cancelled."""
        with self.gateway.database.unit_of_work(office_id) as session:
            run = ImportRepository(session).run(office_id, run_id)
        if run is None:
            return
        job_service, job_id = JobService(self.gateway), run.job_id
        while run.finished_at is None:
            if not job_service.advance(office_id, job_id, done=run.done):
                self._stop(run)
                return
            try:
                run = self._step(run)
            except IntegrityError:
                self._stop(run)
                job_service.fail(office_id, job_id, code=ConflictError.code, detail=ConflictError.title)
                return
            if progress is not None:
                progress(run.done, run.total)
        job_service.finish(
            office_id, job_id, {"client_import_id": encode("client_import", run.import_id), **run.counts}
        )

    def _step(self, run: ClientImportRun) -> ClientImportRun:
        """One chunk, tried again when another import or the API took the same key in the same moment."""
        act = self._act(run)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self.gateway.database.unit_of_work(run.office_id) as session:
                    return self._chunk(session, act, run.id)
            except IntegrityError:
                if attempt == ATTEMPTS:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _stop(self, begun: ClientImportRun) -> None:
        """End a run before its time: what it did stays done, the other rows wait as before."""
        act = self._act(begun)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            imports = ImportRepository(session)
            run = imports.run(act.office_id, begun.id, is_locked=True)
            assert run is not None, "a run that is worked off"
            if run.finished_at is not None:
                return
            client_import = imports.get(act.office_id, run.import_id, is_locked=True)
            assert client_import is not None, "a run belongs to an import"
            imports.release(
                act.office_id, run, back_to=Outcome.IMPORTED if run.kind is RunKind.UNDO else Outcome.WAITING
            )
            self._finish(session, act, run, client_import)

    def _chunk(self, session: Session, act: Act, run_id: UUID) -> ClientImportRun:
        imports = ImportRepository(session)
        run = imports.run(act.office_id, run_id, is_locked=True)
        assert run is not None, "a run that is worked off"
        if run.finished_at is not None:
            return run
        client_import = imports.get(act.office_id, run.import_id, is_locked=True)
        assert client_import is not None, "a run belongs to an import"
        is_undo = run.kind is RunKind.UNDO
        rows = imports.queued(act.office_id, run, Outcome.UNDO_QUEUED if is_undo else Outcome.QUEUED, limit=CHUNK)
        if not rows:
            self._finish(session, act, run, client_import)
            return run
        _plan_by_index(session)
        counts = (self._undo_chunk if is_undo else self._import_chunk)(session, act, client_import, rows)
        run.done += len(rows)
        run.counts = {name: run.counts.get(name, 0) + counts.get(name, 0) for name in {*run.counts, *counts}}
        session.add(run)
        return run

    def _finish(self, session: Session, act: Act, run: ClientImportRun, client_import: ClientImport) -> None:
        run.finished_at = act.now
        if run.kind is RunKind.IMPORT:
            client_import.erase_after = act.now + UNDO_LIFE
            self._tell_waiting(session, act, client_import.id)
        client_import.version += 1
        session.add_all([run, client_import])
        self.gateway.audit.record(
            session,
            act,
            f"client_import.{'undone' if run.kind is RunKind.UNDO else 'finished'}",
            "client_import",
            client_import.id,
            changes={name: Change(None, count) for name, count in run.counts.items()},
        )

    def _tell_waiting(self, session: Session, act: Act, import_id: UUID) -> None:
        """The admins learn once that addresses of an import wait for one of them (DEL-13)."""
        count = AddressRepository(session).waiting_count(act.office_id, import_id)
        if count:
            self.gateway.events.record(
                session, act, "import.addresses_waiting", "client_import", import_id, data={"count": count}
            )
            tell_admins(self.gateway, session, act, count=count, key=import_id)

    def _import_chunk(
        self, session: Session, act: Act, client_import: ClientImport, rows: Sequence[ClientImportRow]
    ) -> dict[str, int]:
        columns = columns_of(client_import)
        contents = [opened(self.gateway.keys, row) for row in rows]
        judged, office = judged_rows(
            session,
            act.office_id,
            [typed_of(row.number, content) for row, content in zip(rows, contents, strict=True)],
            columns,
            is_locked=True,
        )
        for fresh, content in zip(judged, contents, strict=True):
            if fresh.changes and _basis(fresh.changes) != _basis(content["changes"]):
                # What the person saw in the dry run is not what would happen now.
                name = "enterprise_number" if "enterprise_number" in fresh.wish else "external_id"
                fresh.faults.append(columns.fault(name, "changed_meanwhile"))
        good = [(row, fresh) for row, fresh in zip(rows, judged, strict=True) if not fresh.faults]
        valid = [fresh for _row, fresh in good]
        written = write(self.gateway, session, act, valid, office, import_id=client_import.id)
        changed = [self._imported(act, row, fresh, done) for (row, fresh), done in zip(good, written, strict=True)]
        changed += [self._given_back(row, fresh) for row, fresh in zip(rows, judged, strict=True) if fresh.faults]
        ImportRepository(session).change_rows(act.office_id, changed)
        created = sum(done.is_new for done in written)
        unchanged = sum(done.is_empty for done in written)
        return {
            "created": created,
            "changed": len(written) - created - unchanged,
            "unchanged": unchanged,
            "invalid": len(rows) - len(written),
        }

    def _imported(self, act: Act, row: ClientImportRow, judged: Judged, written: Written) -> dict[str, Any]:
        content = {**content_of(judged), "written": written.stored()}
        return {
            "id": row.id,
            # What was imported stays sorted as it was when it was imported.
            "kind": row.kind,
            "client_id": written.client_id,
            "outcome": Outcome.IMPORTED,
            "run_id": row.run_id,
            "imported_at": act.now,
            "content_cipher": seal(self.gateway.keys, row.office_id, row.id, content),
        }

    def _given_back(self, row: ClientImportRow, judged: Judged) -> dict[str, Any]:
        """Found invalid after all: it waits for its repair."""
        return {
            "id": row.id,
            "kind": judged.kind,
            "client_id": judged.client_id,
            "outcome": Outcome.WAITING,
            "run_id": None,
            "imported_at": None,
            "content_cipher": seal(self.gateway.keys, row.office_id, row.id, content_of(judged)),
        }

    def _undo_chunk(
        self,
        session: Session,
        act: Act,
        client_import: ClientImport,  # noqa: ARG002  both kinds of chunk are called alike
        rows: Sequence[ClientImportRow],
    ) -> dict[str, int]:
        ids = [row.client_id for row in rows if row.client_id is not None]
        hindered = hindrances(session, act.office_id, ids)
        free = [
            (row.client_id, opened(self.gateway.keys, row)["written"])
            for row in rows
            if row.client_id is not None and row.client_id not in hindered
        ]
        kept = hindered | take_back(self.gateway, session, act, free)
        changed = [
            {
                "id": row.id,
                "outcome": Outcome.KEPT if row.client_id in kept else Outcome.UNDONE,
                "reason": kept.get(row.client_id) if row.client_id is not None else None,
            }
            for row in rows
        ]
        ImportRepository(session).change_rows(act.office_id, changed)
        count = sum(row.client_id in kept for row in rows)
        return {"undone": len(rows) - count, "kept": count}

    def _act(self, run: ClientImportRun) -> Act:
        """The act of whoever began the run, now, with no more rights than the run needs."""
        principal = Principal(
            kind=PrincipalKind(run.actor_kind),
            id=run.actor_id,
            office_id=run.office_id,
            office_permissions=frozenset({Permission.CLIENTS_READ, Permission.CLIENTS_WRITE}),
        )
        return self.gateway.act(principal, request_id=run.request_id)


def _plan_by_index(session: Session) -> None:
    """Have references checked by index for the rest of this unit of work.

    PostgreSQL plans these checks once per connection. A plan made while the tables were nearly empty reads them from
    end to end for every row that is written: three quarters of the time of a first import, until statistics are taken.
    """
    session.execute(text("DISCARD PLANS"))
    session.execute(text("SELECT set_config('enable_seqscan', 'off', true)"))


def _basis(changes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {change["field"]: change["old"] for change in changes}

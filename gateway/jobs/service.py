"""Rules of jobs (API-05): started with the work that needs them, advanced by it, seen and cancelled by who asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session, col

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.identity.rights import Permission, PrincipalKind
from gateway.ids import new_id
from gateway.jobs.errors import JobEnded, JobNotFound
from gateway.jobs.models import Job
from gateway.jobs.repository import JobRepository
from gateway.jobs.states import JobState, can_move
from gateway.offices.models import Client
from gateway.offices.repository import ClientRepository
from gateway.pagination import PageRequest, Sort

FAULTS_MAX: Final = 1000
"""Kept of one job; a result may count more."""


class JobService:
    """Used by two sides: work reports to it, callers ask it."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    # For the work ------------------------------------------------------------------------------------------------

    def start(
        self, session: Session, act: Act, *, kind: str, client_id: UUID | None = None, total: int | None = None
    ) -> Job:
        """A queued job inside the present unit of work; enqueue the task that does it in the same one."""
        job = Job(
            id=new_id(),
            office_id=act.office_id,
            client_id=client_id,
            kind=kind,
            state=JobState.QUEUED,
            total=total,
            created_by_kind=act.principal.kind,
            created_by_id=act.principal.id,
            created_at=act.real_now,
        )
        session.add(job)
        session.flush()
        return job

    def advance(self, office_id: UUID, job_id: UUID, *, done: int, total: int | None = None) -> bool:
        """Say how far it is, first of all with `done=0`; False means it was cancelled or has ended: stop here."""
        with self.gateway.database.unit_of_work(office_id) as session:
            job = self._locked(session, office_id, job_id)
            if job.state is JobState.QUEUED:
                job.state, job.started_at = JobState.RUNNING, self.gateway.real_now()
            if job.state is not JobState.RUNNING:
                return False
            if job.cancel_requested_at is not None:
                self._end(job, JobState.CANCELLED)
                return False
            job.done = done
            if total is not None:
                job.total = total
            return True

    def finish(
        self,
        office_id: UUID,
        job_id: UUID,
        result: Mapping[str, Any],
        *,
        faults: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """All done. `result` holds ids, counts and addresses of ours; `faults` what single rows met."""
        with self.gateway.database.unit_of_work(office_id) as session:
            job = self._locked(session, office_id, job_id)
            if can_move(job.state, JobState.SUCCEEDED):
                job.result, job.faults = dict(result), [dict(fault) for fault in faults[:FAULTS_MAX]]
                if job.total is not None:
                    job.done = job.total
                self._end(job, JobState.SUCCEEDED)

    def fail(self, office_id: UUID, job_id: UUID, *, code: str, detail: str) -> None:
        """It cannot be done; `code` is a documented one, `detail` an English message id with nothing personal."""
        with self.gateway.database.unit_of_work(office_id) as session:
            job = self._locked(session, office_id, job_id)
            if can_move(job.state, JobState.FAILED):
                job.faults = [{"pointer": "", "code": code, "detail": detail}]
                self._end(job, JobState.FAILED)

    # For callers -------------------------------------------------------------------------------------------------

    def get(self, act: Act, job_id: UUID) -> Job:
        """One job; raises `JobNotFound`."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            return self._visible(session, act, job_id)

    def page(
        self, act: Act, request: PageRequest, *, state: JobState | None, kind: str | None
    ) -> tuple[list[Job], str | None]:
        """Jobs, newest first: one's own, for an administrator all of the office."""
        order = [Sort(col(Job.id), lambda job: str(job.id), UUID, is_descending=True)]
        clients = ClientRepository.granted_ids(act.office_id, today=act.today, visible=_clients_of(act))
        with self.gateway.database.unit_of_work(act.office_id) as session:
            query = JobRepository(session).visible(
                act.office_id, clients=clients, created_by=_creator(act), state=state, kind=kind
            )
            name = f"jobs:{act.office_id}:{act.principal.id}:{state}:{kind}"
            return self.gateway.pager.page(session, query, order, request, name=name)

    def cancel(self, act: Act, job_id: UUID) -> Job:
        """Stop it: at once while it waits, at its next step while it runs. Raises `JobNotFound`, `JobEnded`."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            job = self._visible(session, act, job_id, is_locked=True)
            if not can_move(job.state, JobState.CANCELLED):
                raise JobEnded(state=job.state)
            if job.cancel_requested_at is None:
                before = job.state
                job.cancel_requested_at = act.real_now
                if job.state is JobState.QUEUED:
                    self._end(job, JobState.CANCELLED)
                self.gateway.audit.record(
                    session, act, "job.cancelled", "job", job.id, client_id=job.client_id,
                    changes={"state": Change(before, job.state)},
                )  # fmt: skip
            session.add(job)
        return job

    def _visible(self, session: Session, act: Act, job_id: UUID, *, is_locked: bool = False) -> Job:
        job = JobRepository(session).get(act.office_id, job_id, is_locked=is_locked)
        creator = _creator(act)
        if job is None or (creator is not None and creator != (job.created_by_kind, job.created_by_id)):
            raise JobNotFound
        if job.client_id is not None and not self._sees_client(session, act, job.client_id):
            raise JobNotFound
        return job

    def _sees_client(self, session: Session, act: Act, client_id: UUID) -> bool:
        visible = _clients_of(act)
        if visible is not None and client_id not in visible:
            return False
        client: Client | None = ClientRepository(session).get_granted(act.office_id, client_id, today=act.today)
        return client is not None

    def _locked(self, session: Session, office_id: UUID, job_id: UUID) -> Job:
        job = JobRepository(session).get(office_id, job_id, is_locked=True)
        assert job is not None, "a job is stored before its work begins, and never deleted while it lasts"
        return job

    def _end(self, job: Job, state: JobState) -> None:
        assert can_move(job.state, state), "an ended job does not change"
        job.state, job.ended_at = state, self.gateway.real_now()


def _creator(act: Act) -> tuple[PrincipalKind, UUID] | None:
    """None: may see every job of the office."""
    return None if Permission.ADMIN in act.principal.office_permissions else (act.principal.kind, act.principal.id)


def _clients_of(act: Act) -> frozenset[UUID] | None:
    """The clients on which the caller holds any right; None for all of the office."""
    return None if act.principal.office_permissions else frozenset(act.principal.client_permissions)

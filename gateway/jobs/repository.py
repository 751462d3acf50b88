"""Queries on jobs."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import or_
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.identity.rights import PrincipalKind
from gateway.jobs.models import Job
from gateway.jobs.states import JobState


class JobRepository:
    """Jobs of one office."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, office_id: UUID, job_id: UUID, *, is_locked: bool = False) -> Job | None:
        """By id."""
        query = select(Job).where(Job.office_id == office_id, Job.id == job_id)
        return self.session.exec(query.with_for_update() if is_locked else query).one_or_none()

    def visible(
        self,
        office_id: UUID,
        *,
        clients: SelectOfScalar[UUID],
        created_by: tuple[PrincipalKind, UUID] | None,
        state: JobState | None,
        kind: str | None,
    ) -> SelectOfScalar[Job]:
        """Query over jobs about no client or about one of `clients`, of one creator when given."""
        query = select(Job).where(
            Job.office_id == office_id, or_(col(Job.client_id).is_(None), col(Job.client_id).in_(clients))
        )
        if created_by is not None:
            query = query.where(Job.created_by_kind == created_by[0], Job.created_by_id == created_by[1])
        if state is not None:
            query = query.where(Job.state == state)
        if kind is not None:
            query = query.where(Job.kind == kind)
        return query

"""API shapes of jobs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import Field

from gateway.api import MomentText, Shape
from gateway.i18n import translate
from gateway.ids import ClientId, JobId, encode
from gateway.jobs.models import Job
from gateway.jobs.states import JobState
from gateway.problems import language_of


class JobFault(Shape):
    """What went wrong, as a problem would say it."""

    pointer: str = Field(description="JSON Pointer into what was sent; empty when it is about the whole.")
    code: str = Field(description="Stable; listed in docs/errors.md.", examples=["invalid_request"])
    detail: str


class JobRead(Shape):
    """Long work that was asked for (API-05)."""

    id: JobId
    kind: str = Field(description="What is done.", examples=["client_import"])
    state: JobState
    is_cancel_requested: bool = Field(description="It stops at its next step.")
    client_id: ClientId | None
    done: Annotated[int, Field(ge=0, description="Rows, files or calls done so far.", examples=[1200])]
    total: Annotated[int | None, Field(description="Of how many; null while that is not known.", examples=[5000])]
    result: dict[str, Any] | None = Field(description="Ids, counts and addresses; null until it succeeded.")
    faults: list[JobFault]
    created_at: MomentText
    started_at: MomentText | None
    ended_at: MomentText | None


def job_read(job: Job, language: str) -> JobRead:
    """The shape of a job, its faults in the reader's language."""
    faults = [
        JobFault(pointer=fault.get("pointer", ""), code=fault["code"], detail=translate(language, fault["detail"]))
        for fault in job.faults
    ]
    return JobRead(
        id=job.id,
        kind=job.kind,
        state=job.state,
        is_cancel_requested=job.cancel_requested_at is not None,
        client_id=job.client_id,
        done=job.done,
        total=job.total,
        result=job.result,
        faults=faults,
        created_at=job.created_at,
        started_at=job.started_at,
        ended_at=job.ended_at,
    )


def accepted(job: Job, request: Request, response: Response) -> JobRead:
    """The answer of an operation that only began: declare it with `status_code=202`."""
    response.headers["Location"] = f"/v1/jobs/{encode('job', job.id)}"
    return job_read(job, language_of(request))

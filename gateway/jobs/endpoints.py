"""REST: jobs, their progress and their cancelling."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from gateway.api import ActDep, GatewayDep, PageDep, problem_responses
from gateway.ids import JobId
from gateway.jobs.schemas import JobRead, job_read
from gateway.jobs.service import JobService
from gateway.jobs.states import JobState
from gateway.pagination import Page
from gateway.problems import language_of

router = APIRouter(prefix="/v1", tags=["jobs"])


@router.get("/jobs", operation_id="list_jobs", responses=problem_responses(400))
def list_jobs(
    *,
    request: Request,
    act: ActDep,
    gateway: GatewayDep,
    page: PageDep,
    state: Annotated[JobState | None, Query()] = None,
    kind: Annotated[str | None, Query(max_length=40, pattern="^[a-z_]+$")] = None,
) -> Page[JobRead]:
    """Your own jobs, newest first; an administrator sees those of the whole office."""
    jobs, cursor = JobService(gateway).page(act, page, state=state, kind=kind)
    language = language_of(request)
    return Page(items=[job_read(job, language) for job in jobs], next_cursor=cursor)


@router.get("/jobs/{job_id}", operation_id="get_job", responses=problem_responses())
def get_job(job_id: JobId, request: Request, act: ActDep, gateway: GatewayDep) -> JobRead:
    """How far a job is and, once ended, its result or its faults."""
    return job_read(JobService(gateway).get(act, job_id), language_of(request))


@router.post(
    "/jobs/{job_id}/cancellations", operation_id="cancel_job", status_code=202, responses=problem_responses(409)
)
def cancel_job(job_id: JobId, request: Request, act: ActDep, gateway: GatewayDep) -> JobRead:
    """Stop a job: at once while it waits, at its next step while it runs; what it did stays done."""
    return job_read(JobService(gateway).cancel(act, job_id), language_of(request))

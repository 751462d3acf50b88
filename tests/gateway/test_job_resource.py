"""The jobs that callers see (API-05): progress, result, faults, cancel; theirs and nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Barrier, Thread
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from gateway.act import Act
from gateway.api import current_act
from gateway.assembly import Gateway
from gateway.errors import NotFound
from gateway.identity.rights import ClientRole, OfficeRole
from gateway.ids import encode
from gateway.jobs.errors import JobEnded, JobNotFound
from gateway.jobs.models import Job
from gateway.jobs.service import JobService
from gateway.jobs.states import JobState, can_move
from gateway.offices.models import Client, Office
from gateway.offices.repository import ClientRepository
from gateway.pagination import PageRequest
from tests.gateway.builders import NOW, act_of, act_of_system, make_client, make_office, make_person
from tests.gateway.serving import app_of

PAGE = PageRequest(limit=50, cursor=None)


def start(gateway: Gateway, act: Act, *, client: Client | None = None, total: int | None = None) -> Job:
    with gateway.database.unit_of_work(act.office_id) as session:
        return JobService(gateway).start(
            session, act, kind="client_import", client_id=client.id if client else None, total=total
        )


def stored(gateway: Gateway, job: Job) -> Job:
    with gateway.database.unit_of_work(job.office_id) as session:
        found = session.get(Job, job.id)
    assert found is not None
    return found


@pytest.fixture
def office(gateway: Gateway) -> Office:
    return make_office(gateway)


@pytest.fixture
def admin(gateway: Gateway, office: Office) -> Act:
    return act_of(make_person(gateway, office, OfficeRole.ADMIN, is_enrolled=False), office, OfficeRole.ADMIN)


@pytest.fixture
def staff(gateway: Gateway, office: Office) -> Act:
    return act_of(make_person(gateway, office, OfficeRole.STAFF, is_enrolled=False), office, OfficeRole.STAFF)


@contextmanager
def http(gateway: Gateway, act: Act) -> Iterator[TestClient]:
    app = app_of(gateway)
    app.dependency_overrides[current_act] = lambda: act
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def test_a_job_tells_its_progress_and_then_its_result(gateway: Gateway, staff: Act) -> None:
    """API-05: progress, result."""
    jobs = JobService(gateway)
    job = start(gateway, staff)
    with http(gateway, staff) as client:
        path = f"/v1/jobs/{encode('job', job.id)}"
        shown = client.get(path).json()
        assert (shown["state"], shown["done"], shown["total"], shown["result"]) == ("queued", 0, None, None)
        assert jobs.advance(staff.office_id, job.id, done=0, total=5)
        assert jobs.advance(staff.office_id, job.id, done=3)
        shown = client.get(path).json()
        assert (shown["state"], shown["done"], shown["total"]) == ("running", 3, 5)
        jobs.finish(staff.office_id, job.id, {"created": 4}, faults=[{"code": "conflict", "detail": "Row 5"}])
        shown = client.get(path).json()
        assert (shown["state"], shown["done"], shown["result"]) == ("succeeded", 5, {"created": 4})
        assert shown["faults"] == [{"pointer": "", "code": "conflict", "detail": "Row 5"}]
        assert shown["ended_at"] is not None


def test_a_failed_job_names_its_fault_in_the_readers_language(gateway: Gateway, staff: Act) -> None:
    """API-05, API-02."""
    job = start(gateway, staff)
    JobService(gateway).fail(staff.office_id, job.id, code=JobNotFound.code, detail=JobNotFound.title)
    with http(gateway, staff) as client:
        path = f"/v1/jobs/{encode('job', job.id)}"
        shown = client.get(path, headers={"Accept-Language": "fr"}).json()
    assert shown["state"] == "failed"
    assert shown["faults"][0]["code"] == "job_not_found"
    assert shown["faults"][0]["detail"] != JobNotFound.title


def test_a_waiting_job_is_cancelled_at_once_and_its_work_is_told(gateway: Gateway, staff: Act) -> None:
    """API-05: cancel."""
    job = start(gateway, staff)
    with http(gateway, staff) as client:
        answer = client.post(f"/v1/jobs/{encode('job', job.id)}/cancellations")
        assert (answer.status_code, answer.json()["state"]) == (202, "cancelled")
        again = client.post(f"/v1/jobs/{encode('job', job.id)}/cancellations")
    assert (again.status_code, again.json()["code"]) == (409, "job_ended")
    assert not JobService(gateway).advance(staff.office_id, job.id, done=0)
    JobService(gateway).finish(staff.office_id, job.id, {"created": 4})
    assert stored(gateway, job).state is JobState.CANCELLED


def test_a_running_job_stops_at_its_next_step(gateway: Gateway, staff: Act) -> None:
    """API-05: asked twice is asked once; what was done stays done."""
    jobs = JobService(gateway)
    job = start(gateway, staff)
    assert jobs.advance(staff.office_id, job.id, done=2, total=5)
    for _ in range(2):
        assert jobs.cancel(staff, job.id).state is JobState.RUNNING
    assert not jobs.advance(staff.office_id, job.id, done=3)
    found = stored(gateway, job)
    assert (found.state, found.done, found.result) == (JobState.CANCELLED, 2, None)


def test_work_that_ended_before_it_saw_the_cancelling_says_so(gateway: Gateway, staff: Act) -> None:
    jobs = JobService(gateway)
    job = start(gateway, staff)
    assert jobs.advance(staff.office_id, job.id, done=0)
    jobs.cancel(staff, job.id)
    jobs.finish(staff.office_id, job.id, {})
    assert stored(gateway, job).state is JobState.SUCCEEDED
    with pytest.raises(JobEnded):
        jobs.cancel(staff, job.id)


def test_jobs_are_seen_by_who_asked_and_by_administrators(gateway: Gateway, office: Office, admin: Act) -> None:
    """SEC-15: jobs are checked as every other id."""
    jobs = JobService(gateway)
    one, two = (
        act_of(make_person(gateway, office, OfficeRole.STAFF, is_enrolled=False), office, OfficeRole.STAFF)
        for _ in range(2)
    )
    job = start(gateway, one)
    assert jobs.get(one, job.id).id == jobs.get(admin, job.id).id == job.id
    for refused in (lambda: jobs.get(two, job.id), lambda: jobs.cancel(two, job.id)):
        with pytest.raises(JobNotFound):
            refused()
    assert [row.id for row in jobs.page(one, PAGE, state=None, kind=None)[0]] == [job.id]
    assert [row.id for row in jobs.page(admin, PAGE, state=JobState.QUEUED, kind="client_import")[0]] == [job.id]
    assert jobs.page(two, PAGE, state=None, kind=None)[0] == []
    assert jobs.page(admin, PAGE, state=JobState.FAILED, kind=None)[0] == []


def test_a_job_about_a_client_is_hidden_with_the_client(gateway: Gateway, office: Office, admin: Act) -> None:
    """OFF-04: without a grant valid today, no data; also for a person whose role at the client ended."""
    jobs = JobService(gateway)
    client, other = make_client(gateway, office), make_client(gateway, office)
    person = make_person(gateway, office, ClientRole.PREPARER, client=client, is_enrolled=False)
    act = act_of(person, office, ClientRole.PREPARER, client=client)
    job = start(gateway, act, client=client)
    assert jobs.get(act, job.id).id == job.id
    moved = act_of(person, office, ClientRole.PREPARER, client=other)
    with pytest.raises(JobNotFound):
        jobs.get(moved, job.id)
    assert jobs.page(moved, PAGE, state=None, kind=None)[0] == []
    with gateway.database.unit_of_work(office.id) as session:
        for grant in ClientRepository(session).grants(office.id, client.id):
            grant.until_date = NOW.date().replace(day=1)
    for reader in (act, admin):
        with pytest.raises(JobNotFound):
            jobs.get(reader, job.id)
        assert jobs.page(reader, PAGE, state=None, kind=None)[0] == []


def test_another_offices_job_is_not_there(gateway: Gateway, staff: Act) -> None:
    """Law 5."""
    job = start(gateway, staff)
    stranger = act_of_system(make_office(gateway))
    for call in (JobService(gateway).get, JobService(gateway).cancel):
        with pytest.raises(NotFound):
            call(stranger, job.id)
    assert JobService(gateway).page(stranger, PAGE, state=None, kind=None)[0] == []


def test_cancelling_is_in_the_audit_chain(gateway: Gateway, staff: Act, admin: Act) -> None:
    """SEC-09."""
    job = start(gateway, staff)
    JobService(gateway).cancel(staff, job.id)
    with http(gateway, admin) as client:
        entries = client.get("/v1/audit-entries").json()["items"]
    assert [(entry["action"], entry["object_id"]) for entry in entries][-1] == (
        "job.cancelled",
        encode("job", job.id),
    )


def test_cancelling_and_finishing_at_once_gives_one_end(committed: Gateway) -> None:
    """Law 7: whichever comes first, the job ends once."""
    office = make_office(committed)
    act = act_of_system(office, now=committed.real_now())
    jobs = JobService(committed)
    for _ in range(4):
        job, ready = start(committed, act), Barrier(2)

        def cancel(job_id: UUID = job.id, ready: Barrier = ready) -> None:
            ready.wait()
            try:
                jobs.cancel(act, job_id)
            except JobEnded:
                return

        def finish(job_id: UUID = job.id, ready: Barrier = ready) -> None:
            ready.wait()
            jobs.finish(act.office_id, job_id, {"done": True})

        threads = [Thread(target=cancel), Thread(target=finish)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = stored(committed, job)
        assert (found.state is JobState.SUCCEEDED) == (found.result == {"done": True})
        assert found.state in (JobState.SUCCEEDED, JobState.CANCELLED)


def test_an_ended_job_never_changes() -> None:
    for ended in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED):
        assert not any(can_move(ended, wanted) for wanted in JobState)

"""Jobs of imports: carrying a run out, and erasing rows whose time is over."""

from __future__ import annotations

import logging
from uuid import UUID

import procrastinate

from gateway.assembly import Gateway
from gateway.imports.runs import TASK, RunService
from gateway.imports.service import ImportService
from gateway.offices.repository import OfficeRepository

log = logging.getLogger("gateway.imports")


def register(app: procrastinate.App, gateway: Gateway) -> None:
    """Add this subject's tasks to the worker."""

    @app.task(name=TASK, retry=procrastinate.RetryStrategy(max_attempts=5, exponential_wait=3))
    def run_client_import(office_id: str, run_id: str) -> None:
        RunService(gateway).work(UUID(office_id), UUID(run_id))

    @app.periodic(cron="7 * * * *")
    @app.task(name="erase_client_imports", queueing_lock="erase_client_imports", pass_context=False)
    def erase_client_imports(timestamp: int) -> None:  # noqa: ARG001  procrastinate tells for which minute it runs
        erase_all(gateway)


def erase_all(gateway: Gateway) -> None:
    """Every office, one unit of work each; what fails in one keeps none of the others waiting."""
    with gateway.database.unit_of_work(None) as session:
        offices = OfficeRepository(session).all_ids()
    for office_id in offices:
        try:
            ImportService(gateway).erase_due(gateway.system_act(office_id))
        except Exception:
            log.exception("imports not erased", extra={"office_id": str(office_id)})

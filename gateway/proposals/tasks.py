"""Jobs of proposals."""

from __future__ import annotations

import logging
from typing import Final

import procrastinate

from gateway.assembly import Gateway
from gateway.offices.repository import OfficeRepository
from gateway.proposals.service import ProposalService

TASK: Final = "run_due_proposals"

log = logging.getLogger("gateway.proposals")


def register(app: procrastinate.App, gateway: Gateway) -> None:
    """Add this subject's tasks to the worker."""

    @app.periodic(cron="*/5 * * * *")
    @app.task(name=TASK, queueing_lock=TASK, pass_context=False)
    def run_due_proposals(timestamp: int) -> None:  # noqa: ARG001  procrastinate tells for which minute it runs
        run_all(gateway)


def run_all(gateway: Gateway) -> None:
    """Every office, one after the other."""
    with gateway.database.unit_of_work(None) as session:
        offices = OfficeRepository(session).all_ids()
    for office_id in offices:
        try:
            ProposalService(gateway).run_due(office_id)
        except Exception:
            # What is wrong in one office must not keep those of the others waiting.
            log.exception("proposals not run", extra={"office_id": str(office_id)})

"""Jobs of moves: soon after the choice, and whenever a day has come or an account was read."""

from __future__ import annotations

import logging
from typing import Final
from uuid import UUID

import procrastinate

from gateway.assembly import Gateway
from gateway.moves.requesting import TASK
from gateway.moves.service import MoveService
from gateway.offices.repository import OfficeRepository

DUE_TASK: Final = "run_due_moves"

log = logging.getLogger("gateway.moves")


def register(app: procrastinate.App, gateway: Gateway) -> None:
    """Add this subject's tasks to the worker."""

    @app.task(name=TASK)
    def run_client_move(office_id: str, move_id: str) -> None:
        MoveService(gateway).run(UUID(office_id), UUID(move_id))

    @app.periodic(cron="*/5 * * * *")
    @app.task(name=DUE_TASK, queueing_lock=DUE_TASK, pass_context=False)
    def run_due_moves(timestamp: int) -> None:  # noqa: ARG001  procrastinate tells for which minute it runs
        run_all(gateway)


def run_all(gateway: Gateway) -> None:
    """Every office, one after the other."""
    with gateway.database.unit_of_work(None) as session:
        offices = OfficeRepository(session).all_ids()
    for office_id in offices:
        try:
            MoveService(gateway).run_due(office_id)
        except Exception:
            # What is wrong in one office must not keep those of the others waiting.
            log.exception("moves not run", extra={"office_id": str(office_id)})

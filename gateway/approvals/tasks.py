"""Jobs of approvals."""

from __future__ import annotations

from uuid import UUID

import procrastinate

from gateway.approvals.lapsing import LapsingService
from gateway.approvals.states import LAPSING_TASK
from gateway.assembly import Gateway


def register(app: procrastinate.App, gateway: Gateway) -> None:
    """Add this subject's tasks to the worker."""

    @app.task(name=LAPSING_TASK)
    def void_lapsed_approvals(office_id: str, client_id: str) -> None:
        LapsingService(gateway).run(UUID(office_id), UUID(client_id))

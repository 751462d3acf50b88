"""Jobs of statements."""

from __future__ import annotations

from uuid import UUID

import procrastinate

from gateway.assembly import Gateway
from gateway.statements.verifying import TASK, FileVerifier


def register(app: procrastinate.App, gateway: Gateway) -> None:
    """Add this subject's tasks to the worker."""

    @app.periodic(cron="23 1 * * *")
    @app.task(name="verify_statement_files", queueing_lock="verify_statement_files", pass_context=False)
    def verify_statement_files(timestamp: int) -> None:  # noqa: ARG001  procrastinate tells for which minute it runs
        FileVerifier(gateway).begin()

    @app.task(name=TASK)
    def verify_statement_files_of(office_id: str) -> None:
        FileVerifier(gateway).run(UUID(office_id))

"""Jobs of the audit chain."""

from __future__ import annotations

from uuid import UUID

import procrastinate

from gateway.assembly import Gateway
from gateway.audit.bundles import TASK, BundleService
from gateway.audit.checkpoints import CheckpointService
from gateway.audit.leaving import leaving
from gateway.audit.verifying import VerificationService


def register(app: procrastinate.App, gateway: Gateway) -> None:
    """Add this subject's tasks to the worker."""

    @app.task(name=TASK)
    def make_audit_bundle(office_id: str, bundle_id: str) -> None:
        BundleService(gateway).make(UUID(office_id), UUID(bundle_id))

    @app.periodic(cron="*/10 * * * *")
    @app.task(name="sign_audit_heads", queueing_lock="sign_audit_heads", pass_context=False)
    def sign_audit_heads(timestamp: int) -> None:  # noqa: ARG001  procrastinate tells for which minute it runs
        CheckpointService(gateway, leaving(gateway)).run()

    @app.periodic(cron="40 2 * * *")
    @app.task(name="verify_audit_chains", queueing_lock="verify_audit_chains", pass_context=False)
    def verify_audit_chains(timestamp: int) -> None:  # noqa: ARG001  as above
        VerificationService(gateway).run()

"""Jobs of consents."""

from __future__ import annotations

from uuid import UUID

import procrastinate

from gateway.assembly import Gateway
from gateway.consents import polling, prolonging
from gateway.consents.endings import END_TASK
from gateway.consents.proofs import LAPSE_TASK, OperatorProofs
from gateway.consents.reminding import TASK, Reminders
from gateway.consents.service import ConsentService


def register(app: procrastinate.App, gateway: Gateway) -> None:
    """Add this subject's tasks to the worker."""

    @app.task(name=polling.TASK)
    def poll_consent(office_id: str, consent_id: str) -> None:
        polling.poll(ConsentService(gateway), UUID(office_id), UUID(consent_id))

    @app.task(name=prolonging.TASK)
    def prolong_consent(office_id: str, consent_id: str) -> None:
        prolonging.prolong_or_end(gateway, UUID(office_id), UUID(consent_id))

    @app.periodic(cron="*/10 * * * *")
    @app.task(name=TASK, queueing_lock=TASK, pass_context=False)
    def remind_of_consents(timestamp: int) -> None:  # noqa: ARG001  procrastinate tells for which minute it runs
        Reminders(gateway).run()

    @app.periodic(cron="25 * * * *")
    @app.task(name=LAPSE_TASK, queueing_lock=LAPSE_TASK, pass_context=False)
    def lapse_account_proofs(timestamp: int) -> None:  # noqa: ARG001  procrastinate tells for which minute it runs
        OperatorProofs(gateway).lapse()

    @app.task(name=END_TASK)
    def end_consent_at_bank(office_id: str, consent_id: str) -> None:
        ConsentService(gateway).end_at_bank(gateway.system_act(UUID(office_id)), UUID(consent_id))

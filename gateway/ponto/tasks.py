"""Jobs after deliveries of Ponto."""

from __future__ import annotations

import procrastinate

from gateway.assembly import Gateway
from gateway.ponto.service import ORGANISATION_TASK, TASK, PontoWebhooks


def register(app: procrastinate.App, gateway: Gateway) -> None:
    """Add this subject's tasks to the worker."""

    @app.task(name=TASK)
    def read_after_ponto_event(bank_account_id: str, event_type: str) -> None:
        PontoWebhooks(gateway).read(bank_account_id, event_type)

    @app.task(name=ORGANISATION_TASK)
    def settle_after_ponto_event(organisation_id: str, event_type: str) -> None:
        PontoWebhooks(gateway).settle(organisation_id, event_type)

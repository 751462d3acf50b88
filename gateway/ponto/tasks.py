"""Jobs after deliveries of Ponto."""

from __future__ import annotations

import procrastinate

from gateway.assembly import Gateway
from gateway.ponto.service import TASK, PontoWebhooks


def register(app: procrastinate.App, gateway: Gateway) -> None:
    """Add this subject's tasks to the worker."""

    @app.task(name=TASK)
    def read_after_ponto_event(bank_account_id: str, event_type: str) -> None:
        PontoWebhooks(gateway).read(bank_account_id, event_type)

"""Letting go of the delivery log: what ended long ago goes with the answers it got, batch by batch."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final

from gateway.assembly import Gateway
from gateway.offices.repository import OfficeRepository
from gateway.webhooks.repository import WebhookRepository

BATCH: Final = 1000

log = logging.getLogger("gateway.webhooks")


def prune(gateway: Gateway, *, batch: int = BATCH) -> None:
    """Every office, each batch a unit of work of its own; the setting says after how many days."""
    before = gateway.real_now() - timedelta(days=gateway.settings.webhook_log_days)
    with gateway.database.unit_of_work(None) as session:
        offices = OfficeRepository(session).all_ids()
    for office_id in offices:
        total, count = 0, batch
        while count == batch:
            with gateway.database.unit_of_work(office_id) as session:
                count = WebhookRepository(session).prune(office_id, before=before, limit=batch)
            total += count
        if total:
            log.info("webhook deliveries pruned", extra={"office_id": str(office_id), "count": total})

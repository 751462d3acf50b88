"""REST: the monitor of support (OFF-08)."""

from __future__ import annotations

from fastapi import APIRouter, Request

from gateway.api import ActDep, GatewayDep, problem_responses
from gateway.monitor.schemas import MonitorRead
from gateway.monitor.service import MonitorService
from gateway.problems import language_of

router = APIRouter(prefix="/v1", tags=["offices"])


@router.get("/monitor", operation_id="get_monitor", responses=problem_responses())
def get_monitor(request: Request, act: ActDep, gateway: GatewayDep) -> MonitorRead:
    """Where something stands still: accounts, permissions that end, webhooks, mail and long work.

    For people of the office, support too: no amounts, no addresses, masked IBANs. Looks by support are recorded.
    """
    return MonitorRead.of(MonitorService(gateway).look(act), language_of(request))

"""REST: the present mapping over stored answers."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from gateway.api import ActDep, Day, GatewayDep, problem_responses
from gateway.ids import AccountId
from gateway.remapping.schemas import MappingApplicationRead, MappingApplicationWrite, MappingDifferencesRead
from gateway.remapping.service import RemappingService

MONTH = timedelta(days=30)

router = APIRouter(prefix="/v1", tags=["transactions"])


@router.get(
    "/accounts/{account_id}/mapping-differences",
    operation_id="get_mapping_differences",
    responses=problem_responses(409, 503),
)
def get_mapping_differences(
    *,
    account_id: AccountId,
    act: ActDep,
    gateway: GatewayDep,
    date_from: Annotated[Day | None, Query(alias="from", description="Default: 30 days before `to`.")] = None,
    date_until: Annotated[Day | None, Query(alias="to", description="Default: today.")] = None,
) -> MappingDifferencesRead:
    """How the present mapping reads stored answers of a period, 92 days at most; no bank is called."""
    last = date_until or act.today
    first = date_from or max(last, date.min + MONTH) - MONTH
    return MappingDifferencesRead.of(RemappingService(gateway).differences(act, account_id, first, last))


@router.post(
    "/accounts/{account_id}/mapping-applications",
    operation_id="create_mapping_application",
    status_code=201,
    responses=problem_responses(409, 412, 503),
)
def create_mapping_application(
    account_id: AccountId, body: MappingApplicationWrite, act: ActDep, gateway: GatewayDep
) -> MappingApplicationRead:
    """Take over the differences that were looked at, by their seal; amounts, days and issued files stay."""
    changed = RemappingService(gateway).apply(act, account_id, body.date_from, body.date_until, seal=body.seal)
    return MappingApplicationRead(account_id=account_id, changed=changed)

"""REST: checklists of the office and its clients (OFF-11)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from gateway.api import ActDep, GatewayDep, PageDep, problem_responses
from gateway.ids import ClientId
from gateway.onboarding.schemas import ChecklistsRead, checklists_read
from gateway.onboarding.service import OnboardingService
from gateway.problems import language_of

router = APIRouter(prefix="/v1", tags=["offices"])


@router.get("/onboarding-checklists", operation_id="list_onboarding_checklists", responses=problem_responses(400))
def list_onboarding_checklists(
    *,
    request: Request,
    act: ActDep,
    gateway: GatewayDep,
    page: PageDep,
    client_id: Annotated[ClientId | None, Query(description="Only of this client.")] = None,
) -> ChecklistsRead:
    """What is done, still to do (with the next step) or not needed, for the office and per client by name.

    The office: data, consent cap, users, delivery, clients, consents, first CODA. A client: consent, first sync,
    balance proof, first day and numbering, delivery, rules, users.
    """
    return checklists_read(OnboardingService(gateway).page(act, page, client_id=client_id), language_of(request))

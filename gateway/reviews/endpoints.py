"""REST: the review list."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from gateway.api import ActDep, GatewayDep, PageDep, problem_responses
from gateway.ids import AccountId, ClientId, ReviewItemId
from gateway.pagination import Page
from gateway.reviews.schemas import ReviewDecisionWrite, ReviewItemRead
from gateway.reviews.service import ReviewService
from gateway.transactions.states import ReviewState

router = APIRouter(prefix="/v1", tags=["transactions"])


@router.get("/review-items", operation_id="list_review_items", responses=problem_responses(400))
def list_review_items(
    *,
    act: ActDep,
    gateway: GatewayDep,
    page: PageDep,
    account_id: Annotated[AccountId | None, Query(description="Only this account.")] = None,
    client_id: Annotated[ClientId | None, Query(description="Only accounts of this client.")] = None,
    state: Annotated[ReviewState, Query()] = ReviewState.OPEN,
) -> Page[ReviewItemRead]:
    """Rows of a bank that a person must decide, the oldest first: none of them was dropped."""
    views, cursor = ReviewService(gateway).page(act, page, account_id=account_id, client_id=client_id, state=state)
    return Page(items=[ReviewItemRead.of(view) for view in views], next_cursor=cursor)


@router.get("/review-items/{review_item_id}", operation_id="get_review_item", responses=problem_responses())
def get_review_item(review_item_id: ReviewItemId, act: ActDep, gateway: GatewayDep) -> ReviewItemRead:
    """One row, the ways to read it, and what each does to the balance."""
    return ReviewItemRead.of(ReviewService(gateway).get(act, review_item_id))


@router.post(
    "/review-items/{review_item_id}/decisions",
    operation_id="create_review_decision",
    status_code=201,
    responses=problem_responses(409),
)
def create_review_decision(
    review_item_id: ReviewItemId, body: ReviewDecisionWrite, act: ActDep, gateway: GatewayDep
) -> ReviewItemRead:
    """Say how it is to be read; the days that follow from it are closed anew. No issued file is touched."""
    view = ReviewService(gateway).decide(act, review_item_id, body.decision, transaction_id=body.transaction_id)
    return ReviewItemRead.of(view)

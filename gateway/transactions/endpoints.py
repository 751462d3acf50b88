"""REST: transactions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from gateway.api import ActDep, Day, GatewayDep, PageDep, problem_responses
from gateway.ids import AccountId, ClientId, TransactionId
from gateway.pagination import Page
from gateway.transactions.schemas import TransactionRead
from gateway.transactions.service import TransactionFilter, TransactionService, TransactionState

router = APIRouter(prefix="/v1", tags=["transactions"])


@router.get("/transactions", operation_id="list_transactions", responses=problem_responses(400))
def list_transactions(
    *,
    act: ActDep,
    gateway: GatewayDep,
    page: PageDep,
    account_id: Annotated[AccountId | None, Query(description="Only this account.")] = None,
    client_id: Annotated[ClientId | None, Query(description="Only accounts of this client.")] = None,
    date_from: Annotated[Day | None, Query(alias="from", description="First booking day.")] = None,
    date_until: Annotated[Day | None, Query(alias="to", description="Last booking day.")] = None,
    state: Annotated[TransactionState, Query(description="Pending ones are listed apart.")] = TransactionState.BOOKED,
) -> Page[TransactionRead]:
    """Transactions, the newest booking day first."""
    wanted = TransactionFilter(account_id, client_id, date_from, date_until, state)
    rows, cursor = TransactionService(gateway).page(act, page, wanted)
    return Page(items=[TransactionRead.of(row) for row in rows], next_cursor=cursor)


@router.get("/transactions/{transaction_id}", operation_id="get_transaction", responses=problem_responses())
def get_transaction(transaction_id: TransactionId, act: ActDep, gateway: GatewayDep) -> TransactionRead:
    """One transaction."""
    return TransactionRead.of(TransactionService(gateway).get(act, transaction_id))

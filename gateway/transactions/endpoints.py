"""REST: transactions."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from gateway.api import ActDep, AmountText, Day, GatewayDep, PageDep, problem_responses
from gateway.ids import AccountId, ClientId, TransactionId
from gateway.pagination import Page
from gateway.transactions.schemas import Label, LabelsWrite, RemovedRead, TransactionChangesRead, TransactionRead
from gateway.transactions.search import Direction, TransactionSearch
from gateway.transactions.service import TransactionFilter, TransactionService, TransactionState

router = APIRouter(prefix="/v1", tags=["transactions"])

_Words = Annotated[str, Query(max_length=140)]


async def search_query(
    *,
    amount_min: Annotated[AmountText | None, Query(description="Smallest amount, whichever way it went.")] = None,
    amount_max: Annotated[AmountText | None, Query(description="Largest amount, whichever way it went.")] = None,
    direction: Annotated[Direction | None, Query(description="`credit` came in, `debit` went out.")] = None,
    counterparty: Annotated[_Words | None, Query(description="Beginnings of words of the counterparty's name.")] = None,
    counterparty_iban: Annotated[str | None, Query(max_length=42, examples=["BE12310291417792"])] = None,
    reference: Annotated[
        str | None, Query(max_length=140, description="Structured communication, RF reference or end-to-end id.")
    ] = None,
    text: Annotated[_Words | None, Query(description="Beginnings of words, in names and communications.")] = None,
    label: Annotated[Label | None, Query(description="A label that the office gave.")] = None,
) -> TransactionSearch:
    """What may be searched for (SYN-14); several filters are all to be met."""
    return TransactionSearch(
        amount_min=Decimal(amount_min) if amount_min is not None else None,
        amount_max=Decimal(amount_max) if amount_max is not None else None,
        direction=direction,
        counterparty=counterparty,
        counterparty_iban=counterparty_iban,
        reference=reference,
        text=text,
        label=label,
    )


@router.get(
    "/transactions",
    operation_id="list_transactions",
    response_model=Page[TransactionRead],
    responses=problem_responses(400),
)
def list_transactions(
    *,
    act: ActDep,
    gateway: GatewayDep,
    page: PageDep,
    search: Annotated[TransactionSearch, Depends(search_query)],
    account_id: Annotated[AccountId | None, Query(description="Only this account.")] = None,
    client_id: Annotated[ClientId | None, Query(description="Only accounts of this client.")] = None,
    date_from: Annotated[Day | None, Query(alias="from", description="First booking day.")] = None,
    date_until: Annotated[Day | None, Query(alias="to", description="Last booking day.")] = None,
    state: Annotated[TransactionState, Query(description="Pending ones are listed apart.")] = TransactionState.BOOKED,
) -> Response:
    """Transactions, the newest booking day first."""
    wanted = TransactionFilter(account_id, client_id, date_from, date_until, state, search)
    found = TransactionService(gateway).page(act, page, wanted)
    items = [TransactionRead.listed(row) for row in found.rows]
    answer = Page[TransactionRead].model_construct(items=items, next_cursor=found.next_cursor)
    # Written here, in the thread of the query: the framework would take another one for what portals ask all day.
    return Response(answer.model_dump_json(), media_type="application/json")


@router.get("/transactions/sync", operation_id="sync_transactions", responses=problem_responses(400))
def sync_transactions(
    *,
    act: ActDep,
    gateway: GatewayDep,
    page: PageDep,
    account_id: Annotated[AccountId | None, Query(description="Only this account.")] = None,
    client_id: Annotated[ClientId | None, Query(description="Only accounts of this client.")] = None,
) -> TransactionChangesRead:
    """What was added, modified or removed since the cursor; without one, everything. Nothing is ever skipped."""
    found = TransactionService(gateway).changes(act, page, account_id=account_id, client_id=client_id)
    return TransactionChangesRead(
        added=[TransactionRead.of(row, found.labels.get(row.id, ())) for row in found.added],
        modified=[TransactionRead.of(row, found.labels.get(row.id, ())) for row in found.modified],
        removed=[RemovedRead(id=row_id, account_id=account_id) for row_id, account_id in found.removed],
        next_cursor=found.next_cursor,
        has_more=found.has_more,
    )


@router.get("/transactions/{transaction_id}", operation_id="get_transaction", responses=problem_responses())
def get_transaction(transaction_id: TransactionId, act: ActDep, gateway: GatewayDep) -> TransactionRead:
    """One transaction."""
    service = TransactionService(gateway)
    row = service.get(act, transaction_id)
    return TransactionRead.of(row, service.labels(act, [row]).get(row.id, ()))


@router.put(
    "/transactions/{transaction_id}/labels", operation_id="put_transaction_labels", responses=problem_responses(409)
)
def put_transaction_labels(
    transaction_id: TransactionId, body: LabelsWrite, act: ActDep, gateway: GatewayDep
) -> TransactionRead:
    """Give a booked transaction exactly these labels; repeated, it changes nothing."""
    row, labels = TransactionService(gateway).put_labels(act, transaction_id, body.labels)
    return TransactionRead.of(row, labels)

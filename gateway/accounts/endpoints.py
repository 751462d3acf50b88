"""REST: accounts, their balances, days and readings."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from gateway.accounts.calls import call_budget
from gateway.accounts.schemas import (
    AccountRead,
    AccountWrite,
    BalanceDayRead,
    BalanceRead,
    BalancesRead,
    CallBudgetRead,
    DayRead,
    DaysRead,
    SyncRead,
    SyncWrite,
)
from gateway.accounts.service import AccountService
from gateway.api import ActDep, Day, GatewayDep, PageDep, problem_responses
from gateway.i18n import translate
from gateway.ids import AccountId, ClientId, SyncId
from gateway.pagination import Page
from gateway.problems import language_of
from gateway.statements.closings import closing_days
from gateway.statements.service import StatementService
from gateway.transactions.sync import SyncService

MONTH: Final = timedelta(days=30)

router = APIRouter(prefix="/v1", tags=["accounts"])


@router.get("/accounts", operation_id="list_accounts", responses=problem_responses(400))
def list_accounts(
    *,
    request: Request,
    act: ActDep,
    gateway: GatewayDep,
    page: PageDep,
    client_id: Annotated[ClientId | None, Query(description="Only accounts of this client.")] = None,
) -> Page[AccountRead]:
    """Connected accounts."""
    views, cursor = AccountService(gateway).page(act, page, client_id=client_id)
    return Page(items=[AccountRead.of(view, language_of(request)) for view in views], next_cursor=cursor)


@router.get("/accounts/{account_id}", operation_id="get_account", responses=problem_responses())
def get_account(account_id: AccountId, request: Request, act: ActDep, gateway: GatewayDep) -> AccountRead:
    """One account."""
    return AccountRead.of(AccountService(gateway).get(act, account_id), language_of(request))


@router.patch("/accounts/{account_id}", operation_id="patch_account", responses=problem_responses(409))
def patch_account(
    account_id: AccountId, body: AccountWrite, request: Request, act: ActDep, gateway: GatewayDep
) -> AccountRead:
    """Set what the office decides of an account; fields left out stay as they are."""
    wanted = {name: getattr(body, name) for name in body.model_fields_set if name != "metadata"}
    view = AccountService(gateway).change(act, account_id, wanted, metadata=body.metadata)
    return AccountRead.of(view, language_of(request))


@router.get("/accounts/{account_id}/balances", operation_id="list_balances", responses=problem_responses())
def list_balances(
    *,
    account_id: AccountId,
    request: Request,
    act: ActDep,
    gateway: GatewayDep,
    date_from: Annotated[Day | None, Query(alias="from", description="Default: 30 days before `to`.")] = None,
    date_until: Annotated[Day | None, Query(alias="to", description="Default: today.")] = None,
) -> BalancesRead:
    """The balances of the newest reading, and one closing balance per day; a day without proof is a gap."""
    view, balances = AccountService(gateway).balances(act, account_id)
    last = date_until or act.today
    first = date_from or max(last, date.min + MONTH) - MONTH
    days = closing_days(gateway, act, view.account, first, last)
    return BalancesRead(
        account_id=account_id,
        fresh_as_of=view.account.fresh_as_of,
        stale_reason=view.stale_reason,
        health=view.health,
        next_step=translate(language_of(request), view.next_step) if view.next_step is not None else None,
        items=[BalanceRead.of(balance) for balance in balances],
        days=[BalanceDayRead.of(day, view.account.currency) for day in days],
    )


@router.get("/accounts/{account_id}/days", operation_id="list_days", responses=problem_responses())
def list_days(
    *,
    account_id: AccountId,
    request: Request,
    act: ActDep,
    gateway: GatewayDep,
    date_from: Annotated[Day | None, Query(alias="from", description="Default: 30 days before `to`.")] = None,
    date_until: Annotated[Day | None, Query(alias="to", description="Default: today.")] = None,
) -> DaysRead:
    """What became of each day: statement, nothing, held, not read, before the start; no day is left out."""
    view = AccountService(gateway).get(act, account_id)
    last = date_until or act.today
    first = date_from or max(last, date.min + MONTH) - MONTH
    days = StatementService(gateway).calendar(act, view.account, first, last)
    return DaysRead(
        account_id=account_id,
        fresh_as_of=view.account.fresh_as_of,
        stale_reason=view.stale_reason,
        health=view.health,
        next_step=translate(language_of(request), view.next_step) if view.next_step is not None else None,
        items=[DayRead.of(day, view.account.currency) for day in days],
    )


@router.get("/accounts/{account_id}/call-budget", operation_id="get_call_budget", responses=problem_responses())
def get_call_budget(account_id: AccountId, act: ActDep, gateway: GatewayDep) -> CallBudgetRead:
    """How often the bank may still be called without the account holder, and what used the calls."""
    return CallBudgetRead.of(call_budget(gateway, act, account_id))


@router.post(
    "/accounts/{account_id}/syncs", operation_id="create_sync", status_code=202, responses=problem_responses(409, 429)
)
def create_sync(
    account_id: AccountId, response: Response, act: ActDep, gateway: GatewayDep, body: SyncWrite | None = None
) -> SyncRead:
    """Read the account at the bank soon, its newest days or all history; the reading under way when there is one.

    Without room in the call budget it answers 429 with the moment from which on there is, and the bank is not called.
    """
    sync = SyncService(gateway).request(act, account_id, is_full=body is not None and body.is_full)
    shape = SyncRead.of(sync)
    response.headers["Location"] = f"/v1/syncs/{shape.model_dump(mode='json')['id']}"
    return shape


@router.get("/syncs/{sync_id}", operation_id="get_sync", responses=problem_responses())
def get_sync(sync_id: SyncId, act: ActDep, gateway: GatewayDep) -> SyncRead:
    """How far a reading is, and what it brought."""
    return SyncRead.of(SyncService(gateway).get(act, sync_id))

"""One account: how it is read and what that costs, what is made of it, and its restarts (SYN-02, STA-03, STA-04)."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from fastapi import Request
from fastapi.responses import Response

from gateway.accounts.calls import FULL_READING_CALLS, call_budget
from gateway.accounts.service import AccountService
from gateway.api import GatewayDep
from gateway.assembly import Gateway
from gateway.errors import GatewayError
from gateway.identity.rights import Permission
from gateway.ids import AccountId, encode
from gateway.pagination import PageRequest
from gateway.statements.restarts import RestartService
from gateway.transactions.sync import SyncService
from gateway.web.clients import said_on_page
from gateway.web.reading import client_of
from gateway.web.rendering import page, see_other
from gateway.web.routing import page_router
from gateway.web.security import FormDep, PostedDep, Visit, VisitDep, text_of

router = page_router()

RESTARTS_SHOWN: Final = 20
CALLS_SHOWN: Final = 20
REASON_MAX: Final = 140


@router.get("/accounts/{account_id}")
def account(request: Request, account_id: AccountId, gateway: GatewayDep, visit: VisitDep, asked: str = "") -> Response:
    """How it is read, what is made of it, and what became of its chain."""
    return _page(request, gateway, visit, account_id, is_asked=asked == "1")


@router.post("/accounts/{account_id}/full-reading")
def read_everything(request: Request, account_id: AccountId, gateway: GatewayDep, visit: PostedDep) -> Response:
    """Have all history read that the bank gives; the page named the calls it costs (SYN-04)."""
    try:
        SyncService(gateway).request(visit.act, account_id, is_full=True)
    except GatewayError as error:
        if error.http_status != 429 and not said_on_page(error):
            raise
        return _page(request, gateway, visit, account_id, error=error)
    return see_other(request, f"/accounts/{encode('account', account_id)}?asked=1")


@router.post("/accounts/{account_id}/statements")
def set_statements(
    request: Request, account_id: AccountId, gateway: GatewayDep, visit: PostedDep, form: FormDep
) -> Response:
    """What is made of it: computed days, empty files, or none with the reason (STA-04, STA-05, STA-08, STA-14)."""
    wanted = {
        "releases_computed": "releases_computed" in form,
        "issues_derived": "issues_derived" in form,
        "empty_statement": "daily" if "has_empty_files" in form else "none",
        "excluded_reason": text_of(form, "excluded_reason").strip()[:REASON_MAX] or None,
    }
    try:
        AccountService(gateway).change(visit.act, account_id, wanted)
    except GatewayError as error:
        if not said_on_page(error):
            raise
        return _page(request, gateway, visit, account_id, error=error)
    return see_other(request, f"/accounts/{encode('account', account_id)}")


def _page(
    request: Request,
    gateway: Gateway,
    visit: Visit,
    account_id: UUID,
    *,
    error: GatewayError | None = None,
    is_asked: bool = False,
) -> Response:
    view = AccountService(gateway).get(visit.act, account_id)
    found = view.account
    budget = call_budget(gateway, visit.act, account_id)
    may_see_statements = visit.may(Permission.STATEMENTS_READ, found.client_id)
    restarts = (
        RestartService(gateway).page(visit.act, account_id, PageRequest(RESTARTS_SHOWN, None))[0]
        if may_see_statements
        else []
    )
    return page(
        request,
        "account.html",
        status=error.http_status if error is not None else 200,
        view=view,
        account=found,
        client=client_of(gateway, visit, found.client_id),
        bank_name=gateway.banks.profile(found.bank_id).name if found.bank_id else "",
        budget=budget,
        calls=list(reversed(budget.standing.calls))[:CALLS_SHOWN],
        full_calls=FULL_READING_CALLS,
        is_readable=budget.standing.maximum > 0 and not found.moved_on,
        restarts=restarts,
        may_see_statements=may_see_statements,
        may_read=visit.may(Permission.ACCOUNTS_WRITE, found.client_id),
        may_set=visit.may(Permission.CLIENTS_WRITE, found.client_id) and not found.moved_on,
        error=error,
        is_asked=is_asked,
    )

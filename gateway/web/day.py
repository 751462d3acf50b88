"""The accountant's day: what came out, what waits, what needs a hand; statements and their files."""

from __future__ import annotations

from datetime import date

from fastapi import Request
from fastapi.responses import Response

from gateway.accounts.errors import BankCallBudgetExhausted
from gateway.accounts.health import NEXT_STEPS
from gateway.accounts.repository import AccountRepository
from gateway.accounts.service import AccountService
from gateway.accounts.starts import proposed_start
from gateway.accounts.states import READABLE, SyncHealth
from gateway.api import GatewayDep
from gateway.assembly import Gateway
from gateway.consents.renewing import LEAD
from gateway.errors import InputError
from gateway.identity.rights import Permission
from gateway.ids import AccountId, ClientId, encode
from gateway.offices.service import require_client
from gateway.offices.services import READING
from gateway.transactions.sync import SyncService
from gateway.web.overview import CLASSES, DayView, day_view
from gateway.web.rendering import page, see_other
from gateway.web.routing import page_router
from gateway.web.security import FormDep, PostedDep, VisitDep, text_of

router = page_router()


class FirstDayMissing(InputError):
    """No day was given."""

    code = "first_day_missing"
    title = "Choose the first day of statements"
    hint = "It cannot lie before the first day of history the bank gave."


@router.get("/day")
def day(
    request: Request,
    gateway: GatewayDep,
    visit: VisitDep,
    *,
    show: str = "",
    cursor: str | None = None,
    asked: int = -1,
) -> Response:
    """Counters on top, then every client with its accounts; `show` is one of the counters."""
    group = show if show in CLASSES else None
    with gateway.database.unit_of_work(visit.act.office_id) as session:
        view = day_view(session, gateway.pager, visit.act, group=group, cursor=cursor)
    return page(
        request,
        "day.html",
        view=view,
        group=group,
        is_filtered=group is not None or cursor is not None,
        bank_names=bank_names(gateway, view),
        next_steps=NEXT_STEPS,
        readable=READABLE,
        renewable_from=visit.act.today + LEAD,
        today=visit.act.today,
        now=visit.act.now,
        asked=asked,
        proposed_start=proposed_start,
        is_reading=_is_reading(view),
    )


@router.post("/clients/{client_id}/fetch")
def fetch_client(request: Request, client_id: ClientId, gateway: GatewayDep, visit: PostedDep) -> Response:
    """Have every readable account of a client read again soon."""
    with gateway.database.unit_of_work(visit.act.office_id) as session:
        require_client(session, visit.act, client_id, Permission.ACCOUNTS_WRITE, services=READING)
        accounts = AccountRepository(session).of_client(visit.act.office_id, client_id)
    readable = [account for account in accounts if account.health in READABLE and account.consent_id is not None]
    service, asked = SyncService(gateway), 0
    for account in readable:
        try:
            service.request(visit.act, account.id)
        except BankCallBudgetExhausted:
            # The others are read; when none can be, the page says from when on.
            if account is readable[-1] and not asked:
                raise
        else:
            asked += 1
    return see_other(request, f"/day?asked={asked}#{encode('client', client_id)}")


@router.post("/accounts/{account_id}/fetch")
def fetch_account(request: Request, account_id: AccountId, gateway: GatewayDep, visit: PostedDep) -> Response:
    """Have one account read again soon."""
    SyncService(gateway).request(visit.act, account_id)
    return see_other(request, f"/day?asked=1#{encode('account', account_id)}")


@router.post("/accounts/{account_id}/first-day")
def choose_first_day(
    request: Request, account_id: AccountId, gateway: GatewayDep, visit: PostedDep, form: FormDep
) -> Response:
    """Say from which day on statements of an account are made (OFF-10)."""
    try:
        first = date.fromisoformat(text_of(form, "first_day"))
    except ValueError:
        raise FirstDayMissing from None
    AccountService(gateway).change(visit.act, account_id, {"statements_from": first})
    return see_other(request, f"/day#{encode('account', account_id)}")


def download(content: bytes, name: str, sha256: str) -> Response:
    """Bytes to be saved under their name; the checksum goes along."""
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        "ETag": f'"{sha256}"',
    }
    return Response(content, media_type="application/octet-stream", headers=headers)


def bank_names(gateway: Gateway, view: DayView) -> dict[str, str]:
    """Names of the banks on the page, by id."""
    names = {entry.profile.bank_id: entry.profile.name for entry in gateway.banks.entries()}
    ids = {account.account.bank_id for client in view.clients for account in client.accounts}
    ids |= {consent.bank_id for client in view.clients for consent in client.consents}
    return {bank_id: names.get(bank_id, bank_id) for bank_id in ids}


def _is_reading(view: DayView) -> bool:
    """Whether a first reading is under way, so that the page looks again by itself."""
    return any(row.account.health == SyncHealth.NEW for client in view.clients for row in client.accounts)

"""Baskets of payments: prepare, check, submit, withdraw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from uuid import UUID

from fastapi import Request
from fastapi.responses import Response

from gateway.accounts.models import Account
from gateway.api import GatewayDep
from gateway.assembly import Gateway
from gateway.errors import GatewayError, InputError
from gateway.identity.rights import Permission
from gateway.ids import BasketId, decode, encode
from gateway.pagination import PageRequest
from gateway.payments.baskets import BasketService, BasketView
from gateway.payments.errors import PaymentsBlocked, WarningsNotAccepted
from gateway.payments.exports import ExportService
from gateway.payments.repository import Subtotal
from gateway.payments.service import PaymentService
from gateway.payments.states import PaymentState
from gateway.payments.submission import SubmissionService
from gateway.web import payment_forms, reading
from gateway.web.payment_forms import FormFault
from gateway.web.rendering import page, see_other
from gateway.web.routing import page_router
from gateway.web.security import FormDep, PostedDep, Visit, VisitDep, text_of
from sepa.findings import CATALOGUE

router = page_router()

BASKETS_PER_PAGE: Final = 50
PAYMENTS_PER_PAGE: Final = 100
OUT: Final = frozenset({PaymentState.CANCELLED, PaymentState.REJECTED, PaymentState.PAID_ELSEWHERE})
"""Payments that no longer count in a basket's total."""


class BasketNameMissing(InputError):
    """A basket is called something and belongs to a client."""

    code = "basket_name_missing"
    title = "Choose a client and give the basket a name"
    hint = "A name of 1 to 70 characters, such as Suppliers November."


@dataclass(frozen=True, slots=True)
class Totals:
    """What counts in a basket."""

    count: int
    total: Decimal


def version_of(value: object) -> int:
    """The version a form was made from; one that is missing or altered fits nothing."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def totals(subtotals: Sequence[Subtotal]) -> Totals:
    """Without what was taken out or rejected."""
    rows = [row for row in subtotals if row.state not in OUT]
    return Totals(sum(row.payment_count for row in rows), sum((row.total for row in rows), Decimal(0)))


@router.get("/baskets")
def baskets(request: Request, gateway: GatewayDep, visit: VisitDep, cursor: str | None = None) -> Response:
    """All baskets, the newest first."""
    return _list(request, gateway, visit, cursor=cursor)


@router.post("/baskets")
def create(request: Request, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """An empty draft."""
    name = text_of(form, "name")
    try:
        client_id = decode("client", text_of(form, "client"))
    except ValueError:
        client_id = None
    if client_id is None or not 1 <= len(name) <= 70:
        return _list(request, gateway, visit, error=BasketNameMissing())
    view = BasketService(gateway).create(visit.act, client_id, name=name)
    return see_other(request, f"/baskets/{encode('basket', view.basket.id)}")


@router.get("/baskets/{basket_id}")
def basket(
    request: Request, basket_id: BasketId, gateway: GatewayDep, visit: VisitDep, cursor: str | None = None
) -> Response:
    """One basket with its payments and what the checks say."""
    return _basket(request, gateway, visit, basket_id, cursor=cursor)


@router.post("/baskets/{basket_id}/payments")
def add(request: Request, basket_id: BasketId, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """Put one payment in; a faulty one is stored with its findings, an unreadable one is asked again."""
    values = payment_forms.entered(form)
    client_id = BasketService(gateway).get(visit.act, basket_id).basket.client_id
    accounts = [row.id for row in reading.paying_accounts(gateway, visit, client_id)]
    wish, faults = payment_forms.read(values, accounts)
    if wish is None:
        return _basket(request, gateway, visit, basket_id, values=values, faults=faults)
    outcome = PaymentService(gateway).add(visit.act, basket_id, [wish])[0]
    if outcome.payment is None:
        faults = [FormFault("account", fault.detail) for fault in outcome.faults]
        return _basket(request, gateway, visit, basket_id, values=values, faults=faults)
    return see_other(request, f"/baskets/{encode('basket', basket_id)}#{encode('payment', outcome.payment.id)}")


@router.post("/baskets/{basket_id}/submission")
def submit(request: Request, basket_id: BasketId, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """Ask for the approvals the rules name; blocked payments can stay behind in a new draft."""
    accepted = [str(code) for code in form.getlist("accepted")]
    try:
        SubmissionService(gateway).submit(
            visit.act,
            basket_id,
            version=version_of(form.get("version")),
            accepted_findings=accepted,
            leave_blocked=text_of(form, "leave_blocked") == "yes",
        )
    except (PaymentsBlocked, WarningsNotAccepted) as error:
        return _basket(request, gateway, visit, basket_id, error=error)
    return see_other(request, f"/baskets/{encode('basket', basket_id)}")


@router.post("/baskets/{basket_id}/withdrawal")
def withdraw(request: Request, basket_id: BasketId, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """Back to draft; what was asked and agreed to is void."""
    SubmissionService(gateway).withdraw(visit.act, basket_id, version=version_of(form.get("version")))
    return see_other(request, f"/baskets/{encode('basket', basket_id)}")


@router.post("/baskets/{basket_id}/cancellation")
def cancel(request: Request, basket_id: BasketId, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """Cancel a basket that has not left."""
    BasketService(gateway).cancel(visit.act, basket_id, version=version_of(form.get("version")))
    return see_other(request, "/baskets")


def _list(
    request: Request, gateway: Gateway, visit: Visit, *, cursor: str | None = None, error: InputError | None = None
) -> Response:
    views, next_cursor = BasketService(gateway).page(visit.act, PageRequest(BASKETS_PER_PAGE, cursor))
    may_write = visit.may(Permission.PAYMENTS_WRITE)
    return page(
        request,
        "baskets.html",
        status=error.http_status if error is not None else 200,
        views=[(view.basket, totals(view.subtotals)) for view in views],
        clients=reading.client_names(gateway, visit, (view.basket.client_id for view in views)),
        writable=reading.clients(gateway, visit, Permission.PAYMENTS_WRITE) if may_write else [],
        next_cursor=next_cursor,
        error=error,
    )


def _basket(
    request: Request,
    gateway: Gateway,
    visit: Visit,
    basket_id: UUID,
    *,
    cursor: str | None = None,
    values: dict[str, str] | None = None,
    faults: Sequence[FormFault] = (),
    error: GatewayError | None = None,
) -> Response:
    view = BasketService(gateway).get(visit.act, basket_id)
    payments, next_cursor = PaymentService(gateway).page(
        visit.act, PageRequest(PAYMENTS_PER_PAGE, cursor), basket_id=basket_id
    )
    blocked, warnings = reading.draft_faults(gateway, visit, view.basket)
    exports, _cursor = ExportService(gateway).page(visit.act, PageRequest(50, None), basket_id=basket_id)
    accounts = reading.paying_accounts(gateway, visit, view.basket.client_id)
    return page(
        request,
        "basket.html",
        status=error.http_status if error is not None else 422 if faults else 200,
        view=view,
        basket=view.basket,
        client=reading.client_of(gateway, visit, view.basket.client_id),
        sums=totals(view.subtotals),
        rows=_by_date(view, {row.id: row for row in accounts}),
        payments=payments,
        next_cursor=next_cursor,
        texts=CATALOGUE,
        warnings=sorted(warnings),
        blocked=blocked,
        exports=exports,
        accounts=accounts,
        values=values or payment_forms.blank([row.id for row in accounts]),
        faults={fault.field: fault.sentence for fault in faults},
        error=error,
    )


def _by_date(view: BasketView, accounts: dict[UUID, Account]) -> list[tuple[Account | None, Subtotal]]:
    return [(accounts.get(row.debtor_account_id), row) for row in view.subtotals if row.state not in OUT]

"""REST: baskets and payments; exports stand in `export_endpoints`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from gateway.api import ActDep, GatewayDep, PageDep, problem_responses
from gateway.approvals.schemas import SubmissionRead, submission_read
from gateway.ids import BasketId, ClientId, PaymentId
from gateway.operations import KEY_REQUIRED
from gateway.pagination import Page
from gateway.payments import export_endpoints
from gateway.payments.baskets import BasketService, BasketView
from gateway.payments.etags import IfMatch, etag, version_in
from gateway.payments.schemas import (
    BasketRead,
    BasketWrite,
    DateChangeWrite,
    PaymentPatch,
    PaymentRead,
    PaymentSettingsShape,
    PaymentsWrite,
    PaymentWrite,
    RowsRead,
    SubmissionWrite,
    basket_read,
    payment_read,
    row_read,
    settings_read,
)
from gateway.payments.service import PaymentService
from gateway.payments.settings import PaymentSettingsService
from gateway.payments.states import BasketState, PaymentState
from gateway.payments.submission import SubmissionService
from gateway.problems import language_of

router = APIRouter()
payments = APIRouter(prefix="/v1", tags=["payments"])


@payments.post("/baskets", operation_id="create_basket", status_code=201, responses=problem_responses(409))
def create_basket(body: BasketWrite, response: Response, act: ActDep, gateway: GatewayDep) -> BasketRead:
    """A new, empty basket of one client."""
    view = BasketService(gateway).create(
        act, body.client_id, name=body.name, external_id=body.external_id, metadata=body.metadata
    )
    return _basket(view, response)


@payments.get("/baskets", operation_id="list_baskets", responses=problem_responses(400))
def list_baskets(
    act: ActDep,
    gateway: GatewayDep,
    page: PageDep,
    client_id: Annotated[ClientId | None, Query()] = None,
    state: Annotated[BasketState | None, Query()] = None,
) -> Page[BasketRead]:
    """Baskets, newest first."""
    views, cursor = BasketService(gateway).page(act, page, client_id=client_id, state=state)
    return Page(items=[basket_read(view) for view in views], next_cursor=cursor)


@payments.get("/baskets/{basket_id}", operation_id="get_basket", responses=problem_responses())
def get_basket(basket_id: BasketId, response: Response, act: ActDep, gateway: GatewayDep) -> BasketRead:
    """One basket with count and total per debtor account, date and state."""
    return _basket(BasketService(gateway).get(act, basket_id), response)


@payments.post(
    "/baskets/{basket_id}/payments",
    operation_id="add_payments",
    responses=problem_responses(409),
    openapi_extra=KEY_REQUIRED,
)
def add_payments(
    basket_id: BasketId, body: PaymentsWrite, request: Request, act: ActDep, gateway: GatewayDep
) -> RowsRead:
    """Put up to 1,000 payments in a draft basket; each has its own result, and the good ones stay."""
    rows = [item.wish() if isinstance(item, PaymentWrite) else item for item in body.items]
    outcomes = PaymentService(gateway).add(act, basket_id, rows, is_dry_run=body.dry_run)
    language = language_of(request)
    return RowsRead(items=[row_read(outcome, language, is_dry_run=body.dry_run) for outcome in outcomes])


@payments.get("/baskets/{basket_id}/payments", operation_id="list_basket_payments", responses=problem_responses(400))
def list_basket_payments(
    basket_id: BasketId, request: Request, act: ActDep, gateway: GatewayDep, page: PageDep
) -> Page[PaymentRead]:
    """The payments of a basket, in its order."""
    found, cursor = PaymentService(gateway).page(act, page, basket_id=basket_id)
    language = language_of(request)
    return Page(items=[payment_read(payment, language) for payment in found], next_cursor=cursor)


@payments.post("/baskets/{basket_id}/date-changes", operation_id="change_dates", responses=problem_responses(409))
def change_dates(
    basket_id: BasketId, body: DateChangeWrite, response: Response, act: ActDep, gateway: GatewayDep
) -> BasketRead:
    """Give a selection of a draft basket one new execution date."""
    view = BasketService(gateway).change_dates(
        act, basket_id, payment_ids=body.payment_ids, execution_date=body.execution_date.wish()
    )
    return _basket(view, response)


@payments.post(
    "/baskets/{basket_id}/submissions",
    operation_id="submit_basket",
    status_code=201,
    responses=problem_responses(409, 412, 428),
)
def submit_basket(
    *,
    basket_id: BasketId,
    body: SubmissionWrite,
    response: Response,
    act: ActDep,
    gateway: GatewayDep,
    if_match: IfMatch = None,
) -> SubmissionRead:
    """Submit a draft basket for approval; a dry run tells what would be asked and of whom."""
    submission = SubmissionService(gateway).submit(
        act,
        basket_id,
        version=version_in(if_match),
        accepted_findings=body.accepted_findings,
        leave_blocked=body.leave_blocked,
        is_dry_run=body.dry_run,
    )
    response.headers["ETag"] = etag(submission.view.basket.version)
    return submission_read(submission)


@payments.post(
    "/baskets/{basket_id}/withdrawals",
    operation_id="withdraw_basket",
    status_code=201,
    responses=problem_responses(409, 412, 428),
)
def withdraw_basket(
    basket_id: BasketId, response: Response, act: ActDep, gateway: GatewayDep, if_match: IfMatch = None
) -> BasketRead:
    """Take a submitted or approved basket back to draft; its approvals are void."""
    return _basket(SubmissionService(gateway).withdraw(act, basket_id, version=version_in(if_match)), response)


@payments.post(
    "/baskets/{basket_id}/cancellations",
    operation_id="cancel_basket",
    status_code=201,
    responses=problem_responses(409, 412, 428),
)
def cancel_basket(
    basket_id: BasketId, response: Response, act: ActDep, gateway: GatewayDep, if_match: IfMatch = None
) -> BasketRead:
    """Cancel a basket that has not left, with all its payments."""
    return _basket(BasketService(gateway).cancel(act, basket_id, version=version_in(if_match)), response)


@payments.get("/payments", operation_id="list_payments", responses=problem_responses(400))
def list_payments(
    *,
    request: Request,
    act: ActDep,
    gateway: GatewayDep,
    page: PageDep,
    client_id: Annotated[ClientId | None, Query()] = None,
    state: Annotated[PaymentState | None, Query()] = None,
    external_id: Annotated[str | None, Query(max_length=70)] = None,
    source_reference: Annotated[str | None, Query(max_length=140, description="Of the invoice.")] = None,
) -> Page[PaymentRead]:
    """Payments, newest first; found by your own ids from anywhere."""
    found, cursor = PaymentService(gateway).page(
        act, page, client_id=client_id, state=state, external_id=external_id, source_reference=source_reference
    )
    language = language_of(request)
    return Page(items=[payment_read(payment, language) for payment in found], next_cursor=cursor)


@payments.get("/payments/{payment_id}", operation_id="get_payment", responses=problem_responses())
def get_payment(
    payment_id: PaymentId, request: Request, response: Response, act: ActDep, gateway: GatewayDep
) -> PaymentRead:
    """One payment; its seal goes with a decision, its ETag with an edit."""
    payment = PaymentService(gateway).get(act, payment_id)
    response.headers["ETag"] = etag(payment.version)
    return payment_read(payment, language_of(request))


@payments.patch("/payments/{payment_id}", operation_id="edit_payment", responses=problem_responses(409, 412, 428))
def edit_payment(
    *,
    payment_id: PaymentId,
    body: PaymentPatch,
    request: Request,
    response: Response,
    act: ActDep,
    gateway: GatewayDep,
    if_match: IfMatch = None,
) -> PaymentRead:
    """Change some fields. Once submitted, this voids the payment's approvals and asks anew."""
    version = version_in(if_match)
    payment = PaymentService(gateway).edit(
        act,
        payment_id,
        body.changes(),
        version=version,
        accepted_findings=body.accepted_findings,
        metadata=body.metadata,
    )
    response.headers["ETag"] = etag(payment.version)
    return payment_read(payment, language_of(request))


@payments.post(
    "/payments/{payment_id}/cancellations",
    operation_id="cancel_payment",
    status_code=201,
    responses=problem_responses(409, 412, 428),
)
def cancel_payment(
    *,
    payment_id: PaymentId,
    request: Request,
    response: Response,
    act: ActDep,
    gateway: GatewayDep,
    if_match: IfMatch = None,
) -> PaymentRead:
    """Take a payment out that has not left; the others of its basket are not asked about again."""
    payment = PaymentService(gateway).cancel(act, payment_id, version=version_in(if_match))
    response.headers["ETag"] = etag(payment.version)
    return payment_read(payment, language_of(request))


@payments.get(
    "/clients/{client_id}/payment-settings", operation_id="get_payment_settings", responses=problem_responses()
)
def get_payment_settings(client_id: ClientId, act: ActDep, gateway: GatewayDep) -> PaymentSettingsShape:
    """What the client's bank takes."""
    return settings_read(PaymentSettingsService(gateway).get(act, client_id))


@payments.put(
    "/clients/{client_id}/payment-settings", operation_id="put_payment_settings", responses=problem_responses(409)
)
def put_payment_settings(
    client_id: ClientId, body: PaymentSettingsShape, act: ActDep, gateway: GatewayDep
) -> PaymentSettingsShape:
    """Set what the client's bank takes, as its contract says."""
    return settings_read(
        PaymentSettingsService(gateway).put(
            act, client_id, pain_version=body.pain_version, address_mode=body.address_mode
        )
    )


def _basket(view: BasketView, response: Response) -> BasketRead:
    response.headers["ETag"] = etag(view.basket.version)
    return basket_read(view)


router.include_router(payments)
router.include_router(export_endpoints.router)

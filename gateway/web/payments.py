"""Changing one payment, or taking it out."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import Request
from fastapi.responses import Response

from gateway.api import GatewayDep
from gateway.assembly import Gateway
from gateway.errors import GatewayError
from gateway.identity.rights import Permission
from gateway.ids import PaymentId, encode
from gateway.payments.errors import WarningsNotAccepted
from gateway.payments.models import Payment
from gateway.payments.service import PaymentService
from gateway.web import payment_forms, reading
from gateway.web.baskets import version_of
from gateway.web.payment_forms import FormFault
from gateway.web.rendering import page, see_other
from gateway.web.routing import page_router
from gateway.web.security import FormDep, PostedDep, Visit, VisitDep
from sepa.findings import CATALOGUE

router = page_router()


@router.get("/payments/{payment_id}/edit")
def edit_form(request: Request, payment_id: PaymentId, gateway: GatewayDep, visit: VisitDep) -> Response:
    """Change a payment that has not left."""
    payment = PaymentService(gateway).get(visit.act, payment_id)
    visit.act.require(Permission.PAYMENTS_WRITE, payment.client_id)
    return _edit(request, gateway, visit, payment, payment_forms.filled(payment))


@router.post("/payments/{payment_id}/edit")
def edit(request: Request, payment_id: PaymentId, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """Store the change; after submission it voids the approvals of this payment and asks anew."""
    service = PaymentService(gateway)
    payment = service.get(visit.act, payment_id)
    values = payment_forms.entered(form)
    accounts = [row.id for row in reading.paying_accounts(gateway, visit, payment.client_id)]
    wish, faults = payment_forms.read(values, accounts)
    if wish is None:
        return _edit(request, gateway, visit, payment, values, faults=faults)
    try:
        service.edit(
            visit.act,
            payment_id,
            payment_forms.changes(wish),
            version=version_of(form.get("version")),
            accepted_findings=[str(code) for code in form.getlist("accepted")],
        )
    except WarningsNotAccepted as error:
        return _edit(request, gateway, visit, payment, values, error=error)
    return see_other(request, f"/baskets/{encode('basket', payment.basket_id)}#{encode('payment', payment_id)}")


@router.post("/payments/{payment_id}/cancellation")
def cancel_payment(
    request: Request, payment_id: PaymentId, gateway: GatewayDep, visit: PostedDep, form: FormDep
) -> Response:
    """Take one payment out."""
    payment = PaymentService(gateway).cancel(visit.act, payment_id, version=version_of(form.get("version")))
    return see_other(request, f"/baskets/{encode('basket', payment.basket_id)}")


def _edit(
    request: Request,
    gateway: Gateway,
    visit: Visit,
    payment: Payment,
    values: dict[str, str],
    *,
    faults: Sequence[FormFault] = (),
    error: GatewayError | None = None,
) -> Response:
    return page(
        request,
        "payment_edit.html",
        status=error.http_status if error is not None else 422 if faults else 200,
        payment=payment,
        accounts=reading.paying_accounts(gateway, visit, payment.client_id),
        values=values,
        faults={fault.field: fault.sentence for fault in faults},
        warnings=sorted(str(error.parameters.get("codes", "")).split(", ")) if error is not None else [],
        texts=CATALOGUE,
        error=error,
    )

"""Payments at the control desk, below `/sim/api/payments`: the list, and the second signatory's signature."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.simulator.admin import JSON, DeskCall, NotPossible, guarded
from connectors.simulator.payments import Payment


def routes() -> list[Route]:
    """The routes of payments."""
    return [
        Route("/sim/api/payments", guarded(_list), methods=["GET"]),
        Route("/sim/api/payments/{payment_id}/signature", guarded(_sign), methods=["POST"]),
    ]


def _list(call: DeskCall) -> Response:
    return JSONResponse({"payments": [_payment(one) for one in call.simulator.payments.listing()]})


def _sign(call: DeskCall) -> Response:
    return JSONResponse(_payment(sign_payment(call)))


def sign_payment(call: DeskCall) -> Payment:
    """The second signatory signs the payment in the path; raises `NotPossible` for one that waits for nobody."""
    wanted = call.request.path_params["payment_id"]
    found = next((one for one in call.simulator.payments.listing() if one.payment_id == wanted), None)
    if found is None:
        raise NotPossible("no such payment", 404)
    if found.status != "PATC":
        raise NotPossible(f"the payment waits for no second signature, it is {found.status}", 409)
    call.simulator.payments.sign(found)
    call.simulator.payments.status(found)
    return found


def _payment(payment: Payment) -> JSON:
    return {
        "payment_id": payment.payment_id,
        "bank_id": payment.bank_id,
        "status": payment.status,
        "reason": payment.reason,
        "amount": f"{payment.total:.2f}",
        "transfers": len(payment.orders),
        "day": payment.day.isoformat(),
    }

"""Payment requests at the simulated STET banks: made with the TPP's own token, given back with their statuses.

Below each bank's interface: `POST /payment-requests`, `GET /payment-requests/{payment_id}`. The layout of 1.4 (one
beneficiary and day for the request) and that of 1.5 (one in each transfer) are both taken. The PSU signs on the pages
of `payment_pages`, opened by the plain link `consentApproval`. Source: STET PSD2 API 1.5.0.43.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final

from starlette.routing import Route

from connectors import text
from connectors.simulator.calls import JSON, Answer, BankCall, ErrorBody, Handler, Refusal, endpoint
from connectors.simulator.companies import Party
from connectors.simulator.payment_routes import amount_of, iban_of, payment_of, recorded, web_address, wish_of
from connectors.simulator.payments import FAILURES, Order, Payment, Way

SCOPE: Final = "pisp"
TOKEN_SECONDS: Final = 900
_BELGIAN: Final = re.compile(r"\+\+\+(\d{3})/(\d{4})/(\d{5})\+\+\+")
_REASONS: Final = {"AM04": "CUST"}
"""Reasons the standard has another word for: refusal or lack of money is the debtor's."""
_PARTS: Final = {"RCVD": "PDNG", "PATC": "PDNG"}
"""Statuses a transfer has another word for."""


def routes(
    prefix: str, families: frozenset[str], guarded: Callable[[Handler], Handler], error_body: ErrorBody
) -> list[Route]:
    """The routes below one interface."""

    def route(path: str, name: str, handler: Handler, method: str) -> Route:
        served = endpoint(name, guarded(handler), families=families, error_body=error_body)
        return Route(f"{prefix}/payment-requests{path}", served, methods=[method])

    return [
        route("", "payment_create", create_request, "POST"),
        route("/{payment_id}", "payment_read", read_request, "GET"),
    ]


def give_token(call: BankCall, client_id: str) -> Answer:
    """A token of the TPP itself, for payments; it shows what that TPP asked for."""
    call.strike()
    token = call.simulator.consents.new_application_token(client_id, TOKEN_SECONDS)
    body: JSON = {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS, "scope": SCOPE}
    return Answer(body=body, headers={"Cache-Control": "no-store"})


def create_request(call: BankCall) -> Answer:
    """Record what is to be paid; the page to sign on is linked, the id stands in `Location`."""
    call.require_request_id()
    _require_application(call)
    call.strike()
    if not (call.header("Content-Type") or "").startswith("application/json"):
        raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", "application/json is expected")
    wish = wish_of(call)
    transfers = _part(wish, "creditTransferTransaction", list)
    if not transfers or wish.get("numberOfTransactions") != len(transfers):
        raise Refusal(400, "FORMAT_ERROR", "numberOfTransactions is another number")
    kind, more = _part(wish, "paymentTypeInformation", dict), _part(wish, "supplementaryData", dict)
    if kind.get("serviceLevel") != "SEPA" or "REDIRECT" not in more.get("acceptedAuthenticationApproach", []):
        raise Refusal(400, "FORMAT_ERROR", "a SEPA payment is signed on a page of the bank")
    made_id, name = wish.get("paymentInformationId"), _part(wish, "initiatingParty", dict).get("name")
    if not made_id or not name or not wish.get("creationDateTime"):
        raise Refusal(400, "FORMAT_ERROR", "paymentInformationId, initiatingParty and creationDateTime are wanted")
    days = {_day(part.get("requestedExecutionDate") or wish.get("requestedExecutionDate")) for part in transfers}
    if len(days) != 1:
        raise Refusal(400, "FORMAT_ERROR", "the transfers have several days")
    payment = recorded(
        call,
        web_address(more.get("successfulReportUrl"), "successfulReportUrl"),
        iban_of(wish, "debtorAccount"),
        tuple(_order(part, part.get("beneficiary") or wish.get("beneficiary")) for part in transfers),
        days.pop(),
        is_instant=kind.get("localInstrument") == "INST",
        is_batch_booked=wish.get("batchBooking") is True,
        request_id=str(made_id),
        way=Way(has_oauth=False, refused_uri=more.get("unsuccessfulReportUrl"), tpp_name=str(name)),
        # Given back with the amounts written as they came.
        asked=json.loads(call.content, parse_float=str),
    )
    page = f"{call.base}/public/berlingroup/pay/{payment.authorisation_id}"
    body: JSON = {"appliedAuthenticationApproach": "REDIRECT", "_links": {"consentApproval": {"href": page}}}
    return Answer(status=201, body=body, headers={"Location": f"{call.api}/payment-requests/{payment.payment_id}"})


def read_request(call: BankCall) -> Answer:
    """The request as it came, with the statuses of the whole and of each transfer."""
    _require_application(call)
    payment = payment_of(call)
    status = call.simulator.payments.status(payment)
    parts = payment.asked["creditTransferTransaction"]
    body: JSON = {
        **payment.asked,
        "resourceId": payment.payment_id,
        "paymentInformationStatus": status,
        "creditTransferTransaction": [
            {
                **part,
                "transactionStatus": _status_of(payment, order),
                **_reason(FAILURES.get(order.creditor.iban or "")),
            }
            if status in {"RJCT", "PART"}
            else {**part, "transactionStatus": _PARTS.get(status, status)}
            for part, order in zip(parts, payment.orders, strict=True)
        ],
        **(_reason(payment.reason) if status == "RJCT" else {}),
    }
    own = {"href": f"/payment-requests/{payment.payment_id}"}
    return Answer(body={"paymentRequest": body, "_links": {"request": own}})


def _require_application(call: BankCall) -> None:
    if call.simulator.consents.application(call.bearer or "") is None:
        raise Refusal(401, "TOKEN_INVALID", "the token of the TPP is missing or too old")


def _status_of(payment: Payment, order: Order) -> str:
    return "ACSC" if payment.status == "PART" and order.creditor.iban not in FAILURES else "RJCT"


def _reason(reason: str | None) -> JSON:
    return {} if reason is None else {"statusReasonInformation": _REASONS.get(reason, reason)}


def _order(part: Mapping[str, Any], beneficiary: object) -> Order:
    amount = part.get("instructedAmount")
    if not isinstance(amount, dict) or amount.get("currency") != "EUR":
        raise Refusal(400, "FORMAT_ERROR", "instructedAmount is in euro")
    if not isinstance(beneficiary, dict) or not _part(beneficiary, "creditor", dict).get("name"):
        raise Refusal(400, "FORMAT_ERROR", "the beneficiary is missing")
    remittance = part.get("remittanceInformation") or {}
    lines, structured = remittance.get("unstructured") or [], remittance.get("structured") or []
    if len(lines) > 1 or len(structured) > 1:
        raise Refusal(400, "FORMAT_ERROR", "one text and one reference at most")
    reference = structured[0]["creditorReferenceInformation"]["reference"] if structured else None
    belgian = _BELGIAN.fullmatch(lines[0]) if lines else None
    return Order(
        end_to_end_id=_part(part, "paymentId", dict).get("endToEndId"),
        amount=amount_of(amount.get("amount")),
        creditor=Party(beneficiary["creditor"]["name"], iban_of(beneficiary, "creditorAccount")),
        text=lines[0] if lines and belgian is None else None,
        structured="".join(belgian.groups()) if belgian is not None else reference,
    )


def _part(body: Mapping[str, Any], name: str, kind: type) -> Any:
    value = body.get(name)
    if not isinstance(value, kind):
        raise Refusal(400, "FORMAT_ERROR", f"{name} is missing")
    return value


def _day(value: object) -> date:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise Refusal(400, "FORMAT_ERROR", "requestedExecutionDate is missing or no moment") from error
    return moment.astimezone(text.BRUSSELS).date()

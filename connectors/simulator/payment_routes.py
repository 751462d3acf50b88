"""Payment initiation as banks of the Berlin Group offer it, below each bank's interface.

- `POST /payments/{product}`: one payment as JSON; `POST /bulk-payments/pain.001-sepa-credit-transfers`: a file
- `GET /payments/{product}/{payment_id}[/status]`, likewise below `/bulk-payments`
The PSU signs on the pages of `payment_pages`. Source: Berlin Group NextGenPSD2 1.3.11, section 5.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from starlette.routing import Route

from connectors.simulator.calls import JSON, Answer, BankCall, ErrorBody, Handler, Refusal, endpoint, tpp_messages
from connectors.simulator.companies import Party
from connectors.simulator.payments import OAUTH, Order, Payment, Way

SEPA: Final = "sepa-credit-transfers"
INSTANT: Final = "instant-sepa-credit-transfers"
FILE: Final = "pain.001-sepa-credit-transfers"


Links = Callable[[BankCall, Payment, str], JSON]
"""The links of a new payment; the text is the payment's own address."""


def oauth_links(call: BankCall, payment: Payment, own: str) -> JSON:
    """As on the Worldline platform: the way to sign is read from metadata."""
    metadata = f"{call.base}/berlingroup/.well-known/openid-configuration"
    return {
        "scaOAuth": {"href": f"{metadata}?authorizationId={payment.authorisation_id}"},
        "self": {"href": own},
        "status": {"href": f"{own}/status"},
    }


def no_links(call: BankCall, payment: Payment, own: str) -> JSON:  # noqa: ARG001  shape of `Links`
    """The way to sign is left to the caller."""
    return {}


def routes(
    prefix: str,
    families: frozenset[str] | None,
    *,
    products: tuple[str, ...] = (SEPA, INSTANT),
    takes_files: bool = False,
    error_body: ErrorBody = tpp_messages,
    links: Links = oauth_links,
    has_oauth: bool = True,
    guarded: Callable[[Handler], Handler] = lambda handler: handler,
) -> list[Route]:
    """The routes of one family below `prefix`; `links` are those of a new payment, `guarded` refuses what it must."""

    def route(path: str, name: str, handler: Handler, method: str = "GET") -> Route:
        served = endpoint(name, guarded(handler), families=families, error_body=error_body)
        return Route(prefix + path, served, methods=[method])

    def single(call: BankCall) -> Answer:
        product = call.request.url.path.rsplit("/", 1)[1]
        return _created(call, _from_json(call, is_instant=product == INSTANT, has_oauth=has_oauth), links)

    def several(call: BankCall) -> Answer:
        return _created(call, _from_file(call, has_oauth=has_oauth), links)

    found = [route(f"/payments/{product}", "payment_create", single, "POST") for product in products]
    if takes_files:
        found.append(route(f"/bulk-payments/{FILE}", "payment_create", several, "POST"))
    services = ("payments", "bulk-payments") if takes_files else ("payments",)
    for service in services:
        one = f"/{service}/{{product}}/{{payment_id}}"
        found += [route(f"{one}/status", "payment_read", read_status), route(one, "payment_read", read_payment)]
    return found


def read_status(call: BankCall) -> Answer:
    """The payment's status; why it was refused stands among the messages."""
    payment = payment_of(call)
    body: JSON = {"transactionStatus": call.simulator.payments.status(payment)}
    if payment.reason is not None:
        body["tppMessages"] = [{"category": "ERROR", "code": payment.reason, "text": "refused"}]
    return Answer(body=body)


def read_payment(call: BankCall) -> Answer:
    """Status and amount of the payment."""
    payment = payment_of(call)
    return Answer(
        body={
            "transactionStatus": call.simulator.payments.status(payment),
            "debtorAccount": {"iban": payment.debtor_iban},
            "instructedAmount": {"currency": "EUR", "amount": f"{payment.total:.2f}"},
        }
    )


def payment_of(call: BankCall) -> Payment:
    """The payment in the address; refuses one of another bank, and a token of another payment."""
    call.require_request_id()
    call.strike()
    payment = call.simulator.payments.find(call.bank.bank_id, call.request.path_params["payment_id"])
    if payment is None:
        raise Refusal(404, "RESOURCE_UNKNOWN", "no such payment at this bank")
    token = (call.header("Authorization") or "").removeprefix("Bearer ")
    is_of_tpp = call.simulator.consents.application(token) is not None
    if token and not is_of_tpp and call.simulator.payments.token_payment(token) != payment.payment_id:
        raise Refusal(401, "TOKEN_INVALID", "the token is not of this payment")
    return payment


def _created(call: BankCall, payment: Payment, links: Links) -> Answer:
    own = f"{str(call.request.base_url).rstrip('/')}{call.request.url.path}/{payment.payment_id}"
    body: JSON = {
        "transactionStatus": call.simulator.payments.status(payment),
        "paymentId": payment.payment_id,
        "_links": links(call, payment, own),
    }
    return Answer(status=201, body=body, headers={"Location": own, "ASPSP-SCA-Approach": "REDIRECT"})


def _from_json(call: BankCall, *, is_instant: bool, has_oauth: bool) -> Payment:
    redirect_uri = _checked(call, "application/json")
    wish = wish_of(call)
    day = day_of(wish.get("requestedExecutionDate"))
    if is_instant and day is not None:
        raise Refusal(400, "PARAMETER_NOT_CONSISTENT", "an instant payment has no execution date")
    return recorded(
        call, redirect_uri, iban_of(wish, "debtorAccount"), (_order(wish),), day, is_instant=is_instant,
        is_batch_booked=False, way=_way(call, has_oauth=has_oauth),
    )  # fmt: skip


def _from_file(call: BankCall, *, has_oauth: bool) -> Payment:
    redirect_uri = _checked(call, "application/xml")
    if b"<!DOCTYPE" in call.content:
        raise Refusal(400, "FORMAT_ERROR", "the file declares entities")
    try:
        # What goes in is what our own connectors send; entities, which could grow, are refused above.
        root = ET.fromstring(call.content)  # noqa: S314
        space = root.tag.partition("}")[0] + "}"
        groups = list(root.iter(f"{space}PmtInf"))
        orders = tuple(_order_of_file(item, space) for group in groups for item in group.iter(f"{space}CdtTrfTxInf"))
        ibans = {group.findtext(f"{space}DbtrAcct/{space}Id/{space}IBAN") for group in groups}
        booked = {group.findtext(f"{space}BtchBookg") for group in groups}
        days = {
            group.findtext(f"{space}ReqdExctnDt/{space}Dt") or group.findtext(f"{space}ReqdExctnDt") for group in groups
        }
    except (ET.ParseError, InvalidOperation, AttributeError) as error:
        raise Refusal(400, "FORMAT_ERROR", "the file is no pain.001") from error
    if len(ibans) != 1 or len(days) != 1 or not orders:
        raise Refusal(400, "FORMAT_ERROR", "the file has one account, one day and at least one payment")
    return recorded(
        call, redirect_uri, ibans.pop() or "", orders, day_of(days.pop()), is_instant=False,
        is_batch_booked=booked == {"true"}, way=_way(call, has_oauth=has_oauth),
    )  # fmt: skip


def wish_of(call: BankCall) -> Mapping[str, Any]:
    """The body as a JSON object, amounts as exact decimals."""
    try:
        wish = json.loads(call.content, parse_float=Decimal)
    except ValueError as error:
        raise Refusal(400, "FORMAT_ERROR", "the body is no JSON") from error
    if not isinstance(wish, dict):
        raise Refusal(400, "FORMAT_ERROR", "the body is no JSON object")
    return wish


def _way(call: BankCall, *, has_oauth: bool) -> Way:
    return Way(has_oauth=has_oauth, tpp_name=call.simulator.consents.application(call.bearer or "") or "")


def recorded(
    call: BankCall,
    redirect_uri: str,
    debtor_iban: str,
    orders: tuple[Order, ...],
    day: date | None,
    *,
    is_instant: bool,
    is_batch_booked: bool,
    request_id: str | None = None,
    way: Way = OAUTH,
    asked: Mapping[str, Any] | None = None,
) -> Payment:
    """The payment, in the book; refuses an account that is not a current account here, and a day in the past.

    A repeat is told by `request_id`, the id of the call where none is given.
    """
    try:
        account = call.simulator.world.account(debtor_iban)
    except KeyError as error:
        raise Refusal(400, "RESOURCE_UNKNOWN", "the debtor account is not known here") from error
    if account.bank_id != call.bank.bank_id or account.cash_account_type != "CACC":
        raise Refusal(400, "RESOURCE_UNKNOWN", "the debtor account is not known here")
    if day is not None and day < call.simulator.clock.today:
        raise Refusal(400, "EXECUTION_DATE_INVALID", "the execution date lies in the past")
    return call.simulator.payments.create(
        call.bank.bank_id,
        request_id=request_id or call.header("X-Request-ID") or "",
        redirect_uri=redirect_uri,
        debtor_iban=debtor_iban,
        orders=orders,
        day=day,
        is_instant=is_instant,
        is_batch_booked=is_batch_booked,
        way=way,
        asked=asked,
    )


def _checked(call: BankCall, media_type: str) -> str:
    call.require_request_id()
    call.strike()
    try:
        ipaddress.ip_address(call.header("PSU-IP-Address") or "")
    except ValueError as error:
        raise Refusal(400, "FORMAT_ERROR", "PSU-IP-Address is missing or no address") from error
    redirect_uri = web_address(call.header("TPP-Redirect-URI"), "TPP-Redirect-URI")
    if not (call.header("Content-Type") or "").startswith(media_type):
        raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", f"{media_type} is expected")
    return redirect_uri


def web_address(value: object, name: str) -> str:
    """An address a browser can be sent to; refuses the rest."""
    if isinstance(value, str) and urlsplit(value).scheme in {"http", "https"} and urlsplit(value).hostname:
        return value
    raise Refusal(400, "FORMAT_ERROR", f"{name} is missing or no web address")


def _order(wish: Mapping[str, Any]) -> Order:
    amount = wish.get("instructedAmount")
    if not isinstance(amount, dict) or amount.get("currency") != "EUR":
        raise Refusal(400, "FORMAT_ERROR", "instructedAmount is in euro")
    structured = wish.get("remittanceInformationStructured")
    name = wish.get("creditorName")
    if not isinstance(name, str) or not name:
        raise Refusal(400, "FORMAT_ERROR", "creditorName is missing")
    return Order(
        end_to_end_id=wish.get("endToEndIdentification"),
        amount=amount_of(amount.get("amount")),
        creditor=Party(name, iban_of(wish, "creditorAccount")),
        text=wish.get("remittanceInformationUnstructured"),
        structured=structured.get("reference") if isinstance(structured, dict) else None,
    )


def _order_of_file(item: ET.Element, space: str) -> Order:
    def found(path: str) -> str | None:
        return item.findtext("/".join(f"{space}{part}" for part in path.split("/")))

    return Order(
        end_to_end_id=found("PmtId/EndToEndId"),
        amount=amount_of(found("Amt/InstdAmt")),
        creditor=Party(found("Cdtr/Nm") or "", found("CdtrAcct/Id/IBAN")),
        text=found("RmtInf/Ustrd"),
        structured=found("RmtInf/Strd/CdtrRefInf/Ref"),
    )


def amount_of(value: object) -> Decimal:
    """An amount that can be paid."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation as error:
        raise Refusal(400, "FORMAT_ERROR", "the amount is no number") from error
    if not amount.is_finite() or amount <= 0 or amount != amount.quantize(Decimal("0.01")):
        raise Refusal(400, "FORMAT_ERROR", "the amount is above zero and has two decimals")
    return amount


def iban_of(wish: Mapping[str, Any], name: str) -> str:
    """The number of the account of this name; refuses one without."""
    account = wish.get(name)
    iban = account.get("iban") if isinstance(account, dict) else None
    if not isinstance(iban, str) or not iban:
        raise Refusal(400, "FORMAT_ERROR", f"{name} has no iban")
    return iban


def day_of(value: object) -> date | None:
    """An execution date; None where none is asked for."""
    if value is None:
        return None
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise Refusal(400, "FORMAT_ERROR", "the execution date is no date") from error

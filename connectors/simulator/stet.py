"""STET banks: the same accounts and rows where the authorisation is the consent and one list holds every status.

Routes, below `/{bank_id}/stet`: `GET /oauth2/authorize` for the PSU's browser, `POST /oauth2/token`, and below the
interface (`/psd2/v4` at the brands of BNP Paribas Fortis, `/stet-psd2-api/v2.2` at Beobank): `GET /accounts`,
`/accounts/{id}/balances`, `/accounts/{id}/transactions?dateFrom=…[&dateTo=…][&index=…]`; payments in `stet_payments`.

The brands of BNP Paribas Fortis want their `brand` in each query and the secret of the registration with each token,
write a sign beside the indicator, name neither party nor code of a row, date no pending row and end a list of several
pages with an empty one. Beobank writes days as midnight and an empty link at the end. How the brands word a
counterparty in the text is not published: here its name and account are lines of their own. Sources: STET PSD2 API
1.5.0.43, published answers of 1.4; see the cards of the banks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from http.client import responses
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.simulator import account_data, berlin_group, stet_payments
from connectors.simulator.authorising import REFUSED, open_consent
from connectors.simulator.calls import JSON, Answer, BankCall, ErrorBody, Handler, Refusal, endpoint
from connectors.simulator.references import printed
from connectors.simulator.rewriting import ask_with, body_of, is_at_home, pending_days, query_of
from connectors.simulator.simulator import Simulator

FAMILIES: Final = frozenset({"stet"})
BRANDS: Final = {"bnppf": "bnppf", "fintro": "fintro", "hellobank": "hb"}
"""The brands of BNP Paribas Fortis, as their calls name them."""
SCOPE: Final = "aisp"
OWN_GRANT: Final = "client_credentials"
DEFAULT_PERIOD: Final = timedelta(days=180)
END: Final = "empty-page-index"
_BALANCES: Final = {
    "closingBooked": ("CLBD", "Closing balance"),
    "expected": ("XPCD", "Expected balance"),
    "interimAvailable": ("OTHR", "Other balance"),
}
_TOKEN_HEADERS: Final = ("X-Openbank-Organization", "x-openbank-stet-version")


def routes() -> list[Route]:
    """The routes of the family; those of the group come first, since its errors are shorter."""
    oauth = "/{bank_id}/stet/oauth2"
    return [
        Route(f"{oauth}/authorize", authorise, methods=["GET"]),
        Route(f"{oauth}/token", endpoint("token", give_token, families=FAMILIES), methods=["POST"]),
        *_data("/{bank_id}/stet/psd2/v4", _of_the_brand, _short_error),
        *_data("/{bank_id}/stet/{interface}/{version}", _as_it_is, _error),
    ]


def _data(root: str, guarded: Callable[[Handler], Handler], error_body: ErrorBody) -> list[Route]:
    def route(path: str, name: str, handler: Handler) -> Route:
        served = endpoint(name, guarded(handler), families=FAMILIES, error_body=error_body)
        return Route(f"{root}/accounts{path}", served, methods=["GET"])

    return [
        route("", "accounts", list_accounts),
        route("/{resource_id}/balances", "balances", read_balances),
        route("/{resource_id}/transactions", "transactions", read_transactions),
        *stet_payments.routes(root, FAMILIES, guarded, error_body),
    ]


async def authorise(request: Request) -> Response:
    """The PSU chooses the accounts; the brands of the group were never seen with a code challenge."""
    simulator: Simulator = request.app.state.simulator
    bank = simulator.banks.get(request.path_params["bank_id"])
    if bank is None or bank.family not in FAMILIES or request.query_params.get("scope") != SCOPE:
        return Response(REFUSED, 400)
    return open_consent(request, bank, {}, needs_challenge=bank.bank_id not in BRANDS)


def give_token(call: BankCall) -> Answer:
    """Tokens; those of the group live as long as the consent and are renewed by a new authorisation only.

    With its own credentials the TPP has one for payments.
    """
    form = {name: values[0] for name, values in parse_qs(call.content.decode("utf-8", "replace")).items()}
    refused = _refused_form(call, form)
    if refused is not None:
        return refused
    if form.get("grant_type") == OWN_GRANT:
        return stet_payments.give_token(call, form["client_id"])
    answer = berlin_group.give_token(call)
    if answer.status != 200:
        return answer
    body = {**body_of(answer), "scope": SCOPE}
    if not call.bank.gives_refresh_token:
        del body["refresh_token"]
    return Answer(body=body, headers=answer.headers)


def _refused_form(call: BankCall, form: Mapping[str, str]) -> Answer | None:
    """What is wrong with a form for tokens; the group wants its secret and headers, and renews nothing."""
    is_own, is_of_group = form.get("grant_type") == OWN_GRANT, call.bank.bank_id in BRANDS
    if is_of_group and not form.get("client_secret"):
        return Answer(status=401, body={"error": "invalid_client"})
    has_headers = all(call.header(name) is not None for name in _TOKEN_HEADERS)
    wanted = stet_payments.SCOPE if is_own else SCOPE
    if is_own and (not form.get("client_id") or form.get("scope") != wanted):
        return Answer(status=400, body={"error": "invalid_request"})
    if is_of_group and (form.get("scope") != wanted or not has_headers):
        return Answer(status=400, body={"error": "invalid_request"})
    if is_of_group and not is_own and form.get("grant_type") != "authorization_code":
        return Answer(status=400, body={"error": "unsupported_grant_type"})
    return None


def list_accounts(call: BankCall) -> Answer:
    """Every account the PSU chose, cards among them."""
    accounts = body_of(account_data.list_accounts(call))["accounts"]
    return Answer(body={"accounts": [_account(account) for account in accounts], "_links": _links(self="/accounts")})


def read_balances(call: BankCall) -> Answer:
    """The booked balance and those with what is expected."""
    body = body_of(account_data.read_balances(call))
    own = f"/accounts/{call.request.path_params['resource_id']}"
    links = _links(**{"self": f"{own}/balances", "parent-list": "/accounts", "transactions": f"{own}/transactions"})
    return Answer(body={"balances": [_balance(call, one) for one in body["balances"]], "_links": links})


def read_transactions(call: BankCall) -> Answer:
    """One page of rows of every status; 204 where there is none."""
    query = dict(call.request.query_params)
    index, _, mark = query.pop("index", f"{call.bank.first_page}").partition("|")
    query.setdefault("dateFrom", (call.simulator.clock.today - DEFAULT_PERIOD).isoformat())
    # Past the last page nothing is booked, which the list of what is pending tells without a refusal.
    status = "pending" if mark == END else "both"
    ask_with(call, {**query, "bookingStatus": status, "page": index})
    body = body_of(account_data.read_transactions(call))
    report = body["transactions"]
    rows = [
        _row(call, {**row, **_days(call, days)}, "PDNG")
        for row, days in zip(report["pending"], pending_days(call, body["account"]), strict=False)
    ]
    rows += [_row(call, row, "BOOK") for row in report.get("booked", [])]
    if not rows:
        return Answer(status=204)
    own = f"/accounts/{call.request.path_params['resource_id']}"
    links = _links(**{"self": f"{own}/transactions", "parent-list": "/accounts", "balances": f"{own}/balances"})
    following = _next(call, report["_links"], rows[-1], int(index))
    if following is not None:
        links["next"] = {"href": following}
    return Answer(body={"transactions": rows, "_links": links})


def _as_it_is(handler: Handler) -> Handler:
    return handler


def _of_the_brand(handler: Handler) -> Handler:
    """Refuse a call that does not name the brand of this bank."""

    def named(call: BankCall) -> Answer:
        if call.request.query_params.get("brand") != BRANDS.get(call.bank.bank_id):
            raise Refusal(400, "FORMAT_ERROR", "brand is missing or another one")
        return handler(call)

    return named


def _short_error(status: int, code: str, text: str) -> JSON:  # noqa: ARG001  this family gives no codes
    return {"status": status, "message": text}


def _error(status: int, code: str, text: str) -> JSON:  # noqa: ARG001  this family gives no codes
    return {"status": status, "error": responses.get(status), "message": text}


def _links(**paths: str) -> JSON:
    return {name: {"href": path} for name, path in paths.items()}


def _writes_midnight(call: BankCall) -> bool:
    return call.request.path_params.get("interface") == "stet-psd2-api"


def _day(call: BankCall, day: str) -> str:
    return f"{day}T00:00:00Z" if _writes_midnight(call) else day


def _account(account: JSON) -> JSON:
    """One account; savings are current by type and told by their product."""
    body: JSON = {}
    if "resourceId" in account:
        own = f"/accounts/{account['resourceId']}"
        body |= {"resourceId": account["resourceId"]}
        body |= {"_links": _links(balances=f"{own}/balances", transactions=f"{own}/transactions")}
    other = {"identification": account.get("maskedPan"), "schemeName": "CPAN"}
    body |= {
        "accountId": {"iban": account["iban"]} if "iban" in account else {"other": other},
        "bicFi": account.get("bic"),
        "usage": account.get("usage"),
        "cashAccountType": "CARD" if account.get("cashAccountType") == "CARD" else "CACC",
        "psuStatus": "Account Holder",
        **{name: account.get(name) for name in ("name", "product", "currency")},
    }
    return {name: value for name, value in body.items() if value is not None}


def _balance(call: BankCall, balance: JSON) -> JSON:
    kind, name = _BALANCES[balance["balanceType"]]
    body: JSON = {"name": name, "balanceType": kind}
    if "balanceAmount" in balance:
        body["balanceAmount"] = balance["balanceAmount"]
    if "referenceDate" in balance:
        # The one that is seen with a time of day in published answers.
        is_timed = kind == "OTHR" and not _writes_midnight(call)
        day = balance["referenceDate"]
        body["referenceDate"] = f"{day}T00:00:00.000Z" if is_timed else _day(call, day)
    return body


def _days(call: BankCall, days: tuple[date, date]) -> JSON:
    """The days of a pending row; the group gives none."""
    ordered, booked = (day.isoformat() for day in days)
    return {} if call.bank.bank_id in BRANDS else {"transactionDate": ordered, "expectedBookingDate": booked}


def _row(call: BankCall, row: JSON, status: str) -> JSON:
    is_of_group = call.bank.bank_id in BRANDS
    body: JSON = {"resourceId": call.request.path_params["resource_id"], "status": status}
    if "transactionId" in row:
        body["entryReference"] = row["transactionId"]
    money = row.get("transactionAmount")
    if money is not None:
        body["creditDebitIndicator"] = "DBIT" if money["amount"].startswith("-") else "CRDT"
        amount = money["amount"] if is_of_group else money["amount"].removeprefix("-")
        body["transactionAmount"] = {**money, "amount": amount}
    for name in ("bookingDate", "valueDate", "transactionDate", "expectedBookingDate"):
        if name in row:
            body[name] = _day(call, row[name])
    code = row.get("bankTransactionCode")
    if code is not None and not is_of_group:
        domain, family, sub_family = code.split("-")
        body["bankTransactionCode"] = {"domain": domain, "family": family, "subFamily": sub_family}
    if "endToEndId" in row and not is_of_group:
        body["endToEndId"] = row["endToEndId"]
    return body | _remittance(row, has_structured=not is_of_group)


def _remittance(row: JSON, *, has_structured: bool) -> JSON:
    """Party and wording as lines; a reference in its own field, or between the marks it is printed with."""
    lines: list[str] = []
    for side in ("creditor", "debtor"):
        if f"{side}Name" in row:
            lines.append(row[f"{side}Name"])
        if f"{side}Account" in row:
            lines.append(row[f"{side}Account"]["iban"])
    lines += row.get("remittanceInformationUnstructuredArray") or [row.get("remittanceInformationUnstructured") or ""]
    found: JSON = {}
    given = row.get("remittanceInformationStructured")
    if given is not None and has_structured:
        found["structured"] = [{"creditorReferenceInformation": {"reference": given["reference"]}}]
    elif given is not None:
        digits = given["reference"]
        lines.append(digits if digits.startswith("RF") else printed(digits))
    if any(lines):
        found["unstructured"] = [line for line in lines if line]
    return {"remittanceInformation": found} if found else {}


def _next(call: BankCall, links: JSON, last: JSON, index: int) -> str | None:
    """The link to the next page: relative to the interface, or to another host where that was ordered."""
    query = {name: value for name, value in call.request.query_params.items() if name in ("dateFrom", "dateTo")}
    path = f"/accounts/{call.request.path_params['resource_id']}/transactions"
    if "next" in links:
        url = links["next"]["href"]
        mark = last.get("bookingDate", "")[:10].replace("-", "")
        host = "" if is_at_home(call, url) else f"https://{urlsplit(url).netloc}"
        number = f"{query_of(url)['page']}|{mark}"
        return f"{host}{path}?{urlencode({'index': number, **query})}"
    if call.bank.bank_id in BRANDS:
        has_more = index > call.bank.first_page
        return f"{path}?{urlencode({'index': f'{index + 1}|{END}', **query})}" if has_more else None
    return "" if _writes_midnight(call) else None

"""KBC, CBC and KBC Brussels: the same consents and rows in the group's dialect of the Berlin Group.

Routes, below `/{bank_id}`: `POST /psd2/v2/consents`; `GET /psd2/v2/accounts[/{id}]`, `…/balances` and
`…/transactions?bookingStatus=booked`; `GET /ASK/oauth/authorize/1`, `POST /ASK/oauth/token/1`. A consent can be neither
read nor ended, as in the description 2.0.6. Errors are `{"status": …, "message": …}`, as in published answers.
"""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from connectors.simulator import account_data, berlin_group, payment_routes
from connectors.simulator.calls import JSON, Answer, BankCall, Handler, Refusal, endpoint
from connectors.simulator.companies import company
from connectors.simulator.rewriting import body_of, is_at_home, relative, wording_of
from connectors.simulator.scopes import page_of
from connectors.simulator.simulator import Simulator

FAMILIES: Final = frozenset({"kbc"})
COMPANIES: Final = {
    "kbc": {"mainCompany": "0001"},
    "cbc": {"mainCompany": "0002"},
    "kbcbrussels": {"mainCompany": "0001", "company": "9998"},
}
TEXT_MAX: Final = 140
_ROW: Final = (
    "bookingDate", "valueDate", "transactionAmount", "creditorName", "debtorName", "remittanceInformationStructured",
    "bankTransactionCode",
)  # fmt: skip
_ACCOUNT: Final = ("resourceId", "iban", "currency", "name", "product", "cashAccountType")
_NAMELESS: Final = ("PMNT-CCRD", "PMNT-RDDT")
"""Card payments and collections: the creditor stands in the text only."""


def routes() -> list[Route]:
    """The routes of the group."""
    accounts = "/{bank_id}/psd2/v2/accounts"
    one = accounts + "/{resource_id}"

    def route(path: str, name: str, handler: Handler, method: str = "GET") -> Route:
        return Route(path, endpoint(name, handler, families=FAMILIES, error_body=_error), methods=[method])

    return [
        route("/{bank_id}/psd2/v2/consents", "consent_create", create_consent, "POST"),
        Route("/{bank_id}/ASK/oauth/authorize/1", authorise, methods=["GET"]),
        route("/{bank_id}/ASK/oauth/token/1", "token", berlin_group.give_token, "POST"),
        route(accounts, "accounts", list_accounts),
        route(one, "accounts", read_account),
        route(one + "/balances", "balances", read_balances),
        route(one + "/transactions", "transactions", read_transactions),
        *payment_routes.routes(
            "/{bank_id}/psd2/v2", FAMILIES, products=(payment_routes.SEPA,), takes_files=True, error_body=_error,
            links=payment_routes.no_links,
        ),
    ]  # fmt: skip


def create_consent(call: BankCall) -> Answer:
    """Record the wish; the answer names no address to go on at."""
    created = body_of(berlin_group.create_consent(call))
    body: JSON = {name: created[name] for name in ("consentStatus", "consentId")}
    return Answer(status=201, body={**body, "_links": {}}, headers={"ASPSP-SCA-Approach": "REDIRECT"})


async def authorise(request: Request) -> Response:
    """From the address the TPP built to the page of the consent it names; the company must be that of the bank."""
    simulator: Simulator = request.app.state.simulator
    bank_id, query = request.path_params["bank_id"], request.query_params
    page = page_of(simulator, bank_id, query.get("scope", ""))
    given = {name: query[name] for name in ("mainCompany", "company") if name in query}
    if page is None or given != COMPANIES.get(bank_id):
        return Response("unknown request", 400)
    return RedirectResponse(f"{page}?{request.url.query}", 303)


def list_accounts(call: BankCall) -> Answer:
    """Every account of the consent."""
    accounts = body_of(account_data.list_accounts(call))["accounts"]
    return Answer(body={"accounts": [_account(account) for account in accounts]})


def read_account(call: BankCall) -> Answer:
    """One account of the consent."""
    return Answer(body={"account": _account(body_of(account_data.read_account(call))["account"])})


def read_balances(call: BankCall) -> Answer:
    """The booked balance, without the day it speaks of."""
    body = body_of(account_data.read_balances(call))
    return Answer(body={**body, "balances": [_balance(balance) for balance in body["balances"]]})


def read_transactions(call: BankCall) -> Answer:
    """One page of booked rows."""
    if call.request.query_params.get("bookingStatus") != "booked":
        raise Refusal(400, "PARAMETER_NOT_SUPPORTED", "bookingStatus is booked")
    body = body_of(account_data.read_transactions(call))
    report = body["transactions"]
    links = {
        name: _plain(call, report["_links"][name]["href"]) for name in ("account", "next") if name in report["_links"]
    }
    holder = _holder_name(call, str(body["account"].get("iban", "")))
    rows = [_row(row, holder, body["account"]) for row in report["booked"]]
    return Answer(body={"account": body["account"], "transactions": {"booked": rows, "_links": links}})


def _error(status: int, code: str, text: str) -> JSON:  # noqa: ARG001  this bank gives no codes
    return {"status": status, "message": text}


def _account(account: JSON) -> JSON:
    body: JSON = {name: account[name] for name in _ACCOUNT if name in account}
    if "balances" in account:
        body["balances"] = [_balance(balance) for balance in account["balances"]]
    links = {name: relative(account["_links"][name]["href"]) for name in ("balances", "transactions")}
    return {**body, "_links": links}


def _balance(balance: JSON) -> JSON:
    return {name: balance[name] for name in ("balanceAmount", "balanceType")}


def _plain(call: BankCall, url: str) -> str:
    """A link as text, relative to the host; one to another host (an ordered fault) stays whole."""
    return relative(url) if is_at_home(call, url) else url


def _holder_name(call: BankCall, iban: str) -> str:
    return company(call.simulator.world.account(iban).company_id).name


def _row(row: JSON, holder: str, own: JSON) -> JSON:
    body: dict[str, Any] = {name: row[name] for name in _ROW if name in row}
    if "transactionId" in row:
        body["transactionId"] = f"{row.get('bookingDate', '')}-{row['transactionId']}"
    for side in ("creditor", "debtor"):
        if f"{side}Account" in row:
            body[f"{side}Account"] = {**row[f"{side}Account"], "currency": "EUR"}
    wording = wording_of(row)
    is_receipt = not str(row.get("transactionAmount", {}).get("amount", "")).startswith("-")
    if is_receipt:
        body.pop("debtorName", None)
        body["creditorName"], body["creditorAccount"] = holder, own
    elif str(row.get("bankTransactionCode", "")).startswith(_NAMELESS) and "creditorName" in body:
        kind = "Domiciliëring " if row["bankTransactionCode"].startswith("PMNT-RDDT") else ""
        wording = f"{body.pop('creditorName')} {kind}{wording}"
        body.pop("creditorAccount", None)
    if wording:
        body["remittanceInformationUnstructured"] = wording[:TEXT_MAX]
    for exchange in row.get("currencyExchange", []):
        body["exchangeRate"] = [
            {
                "currencyFrom": exchange["sourceCurrency"],
                "rateFrom": exchange["exchangeRate"],
                "currencyTo": exchange["targetCurrency"],
                "rateTo": "1",
                "rateDate": exchange["quotationDate"],
            }
        ]
    return body

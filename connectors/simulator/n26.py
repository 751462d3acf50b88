"""N26: the same accounts and rows where the PSU signs in first, the consent follows, and the app approves it.

Routes, below `/{bank_id}/n26`: `GET /oauth2/authorize` for the TPP, which is sent on to the page for the browser;
`POST /oauth2/token?role=DEDICATED_AISP`; below `/v1/berlin-group/v1`: `POST /consents`, `GET /consents/{id}/status`,
`DELETE /consents/{id}`, `GET /accounts`, `/accounts/{id}/balances` and
`/accounts/{id}/transactions?bookingStatus=booked`.

What happens in the app is done at the control desk: the second signature of a consent is the approval, for which there
are five minutes. The bank reports what is pending as booked; here it is left out. Its way of paging is not published.
Source: the bank's public documentation and published answers.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Final

from starlette.routing import Route

from connectors.simulator import account_data, berlin_group
from connectors.simulator.authorising import open_consent
from connectors.simulator.calls import JSON, Answer, BankCall, Handler, Refusal, endpoint
from connectors.simulator.consents import Consent
from connectors.simulator.references import printed
from connectors.simulator.rewriting import body_of, is_at_home, relative

FAMILIES: Final = frozenset({"n26"})
ROLE: Final = "DEDICATED_AISP"
APP_LIFE: Final = timedelta(minutes=5)
_ACCOUNT: Final = ("resourceId", "iban", "currency", "product", "name", "usage", "ownerName")
_ROW: Final = (
    "transactionId", "creditorName", "creditorAccount", "creditorId", "debtorName", "debtorAccount", "mandateId",
    "transactionAmount", "bookingDate", "valueDate", "bankTransactionCode", "remittanceInformationUnstructured",
    "remittanceInformationUnstructuredArray",
)  # fmt: skip


def routes() -> list[Route]:
    """The routes of the bank."""
    root = "/{bank_id}/n26"
    api = f"{root}/v1/berlin-group/v1"
    consent, account = f"{api}/consents/{{consent_id}}", f"{api}/accounts/{{resource_id}}"

    def route(path: str, name: str, handler: Handler, method: str = "GET") -> Route:
        def introduced(call: BankCall) -> Answer:
            if call.header("User-Agent") is None:
                raise Refusal(400, "FORMAT_ERROR", "User-Agent is missing")
            return handler(call)

        return Route(path, endpoint(name, introduced, families=FAMILIES), methods=[method])

    return [
        route(f"{root}/oauth2/authorize", "metadata", authorise),
        route(f"{root}/oauth2/token", "token", give_token, "POST"),
        route(f"{api}/consents", "consent_create", create_consent, "POST"),
        route(f"{consent}/status", "consent_read", read_status),
        route(consent, "consent_delete", delete_consent, "DELETE"),
        route(f"{api}/accounts", "accounts", list_accounts),
        route(f"{account}/balances", "balances", read_balances),
        route(f"{account}/transactions", "transactions", read_transactions),
    ]


def authorise(call: BankCall) -> Answer:
    """Where the PSU's browser goes to sign in; the TPP itself asks, behind its certificate."""
    call.strike()
    if call.request.query_params.get("scope") != ROLE:
        raise Refusal(400, "FORMAT_ERROR", "scope is another one")
    page = open_consent(call.request, call.bank, {"allPsd2": "allAccounts"}, needs_challenge=True)
    if "location" not in page.headers:
        raise Refusal(400, "FORMAT_ERROR", "redirect_uri is missing or no web address")
    origin = str(call.request.base_url).rstrip("/")
    return Answer(status=302, headers={"Location": f"{origin}{page.headers['location']}"})


def give_token(call: BankCall) -> Answer:
    """Tokens of the PSU who signed in; there is no consent to name in them yet."""
    if call.request.query_params.get("role") != ROLE:
        return Answer(status=400, body={"error": "invalid_request"})
    answer = berlin_group.give_token(call)
    if answer.status != 200:
        return answer
    body = {name: value for name, value in body_of(answer).items() if name != "scope"}
    return replace(answer, body={**body, "token_type": "bearer"})


def create_consent(call: BankCall) -> Answer:
    """Ask the PSU of the token to approve in the app, within five minutes."""
    call.require_request_id()
    consent = _of_the_token(call)
    call.strike()
    try:
        wish = json.loads(call.content)
    except ValueError as error:
        raise Refusal(400, "FORMAT_ERROR", "the body is no JSON") from error
    if not isinstance(wish, dict) or not isinstance(wish.get("access"), dict) or "allPsd2" not in wish["access"]:
        raise Refusal(400, "FORMAT_ERROR", "access holds allPsd2")
    consent.dies_at = call.simulator.clock.now.astimezone(UTC) + APP_LIFE
    status = f"{relative(call.api)}/consents/{consent.consent_id}/status"
    body: JSON = {"consentStatus": "received", "consentId": consent.consent_id, "_links": {"status": {"href": status}}}
    return Answer(body=body)


def read_status(call: BankCall) -> Answer:
    """The status; what waits for the app is `pending`, a word of this bank."""
    _require_own(call)
    status = body_of(berlin_group.read_status(call))["consentStatus"]
    return Answer(body={"consentStatus": "pending" if status == "partiallyAuthorised" else status})


def delete_consent(call: BankCall) -> Answer:
    """End the consent; the caller needs a token of it."""
    _require_own(call)
    return berlin_group.delete_consent(call)


def list_accounts(call: BankCall) -> Answer:
    """Every account; all are current by type, and savings are told by their product."""
    return Answer(
        body={"accounts": [_account(call, one) for one in body_of(account_data.list_accounts(call))["accounts"]]}
    )


def read_balances(call: BankCall) -> Answer:
    """The expected balance: no day can be proven by it."""
    body = body_of(account_data.read_balances(call))
    for balance in body["balances"]:
        balance.pop("referenceDate", None)
    return Answer(body=body)


def read_transactions(call: BankCall) -> Answer:
    """One page of booked rows."""
    if call.request.query_params.get("bookingStatus") != "booked":
        raise Refusal(400, "PARAMETER_NOT_SUPPORTED", "bookingStatus is booked")
    body = body_of(account_data.read_transactions(call))
    report = body["transactions"]
    own = f"{relative(call.api)}/accounts/{call.request.path_params['resource_id']}"
    links: JSON = {"account": {"href": own}}
    if "next" in report["_links"]:
        url = report["_links"]["next"]["href"]
        query = url.partition("?")[2]
        links["next"] = {"href": f"{own}/transactions?{query}" if is_at_home(call, url) else url}
    rows = [_row(row) for row in report["booked"]]
    return Answer(body={"account": body["account"], "transactions": {"booked": rows, "_links": links}})


def _of_the_token(call: BankCall) -> Consent:
    """What the PSU of this token signed in for."""
    token = call.simulator.consents.access_token(call.bearer or "")
    consent = None if token is None else call.simulator.consents.find(call.bank.bank_id, token.consent_id)
    if consent is None:
        raise Refusal(401, "TOKEN_INVALID", "the access token is missing or not known")
    return consent


def _require_own(call: BankCall) -> None:
    if _of_the_token(call).consent_id != call.request.path_params["consent_id"]:
        raise Refusal(401, "TOKEN_INVALID", "the access token belongs to another consent")


def _account(call: BankCall, account: JSON) -> JSON:
    own = f"{relative(call.api)}/accounts/{account.get('resourceId', '')}"
    links = {"balances": {"href": f"{own}/balances"}, "transactions": {"href": f"{own}/transactions"}}
    body: JSON = {name: account[name] for name in _ACCOUNT if name in account}
    return {**body, "cashAccountType": "CACC", "status": "enabled", "_links": links}


def _row(row: JSON) -> JSON:
    body: JSON = {name: row[name] for name in _ROW if name in row}
    structured = row.get("remittanceInformationStructured")
    if structured is not None:
        # The bank has no field for it.
        digits = structured["reference"]
        text = digits if digits.startswith("RF") else printed(digits)
        body |= {"remittanceInformationUnstructured": text, "remittanceInformationUnstructuredArray": [text]}
    return body

"""Accounts, balances and transactions as the banks on the Worldline platform answer them.

Routes, below `/{bank_id}/berlingroup/v1`: `GET /accounts[?withBalance=true]`, `GET /accounts/{id}`,
`GET /accounts/{id}/balances`, `GET /accounts/{id}/transactions?bookingStatus=…&dateFrom=…[&dateTo=…][&page=N]`.

Order of the checks: request id, bearer token, consent, ordered faults, account, unattended limit. A call an ordered
fault answered, and pages after the first, do not count against that limit. Rows come newest first; pending rows stand
on the first page only. Source: Berlin Group NextGenPSD2 1.3.11, section 6.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, timedelta
from decimal import Decimal
from urllib.parse import urlencode

from starlette.routing import Route

from connectors.simulator.banks import CLOSING_BOOKED, EXPECTED, INTERIM_AVAILABLE, INTERIM_BOOKED
from connectors.simulator.calls import JSON, Answer, BankCall, Refusal, endpoint
from connectors.simulator.companies import SimulatedAccount, company
from connectors.simulator.consents import Consent
from connectors.simulator.faults import FaultKind, first
from connectors.simulator.rows import Row

BOOKING_STATUSES = frozenset({"booked", "pending", "both"})


def routes() -> list[Route]:
    """The routes of account data."""
    accounts = "/{bank_id}/berlingroup/v1/accounts"
    one = accounts + "/{resource_id}"
    return [
        Route(accounts, endpoint("accounts", list_accounts), methods=["GET"]),
        Route(one, endpoint("accounts", read_account), methods=["GET"]),
        Route(one + "/balances", endpoint("balances", read_balances), methods=["GET"]),
        Route(one + "/transactions", endpoint("transactions", read_transactions), methods=["GET"]),
    ]


def list_accounts(call: BankCall) -> Answer:
    """Every account of the consent."""
    consent = _valid_consent(call)
    _strike(call, consent)
    _spend(call, consent.consent_id)
    with_balances = _wants_balances(call)
    accounts = [
        _account(call, consent, account, with_balances=with_balances)
        for account in _accounts(call, consent, "accounts")
    ]
    return Answer(body={"accounts": accounts})


def read_account(call: BankCall) -> Answer:
    """One account of the consent."""
    consent = _valid_consent(call)
    account = _addressed(call, consent, "accounts")
    _spend(call, account.account_id)
    return Answer(body={"account": _account(call, consent, account, with_balances=_wants_balances(call))})


def read_balances(call: BankCall) -> Answer:
    """The balances this bank offers, read now."""
    consent = _valid_consent(call)
    account = _addressed(call, consent, "balances")
    _spend(call, account.account_id)
    return Answer(body={"account": _reference(account), "balances": _balances(call, account)})


def read_transactions(call: BankCall) -> Answer:
    """One page of transactions, newest first."""
    consent = _valid_consent(call)
    number = _page_number(call)
    account = _addressed(call, consent, "transactions", page=number - call.bank.first_page + 1)
    if number == call.bank.first_page:
        _spend(call, account.account_id)
    status = (call.request.query_params.get("bookingStatus") or "").lower()
    if status not in BOOKING_STATUSES:
        raise Refusal(400, "FORMAT_ERROR", "bookingStatus is booked, pending or both")
    days = _history_days(call, consent, account, is_first_page=number == call.bank.first_page)
    date_from, date_to = _period(call, status, days)
    index = number - call.bank.first_page
    report: JSON = {}
    pages = 1
    if status != "pending":
        rows = call.simulator.world.booked(account, date_from, date_to)[::-1]
        pages = max(1, -(-len(rows) // call.bank.page_size))
        if index >= pages:
            raise Refusal(400, "PARAMETER_NOT_CONSISTENT", "there is no such page")
        shown = rows[index * call.bank.page_size : (index + 1) * call.bank.page_size]
        report["booked"] = _rows(call, consent, account, shown, is_pending=False)
    if status != "booked":
        pending = call.simulator.world.pending(account) if index == 0 and call.bank.gives_pending else []
        report["pending"] = _rows(call, consent, account, pending[::-1], is_pending=True)
    report["_links"] = _page_links(call, consent, account, number, pages)
    return Answer(body={"account": _reference(account), "transactions": report})


def _valid_consent(call: BankCall) -> Consent:
    call.require_request_id()
    known = call.simulator.consents.access_token(call.bearer or "")
    if known is None:
        raise Refusal(401, "TOKEN_INVALID", "the access token is missing or not known")
    consent_id = call.header("Consent-ID") if call.bank.names_consent else known.consent_id
    if consent_id is None:
        raise Refusal(400, "FORMAT_ERROR", "Consent-ID is missing")
    consent = call.simulator.consents.find(call.bank.bank_id, consent_id)
    if consent is None:
        raise Refusal(403, "CONSENT_UNKNOWN", "no such consent at this bank")
    if known.consent_id != consent_id:
        raise Refusal(401, "TOKEN_INVALID", "the access token belongs to another consent")
    _refuse_ended(call, consent)
    if known.expires_at <= call.simulator.clock.now.astimezone(UTC):
        raise Refusal(401, "TOKEN_EXPIRED", "the access token has run out")
    return consent


def _refuse_ended(call: BankCall, consent: Consent) -> None:
    status = call.simulator.consents.status(consent)
    if status == "expired":
        raise Refusal(401, "CONSENT_EXPIRED", "the consent has run out")
    if status != "valid":
        raise Refusal(401, "CONSENT_INVALID", "the consent is not valid")


def _strike(call: BankCall, consent: Consent, *, account_id: str | None = None, page: int | None = None) -> None:
    call.strike(account_id=account_id, page=page)
    if first(call.faults, FaultKind.CONSENT_EXPIRED):
        call.simulator.consents.set_status(consent, "expired")
    if first(call.faults, FaultKind.CONSENT_REVOKED):
        call.simulator.consents.set_status(consent, "revokedByPsu")
    _refuse_ended(call, consent)


def _accounts(call: BankCall, consent: Consent, right: str) -> list[SimulatedAccount]:
    covered = consent.account_ids.get(right, frozenset())
    return [account for account in call.simulator.world.accounts if account.account_id in covered]


def _addressed(call: BankCall, consent: Consent, right: str, *, page: int | None = None) -> SimulatedAccount:
    resource_id = call.request.path_params["resource_id"]
    visible = _accounts(call, consent, "accounts")
    account = next((item for item in visible if consent.resource_id(item) == resource_id), None)
    _strike(call, consent, account_id=account.account_id if account else None, page=page)
    if account is None:
        raise Refusal(404, "RESOURCE_UNKNOWN", "no such account in this consent")
    if account not in _accounts(call, consent, right):
        raise Refusal(401, "CONSENT_INVALID", f"the consent does not cover {right} of this account")
    return account


def _spend(call: BankCall, account_id: str) -> None:
    is_attended = call.header("PSU-IP-Address") is not None
    if not is_attended and not call.simulator.consents.spend_call(call.bank, account_id, call.endpoint):
        raise Refusal(429, "ACCESS_EXCEEDED", "no more reads without the PSU within 24 hours")


def _wants_balances(call: BankCall) -> bool:
    return (call.request.query_params.get("withBalance") or "").lower() == "true"


def _page_number(call: BankCall) -> int:
    text = call.request.query_params.get("page", str(call.bank.first_page))
    if not (text.isascii() and text.isdigit()) or int(text) < call.bank.first_page:
        raise Refusal(400, "FORMAT_ERROR", "page is a number")
    return int(text)


def _history_days(call: BankCall, consent: Consent, account: SimulatedAccount, *, is_first_page: bool) -> int:
    """How far back this list reaches; the pages of a list reach as far as its first."""
    usual, once = call.bank.history_days, call.bank.history_once_days
    if once is None:
        return usual
    if call.bank.gives_history_with_first_token:
        token = call.simulator.consents.access_token(call.bearer or "")
        return once if token is not None and token.is_first else usual
    if is_first_page:
        consent.reach_days[account.account_id] = usual if account.account_id in consent.reach_days else once
    return consent.reach_days.get(account.account_id, usual)


def _period(call: BankCall, status: str, history_days: int) -> tuple[date, date]:
    query, today = call.request.query_params, call.simulator.clock.today
    if "dateFrom" not in query and status != "pending":
        raise Refusal(400, "FORMAT_ERROR", "dateFrom is missing")
    try:
        date_from = date.fromisoformat(query.get("dateFrom", today.isoformat()))
        date_to = date.fromisoformat(query.get("dateTo", today.isoformat()))
    except ValueError as error:
        raise Refusal(400, "FORMAT_ERROR", "dateFrom and dateTo are dates") from error
    if date_to < date_from:
        raise Refusal(400, "PERIOD_INVALID", "dateTo lies before dateFrom")
    oldest = today - timedelta(days=history_days)
    if date_from < oldest and call.bank.refuses_longer_history:
        raise Refusal(400, "PERIOD_INVALID", f"the history has {history_days} days")
    return max(date_from, oldest), date_to


def _account(call: BankCall, consent: Consent, account: SimulatedAccount, *, with_balances: bool) -> JSON:
    href = f"{call.api}/accounts/{consent.resource_id(account)}"
    body: JSON = {"resourceId": consent.resource_id(account), "name": account.name, "bic": account.bic}
    if with_balances and account in _accounts(call, consent, "balances"):
        body["balances"] = _balances(call, account)
    body |= {
        "currency": account.currency,
        "ownerName": holder_name(call, account),
        "cashAccountType": account.cash_account_type,
        "usage": "ORGA",
        **_identification(account),
        "_links": {
            "account": {"href": href},
            "balances": {"href": f"{href}/balances"},
            "transactions": {"href": f"{href}/transactions"},
        },
        "product": account.product,
    }
    return _without_fields(call, body)


def holder_name(call: BankCall, account: SimulatedAccount) -> str:
    """Whom the bank names as the holder: its company, unless a fault says another."""
    other = first(call.faults, FaultKind.OTHER_HOLDER)
    return str(other.params.get("name", "Verhelst Astrid")) if other else company(account.company_id).name


def _identification(account: SimulatedAccount) -> JSON:
    return {"iban": account.iban} if account.iban else {"maskedPan": account.masked_pan}


def _reference(account: SimulatedAccount) -> JSON:
    return {**_identification(account), "currency": account.currency}


def _balances(call: BankCall, account: SimulatedAccount) -> list[JSON]:
    world, clock = call.simulator.world, call.simulator.clock
    yesterday = clock.today - timedelta(days=1)
    wrong = first(call.faults, FaultKind.WRONG_BALANCE)
    off = Decimal(wrong.params["amount"]) if wrong else Decimal("0.00")
    known = {
        CLOSING_BOOKED: (world.balance(account, yesterday), yesterday),
        INTERIM_BOOKED: (world.balance(account), clock.today),
        EXPECTED: (world.expected_balance(account), clock.today),
        INTERIM_AVAILABLE: (world.expected_balance(account), clock.today),
    }
    stamp = clock.now.replace(microsecond=0)
    changed_at = stamp.isoformat() if call.bank.has_offset_in_timestamps else stamp.replace(tzinfo=None).isoformat()
    balances = []
    for kind in call.bank.balance_types:
        amount, day = known[kind]
        body: JSON = {
            "balanceAmount": {"currency": account.currency, "amount": f"{amount + off:.2f}"},
            "balanceType": kind,
            "referenceDate": day.isoformat(),
        }
        if kind != CLOSING_BOOKED:
            body["lastChangeDateTime"] = changed_at
        balances.append(_without_fields(call, body))
    return balances


def _rows(
    call: BankCall, consent: Consent, account: SimulatedAccount, rows: Sequence[Row], *, is_pending: bool
) -> list[JSON]:
    changing = first(call.faults, FaultKind.CHANGING_IDS)
    salt = f"{changing.fault_id}-{changing.used}" if changing else ""
    href = f"{call.api}/accounts/{consent.resource_id(account)}/transactions"
    bodies = []
    for row in rows:
        transaction_id = row.transaction_id(is_pending=is_pending and not call.bank.has_lasting_ids, salt=salt)
        body = _row(call, row, transaction_id, is_pending=is_pending)
        body["_links"] = {"transactionDetails": {"href": f"{href}/{transaction_id}"}}
        bodies.append(_without_fields(call, body))
    if not is_pending and bodies and first(call.faults, FaultKind.DUPLICATED_ROW):
        bodies.insert(1, bodies[0])
    return bodies


def _row(call: BankCall, row: Row, transaction_id: str, *, is_pending: bool) -> JSON:
    body: JSON = {"transactionId": transaction_id}
    if row.end_to_end_id:
        body["endToEndId"] = row.end_to_end_id
    if not is_pending:
        body["bookingDate"] = row.booking_date.isoformat()
        if row.value_date is not None:
            body["valueDate"] = row.value_date.isoformat()
    body["transactionAmount"] = {"currency": row.currency, "amount": f"{row.amount:.2f}"}
    side = "creditor" if row.amount < 0 else "debtor"
    if row.code == "PMNT-RDDT-UPDD":
        side = "creditor"  # A refunded collection still names who collected.
    if row.counterparty is not None:
        body[f"{side}Name"] = row.counterparty.name
        if row.counterparty.iban is not None:
            body[f"{side}Account"] = {"iban": row.counterparty.iban}
        if row.counterparty.bic is not None:
            body[f"{side}Agent"] = row.counterparty.bic
    body |= _remittance(call, row, is_pending=is_pending)
    optional: JSON = {
        "mandateId": row.mandate_id,
        "creditorId": row.creditor_id,
        "purposeCode": row.purpose,
        "bankTransactionCode": None if is_pending else row.code,
    }
    if row.batch_count is not None:
        optional |= {"batchIndicator": True, "batchNumberOfTransactions": row.batch_count}
    if row.exchange is not None and not is_pending:
        optional["currencyExchange"] = [
            {
                "sourceCurrency": row.exchange.currency,
                "exchangeRate": row.exchange.rate,
                "unitCurrency": row.currency,
                "targetCurrency": row.currency,
                "quotationDate": (row.value_date or row.booking_date).isoformat(),
            }
        ]
    return body | {name: value for name, value in optional.items() if value is not None}


def _remittance(call: BankCall, row: Row, *, is_pending: bool) -> JSON:
    if row.structured is not None:
        if call.bank.has_plain_structured_text:
            return {"remittanceInformationStructured": row.structured}
        issuer = "ISO" if row.structured.startswith("RF") else "BBA"
        reference = {"reference": row.structured, "referenceType": "SCOR", "referenceIssuer": issuer}
        return {"remittanceInformationStructured": reference}
    texts = (row.pending_text,) if is_pending and row.pending_text else row.texts
    if len(texts) > 1:
        return {"remittanceInformationUnstructuredArray": list(texts)}
    return {"remittanceInformationUnstructured": texts[0]} if texts else {}


def _without_fields(call: BankCall, body: JSON) -> JSON:
    fault = first(call.faults, FaultKind.MISSING_FIELDS)
    if fault is None:
        return body
    gone = fault.params.get("fields", ["transactionId", "valueDate"])
    return {name: value for name, value in body.items() if name not in gone}


def _page_links(call: BankCall, consent: Consent, account: SimulatedAccount, number: int, pages: int) -> JSON:
    own = f"{call.api}/accounts/{consent.resource_id(account)}"
    query = {name: value for name, value in call.request.query_params.items() if name != "page"}

    def page(target: int, base: str = own) -> JSON:
        return {"href": f"{base}/transactions?{urlencode(query | {'page': str(target)})}"}

    last = call.bank.first_page + pages - 1
    links = {"first": page(call.bank.first_page), "last": page(last), "account": {"href": own}}
    links |= {"balances": {"href": f"{own}/balances"}, "transactions": {"href": f"{own}/transactions"}}
    foreign = first(call.faults, FaultKind.FOREIGN_NEXT_LINK)
    if foreign is not None:
        host = foreign.params.get("host", "attacker.example")
        links["next"] = page(number + 1, f"https://{host}/berlingroup/v1/accounts/{consent.resource_id(account)}")
    elif first(call.faults, FaultKind.REPEATED_NEXT_LINK):
        links["next"] = page(number)
    elif number < last:
        links["next"] = page(number + 1)
    return links

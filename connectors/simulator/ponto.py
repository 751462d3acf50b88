"""Ponto as the simulated banks' aggregator: accounts, rows by cursor and synchronisations, as JSON:API.

Routes, below `/{bank_id}/ponto-connect` (partner) or `/{bank_id}` (custom integration): `GET /accounts[/{id}]` and
`DELETE /accounts/{id}`,
`…/transactions`, `…/pending-transactions`, `GET /financial-institutions/{id}`, `POST /synchronizations`,
`GET /synchronizations/{id}[/updated-transactions]`. Tokens, pages and webhooks are in `ponto_access`.

Rows come newest first; `page[after]` is the id of a row and leads to older ones, and a page may hold fewer rows than
asked for. Balances and rows are those of Ponto's copy: what the account's bank showed when it was last read.
Source: Ponto Connect, API version 2.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from starlette.routing import Route

from connectors.simulator.account_data import holder_name
from connectors.simulator.calls import JSON, Answer, BankCall, Refusal
from connectors.simulator.companies import SimulatedAccount
from connectors.simulator.consents import Consent
from connectors.simulator.faults import FaultKind, first
from connectors.simulator.ponto_book import RecentlySynchronised, Synchronisation, uuid_of
from connectors.simulator.ponto_calls import (
    account_uuid,
    accounts_of,
    addressed,
    attributes_of,
    created,
    errors_of,
    known,
    route,
    session,
    stamp,
    strike,
)
from connectors.simulator.rows import Row

BRUSSELS: Final = ZoneInfo("Europe/Brussels")
SUBTYPES: Final = {"CACC": "checking", "SVGS": "savings", "CARD": "card"}
SYNCHRONISED: Final = frozenset({"accountDetails", "accountTransactions", "accountTransactionsWithUnsettled"})
_PAGE_MAX: Final = 100
_RENAMED: Final = {"transactionId": "id", "bookingDate": "executionDate", "transactionAmount": "amount"}


def routes() -> list[Route]:
    """The routes of account data and synchronisations."""
    account, synchronisation = "/accounts/{resource_id}", "/synchronizations/{synchronisation_id}"
    return [
        *route("/accounts", "accounts", list_accounts),
        *route(account, "balances", read_account),
        *route(account, "account_delete", remove_account, "DELETE"),
        *route(f"{account}/transactions", "transactions", list_transactions),
        *route(f"{account}/pending-transactions", "pending", list_pending),
        *route("/financial-institutions/{institution_id}", "metadata", read_institution),
        *route("/synchronizations", "synchronise", start_synchronisation, "POST"),
        *route(synchronisation, "synchronisation", read_synchronisation),
        *route(f"{synchronisation}/updated-transactions", "updated", list_updated),
    ]


# Accounts


def list_accounts(call: BankCall) -> Answer:
    """Every account the PSU chose."""
    consent = session(call)
    strike(call, consent)
    return Answer(body=_listed(call, [_account(call, consent, one) for one in accounts_of(call, consent)], "/accounts"))


def read_account(call: BankCall) -> Answer:
    """One account with its balances."""
    consent = session(call)
    return Answer(body={"data": _account(call, consent, addressed(call, consent))})


def remove_account(call: BankCall) -> Answer:
    """Take the account out of this integration; it stays at Ponto."""
    consent = session(call)
    account = addressed(call, consent)
    found = account_uuid(call.simulator, consent, account)
    call.simulator.ponto.remove(consent.consent_id, account.account_id)
    return Answer(body={"data": {"type": "account", "id": found}})


def read_institution(call: BankCall) -> Answer:
    """The bank of an account."""
    institution = call.request.path_params["institution_id"]
    if institution != uuid_of(call.bank.bic):
        raise Refusal(404, "RESOURCE_UNKNOWN", "no such financial institution")
    attributes: JSON = {"name": call.bank.name, "bic": call.bank.bic, "country": "BE", "status": "stable"}
    attributes |= {"paymentsEnabled": True, "bulkPaymentsEnabled": True, "futureDatedPaymentsAllowed": True}
    return Answer(body={"data": {"type": "financialInstitution", "id": institution, "attributes": attributes}})


def _account(call: BankCall, consent: Consent, account: SimulatedAccount) -> JSON:
    world, book = call.simulator.world, call.simulator.ponto
    wrong = first(call.faults, FaultKind.WRONG_BALANCE)
    off = Decimal(wrong.params["amount"]) if wrong else Decimal("0.00")
    copied = copied_at(call, consent, account)
    end, now = book.end_of(consent.consent_id, account.account_id, consent.valid_until), stamp(copied)
    attributes: JSON = {
        "subtype": SUBTYPES.get(account.cash_account_type, "psp"),
        "reference": account.iban or account.masked_pan,
        "referenceType": "IBAN" if account.iban else "MASKEDPAN",
        "currency": account.currency,
        "description": account.name,
        "product": account.product,
        "holderName": holder_name(call, account),
        "currentBalance": f"{world.balance(account, as_of=copied) + off:.2f}",
        "currentBalanceChangedAt": now,
        "currentBalanceReferenceDate": now,
        "availableBalance": f"{world.expected_balance(account, as_of=copied) + off:.2f}",
        "availableBalanceReferenceDate": now,
        "authorizedAt": stamp(consent.created_at),
        "authorizationExpirationExpectedAt": stamp(datetime.combine(end, time(9, 30), BRUSSELS)),
        "deprecated": False,
    }
    own = f"{call.api}/accounts/{account_uuid(call.simulator, consent, account)}"
    return _without_fields(
        call,
        {
            "type": "account",
            "id": account_uuid(call.simulator, consent, account),
            "attributes": attributes,
            "meta": {"availability": "available", **_freshness(call, consent, account)},
            "relationships": {
                "financialInstitution": {"data": {"type": "financialInstitution", "id": uuid_of(account.bic)}},
                "transactions": {"links": {"related": f"{own}/transactions", "meta": {"type": "transaction"}}},
            },
        },
    )


def copied_at(call: BankCall, consent: Consent, account: SimulatedAccount) -> datetime:
    """The moment of which the copy of this account speaks."""
    return call.simulator.ponto.copied_at(consent.consent_id, account.account_id, consent.created_at)


def _freshness(call: BankCall, consent: Consent, account: SimulatedAccount) -> JSON:
    """When the account's bank was read last, and how the last try ended."""
    book, code = call.simulator.ponto, call.simulator.ponto.failure(account.account_id)
    tried = stamp(book.tried_at(consent.consent_id, account.account_id, consent.created_at))
    latest = {
        "type": "synchronization",
        "id": uuid_of(f"latest|{account.account_id}"),
        "attributes": {
            "status": "success" if code is None else "error",
            "errors": errors_of(code),
            "createdAt": tried,
            "updatedAt": tried,
        },
    }
    return {"synchronizedAt": stamp(copied_at(call, consent, account)), "latestSynchronization": latest}


# Rows


def list_transactions(call: BankCall) -> Answer:
    """One page of settled rows."""
    consent = session(call)
    account = addressed(call, consent, is_struck=False)
    rows = call.simulator.world.booked(account, as_of=copied_at(call, consent, account))[::-1]
    size, start = _page(call, rows)
    strike(call, consent, account_id=account.account_id, page=start // size + 1)
    changing = first(call.faults, FaultKind.CHANGING_IDS)
    salt = f"{changing.fault_id}-{changing.used}" if changing else ""
    shown = rows[start : start + size]
    bodies = [_without_fields(call, _row(row, salt=salt)) for row in shown]
    if bodies and first(call.faults, FaultKind.DUPLICATED_ROW):
        bodies.insert(1, bodies[0])
    own = f"{call.api}/accounts/{account_uuid(call.simulator, consent, account)}/transactions"
    paging: JSON = {"limit": size}
    links = {"first": f"{own}?page[limit]={size}"}
    if start:
        paging["before"] = row_uuid(shown[0]) if shown else None
    if start + size < len(rows):
        paging["after"] = row_uuid(shown[-1])
        links["next"] = f"{own}?page[after]={paging['after']}&page[limit]={size}"
    foreign = first(call.faults, FaultKind.FOREIGN_NEXT_LINK)
    if foreign is not None:
        host = foreign.params.get("host", "attacker.example")
        links["next"] = f"https://{host}/ponto-connect/transactions?page[after]=x"
    elif first(call.faults, FaultKind.REPEATED_NEXT_LINK):
        links["next"] = f"{call.api}?{call.request.url.query}"
    return Answer(
        body={"data": bodies, "meta": {"paging": paging, **_freshness(call, consent, account)}, "links": links}
    )


def list_pending(call: BankCall) -> Answer:
    """What is announced and not settled, on one page."""
    consent = session(call)
    account = addressed(call, consent)
    copied = copied_at(call, consent, account)
    pending = call.simulator.world.pending(account, as_of=copied)[::-1] if call.bank.gives_pending else []
    return Answer(body=_listed(call, [_row(row, is_pending=True) for row in pending], "/pending-transactions"))


def _row(row: Row, *, is_pending: bool = False, salt: str = "") -> JSON:
    found = row_uuid(row, is_pending=is_pending, salt=salt)
    structured = row.structured
    if structured is not None and structured.isdigit() and _is_odd(row):
        structured = f"+++{structured[:3]}/{structured[3:7]}/{structured[7:]}+++"
    text = row.pending_text if is_pending and row.pending_text else " ".join(row.texts) or None
    booked = stamp(row.booked_at)
    return {
        "type": "pendingTransaction" if is_pending else "transaction",
        "id": found,
        "attributes": {
            "amount": f"{row.amount:.2f}",
            "currency": row.currency,
            "executionDate": _midnight(row.booking_date, row),
            "valueDate": None if row.value_date is None else _midnight(row.value_date, row),
            "counterpartName": row.counterparty.name if row.counterparty else None,
            "counterpartReference": row.counterparty.iban if row.counterparty else None,
            "remittanceInformation": text if row.structured is None else structured,
            "remittanceInformationType": "unstructured" if row.structured is None else "structured",
            "description": None,
            "additionalInformation": None,
            "bankTransactionCode": None if is_pending else row.code,
            "proprietaryBankTransactionCode": None,
            "endToEndId": row.end_to_end_id,
            "purposeCode": row.purpose,
            "mandateId": row.mandate_id,
            "creditorId": row.creditor_id,
            "internalReference": row.transaction_id(is_pending=is_pending, salt=salt),
            "fee": None,
            "createdAt": booked,
            "updatedAt": booked,
        },
    }


def _page(call: BankCall, rows: Sequence[Row]) -> tuple[int, int]:
    """How many rows the page holds, and with which one it starts."""
    query = call.request.query_params
    asked = query.get("page[limit]", query.get("limit", "10"))
    if not (asked.isascii() and asked.isdigit() and 1 <= int(asked) <= _PAGE_MAX):
        raise Refusal(400, "invalidParameter", "the limit is between 1 and 100")
    size, cursor = min(int(asked), call.bank.page_size), query.get("page[after]", query.get("after"))
    if cursor is None:
        return size, 0
    place = next((number for number, row in enumerate(rows) if row_uuid(row) == cursor), None)
    if place is None:
        raise Refusal(400, "invalidParameter", "no such cursor")
    return size, place + 1


def row_uuid(row: Row, *, is_pending: bool = False, salt: str = "") -> str:
    """Ponto's id of a row; a pending one gets another when it is settled."""
    return uuid_of(row.transaction_id(is_pending=is_pending, salt=salt))


def _is_odd(row: Row) -> bool:
    """Half the rows are written the one way, half the other."""
    return int(row.transaction_id()) % 2 == 1


def _midnight(day: date, row: Row) -> str:
    """A day as an instant: midnight UTC or, as some banks give it, midnight in Brussels."""
    return stamp(datetime.combine(day, time(0), BRUSSELS if _is_odd(row) else UTC))


def _without_fields(call: BankCall, body: JSON) -> JSON:
    fault = first(call.faults, FaultKind.MISSING_FIELDS)
    if fault is None:
        return body
    gone = {_RENAMED.get(name, name) for name in fault.params.get("fields", ["transactionId", "valueDate"])}
    kept = {name: value for name, value in body["attributes"].items() if name not in gone}
    return {name: value for name, value in {**body, "attributes": kept}.items() if name not in gone}


def _listed(call: BankCall, bodies: list[JSON], path: str) -> JSON:
    links = {"first": f"{call.api}{path}?page[limit]={_PAGE_MAX}"}
    return {"data": bodies, "meta": {"paging": {"limit": _PAGE_MAX}}, "links": links}


# Synchronisations


def start_synchronisation(call: BankCall) -> Answer:
    """Begin to read an account's bank, in the name of the person whose address is given."""
    consent = session(call)
    strike(call, consent)
    wish = attributes_of(call, "synchronization")
    if wish.get("resourceType") != "account" or wish.get("subtype") not in SYNCHRONISED:
        raise Refusal(400, "invalidAttribute", "resourceType or subtype")
    try:
        ipaddress.ip_address(str(wish.get("customerIpAddress")))
    except ValueError as error:
        raise Refusal(400, "missingAttribute", "customerIpAddress") from error
    account = known(call, consent, str(wish.get("resourceId")))
    try:
        begun = call.simulator.ponto.synchronise(
            consent.consent_id, account.account_id, str(wish["subtype"]), consent.created_at
        )
    except RecentlySynchronised as error:
        raise Refusal(400, "accountRecentlySynchronized", "asked for a short while ago") from error
    return created(call, {"data": _synchronisation(call, consent, account, begun)})


def read_synchronisation(call: BankCall) -> Answer:
    """How far it is."""
    consent = session(call)
    found, account = _begun(call, consent)
    found.looks += 1
    return Answer(body={"data": _synchronisation(call, consent, account, found)})


def list_updated(call: BankCall) -> Answer:
    """The rows it brought."""
    consent = session(call)
    found, account = _begun(call, consent)
    booked = call.simulator.world.booked(account, as_of=found.created_at)[::-1]
    rows = [row for row in booked if row.booked_at > found.since] if found.status == "success" else []
    return Answer(body=_listed(call, [_row(row) for row in rows], "/updated-transactions"))


def _begun(call: BankCall, consent: Consent) -> tuple[Synchronisation, SimulatedAccount]:
    found = call.simulator.ponto.synchronisation(call.request.path_params["synchronisation_id"])
    if found is None or found.consent_id != consent.consent_id:
        raise Refusal(404, "RESOURCE_UNKNOWN", "no such synchronisation")
    return found, call.simulator.world.account(found.account_id)


def _synchronisation(call: BankCall, consent: Consent, account: SimulatedAccount, found: Synchronisation) -> JSON:
    related = f"https://elsewhere.example/synchronizations/{found.synchronisation_id}/updated-transactions"
    return {
        "type": "synchronization",
        "id": found.synchronisation_id,
        "attributes": {
            "resourceType": "account",
            "resourceId": account_uuid(call.simulator, consent, account),
            "subtype": found.subtype,
            "status": found.status,
            "errors": errors_of(found.code) if found.status == "error" else [],
            "createdAt": stamp(found.created_at),
            "updatedAt": stamp(call.simulator.clock.now),
        },
        # The real one was seen to name another host as well.
        "relationships": {"updatedTransactions": {"links": {"related": related, "meta": {"type": "transaction"}}}},
    }

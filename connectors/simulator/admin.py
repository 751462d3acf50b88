"""The control desk: a JSON API at `/sim/api`, for loopback callers only; `desk_page` is the same for a person.

- `GET /sim/api/clock`: `{"now", "today"}`; `POST` moves it forward by `{"days", "hours", "minutes"}` or to `{"now"}`
- `GET /sim/api/world`: banks, holders, accounts with balances
- `GET /sim/api/accounts/{iban}/days?date_from=&date_to=`: totals and balances per day
- `GET /sim/api/accounts/{iban}/transactions?date_from=&date_to=`: booked and pending rows, as the bank knows them
- `POST /sim/api/accounts/{iban}/transactions`: book one more; `{"amount": "-12.50"}` and, all optional, `booking_date`,
  `value_date`, `counterparty_name`, `counterparty_iban`, `counterparty_bic`, `text`, `structured_reference`,
  `end_to_end_id`, `code`; answers 201 and the row
- `GET /sim/api/faults`: kinds and orders; `POST` orders one: `{"kind", "bank_id", "account", "endpoint", "page",
  "times", "params": {…}}`; `DELETE /sim/api/faults[/{id}]` takes back one or all
- `GET /sim/api/consents`: every consent and its status; `POST /sim/api/consents/{id}/revocation`: the PSU revokes it;
  `POST /sim/api/consents/{id}/signature`: the second signatory of an ordered `joint_signature` signs
- `GET /sim/api/payments`, `POST /sim/api/payments/{id}/signature`: in `admin_payments`
- `POST /sim/api/reset`: everything back to the start

A body is `application/json` and a call from a web page of another origin is refused, so no page elsewhere can use it.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.simulator.companies import Party, SimulatedAccount, company
from connectors.simulator.consents import OPEN, Consent
from connectors.simulator.faults import DESCRIPTIONS, ENDPOINTS, Fault, FaultOrderInvalid
from connectors.simulator.rows import Row
from connectors.simulator.simulator import Simulator

JSON = dict[str, Any]
LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})


class NotPossible(Exception):
    """The control desk refuses; the message says why."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class DeskCall:
    """One call of the control desk, with its body as JSON object or form."""

    simulator: Simulator
    request: Request
    body: JSON


Handler = Callable[[DeskCall], Response]


def routes() -> list[Route]:
    """The routes of the control desk."""
    account = "/sim/api/accounts/{account_id}"
    return [
        Route("/sim/api/clock", guarded(_read_clock), methods=["GET"]),
        Route("/sim/api/clock", guarded(_move_clock), methods=["POST"]),
        Route("/sim/api/world", guarded(_read_world), methods=["GET"]),
        Route(account + "/days", guarded(_read_days), methods=["GET"]),
        Route(account + "/transactions", guarded(_read_rows), methods=["GET"]),
        Route(account + "/transactions", guarded(_book), methods=["POST"]),
        Route("/sim/api/faults", guarded(_list_faults), methods=["GET"]),
        Route("/sim/api/faults", guarded(_order_fault), methods=["POST"]),
        Route("/sim/api/faults", guarded(_clear_faults), methods=["DELETE"]),
        Route("/sim/api/faults/{fault_id}", guarded(_clear_faults), methods=["DELETE"]),
        Route("/sim/api/consents", guarded(_list_consents), methods=["GET"]),
        Route("/sim/api/consents/{consent_id}/revocation", guarded(_revoke), methods=["POST"]),
        Route("/sim/api/consents/{consent_id}/signature", guarded(_sign), methods=["POST"]),
        Route("/sim/api/reset", guarded(_reset), methods=["POST"]),
    ]


def guarded(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Admit loopback callers only, read the body, and turn refusals into answers."""

    async def serve(request: Request) -> Response:
        try:
            _admit(request)
            return handler(DeskCall(request.app.state.simulator, request, _body(request, await request.body())))
        except NotPossible as error:
            return JSONResponse({"error": str(error)}, error.status)
        except (FaultOrderInvalid, ValueError) as error:
            return JSONResponse({"error": str(error)}, 400)

    return serve


def _admit(request: Request) -> None:
    try:
        is_local = request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        is_local = False
    if not is_local or request.url.hostname not in LOCAL_NAMES:
        raise NotPossible("the control desk is for this machine only", 403)
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise NotPossible("a page of another origin may not use the control desk", 403)


def _body(request: Request, content: bytes) -> JSON:
    if not content:
        return {}
    if not request.url.path.startswith("/sim/api/"):
        return {name: values[0] for name, values in parse_qs(content.decode("utf-8", "replace")).items()}
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise NotPossible("the body must be application/json", 415)
    value = json.loads(content, parse_float=Decimal)
    if not isinstance(value, dict):
        raise NotPossible("the body must be a JSON object")
    return value


def _read_clock(call: DeskCall) -> Response:
    return JSONResponse(_clock(call.simulator))


def _move_clock(call: DeskCall) -> Response:
    if "now" in call.body:
        call.simulator.clock.set(datetime.fromisoformat(str(call.body["now"])))
    else:
        steps = {unit: number(call.body, unit, 0) for unit in ("days", "hours", "minutes")}
        if any(step < 0 for step in steps.values()) or not any(steps.values()):
            raise NotPossible("days, hours or minutes above zero are expected, or now")
        call.simulator.clock.advance(**steps)
    return JSONResponse(_clock(call.simulator))


def _read_world(call: DeskCall) -> Response:
    base = str(call.request.base_url).rstrip("/")
    banks = [
        {
            "bank_id": bank.bank_id,
            "name": bank.name,
            "bic": bank.bic,
            "base_url": f"{base}/{bank.bank_id}{bank.api_path}",
            "balance_types": list(bank.balance_types),
            "holders": [holder.holder_id for holder in call.simulator.world.holders_at(bank.bank_id)],
        }
        for bank in call.simulator.banks.values()
    ]
    holders = [
        {
            "holder_id": holder.holder_id,
            "name": holder.name,
            "language": holder.language,
            "company": company(holder.company_id).name,
            "enterprise_number": company(holder.company_id).enterprise_number,
        }
        for holder in call.simulator.world.holders
    ]
    accounts = [_account(call.simulator, account) for account in call.simulator.world.accounts]
    answer = _clock(call.simulator) | {
        "seed": call.simulator.config.seed,
        "history_from": call.simulator.world.start.isoformat(),
    }
    return JSONResponse(answer | {"banks": banks, "holders": holders, "accounts": accounts})


def _read_days(call: DeskCall) -> Response:
    account = _addressed(call.simulator, call.request)
    first, last = _period(call.simulator, call.request)
    days = [
        {
            "date": total.day.isoformat(),
            "opening_balance": str(total.opening_balance),
            "transactions": total.rows,
            "total": str(total.total),
            "closing_balance": str(total.closing_balance),
        }
        for total in call.simulator.world.day_totals(account, first, last)
    ]
    return JSONResponse({"iban": account.iban, "currency": account.currency, "days": days})


def _read_rows(call: DeskCall) -> Response:
    account = _addressed(call.simulator, call.request)
    first, last = _period(call.simulator, call.request)
    booked = [_row(row, is_pending=False) for row in call.simulator.world.booked(account, first, last)]
    pending = [_row(row, is_pending=True) for row in call.simulator.world.pending(account)]
    return JSONResponse({"iban": account.iban, "booked": booked, "pending": pending})


def _book(call: DeskCall) -> Response:
    account = _addressed(call.simulator, call.request)
    try:
        amount = Decimal(str(call.body["amount"]))
    except (KeyError, InvalidOperation) as error:
        raise NotPossible('amount is a decimal number as text, such as "-12.50"') from error
    counterparty = None
    if call.body.get("counterparty_name") or call.body.get("counterparty_iban"):
        counterparty = Party(
            str(call.body.get("counterparty_name") or ""),
            text(call.body, "counterparty_iban", blanks=False),
            text(call.body, "counterparty_bic", blanks=False),
        )
    wording = text(call.body, "text")
    row = call.simulator.world.book(
        account,
        amount,
        booking_date=_date(call.body, "booking_date"),
        value_date=_date(call.body, "value_date"),
        counterparty=counterparty,
        texts=() if wording is None else tuple(wording[start : start + 140] for start in range(0, len(wording), 140)),
        structured=text(call.body, "structured_reference", blanks=False),
        end_to_end_id=text(call.body, "end_to_end_id"),
        code=text(call.body, "code"),
    )
    return JSONResponse(_row(row, is_pending=row.is_pending(call.simulator.clock.now)), 201)


def _list_faults(call: DeskCall) -> Response:
    kinds = {kind.value: text for kind, text in DESCRIPTIONS.items()}
    orders = [_fault(fault) for fault in call.simulator.faults.listing()]
    return JSONResponse({"kinds": kinds, "endpoints": list(ENDPOINTS), "faults": orders})


def _order_fault(call: DeskCall) -> Response:
    params = call.body.get("params") or {}
    if not isinstance(params, dict):
        raise NotPossible("params is an object")
    fault = call.simulator.faults.order(
        str(call.body.get("kind")),
        bank_id=text(call.body, "bank_id"),
        account=text(call.body, "account"),
        endpoint=text(call.body, "endpoint"),
        page=None if call.body.get("page") is None else number(call.body, "page", 1),
        times=None if "times" in call.body and call.body["times"] is None else number(call.body, "times", 1),
        **params,
    )
    return JSONResponse(_fault(fault), 201)


def _clear_faults(call: DeskCall) -> Response:
    fault_id = call.request.path_params.get("fault_id")
    cleared = call.simulator.faults.clear(fault_id)
    if fault_id is not None and not cleared:
        raise NotPossible("no such fault", 404)
    return JSONResponse({"cleared": cleared})


def _list_consents(call: DeskCall) -> Response:
    return JSONResponse({"consents": [_consent(item) for item in call.simulator.consents.listing()]})


def _revoke(call: DeskCall) -> Response:
    return JSONResponse(_consent(revoke_consent(call)))


def _sign(call: DeskCall) -> Response:
    return JSONResponse(_consent(sign_consent(call)))


def revoke_consent(call: DeskCall) -> Consent:
    """The PSU takes the consent in the path back; raises `NotPossible` for one that has ended."""
    consent = _known_consent(call)
    if consent.status not in OPEN:
        raise NotPossible(f"the consent is {consent.status} already", 409)
    call.simulator.consents.set_status(consent, "revokedByPsu")
    return consent


def sign_consent(call: DeskCall) -> Consent:
    """The second signatory signs the consent in the path; raises `NotPossible` for one that waits for nobody."""
    consent = _known_consent(call)
    if consent.status != "partiallyAuthorised":
        raise NotPossible(f"the consent waits for no second signature, it is {consent.status}", 409)
    call.simulator.consents.sign(call.simulator.banks[consent.bank_id], consent)
    return consent


def _known_consent(call: DeskCall) -> Consent:
    wanted = call.request.path_params["consent_id"]
    consent = next((item for item in call.simulator.consents.listing() if item.consent_id == wanted), None)
    if consent is None:
        raise NotPossible("no such consent", 404)
    return consent


def _reset(call: DeskCall) -> Response:
    call.simulator.reset()
    return JSONResponse(_clock(call.simulator))


def _clock(simulator: Simulator) -> JSON:
    now = simulator.clock.now
    return {"now": now.isoformat(), "today": now.date().isoformat()}


def _account(simulator: Simulator, account: SimulatedAccount) -> JSON:
    world = simulator.world
    return {
        "account_id": account.account_id,
        "iban": account.iban,
        "masked_pan": account.masked_pan,
        "bank_id": account.bank_id,
        "bic": account.bic,
        "currency": account.currency,
        "company": company(account.company_id).name,
        "name": account.name,
        "cash_account_type": account.cash_account_type,
        "opening_balance": str(account.opening_balance),
        "booked_balance": str(world.balance(account)),
        "expected_balance": str(world.expected_balance(account)),
        "booked": len(world.booked(account)),
        "pending": len(world.pending(account)),
    }


def _row(row: Row, *, is_pending: bool) -> JSON:
    return {
        "transaction_id": row.transaction_id(is_pending=is_pending),
        "status": "pending" if is_pending else "booked",
        "booking_date": row.booking_date.isoformat(),
        "value_date": row.value_date.isoformat() if row.value_date else None,
        "amount": str(row.amount),
        "currency": row.currency,
        "counterparty_name": row.counterparty.name if row.counterparty else None,
        "counterparty_iban": row.counterparty.iban if row.counterparty else None,
        "text": " ".join(row.texts) or None,
        "structured_reference": row.structured,
        "end_to_end_id": row.end_to_end_id,
        "code": row.code,
    }


def _fault(fault: Fault) -> JSON:
    return {
        "fault_id": fault.fault_id,
        "kind": fault.kind.value,
        "bank_id": fault.bank_id,
        "account": fault.account_id,
        "endpoint": fault.endpoint,
        "page": fault.page,
        "times": fault.times,
        "used": fault.used,
        "params": fault.params,
    }


def _consent(consent: Consent) -> JSON:
    return {
        "consent_id": consent.consent_id,
        "bank_id": consent.bank_id,
        "status": consent.status,
        "holder_id": consent.holder_id,
        "valid_until": consent.valid_until.isoformat(),
        "accounts": sorted(consent.account_ids.get("accounts", ())),
    }


def _addressed(simulator: Simulator, request: Request) -> SimulatedAccount:
    try:
        return simulator.world.account(request.path_params["account_id"])
    except KeyError as error:
        raise NotPossible("no such account", 404) from error


def _period(simulator: Simulator, request: Request) -> tuple[date, date]:
    query = request.query_params
    first, last = query.get("date_from"), query.get("date_to")
    return (
        date.fromisoformat(first) if first else simulator.world.start,
        date.fromisoformat(last) if last else simulator.clock.today,
    )


def text(body: JSON, name: str, *, blanks: bool = True) -> str | None:
    """A field as text, without blanks around it or, where they mean nothing, within; None when empty."""
    value = str(body.get(name) or "").strip()
    return (value if blanks else value.replace(" ", "")) or None


def _date(body: JSON, name: str) -> date | None:
    value = text(body, name)
    return None if value is None else date.fromisoformat(value)


def number(body: JSON, name: str, default: int) -> int:
    """A field as whole number; raises `ValueError` for what is none."""
    value = body.get(name)
    return default if value in (None, "") else int(str(value))

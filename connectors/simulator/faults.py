"""Faults that can be ordered at the simulated banks: per bank, account, endpoint and page, once or many times.

Four kinds of faults:
- an *answer* fault replaces or damages the answer of the next matching calls;
- a *consent* fault ends the consent of the call for good, at the moment of the call;
- an *approval* fault waits for the next PSU who approves at the bank;
- a *ledger* fault changes what the bank knows, at the moment of the order; clearing it undoes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from threading import RLock
from typing import Any

from connectors.simulator.companies import Party
from connectors.simulator.world import World


class FaultKind(StrEnum):
    """What goes wrong."""

    STATUS = "status"
    HTML = "html"
    BROKEN_JSON = "broken_json"
    NO_CONTENT = "no_content"
    SLOW = "slow"
    CUT = "cut"
    MISSING_FIELDS = "missing_fields"
    DUPLICATED_ROW = "duplicated_row"
    CHANGING_IDS = "changing_ids"
    WRONG_BALANCE = "wrong_balance"
    FOREIGN_NEXT_LINK = "foreign_next_link"
    REPEATED_NEXT_LINK = "repeated_next_link"
    CONSENT_EXPIRED = "consent_expired"
    CONSENT_REVOKED = "consent_revoked"
    JOINT_SIGNATURE = "joint_signature"
    LATE_BOOKING = "late_booking"
    VANISHED_ROW = "vanished_row"
    CHANGED_TEXT = "changed_text"
    OTHER_HOLDER = "other_holder"


APPROVAL_FAULTS = frozenset({FaultKind.JOINT_SIGNATURE})
LEDGER_FAULTS = frozenset({FaultKind.LATE_BOOKING, FaultKind.VANISHED_ROW, FaultKind.CHANGED_TEXT})

DESCRIPTIONS: Mapping[FaultKind, str] = {
    FaultKind.STATUS: "answers `status` (401, 403, 429, 500, 503 …), with `code` and `retry_after` (seconds) if given",
    FaultKind.HTML: "answers an HTML page with status 200",
    FaultKind.BROKEN_JSON: "answers 200 with JSON that stops half-way",
    FaultKind.NO_CONTENT: "answers 204 without a body",
    FaultKind.SLOW: "waits `seconds` (real time) before the answer",
    FaultKind.CUT: "cuts the connection in the middle of the body",
    FaultKind.MISSING_FIELDS: "leaves out `fields` of every row, balance or account (default transactionId, valueDate)",
    FaultKind.OTHER_HOLDER: "names `name` (default Verhelst Astrid) as the holder of an account",
    FaultKind.DUPLICATED_ROW: "gives the first booked row of the answer twice",
    FaultKind.CHANGING_IDS: "gives every row another transactionId at each call",
    FaultKind.WRONG_BALANCE: "adds `amount` (default 0.01) to every balance",
    FaultKind.FOREIGN_NEXT_LINK: "names another host (`host`, default attacker.example) in the link to the next page",
    FaultKind.REPEATED_NEXT_LINK: "links from a page to that same page",
    FaultKind.CONSENT_EXPIRED: "the consent of the call expires at the bank, for good",
    FaultKind.CONSENT_REVOKED: "the PSU has revoked the consent of the call at the bank, for good",
    FaultKind.JOINT_SIGNATURE: "the next approval needs a second signatory (`/sim/api/consents/{id}/signature`)",
    FaultKind.LATE_BOOKING: "books `amount` now with a booking date `days_back` (default 3) days ago; needs an account",
    FaultKind.VANISHED_ROW: "a booked row (`transaction_id`, default the newest) disappears; needs an account",
    FaultKind.CHANGED_TEXT: "a booked row (`transaction_id`, default the newest) gets another `text`; needs an account",
}

ENDPOINTS = (
    "consent_create",
    "consent_read",
    "consent_delete",
    "metadata",
    "token",
    "accounts",
    "balances",
    "transactions",
    "payment_create",
    "payment_read",
)

APPROVAL = "approval"
"""The moment at which the PSU approves; no endpoint, so other faults do not strike it."""

DEFAULT_STATUS_CODES = {
    400: "FORMAT_ERROR",
    401: "TOKEN_EXPIRED",
    403: "SERVICE_BLOCKED",
    404: "RESOURCE_UNKNOWN",
    429: "ACCESS_EXCEEDED",
    500: "INTERNAL_SERVER_ERROR",
    503: "SERVICE_UNAVAILABLE",
}


class FaultOrderInvalid(ValueError):
    """The order cannot be carried out; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Call:
    """What is known of a call when faults are looked up; `page` counts from 1."""

    bank_id: str
    endpoint: str
    account_id: str | None = None
    page: int | None = None


@dataclass(slots=True, kw_only=True)
class Fault:
    """One order. A None field matches everything."""

    fault_id: str
    kind: FaultKind
    bank_id: str | None = None
    account_id: str | None = None
    endpoint: str | None = None
    page: int | None = None
    times: int | None = 1
    """How many matching calls it still strikes; None: until cleared."""
    params: dict[str, Any] = field(default_factory=dict)
    used: int = 0
    row_key: str | None = None

    def matches(self, call: Call) -> bool:
        """Whether this order strikes the call."""
        is_spent = self.times is not None and self.used >= self.times
        if is_spent or self.kind in LEDGER_FAULTS or (self.kind in APPROVAL_FAULTS) != (call.endpoint == APPROVAL):
            return False
        wanted = (self.bank_id, self.endpoint, self.account_id, self.page)
        actual = (call.bank_id, call.endpoint, call.account_id, call.page)
        return all(want in (None, is_) for want, is_ in zip(wanted, actual, strict=True))


class FaultBoard:
    """The orders in force; may be used by several threads."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lock = RLock()
        self._faults: dict[str, Fault] = {}
        self._count = 0

    def order(
        self,
        kind: FaultKind | str,
        *,
        bank_id: str | None = None,
        account: str | None = None,
        endpoint: str | None = None,
        page: int | None = None,
        times: int | None = 1,
        **params: Any,
    ) -> Fault:
        """Order a fault and return it; `account` is an IBAN or masked card number, `page` counts from 1.

        Raises `FaultOrderInvalid` when kind, account, endpoint or a parameter is not known.
        """
        try:
            kind = FaultKind(kind)
            account_id = None if account is None else self._world.account(account).account_id
        except (ValueError, KeyError) as error:
            raise FaultOrderInvalid(f"not known: {error}") from error
        if endpoint is not None and endpoint not in ENDPOINTS:
            raise FaultOrderInvalid(f"endpoint is one of {', '.join(ENDPOINTS)}")
        if kind in APPROVAL_FAULTS and (account_id, endpoint, page) != (None, None, None):
            raise FaultOrderInvalid(f"{kind} takes a bank, but no account, endpoint or page")
        if times is not None and times < 1:
            raise FaultOrderInvalid("times is at least 1, or null for until cleared")
        _check_params(kind, params)
        with self._lock:
            self._count += 1
            fault = Fault(
                fault_id=f"fault-{self._count}",
                kind=kind,
                bank_id=bank_id,
                account_id=account_id,
                endpoint=endpoint,
                page=page,
                times=times,
                params=params,
            )
            if kind in LEDGER_FAULTS:
                self._change_ledger(fault)
            self._faults[fault.fault_id] = fault
            return fault

    def take(self, call: Call) -> list[Fault]:
        """The faults that strike this call; each is counted as used."""
        with self._lock:
            struck = [fault for fault in self._faults.values() if fault.matches(call)]
            for fault in struck:
                fault.used += 1
            return struck

    def listing(self) -> list[Fault]:
        """All orders, used up ones included, oldest first."""
        with self._lock:
            return list(self._faults.values())

    def clear(self, fault_id: str | None = None) -> int:
        """Take back one order or all; ledger faults are undone. Returns how many were taken back."""
        with self._lock:
            gone = [fault for fault in self._faults.values() if fault_id in (None, fault.fault_id)]
            for fault in gone:
                del self._faults[fault.fault_id]
                self._undo(fault)
            return len(gone)

    def _change_ledger(self, fault: Fault) -> None:
        if fault.account_id is None:
            raise FaultOrderInvalid(f"{fault.kind} needs an account")
        account, params = self._world.account(fault.account_id), fault.params
        try:
            if fault.kind is FaultKind.LATE_BOOKING:
                day: date = self._world.clock.today - timedelta(days=int(params.get("days_back", 3)))
                row = self._world.book(
                    account,
                    Decimal(str(params.get("amount", "-17.42"))),
                    booking_date=day,
                    counterparty=Party("Nagekomen Post BV", "BE54096727536797", "GKCCBEBB"),
                    texts=(str(params.get("text", "Correctie met vroegere boekingsdatum")),),
                )
            else:
                row = self._world.find(account, params.get("transaction_id"))
                if fault.kind is FaultKind.VANISHED_ROW:
                    self._world.hide(account, row.key)
                else:
                    self._world.change_text(account, row.key, str(params.get("text", "Gewijzigde mededeling")))
        except KeyError as error:
            raise FaultOrderInvalid(f"no booked row with id {error}") from error
        except (ValueError, ArithmeticError) as error:
            raise FaultOrderInvalid(str(error)) from error
        fault.row_key = row.key

    def _undo(self, fault: Fault) -> None:
        if fault.row_key is None or fault.account_id is None:
            return
        account = self._world.account(fault.account_id)
        if fault.kind is FaultKind.LATE_BOOKING:
            self._world.hide(account, fault.row_key)
        else:
            self._world.show(account, fault.row_key)


def first(faults: list[Fault], kind: FaultKind) -> Fault | None:
    """The first of this kind among those that struck a call."""
    return next((fault for fault in faults if fault.kind is kind), None)


def _seconds(given: object) -> int | float:
    """Seconds to wait, 0 to 300, to the millisecond; raises `FaultOrderInvalid`."""
    try:
        milliseconds = int(Decimal(str(given)) * 1000)
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise FaultOrderInvalid("seconds is a number, such as 5 or 0.5") from error
    if not 0 <= milliseconds <= 300_000:
        raise FaultOrderInvalid("seconds is between 0 and 300")
    return milliseconds / 1000 if milliseconds % 1000 else milliseconds // 1000


def _check_params(kind: FaultKind, params: dict[str, Any]) -> None:
    if kind is FaultKind.STATUS and not 400 <= int(params.setdefault("status", 500)) <= 599:
        raise FaultOrderInvalid("status is between 400 and 599")
    if kind is FaultKind.SLOW:
        params["seconds"] = _seconds(params.get("seconds", 5))
    if kind is FaultKind.WRONG_BALANCE:
        try:
            params["amount"] = str(Decimal(str(params.get("amount", "0.01"))))
        except InvalidOperation as error:
            raise FaultOrderInvalid("amount is a decimal number, such as 0.01") from error

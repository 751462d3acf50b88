"""Payments the simulated banks were asked for: signed on a page of the bank, booked on the payer's account.

A payment is booked by this book the moment its status is asked for after it was signed and its day has come, so that it
stands among the account's rows like everything else. Times are bank time.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from threading import RLock
from typing import Any, Final
from uuid import uuid4

from connectors.simulator.clock import BankClock
from connectors.simulator.companies import Party
from connectors.simulator.consents import CODE_LIFE, GrantRefused
from connectors.simulator.references import belgian_iban
from connectors.simulator.world import World

SIGNING_LIFE = timedelta(hours=1)
"""A payment nobody signed in this time is refused."""
WAITING = frozenset({"RCVD", "PATC"})
FAILURES: Final = {belgian_iban("999", "0000001"): "AC04", belgian_iban("999", "0000002"): "AM04"}
"""Creditor accounts that make a signed payment fail, with the reason: closed account, insufficient funds (API-11)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One transfer of a payment."""

    end_to_end_id: str | None
    amount: Decimal
    creditor: Party = field(repr=False)
    text: str | None = field(default=None, repr=False)
    structured: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How the PSU's browser comes to the bank's page and leaves it."""

    has_oauth: bool = True
    """False: a plain link leads to the page, and the browser comes back without a code."""
    refused_uri: str | None = field(default=None, repr=False)
    """Where it goes after a refusal, when that is another address."""
    waits_when_cancelled: bool = False
    """True: cancelling only leaves the page, and the payment can still be signed."""
    tpp_name: str = ""
    """Who asks, as the page shows it where the link does not say; empty for the bank's own name."""


OAUTH: Final = Way()


@dataclass(slots=True, kw_only=True)
class Payment:
    """One request at one bank. `status` is the stored one; ask `PaymentBook.status` for the present one."""

    payment_id: str
    authorisation_id: str
    bank_id: str
    request_id: str
    redirect_uri: str = field(repr=False)
    debtor_iban: str = field(repr=False)
    orders: tuple[Order, ...] = field(repr=False)
    day: date
    is_instant: bool
    is_batch_booked: bool
    created_at: datetime
    way: Way = OAUTH
    asked: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The request as it came, at banks that give it back with the status."""
    status: str = "RCVD"
    reason: str | None = None
    holder_id: str | None = None

    @property
    def total(self) -> Decimal:
        """The sum of its orders."""
        return sum((order.amount for order in self.orders), Decimal("0.00"))


@dataclass(slots=True, kw_only=True)
class Visit:
    """One browser at the page of one payment."""

    payment_id: str
    client_id: str
    redirect_uri: str = field(repr=False)
    state: str | None = field(repr=False)
    code_challenge: str | None = field(repr=False)
    """None where the page was opened without OAuth: the browser goes back without a code."""
    holder_id: str | None = None


@dataclass(slots=True, kw_only=True)
class _Code:
    visit: Visit
    expires_at: datetime
    is_used: bool = False


class PaymentBook:
    """All payments of all banks; may be used by several threads."""

    def __init__(
        self, clock: BankClock, world: World, new_secret: Callable[[], str] = lambda: secrets.token_urlsafe(32)
    ) -> None:
        self._clock = clock
        self._world = world
        self._new_secret = new_secret
        self._lock = RLock()
        self.reset()

    def reset(self) -> None:
        """Forget everything; rows already booked belong to the world."""
        with self._lock:
            self._payments: dict[str, Payment] = {}
            self._visits: dict[str, Visit] = {}
            self._codes: dict[str, _Code] = {}
            self._tokens: dict[str, str] = {}

    def create(
        self,
        bank_id: str,
        *,
        request_id: str,
        redirect_uri: str,
        debtor_iban: str,
        orders: tuple[Order, ...],
        day: date | None,
        is_instant: bool,
        is_batch_booked: bool,
        way: Way = OAUTH,
        asked: Mapping[str, Any] | None = None,
    ) -> Payment:
        """Record a request; the same request id again gives the payment that is there, as the guidelines want."""
        with self._lock:
            for known in self._payments.values():
                if (known.bank_id, known.request_id) == (bank_id, request_id):
                    return known
            payment = Payment(
                payment_id=str(uuid4()),
                authorisation_id=str(uuid4()),
                bank_id=bank_id,
                request_id=request_id,
                redirect_uri=redirect_uri,
                debtor_iban=debtor_iban,
                orders=orders,
                day=max(day or self._clock.today, self._clock.today),
                is_instant=is_instant,
                is_batch_booked=is_batch_booked,
                created_at=self._clock.now.astimezone(UTC),
                way=way,
                asked=asked or {},
            )
            self._payments[payment.payment_id] = payment
            return payment

    def find(self, bank_id: str, payment_id: str) -> Payment | None:
        """The payment at this bank, None when it is not known there."""
        with self._lock:
            payment = self._payments.get(payment_id)
            return payment if payment is not None and payment.bank_id == bank_id else None

    def by_authorisation(self, bank_id: str, authorisation_id: str) -> Payment | None:
        """The payment an authorisation belongs to."""
        with self._lock:
            found = (item for item in self._payments.values() if item.authorisation_id == authorisation_id)
            return next((item for item in found if item.bank_id == bank_id), None)

    def listing(self) -> list[Payment]:
        """All payments, oldest first, with the present status."""
        with self._lock:
            for payment in self._payments.values():
                self.status(payment)
            return list(self._payments.values())

    def status(self, payment: Payment) -> str:
        """The present status; a signed payment whose day has come is booked now."""
        with self._lock:
            if payment.status in WAITING and self._clock.now.astimezone(UTC) >= payment.created_at + SIGNING_LIFE:
                payment.status = "RJCT"
            elif payment.status == "ACTC" and payment.day <= self._clock.today:
                self._execute(payment)
            return payment.status

    def sign(self, payment: Payment, *, needs_second_signature: bool = False) -> None:
        """One signature: `PATC` while another is missing, else accepted."""
        with self._lock:
            payment.status = "PATC" if needs_second_signature else "ACTC"

    def refuse(self, payment: Payment, reason: str | None = None) -> None:
        """The PSU or the bank says no."""
        with self._lock:
            payment.status, payment.reason = "RJCT", reason

    def visit(self, request: Visit) -> str:
        """Remember a browser's visit; the answer is the cookie's value."""
        with self._lock:
            cookie = self._new_secret()
            self._visits[cookie] = request
            return cookie

    def visitor(self, cookie: str | None) -> Visit | None:
        """The visit this cookie belongs to."""
        with self._lock:
            return self._visits.get(cookie or "")

    def code_for(self, visit: Visit) -> str:
        """A code for the visit of a PSU who signed."""
        with self._lock:
            code = self._new_secret()
            self._codes[code] = _Code(visit=visit, expires_at=self._clock.now.astimezone(UTC) + CODE_LIFE)
            return code

    def knows_code(self, code: str) -> bool:
        """Whether this code was given for a payment."""
        with self._lock:
            return code in self._codes

    def exchange_code(self, *, code: str, verifier: str, redirect_uri: str, client_id: str | None) -> tuple[str, str]:
        """Access token and payment id for a code; raises `GrantRefused`. A code works once."""
        with self._lock:
            known = self._codes.get(code)
            if known is None or known.is_used or known.expires_at <= self._clock.now.astimezone(UTC):
                raise GrantRefused("invalid_grant", "the code is not known, used or too old")
            known.is_used = True
            challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
            if not secrets.compare_digest(challenge, known.visit.code_challenge or ""):
                raise GrantRefused("invalid_grant", "the code verifier does not fit the challenge")
            if redirect_uri != known.visit.redirect_uri or client_id not in {None, known.visit.client_id}:
                raise GrantRefused("invalid_grant", "the code was given to another client or address")
            token = self._new_secret()
            self._tokens[token] = known.visit.payment_id
            return token, known.visit.payment_id

    def token_payment(self, token: str) -> str | None:
        """The payment a token was given for."""
        with self._lock:
            return self._tokens.get(token)

    def _execute(self, payment: Payment) -> None:
        reasons = [FAILURES[order.creditor.iban] for order in payment.orders if order.creditor.iban in FAILURES]
        if len(reasons) == len(payment.orders):
            payment.status, payment.reason = "RJCT", reasons[0]
            return
        account = self._world.account(payment.debtor_iban)
        good = [order for order in payment.orders if order.creditor.iban not in FAILURES]
        if payment.is_batch_booked and len(good) > 1:
            total = sum((order.amount for order in good), Decimal("0.00"))
            self._world.book(account, -total, texts=(f"{len(good)} overschrijvingen",), code="PMNT-ICDT-ESCT")
        else:
            for order in good:
                self._world.book(
                    account,
                    -order.amount,
                    counterparty=order.creditor,
                    texts=(order.text,) if order.text else (),
                    structured=order.structured,
                    end_to_end_id=order.end_to_end_id,
                    code="PMNT-IRCT-ESCT" if payment.is_instant else "PMNT-ICDT-ESCT",
                )
        payment.status = "PART" if reasons else "ACSC"
        payment.reason = reasons[0] if reasons else None

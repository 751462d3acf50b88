"""Payment initiation: what a bank offers, what it is asked, and how far a payment is (PAY-18, PAY-19).

A `PaymentInitiation` belongs to a connector, stores nothing and reads no clock. Only payments that were approved before
may reach it; the gate stands in the gateway. What moves money is sent once: after a lost answer `PaymentFateUnknown`
says so, and nothing here repeats it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from connectors.errors import PaymentNotOffered
from connectors.model import Poll, PsuContext, Redirect, TokenSet

END_TO_END_MAX: Final = 35
NAME_MAX: Final = 70
TEXT_MAX: Final = 140
TRANSFERS_MAX: Final = 10_000
CODE_MAX: Final = 35
_CENT: Final = Decimal("0.01")


class Bulk(StrEnum):
    """How a bank takes several payments at once."""

    NO = "no"
    """Not at all, or in a way that is not known."""
    JSON = "json"
    FILE = "file"
    """As the pain.001 file that was approved, byte for byte."""


class PaymentState(StrEnum):
    """ISO 20022 statuses by what they mean to the payer."""

    WAITING = "waiting"
    """For the bank or the PSU."""
    PARTLY_SIGNED = "partly_signed"
    ACCEPTED = "accepted"
    EXECUTING = "executing"
    EXECUTED = "executed"
    PARTLY_ACCEPTED = "partly_accepted"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    """A status of the bank that is not listed here; it stays as it is."""


STATES: Final[Mapping[str, PaymentState]] = {
    "RCVD": PaymentState.WAITING,
    "PDNG": PaymentState.WAITING,
    "PATC": PaymentState.PARTLY_SIGNED,
    "ACTC": PaymentState.ACCEPTED,
    "ACCP": PaymentState.ACCEPTED,
    "ACFC": PaymentState.ACCEPTED,
    "ACWC": PaymentState.ACCEPTED,
    "ACSP": PaymentState.EXECUTING,
    "ACSC": PaymentState.EXECUTED,
    "ACCC": PaymentState.EXECUTED,
    "ACWP": PaymentState.EXECUTED,
    "PART": PaymentState.PARTLY_ACCEPTED,
    "RJCT": PaymentState.REFUSED,
    "CANC": PaymentState.CANCELLED,
}
"""ExternalPaymentTransactionStatus1Code of ISO 20022, those that banks give here."""
FINAL: Final = frozenset({PaymentState.EXECUTED, PaymentState.REFUSED, PaymentState.CANCELLED})
"""Partly accepted is none: what was not accepted yet may still be (ISO 20022, `PART`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditTransfer:
    """One payment in euro; raises `ValueError` for what no bank could take."""

    end_to_end_id: str
    amount: Decimal
    creditor_name: str = field(repr=False)
    creditor_iban: str = field(repr=False)
    text: str | None = field(default=None, repr=False)
    structured_reference: str | None = field(default=None, repr=False)
    """Twelve digits of a Belgian communication, or an RF reference; check digits verified by the caller."""

    def __post_init__(self) -> None:
        if not (self.amount.is_finite() and self.amount > 0 and self.amount == self.amount.quantize(_CENT)):
            raise ValueError("an amount is above zero and has two decimals at most")
        if not 0 < len(self.end_to_end_id) <= END_TO_END_MAX:
            raise ValueError(f"an end-to-end id has 1 to {END_TO_END_MAX} characters")
        if not self.creditor_name.strip() or not self.creditor_iban:
            raise ValueError("a creditor has a name and an IBAN")
        if self.text is not None and self.structured_reference is not None:
            raise ValueError("a payment has a text or a structured reference, not both")


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRequest:
    """What to pay from one account, approved as a whole."""

    request_id: str
    """UUID of the call that moves money; the caller keeps it before the call, and never uses it for another one."""
    transfers: tuple[CreditTransfer, ...] = field(repr=False)
    debtor_iban: str = field(repr=False)
    execution_date: date | None = None
    """None: as soon as the bank can."""
    is_instant: bool = False
    is_batch_booked: bool = False
    """Several payments as one line on the account."""
    file: bytes | None = field(default=None, repr=False)
    """The approved pain.001 file of exactly these transfers, for banks that take one."""
    initiator: str | None = field(default=None, repr=False)
    """Name of who hands it over, for banks that ask for it; None: the name by which the bank knows us."""
    redirect_uri: str
    state: str = field(repr=False)
    code_verifier: str = field(repr=False)
    psu: PsuContext

    @property
    def is_bulk(self) -> bool:
        """Whether it is more than one payment."""
        return len(self.transfers) > 1

    @property
    def total(self) -> Decimal:
        """The sum of its amounts."""
        return sum((transfer.amount for transfer in self.transfers), Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentOffer:
    """What one bank's interface takes; what is not known counts as not offered."""

    is_instant_possible: bool = False
    bulk: Bulk = Bulk.NO
    transfers_max: int = TRANSFERS_MAX
    name_max: int = NAME_MAX
    text_max: int = TEXT_MAX
    takes_references: bool = True
    """False where it is not known how a structured reference is told."""
    last_words: frozenset[str] = frozenset()
    """Statuses after which this bank says nothing more, besides those that are final everywhere."""
    tells_execution: bool = True
    """False where the words after the signature are not known: only the booked debit shows what became of it."""

    def check(self, request: PaymentRequest, *, bank_id: str) -> None:
        """Raise `PaymentNotOffered` for what the bank would refuse or cut; `field` says which part of the request."""
        if not request.transfers or len(request.transfers) > self.transfers_max:
            raise PaymentNotOffered("the number of payments is not possible here", bank_id=bank_id, field="transfers")
        if request.is_bulk and self.bulk is Bulk.NO:
            raise PaymentNotOffered("the bank takes one payment at a time", bank_id=bank_id, field="transfers")
        if request.is_bulk and self.bulk is Bulk.FILE and not request.file:
            raise PaymentNotOffered("the bank takes several payments as a file only", bank_id=bank_id, field="file")
        if request.is_instant and not self.is_instant_possible:
            raise PaymentNotOffered("the bank's interface has no instant payments", bank_id=bank_id, field="is_instant")
        if request.is_instant and request.execution_date is not None:
            raise PaymentNotOffered("an instant payment has no execution date", bank_id=bank_id, field="execution_date")
        for number, transfer in enumerate(request.transfers):
            if len(transfer.creditor_name) > self.name_max:
                raise PaymentNotOffered(
                    "a name is longer than the bank takes", bank_id=bank_id, field=f"transfers/{number}/creditor_name"
                )
            if transfer.structured_reference is not None and not self.takes_references:
                raise PaymentNotOffered(
                    "how this bank takes a structured reference is not known", bank_id=bank_id,
                    field=f"transfers/{number}/structured_reference",
                )  # fmt: skip
            if len(transfer.text or "") > self.text_max:
                raise PaymentNotOffered(
                    "a text is longer than the bank takes", bank_id=bank_id, field=f"transfers/{number}/text"
                )


@dataclass(frozen=True, slots=True)
class PaymentHandle:
    """A payment at the bank. `private` holds what the connector needs to go on; it is stored encrypted."""

    bank_payment_id: str
    private: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class PaymentStatus:
    """How far the payment is, as the bank says."""

    state: PaymentState
    bank_code: str
    """The bank's own word; one that is not known is kept as it is."""
    is_final: bool
    reason_code: str | None = None
    """ISO 20022 reason (`AC04`, `AM04`) where the bank gives one."""
    parts: Mapping[str, PaymentStatus] = field(default_factory=dict)
    """Each payment of several by its end-to-end id, as far as the bank names them: perhaps the refused ones only."""


@dataclass(frozen=True, slots=True)
class StartedPayment:
    """Answer to a request: the handle to keep, and where the PSU signs; None when the bank asks for no signature."""

    handle: PaymentHandle
    step: Redirect | Poll | None
    status: PaymentStatus


@dataclass(frozen=True, slots=True)
class ReturnedPayment:
    """After the PSU came back. The tokens, where the bank gives some, are for this payment's status alone."""

    tokens: TokenSet | None
    status: PaymentStatus


class PaymentInitiation(ABC):
    """Payments at one bank; made by `Connector.payments` or `Connector.payments_with`."""

    offer: PaymentOffer

    def activation(self, redirect_uri: str, psu: PsuContext) -> Redirect | None:  # noqa: ARG002  of a source
        """Where the payer switches payments on before the first one; None where they are on, or need no switch."""
        return None

    @abstractmethod
    def start(self, request: PaymentRequest) -> StartedPayment:
        """Hand the payment over, once.

        Raises `PaymentNotOffered` before the call, `PaymentFateUnknown` when no answer came, `ConnectorError` else.
        """

    @abstractmethod
    def finish(self, handle: PaymentHandle, callback: Mapping[str, str], psu: PsuContext | None) -> ReturnedPayment:
        """Read what became of it after the PSU came back; the return itself proves nothing.

        Raises `ConsentRefused` when the PSU cancelled, `CallbackRejected` when the code is not accepted.
        """

    @abstractmethod
    def status(self, handle: PaymentHandle, tokens: TokenSet | None, psu: PsuContext | None) -> PaymentStatus:
        """How far it is now; changes nothing."""


def status_of(
    offer: PaymentOffer,
    code: str,
    reason_code: str | None = None,
    parts: Mapping[str, PaymentStatus] | None = None,
) -> PaymentStatus:
    """The status a bank's word stands for; words are cut to the length ISO 20022 gives them."""
    code, reason = code[:CODE_MAX], reason_code[:CODE_MAX] if reason_code is not None else None
    state = STATES.get(code.upper(), PaymentState.UNKNOWN)
    return PaymentStatus(state, code, state in FINAL or code.upper() in offer.last_words, reason, parts or {})

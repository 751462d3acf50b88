"""The values a connector takes and gives: one normal form for every bank.

Amounts are `Decimal`, above zero for a credit to the account holder; dates are Brussels calendar days; an absent
field is None and listed in `missing_fields`. Nothing here is stored, logged or computed from a clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol


class AccountKind(StrEnum):
    """What kind of account it is; only `CURRENT` is in scope, the others are shown and refused (CON-08)."""

    CURRENT = "current"
    SAVINGS = "savings"
    CARD = "card"
    LOAN = "loan"
    INVESTMENT = "investment"
    OTHER = "other"


class BalanceKind(StrEnum):
    """Balance types of Berlin Group 1.3, section 5; `CLOSING_BOOKED` and `INTERIM_BOOKED` can prove a day."""

    CLOSING_BOOKED = "closing_booked"
    INTERIM_BOOKED = "interim_booked"
    OPENING_BOOKED = "opening_booked"
    EXPECTED = "expected"
    INTERIM_AVAILABLE = "interim_available"
    FORWARD_AVAILABLE = "forward_available"
    OTHER = "other"


class TransactionStatus(StrEnum):
    """Only what the bank calls booked is `BOOKED`; a status not known counts as pending (SYN-07)."""

    BOOKED = "booked"
    PENDING = "pending"


class ConsentStatus(StrEnum):
    """The bank's view of a consent, reduced to what the gateway acts on."""

    AWAITING_AUTHORISATION = "awaiting_authorisation"
    PARTIALLY_AUTHORISED = "partially_authorised"
    VALID = "valid"
    REJECTED = "rejected"
    REVOKED = "revoked"
    EXPIRED = "expired"


class ReferenceKind(StrEnum):
    """Kinds of structured remittance information with check digits."""

    BELGIAN = "belgian"
    RF = "rf"


class PartySource(StrEnum):
    """Where the counterparty was found: in its own fields, or read from the bank's wording."""

    FIELD = "field"
    TEXT = "text"


class CodeBasis(StrEnum):
    """Which step decided the CODA transaction code (STA-12)."""

    BANK = "bank"
    ISO = "iso"
    TEXT = "text"
    COUNTERPARTY = "counterparty"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class PsuContext:
    """The PSU who is really present; its absence makes a call unattended. An address is never invented."""

    ip_address: str
    user_agent: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class TokenSet:
    """What the bank gave to call in the PSU's name. `expires_at` is None when the bank named no life."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    scope: str | None = None
    refresh_expires_at: datetime | None = None
    """Until when they can be renewed, where the bank tells: the end of the access at a bank without consents."""


class TokenKeeper(Protocol):
    """Holds the tokens of one consent; the gateway's keeper locks and commits before a new one is used."""

    def current(self) -> TokenSet:
        """The tokens to use now."""

    def renew(self, rejected: TokenSet) -> TokenSet:
        """New tokens after `rejected` was refused or ran out; another worker's newer ones when it was faster.

        Raises `ConsentEnded` when the bank gives none.
        """


@dataclass(frozen=True, slots=True)
class ConsentRequest:
    """What to ask the bank for."""

    redirect_uri: str
    state: str = field(repr=False)
    code_verifier: str = field(repr=False)
    """PKCE verifier, 43 to 128 characters (RFC 7636); made by the caller, who keeps it encrypted."""
    valid_until: date
    psu: PsuContext
    frequency_per_day: int = 4
    ibans: tuple[str, ...] = ()
    """Only for banks that want the accounts named in the request; empty leaves the choice to the PSU at the bank."""
    may_pay: bool = False
    """Only for sources whose payments go under the same consent: whether it is asked for them too."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """Next step: send the PSU's browser to this address at the bank."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Poll:
    """Next step: the PSU approves elsewhere (bank app); ask again after `seconds`. `message` is the bank's wording."""

    seconds: int
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """Next step: none; the bank has decided."""

    status: ConsentStatus


NextStep = Redirect | Poll | Finished


@dataclass(frozen=True, slots=True)
class ConsentHandle:
    """A consent at the bank. `private` holds what this connector needs to go on; the gateway stores it encrypted."""

    bank_consent_id: str
    private: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class StartedConsent:
    """Answer to a request: the handle to keep, and what the PSU does next."""

    handle: ConsentHandle
    step: NextStep


@dataclass(frozen=True, slots=True)
class GrantedConsent:
    """What the bank says after the PSU came back. `valid_until` is None when the bank names no end."""

    status: ConsentStatus
    tokens: TokenSet | None
    valid_until: date | None
    handle: ConsentHandle | None = None
    """The handle to keep from now on, where the bank makes the consent only after the PSU signed in; None keeps it."""


@dataclass(frozen=True, slots=True)
class ConsentDetails:
    """The bank's present view of a consent and the last day it is valid, None when the bank names none."""

    status: ConsentStatus
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class Synchronisation:
    """A source's reading of an account's bank, under way or done. The id is None when none was needed."""

    synchronisation_id: str | None
    is_done: bool


@dataclass(frozen=True, slots=True)
class Access:
    """The right to read: the bank's consent id, the tokens, and the PSU when present."""

    bank_consent_id: str
    tokens: TokenKeeper = field(repr=False)
    psu: PsuContext | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """An account as the bank lists it. `bank_account_id` may change with each consent: match by IBAN and currency."""

    bank_account_id: str
    iban: str | None
    currency: str
    kind: AccountKind
    name: str | None = None
    product: str | None = None
    holder_name: str | None = None
    bic: str | None = None
    is_closed: bool = False
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Balance:
    """A balance the bank reported. `reference_date` is the day it speaks of, None when the bank does not say."""

    kind: BalanceKind
    amount: Decimal
    currency: str
    reference_date: date | None = None
    last_change_at: datetime | None = None
    bank_kind: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Transaction:
    """One item as the bank reports it, in the normal form of `docs/connectors/normal-form.md`."""

    status: TransactionStatus
    amount: Decimal
    currency: str
    booking_date: date | None
    """None only while pending."""
    value_date: date | None
    is_value_date_assumed: bool
    fingerprint: str
    """SHA-256 (hex) over raw bank fields; equal for twins and for a row whose bank id changed."""
    fingerprint_version: int
    bank_transaction_id: str | None = None
    bank_transaction_id_source: str | None = None
    original_amount: Decimal | None = None
    original_currency: str | None = None
    exchange_rate: Decimal | None = None
    fee: Decimal | None = None
    counterparty_name: str | None = None
    counterparty_iban: str | None = None
    counterparty_bban: str | None = None
    counterparty_bic: str | None = None
    counterparty_source: PartySource | None = None
    remittance_information: str | None = None
    """Lines are separated by a line break, nothing is cut; a structured reference that failed its check is here too."""
    additional_information: str | None = None
    """The bank's own wording beside the remittance information."""
    structured_reference_kind: ReferenceKind | None = None
    structured_reference: str | None = None
    """Check digits verified; 12 digits for Belgian, RF… compact for ISO 11649."""
    end_to_end_id: str | None = None
    mandate_id: str | None = None
    creditor_id: str | None = None
    purpose_code: str | None = None
    iso_code: str | None = None
    """Bank transaction code, `PMNT-RCDT-ESCT`."""
    proprietary_code: str | None = None
    batch_count: int | None = None
    balance_after: Decimal | None = None
    coda_code: str = ""
    """Eight digits: type, family, operation, category."""
    coda_code_basis: CodeBasis = CodeBasis.DEFAULT
    missing_fields: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    """Stable codes, such as `structured_reference_failed`."""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that cannot be understood without guessing (no amount, undecidable sign); it goes to review, never away."""

    reason: str
    raw: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class TransactionPage:
    """One page of transactions; `number` counts from 1."""

    number: int
    transactions: tuple[Transaction, ...]
    rejected: tuple[RejectedRow, ...] = ()
    is_last: bool = False
    date_from: date | None = None
    """First booking day the bank was asked for; later than the day wanted when the bank refused the longer window."""
    as_of: datetime | None = None
    """The moment the rows speak of, where they come out of a copy; None where the bank was asked now."""

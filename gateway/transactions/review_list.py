"""The review list: rows of a bank that nobody can decide without a person are kept, never dropped (SYN-05, SYN-08).

Each entry has its readings (two; three for a row that may be no transaction at all), with what each does to the balance
as it stands. What is decided holds for the same row of every later reading.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from connectors.model import RejectedRow, Transaction
from gateway.accounts.models import Account
from gateway.crypto import KeyRing
from gateway.ids import new_id
from gateway.transactions.models import ReviewItem
from gateway.transactions.repository import TransactionRepository
from gateway.transactions.states import ReviewState

TABLE: Final = "review_item"
SIGN_UNDECIDED: Final = "sign_undecided"
EDIT_UNDECIDED: Final = "edit_undecided"
CHANGED_AFTER_ISSUE: Final = "changed_after_issue"
ZERO: Final = Decimal(0)

Renormalise = Callable[[Mapping[str, Any]], Transaction | RejectedRow]


class Decision(StrEnum):
    """What a person may say of an entry."""

    CREDIT = "credit"
    """It came in."""
    DEBIT = "debit"
    """It went out."""
    LEAVE_OUT = "leave_out"
    """It is no transaction."""
    CHANGED = "changed"
    """It is the new form of a row that vanished."""
    SEPARATE = "separate"
    """It is another transaction."""
    ACKNOWLEDGE = "acknowledge"
    """Somebody saw that the bank changed what stands on an issued statement."""


_INDICATORS: Final = {Decision.CREDIT: "CRDT", Decision.DEBIT: "DBIT"}


@dataclass(frozen=True, slots=True)
class Option:
    """One way to read an entry."""

    decision: Decision
    effect: Decimal | None
    """What it does to the balance as it stands; None where the bank named no amount."""


def options(item: ReviewItem) -> Sequence[Option]:
    """The ways in which an entry can be read."""
    if item.reason == EDIT_UNDECIDED:
        # The row that vanished is out of the balance, the new one is in it: both readings leave it at that.
        return (Option(Decision.CHANGED, ZERO), Option(Decision.SEPARATE, ZERO))
    if item.reason == CHANGED_AFTER_ISSUE:
        return (Option(Decision.ACKNOWLEDGE, (item.amount or ZERO) - (item.amount_before or ZERO)),)
    left_out = Option(Decision.LEAVE_OUT, ZERO)
    if item.reason == SIGN_UNDECIDED and item.amount is not None:
        return (Option(Decision.CREDIT, item.amount), Option(Decision.DEBIT, -item.amount), left_out)
    return (left_out,)


def signed(renormalise: Renormalise, raw: Mapping[str, Any], decision: Decision) -> Transaction | None:
    """The row with the side that a person gave it; None where the bank's form has no place for that.

    The side goes into the raw form that is kept, so that a later mapping reads it as this one does.
    """
    form = renormalise({**raw, "creditDebitIndicator": _INDICATORS[decision]})
    if isinstance(form, RejectedRow) or (form.amount > 0) != (decision is Decision.CREDIT):
        return None
    return form


class ReviewList:
    """What waits for a person on one account. The caller holds the account's lock."""

    def __init__(self, session: Session, keys: KeyRing, account: Account) -> None:
        self._session = session
        self._keys = keys
        self._account = account
        self._transactions = TransactionRepository(session)

    def decided(
        self, rejected: Sequence[RejectedRow], renormalise: Renormalise | None
    ) -> tuple[list[Transaction], list[RejectedRow]]:
        """Rejected rows as a person decided them, and those about which nobody did."""
        if not rejected or renormalise is None:
            return [], list(rejected)
        decisions = self._transactions.review_decisions(self._account.office_id, self._account.id)
        taken: list[Transaction] = []
        left: list[RejectedRow] = []
        for row in rejected:
            decision = decisions.get(self._digest(row.reason, row.raw))
            form = signed(renormalise, row.raw, Decision(decision)) if decision in _INDICATORS else None
            if form is None:
                left.append(row)
            else:
                taken.append(form)
        return taken, left

    def note_rejected(self, row: RejectedRow, renormalise: Renormalise | None, *, at: datetime) -> None:
        """Keep a row that could not be read; the same row again makes no second entry."""
        form = None
        if row.reason == SIGN_UNDECIDED and renormalise is not None:
            form = signed(renormalise, row.raw, Decision.CREDIT)
        self._add(
            row.reason,
            row.raw,
            at=at,
            amount=form.amount if form is not None else None,
            booking_date=form.booking_date if form is not None else None,
            currency=form.currency if form is not None else self._account.currency,
        )

    def note_undecided(self, form: Transaction, row_id: UUID, candidates: Sequence[UUID], *, at: datetime) -> None:
        """A new row that may be the changed form of one that vanished: it is stored as new until somebody decides."""
        self._add(
            EDIT_UNDECIDED,
            form.raw,
            at=at,
            about=row_id,
            amount=form.amount,
            booking_date=form.booking_date,
            currency=form.currency,
            transaction_id=row_id,
            candidates=[str(candidate) for candidate in candidates],
        )

    def _add(
        self, reason: str, raw: Mapping[str, Any], *, at: datetime, about: UUID | None = None, **facts: Any
    ) -> None:
        digest = self._digest(reason, raw, about)
        if self._transactions.has_review_digest(self._account.office_id, self._account.id, digest):
            return
        item = ReviewItem(
            id=new_id(),
            office_id=self._account.office_id,
            account_id=self._account.id,
            reason=reason,
            state=ReviewState.OPEN,
            digest=digest,
            raw_cipher=b"",
            created_at=at,
            **facts,
        )
        item.raw_cipher = self._keys.encrypt(plain(raw), office_id=item.office_id, table=TABLE, row_id=item.id)
        self._session.add(item)
        self._session.flush()

    def note_changed_after_issue(
        self, *, transaction_id: UUID, statement_id: UUID, change: UUID, before: Decimal, after: Decimal, facts: Any,
        at: datetime,
    ) -> None:  # fmt: skip
        """An issued row that the bank changed; `change` is the revision that holds its old form."""
        self._add(
            CHANGED_AFTER_ISSUE,
            {"transaction_id": str(transaction_id), "revision_id": str(change)},
            at=at,
            amount_before=before,
            amount=after,
            booking_date=facts.booking_date,
            currency=facts.currency,
            transaction_id=transaction_id,
            statement_id=statement_id,
        )

    def _digest(self, reason: str, raw: Mapping[str, Any], about: UUID | None = None) -> bytes:
        # A row that was rejected is told by its content alone; one that is stored, by what it is about as well.
        of = f"|{about}" if about is not None else ""
        return self._keys.keyed_hash("review", f"{self._account.id}|{reason}|{plain(raw).decode()}{of}")


def opened(keys: KeyRing, item: ReviewItem) -> Mapping[str, Any]:
    """What the bank gave, in its own form."""
    text = keys.decrypt(item.raw_cipher, office_id=item.office_id, table=TABLE, row_id=item.id)
    raw: Mapping[str, Any] = json.loads(text)
    return raw


def plain(raw: Mapping[str, Any]) -> bytes:
    """A raw row as text. Exact decimals become texts: the normaliser reads both alike, a float would not be exact."""
    return json.dumps(raw, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str).encode()

"""Playing recorded answers through the present connector, and comparing what it reads with what is stored.

No bank is called and nothing is changed. Rows are told apart by the bank's own form, so that a new rule for
fingerprints does not make every row another one; what the bank changed after the recording is left out.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from connectors.base import Connector
from connectors.errors import ConnectorError
from connectors.model import Access, RejectedRow, Transaction, TransactionStatus
from connectors.replay import AnswerNotRecorded, ReplayTokens
from gateway.traffic.content import Question
from gateway.transactions.merging import facts_of
from gateway.transactions.models import TransactionFacts

DIFFERENCES_MAX: Final = 200
"""Differences listed one by one; all are counted."""
_NAMES: Final = ("booking_date", *TransactionFacts.model_fields)


class Outcome(StrEnum):
    """How far the present connector came."""

    COMPARED = "compared"
    NOT_WHOLE = "not_whole"
    """A limit of the recording was reached in the middle of this reading."""
    NOT_RECORDED = "not_recorded"
    """The connector asks for something that was not asked then."""
    FAILED = "failed"
    """It refuses the answers, with `code`."""


class DifferenceKind(StrEnum):
    """What would become of a row."""

    ADDED = "added"
    GONE = "gone"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class StoredForm:
    """A stored row as it is compared."""

    id: UUID
    facts: Mapping[str, Any] = field(repr=False)
    raw: str = field(repr=False)
    fingerprint: str
    bank_transaction_id: str | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """One field, as it is stored and as it would be."""

    name: str
    stored: str | None = field(repr=False)
    replayed: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Difference:
    """One row that would not be as it is."""

    kind: DifferenceKind
    transaction_id: UUID | None
    booking_date: date | None
    fields: tuple[FieldDifference, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the replay of one reading tells."""

    outcome: Outcome
    code: str | None = None
    unchanged: int = 0
    counts: Mapping[DifferenceKind, int] = field(default_factory=dict)
    differences: Sequence[Difference] = ()
    changed_since: int = 0
    """Rows that the bank changed after the recording; not compared."""
    pending: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    """Rows that could not be read, by reason."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What the present connector makes of the answers."""

    booked: Sequence[Transaction]
    pending: int
    rejected: Mapping[str, int]
    date_from: date


def read(connector: Connector, question: Question) -> Replayed | Comparison:
    """Ask the connector again what it was asked then; a comparison that says why it did not come to the end."""
    access = Access(question.bank_consent_id, ReplayTokens(), None)
    try:
        pages = list(
            connector.transaction_pages(
                access,
                question.bank_account_id,
                account_iban=question.iban,
                account_holder=question.holder_name,
                date_from=question.date_from,
                today=question.today,
                own_ibans=question.own_ibans,
            )
        )
    except AnswerNotRecorded as error:
        return Comparison(Outcome.NOT_RECORDED, error.template)
    except ConnectorError as error:
        return Comparison(Outcome.FAILED, error.code)
    rows = [row for page in pages for row in page.transactions]
    rejected: list[RejectedRow] = [row for page in pages for row in page.rejected]
    return Replayed(
        booked=[row for row in rows if row.status is TransactionStatus.BOOKED],
        pending=sum(row.status is not TransactionStatus.BOOKED for row in rows),
        rejected=Counter(row.reason for row in rejected),
        date_from=max([question.date_from, *(page.date_from for page in pages if page.date_from is not None)]),
    )


def compare(replayed: Replayed, stored: Iterable[StoredForm], recorded_at: datetime) -> Comparison:
    """Which stored rows would be gone or changed, and which would be added."""
    rows = list(stored)
    pairs, fresh, left = _matched(replayed.booked, rows)
    found: list[Difference] = []
    unchanged = changed_since = 0
    for row, form in pairs:
        fields = _fields(row, form)
        if row.changed_at > recorded_at:
            changed_since += 1
        elif fields:
            found.append(Difference(DifferenceKind.CHANGED, row.id, row.facts["booking_date"], fields))
        else:
            unchanged += 1
    for row in left:
        if row.changed_at > recorded_at:
            changed_since += 1
        else:
            found.append(Difference(DifferenceKind.GONE, row.id, row.facts["booking_date"]))
    found += [Difference(DifferenceKind.ADDED, None, form.booking_date) for form in fresh]
    return Comparison(
        Outcome.COMPARED,
        unchanged=unchanged,
        counts=Counter(difference.kind for difference in found),
        differences=found[:DIFFERENCES_MAX],
        changed_since=changed_since,
        pending=replayed.pending,
        rejected=replayed.rejected,
    )


def raw_text(raw: Mapping[str, Any]) -> str:
    """The bank's own form of a row, in one spelling; exact decimals are texts, as they are stored."""
    return json.dumps(raw, sort_keys=True, default=str)


def _matched(
    forms: Sequence[Transaction], rows: Sequence[StoredForm]
) -> tuple[list[tuple[StoredForm, Transaction]], list[Transaction], list[StoredForm]]:
    """Pairs, forms without a row, rows without a form: alike in the bank's words, else by our key, else by its id."""
    pairs: list[tuple[StoredForm, Transaction]] = []
    left_forms, left_rows = list(forms), list(rows)
    keys: tuple[tuple[Any, Any], ...] = (
        (lambda form: raw_text(form.raw), lambda row: row.raw),
        (lambda form: form.fingerprint, lambda row: row.fingerprint),
        (lambda form: form.bank_transaction_id, lambda row: row.bank_transaction_id),
    )
    for of_form, of_row in keys:
        known: dict[str, list[StoredForm]] = {}
        for row in left_rows:
            if of_row(row) is not None:
                known.setdefault(of_row(row), []).append(row)
        unmatched = []
        for form in left_forms:
            same = known.get(of_form(form)) if of_form(form) is not None else None
            if same:
                pairs.append((same.pop(0), form))
            else:
                unmatched.append(form)
        taken = {row.id for row, _ in pairs}
        left_forms, left_rows = unmatched, [row for row in left_rows if row.id not in taken]
    return pairs, left_forms, left_rows


def _fields(row: StoredForm, form: Transaction) -> tuple[FieldDifference, ...]:
    new = {"booking_date": form.booking_date, **facts_of(form)}
    return tuple(
        FieldDifference(name, _shown(row.facts[name]), _shown(new[name]))
        for name in _NAMES
        if row.facts[name] != new[name]
    )


def _shown(value: Any) -> str | None:
    if value is None:
        return None
    return ", ".join(str(one) for one in value) if isinstance(value, list) else str(value)

"""Storing one reading: the plan of `absorb` carried out on the database, in the unit of work of its account."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from connectors.model import RejectedRow, Transaction, TransactionStatus
from connectors.normalise import FINGERPRINT_VERSION
from gateway.accounts.models import Account
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.crypto import KeyRing
from gateway.ids import new_id
from gateway.transactions.absorb import Plan, Window, plan
from gateway.transactions.after_issue import Changed, tell_changed
from gateway.transactions.changes import Changes
from gateway.transactions.documents import DOCUMENT_VERSION, told_again
from gateway.transactions.models import (
    RAW_TABLE,
    BankTransaction,
    TransactionFacts,
    TransactionRevision,
)
from gateway.transactions.repository import TransactionRepository
from gateway.transactions.review_list import Renormalise, ReviewList, plain

BOOKED: Final = "booked"
VANISHED: Final = "vanished"

ZERO: Final = Decimal(0)

_FACTS: Final = tuple(TransactionFacts.model_fields)


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything one reading gave, all pages of it."""

    window: Window
    transactions: Sequence[Transaction]
    rejected: Sequence[RejectedRow] = ()
    renormalise: Renormalise | None = None
    are_ids_trusted: bool = False
    booked: list[Transaction] = field(init=False)
    pending: list[Transaction] = field(init=False)

    def __post_init__(self) -> None:
        is_booked = [row.status is TransactionStatus.BOOKED for row in self.transactions]
        pairs = list(zip(self.transactions, is_booked, strict=True))
        # Sorted, so that the same rows in any order of pages are stored alike.
        object.__setattr__(self, "booked", sorted((row for row, yes in pairs if yes), key=_order))
        object.__setattr__(self, "pending", [row for row, yes in pairs if not yes])


class Merger:
    """Stores readings of one office's accounts. The caller holds the account's lock."""

    def __init__(self, gateway: Gateway, session: Session, act: Act) -> None:
        self.gateway = gateway
        self.session = session
        self.act = act
        self.transactions = TransactionRepository(session)

    def absorb(self, account: Account, reading: Reading, *, seen_at: datetime) -> dict[str, int]:
        """Make the stored rows of the window those of the bank; the counts of what was done."""
        reviews = ReviewList(self.session, self.gateway.keys, account)
        decided_rows, rejected = reviews.decided(reading.rejected, reading.renormalise)
        if decided_rows:
            reading = replace(reading, transactions=[*reading.transactions, *decided_rows], rejected=rejected)
        version = max((row.fingerprint_version for row in reading.booked), default=FINGERPRINT_VERSION)
        if reading.renormalise is not None:
            self._refresh_fingerprints(account, reading, version)
        fingerprints = {row.fingerprint for row in reading.booked}
        stored = self.transactions.comparable(account.office_id, account.id, reading.window, fingerprints, version)
        decided = plan(stored, reading.booked, reading.window, are_ids_trusted=reading.are_ids_trusted)
        if decided.new:
            documents = self.transactions.of_documents(account.office_id, account.id, reading.window)
            decided = told_again(decided, reading.booked, documents)
        changes = Changes(self.session, account, at=seen_at)
        added = self._carry_out(account, reading, decided, seen_at, changes)
        self._replace_pending(account, reading, seen_at, changes)
        for row in rejected:
            reviews.note_rejected(row, reading.renormalise, at=seen_at)
        for index, candidates in decided.undecided.items():
            reviews.note_undecided(reading.booked[index], added[index], candidates, at=seen_at)
        return {
            "new": len(decided.new),
            "kept": len(decided.kept),
            "edited": len(decided.edited),
            "vanished": len(decided.vanished),
            "revived": len(decided.revived),
            "pending": len(reading.pending),
            "rejected": len(rejected),
        }

    def _carry_out(
        self, account: Account, reading: Reading, decided: Plan, seen_at: datetime, changes: Changes
    ) -> dict[int, UUID]:
        """Returns the ids of the new rows, by their position."""
        office_id = account.office_id
        if decided.is_quiet:
            return {}
        change_set_id = changes.id
        rows = {
            new.index: self._new_row(account, reading.booked[new.index], new.occurrence, seen_at, change_set_id)
            for new in decided.new
        }
        self.transactions.add_all(list(rows.values()))
        changed = self.transactions.many(
            office_id, [*decided.vanished, *decided.revived, *(edit.id for edit in decided.edited)]
        )
        told: list[Changed] = []
        for edit in decided.edited:
            row, before = changed[edit.id], changed[edit.id].amount
            was_document = row.fingerprint_version == DOCUMENT_VERSION
            revision_id = self._edit(account, row, reading.booked[edit.row.index], edit.row.occurrence, seen_at)
            row.changed_in = change_set_id
            if not was_document:
                # What the bank's own file said already is no change of the bank's.
                told.append(Changed(row, "edited", revision_id, before, row.amount))
        for ids, kind in ((decided.vanished, VANISHED), (decided.revived, "revived")):
            for transaction_id in ids:
                row = changed[transaction_id]
                revision_id = self._note(account, row, kind, seen_at, raw_cipher=None)
                before, after = (row.amount, ZERO) if kind == VANISHED else (ZERO, row.amount)
                told.append(Changed(row, kind, revision_id, before, after))
        self.transactions.set_state(
            office_id,
            decided.vanished,
            state=VANISHED,
            vanished_at=seen_at,
            changed_at=seen_at,
            changed_in=change_set_id,
        )
        self.transactions.set_state(
            office_id, decided.revived, state=BOOKED, vanished_at=None, changed_at=seen_at, changed_in=change_set_id
        )
        tell_changed(self.gateway, self.session, self.act, account, told)
        return {index: row["id"] for index, row in rows.items()}

    def add_documented(
        self, account: Account, forms: Sequence[tuple[Transaction, int]], *, upload_id: UUID, seen_at: datetime
    ) -> None:
        """Add what files of the bank gave, each with its occurrence as the plan of `absorb` numbered it (STA-19)."""
        if forms:
            change_set_id = Changes(self.session, account, at=seen_at).id
            rows = [self._new_row(account, form, number, seen_at, change_set_id) for form, number in forms]
            self.transactions.add_all([row | {"upload_id": upload_id} for row in rows])

    def _replace_pending(self, account: Account, reading: Reading, seen_at: datetime, changes: Changes) -> None:
        """What is announced now, instead of what was (SYN-07). What is shown again unchanged keeps its id."""
        known: dict[tuple[Any, ...], list[UUID]] = {}
        for row in self.transactions.pending(account.office_id, account.id):
            facts = (row.booking_date, *(_comparable(getattr(row, name)) for name in _FACTS))
            known.setdefault(facts, []).append(row.id)
        fresh = []
        for form in reading.pending:
            facts = (form.booking_date, *(_comparable(value) for value in facts_of(form).values()))
            same = known.get(facts)
            if same:
                same.pop(0)
            else:
                fresh.append(form)
        gone = [row_id for ids in known.values() for row_id in ids]
        if not (gone or fresh):
            return
        self.transactions.remove_pending(account.office_id, account.id, gone, change_set_id=changes.id)
        self.transactions.add_pending([self._pending_row(account, form, seen_at, changes.id) for form in fresh])

    def _edit(
        self, account: Account, row: BankTransaction, form: Transaction, occurrence: int, seen_at: datetime
    ) -> UUID:
        """The row keeps its id; its old form goes into a revision (SYN-06), whose id is returned."""
        revision_id = self._note(account, row, "edited", seen_at, raw_cipher=row.raw_cipher)
        assert form.booking_date is not None, "booked rows have a booking date"
        for name, value in facts_of(form).items():
            setattr(row, name, value)
        row.booking_date = form.booking_date
        row.fingerprint, row.fingerprint_version = form.fingerprint, form.fingerprint_version
        row.occurrence = occurrence
        row.raw_cipher = self._seal(account.office_id, row.id, form.raw)
        row.state, row.vanished_at, row.changed_at = BOOKED, None, seen_at
        self.session.add(row)
        self.session.flush()
        return revision_id

    def add_decided(self, account: Account, form: Transaction, *, seen_at: datetime, changes: Changes) -> UUID:
        """Store one row as a person decided it; `seen_at` is the reading that first gave it. Its id."""
        last = self.transactions.occurrence_max(
            account.office_id, account.id, form.fingerprint, form.fingerprint_version
        )
        row = self._new_row(account, form, last + 1, seen_at, changes.id)
        row["changed_at"] = self.act.now
        self.transactions.add_all([row])
        row_id: UUID = row["id"]
        return row_id

    def pair(self, account: Account, old: BankTransaction, new: BankTransaction, *, changes: Changes) -> None:
        """A person decided that `new` is the changed form of `old`, which vanished: `old` keeps its id and takes it.

        `new` is marked as vanished from the start, so that no balance ever counted it.
        """
        now = self.act.now
        before, raw = old.amount, self.open_raw(new)
        last = self.transactions.occurrence_max(account.office_id, account.id, new.fingerprint, new.fingerprint_version)
        revision_id = self._note(account, old, "edited", now, raw_cipher=old.raw_cipher)
        self._note(account, new, VANISHED, now, raw_cipher=None)
        for name in _FACTS:
            setattr(old, name, getattr(new, name))
        old.booking_date, old.fingerprint = new.booking_date, new.fingerprint
        old.fingerprint_version = new.fingerprint_version
        old.occurrence = last + 1
        old.raw_cipher = self._seal(account.office_id, old.id, raw)
        old.state, old.vanished_at = BOOKED, None
        new.state, new.vanished_at = VANISHED, new.created_at
        for row in (old, new):
            row.changed_at, row.changed_in = now, changes.id
            self.session.add(row)
        self.session.flush()
        tell_changed(
            self.gateway, self.session, self.act, account,
            [Changed(old, "edited", revision_id, before, old.amount)],
        )  # fmt: skip

    def _note(
        self, account: Account, row: BankTransaction, kind: str, seen_at: datetime, *, raw_cipher: bytes | None
    ) -> UUID:
        revision_id = new_id()
        self.session.add(
            TransactionRevision(
                id=revision_id,
                office_id=account.office_id,
                transaction_id=row.id,
                kind=kind,
                booking_date=row.booking_date,
                fingerprint=row.fingerprint,
                fingerprint_version=row.fingerprint_version,
                raw_cipher=raw_cipher,
                replaced_at=seen_at,
            )
        )
        self.gateway.audit.record(
            self.session,
            self.act,
            f"transaction.{kind}",
            "transaction",
            row.id,
            client_id=account.client_id,
            changes={"fingerprint": Change(row.fingerprint), "booking_date": Change(row.booking_date)},
        )
        return revision_id

    def _refresh_fingerprints(self, account: Account, reading: Reading, version: int) -> None:
        """Bring older rows of the window to the present rule first, so that it makes no new rows of them."""
        assert reading.renormalise is not None, "asked by the caller"
        outdated = self.transactions.outdated(account.office_id, account.id, reading.window, version)
        taken: dict[str, int] = {}
        for row in sorted(outdated, key=lambda item: (item.fingerprint, item.occurrence)):
            form = reading.renormalise(self.open_raw(row))
            if isinstance(form, RejectedRow):
                continue
            if form.fingerprint not in taken:
                known = self.transactions.comparable(
                    account.office_id, account.id, reading.window, [form.fingerprint], version
                )
                same = [other.occurrence for other in known if other.fingerprint == form.fingerprint]
                taken[form.fingerprint] = max(same, default=0)
            taken[form.fingerprint] += 1
            row.fingerprint, row.fingerprint_version = form.fingerprint, version
            row.occurrence = taken[form.fingerprint]
            self.session.add(row)
        self.session.flush()

    def _new_row(
        self, account: Account, form: Transaction, occurrence: int, seen_at: datetime, change_set_id: UUID
    ) -> dict[str, Any]:
        row_id = new_id()
        return {
            "id": row_id,
            "office_id": account.office_id,
            "account_id": account.id,
            "state": BOOKED,
            "booking_date": form.booking_date,
            "fingerprint": form.fingerprint,
            "fingerprint_version": form.fingerprint_version,
            "occurrence": occurrence,
            "raw_cipher": self._seal(account.office_id, row_id, form.raw),
            "created_at": seen_at,
            "changed_at": seen_at,
            "vanished_at": None,
            "added_in": change_set_id,
            "changed_in": change_set_id,
            **facts_of(form),
        }

    def _pending_row(
        self, account: Account, form: Transaction, seen_at: datetime, change_set_id: UUID
    ) -> dict[str, Any]:
        return {
            "id": new_id(),
            "office_id": account.office_id,
            "account_id": account.id,
            "booking_date": form.booking_date,
            "created_at": seen_at,
            "added_in": change_set_id,
            **facts_of(form),
        }

    def _seal(self, office_id: UUID, row_id: UUID, raw: Mapping[str, Any]) -> bytes:
        return self.gateway.keys.encrypt(plain(raw), office_id=office_id, table=RAW_TABLE, row_id=row_id)

    def open_raw(self, row: BankTransaction) -> Mapping[str, Any]:
        """The bank's own form of a stored transaction."""
        return opened_raw(self.gateway.keys, row)


def opened_raw(keys: KeyRing, row: BankTransaction) -> Mapping[str, Any]:
    """The bank's own form of a stored transaction."""
    plain = keys.decrypt(row.raw_cipher, office_id=row.office_id, table=RAW_TABLE, row_id=row.id)
    raw: Mapping[str, Any] = json.loads(plain)
    return raw


def facts_of(form: Transaction) -> dict[str, Any]:
    """The columns of `TransactionFacts`."""
    values = {name: getattr(form, name) for name in _FACTS}
    for name in ("counterparty_source", "structured_reference_kind", "coda_code_basis"):
        values[name] = str(values[name]) if values[name] is not None else None
    values["missing_fields"] = list(form.missing_fields)
    values["warnings"] = list(form.warnings)
    return values


def _comparable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _order(row: Transaction) -> tuple[Any, ...]:
    return row.booking_date, row.fingerprint, row.bank_transaction_id or ""

"""Storing one reading: the plan of `absorb` carried out on the database, in the unit of work of its account."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
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
from gateway.transactions.changes import Changes
from gateway.transactions.models import (
    RAW_TABLE,
    BankTransaction,
    ReviewItem,
    TransactionFacts,
    TransactionRevision,
)
from gateway.transactions.repository import TransactionRepository

BOOKED: Final = "booked"
VANISHED: Final = "vanished"

Renormalise = Callable[[Mapping[str, Any]], Transaction | RejectedRow]
"""The connector's present mapping of a stored raw row; asks no bank."""

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
        version = max((row.fingerprint_version for row in reading.booked), default=FINGERPRINT_VERSION)
        if reading.renormalise is not None:
            self._refresh_fingerprints(account, reading, version)
        fingerprints = {row.fingerprint for row in reading.booked}
        stored = self.transactions.comparable(account.office_id, account.id, reading.window, fingerprints, version)
        decided = plan(stored, reading.booked, reading.window, are_ids_trusted=reading.are_ids_trusted)
        changes = Changes(self.session, account, at=seen_at)
        self._carry_out(account, reading, decided, seen_at, changes)
        self._replace_pending(account, reading, seen_at, changes)
        rejected = self._review(account, reading, decided, seen_at)
        return {
            "new": len(decided.new),
            "kept": len(decided.kept),
            "edited": len(decided.edited),
            "vanished": len(decided.vanished),
            "revived": len(decided.revived),
            "pending": len(reading.pending),
            "rejected": rejected,
        }

    def _carry_out(
        self, account: Account, reading: Reading, decided: Plan, seen_at: datetime, changes: Changes
    ) -> None:
        office_id = account.office_id
        if decided.is_quiet:
            return
        change_set_id = changes.id
        self.transactions.add_all(
            [
                self._new_row(account, reading.booked[new.index], new.occurrence, seen_at, change_set_id)
                for new in decided.new
            ]
        )
        changed = self.transactions.many(
            office_id, [*decided.vanished, *decided.revived, *(edit.id for edit in decided.edited)]
        )
        for edit in decided.edited:
            self._edit(account, changed[edit.id], reading.booked[edit.row.index], edit.row.occurrence, seen_at)
            changed[edit.id].changed_in = change_set_id
        for ids, kind in ((decided.vanished, VANISHED), (decided.revived, "revived")):
            for transaction_id in ids:
                self._note(account, changed[transaction_id], kind, seen_at, raw_cipher=None)
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
    ) -> None:
        """The row keeps its id; its old form goes into a revision (SYN-06)."""
        self._note(account, row, "edited", seen_at, raw_cipher=row.raw_cipher)
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

    def _note(
        self, account: Account, row: BankTransaction, kind: str, seen_at: datetime, *, raw_cipher: bytes | None
    ) -> None:
        self.session.add(
            TransactionRevision(
                id=new_id(),
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

    def _review(self, account: Account, reading: Reading, decided: Plan, seen_at: datetime) -> int:
        """Keep for a person what could not be read or decided; the same row again makes no second item."""
        items = [(row.reason, row.raw) for row in reading.rejected]
        items += [("edit_undecided", reading.booked[index].raw) for index in decided.undecided]
        if not items:
            return 0
        known = self.transactions.known_review_digests(account.office_id, account.id)
        for reason, raw in items:
            digest = self.gateway.keys.keyed_hash("review", f"{account.id}|{reason}|{_plain(raw).decode()}")
            if digest in known:
                continue
            known.add(digest)
            item = ReviewItem(
                id=new_id(),
                office_id=account.office_id,
                account_id=account.id,
                reason=reason,
                digest=digest,
                raw_cipher=b"",
                created_at=seen_at,
            )
            item.raw_cipher = self.gateway.keys.encrypt(
                _plain(raw), office_id=account.office_id, table="review_item", row_id=item.id
            )
            self.session.add(item)
        return len(reading.rejected)

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
        return self.gateway.keys.encrypt(_plain(raw), office_id=office_id, table=RAW_TABLE, row_id=row_id)

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


def _plain(raw: Mapping[str, Any]) -> bytes:
    # Exact decimals become texts: the normaliser reads both alike, and a float would not be exact.
    return json.dumps(raw, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str).encode()


def _order(row: Transaction) -> tuple[Any, ...]:
    return row.booking_date, row.fingerprint, row.bank_transaction_id or ""

"""Stored raw rows under the present mapping: the differences first, applied when somebody says so (SYN-10).

No bank is called. What moves a balance or a day (amount, currency, booking day) is shown and never applied: a reading,
with its checks, decides about that. The raw form, the fingerprint and every issued file stay as they are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from connectors.model import RejectedRow, TransactionStatus
from gateway.accounts.access import require_account
from gateway.accounts.errors import AccountNotFound
from gateway.accounts.models import Account
from gateway.accounts.repository import AccountRepository
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import NotFound, PeriodInvalid
from gateway.identity.rights import Permission
from gateway.offices.models import Service
from gateway.offices.service import require_client
from gateway.profiles.repository import KnownAccountRepository
from gateway.remapping.errors import MappingStale, NotMapped
from gateway.transactions.changes import Changes
from gateway.transactions.documents import DOCUMENT_VERSION
from gateway.transactions.merging import facts_of, opened_raw
from gateway.transactions.models import BankTransaction
from gateway.transactions.repository import TransactionRepository

DAYS_MAX: Final = 92
FIXED: Final = frozenset({"amount", "currency", "booking_date"})
"""What moves a balance or a day."""


@dataclass(frozen=True, slots=True)
class RowDifference:
    """One stored row and what the present mapping makes of it otherwise, by name of the field."""

    row: BankTransaction
    fields: Mapping[str, tuple[Any, Any]]

    @property
    def is_applicable(self) -> bool:
        """False when it would move a balance or a day."""
        return not FIXED & self.fields.keys()


@dataclass(frozen=True, slots=True)
class Differences:
    """What a period looks like under the present mapping."""

    account: Account
    first: date
    last: date
    read: int
    unreadable: int
    """Rows that the present mapping rejects; they stay as they are."""
    rows: Sequence[RowDifference]

    @property
    def seal(self) -> str:
        """Stands for exactly these differences."""
        told = [
            [str(found.row.id), sorted((name, str(new)) for name, (_, new) in found.fields.items())]
            for found in self.rows
        ]
        return hashlib.sha256(json.dumps([str(self.first), str(self.last), told]).encode()).hexdigest()


class RemappingService:
    """Improved mappings, over what was stored."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def differences(self, act: Act, account_id: UUID, first: date, last: date) -> Differences:
        """What would change; nothing does.

        Raises `AccountNotFound`, `NotMapped`, `PeriodInvalid`, and `BankNotConfigured` where rows are to be read anew.
        """
        with self.gateway.database.unit_of_work(act.office_id) as session:
            account = self._account(session, act, account_id, Permission.TRANSACTIONS_READ)
            return self._differences(session, act, account, first, last)

    def apply(self, act: Act, account_id: UUID, first: date, last: date, *, seal: str) -> int:
        """Take over what was looked at; the number of rows changed. Raises `MappingStale`, and as `differences`."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            account = self._account(session, act, account_id, Permission.CLIENTS_WRITE, is_change=True)
            found = self._differences(session, act, account, first, last)
            if found.seal != seal:
                raise MappingStale
            wanted = [one for one in found.rows if one.is_applicable]
            if not wanted:
                return 0
            changes = Changes(session, account, at=act.now)
            for one in wanted:
                for name, (_, new) in one.fields.items():
                    setattr(one.row, name, new)
                one.row.changed_at, one.row.changed_in = act.now, changes.id
                session.add(one.row)
                # Names of fields only: what they hold is the client's.
                self.gateway.audit.record(
                    session, act, "transaction.remapped", "transaction", one.row.id, client_id=account.client_id,
                    changes={"fields": Change(None, sorted(one.fields))},
                )  # fmt: skip
            return len(wanted)

    def _differences(self, session: Session, act: Act, account: Account, first: date, last: date) -> Differences:
        if last < first or last - first >= timedelta(days=DAYS_MAX):
            raise PeriodInvalid("/from", days=DAYS_MAX)
        if not account.bank_id:
            raise NotMapped
        rows = [
            row
            for row in TransactionRepository(session).of_days(act.office_id, account.id, first, last)
            # What a file gave is no answer of the bank, and is not mapped as one.
            if row.fingerprint_version != DOCUMENT_VERSION
        ]
        if not rows:
            return Differences(account, first, last, 0, 0, ())
        connector = self.gateway.banks.connector(account.bank_id)
        own_ibans = KnownAccountRepository(session).ibans(act.office_id, account.client_id)
        found: list[RowDifference] = []
        unreadable = 0
        for row in rows:
            form = connector.transaction(
                opened_raw(self.gateway.keys, row),
                status=TransactionStatus.BOOKED,
                account_iban=account.iban,
                account_holder=account.holder_name,
                own_ibans=own_ibans,
                today=act.today,
            )
            if isinstance(form, RejectedRow):
                unreadable += 1
                continue
            facts = facts_of(form) | {"booking_date": form.booking_date}
            fields = {name: (getattr(row, name), new) for name, new in facts.items() if getattr(row, name) != new}
            if fields:
                found.append(RowDifference(row, fields))
        return Differences(account, first, last, len(rows), unreadable, found)

    def _account(
        self, session: Session, act: Act, account_id: UUID, permission: Permission, *, is_change: bool = False
    ) -> Account:
        account = AccountRepository(session).get(act.office_id, account_id, is_locked=is_change)
        if account is None:
            raise AccountNotFound
        if not is_change:
            require_account(session, act, account_id, permission)
            return account
        services = [Service.TRANSACTIONS, Service.CODA]
        try:
            require_client(session, act, account.client_id, permission, is_change=True, services=services)
        except NotFound:
            raise AccountNotFound from None
        return account

"""What transactions can be searched for (SYN-14), as conditions that an index serves behind row-level security."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy import select as core_select
from sqlmodel import col

from gateway.errors import FieldFault
from gateway.transactions.errors import SearchUnusable
from gateway.transactions.models import BankTransaction, PendingTransaction, TransactionLabel
from gateway.transactions.terms import ASKED_MAX, fold, with_word

_BELGIAN: Final = re.compile(r"[+*]{0,3}\s*(\d{3})[/\s.-]?(\d{4})[/\s.-]?(\d{5})\s*[+*]{0,3}")


class Direction(StrEnum):
    """Which way the money went, seen from the account holder."""

    CREDIT = "credit"
    DEBIT = "debit"


@dataclass(frozen=True, slots=True)
class TransactionSearch:
    """Everything that is given must be met."""

    amount_min: Decimal | None = None
    """Without sign: whichever way the money went."""
    amount_max: Decimal | None = None
    direction: Direction | None = None
    counterparty: str | None = None
    counterparty_iban: str | None = None
    reference: str | None = None
    text: str | None = None
    label: str | None = None

    def conditions(self, office_id: UUID, *, is_pending: bool = False) -> list[ColumnElement[bool]]:
        """Conditions on `BankTransaction`, or on `PendingTransaction`; raises `SearchUnusable`."""
        table: type[BankTransaction] | type[PendingTransaction] = PendingTransaction if is_pending else BankTransaction
        self._refuse_unusable(is_pending=is_pending)
        found: list[ColumnElement[bool]] = []
        if self.amount_min is not None or self.amount_max is not None or self.direction is not None:
            found.append(self._amount(table))
        if self.counterparty_iban is not None:
            found.append(col(table.counterparty_iban) == re.sub(r"\s", "", self.counterparty_iban).upper())
        if self.reference is not None:
            found.append(self._reference(table, self.reference.strip()))
        found += [with_word(office_id, word, is_name=True) for word in fold(self.counterparty or "")]
        found += [with_word(office_id, word) for word in fold(self.text or "")]
        if self.label is not None:
            labelled = core_select(col(TransactionLabel.transaction_id)).where(
                col(TransactionLabel.office_id) == office_id, col(TransactionLabel.label) == self.label
            )
            found.append(col(BankTransaction.id).in_(labelled))
        return found

    def _refuse_unusable(self, *, is_pending: bool) -> None:
        faults = []
        for name in ("counterparty", "text"):
            asked = getattr(self, name)
            words = fold(asked) if asked is not None else None
            if words is not None and not 1 <= len(words) <= ASKED_MAX:
                faults.append(FieldFault(f"/{name}", "words_unusable", "One to eight words can be searched for."))
        if is_pending:
            faults += [
                FieldFault(f"/{name}", "not_for_pending", "Pending transactions have no words or labels to search for.")
                for name in ("counterparty", "text", "label")
                if getattr(self, name) is not None
            ]
        for name in ("amount_min", "amount_max"):
            amount = getattr(self, name)
            if amount is not None and amount < 0:
                faults.append(
                    FieldFault(
                        f"/{name}",
                        "amount_signed",
                        "The amount is searched for without its sign.",
                        "Say which way the money went with direction.",
                    )
                )
        if faults:
            raise SearchUnusable(faults=faults)

    def _amount(self, table: type[BankTransaction] | type[PendingTransaction]) -> ColumnElement[bool]:
        amount = col(table.amount)
        least = self.amount_min or Decimal(0)
        # A direction leaves out what went neither way.
        strictly = self.direction is not None and least == 0
        credit = [amount > least if strictly else amount >= least]
        debit = [amount < -least if strictly else amount <= -least]
        if self.amount_max is not None:
            credit.append(amount <= self.amount_max)
            debit.append(amount >= -self.amount_max)
        if self.direction is Direction.CREDIT:
            return and_(*credit)
        if self.direction is Direction.DEBIT:
            return and_(*debit)
        return or_(and_(*credit), and_(*debit))

    def _reference(
        self, table: type[BankTransaction] | type[PendingTransaction], reference: str
    ) -> ColumnElement[bool]:
        belgian = _BELGIAN.fullmatch(reference)
        structured = "".join(belgian.groups()) if belgian else re.sub(r"\s", "", reference).upper()
        return or_(col(table.structured_reference) == structured, col(table.end_to_end_id) == reference)

"""API shapes of transactions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import Field
from sqlalchemy import inspect

from gateway.api import Day, MomentText, MoneyShape, Shape, money
from gateway.ids import AccountId, StatementUploadId, TransactionId
from gateway.transactions.models import PendingTransaction
from gateway.transactions.repository import LISTED_NAMES, ListedTransaction
from gateway.transactions.service import AnyTransaction


class TransactionRead(Shape):
    """A transaction in one form for every bank. An absent field is null and listed in `missing_fields`."""

    id: TransactionId
    account_id: AccountId
    state: str = Field(description="`booked`, `pending` or `vanished` at the bank.")
    booking_date: Day | None
    value_date: Day | None
    is_value_date_assumed: bool
    amount: MoneyShape = Field(description="Above zero: a credit to the account holder.")
    original_amount: MoneyShape | None
    exchange_rate: str | None
    fee: MoneyShape | None
    counterparty_name: str | None
    counterparty_iban: str | None
    counterparty_bban: str | None
    counterparty_bic: str | None
    counterparty_source: str | None = Field(description="`field`, or `text` when read from the bank's wording.")
    remittance_information: str | None
    additional_information: str | None
    structured_reference_kind: str | None = Field(description="`belgian` or `rf`; check digits verified.")
    structured_reference: str | None
    end_to_end_id: str | None
    mandate_id: str | None
    creditor_id: str | None
    purpose_code: str | None
    iso_code: str | None
    proprietary_code: str | None
    batch_count: int | None
    bank_transaction_id: str | None
    coda_code: str
    coda_code_basis: str = Field(description="Which step decided the CODA code.")
    missing_fields: list[str]
    warnings: list[str]
    labels: list[str] = Field(description="The office's own words, in alphabetical order.")
    created_at: MomentText
    vanished_at: MomentText | None
    upload_id: StatementUploadId | None = Field(
        description="The upload of statements that brought it, which says by whom; null for one that the bank gave."
    )

    @classmethod
    def of(cls, row: AnyTransaction, labels: Sequence[str] = ()) -> TransactionRead:
        """The shape of a booked, vanished or pending transaction."""
        return cls._of_columns(inspect(row).dict, labels)

    @classmethod
    def listed(cls, row: ListedTransaction | PendingTransaction) -> TransactionRead:
        """The shape of a row of a list."""
        if isinstance(row, PendingTransaction):
            return cls.of(row)
        columns = dict(zip(LISTED_NAMES, row, strict=True))
        return cls._of_columns(columns, columns["labels"] or ())

    @classmethod
    def _of_columns(cls, columns: Mapping[str, Any], labels: Sequence[str]) -> TransactionRead:
        currency = columns["currency"]
        rate = columns["exchange_rate"]
        values = {
            **columns,
            "labels": sorted(labels),
            "state": columns.get("state", "pending"),
            "vanished_at": columns.get("vanished_at"),
            "upload_id": columns.get("upload_id"),
            "amount": money(columns["amount"], currency),
            "original_amount": _money(columns["original_amount"], columns["original_currency"] or currency),
            "exchange_rate": format(rate, "f") if rate is not None else None,
            "fee": _money(columns["fee"], currency),
        }
        # The columns have these types already, and every answer is compared with its description by the tests.
        return cls.built({name: values[name] for name in _FIELDS})


_FIELDS: Final = tuple(TransactionRead.model_fields)

Label = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["rent"])]


class LabelsWrite(Shape):
    """All labels that the transaction shall have; an empty list takes them away."""

    labels: Annotated[list[Label], Field(max_length=20)]


class RemovedRead(Shape):
    """A pending transaction that is no longer announced."""

    id: TransactionId
    account_id: AccountId


class TransactionChangesRead(Shape):
    """What changed since the cursor. Ask again with `next_cursor`: at once while `has_more`, later otherwise."""

    added: list[TransactionRead]
    modified: list[TransactionRead] = Field(
        description="Changed or vanished at the bank; booked ones are never removed. One that you do not have yet "
        "changed before you read it: store it like an added one."
    )
    removed: list[RemovedRead] = Field(description="Pending ones that are no longer announced.")
    next_cursor: str = Field(description="Keep it: it is where the next call goes on.")
    has_more: bool


def _money(amount: Decimal | None, currency: str) -> MoneyShape | None:
    return money(amount, currency) if amount is not None else None

"""API shapes of statements."""

from __future__ import annotations

from pydantic import Field

from gateway.api import Day, MomentText, MoneyShape, Shape, money
from gateway.ids import AccountId, ClientId, StatementId, TransactionId
from gateway.statements.models import Statement
from gateway.statements.service import EntryView


class StatementRead(Shape):
    """A numbered period; while it is held it has no number and no file, and says why."""

    id: StatementId
    account_id: AccountId
    client_id: ClientId
    closing_date: Day
    part: int = Field(description="Above 1 only where a day has more than 9,999 entries.")
    state: str = Field(description="`issued` or `held`.")
    proof: str | None = Field(description="`proven`, `proven_by_span` or `derived`.")
    year: int | None
    number: int | None
    opening_balance: MoneyShape
    closing_balance: MoneyShape
    entries_count: int
    credit_total: MoneyShape
    debit_total: MoneyShape
    late_count: int = Field(description="Entries whose booking date lies before the closing date.")
    crosses_period: bool = Field(description="One of them lies in an earlier month.")
    old_balance_date: Day | None
    issued_at: MomentText | None
    file_name: str | None
    sha256: str | None
    hold_code: str | None = Field(description="Why it is held, such as `difference` or `awaiting_bank_balance`.")
    difference: MoneyShape | None = Field(description="The bank's balance less ours.")
    bank_balance: MoneyShape | None
    bank_balance_basis: str | None
    likely_causes: list[str]
    span_from: Day | None
    span_until: Day | None

    @classmethod
    def of(cls, row: Statement) -> StatementRead:
        """The shape of a row."""
        special = {
            "closing_date": row.day,
            "span_from": row.details.get("span_from"),
            "span_until": row.details.get("span_until"),
        }
        amounts = {"opening_balance", "closing_balance", "credit_total", "debit_total", "difference", "bank_balance"}
        for name in amounts:
            value = getattr(row, name)
            special[name] = money(value, row.currency) if value is not None else None
        return cls.model_validate(
            {name: special[name] if name in special else getattr(row, name) for name in cls.model_fields}
        )


class ReversedEntry(Shape):
    """The issued entry that a reversal offsets."""

    statement_id: StatementId
    year: int | None
    number: int | None
    sequence: int


class EntryRead(Shape):
    """An entry as it stands in the file."""

    sequence: int
    transaction_id: TransactionId
    entry_date: Day = Field(description="The date in the file.")
    booking_date: Day = Field(description="The bank's own booking date.")
    value_date: Day | None
    amount: MoneyShape
    bank_reference: str = Field(description="Unique in the account; repeated in every record of the entry.")
    coda_code: str
    coda_code_basis: str
    counterparty_name: str | None
    counterparty_iban: str | None
    remittance_information: str | None
    structured_reference: str | None
    reverses: ReversedEntry | None = Field(
        description="Of a reversal: the issued entry that the bank took back or changed, which this one offsets."
    )

    @classmethod
    def of(cls, view: EntryView) -> EntryRead:
        """The shape of a view."""
        entry, row = view.entry, view.transaction
        return cls(
            sequence=entry.sequence,
            transaction_id=entry.transaction_id,
            entry_date=entry.entry_date,
            booking_date=entry.booking_date,
            value_date=row.value_date,
            amount=money(entry.amount, row.currency),
            bank_reference=entry.bank_reference,
            coda_code=entry.coda_code or row.coda_code,
            coda_code_basis="reversal" if view.reversed is not None else row.coda_code_basis,
            counterparty_name=row.counterparty_name,
            counterparty_iban=row.counterparty_iban,
            remittance_information=row.remittance_information,
            structured_reference=row.structured_reference,
            reverses=_reversed(view),
        )


def _reversed(view: EntryView) -> ReversedEntry | None:
    if view.reversed is None:
        return None
    entry, statement = view.reversed
    return ReversedEntry(
        statement_id=statement.id, year=statement.year, number=statement.number, sequence=entry.sequence
    )

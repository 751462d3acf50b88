"""API shapes of statements."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from gateway.api import Day, MomentText, MoneyShape, Shape, money
from gateway.ids import AccountId, BankDocumentId, ChainRestartId, ClientId, StatementId, TransactionId, UserId
from gateway.statements.models import ChainRestart, Statement
from gateway.statements.service import EntryView


class StatementRead(Shape):
    """A numbered period; while it is held it has no number and no file, and says why."""

    id: StatementId
    account_id: AccountId
    client_id: ClientId
    closing_date: Day
    part: int = Field(description="Above 1 only where a day has more than 9,999 entries.")
    state: str = Field(
        description="`issued`; `held`; `left_out` where the chain was restarted behind it; `withdrawn` where it is in "
        "no package and was issued anew."
    )
    proof: str | None = Field(
        description="`proven`, `proven_by_span`, `derived`; or `computed`: no balance of the bank has proven it yet."
    )
    restarted: bool = Field(description="The first one after two people restarted the chain at a bank document.")
    restart_id: ChainRestartId | None
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
    import_refused_at: MomentText | None
    import_refusal: str | None = Field(description="The message of the package that refused the file.")
    revision: int = Field(description="1, 2 … for a file that was issued anew; its name ends in `_R1`, `_R2` …")
    replaces_id: StatementId | None = Field(description="The withdrawn statement that this one replaces.")
    withdrawn_at: MomentText | None

    @classmethod
    def of(cls, row: Statement) -> StatementRead:
        """The shape of a row."""
        special = {
            "closing_date": row.day,
            "span_from": row.details.get("span_from"),
            "span_until": row.details.get("span_until"),
            "restarted": row.restart_id is not None,
        }
        amounts = {"opening_balance", "closing_balance", "credit_total", "debit_total", "difference", "bank_balance"}
        for name in amounts:
            value = getattr(row, name)
            special[name] = money(value, row.currency) if value is not None else None
        return cls.model_validate(
            {name: special[name] if name in special else getattr(row, name) for name in cls.model_fields}
        )


class ChainRestartWrite(Shape):
    """A balance of the bank at which the chain goes on."""

    day: Day = Field(description="The last day that is left out; the balance is the one at its end.")
    balance: MoneyShape
    document: Annotated[
        str,
        Field(
            max_length=7_000_000,
            examples=["JVBERi0xLjcK"],
            description="The document of the bank that states it: PDF, PNG or JPEG in base64, at most 5 MiB.",
        ),
    ]


class ChainRestartRead(Shape):
    """A restart that two people of the office decided."""

    id: ChainRestartId
    account_id: AccountId
    day: Day
    balance: MoneyShape
    previous_until: Day | None = Field(description="Up to there the chain was closed; null: it had not begun.")
    previous_balance: MoneyShape | None
    left_out_from: Day
    left_out_entries: int
    document_id: BankDocumentId
    proposer_id: UserId
    confirmer_id: UserId
    restarted_at: MomentText

    @classmethod
    def of(cls, row: ChainRestart, currency: str) -> ChainRestartRead:
        """The shape of a row."""
        columns = {name: getattr(row, name) for name in cls.model_fields}
        before = row.previous_balance
        columns["balance"] = money(row.balance, currency)
        columns["previous_balance"] = money(before, currency) if before is not None else None
        return cls(**columns)


class ImportRefusalWrite(Shape):
    """What the accounting package said of the file."""

    message: Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)] = Field(
        examples=["Uittreksel 012: volgnummer 045 verwacht"]
    )


class WithdrawalWrite(Shape):
    """That this file and all later ones of the account are in no package."""

    next_number: Annotated[int, Field(ge=1, le=999)] | None = Field(
        default=None, description="Corrected number of this file; the later ones of its year follow. Null: as they are."
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

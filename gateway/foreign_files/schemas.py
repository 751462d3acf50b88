"""API shapes of hand-overs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gateway.api import Day, MomentText, MoneyShape, Shape, money
from gateway.foreign_files.labels import FAULTS
from gateway.foreign_files.models import NumberingHandover
from gateway.foreign_files.service import Dropped
from gateway.foreign_files.states import HandoverState
from gateway.i18n import translate
from gateway.ids import ClientId, ForeignFileId, NumberingHandoverId

NumberKey = Literal["coda", "paper"]


class FileFaultRead(Shape):
    """What is wrong, with both values."""

    code: str = Field(examples=["balance_jump"])
    file: str = Field(description="Name of the file; empty where it is about all of them.")
    found: str = Field(description="What the files say; account numbers by their last four digits.")
    expected: str = Field(description="What it should be, or what the bank says.")
    detail: str = Field(description="The same in the caller's language.")

    @classmethod
    def of(cls, stored: dict[str, str], language: str) -> FileFaultRead:
        """The shape of a stored fault."""
        return cls(**stored, detail=in_words(stored, language))


class HandoverRead(Shape):
    """How an account's statements go on after the files of its former source; counts once it is confirmed."""

    id: NumberingHandoverId
    client_id: ClientId
    iban: str
    currency: str
    state: Annotated[HandoverState, Field(strict=False)]
    basis: str = Field(description="`files`, or `typed` by a person.")
    number_key: str = Field(description="The number that the next one follows: `coda` or `paper`.")
    coda_number: int | None = Field(description="Of the last file; null when it was typed.")
    paper_number: int | None
    last_number: int
    closing_date: Day
    closing_balance: MoneyShape
    first_day: Day = Field(description="First day of statements made here.")
    next_number: int = Field(description="Number of the first file made here.")
    files_count: int
    last_file_id: ForeignFileId | None
    faults: list[FileFaultRead] = Field(description="Why it is `refused`, each with both values.")
    created_at: MomentText
    confirmed_at: MomentText | None

    @classmethod
    def of(cls, row: NumberingHandover, language: str) -> HandoverRead:
        """The shape of a row."""
        special = {
            "closing_balance": money(row.closing_balance, row.currency),
            "faults": [FileFaultRead.of(fault, language) for fault in row.faults],
        }
        return cls.model_validate(
            {name: special[name] if name in special else getattr(row, name) for name in cls.model_fields}
        )


class DroppedRead(Shape):
    """What became of the files that were sent."""

    items: list[HandoverRead] = Field(description="One per account.")
    refused_files: list[FileFaultRead] = Field(description="Files that were not taken, each with its cause.")

    @classmethod
    def of(cls, dropped: Dropped, language: str) -> DroppedRead:
        """The shape of what became of them."""
        return cls(
            items=[HandoverRead.of(row, language) for row in dropped.handovers],
            refused_files=[FileFaultRead.of(fault.stored(), language) for fault in dropped.refused],
        )


class HandoverWrite(Shape):
    """Number, day and balance of the last file of the former source, as the package shows them."""

    client_id: ClientId
    iban: Annotated[str, Field(min_length=5, max_length=42, examples=["BE12310291417792"])]
    number: Annotated[int, Field(ge=1, le=999, description="Of the last file, not of the next one.")]
    closing_date: Day
    closing_balance: MoneyShape
    number_key: NumberKey | None = Field(
        default=None, description="Which of the two numbers it is; null: the one the client's package goes by."
    )


def in_words(stored: dict[str, str], language: str) -> str:
    """A fault as a sentence."""
    return translate(language, FAULTS[stored["code"]]).format_map({**stored, "file": stored["file"] or "–"})

"""API shapes of take-over lists."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.api import Shape
from gateway.foreign_files.schemas import FileFaultRead
from gateway.i18n import translate
from gateway.takeover.judging import Judged, Verdict
from gateway.takeover.labels import FEE, REASONS
from gateway.takeover.service import TakeoverList


class TakeoverReasonRead(Shape):
    """Why an account cannot continue, or is to be checked."""

    code: str = Field(examples=["no_booked_balance"])
    detail: str = Field(description="The same in the caller's language.")


class TakeoverAccountRead(Shape):
    """One account of the list."""

    number: str = Field(description="As the list has it, without blanks.")
    iban: str | None = Field(description="Null when the number is none.")
    client: str = Field(description="As the list has it; empty where it says nothing.")
    banks: list[str] = Field(description="Banks here to which the number belongs.")
    kind: str = Field(description="`current`, `savings`, `card`, `loan`, `investment` or `other`.")
    verdict: Annotated[Verdict, Field(strict=False)] = Field(
        description="`continues`; `unsure`: look at the reasons before the mandate is cancelled; `cannot`."
    )
    is_read: bool = Field(description="It is read here already.")
    reasons: list[TakeoverReasonRead]

    @classmethod
    def of(cls, judged: Judged, language: str) -> TakeoverAccountRead:
        """The shape of a judged account."""
        return cls(
            number=judged.listed.number,
            iban=judged.listed.iban,
            client=judged.listed.client,
            banks=list(judged.bank_names),
            kind=str(judged.kind),
            verdict=judged.verdict,
            is_read=judged.is_read,
            reasons=[
                TakeoverReasonRead(code=code, detail=translate(language, REASONS[code])) for code in judged.reasons
            ],
        )


class TakeoverListRead(Shape):
    """What holds of each account before its mandate elsewhere is cancelled; nothing of the list is kept."""

    accounts: list[TakeoverAccountRead]
    notice: str = Field(description="That archiving an account there may not stop the bank's own fee for CODA.")
    refused_files: list[FileFaultRead] = Field(description="Files that could not be used, each with its cause.")

    @classmethod
    def of(cls, found: TakeoverList, language: str) -> TakeoverListRead:
        """The shape of a list."""
        return cls(
            accounts=[TakeoverAccountRead.of(one, language) for one in found.accounts],
            notice=translate(language, FEE),
            refused_files=[FileFaultRead.of(fault.stored(), language) for fault in found.refused],
        )

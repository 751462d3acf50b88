"""API shapes of uploads."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from gateway.accounts.models import Account
from gateway.api import Day, MomentText, MoneyShape, Shape, money
from gateway.ids import AccountId, ClientId, StatementUploadId, encode
from gateway.statement_uploads.labels import in_words
from gateway.statement_uploads.models import StatementUploadFile, StatementUploadPart
from gateway.statement_uploads.service import UploadView
from gateway.statement_uploads.states import UploadState

ACTORS: Final = {"user": "user", "machine": "credential", "app": "application", "system": "office"}
"""Kinds of senders, with the kinds of their ids."""


class UploadFaultRead(Shape):
    """Why a file or the statements of an account are refused, with both values."""

    code: str = Field(examples=["balance_differs"])
    file: str = Field(description="Name of the file; empty where it is about an account.")
    found: str = Field(description="What the files say; account numbers by their last four digits.")
    expected: str = Field(description="What is known, or what would do.")
    day: Day | None = Field(description="The day it is about, where it is about one.")
    detail: str = Field(description="The same in the caller's language.")

    @classmethod
    def of(cls, stored: dict[str, str], language: str) -> UploadFaultRead:
        """The shape of a stored fault."""
        return cls.model_validate(
            {
                "code": stored["code"],
                "file": stored.get("file", ""),
                "found": stored["found"],
                "expected": stored["expected"],
                "day": stored.get("day") or None,
                "detail": in_words(stored, language),
            },
            strict=False,
        )


class UploadedFileRead(Shape):
    """A file as it was sent; kept encrypted."""

    name: str | None
    format: str = Field(description="`coda`, `camt053` or `mt940`.")
    size: int = Field(description="Bytes.")
    sha256: str

    @classmethod
    def of(cls, row: StatementUploadFile) -> UploadedFileRead:
        """The shape of a row."""
        return cls(name=row.name, format=row.format, size=row.size, sha256=row.sha256)


class UploadPartRead(Shape):
    """What the statements of one account come to. With `faults` nothing of it is taken in."""

    account_id: AccountId
    first_day: Day
    last_day: Day
    opening_balance: MoneyShape = Field(description="At the end of the day before `first_day`.")
    closing_balance: MoneyShape
    statements_count: int
    added_count: int = Field(description="Entries to add; those added, once it is confirmed.")
    late_count: int = Field(description="Of these, booked before the period of their statement.")
    known_count: int = Field(description="Entries that are there already; none is doubled.")
    faults: list[UploadFaultRead]

    @classmethod
    def of(cls, row: StatementUploadPart, account: Account, language: str) -> UploadPartRead:
        """The shape of a row."""
        return cls(
            account_id=row.account_id,
            first_day=row.first_day,
            last_day=row.last_day,
            opening_balance=money(row.opening_balance, account.currency),
            closing_balance=money(row.closing_balance, account.currency),
            statements_count=row.statements_count,
            added_count=row.added_count,
            late_count=row.late_count,
            known_count=row.known_count,
            faults=[UploadFaultRead.of(fault, language) for fault in row.faults],
        )


class StatementUploadRead(Shape):
    """Statements that somebody uploaded for accounts that are read at their bank."""

    id: StatementUploadId
    client_id: ClientId
    state: Annotated[UploadState, Field(strict=False)] = Field(
        description="`proposed`: nothing is taken in before it is confirmed; `refused`: no account's statements fit."
    )
    uploaded_by_kind: str = Field(description="As in the audit chain: `user`, `machine`, `app` or `system`.")
    uploaded_by: str = Field(description="Id of who sent it.")
    created_at: MomentText
    confirmed_at: MomentText | None
    files: list[UploadedFileRead]
    accounts: list[UploadPartRead]
    refused_files: list[UploadFaultRead] = Field(description="Files that were not taken, each with its cause.")

    @classmethod
    def of(cls, view: UploadView, language: str) -> StatementUploadRead:
        """The shape of a view."""
        row = view.row
        return cls(
            id=row.id,
            client_id=row.client_id,
            state=UploadState(row.state),
            uploaded_by_kind=row.creator_kind,
            uploaded_by=encode(ACTORS[row.creator_kind], row.creator_id),
            created_at=row.created_at,
            confirmed_at=row.confirmed_at,
            files=[UploadedFileRead.of(file) for file in view.files],
            accounts=[UploadPartRead.of(part, account, language) for part, account in view.parts],
            refused_files=[UploadFaultRead.of(fault, language) for fault in row.refused_files],
        )

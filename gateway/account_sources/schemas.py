"""API shapes of sources and bank-made files."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.account_sources.declared import source_of
from gateway.account_sources.files import BankFileView
from gateway.account_sources.states import BankFileState, Source
from gateway.accounts.models import Account
from gateway.api import Day, MomentText, Shape
from gateway.foreign_files.schemas import FileFaultRead
from gateway.ids import AccountId, BankFileId, ClientId


class SourceWrite(Shape):
    """Another source of an account, and from which day."""

    source: Annotated[Source, Field(strict=False)]
    from_day: Day = Field(description="First day whose statement comes from it: the day after the last one before.")


class SourceRead(Shape):
    """Where an account's statements come from."""

    account_id: AccountId
    source: Annotated[Source, Field(strict=False)]
    from_day: Day | None = Field(description="First day of this source; null: since the beginning.")

    @classmethod
    def of(cls, account: Account) -> SourceRead:
        """The shape of an account's source."""
        return cls(account_id=account.id, source=source_of(account), from_day=account.source_from)


class BankFileRead(Shape):
    """A file of one account as its bank made it."""

    id: BankFileId
    account_id: AccountId
    client_id: ClientId
    state: Annotated[BankFileState, Field(strict=False)] = Field(
        description="`passed_on` byte for byte; `held` where another source gives its days, until a person chooses; "
        "`set_aside`: that person chose the other source."
    )
    source: str = Field(description="The declared source of the account: when it came, or when it was passed on.")
    origin: str = Field(description="Always `bank-made`: never mixed with files that are made here.")
    first_day: Day
    last_day: Day
    name: str | None = Field(description="As it was sent.")
    size: int = Field(description="Bytes.")
    sha256: str
    created_at: MomentText

    @classmethod
    def of(cls, view: BankFileView) -> BankFileRead:
        """The shape of a view."""
        row = view.row
        return cls(
            id=row.id,
            account_id=row.account_id,
            client_id=row.client_id,
            state=BankFileState(row.state),
            source=row.source,
            origin="bank-made",
            first_day=row.first_day,
            last_day=row.last_day,
            name=view.name,
            size=view.size,
            sha256=view.sha256,
            created_at=row.created_at,
        )


class BankFilesRead(Shape):
    """What became of files that were sent."""

    items: list[BankFileRead]
    refused_files: list[FileFaultRead] = Field(description="Files that were not taken, each with its cause.")

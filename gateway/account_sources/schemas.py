"""API shapes of sources and bank-made files."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from gateway.account_sources.declared import source_of
from gateway.account_sources.files import BankFileView
from gateway.account_sources.models import SourceSwitch
from gateway.account_sources.shadow import ShadowReport
from gateway.account_sources.states import BankFileState, Source
from gateway.accounts.models import Account
from gateway.api import Day, MomentText, MoneyShape, Shape, money
from gateway.foreign_files.schemas import FileFaultRead
from gateway.ids import AccountId, BankFileId, ClientId, SourceSwitchId


class SourceWrite(Shape):
    """Another source of an account, and from which day."""

    source: Annotated[Source, Field(strict=False)]
    from_day: Day = Field(description="First day whose statement comes from it: the day after the last one before.")
    reason: Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)] | None = Field(
        default=None, description="Why, for whoever looks at the account later."
    )


class SourceRead(Shape):
    """Where an account's statements come from."""

    account_id: AccountId
    source: Annotated[Source, Field(strict=False)]
    from_day: Day | None = Field(description="First day of this source; null: since the beginning.")

    @classmethod
    def of(cls, account: Account) -> SourceRead:
        """The shape of an account's source."""
        return cls(account_id=account.id, source=source_of(account), from_day=account.source_from)


class SourceSwitchRead(Shape):
    """One switch of an account's source."""

    id: SourceSwitchId
    account_id: AccountId
    former: Annotated[Source, Field(strict=False)]
    source: Annotated[Source, Field(strict=False)]
    from_day: Day
    reason: str | None
    created_at: MomentText

    @classmethod
    def of(cls, row: SourceSwitch) -> SourceSwitchRead:
        """The shape of a row."""
        return cls.model_validate({name: getattr(row, name) for name in cls.model_fields})


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


class DifferenceRead(Shape):
    """One thing that differs; empty where one side has nothing."""

    field: str = Field(
        description="Of the day, or `movement.…` of a movement that both have; `movement`: one side alone has it.",
        examples=["movement.value_date"],
    )
    ours: str
    theirs: str
    amount: MoneyShape | None = Field(description="Of the movement it is about.")


class ShadowDayRead(Shape):
    """One day on which either side has a statement."""

    day: Day
    outcome: str = Field(description="`identical`, `identical_in_amounts` or `different`.")
    state: str | None = Field(
        description="Of ours: `compared`, which is proven and gets no number, or `held`; null: no such day was read."
    )
    hold_code: str | None = Field(description="Why it is held.")
    is_in_ours: bool
    is_in_theirs: bool
    ours_count: int = Field(description="Entries.")
    theirs_count: int
    differences: list[DifferenceRead]


class ShadowRead(Shape):
    """A period of one account, ours beside the bank's own files."""

    account_id: AccountId
    date_from: Day
    date_until: Day
    sentence: str = Field(description="In the caller's language.", examples=["31 of 31 days identical in amounts"])
    days_count: int
    identical_count: int
    identical_in_amounts_count: int = Field(description="Wholly identical ones included.")
    days: list[ShadowDayRead]

    @classmethod
    def of(cls, report: ShadowReport, language: str) -> ShadowRead:
        """The shape of a report."""
        currency = report.account.currency
        return cls(
            account_id=report.account.id,
            date_from=report.first,
            date_until=report.last,
            sentence=report.sentence(language),
            days_count=len(report.days),
            identical_count=report.identical,
            identical_in_amounts_count=report.same,
            days=[
                ShadowDayRead(
                    day=day.day,
                    outcome=day.outcome,
                    state=str(day.state) if day.state is not None else None,
                    hold_code=day.hold_code,
                    is_in_ours=day.is_in_ours,
                    is_in_theirs=day.is_in_theirs,
                    ours_count=day.ours_count,
                    theirs_count=day.theirs_count,
                    differences=[
                        DifferenceRead(
                            field=one.field,
                            ours=one.ours,
                            theirs=one.theirs,
                            amount=money(one.amount, currency) if one.amount is not None else None,
                        )
                        for one in day.differences
                    ],
                )
                for day in report.days
            ],
        )

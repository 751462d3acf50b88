"""API shapes of reading stored rows again."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from gateway.api import Day, Shape
from gateway.ids import AccountId, TransactionId
from gateway.remapping.service import Differences


class FieldDifference(Shape):
    """One field, as it is stored and as the present mapping reads it."""

    field: str
    before: Any
    after: Any


class MappingDifference(Shape):
    """One transaction that the present mapping reads otherwise."""

    transaction_id: TransactionId
    is_applicable: bool = Field(description="False: it would move a balance or a day, which only a reading may.")
    fields: list[FieldDifference]


class MappingDifferencesRead(Shape):
    """What the present mapping makes of the stored answers; nothing was changed, and no bank called."""

    account_id: AccountId
    date_from: Day
    date_until: Day
    read: int
    unreadable: int = Field(description="Rows that the present mapping cannot read; they stay as they are.")
    seal: str = Field(description="Stands for exactly these differences; applying them asks for it.")
    differences: list[MappingDifference]

    @classmethod
    def of(cls, found: Differences) -> MappingDifferencesRead:
        """The shape of the differences."""
        return cls(
            account_id=found.account.id,
            date_from=found.first,
            date_until=found.last,
            read=found.read,
            unreadable=found.unreadable,
            seal=found.seal,
            differences=[
                MappingDifference(
                    transaction_id=one.row.id,
                    is_applicable=one.is_applicable,
                    fields=[
                        FieldDifference(field=name, before=_plain(before), after=_plain(after))
                        for name, (before, after) in sorted(one.fields.items())
                    ],
                )
                for one in found.rows
            ],
        )


class MappingApplicationWrite(Shape):
    """Which differences to take over."""

    date_from: Day
    date_until: Day
    seal: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


class MappingApplicationRead(Shape):
    """What was taken over."""

    account_id: AccountId
    changed: int


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | list) else str(value)

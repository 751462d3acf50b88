"""Comparing two files, or many, on what they say: balances, movements and their details, not lines and numbers.

Statements are taken together by account, currency and closing day, so a day in two files equals that day in one.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from coda.fields import ZERO
from coda.meaning import Group, tree
from coda.model import Movement, Statement
from coda.pairing import Pairing, facts_of, pair
from coda.reader import read
from coda.source import Source

Outcome = Literal["identical", "identical_in_amounts", "different"]

_ACCOUNT_FIELDS = ("holder", "description", "bic", "bank_id", "company_id", "extension")
_STATEMENT_FIELDS = ("creation_date", "addressee", "file_reference", "transaction_reference", "related_reference")


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that differs; `a` and `b` are text, "" where nothing stands."""

    field: str
    a: str
    b: str


@dataclass(frozen=True, slots=True)
class ChangedMovement:
    """The same movement on both sides, with what differs; `details` when its details differ."""

    a: Movement
    b: Movement
    differences: tuple[Difference, ...]
    details: "MovementComparison | None" = None


@dataclass(frozen=True, slots=True)
class MovementComparison:
    """What became of the movements of one day, or of the details of one movement."""

    same: int
    changed: tuple[ChangedMovement, ...]
    missing: tuple[Movement, ...]  # in `a` only
    extra: tuple[Movement, ...]  # in `b` only
    is_reordered: bool  # the pairs follow each other differently; no difference by itself

    @property
    def is_same(self) -> bool:
        return not (self.changed or self.missing or self.extra)


@dataclass(frozen=True, slots=True)
class DayComparison:
    """One closing day of one account. `is_in_a` and `is_in_b` say where it occurs."""

    account: str
    currency: str
    day: date | None
    is_in_a: bool
    is_in_b: bool
    differences: tuple[Difference, ...]  # of account, balances and messages
    numbers: tuple[Difference, ...]  # of the statement numbers; no difference by themselves
    movements: MovementComparison
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Comparison:
    """All days of both sides, by account and day."""

    days: tuple[DayComparison, ...]

    @property
    def is_same(self) -> bool:
        """Whether every day is identical; order and numbers of statements and movements do not count."""
        return all(day.outcome == "identical" for day in self.days)

    @property
    def is_same_in_amounts(self) -> bool:
        """Whether balances and amounts are alike on every day."""
        return all(day.outcome != "different" for day in self.days)

    @property
    def missing(self) -> int:
        """Movements that `a` alone has."""
        return sum(len(day.movements.missing) for day in self.days)

    @property
    def extra(self) -> int:
        """Movements that `b` alone has."""
        return sum(len(day.movements.extra) for day in self.days)

    @property
    def changed(self) -> int:
        """Movements that both have, with a difference."""
        return sum(len(day.movements.changed) for day in self.days)

    @property
    def summary(self) -> str:
        """One sentence, such as "31 of 31 days identical in amounts, 29 in everything; 2 movements changed"."""
        count = len(self.days)
        identical = sum(day.outcome == "identical" for day in self.days)
        in_amounts = sum(day.outcome != "different" for day in self.days)
        noun = "day" if count == 1 else "days"
        if identical == count:
            return f"{count} of {count} {noun} identical"
        text = f"{in_amounts} of {count} {noun} identical in amounts, {identical} in everything"
        counts = (("missing", self.missing), ("extra", self.extra), ("changed", self.changed))
        parts = [f"{number} {word}" for word, number in counts if number]
        total = sum(number for _, number in counts)
        return f"{text}; {'movement' if total == 1 else 'movements'}: {', '.join(parts)}" if parts else text

    def as_json(self) -> dict[str, Any]:
        """The whole comparison as values for JSON: amounts as text with three decimals, days as ISO."""
        return {
            "summary": self.summary,
            "same": self.is_same,
            "same_in_amounts": self.is_same_in_amounts,
            "missing": self.missing,
            "extra": self.extra,
            "changed": self.changed,
            "days": [_day_json(day) for day in self.days],
        }


def compare(a: Source | Iterable[Statement], b: Source | Iterable[Statement]) -> Comparison:
    """Compare two files, or two series of statements, on their meaning.

    A series may come from many files: `compare(chain.from_iterable(map(coda.read, ours)), …)`. Files are read with
    `tolerant=True`; `check` tells what is wrong with them. All statements of both sides are in memory.
    Raises `NotCoda` for a file that is no CODA.
    """
    left, right = _by_day(a), _by_day(b)
    keys = sorted({*left, *right}, key=lambda key: (key[0], key[1], key[2] or date.min))
    return Comparison(tuple(_day(key, left.get(key, ()), right.get(key, ())) for key in keys))


_Key = tuple[str, str, date | None]


def _by_day(side: Source | Iterable[Statement]) -> dict[_Key, list[Statement]]:
    days: dict[_Key, list[Statement]] = {}
    for statement in _statements(side):
        account = statement.account
        days.setdefault((account.number, account.currency, statement.closing_date), []).append(statement)
    return days


def _statements(side: Source | Iterable[Statement]) -> Iterator[Statement]:
    if isinstance(side, (str, bytes, bytearray)) or hasattr(side, "read") or hasattr(side, "__fspath__"):
        yield from read(side, tolerant=True)  # type: ignore[arg-type]  # a path or a stream, told apart above
    else:
        yield from side


def _day(key: _Key, ours: Sequence[Statement], theirs: Sequence[Statement]) -> DayComparison:
    pairing = pair(_groups(ours), _groups(theirs))
    movements = _movements(pairing)
    differences = _differences(_day_facts(ours), _day_facts(theirs)) if ours and theirs else ()
    same_balances = not any(each.field.endswith("balance") for each in differences)
    same_amounts = _amounts(ours) == _amounts(theirs)
    # A day without movements may be left out altogether.
    is_alike = (ours and theirs) or not (_amounts(ours) or _amounts(theirs))
    outcome: Outcome = "different"
    if is_alike and same_balances and same_amounts:
        outcome = "identical" if movements.is_same and not differences else "identical_in_amounts"
    return DayComparison(
        account=key[0],
        currency=key[1],
        day=key[2],
        is_in_a=bool(ours),
        is_in_b=bool(theirs),
        differences=differences,
        numbers=_differences(_numbers(ours), _numbers(theirs)) if ours and theirs else (),
        movements=movements,
        outcome=outcome,
    )


def _groups(statements: Sequence[Statement]) -> Iterator[Group]:
    for statement in statements:
        yield from tree(statement)


def _amounts(statements: Sequence[Statement]) -> list[Decimal]:
    return sorted(movement.amount for statement in statements for movement in statement.entries())


def _movements(pairing: Pairing) -> MovementComparison:
    changed = []
    for one, other in pairing.changed:
        details = _movements(pair(one.group.details, other.group.details))
        differences = _differences(one.facts, other.facts)
        changed.append(ChangedMovement(one.movement, other.movement, differences, None if details.is_same else details))
    places = [other.position for _, other in pairing.pairs]
    return MovementComparison(
        same=len(pairing.pairs) - len(changed),
        changed=tuple(changed),
        missing=tuple(each.movement for each in pairing.missing),
        extra=tuple(each.movement for each in pairing.extra),
        is_reordered=places != sorted(places),
    )


def _day_facts(statements: Sequence[Statement]) -> dict[str, Any]:
    first, last = statements[0], statements[-1]
    return {
        "old_balance": first.old_balance.amount,
        "new_balance": last.closing_balance,
        "old_balance_date": first.old_balance.date,
        **{f"account.{name}": getattr(first.account, name).strip() for name in _ACCOUNT_FIELDS},
        **{name: getattr(first, name) for name in _STATEMENT_FIELDS},
        "separate_application": first.separate_application,
        "is_duplicate": first.is_duplicate,
        "free_communications": " ".join(
            line.text.strip() for statement in statements for line in statement.free_communications
        ),
    }


def _numbers(statements: Sequence[Statement]) -> dict[str, Any]:
    return {
        "number": [statement.number for statement in statements],
        "paper_number": [statement.old_balance.paper_number for statement in statements],
    }


def _differences(ours: dict[str, Any], theirs: dict[str, Any]) -> tuple[Difference, ...]:
    return tuple(
        Difference(name, _text(value), _text(theirs[name])) for name, value in ours.items() if value != theirs[name]
    )


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case Decimal():
            return f"{value or ZERO:.3f}"
        case date():
            return value.isoformat()
        case bool():
            return "yes" if value else "no"
        case tuple() | list():
            return " | ".join(_text(each) for each in value)
        case _:
            return str(value)


def _day_json(day: DayComparison) -> dict[str, Any]:
    return {
        "account": day.account,
        "currency": day.currency,
        "day": _text(day.day) or None,
        "outcome": day.outcome,
        "in_a": day.is_in_a,
        "in_b": day.is_in_b,
        "differences": _differences_json(day.differences),
        "numbers": _differences_json(day.numbers),
        "movements": _movements_json(day.movements),
    }


def _movements_json(movements: MovementComparison) -> dict[str, Any]:
    return {
        "same": movements.same,
        "reordered": movements.is_reordered,
        "changed": [
            {
                "a": _movement_json(changed.a),
                "b": _movement_json(changed.b),
                "differences": _differences_json(changed.differences),
                "details": _movements_json(changed.details) if changed.details else None,
            }
            for changed in movements.changed
        ],
        "missing": [_movement_json(movement) for movement in movements.missing],
        "extra": [_movement_json(movement) for movement in movements.extra],
    }


def _movement_json(movement: Movement) -> dict[str, Any]:
    said = {name: value if isinstance(value, tuple) else _text(value) for name, value in facts_of(movement).items()}
    return {"sequence": movement.sequence, "detail": movement.detail} | said


def _differences_json(differences: Sequence[Difference]) -> list[dict[str, str]]:
    return [{"field": each.field, "a": each.a, "b": each.b} for each in differences]

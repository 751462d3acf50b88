"""What a statement means: groups as trees, transaction codes in words, accounts by their kind, reasons of returns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from coda.account_zone import is_belgian_number, is_iban
from coda.codes import exists, label, table, type_label
from coda.fields import ZERO
from coda.model import Account, Movement, Statement

_PARENTS = {"5": "1", "6": "2", "7": "2", "8": "3", "9": "7"}  # type of a detail → type of what it is a detail of


@dataclass(frozen=True, slots=True)
class Group:
    """A movement or detail with its own details; only the roots of a tree count in the balance."""

    movement: Movement
    details: tuple["Group", ...] = ()

    @property
    def remainder(self) -> Decimal | None:
        """Amount that the details one level down do not account for; `None` without details.

        Banks leave a remainder, such as the tax on a commission, so one that is not zero is no fault.
        """
        if not self.details:
            return None
        return self.movement.amount - sum((detail.movement.amount for detail in self.details), ZERO)

    def leaves(self) -> Iterator[Movement]:
        """The lowest movements: what to book when details are booked instead of their total."""
        if not self.details:
            yield self.movement
        for detail in self.details:
            yield from detail.leaves()


def tree(statement: Statement) -> tuple[Group, ...]:
    """The movements of a statement, in the order of the file, each with its details below it.

    Levels follow the types: 5 below 1, 6 and 7 below 2, 9 below 7, 8 below 3. A detail whose type says nothing of the
    kind stands below the group that its globalisation code leaves open, else below the movement. Source: CODA 2.6,
    transaction codes, and record 2.1, position 125.
    """
    groups: list[Group] = []
    run: list[Movement] = []
    for movement in statement.movements:
        if run and (not movement.is_detail or movement.sequence != run[0].sequence):
            groups.append(_grouped(run))
            run = []
        run.append(movement)
    if run:
        groups.append(_grouped(run))
    return tuple(groups)


def _grouped(run: Sequence[Movement]) -> Group:
    """The group of a movement and all its details, which follow it."""
    parents: list[int | None] = [None]
    open_levels: list[tuple[int, int]] = []  # globalisation code, index of the record that opened it
    for index, movement in enumerate(run):
        if index:
            parents.append(_parent(run, index, open_levels))
        level = movement.globalisation
        if not level:
            continue
        if any(level == opened for opened, _ in open_levels):
            while open_levels.pop()[0] != level:
                pass
        else:
            open_levels.append((level, index))
    children: list[list[Group]] = [[] for _ in run]
    for index in range(len(run) - 1, 0, -1):
        parent = parents[index]
        assert parent is not None, "every detail stands below an earlier record"
        children[parent].insert(0, Group(run[index], tuple(children[index])))
    return Group(run[0], tuple(children[0]))


def _parent(run: Sequence[Movement], index: int, open_levels: Sequence[tuple[int, int]]) -> int:
    wanted = _PARENTS.get(run[index].transaction_code[:1])
    if wanted is not None:
        for earlier in range(index - 1, -1, -1):
            if run[earlier].transaction_code[:1] == wanted:
                return earlier
    return open_levels[-1][1] if open_levels else 0


@dataclass(frozen=True, slots=True)
class TransactionCode:
    """The eight digits of a transaction code, taken apart."""

    type: str
    family: str
    operation: str
    category: str

    @classmethod
    def of(cls, code: str) -> "TransactionCode":
        """The code of `Movement.transaction_code`; digits that are missing are blank."""
        padded = code.ljust(8)
        return cls(padded[0], padded[1:3], padded[3:5], padded[5:8])

    def __str__(self) -> str:
        return self.type + self.family + self.operation + self.category

    @property
    def exists(self) -> bool:
        """Whether family and operation stand in the table together, or the operation is one of a bank itself."""
        return exists(self.family, self.operation)

    @property
    def usual_sign(self) -> int:
        """-1 for operations that debit (01-49), 1 for those that credit (50-99), 0 for 00 and what is no number.

        The sign of an amount stands in the amount itself; corrections go the other way.
        """
        if not self.operation.isdecimal() or self.operation == "00":
            return 0
        return -1 if int(self.operation) < 50 else 1

    @property
    def is_correction(self) -> bool:
        """Operations 49 and 99: cancellation or correction of an earlier one."""
        return self.operation in ("49", "99")

    @property
    def is_of_the_bank(self) -> bool:
        """Operations 40-48 and 90-98, and categories 700-999: each bank has its own."""
        operation = int(self.operation) if self.operation.isdecimal() else 0
        return 40 <= operation <= 48 or 90 <= operation <= 98 or self.category >= "700"

    def labels(self, language: str = "en") -> tuple[str, str, str, str]:
        """Type, family, operation and category in words; "" for each that the table does not have."""
        codes = table()
        found = (
            codes.families.get(self.family),
            codes.operations.get((self.family, self.operation)),
            codes.categories.get(self.category),
        )
        family, operation, category = (
            (labels.get(language) or labels.get("en", "")) if labels else "" for labels in found
        )
        return type_label(self.type, language), family, operation, category

    def label(self, language: str = "en") -> str:
        """Family, operation and, unless 000, category in one phrase."""
        return label(str(self), language)


@dataclass(frozen=True, slots=True)
class BelgianNumber:
    """Account of structure 0: twelve digits, the last two of which check the others."""

    number: str
    currency: str
    qualification: str = ""
    country: str = ""
    extension: str = ""

    @property
    def is_valid(self) -> bool:
        return is_belgian_number(self.number)

    @property
    def iban(self) -> str:
        """The IBAN of the same account; "" when the check digits are wrong."""
        if not self.is_valid:
            return ""
        check = 98 - int(f"{self.number}111400") % 97  # B is 11 and E is 14; ISO 13616
        return f"BE{check:02d}{self.number}"


@dataclass(frozen=True, slots=True)
class ForeignNumber:
    """Account of structure 1: any foreign number that is no IBAN, without check."""

    number: str
    currency: str


@dataclass(frozen=True, slots=True)
class BelgianIban:
    """Account of structure 2: a Belgian IBAN, with the extension of a sub-account if it has one."""

    number: str
    currency: str
    extension: str = ""

    @property
    def is_valid(self) -> bool:
        return self.number.startswith("BE") and len(self.number) == 16 and is_iban(self.number)


@dataclass(frozen=True, slots=True)
class ForeignIban:
    """Account of structure 3: an IBAN of another country."""

    number: str
    currency: str

    @property
    def is_valid(self) -> bool:
        return is_iban(self.number)


AccountNumber = BelgianNumber | ForeignNumber | BelgianIban | ForeignIban


def account_number(account: Account) -> AccountNumber:
    """The account of a statement by its structure; an unknown structure is read as 0, as the reader does."""
    number, currency = account.number, account.currency
    match account.structure:
        case "1":
            return ForeignNumber(number, currency)
        case "2":
            return BelgianIban(number, currency, account.extension)
        case "3":
            return ForeignIban(number, currency)
        case _:
            return BelgianNumber(number, currency, account.qualification, account.country, account.extension)

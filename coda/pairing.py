"""Pairing the movements of two statements of the same days, though order, numbers and references differ.

First those that say the same in everything, twins one for one; then by ever weaker keys that are unique on both
sides; what is left is paired within one amount by likeness. The result does not depend on the order of either side
beyond twins, and takes a time that grows with the number of movements.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from operator import attrgetter

from coda.account_zone import is_belgian_number
from coda.meaning import BelgianNumber, Group
from coda.model import Movement
from coda.structured import decode

DAYS_APART_MAX = 5  # a transfer booked by one side that much later is still the same; more is another transfer
LIKENESS_PAIRS_MAX = 40_000  # within one amount; above it, movements are taken in the order of their days
LIKENESS_MIN = 1.0  # what movements of different days need in common besides the amount

Facts = dict[str, Hashable]


@dataclass(frozen=True, eq=False)
class Candidate:
    """A movement with its details, and what it says, apart from how and where it says it."""

    group: Group
    position: int

    @property
    def movement(self) -> Movement:
        return self.group.movement

    @cached_property
    def wording(self) -> Hashable:
        """Everything it says, letter for letter; quick to make, and alike only where `signature` is."""
        return wording_of(self.group)

    @cached_property
    def facts(self) -> Facts:
        return facts_of(self.movement)

    @cached_property
    def signature(self) -> Hashable:
        """Everything it says, details too; equal for movements that nothing but place and numbers tells apart."""
        return signature_of(self.group)

    @cached_property
    def words(self) -> frozenset[str]:
        names = ("counterparty_name", "communication", "information")
        said = " ".join(str(self.facts[name]) for name in names)
        return frozenset(re.findall(r"\w+", said.casefold()))


@dataclass(slots=True)
class Pairing:
    """Which movement of one side is which of the other; positions count within each side."""

    pairs: list[tuple[Candidate, Candidate]] = field(default_factory=list)  # in the order of the first side
    changed: list[tuple[Candidate, Candidate]] = field(default_factory=list)  # those that do not say the same
    missing: list[Candidate] = field(default_factory=list)  # on the first side only
    extra: list[Candidate] = field(default_factory=list)  # on the second side only


def pair(first: Iterable[Group], second: Iterable[Group]) -> Pairing:
    """The best pairing of two sides."""
    left = [Candidate(group, position) for position, group in enumerate(first)]
    right = [Candidate(group, position) for position, group in enumerate(second)]
    pairing = Pairing()
    left, right = _by_key(pairing, left, right, lambda each: each.wording, may_repeat=True)
    left, right = _by_key(pairing, left, right, lambda each: each.signature, may_repeat=True)
    same, pairing.pairs = pairing.pairs, []
    for key in _KEYS:
        if not left or not right:
            break
        left, right = _by_key(pairing, left, right, key, may_repeat=False)
    left, right = _by_likeness(pairing, left, right)
    for key in _KEYS_WITHOUT_AMOUNT:
        left, right = _by_key(pairing, left, right, key, may_repeat=False)
    pairing.missing, pairing.extra = left, right
    pairing.changed = sorted(pairing.pairs, key=lambda both: both[0].position)
    pairing.pairs = sorted([*same, *pairing.changed], key=lambda both: both[0].position)
    return pairing


def facts_of(movement: Movement) -> Facts:
    """What a movement says, by name, spelled alike: account numbers as IBAN, BIC without XXX, single blanks."""
    kind = movement.communication_type
    decoded = decode(kind, movement.communication) if kind else None
    texts, parties = [], []
    for each in movement.information:
        words = _single(each.communication)
        if each.communication_type == "001":
            parties.append(_single(each.communication[:70]))
        if words:
            texts.append(f"{each.communication_type or ''} {words}".strip())
    name = _single(movement.counterparty_name)
    # Information 001 repeats the name at full length.
    name = next((party for party in parties if party.startswith(name)), name)
    end_to_end = movement.customer_reference.strip()
    return {
        "amount": movement.amount,
        "entry_date": movement.entry_date,
        "value_date": movement.value_date,
        "transaction_code": movement.transaction_code,
        "reference": decoded.reference if decoded else "",
        "communication": f"{kind or ''} {_single(movement.communication)}".strip(),
        "information": tuple(sorted(texts)),
        "counterparty_account": _iban(movement.counterparty_account),
        "counterparty_name": name,
        "counterparty_bic": movement.counterparty_bic.strip().removesuffix("XXX"),
        "bank_reference": movement.bank_reference.strip(),
        "customer_reference": "" if end_to_end == "NOTPROVIDED" else end_to_end,
        "r_type": movement.r_type.strip(),
        "r_reason": movement.r_reason.strip(),
        "category_purpose": movement.category_purpose.strip(),
        "purpose": movement.purpose.strip(),
    }


def wording_of(group: Group) -> Hashable:
    """Everything a movement and its details say, but numbers and flags of the format."""
    said, details = _WORDING(group.movement), tuple(map(wording_of, group.details))
    information = tuple((each.communication_type, each.communication) for each in group.movement.information)
    return said, information, details


_WORDING = attrgetter(
    *("amount", "entry_date", "value_date", "transaction_code", "communication_type", "communication"),
    *("counterparty_zone", "counterparty_name", "counterparty_bic", "bank_reference", "customer_reference"),
    *("r_type", "r_reason", "category_purpose", "purpose"),
)


def signature_of(group: Group) -> Hashable:
    """Everything a movement and its details say; the details as a multiset."""
    details = tuple(sorted(repr(signature_of(detail)) for detail in group.details))
    return (*facts_of(group.movement).values(), details)


Key = Callable[[Candidate], Hashable]


def _with_amount(*names: str) -> Key:
    """Key of the amount and the named facts; `None`, which pairs with nothing, when one of them is blank."""

    def key(candidate: Candidate) -> Hashable:
        values = tuple(candidate.facts[name] for name in names)
        return (candidate.facts["amount"], *values) if all(values) else None

    return key


def _without_amount(*names: str) -> Key:
    def key(candidate: Candidate) -> Hashable:
        values = tuple(candidate.facts[name] for name in names)
        # A credit never becomes a debit by a correction of its amount.
        return (candidate.movement.amount < 0, *values) if all(values) else None

    return key


_KEYS: tuple[Key, ...] = (
    _with_amount("bank_reference"),
    _with_amount("customer_reference"),
    _with_amount("reference", "entry_date"),
    _with_amount("entry_date", "counterparty_account", "communication"),
    _with_amount("entry_date", "counterparty_account"),
    _with_amount("entry_date", "counterparty_name"),
)
_KEYS_WITHOUT_AMOUNT: tuple[Key, ...] = (
    _without_amount("bank_reference"),
    _without_amount("customer_reference"),
    _without_amount("entry_date", "counterparty_account", "communication"),
)


def _by_key(
    pairing: Pairing, left: Sequence[Candidate], right: Sequence[Candidate], key: Key, *, may_repeat: bool
) -> tuple[list[Candidate], list[Candidate]]:
    """Pair what has the same key, and give back what is left of both sides, in order."""
    buckets: dict[Hashable, tuple[list[Candidate], list[Candidate]]] = defaultdict(lambda: ([], []))
    for side, candidates in enumerate((left, right)):
        for candidate in candidates:
            value = key(candidate)
            if value is not None:
                buckets[value][side].append(candidate)
    paired: set[int] = set()
    for ours, theirs in buckets.values():
        if may_repeat or len(ours) == len(theirs) == 1:
            for both in zip(ours, theirs, strict=False):
                pairing.pairs.append(both)
                paired.update(map(id, both))
    return [each for each in left if id(each) not in paired], [each for each in right if id(each) not in paired]


def _by_likeness(
    pairing: Pairing, left: Sequence[Candidate], right: Sequence[Candidate]
) -> tuple[list[Candidate], list[Candidate]]:
    """Pair movements of one amount, the most alike first."""
    amounts: dict[Decimal, tuple[list[Candidate], list[Candidate]]] = defaultdict(lambda: ([], []))
    for side, candidates in enumerate((left, right)):
        for candidate in candidates:
            amounts[candidate.movement.amount][side].append(candidate)
    paired: set[int] = set()
    for ours, theirs in amounts.values():
        for both in _most_alike(ours, theirs):
            pairing.pairs.append(both)
            paired.update(map(id, both))
    return [each for each in left if id(each) not in paired], [each for each in right if id(each) not in paired]


def _most_alike(ours: Sequence[Candidate], theirs: Sequence[Candidate]) -> Iterable[tuple[Candidate, Candidate]]:
    if len(ours) * len(theirs) > LIKENESS_PAIRS_MAX:
        ours, theirs = (sorted(side, key=lambda each: repr(each.signature)) for side in (ours, theirs))
        buckets: dict[date | None, list[Candidate]] = defaultdict(list)
        for each in reversed(theirs):
            buckets[each.movement.entry_date].append(each)
        for each in ours:
            if buckets[each.movement.entry_date]:
                yield each, buckets[each.movement.entry_date].pop()
        return
    scored = []
    for one in ours:
        for other in theirs:
            apart = _days_apart(one.movement.entry_date, other.movement.entry_date)
            likeness = _likeness(one, other)
            if apart == 0 or (apart <= DAYS_APART_MAX and likeness >= LIKENESS_MIN):
                # Ties go by what the movements say, so that the order of the lines decides nothing but twins.
                scored.append((-likeness, apart, repr(one.signature), repr(other.signature), one, other))
    scored.sort(key=lambda each: each[:4])
    used: set[int] = set()
    for *_, one, other in scored:
        if id(one) not in used and id(other) not in used:
            used.update((id(one), id(other)))
            yield one, other


def _likeness(one: Candidate, other: Candidate) -> float:
    """How alike two movements of one amount are; no money, so a float will do."""
    weights = {"counterparty_account": 2.0, "reference": 2.0, "counterparty_name": 1.0, "transaction_code": 0.5}
    score = 0.0
    for name, weight in weights.items():
        if one.facts[name] and one.facts[name] == other.facts[name]:
            score += weight
    union = one.words | other.words
    return score + (2.0 * len(one.words & other.words) / len(union) if union else 0.0)


def _days_apart(one: date | None, other: date | None) -> int:
    if one is None or other is None:
        return 0 if one is other else 1
    return abs((one - other).days)


def _single(text: str) -> str:
    return " ".join(text.split())


def _iban(number: str) -> str:
    compact = number.replace(" ", "")
    return BelgianNumber(compact, "").iban if is_belgian_number(compact) else compact

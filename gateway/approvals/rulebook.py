"""Rules as the database keeps them and as the engine (`sepa.approval`) takes them; the rules of any revision.

Ids of users, groups and accounts are UUIDs in text, amounts are text; what a condition leaves out is not written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from gateway.approvals.models import ApprovalRuleVersion
from sepa.approval import ANY, Approver, Conditions, Mode, Rule

SETS: Final = ("creditors", "labels", "debtor_accounts", "categories", "sources", "creditor_states")
AMOUNTS: Final = ("amount_from", "basket_total_from", "creditor_total_24h_from", "creditor_total_30d_from")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleWish:
    """What somebody wants a rule to say. Ids inside `conditions` and `approvers` are UUIDs in text."""

    name: str
    approvers: tuple[Approver, ...]
    conditions: Conditions = ANY
    mode: Mode = Mode.ALL
    count: int = 1
    is_active: bool = True


def conditions_document(conditions: Conditions) -> dict[str, Any]:
    """The conditions given, as JSON."""
    document: dict[str, Any] = {}
    for name in SETS:
        values = getattr(conditions, name)
        if values is not None:
            document[name] = sorted(values)
    for name in AMOUNTS:
        amount = getattr(conditions, name)
        if amount is not None:
            document[name] = f"{amount:f}"
    return document


def approvers_document(approvers: Iterable[Approver]) -> list[dict[str, Any]]:
    """The entries in their order, as JSON."""
    return [
        {
            "user_id": approver.user_id,
            "group_id": approver.group_id,
            "amount_max": None if approver.amount_max is None else f"{approver.amount_max:f}",
        }
        for approver in approvers
    ]


def rule_document(wish: RuleWish) -> dict[str, Any]:
    """What a rule is to say, as JSON; a proposal keeps it so until somebody confirms it."""
    return {
        "name": wish.name,
        "is_active": wish.is_active,
        "conditions": conditions_document(wish.conditions),
        "approvers": approvers_document(wish.approvers),
        "mode": wish.mode.value,
        "count": wish.count,
    }


def wish_of(document: Mapping[str, Any]) -> RuleWish:
    """The wish that `rule_document` wrote."""
    return RuleWish(
        name=document["name"],
        is_active=document["is_active"],
        conditions=conditions_of(document["conditions"]),
        approvers=tuple(map(_approver, document["approvers"])),
        mode=Mode(document["mode"]),
        count=document["count"],
    )


def conditions_of(document: Mapping[str, Any]) -> Conditions:
    """The conditions from JSON; a name this version does not know is an error, since leaving it out would widen."""
    unknown = document.keys() - {*SETS, *AMOUNTS}
    assert not unknown, "a stored rule has only the conditions that were checked when it was made"
    values: dict[str, Any] = {name: frozenset(document[name]) for name in SETS if name in document}
    values |= {name: Decimal(document[name]) for name in AMOUNTS if name in document}
    return Conditions(**values)


def rule_of(row: ApprovalRuleVersion) -> Rule:
    """One version as the engine takes it."""
    return Rule(
        id=str(row.rule_id),
        name=row.name,
        version=row.version,
        is_active=row.is_active,
        conditions=conditions_of(row.conditions),
        mode=Mode(row.mode),
        count=row.count,
        approvers=tuple(map(_approver, row.approvers)),
    )


class Rulebook:
    """Every version of a client's rules."""

    def __init__(self, rows: Iterable[ApprovalRuleVersion]) -> None:
        self._versions: dict[tuple[UUID, int], Rule] = {}
        self._history: dict[UUID, list[tuple[int, Rule]]] = {}
        for row in sorted(rows, key=lambda version: (version.rule_id, version.version)):
            rule = rule_of(row)
            self._versions[row.rule_id, row.version] = rule
            self._history.setdefault(row.rule_id, []).append((row.revision, rule))

    def version(self, rule_id: UUID, version: int) -> Rule:
        """The rule as one version says it."""
        return self._versions[rule_id, version]

    def present(self, rule_id: UUID) -> Rule:
        """The rule as it is now."""
        return self._history[rule_id][-1][1]

    def in_force(self, revision: int) -> list[Rule]:
        """The active rules as they were at a revision of the client's rules, in order of their making."""
        found = []
        for history in self._history.values():
            upto = [rule for since, rule in history if since <= revision]
            if upto and upto[-1].is_active:
                found.append(upto[-1])
        return found

    def asked(self, rule_id: UUID, version: int) -> Rule:
        """A version that applies for certain: its conditions were met when the payment was submitted."""
        return replace(self.version(rule_id, version), conditions=ANY, is_active=True)

    def strictest(self, rule_id: UUID, version: int) -> Rule:
        """As `asked`, each approver's maximum lowered to the present one where that is lower (PAY-13)."""
        rule, present = self.asked(rule_id, version), self.present(rule_id)
        maxima = {
            (entry.user_id, entry.group_id): entry.amount_max
            for entry in present.approvers
            if entry.amount_max is not None
        }
        approvers = tuple(
            replace(entry, amount_max=_lower(entry.amount_max, maxima.get((entry.user_id, entry.group_id))))
            for entry in rule.approvers
        )
        return replace(rule, approvers=approvers)


def _approver(entry: Mapping[str, Any]) -> Approver:
    return Approver(
        user_id=entry["user_id"],
        group_id=entry["group_id"],
        amount_max=None if entry["amount_max"] is None else Decimal(entry["amount_max"]),
    )


def _lower(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)

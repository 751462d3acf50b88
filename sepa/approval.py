"""Approval rules: who must still say yes to a payment, decided from data alone.

Pure: no clock, no database, nothing else of this package. Every active rule that matches applies, and a payment is
approved when all of them are met by distinct, presently eligible people who decided on exactly this content (the seal).
Nothing here can be relaxed by a rule: preparers and machines never approve, a payment no rule matches is refused.

One rule asks in one of three modes. `ALL`: each approver entry needs a person of its own, a group entry any one member.
`COUNT`: `count` different people among all entries together. `SEQUENCE`: as `ALL`, one entry after the other in time.
A person counts once per rule, through groups and as deputy too; one decision serves every rule that names the person.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Mode(StrEnum):
    """How many of a rule's approvers must approve."""

    ALL = "all"
    COUNT = "count"
    SEQUENCE = "sequence"


class Verdict(StrEnum):
    """What a person decided."""

    APPROVE = "approve"
    REJECT = "reject"


class State(StrEnum):
    """Where a payment stands. `REFUSED`: it can never be approved as things are; the reasons say why."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Approver:
    """One entry of a rule: a user or a group (exactly one of both), each person up to `amount_max` (None: no limit)."""

    user_id: str | None = None
    group_id: str | None = None
    amount_max: Decimal | None = None

    def __post_init__(self) -> None:
        if (self.user_id is None) == (self.group_id is None):
            raise ValueError("an approver is a user or a group")


@dataclass(frozen=True, slots=True)
class Conditions:
    """When a rule applies: all that are given must be met; None means any. Amounts are inclusive lower limits.

    `creditors` holds creditor ids and IBANs alike; `labels` is met by any one of them. `creditor_total_24h_from` and
    `creditor_total_30d_from` look at the rolling totals per creditor, this payment included.
    """

    creditors: frozenset[str] | None = None
    labels: frozenset[str] | None = None
    debtor_accounts: frozenset[str] | None = None
    categories: frozenset[str] | None = None
    sources: frozenset[str] | None = None
    creditor_states: frozenset[str] | None = None
    amount_from: Decimal | None = None
    basket_total_from: Decimal | None = None
    creditor_total_24h_from: Decimal | None = None
    creditor_total_30d_from: Decimal | None = None


ANY = Conditions()


@dataclass(frozen=True, slots=True)
class Rule:
    """An approval rule of one client. `count` belongs to the mode `COUNT`; `version` rises with every change."""

    id: str
    approvers: tuple[Approver, ...]
    name: str = ""
    version: int = 1
    is_active: bool = True
    conditions: Conditions = ANY
    mode: Mode = Mode.ALL
    count: int = 1

    def __post_init__(self) -> None:
        if not self.approvers:
            raise ValueError("a rule names at least one approver")
        if self.count < 1:
            raise ValueError("a rule asks at least one person")

    @property
    def needed(self) -> int:
        """How many different people it asks."""
        return self.count if self.mode is Mode.COUNT else len(self.approvers)

    @property
    def is_catch_all(self) -> bool:
        """Whether it applies to every payment."""
        return self.is_active and self.conditions == ANY


@dataclass(frozen=True, slots=True)
class Subject:
    """What is to be approved, in the form it was shown. `preparers`: everyone who made or changed it (APP-06).

    `creditor_states` may hold several (`new`, `seen`, `changed`, a name-check result). Amounts are in euro.
    """

    id: str
    amount: Decimal
    seal: str
    preparers: frozenset[str]
    basket_total: Decimal = Decimal(0)
    debtor_account: str = ""
    creditors: frozenset[str] = frozenset()
    creditor_states: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    category: str = ""
    source: str = ""
    creditor_total_24h: Decimal = Decimal(0)
    creditor_total_30d: Decimal = Decimal(0)
    needs_two: bool = False
    """Two different people must approve whatever the rules ask: nobody knows which person prepared it."""


@dataclass(frozen=True, slots=True)
class Directory:
    """Who is who at this moment. `people`: active persons who may decide; machines are not among them.

    `groups`: group id to member user ids. `deputies`: user id to those in whose place the user may act now.
    """

    people: frozenset[str]
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)
    deputies: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """One person's decision on the content with this seal.

    `acting_for`: the person whose deputy decided. `rule_versions`: rule id to the version that was shown; a rule that
    has another version since is not served. A rule it does not name is served (it was added later).
    """

    user_id: str
    verdict: Verdict
    seal: str
    decided_at: datetime
    acting_for: str | None = None
    rule_versions: Mapping[str, int] = field(default_factory=dict)

    @property
    def principal(self) -> str:
        """The person whose power was used."""
        return self.acting_for or self.user_id


@dataclass(frozen=True, slots=True)
class Requirement:
    """What one matching rule asks of one subject.

    `given` counts the people whose decisions serve it, `may_act` names those whose approval would bring it further now
    (in a sequence: whose turn it is), `eligible` all it could ask, `available` the most different people it could get.
    """

    rule_id: str
    rule_name: str
    rule_version: int
    needed: int
    given: int
    available: int
    eligible: frozenset[str]
    may_act: frozenset[str]
    is_sequence: bool = False

    @property
    def is_satisfied(self) -> bool:
        return self.given >= self.needed


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a subject is refused: `no_rule_matches`, or `rule_unsatisfiable` with rule, needed and available."""

    code: str
    rule_id: str | None = None
    needed: int = 0
    available: int = 0


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The outcome for one subject. `void` holds the decisions that no longer count because the content changed."""

    subject_id: str
    state: State
    requirements: tuple[Requirement, ...] = ()
    reasons: tuple[Reason, ...] = ()
    void: tuple[Decision, ...] = ()

    @property
    def may_act(self) -> frozenset[str]:
        """Persons who should be asked now.

        Someone whose turn in a sequence comes later is not asked for another rule first, as an early decision would
        not serve the sequence; unless nobody else could move.
        """
        if self.state is not State.WAITING:
            return frozenset()
        open_ones = [requirement for requirement in self.requirements if not requirement.is_satisfied]
        ready = frozenset[str]().union(*(requirement.may_act for requirement in open_ones))
        early = frozenset[str]().union(*(ask.eligible - ask.may_act for ask in open_ones if ask.is_sequence))
        return (ready - early) or ready


class Engine:
    """The rules of one client and the people of this moment, prepared once for many subjects.

    `preparer_may_approve` is the client's own flag (APP-06), off by default.
    """

    def __init__(self, rules: Iterable[Rule], directory: Directory, *, preparer_may_approve: bool = False) -> None:
        self._directory = directory
        self._preparer_may_approve = preparer_may_approve
        self._rules = tuple(rule for rule in rules if rule.is_active)
        self._members = [tuple(self._people_of(approver) for approver in rule.approvers) for rule in self._rules]
        self._panels: dict[tuple[int, tuple[bool, ...], frozenset[str], bool], _Panel] = {}

    def matching_rules(self, subject: Subject) -> list[Rule]:
        """The active rules that apply, in the order given."""
        return [rule for rule in self._rules if _matches(rule.conditions, subject)]

    def evaluate(self, subject: Subject, decisions: Sequence[Decision] = ()) -> Evaluation:
        """Where the subject stands. Decisions on another seal are void; one rejection under its seal ends it."""
        current = [decision for decision in decisions if decision.seal == subject.seal]
        void = tuple(decision for decision in decisions if decision.seal != subject.seal)
        matching = [i for i, rule in enumerate(self._rules) if _matches(rule.conditions, subject)]
        barred = frozenset() if self._preparer_may_approve else subject.preparers
        approvals = self._counting(current, subject.preparers) if current else []
        doubled = self._doubled(subject, matching, barred)
        requirements = tuple(
            self._requirement(i, subject.amount, barred, approvals, is_doubled=i == doubled) for i in matching
        )
        reasons = tuple(
            Reason("rule_unsatisfiable", requirement.rule_id, requirement.needed, requirement.available)
            for requirement in requirements
            if requirement.available < requirement.needed
        )
        if not matching:
            reasons = (Reason("no_rule_matches"),)
        if any(decision.verdict is Verdict.REJECT for decision in current):
            state = State.REJECTED
        elif reasons:
            state = State.REFUSED
        elif all(requirement.is_satisfied for requirement in requirements):
            state = State.APPROVED
        else:
            state = State.WAITING
        return Evaluation(subject.id, state, requirements, reasons, void)

    def faults(self) -> list[Reason]:
        """Why the approval process may not be switched on with these rules (APP-01): empty when it may.

        `catch_all_missing`, and `rule_unsatisfiable` for a rule with too few people even for the smallest amount.
        """
        faults = [] if any(rule.is_catch_all for rule in self._rules) else [Reason("catch_all_missing")]
        for i, rule in enumerate(self._rules):
            available = self._panel(i, rule.conditions.amount_from or Decimal(0), frozenset()).available
            if available < rule.needed:
                faults.append(Reason("rule_unsatisfiable", rule.id, rule.needed, available))
        return faults

    def _people_of(self, approver: Approver) -> frozenset[str]:
        if approver.user_id is not None:
            return self._directory.people & {approver.user_id}
        assert approver.group_id is not None, "an approver is a user or a group"
        return self._directory.people & self._directory.groups.get(approver.group_id, frozenset())

    def _counting(self, decisions: Sequence[Decision], preparers: frozenset[str]) -> list[Decision]:
        """Approvals that may count for some rule, earliest first: by persons, and by deputies who are still that.

        A preparer is never a deputy for the payment, and decides in person only where the client allows it.
        """
        people, deputies = self._directory.people, self._directory.deputies
        approvals = [
            decision
            for decision in decisions
            if decision.verdict is Verdict.APPROVE
            and decision.user_id in people
            and (decision.user_id not in preparers or (self._preparer_may_approve and decision.acting_for is None))
            and (decision.acting_for is None or decision.acting_for in deputies.get(decision.user_id, ()))
        ]
        return sorted(approvals, key=lambda decision: (decision.decided_at, decision.user_id))

    def _doubled(self, subject: Subject, matching: Sequence[int], barred: frozenset[str]) -> int | None:
        """The rule that must ask a second person, when one person could meet all rules of a subject that needs two."""
        if not subject.needs_two or not matching or any(self._rules[i].needed > 1 for i in matching):
            return None
        panels = {i: self._panel(i, subject.amount, barred) for i in matching}
        if not frozenset.intersection(*(panel.eligible for panel in panels.values())):
            return None
        return max(matching, key=lambda i: (panels[i].available, self._rules[i].id))

    def _panel(self, i: int, amount: Decimal, barred: frozenset[str], *, is_doubled: bool = False) -> "_Panel":
        rule = self._rules[i]
        asked = tuple(approver.amount_max is None or amount <= approver.amount_max for approver in rule.approvers)
        key = (i, asked, barred, is_doubled)
        if key not in self._panels:
            entries = tuple(
                members - barred if is_asked else frozenset[str]()
                for members, is_asked in zip(self._members[i], asked, strict=True)
            )
            self._panels[key] = _Panel(replace(rule, mode=Mode.COUNT, count=2) if is_doubled else rule, entries)
        return self._panels[key]

    def _requirement(
        self,
        i: int,
        amount: Decimal,
        barred: frozenset[str],
        approvals: Sequence[Decision],
        *,
        is_doubled: bool = False,
    ) -> Requirement:
        panel = self._panel(i, amount, barred, is_doubled=is_doubled)
        if not approvals:
            return panel.untouched
        rule = self._rules[i]
        serving = [d for d in approvals if d.rule_versions.get(rule.id, rule.version) == rule.version]
        return panel.requirement(serving)


def evaluate(
    subject: Subject,
    rules: Iterable[Rule],
    directory: Directory,
    decisions: Sequence[Decision] = (),
    *,
    preparer_may_approve: bool = False,
) -> Evaluation:
    """One subject on its own; for a basket make one `Engine` and use its `evaluate`."""
    return Engine(rules, directory, preparer_may_approve=preparer_may_approve).evaluate(subject, decisions)


def who_can_act(evaluation: Evaluation, subject: Subject, directory: Directory) -> dict[str, frozenset[str]]:
    """User id to the persons the user may decide for now, the user itself included; deputies only where allowed.

    A deputy who prepared the payment is left out, even when preparers may approve.
    """
    asked = evaluation.may_act
    able = {user_id: frozenset({user_id}) for user_id in asked}
    for deputy, principals in directory.deputies.items():
        if deputy in directory.people and deputy not in subject.preparers and principals & asked:
            able[deputy] = able.get(deputy, frozenset()) | (principals & asked)
    return able


class _Panel:
    """The people one rule may ask for one band of amounts, entry by entry."""

    def __init__(self, rule: Rule, entries: tuple[frozenset[str], ...]) -> None:
        self.rule = rule
        self.entries = entries
        self.eligible = frozenset[str]().union(*entries)
        singles = [frozenset({person}) for person in sorted(self.eligible)]
        self.available = len(singles) if rule.mode is Mode.COUNT else _matched(entries, singles)
        self.untouched = self.requirement([])

    def requirement(self, approvals: Sequence[Decision]) -> Requirement:
        """What the rule has and wants; `approvals` are in order of time and may hold people it does not name."""
        serving = [decision for decision in approvals if decision.principal in self.eligible]
        if self.rule.mode is Mode.SEQUENCE:
            given, may_act = self._sequence(serving)
        else:
            given, may_act = self._at_once(serving)
        return Requirement(
            rule_id=self.rule.id,
            rule_name=self.rule.name,
            rule_version=self.rule.version,
            needed=self.rule.needed,
            given=given,
            available=self.available,
            eligible=self.eligible,
            may_act=may_act,
            is_sequence=self.rule.mode is Mode.SEQUENCE,
        )

    def _at_once(self, serving: Sequence[Decision]) -> tuple[int, frozenset[str]]:
        persons = _persons(serving)
        if self.rule.mode is Mode.COUNT:
            given = min(len(persons), self.rule.count)
            is_open = given < self.rule.count
            return given, self.eligible.difference(*_identities(serving)) if is_open else frozenset()
        given = _matched(self.entries, persons)
        if given == len(self.entries):
            return given, frozenset()
        fresh = self.eligible.difference(*_identities(serving))
        if not persons:
            return given, fresh
        helps = (person for person in fresh if _matched(self.entries, [*persons, frozenset({person})]) > given)
        return given, frozenset(helps)

    def _sequence(self, serving: Sequence[Decision]) -> tuple[int, frozenset[str]]:
        identity = _identity_map(serving)
        steps, used_sets = _longest_prefix(self.entries, serving, identity)
        if steps == len(self.entries):
            return steps, frozenset()
        rest = self.entries[steps + 1 :]
        may_act: set[str] = set()
        for used in used_sets:
            for person in self.entries[steps] - may_act:
                if identity.get(person, person) in used:
                    continue
                taken = used | {identity.get(person, person)}
                others = [frozenset({p}) for p in sorted(self.eligible) if identity.get(p, p) not in taken]
                if _matched(rest, others) == len(rest):
                    may_act.add(person)
        return steps, frozenset(may_act)


def _matches(conditions: Conditions, subject: Subject) -> bool:
    if conditions is ANY:
        return True
    c, s = conditions, subject
    return (
        (c.amount_from is None or s.amount >= c.amount_from)
        and (c.basket_total_from is None or s.basket_total >= c.basket_total_from)
        and (c.creditor_total_24h_from is None or s.creditor_total_24h >= c.creditor_total_24h_from)
        and (c.creditor_total_30d_from is None or s.creditor_total_30d >= c.creditor_total_30d_from)
        and (c.debtor_accounts is None or s.debtor_account in c.debtor_accounts)
        and (c.categories is None or s.category in c.categories)
        and (c.sources is None or s.source in c.sources)
        and (c.creditor_states is None or not c.creditor_states.isdisjoint(s.creditor_states))
        and (c.labels is None or not c.labels.isdisjoint(s.labels))
        and (c.creditors is None or not c.creditors.isdisjoint(s.creditors))
    )


def _identity_map(decisions: Sequence[Decision]) -> dict[str, str]:
    """Person to the one identity it counts under: a person and those who decided in its place are one."""
    identity: dict[str, str] = {}
    for decision in decisions:
        mine = identity.setdefault(decision.user_id, decision.user_id)
        theirs = identity.setdefault(decision.principal, decision.principal)
        if mine != theirs:
            identity.update({person: mine for person, of in identity.items() if of == theirs})
    return identity


def _identities(decisions: Sequence[Decision]) -> list[frozenset[str]]:
    """The identities with everybody in them, whether acting or represented."""
    joined: dict[str, set[str]] = {}
    for person, of in _identity_map(decisions).items():
        joined.setdefault(of, set()).add(person)
    return [frozenset(persons) for persons in joined.values()]


def _persons(decisions: Sequence[Decision]) -> list[frozenset[str]]:
    """One item per identity: the powers (principals) used under it."""
    identity = _identity_map(decisions)
    joined: dict[str, set[str]] = {}
    for decision in decisions:
        joined.setdefault(identity[decision.user_id], set()).add(decision.principal)
    return [frozenset(powers) for powers in joined.values()]


def _matched(entries: Sequence[frozenset[str]], persons: Sequence[frozenset[str]]) -> int:
    """The most entries that can each have a person of their own (maximum bipartite matching by augmenting paths)."""
    entry_of: dict[int, int] = {}

    def place(entry: int, seen: set[int]) -> bool:
        for i, powers in enumerate(persons):
            if i in seen or entries[entry].isdisjoint(powers):
                continue
            seen.add(i)
            if i not in entry_of or place(entry_of[i], seen):
                entry_of[i] = entry
                return True
        return False

    return sum(place(entry, set()) for entry in range(len(entries)))


def _longest_prefix(
    entries: Sequence[frozenset[str]], decisions: Sequence[Decision], identity: Mapping[str, str]
) -> tuple[int, set[frozenset[str]]]:
    """How many steps of a sequence are done, and the sets of identities that can have done them.

    `decisions` are in order of time. Kept as the set of all (steps, people used) reachable, since taking the earliest
    person for a step may use up the one a later step needs.
    """
    reached: set[tuple[int, frozenset[str]]] = {(0, frozenset())}
    for decision in decisions:
        who = identity[decision.user_id]
        reached |= {
            (steps + 1, used | {who})
            for steps, used in reached
            if steps < len(entries) and who not in used and decision.principal in entries[steps]
        }
    most = max(steps for steps, _ in reached)
    return most, {used for steps, used in reached if steps == most}

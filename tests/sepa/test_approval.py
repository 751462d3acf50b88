from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sepa.approval import (
    Approver,
    Conditions,
    Decision,
    Directory,
    Engine,
    Mode,
    Reason,
    Rule,
    State,
    Subject,
    Verdict,
    evaluate,
    who_can_act,
)

START = datetime(2027, 1, 4, 9, 0, tzinfo=UTC)
SEAL = "v1:seal"


def user(name: str, amount_max: str | None = None) -> Approver:
    return Approver(user_id=name, amount_max=None if amount_max is None else Decimal(amount_max))


def group(name: str, amount_max: str | None = None) -> Approver:
    return Approver(group_id=name, amount_max=None if amount_max is None else Decimal(amount_max))


def subject(amount: str = "100.00", **changes: Any) -> Subject:
    return replace(Subject("pay_1", Decimal(amount), SEAL, frozenset({"preparer"})), **changes)


def approves(*names: str, seal: str = SEAL, **changes: Any) -> list[Decision]:
    return [
        Decision(name, Verdict.APPROVE, seal, START + timedelta(minutes=n), **changes) for n, name in enumerate(names)
    ]


FINANCE = frozenset({"fin1", "fin2", "fin3"})
DIRECTORS = frozenset({"dir1", "dir2"})
PEOPLE = FINANCE | DIRECTORS | {"controller", "preparer"}
DIRECTORY = Directory(PEOPLE, {"finance": FINANCE, "directors": DIRECTORS})
RULE_1 = Rule("rule 1", (group("finance", "5000.00"), group("directors")), mode=Mode.COUNT)
RULE_2 = Rule(
    "rule 2",
    (user("dir1"), user("dir2")),
    mode=Mode.SEQUENCE,
    conditions=Conditions(amount_from=Decimal("5000.01")),
)
RULE_3 = Rule("rule 3", (user("controller"),), conditions=Conditions(creditor_states=frozenset({"changed"})))


class TestWorkedCase:
    """APP-05: 40 payments, two of 6,000.00, one with a changed IBAN."""

    engine = Engine([RULE_1, RULE_2, RULE_3], DIRECTORY)
    payments = (
        *(subject("6000.00", id=f"pay_{n}", seal=f"s{n}") for n in (1, 2)),
        subject("250.00", id="pay_3", seal="s3", creditor_states=frozenset({"changed"})),
        *(subject("250.00", id=f"pay_{n}", seal=f"s{n}") for n in range(4, 41)),
    )

    def test_the_large_ones_need_exactly_the_two_directors_in_sequence(self) -> None:
        for large in self.payments[:2]:
            assert self.engine.evaluate(large).may_act == {"dir1"}
            first = approves("dir1", seal=large.seal)
            assert self.engine.evaluate(large, first).may_act == {"dir2"}
            assert self.engine.evaluate(large, approves("dir1", "dir2", seal=large.seal)).state is State.APPROVED
            outsiders = approves("fin1", "fin2", "controller", "dir1", seal=large.seal)
            assert self.engine.evaluate(large, outsiders).state is State.WAITING

    def test_the_changed_iban_needs_one_of_rule_1_and_the_controller(self) -> None:
        changed = self.payments[2]
        assert self.engine.evaluate(changed).may_act == FINANCE | DIRECTORS | {"controller"}
        assert self.engine.evaluate(changed, approves("controller", seal="s3")).may_act == FINANCE | DIRECTORS
        assert self.engine.evaluate(changed, approves("controller", "fin1", seal="s3")).state is State.APPROVED

    def test_the_other_37_need_one_person(self) -> None:
        assert len(self.payments[3:]) == 37
        for small in self.payments[3:]:
            assert self.engine.evaluate(small).state is State.WAITING
            assert self.engine.evaluate(small, approves("fin3", seal=small.seal)).state is State.APPROVED

    def test_rejecting_payment_17_leaves_39(self) -> None:
        states = []
        for payment in self.payments:
            decisions = approves("controller", "dir1", "dir2", seal=payment.seal)
            if payment.id == "pay_17":
                decisions = [replace(decisions[1], verdict=Verdict.REJECT)]
            states.append((self.engine.evaluate(payment, decisions).state, payment.amount))
        assert [state for state, _ in states].count(State.APPROVED) == 39
        total = sum(amount for state, amount in states if state is State.APPROVED)
        assert total == Decimal("12000.00") + 37 * Decimal("250.00")


def test_a_payment_no_rule_matches_is_refused_never_approved() -> None:
    evaluation = evaluate(subject(), [RULE_2], DIRECTORY, approves("dir1", "dir2"))
    assert evaluation.state is State.REFUSED
    assert evaluation.reasons == (Reason("no_rule_matches"),)
    assert evaluate(subject(), [replace(RULE_1, is_active=False)], DIRECTORY).state is State.REFUSED


def test_too_few_eligible_people_refuse_with_rule_needed_and_available() -> None:
    rule = Rule("three", (group("finance", "50.00"), group("directors")), mode=Mode.COUNT, count=3)
    assert evaluate(subject("50.00"), [rule], DIRECTORY).state is State.WAITING
    assert evaluate(subject("50.01"), [rule], DIRECTORY).reasons == (Reason("rule_unsatisfiable", "three", 3, 2),)


def test_an_approver_below_the_amount_is_not_asked_and_does_not_count() -> None:
    rule = Rule("any", (user("fin1", "100.00"), user("dir1")), mode=Mode.COUNT)
    assert evaluate(subject("100.01"), [rule], DIRECTORY).may_act == {"dir1"}
    assert evaluate(subject("100.01"), [rule], DIRECTORY, approves("fin1")).state is State.WAITING
    assert evaluate(subject("100.00"), [rule], DIRECTORY, approves("fin1")).state is State.APPROVED


def test_one_person_counts_once_per_rule_also_through_groups() -> None:
    directory = Directory(frozenset({"a", "b"}), {"g": frozenset({"a", "b"}), "h": frozenset({"a"})})
    all_of = Rule("all", (group("g"), group("h")))
    assert evaluate(subject(), [all_of], directory, approves("a", "a")).requirements[0].given == 1
    assert evaluate(subject(), [all_of], directory, approves("a")).may_act == {"b"}
    assert evaluate(subject(), [all_of], directory, approves("a", "b")).state is State.APPROVED
    two = Rule("two", (group("g"), user("a")), mode=Mode.COUNT, count=2)
    assert evaluate(subject(), [two], directory, approves("a", "a")).state is State.WAITING


def test_one_decision_serves_every_rule_that_names_the_person() -> None:
    rules = [Rule("1", (user("dir1"),)), Rule("2", (group("directors"),)), Rule("3", (user("dir1"), user("dir2")))]
    evaluation = evaluate(subject(), rules, DIRECTORY, approves("dir1"))
    assert [requirement.given for requirement in evaluation.requirements] == [1, 1, 1]
    assert evaluation.may_act == {"dir2"}


def test_a_preparer_never_counts_unless_the_client_allows_it() -> None:
    rule = Rule("any", (user("preparer"), user("dir1")), mode=Mode.COUNT)
    assert evaluate(subject(), [rule], DIRECTORY, approves("preparer")).state is State.WAITING
    assert evaluate(subject(), [rule], DIRECTORY).may_act == {"dir1"}
    allowed = evaluate(subject(), [rule], DIRECTORY, approves("preparer"), preparer_may_approve=True)
    assert allowed.state is State.APPROVED


def test_a_machine_never_approves_even_when_a_rule_names_it() -> None:
    rule = Rule("any", (user("key_1"), user("dir1")), mode=Mode.COUNT)
    assert evaluate(subject(), [rule], DIRECTORY, approves("key_1")).state is State.WAITING
    only = Rule("only", (user("key_1"),))
    assert evaluate(subject(), [only], DIRECTORY, approves("key_1")).state is State.REFUSED


def test_decisions_on_other_content_are_void_rejections_too() -> None:
    old = approves("dir1", seal="v1:old")
    rejection = replace(old[0], verdict=Verdict.REJECT)
    evaluation = evaluate(subject(), [RULE_1], DIRECTORY, [*old, rejection])
    assert evaluation.state is State.WAITING
    assert evaluation.void == (*old, rejection)


def test_one_rejection_ends_it_whatever_else_was_decided() -> None:
    decisions = [*approves("dir1", "dir2"), Decision("fin1", Verdict.REJECT, SEAL, START)]
    assert evaluate(subject(), [RULE_1], DIRECTORY, decisions).state is State.REJECTED


def test_a_sequence_is_kept_in_time() -> None:
    large = subject("6000.00")
    wrong_order = approves("dir2", "dir1")
    evaluation = evaluate(large, [RULE_2], DIRECTORY, wrong_order)
    assert (evaluation.state, evaluation.requirements[0].given) == (State.WAITING, 1)
    assert evaluation.may_act == {"dir2"}
    again = [*wrong_order, Decision("dir2", Verdict.APPROVE, SEAL, START + timedelta(hours=1))]
    assert evaluate(large, [RULE_2], DIRECTORY, again).state is State.APPROVED


def test_a_sequence_does_not_spend_the_person_a_later_step_needs() -> None:
    directory = Directory(frozenset({"u", "v"}), {"g": frozenset({"u", "v"})})
    rule = Rule("seq", (group("g"), user("u")), mode=Mode.SEQUENCE)
    assert evaluate(subject(), [rule], directory).may_act == {"v"}
    late = approves("u", "v", "u")
    assert evaluate(subject(), [rule], directory, late).state is State.APPROVED


def test_two_sequences_in_opposite_order_do_not_lock_each_other() -> None:
    directory = Directory(frozenset({"a", "b"}))
    rules = [
        Rule("ab", (user("a"), user("b")), mode=Mode.SEQUENCE),
        Rule("ba", (user("b"), user("a")), mode=Mode.SEQUENCE),
    ]
    assert evaluate(subject(), rules, directory).may_act == {"a", "b"}
    assert evaluate(subject(), rules, directory, approves("a", "b", "a")).state is State.APPROVED


def test_a_deputy_and_the_person_count_once() -> None:
    directory = replace(DIRECTORY, deputies={"fin1": frozenset({"dir1"})})
    both = Rule("both", (user("dir1"), group("finance")))
    as_deputy = approves("fin1", acting_for="dir1")
    assert evaluate(subject(), [both], directory, as_deputy).requirements[0].given == 1
    own_too = [*as_deputy, *approves("fin1")]
    assert evaluate(subject(), [both], directory, own_too).requirements[0].given == 1
    assert evaluate(subject(), [both], directory, [*own_too, *approves("fin2")]).state is State.APPROVED


def test_a_deputy_needs_a_valid_deputyship_and_clean_hands() -> None:
    rule = Rule("dir1", (user("dir1"),))
    as_deputy = approves("fin1", acting_for="dir1")
    assert evaluate(subject(), [rule], DIRECTORY, as_deputy).state is State.WAITING
    directory = replace(DIRECTORY, deputies={"fin1": frozenset({"dir1"}), "preparer": frozenset({"dir1"})})
    assert evaluate(subject(), [rule], directory, as_deputy).state is State.APPROVED
    by_preparer = approves("preparer", acting_for="dir1")
    assert evaluate(subject(), [rule], directory, by_preparer).state is State.WAITING
    able = who_can_act(evaluate(subject(), [rule], directory), subject(), directory)
    assert able == {"dir1": {"dir1"}, "fin1": {"dir1"}}


def test_a_decision_shown_another_version_of_a_rule_does_not_serve_it() -> None:
    rule = Rule("r", (user("dir1"),), version=2)
    assert evaluate(subject(), [rule], DIRECTORY, approves("dir1", rule_versions={"r": 1})).state is State.WAITING
    assert evaluate(subject(), [rule], DIRECTORY, approves("dir1", rule_versions={"r": 2})).state is State.APPROVED
    assert evaluate(subject(), [rule], DIRECTORY, approves("dir1", rule_versions={"q": 1})).state is State.APPROVED


@pytest.mark.parametrize(
    ("conditions", "fits", "misses"),
    [
        ({"creditors": {"sup_1"}}, {"creditors": {"sup_1", "BE1"}}, {"creditors": {"sup_2"}}),
        ({"labels": {"a", "b"}}, {"labels": {"b"}}, {"labels": set()}),
        ({"debtor_accounts": {"BE1"}}, {"debtor_account": "BE1"}, {"debtor_account": "BE2"}),
        ({"categories": {"SALA"}}, {"category": "SALA"}, {"category": ""}),
        ({"sources": {"api"}}, {"source": "api"}, {"source": "hand"}),
        ({"creditor_states": {"new"}}, {"creditor_states": {"new", "vop_no_match"}}, {"creditor_states": {"known"}}),
        ({"amount_from": "100"}, {"amount": "100"}, {"amount": "99.99"}),
        ({"basket_total_from": "100"}, {"basket_total": "100"}, {"basket_total": "99.99"}),
        ({"creditor_total_24h_from": "100"}, {"creditor_total_24h": "100"}, {"creditor_total_24h": "99"}),
        ({"creditor_total_30d_from": "100"}, {"creditor_total_30d": "100"}, {"creditor_total_30d": "99"}),
    ],
)
def test_each_condition_decides_whether_the_rule_applies(
    conditions: dict[str, Any], fits: dict[str, Any], misses: dict[str, Any]
) -> None:
    def values(given_values: dict[str, Any], *, money: str) -> dict[str, Any]:
        return {
            name: frozenset(value) if isinstance(value, set) else Decimal(value) if money in name else value
            for name, value in given_values.items()
        }

    def typed(given_values: dict[str, Any]) -> dict[str, Any]:
        return {
            name: Decimal(value) if name == "amount" or "total" in name else value
            for name, value in values(given_values, money="!").items()
        }

    rule = Rule("r", (user("dir1"),), conditions=Conditions(**values(conditions, money="_from")))
    engine = Engine([rule], DIRECTORY)
    assert engine.matching_rules(replace(subject(), **typed(fits))) == [rule]
    assert engine.matching_rules(replace(subject(), **typed(misses))) == []
    assert not rule.is_catch_all


def test_switching_on_needs_a_catch_all_and_only_satisfiable_rules() -> None:
    assert Engine([RULE_1, RULE_2, RULE_3], DIRECTORY).faults() == []
    assert Engine([RULE_2], DIRECTORY).faults() == [Reason("catch_all_missing")]
    empty = Rule("empty", (group("nobody"),))
    assert Engine([RULE_1, empty], DIRECTORY).faults() == [Reason("rule_unsatisfiable", "empty", 1, 0)]


@pytest.mark.parametrize(
    "make",
    [
        Approver,
        lambda: Approver(user_id="a", group_id="g"),
        lambda: Rule("r", ()),
        lambda: Rule("r", (user("a"),), mode=Mode.COUNT, count=0),
    ],
)
def test_a_rule_without_sense_cannot_be_made(make: Any) -> None:
    with pytest.raises(ValueError, match=r"approver|person"):
        make()


# Random rules over few people, so that overlaps, shortages and preparers among approvers are common.
names = st.sampled_from(["a", "b", "c", "d", "e", "key_1"])
groups = st.dictionaries(st.sampled_from(["g", "h"]), st.frozensets(names, max_size=4), max_size=2)
maxima = st.none() | st.sampled_from([Decimal(50), Decimal(150)])
approvers = st.builds(lambda name, most: Approver(user_id=name, amount_max=most), names, maxima) | st.builds(
    lambda name, most: Approver(group_id=name, amount_max=most), st.sampled_from(["g", "h"]), maxima
)
rules_of = st.lists(
    st.builds(
        Rule,
        st.sampled_from(["r1", "r2", "r3"]),
        st.lists(approvers, min_size=1, max_size=3).map(tuple),
        mode=st.sampled_from(list(Mode)),
        count=st.integers(1, 3),
        conditions=st.sampled_from([Conditions(), Conditions(amount_from=Decimal(100))]),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda rule: rule.id,
)
directories = st.builds(Directory, st.frozensets(names.filter(lambda name: name != "key_1")), groups)
subjects = st.builds(
    lambda amount, preparers: subject(amount, preparers=preparers),
    st.sampled_from(["40.00", "100.00", "200.00"]),
    st.frozensets(names, max_size=2),
)
decided = st.lists(st.tuples(names, st.sampled_from([SEAL, SEAL, SEAL, "v1:old"])), max_size=8).map(
    lambda pairs: [
        Decision(name, Verdict.APPROVE, seal, START + timedelta(minutes=n)) for n, (name, seal) in enumerate(pairs)
    ]
)


def could_serve(approver: Approver, name: str, of: Subject, directory: Directory) -> bool:
    members = {approver.user_id} if approver.user_id else directory.groups.get(approver.group_id or "", frozenset())
    is_asked = approver.amount_max is None or of.amount <= approver.amount_max
    return name in members and is_asked and name in directory.people and name not in of.preparers


def is_met(rule: Rule, of: Subject, directory: Directory, decisions: Sequence[Decision]) -> bool:
    """The rule read literally, by trying everything: the engine's second opinion."""
    if rule.mode is Mode.COUNT:
        able = {d.user_id for d in decisions if any(could_serve(a, d.user_id, of, directory) for a in rule.approvers)}
        return len(able) >= rule.count

    def assign(entry: int, used: frozenset[str], after: int) -> bool:
        if entry == len(rule.approvers):
            return True
        return any(
            decision.user_id not in used
            and could_serve(rule.approvers[entry], decision.user_id, of, directory)
            and (rule.mode is Mode.ALL or position >= after)
            and assign(entry + 1, used | {decision.user_id}, position + 1)
            for position, decision in enumerate(decisions)
        )

    return assign(0, frozenset(), 0)


@given(subjects, rules_of, directories, decided)
def test_approved_means_that_every_matching_rule_has_its_distinct_eligible_people(
    of: Subject, rules: list[Rule], directory: Directory, decisions: list[Decision]
) -> None:
    evaluation = evaluate(of, rules, directory, decisions)
    current = [decision for decision in decisions if decision.seal == of.seal]
    matching = [rule for rule in rules if of.amount >= (rule.conditions.amount_from or 0)]
    assert [r.rule_id for r in evaluation.requirements] == [rule.id for rule in matching]
    met = [is_met(rule, of, directory, current) for rule in matching]
    assert [requirement.is_satisfied for requirement in evaluation.requirements] == met
    assert (evaluation.state is State.APPROVED) == (bool(matching) and all(met))


@given(subjects, rules_of, directories, decided, st.randoms(use_true_random=False))
def test_the_order_of_the_list_never_matters_nor_the_times_without_a_sequence(
    of: Subject, rules: list[Rule], directory: Directory, decisions: list[Decision], random: Any
) -> None:
    shuffled = random.sample(decisions, len(decisions))
    before = evaluate(of, rules, directory, decisions)
    assert evaluate(of, rules, directory, shuffled).requirements == before.requirements
    if all(rule.mode is not Mode.SEQUENCE for rule in rules):
        retimed = [replace(d, decided_at=START + timedelta(minutes=n)) for n, d in enumerate(shuffled)]
        assert evaluate(of, rules, directory, retimed).requirements == before.requirements


@given(subjects, rules_of, directories, decided)
def test_an_edit_voids_every_decision(
    of: Subject, rules: list[Rule], directory: Directory, decisions: list[Decision]
) -> None:
    edited = replace(of, seal="v1:edited")
    evaluation = evaluate(edited, rules, directory, decisions)
    assert evaluation.state in (State.WAITING, State.REFUSED)
    assert evaluation.void == tuple(decisions)
    assert all(requirement.given == 0 for requirement in evaluation.requirements)


@given(subjects, rules_of, directories, decided)
def test_preparers_and_machines_neither_count_nor_are_asked(
    of: Subject, rules: list[Rule], directory: Directory, decisions: list[Decision]
) -> None:
    evaluation = evaluate(of, rules, directory, decisions)
    outside = of.preparers | {"key_1"}
    without = [decision for decision in decisions if decision.user_id not in outside]
    assert evaluate(of, rules, directory, without).requirements == evaluation.requirements
    assert evaluation.may_act.isdisjoint(outside)


@given(subjects, rules_of, directories)
def test_asking_those_who_may_act_always_ends_in_approval(of: Subject, rules: list[Rule], directory: Directory) -> None:
    decisions: list[Decision] = []
    evaluation = evaluate(of, rules, directory)
    while evaluation.state is State.WAITING:
        assert evaluation.may_act, "somebody can always act"
        asked = min(evaluation.may_act)
        moment = START + timedelta(minutes=len(decisions))
        decisions.append(Decision(asked, Verdict.APPROVE, SEAL, moment))
        assert len(decisions) < 20
        evaluation = evaluate(of, rules, directory, decisions)
    assert evaluation.state in (State.APPROVED, State.REFUSED)


@given(subjects, rules_of, directories, decided)
def test_one_more_approval_never_takes_anything_away(
    of: Subject, rules: list[Rule], directory: Directory, decisions: list[Decision]
) -> None:
    before = evaluate(of, rules, directory, decisions)
    for name in "abcde":
        later = [*decisions, Decision(name, Verdict.APPROVE, SEAL, START + timedelta(days=1))]
        after = evaluate(of, rules, directory, later)
        assert all(b.given <= a.given for b, a in zip(before.requirements, after.requirements, strict=True))

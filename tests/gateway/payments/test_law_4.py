"""Law 4 as a property: no payment leaves without the distinct people its exact content needs at that moment.

A random client lives through random edits, decisions, replays, role and group changes, rule changes, withdrawals,
exports, first downloads and clock jumps. A model kept beside it, which knows nothing of the engine, tells at each
export and first download whether enough distinct people, none of them a preparer and all of them approvers at this
moment, said yes to exactly this content since it was last submitted.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from gateway.approvals.groups import GroupService
from gateway.approvals.rulebook import RuleWish
from gateway.approvals.rules import RuleService
from gateway.approvals.service import ApprovalService, DecisionWish
from gateway.assembly import Gateway
from gateway.errors import GatewayError
from gateway.identity.rights import ClientRole, Permission
from gateway.payments.errors import ExportVoided
from gateway.payments.exports import ExportService
from gateway.payments.models import Export, Payment
from gateway.payments.repository import ExportRepository
from gateway.payments.service import PaymentService
from gateway.payments.states import ExportState, PaymentState
from gateway.payments.submission import SubmissionService
from sepa.approval import Approver, Conditions, Mode, Verdict
from tests.gateway.payments.scene import ALL, Scene, make_scene

EXAMPLES = int(os.environ.get("LAW_EXAMPLES", "8"))
"""Lives per run; raise it in the environment for a longer search."""
PEOPLE = ("first", "second", "third", "preparer")
AMOUNTS = st.sampled_from([Decimal("10.00"), Decimal("600.00"), Decimal("6000.00")])
SMALL = Decimal("500.00")


@dataclass
class Agreed:
    """What the model knows of one payment since it was last asked about."""

    preparers: set[str]
    content: Decimal
    people: list[str] = field(default_factory=list)
    is_asked: bool = False
    is_twofold: bool = False
    """Whether the second rule applied when it was submitted."""


class Life(RuleBasedStateMachine):
    """One client; the engine's answer is never asked here."""

    gateway: Gateway

    @initialize(count=st.integers(1, 2), large=st.integers(1, 2), mode=st.sampled_from(list(Mode)))
    def begin(self, count: int, large: int, mode: Mode) -> None:
        """Everything needs `count` people of the group; from 500.00 two named ones in some mode as well."""
        self.scene: Scene = make_scene(self.gateway)
        self.scene.person("third", ClientRole.APPROVER, ClientRole.VIEWER)
        self.scene.give("preparer", ClientRole.APPROVER)
        self.scene.give("first", ClientRole.VIEWER)
        self.scene.give("second", ClientRole.VIEWER)
        self.group = self.scene.group("Groep", *PEOPLE)
        self.members = set(PEOPLE)
        self.roles = set(PEOPLE)
        self.count = count
        self.scene.rule("Alles", Approver(group_id=str(self.group)), mode=Mode.COUNT, count=count)
        self.named = ["first", "second"]
        self.large_count = large if mode is Mode.COUNT else 2
        self.large_mode = mode
        self.large = self.scene.rule(
            "Groot", *map(self.scene.user, self.named), mode=mode, count=large, amount_from=SMALL
        )
        self.is_large_active = True
        self.agreed: dict[UUID, Agreed] = {}
        self.seals: dict[UUID, list[str]] = {}
        self.exports: list[Export] = []
        self.left: set[UUID] = set()
        self.start()

    def start(self) -> None:
        """A new basket; those before it go on only through their files."""
        wishes = [self.scene.wish(amount=Decimal(amount)) for amount in ("10.00", "600.00")]
        self.basket, payments = self.scene.basket(*wishes)
        for payment in payments:
            self.agreed[payment.id] = Agreed({"preparer"}, payment.amount)

    @rule(
        who=st.sampled_from(PEOPLE),
        order=st.permutations(PEOPLE),
        between=st.sampled_from(["nothing", "edit", "edit back", "role", "group", "wait"]),
        is_decided_again=st.booleans(),
        later=st.sampled_from(["nothing", "role", "group"]),
    )
    def road(self, who: str, order: list[str], between: str, is_decided_again: bool, later: str) -> None:
        """The whole road in one step, with something happening on the way: single steps seldom get there."""
        for name in set(PEOPLE) - self.roles:
            self.change_role(name)
        for name in set(PEOPLE) - self.members:
            self.change_group(name)
        self.start()
        self.submit()
        self.decide_all(order)
        happens: dict[str, Callable[[], None]] = {
            "nothing": lambda: None,
            "edit": lambda: self.edit(0, Decimal("600.00"), "third"),
            "edit back": self.edit_and_back,
            "role": lambda: self.change_role(who),
            "group": lambda: self.change_group(who),
            "wait": lambda: self.wait(30),
        }
        happens[between]()
        if is_decided_again:
            self.decide_all(order)
        before = len(self.exports)
        self.export(0, is_one=False)
        happens[later]()
        for index in range(before, len(self.exports)):
            self.download(index)

    @rule(order=st.permutations(PEOPLE), between=st.sampled_from(["edit", "edit back"]))
    def road_with_an_edit(self, order: list[str], between: str) -> None:
        """Agreed, changed by an approver or changed and changed back, agreed again, exported."""
        self.road(order[0], order, between, is_decided_again=True, later="nothing")

    # What may happen

    @rule(amount=AMOUNTS)
    def add(self, amount: Decimal) -> None:
        try:
            (outcome,) = PaymentService(self.gateway).add(
                self.scene.act("preparer"), self.basket.id, [self.scene.wish(amount=amount)]
            )
        except GatewayError:
            return
        assert outcome.payment is not None
        self.agreed[outcome.payment.id] = Agreed({"preparer"}, amount)

    @rule()
    def submit(self) -> None:
        if self.attempt(lambda: self.scene.submit(self.basket)):
            for payment in self.scene.payments(self.basket):
                if payment.state is PaymentState.SUBMITTED:
                    self.ask(payment)

    @rule()
    def withdraw(self) -> None:
        version = self.scene.fresh_basket(self.basket.id).version
        if self.attempt(
            lambda: SubmissionService(self.gateway).withdraw(
                self.scene.act("preparer"), self.basket.id, version=version
            )
        ):
            for agreed in self.agreed.values():
                agreed.is_asked, agreed.people = False, []

    @rule(index=st.integers(0, 3), amount=AMOUNTS, by=st.sampled_from(["preparer", "third"]))
    def edit(self, index: int, amount: Decimal, by: str) -> None:
        payment = self.pick(index)
        if by == "third":
            self.scene.give("third", ClientRole.PREPARER)
        service = PaymentService(self.gateway)
        act = self.scene.act(by)
        if payment.amount == amount or not self.attempt(
            lambda: service.edit(act, payment.id, {"amount": amount}, version=payment.version)
        ):
            return
        agreed = self.agreed[payment.id]
        agreed.preparers.add(by)
        agreed.content, agreed.people = amount, []
        now = self.scene.payment(payment)
        agreed.is_asked = False
        if now.state is not PaymentState.DRAFT:
            self.ask(now)

    @rule(index=st.integers(0, 3), who=st.sampled_from(PEOPLE), reject=st.booleans() | st.just(False))
    def decide(self, index: int, who: str, reject: bool) -> None:
        payment = self.pick(index)
        verdict = Verdict.REJECT if reject else Verdict.APPROVE
        if payment.seal is not None and self.attempt(lambda: self.scene.decide(who, payment, verdict)) and not reject:
            self.agreed[payment.id].people.append(who)

    @rule(order=st.permutations(PEOPLE))
    def decide_all(self, order: list[str]) -> None:
        """Everybody says yes to everything, whether asked or not."""
        for who in order:
            for payment in self.scene.payments(self.basket):
                if payment.state is PaymentState.SUBMITTED and self.attempt(
                    lambda p=payment, w=who: self.scene.decide(w, p)
                ):
                    self.agreed[payment.id].people.append(who)

    @rule(index=st.integers(0, 3), who=st.sampled_from(PEOPLE), old=st.integers(0, 5))
    def replay(self, index: int, who: str, old: int) -> None:
        """An approval with any seal ever shown; it counts only when the seal is still the present one."""
        payment = self.pick(index)
        seals = self.seals.get(payment.id, [])
        if not seals:
            return
        seal = seals[old % len(seals)]
        if self.attempt(lambda: self.scene.decide(who, payment, seal=seal)):
            assert seal == payment.seal
            self.agreed[payment.id].people.append(who)

    @rule(index=st.integers(0, 3))
    def decide_as_machine(self, index: int) -> None:
        payment = self.pick(index)
        machine = self.scene.machine("admin", permissions=list(Permission))
        wish = DecisionWish(payment_id=payment.id, seal=payment.seal, verdict=Verdict.APPROVE)
        assert not self.attempt(lambda: ApprovalService(self.gateway).decide(machine, wish))
        assert not self.attempt(lambda: ExportService(self.gateway).create(machine, self.basket.id))

    @rule(who=st.sampled_from(PEOPLE))
    def change_role(self, who: str) -> None:
        if who in self.roles:
            self.scene.take(who, ClientRole.APPROVER)
        else:
            self.scene.give(who, ClientRole.APPROVER)
        self.roles ^= {who}

    @rule(who=st.sampled_from(PEOPLE))
    def change_group(self, who: str) -> None:
        members = self.members ^ {who}
        version = GroupService(self.gateway).group(self.scene.act("administrator"), self.group).group.version
        people = [self.scene.people[name].id for name in members]
        if self.attempt(lambda: self.set_members(people, version)):
            self.members = members

    def set_members(self, people: list[UUID], version: int) -> None:
        """By two administrators, since a rule names the group (APP-12)."""
        act, service = self.scene.act("administrator"), GroupService(self.gateway)
        self.scene.confirm(service.change_group(act, self.group, name="Groep", user_ids=people, version=version))

    @rule()
    def change_rule(self) -> None:
        """Switch the second rule off or on; only what is submitted later feels it."""
        act, service = self.scene.act("administrator"), RuleService(self.gateway)
        version = service.rule(act, self.large.rule_id).version
        wish = RuleWish(
            name="Groot", approvers=tuple(map(self.scene.user, self.named)), mode=self.large_mode,
            count=self.large_count, conditions=Conditions(amount_from=SMALL), is_active=not self.is_large_active,
        )  # fmt: skip
        self.scene.confirm(service.change_rule(act, self.large.rule_id, wish, version=version))
        self.is_large_active = not self.is_large_active

    @rule(hours=st.integers(1, 60))
    def wait(self, hours: int) -> None:
        self.scene.now += timedelta(hours=hours)

    @rule(index=st.integers(0, 3), is_one=st.booleans())
    def export(self, index: int, is_one: bool) -> None:
        payment_ids = [self.pick(index).id] if is_one else None
        made: list[Export] = []
        if self.attempt(lambda: made.extend(self.scene.export(self.basket, payment_ids=payment_ids))):
            for export in made:
                self.exports.append(export)
                for payment in self.inside(export):
                    self.require_people(payment)
                    assert payment.id not in self.left, "a payment is in one live file at most"
                    self.left.add(payment.id)

    @precondition(lambda self: self.exports)
    @rule(index=st.integers(0, 3))
    def download(self, index: int) -> None:
        export = self.exports[index % len(self.exports)]
        fresh = ExportService(self.gateway).get(self.scene.act("exporter"), export.id)
        payments = self.inside(export)
        try:
            content = self.scene.download(export)
        except ExportVoided:
            if fresh.state is ExportState.CREATED:
                for payment in payments:
                    self.left.discard(payment.id)
                    self.agreed[payment.id].people = []
                    self.ask(self.scene.payment(payment))
            return
        if fresh.first_downloaded_at is None:
            for payment in payments:
                self.require_people(payment)
        assert content == self.scene.download(export)

    @invariant()
    def what_left_stays(self) -> None:
        for payment in self.scene.payments(self.basket) if hasattr(self, "basket") else []:
            assert (payment.id in self.left) == (payment.state is PaymentState.EXPORTED)

    # The model

    def edit_and_back(self) -> None:
        """The same content by the same preparer, with nobody's approval."""
        for amount in ("600.00", "10.00"):
            self.edit(0, Decimal(amount), "preparer")

    def require_people(self, payment: Payment) -> None:
        agreed = self.agreed[payment.id]
        assert payment.amount == agreed.content
        assert agreed.is_asked
        assert len(agreed.people) == len(set(agreed.people)), "one person counts once"
        able = [who for who in agreed.people if who in self.roles and who not in agreed.preparers]
        assert len([who for who in able if who in self.members]) >= self.count
        if agreed.is_twofold:
            named = [who for who in able if who in self.named]
            assert len(named) >= self.large_count
            if self.large_mode is Mode.SEQUENCE:
                assert named == self.named

    def ask(self, payment: Payment) -> None:
        agreed = self.agreed[payment.id]
        agreed.is_asked = True
        agreed.is_twofold = self.is_large_active and payment.amount >= SMALL
        assert payment.seal is not None
        self.seals.setdefault(payment.id, []).append(payment.seal)

    def inside(self, export: Export) -> list[Payment]:
        rows, _ = PaymentService(self.gateway).page(self.scene.act("exporter"), ALL, basket_id=export.basket_id)
        ends = self.ends(export)
        return [payment for payment in rows if payment.end_to_end_id in ends]

    def ends(self, export: Export) -> set[str]:
        with self.gateway.database.unit_of_work(self.scene.office.id) as session:
            content = ExportRepository(session).file(self.scene.office.id, export.id).content
        return {part.split("<")[0] for part in content.decode().split("<EndToEndId>")[1:]}

    def pick(self, index: int) -> Payment:
        payments = self.scene.payments(self.basket)
        return payments[index % len(payments)]

    @staticmethod
    def attempt(call: Any) -> bool:
        try:
            call()
        except GatewayError:
            return False
        return True


def test_no_payment_leaves_without_the_people_it_needs(gateway: Gateway) -> None:
    class Run(Life):
        pass

    Run.gateway = gateway
    run_state_machine_as_test(
        Run,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=15,
            deadline=None,
            derandomize=True,
            database=None,
            # Shrinking would take minutes; the steps of a failing life are printed whole.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )

"""Who may approve what: the worked case, preparers, edits, roles, machines."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from gateway.approvals.errors import (
    ApprovalsWaiting,
    CatchAllNeeded,
    ClientAdministratorRequired,
    DecisionOvertaken,
    NoRuleMatches,
    NotAsked,
    PreparerExcluded,
    ProcessNotReady,
    ReasonRequired,
    RuleUnsatisfiable,
    SealChanged,
)
from gateway.approvals.lists import ApprovalLists, View
from gateway.approvals.models import ApprovalRuleVersion
from gateway.approvals.process import ProcessService
from gateway.approvals.rulebook import RuleWish
from gateway.approvals.rules import RuleService
from gateway.approvals.service import ApprovalService, DecisionWish
from gateway.assembly import Gateway
from gateway.errors import RightsError
from gateway.identity.rights import ClientRole, OfficeRole, Permission, PersonRequired, SecondFactorRequired
from gateway.payments.content import ExecutionDate
from gateway.payments.errors import (
    BasketNotDraft,
    PaymentChanged,
    PaymentsBlocked,
    WarningsNotAccepted,
)
from gateway.payments.models import Payment
from gateway.payments.service import PaymentService
from gateway.payments.states import BasketState, PaymentState
from gateway.payments.submission import SubmissionService
from sepa import DateChoice
from sepa.approval import Approver, Conditions, Mode, Verdict
from tests.gateway.payments.scene import ALL, Scene, make_scene
from tests.sepa.samples import GERMAN_IBAN, belgian_iban


def edit(scene: Scene, payment: Payment, *, by: str = "preparer", **changes: Any) -> Payment:
    version = scene.payment(payment).version
    return PaymentService(scene.gateway).edit(scene.act(by), payment.id, changes, version=version)


def waiting_for(scene: Scene, name: str) -> set[int]:
    rows, _ = ApprovalLists(scene.gateway).page(scene.act(name), ALL, view=View.BY_ME)
    return {dossier.payment.position for dossier in rows}


@pytest.fixture
def worked(gateway: Gateway) -> Scene:
    """APP-05: finance team up to 5,000.00, directors without maximum, a controller for a changed IBAN."""
    scene = make_scene(gateway)
    for name in ("finance1", "finance2", "director1", "director2", "controller"):
        scene.person(name, ClientRole.APPROVER)
    finance = scene.group("Financiën", "finance1", "finance2")
    directors = scene.group("Directie", "director1", "director2")
    scene.rule(
        "Eén van",
        Approver(group_id=str(finance), amount_max=Decimal("5000.00")),
        Approver(group_id=str(directors)),
        mode=Mode.COUNT,
    )
    scene.rule(
        "Groot", scene.user("director1"), scene.user("director2"), mode=Mode.SEQUENCE, amount_from=Decimal("5000.01")
    )
    scene.rule("Nieuw IBAN", scene.user("controller"), creditor_states=frozenset({"changed"}))
    return scene


def test_the_worked_case(worked: Scene) -> None:
    scene = worked
    # A creditor that was paid here a month ago, and now has another IBAN.
    known, _ = scene.submitted(scene.wish(creditor_supplier_id="s-3"))
    scene.approve("finance1", *scene.payments(known))
    scene.export(known)
    scene.now += timedelta(days=30)
    wishes = [scene.wish() for _ in range(40)]
    wishes[0] = replace(wishes[0], amount=Decimal("6000.00"))
    wishes[1] = replace(wishes[1], amount=Decimal("6000.00"))
    wishes[2] = replace(wishes[2], creditor_supplier_id="s-3")
    basket, payments = scene.submitted(*wishes)
    assert waiting_for(scene, "director1") == set(range(1, 41))
    assert waiting_for(scene, "director2") == {position for position in range(1, 41) if position not in (1, 2)}
    assert waiting_for(scene, "finance1") == set(range(3, 41))
    assert waiting_for(scene, "controller") == {3}
    # The large ones: the two directors, one after the other, and nobody else.
    with pytest.raises(NotAsked) as refusal:
        scene.approve("director2", payments[0])
    assert refusal.value.parameters["user_ids"].startswith("usr_")
    with pytest.raises(NotAsked):
        scene.approve("finance1", payments[0])
    scene.approve("director1", *payments[:2])
    scene.approve("director2", *payments[:2])
    assert scene.payment(payments[0]).state is PaymentState.APPROVED
    # The changed IBAN: one of rule 1 and the controller.
    scene.approve("finance2", payments[2])
    assert scene.payment(payments[2]).state is PaymentState.SUBMITTED
    scene.approve("controller", payments[2])
    assert scene.payment(payments[2]).state is PaymentState.APPROVED
    # One is rejected, which leaves the others alone.
    scene.decide("finance1", payments[16], Verdict.REJECT)
    for payment in payments[3:16] + payments[17:]:
        scene.approve("finance1", payment)
    assert scene.fresh_basket(basket.id).state is BasketState.APPROVED
    (export,) = scene.export(basket)
    assert export.payment_count == 39
    assert export.total == Decimal("12000.00") + 37 * Decimal("250.00")


def test_nobody_who_prepared_or_changed_a_payment_approves_it(scene: Scene) -> None:
    scene.give("preparer", ClientRole.APPROVER)
    scene.give("first", ClientRole.PREPARER)
    scene.rule("Ook de maker", scene.user("preparer"), scene.user("first"), scene.user("second"), mode=Mode.COUNT)
    _, (payment,) = scene.submitted()
    with pytest.raises(PreparerExcluded):
        scene.approve("preparer", payment)
    with pytest.raises(PreparerExcluded):
        scene.decide("preparer", payment, Verdict.REJECT)
    edit(scene, payment, by="first", labels=["kantoor"])
    with pytest.raises(PreparerExcluded) as refusal:
        scene.approve("first", payment)
    assert refusal.value.parameters["rule_ids"].startswith("rul_")
    scene.approve("second", payment)
    assert scene.payment(payment).state is PaymentState.APPROVED


def test_an_edit_voids_the_approvals_of_that_payment_only(scene: Scene) -> None:
    basket, payments = scene.submitted(scene.wish(), scene.wish())
    scene.approve("first", *payments)
    assert scene.fresh_basket(basket.id).state is BasketState.APPROVED
    seal = scene.payment(payments[0]).seal
    changed = edit(scene, payments[0], amount=Decimal("251.00"))
    assert changed.state is PaymentState.SUBMITTED
    assert scene.payment(payments[1]).state is PaymentState.APPROVED
    assert scene.fresh_basket(basket.id).state is BasketState.SUBMITTED
    with pytest.raises(SealChanged):
        scene.decide("second", payments[0], seal=seal)
    # Changed back, the content is the same as before; the old approval still counts no more.
    edit(scene, payments[0], amount=Decimal("250.00"))
    assert scene.payment(payments[0]).state is PaymentState.SUBMITTED
    assert scene.payment(payments[0]).seal != seal
    scene.approve("first", payments[0])
    assert scene.fresh_basket(basket.id).state is BasketState.APPROVED


def test_an_edit_that_changes_nothing_voids_nothing(scene: Scene) -> None:
    _, (payment,) = scene.submitted()
    scene.approve("first", payment)
    edit(scene, payment, amount=payment.amount)
    assert scene.payment(payment).state is PaymentState.APPROVED


def test_an_edit_that_raises_the_total_asks_further_for_the_others(scene: Scene) -> None:
    scene.rule("Grote mand", scene.user("second"), basket_total_from=Decimal("1000.00"))
    basket, payments = scene.submitted(scene.wish(), scene.wish())
    scene.approve("first", *payments)
    assert scene.fresh_basket(basket.id).state is BasketState.APPROVED
    edit(scene, payments[0], amount=Decimal("900.00"))
    other = scene.payment(payments[1])
    assert other.state is PaymentState.SUBMITTED
    scene.approve("second", other)
    assert scene.payment(other).state is PaymentState.APPROVED
    # The total falls again: nothing is asked anew of the other one, and nothing is forgotten.
    edit(scene, payments[0], amount=Decimal("1.00"))
    assert scene.payment(payments[1]).state is PaymentState.APPROVED


def test_taking_a_payment_out_asks_nobody_again(scene: Scene) -> None:
    basket, payments = scene.submitted(scene.wish(), scene.wish())
    scene.approve("first", payments[0])
    PaymentService(scene.gateway).cancel(scene.act("preparer"), payments[1].id, version=payments[1].version)
    assert scene.fresh_basket(basket.id).state is BasketState.APPROVED
    (export,) = scene.export(basket)
    assert export.payment_count == 1


def test_an_edit_that_blocks_a_payment_puts_it_back_and_repairing_it_asks_again(scene: Scene) -> None:
    basket, payments = scene.submitted(scene.wish(), scene.wish())
    scene.approve("first", *payments)
    blocked = edit(scene, payments[0], creditor_iban="BE00000000000000")
    assert (blocked.state, blocked.check_result, blocked.seal) == (PaymentState.DRAFT, "blocked", None)
    assert scene.fresh_basket(basket.id).state is BasketState.SUBMITTED
    repaired = edit(scene, payments[0], creditor_iban=belgian_iban(77))
    assert repaired.state is PaymentState.SUBMITTED
    scene.approve("second", repaired)
    assert scene.fresh_basket(basket.id).state is BasketState.APPROVED


def test_withdrawing_voids_what_was_agreed(scene: Scene) -> None:
    basket, payments = scene.submitted()
    scene.approve("first", *payments)
    version = scene.fresh_basket(basket.id).version
    view = SubmissionService(scene.gateway).withdraw(scene.act("preparer"), basket.id, version=version)
    assert view.basket.state is BasketState.DRAFT
    scene.submit(basket)
    assert scene.payment(payments[0]).state is PaymentState.SUBMITTED
    scene.approve("first", payments[0])
    assert scene.payment(payments[0]).state is PaymentState.APPROVED


def test_a_payment_that_no_rule_covers_is_refused(gateway: Gateway) -> None:
    scene = make_scene(gateway)
    basket, _ = scene.basket()
    with pytest.raises(NoRuleMatches):
        scene.submit(basket)
    scene.rule("Groot", scene.user("first"), amount_from=Decimal("1000.00"))
    with pytest.raises(NoRuleMatches) as refusal:
        scene.submit(basket)
    assert refusal.value.faults[0].pointer.startswith("/payments/pay_")
    assert scene.fresh_basket(basket.id).state is BasketState.DRAFT


def test_a_rule_with_too_few_people_refuses_the_submission(scene: Scene) -> None:
    scene.rule("Twee", scene.user("first"), scene.user("exporter"), mode=Mode.COUNT, count=2)
    basket, _ = scene.basket()
    with pytest.raises(RuleUnsatisfiable) as refusal:
        scene.submit(basket)
    assert (refusal.value.parameters["needed"], refusal.value.parameters["available"]) == (2, 1)


def test_an_approver_with_a_lower_maximum_is_not_asked(gateway: Gateway) -> None:
    scene = make_scene(gateway)
    scene.rule("Alles", scene.user("first", "100.00"), scene.user("second"), mode=Mode.COUNT)
    _, (payment,) = scene.submitted()
    with pytest.raises(NotAsked):
        scene.approve("first", payment)
    scene.approve("second", payment)


def test_a_waiting_payment_keeps_the_rules_of_its_submission(scene: Scene) -> None:
    service, act = RuleService(scene.gateway), scene.act("administrator")
    _, (payment,) = scene.submitted()
    (rule,), _ = service.rules(act, scene.client.id, ALL)
    both = RuleWish(name="Beiden", approvers=(scene.user("first"), scene.user("second")))
    scene.confirm(service.change_rule(act, rule.rule_id, both, version=1))
    scene.rule("Ook", scene.user("second"))
    scene.approve("first", payment)
    assert scene.payment(payment).state is PaymentState.APPROVED
    _, (later,) = scene.submitted()
    scene.approve("first", later)
    assert scene.payment(later).state is PaymentState.SUBMITTED


def test_a_person_decides_once(scene: Scene) -> None:
    scene.rule("Beiden", scene.user("first"), scene.user("second"))
    _, (payment,) = scene.submitted()
    scene.approve("first", payment)
    with pytest.raises(DecisionOvertaken):
        scene.approve("first", payment)
    scene.approve("second", payment)
    with pytest.raises(DecisionOvertaken):
        scene.approve("second", payment)


def test_machines_and_stale_second_factors_never_decide(scene: Scene) -> None:
    _, (payment,) = scene.submitted()
    wish = DecisionWish(payment_id=payment.id, seal=payment.seal, verdict=Verdict.APPROVE)
    machine = scene.machine("admin", "payments:write", permissions=list(Permission))
    for act, refusal in ((machine, PersonRequired), (scene.act("first", is_fresh=False), SecondFactorRequired)):
        with pytest.raises(refusal):
            ApprovalService(scene.gateway).decide(act, wish)
    for name in ("preparer", "administrator", "exporter"):
        with pytest.raises(RightsError):
            ApprovalService(scene.gateway).decide(scene.act(name), wish)


def test_a_rejection_needs_a_reason(scene: Scene) -> None:
    _, (payment,) = scene.submitted()
    with pytest.raises(ReasonRequired):
        ApprovalService(scene.gateway).decide(
            scene.act("first"), DecisionWish(payment_id=payment.id, seal=payment.seal, verdict=Verdict.REJECT)
        )


def test_the_four_lists(scene: Scene) -> None:
    scene.rule("Label", scene.user("second"), labels=frozenset({"tweede"}))
    _, payments = scene.submitted(scene.wish(), scene.wish(labels=("tweede",)), scene.wish(), scene.wish())
    scene.approve("first", payments[1], payments[2])
    scene.decide("second", payments[3], Verdict.REJECT)
    lists = ApprovalLists(scene.gateway)

    def positions(name: str, view: View) -> list[int]:
        return sorted(row.payment.position for row in lists.page(scene.act(name), ALL, view=view)[0])

    assert positions("first", View.BY_ME) == [1]
    assert positions("first", View.BY_OTHERS) == [2]
    assert positions("second", View.BY_ME) == [1, 2]
    assert positions("first", View.APPROVED) == [3]
    assert positions("first", View.REJECTED) == [4]
    assert lists.count_by_me(scene.act("second")) == 2


def test_rules_change_by_an_administrator_with_a_fresh_second_factor_only(scene: Scene) -> None:
    service = RuleService(scene.gateway)
    wish = RuleWish(name="Alles", approvers=(scene.user("first"),))
    scene.person("office", OfficeRole.ADMIN)
    refusals = (
        (scene.machine("admin", permissions=list(Permission)), PersonRequired),
        (scene.act("administrator", is_fresh=False), SecondFactorRequired),
        (scene.act("first"), RightsError),
        (scene.act("office"), ClientAdministratorRequired),
    )
    for act, refusal in refusals:
        with pytest.raises(refusal):
            service.create_rule(act, scene.client.id, wish)
    scene.take("administrator", ClientRole.ADMINISTRATOR)
    made = service.create_rule(scene.act("office"), scene.client.id, wish)
    assert isinstance(made, ApprovalRuleVersion)
    assert made.version == 1


def test_the_last_rule_for_everything_stays(scene: Scene) -> None:
    service, act = RuleService(scene.gateway), scene.act("administrator")
    (rule,), _ = service.rules(act, scene.client.id, ALL)
    for wish in (
        RuleWish(name="Uit", approvers=(scene.user("first"),), is_active=False),
        RuleWish(name="Smal", approvers=(scene.user("first"),), conditions=_from("1.00")),
    ):
        with pytest.raises(CatchAllNeeded):
            service.change_rule(act, rule.rule_id, wish, version=1)
    scene.rule("Nog een", scene.user("second"))
    service.change_rule(
        act, rule.rule_id, RuleWish(name="Uit", approvers=(scene.user("first"),), is_active=False), version=1
    )


def test_the_process_goes_off_only_when_nothing_waits_and_on_only_when_it_can_work(scene: Scene) -> None:
    _, payments = scene.submitted()
    with pytest.raises(ApprovalsWaiting) as refusal:
        scene.process_off()
    assert refusal.value.parameters["count"] == 1
    scene.approve("first", *payments)
    scene.process_off()
    free, (payment,) = scene.submitted()
    assert (payment.state, payment.approval_basis) == (PaymentState.APPROVED, "process_off")
    assert free.state is BasketState.APPROVED
    scene.rule("Twee", scene.user("first"), scene.user("exporter"))
    service, act = ProcessService(scene.gateway), scene.act("administrator")
    version = service.settings(act, scene.client.id).version
    with pytest.raises(ProcessNotReady) as not_ready:
        service.change_settings(
            act, scene.client.id, is_payment_process_on=True, preparer_may_approve=False, version=version
        )
    assert not_ready.value.faults[0].code == "rule_unsatisfiable"


def test_a_preparer_approves_where_the_client_allows_it(scene: Scene) -> None:
    scene.give("preparer", ClientRole.APPROVER)
    scene.rule("Maker", scene.user("preparer"))
    service, act = ProcessService(scene.gateway), scene.act("administrator")
    version = service.settings(act, scene.client.id).version
    service.change_settings(
        act, scene.client.id, is_payment_process_on=True, preparer_may_approve=True, version=version
    )
    _, (payment,) = scene.submitted()
    scene.approve("preparer", payment)
    scene.approve("first", payment)
    assert scene.payment(payment).state is PaymentState.APPROVED


def test_blocked_payments_stay_behind_and_warnings_are_accepted_by_name(scene: Scene) -> None:
    basket, payments = scene.basket(
        scene.wish(),
        scene.wish(creditor_iban="BE00000000000000"),
        scene.wish(
            creditor_iban=GERMAN_IBAN,
            remittance={"kind": "structured", "issuer": "BBA", "reference": "291417776370"},
        ),
    )
    with pytest.raises(PaymentsBlocked):
        scene.submit(basket)
    with pytest.raises(WarningsNotAccepted) as refusal:
        scene.submit(basket, leave_blocked=True)
    assert refusal.value.parameters["codes"] == "belgian_reference_as_text"
    done = scene.submit(basket, leave_blocked=True, accepted_findings=["belgian_reference_as_text"])
    assert done.left_basket is not None
    assert [p.id for p in scene.payments(done.left_basket)] == [payments[1].id]
    dossier = ApprovalLists(scene.gateway).dossier(scene.act("first"), payments[2].id)
    (acceptance,) = dossier.acceptances
    assert acceptance.accepted_by == scene.people["preparer"].id
    with pytest.raises(BasketNotDraft):
        PaymentService(scene.gateway).add(scene.act("preparer"), basket.id, [scene.wish()])


def test_a_dry_run_tells_what_would_be_asked_and_changes_nothing(scene: Scene) -> None:
    basket, (payment,) = scene.basket()
    preview = scene.submit(basket, is_dry_run=True)
    assert preview.evaluations[payment.id].may_act == {str(scene.people[name].id) for name in ("first", "second")}
    assert scene.fresh_basket(basket.id).state is BasketState.DRAFT


def test_the_execution_date_follows_the_choice(scene: Scene) -> None:
    due = (scene.now + timedelta(days=30)).date()
    wish = scene.wish(due_date=due, execution_date=ExecutionDate(DateChoice.BEFORE_DUE_DATE, days_before=2))
    basket, (payment,) = scene.submitted(wish)
    assert payment.asked_date == due
    with pytest.raises(PaymentChanged):
        PaymentService(scene.gateway).cancel(scene.act("preparer"), payment.id, version=0)
    scene.approve("first", payment)
    scene.export(basket)
    used = scene.payment(payment).used_date
    assert used is not None
    assert used < due


def _from(amount: str) -> Any:
    return Conditions(amount_from=Decimal(amount))

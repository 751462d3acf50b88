"""Rules, groups that rules name and the approval process change with a second administrator (APP-12)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import select

from gateway.approvals.groups import GroupService, GroupView
from gateway.approvals.lapsing import LapsingService
from gateway.approvals.lists import ApprovalLists
from gateway.approvals.models import ApprovalSettings
from gateway.approvals.process import ProcessService
from gateway.approvals.rulebook import RuleWish
from gateway.approvals.rules import RuleService
from gateway.approvals.states import LAPSING_TASK
from gateway.assembly import Gateway
from gateway.audit.models import AuditEntry
from gateway.errors import InputError, NotFound, RightsError
from gateway.identity.people import remove_role, roles_in
from gateway.identity.rights import ClientRole, OfficeRole, Permission, PersonRequired, SecondFactorRequired
from gateway.notices.outbox import opened
from gateway.pagination import PageRequest
from gateway.payments.errors import ExportVoided
from gateway.payments.states import BasketState, PaymentState
from gateway.proposals.errors import ProposalOvertaken, SecondPersonRequired
from gateway.proposals.models import Proposal
from gateway.proposals.service import ProposalService
from gateway.proposals.states import ProposalState
from sepa.approval import Approver, Mode
from tests.gateway.payments.scene import Scene, make_scene

HOUR = timedelta(hours=1)


@pytest.fixture
def scene(gateway: Gateway) -> Scene:
    """Two administrators, `administrator` and `other`, and one rule; nothing was submitted."""
    scene = make_scene(gateway)
    scene.rule("Alles", scene.user("first"), scene.user("second"))
    scene.person("other", ClientRole.ADMINISTRATOR)
    return scene


def rule(scene: Scene, *names: str, name: str = "Nieuw", **more: Any) -> RuleWish:
    return RuleWish(name=name, approvers=tuple(scene.user(one) for one in names), **more)


def waiting(made: object) -> Proposal:
    assert isinstance(made, Proposal)
    assert made.state is ProposalState.PROPOSED
    return made


def present(scene: Scene) -> list[tuple[str, int]]:
    rows, _ = RuleService(scene.gateway).rules(scene.act("administrator"), scene.client.id, PageRequest(50, None))
    return [(row.name, row.version) for row in rows]


def settings(scene: Scene) -> ApprovalSettings:
    return ProcessService(scene.gateway).settings(scene.act("administrator"), scene.client.id)


def switch(scene: Scene, *, by: str = "administrator", is_on: bool = True, preparer: bool = False) -> object:
    return ProcessService(scene.gateway).change_settings(
        scene.act(by), scene.client.id, is_payment_process_on=is_on, preparer_may_approve=preparer,
        version=settings(scene).version,
    )  # fmt: skip


def confirm(scene: Scene, by: str, proposal: Proposal) -> Proposal:
    return ProposalService(scene.gateway).confirm(scene.act(by), proposal.id)


def mails(scene: Scene, template: str) -> set[str]:
    """To whom such a mail is queued."""
    addresses = {someone.user.email: name for name, someone in scene.people.items()}
    queued = opened(scene.gateway, scene.office.id)
    return {addresses[mail.to] for mail in queued if mail.template == template}


def audit(scene: Scene, *actions: str) -> list[AuditEntry]:
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        query = select(AuditEntry).where(AuditEntry.office_id == scene.office.id)
        return [entry for entry in session.exec(query) if entry.action in actions]


def test_a_rule_is_made_and_changed_by_two_administrators(scene: Scene) -> None:
    """APP-12: "change only with a second administrator", before the first submission too."""
    service = RuleService(scene.gateway)
    proposal = waiting(service.create_rule(scene.act("administrator"), scene.client.id, rule(scene, "second")))
    assert proposal.effective_at is None
    assert present(scene) == [("Alles", 1)]
    with pytest.raises(SecondPersonRequired):
        confirm(scene, "administrator", proposal)
    confirm(scene, "other", proposal)
    assert present(scene) == [("Alles", 1), ("Nieuw", 1)]
    made = service.rule(scene.act("administrator"), proposal.id)
    assert made.created_by == scene.people["administrator"].id
    changed = service.change_rule(scene.act("other"), made.rule_id, rule(scene, "first", name="Anders"), version=1)
    confirm(scene, "administrator", waiting(changed))
    assert present(scene) == [("Alles", 1), ("Anders", 2)]
    (first, second) = audit(scene, "approval_rule.created", "approval_rule.changed")[1:]
    assert (first.actor_id, second.actor_id) == (scene.people["other"].id, scene.people["administrator"].id)
    assert {entry.action for entry in audit(scene, "proposal.confirmed")} == {"proposal.confirmed"}


def test_a_rule_proposed_on_an_old_version_is_refused_when_it_is_confirmed(scene: Scene) -> None:
    """APP-12: versioned: who confirms, confirms what was proposed on what was there."""
    service, act = RuleService(scene.gateway), scene.act("administrator")
    (row,) = service.rules(act, scene.client.id, PageRequest(50, None))[0]
    one = waiting(service.change_rule(act, row.rule_id, rule(scene, "first", name="Een"), version=1))
    two = waiting(service.change_rule(act, row.rule_id, rule(scene, "second", name="Twee"), version=1))
    confirm(scene, "other", one)
    with pytest.raises(ProposalOvertaken):
        confirm(scene, "other", two)
    assert present(scene) == [("Een", 2)]
    assert ProposalService(scene.gateway).withdraw(act, two.id).state is ProposalState.WITHDRAWN


def test_a_group_that_no_rule_names_changes_at_once_and_one_that_a_rule_names_does_not(scene: Scene) -> None:
    """APP-12: "groups used in rules"."""
    groups, act = GroupService(scene.gateway), scene.act("administrator")
    group = scene.group("Directie", "first")
    ids = [scene.people["second"].id]
    free = groups.change_group(act, group, name="Directie", user_ids=ids, version=1)
    assert isinstance(free, GroupView)
    assert list(free.user_ids) == ids
    wish = RuleWish(name="Directie", approvers=(Approver(group_id=str(group)),))
    named = waiting(RuleService(scene.gateway).create_rule(act, scene.client.id, wish))
    confirm(scene, "other", named)
    proposal = waiting(groups.change_group(act, group, name="Raad", user_ids=[scene.people["first"].id], version=2))
    assert list(groups.group(act, group).user_ids) == ids
    confirm(scene, "other", proposal)
    assert list(groups.group(act, group).user_ids) == [scene.people["first"].id]
    off = RuleWish(name="Directie", approvers=(scene.user("second"),))
    changed = waiting(RuleService(scene.gateway).change_rule(act, named.id, off, version=1))
    confirm(scene, "other", changed)
    # A payment that waits may still be under the version that names it.
    waiting(groups.change_group(act, group, name="Raad", user_ids=ids, version=3))


def test_a_group_filled_otherwise_while_its_rule_waits_overtakes_the_rule(scene: Scene) -> None:
    """APP-12: the second administrator saw who is in the group."""
    groups, act = GroupService(scene.gateway), scene.act("administrator")
    group = scene.group("Directie", "first")
    wish = RuleWish(name="Directie", approvers=(Approver(group_id=str(group)),))
    proposal = waiting(RuleService(scene.gateway).create_rule(act, scene.client.id, wish))
    groups.change_group(act, group, name="Directie", user_ids=[scene.people["preparer"].id], version=1)
    with pytest.raises(ProposalOvertaken):
        confirm(scene, "other", proposal)


def test_the_process_and_who_may_approve_change_by_two(scene: Scene) -> None:
    """APP-12, APP-06: "`preparer_may_approve`, process on or off"; audited, mailed to all administrators."""
    scene.person("office", OfficeRole.ADMIN)
    off = waiting(switch(scene, is_on=False))
    assert settings(scene).is_payment_process_on
    confirm(scene, "other", off)
    assert not settings(scene).is_payment_process_on
    allowed = waiting(switch(scene, is_on=False, preparer=True))
    overtaken = waiting(switch(scene, is_on=True, preparer=True))
    assert mails(scene, "preparer_may_approve") == set()
    confirm(scene, "other", allowed)
    assert settings(scene).preparer_may_approve
    assert mails(scene, "preparer_may_approve") == {"administrator", "other", "office"}
    with pytest.raises(ProposalOvertaken):
        confirm(scene, "other", overtaken)
    entry = audit(scene, "approval_settings.changed")[-1]
    assert (entry.object_id, entry.actor_id) == (scene.client.id, scene.people["other"].id)


def test_one_administrator_alone_waits_two_days_and_approvers_are_told(gateway: Gateway) -> None:
    """APP-12: "48 hours and notice to all approvers, no wait before the client's first submission"."""
    scene = make_scene(gateway)
    scene.rule("Alles", scene.user("first"), scene.user("second"))
    assert isinstance(switch(scene, preparer=True), ApprovalSettings)
    scene.submitted()
    proposal = waiting(switch(scene))
    assert proposal.effective_at == scene.now + 48 * HOUR
    assert mails(scene, "lone_proposal") == {"administrator", "first", "second"}
    for wait, is_allowed in ((47, True), (49, False)):
        moment = scene.now + wait * HOUR
        ProposalService(replace(gateway, real_now=lambda at=moment: at)).run_due(scene.office.id)
        assert settings(scene).preparer_may_approve is is_allowed


def test_another_administrator_may_confirm_what_one_alone_waits_for(gateway: Gateway) -> None:
    """APP-12: as soon as there is a second one, there is no need to wait."""
    scene = make_scene(gateway)
    scene.rule("Alles", scene.user("first"))
    scene.submitted()
    proposal = waiting(
        RuleService(gateway).create_rule(scene.act("administrator"), scene.client.id, rule(scene, "second"))
    )
    scene.person("other", ClientRole.ADMINISTRATOR)
    confirm(scene, "other", proposal)
    assert present(scene) == [("Alles", 1), ("Nieuw", 1)]


def test_no_key_and_no_client_credential_changes_or_confirms(scene: Scene) -> None:
    """APP-12, SEC-03: "never by a key or client credential", with every right there is."""
    machine = scene.machine("admin", permissions=list(Permission))
    group = scene.group("Directie", "first")
    calls: tuple[Callable[[], object], ...] = (
        lambda: RuleService(scene.gateway).create_rule(machine, scene.client.id, rule(scene, "first")),
        lambda: GroupService(scene.gateway).create_group(machine, scene.client.id, name="X", user_ids=[]),
        lambda: GroupService(scene.gateway).change_group(machine, group, name="X", user_ids=[], version=1),
        lambda: ProcessService(scene.gateway).change_settings(
            machine, scene.client.id, is_payment_process_on=False, preparer_may_approve=True, version=0
        ),
    )
    proposal = waiting(switch(scene, is_on=False))
    calls += (lambda: ProposalService(scene.gateway).confirm(machine, proposal.id),)
    for call in calls:
        with pytest.raises(PersonRequired):
            call()
    with pytest.raises(SecondFactorRequired):
        ProposalService(scene.gateway).confirm(scene.act("other", is_fresh=False), proposal.id)
    with pytest.raises(NotFound):
        ProposalService(scene.gateway).confirm(scene.act("first"), proposal.id)


def test_the_office_stands_in_only_where_the_client_has_no_administrator(scene: Scene) -> None:
    """APP-12: "a client without administrator has its office's admins for this"."""
    for name in ("an", "bo"):
        scene.person(name, OfficeRole.ADMIN)
    proposal = waiting(switch(scene, is_on=False))
    with pytest.raises(RightsError):
        confirm(scene, "an", proposal)
    for name in ("administrator", "other"):
        scene.take(name, ClientRole.ADMINISTRATOR)
    # Who lost the role confirms nothing any more.
    with pytest.raises((RightsError, NotFound)):
        confirm(scene, "other", proposal)
    made = RuleService(scene.gateway).create_rule(scene.act("an"), scene.client.id, rule(scene, "second"))
    confirm(scene, "bo", waiting(made))
    rows, _ = RuleService(scene.gateway).rules(scene.act("an"), scene.client.id, PageRequest(50, None))
    assert [row.name for row in rows] == ["Alles", "Nieuw"]


def test_what_waits_keeps_the_version_of_its_submission(scene: Scene) -> None:
    """APP-12: "a waiting subject keeps the version of its submission, shown to approvers"."""
    service, act = RuleService(scene.gateway), scene.act("administrator")
    (row,) = service.rules(act, scene.client.id, PageRequest(50, None))[0]
    _, (before,) = scene.submitted()
    confirm(scene, "other", waiting(service.change_rule(act, row.rule_id, rule(scene, "second"), version=1)))
    _, (after,) = scene.submitted()
    lists = ApprovalLists(scene.gateway)
    seen = []
    for payment in (before, after):
        evaluation = lists.dossier(scene.act("exporter"), payment.id).evaluation
        assert evaluation is not None
        seen.append([(ask.rule_version, ask.needed) for ask in evaluation.requirements])
    assert seen == [[(1, 2)], [(2, 1)]]
    scene.approve("second", before, after)
    states = [scene.payment(payment).state for payment in (before, after)]
    assert states == [PaymentState.SUBMITTED, PaymentState.APPROVED]


def test_a_flat_proposal_of_a_rule_is_refused(scene: Scene) -> None:
    """What is proposed under the rules' own operations is not proposed past their checks."""
    proposals, act = ProposalService(scene.gateway), scene.act("administrator")
    (row,) = RuleService(scene.gateway).rules(act, scene.client.id, PageRequest(50, None))[0]
    group = scene.group("Directie", "first")
    for kind, object_id, content in (
        ("approval_rule.create", scene.client.id, {"rule": "Alles"}),
        ("approval_rule.change", row.rule_id, {"version": 1}),
        ("approver_group.change", group, {"version": 1, "name": "X"}),
        ("approval_settings.change", scene.client.id, {"version": True}),
    ):
        with pytest.raises(InputError):
            proposals.propose(act, kind, object_id, content, client_id=scene.client.id)


def queued(scene: Scene) -> int:
    """Jobs that look whether approvals still hold."""
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        query = text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = :name AND args->>'client_id' = :client")
        found: int = session.execute(query, {"name": LAPSING_TASK, "client": str(scene.client.id)}).scalar_one()
    return found


def lose_role(scene: Scene) -> None:
    act = scene.gateway.system_act(scene.office.id)
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        for held in roles_in(session, scene.office.id, scene.people["first"].id):
            remove_role(scene.gateway, session, act, held)


def be_suspended(scene: Scene) -> None:
    for name in ("an", "bo"):
        scene.person(name, OfficeRole.ADMIN)
    content = {"event": "death", "document_reference": "Akte 2026/12"}
    act = scene.act("an")
    proposal = ProposalService(scene.gateway).propose(act, "user.legal_event", scene.people["first"].id, content)
    confirm(scene, "bo", proposal)


def have_a_lower_maximum(scene: Scene) -> None:
    service, act = RuleService(scene.gateway), scene.act("administrator")
    (row,) = service.rules(act, scene.client.id, PageRequest(50, None))[0]
    low = RuleWish(name="Lager", approvers=(scene.user("first", "100.00"), scene.user("second")), mode=Mode.COUNT)
    confirm(scene, "other", waiting(service.change_rule(act, row.rule_id, low, version=row.version)))


@pytest.mark.parametrize("happens", [lose_role, be_suspended, have_a_lower_maximum])
def test_what_an_approver_agreed_to_waits_again_for_the_others(
    gateway: Gateway, happens: Callable[[Scene], None]
) -> None:
    """APP-12: "suspension, role loss and lowered maxima void approvals … and reassign waiting requests"."""
    scene = make_scene(gateway)
    scene.rule("Een", scene.user("first"), scene.user("second"), mode=Mode.COUNT)
    scene.person("other", ClientRole.ADMINISTRATOR)
    basket, (payment, small) = scene.submitted(scene.wish(), scene.wish(amount=Decimal("50.00")))
    scene.approve("first", payment, small)
    _, (later,) = scene.submitted(scene.wish())
    lapsing = LapsingService(gateway)
    assert lapsing.run(scene.office.id, scene.client.id) == 0, "while everything holds"
    happens(scene)
    assert queued(scene) >= 1
    fallen = 1 if happens is have_a_lower_maximum else 2
    assert lapsing.run(scene.office.id, scene.client.id) == fallen
    assert lapsing.run(scene.office.id, scene.client.id) == 0, "once more is harmless"
    assert scene.payment(payment).state is PaymentState.SUBMITTED
    assert scene.fresh_basket(basket.id).state is BasketState.SUBMITTED
    assert len(audit(scene, "payment.approvals_voided")) == fallen
    for waits in (payment, later):
        evaluation = ApprovalLists(gateway).dossier(scene.act("exporter"), waits.id).evaluation
        assert evaluation is not None
        assert evaluation.may_act == {str(scene.people["second"].id)} or happens is have_a_lower_maximum
    scene.approve("second", *scene.payments(basket)[:fallen])
    scene.export(basket)
    assert lapsing.run(scene.office.id, scene.client.id) == 0


def test_a_file_not_downloaded_yet_is_looked_at_when_it_is(gateway: Gateway) -> None:
    """APP-12: "until the first download"; afterwards the file is out."""
    scene = make_scene(gateway)
    scene.rule("Een", scene.user("first"), scene.user("second"), mode=Mode.COUNT)
    basket, payments = scene.submitted()
    scene.approve("first", *payments)
    (export,) = scene.export(basket)
    lose_role(scene)
    assert LapsingService(gateway).run(scene.office.id, scene.client.id) == 0
    with pytest.raises(ExportVoided):
        scene.download(export)
    scene.approve("second", *payments)
    (export,) = scene.export(basket)
    content = scene.download(export)
    assert LapsingService(gateway).run(scene.office.id, scene.client.id) == 0
    assert scene.download(export) == content


def test_a_rule_is_of_the_moment_it_was_confirmed(scene: Scene) -> None:
    """APP-12, SEC-09: the list of rules changed within 7 days before a payment reads this moment."""
    (row,) = RuleService(scene.gateway).rules(scene.act("administrator"), scene.client.id, PageRequest(50, None))[0]
    act = scene.act("administrator")
    made = waiting(RuleService(scene.gateway).change_rule(act, row.rule_id, rule(scene, "first"), version=1))
    scene.now += timedelta(days=3)
    confirm(scene, "other", made)
    assert RuleService(scene.gateway).rule(scene.act("other"), row.rule_id).created_at == scene.now

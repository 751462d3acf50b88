"""OFF-17: a move takes the approval rules along if the client wishes, and no people, keys, notes or destinations."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert
from sqlmodel import select

from gateway.accounts.models import Account
from gateway.approvals.groups import GroupService
from gateway.approvals.models import ApprovalRuleVersion, ApproverGroup, ApproverGroupMember
from gateway.approvals.rulebook import RuleWish
from gateway.approvals.rules import RuleService
from gateway.database import Base
from gateway.identity.models import Membership
from gateway.identity.rights import ClientRole
from gateway.ids import new_id
from gateway.machines.models import Credential
from gateway.moves.models import MoveState
from gateway.moves.schemas import MoveRead
from gateway.moves.service import MoveService
from gateway.pagination import PageRequest
from gateway.profiles.models import ClientProfile
from sepa.approval import Approver, Conditions, Mode
from tests.gateway.bank_to_coda.conftest import banks, linked, running_banks
from tests.gateway.bank_to_coda.story import Story
from tests.gateway.builders import Person, act_of, make_person
from tests.gateway.moves.test_moves import former, move_of, new
from tests.gateway.payments.scene import Scene

__all__ = ["banks", "former", "linked", "new", "running_banks"]


def rows(story: Story, table: type[Base]) -> list[Any]:
    with story.gateway.database.unit_of_work(story.office.id) as session:
        return list(session.exec(select(table)))


def rule_at(story: Story, boss: Person, name: str, *approvers: Approver, **conditions: Any) -> None:
    act = act_of(boss, story.office, ClientRole.ADMINISTRATOR, client=story.client, now=story.now)
    wish = RuleWish(name=name, approvers=approvers, mode=Mode.COUNT, conditions=Conditions(**conditions))
    made = RuleService(story.gateway).create_rule(act, story.client.id, wish)
    assert isinstance(made, ApprovalRuleVersion), "one administrator, nothing submitted"


def join(story: Story, person: Person, role: ClientRole) -> None:
    """The same person at another office."""
    with story.gateway.database.unit_of_work(story.office.id) as session:
        session.add(
            Membership(
                id=new_id(), user_id=person.user.id, office_id=story.office.id, role=role.value,
                client_id=story.client.id, created_at=story.now,
            )
        )  # fmt: skip


def set_rules(story: Story) -> tuple[Person, Person]:
    """Four rules: of a group, of one person, of another one, of an account that does not move; who is in them."""
    gateway, office, client = story.gateway, story.office, story.client
    boss = make_person(gateway, office, ClientRole.ADMINISTRATOR, client=client)
    goes, stays = (make_person(gateway, office, ClientRole.APPROVER, client=client) for _ in range(2))
    act = act_of(boss, office, ClientRole.ADMINISTRATOR, client=client, now=story.now)
    members = [goes.user.id, stays.user.id]
    group = GroupService(gateway).create_group(act, client.id, name="Directie", user_ids=members).group
    (account,) = story.accounts()
    rule_at(story, boss, "Alles", Approver(group_id=str(group.id)))
    rule_at(story, boss, "Groot", Approver(user_id=str(goes.user.id)), debtor_accounts=frozenset({str(account.id)}))
    rule_at(story, boss, "Zij", Approver(user_id=str(stays.user.id)), labels=frozenset({"loon"}))
    with gateway.database.unit_of_work(office.id) as session:
        other = Account(**{**account.model_dump(), "id": new_id(), "iban": "BE12310291417792", "consent_id": None})
        session.execute(insert(Account).values(**other.model_dump()))
        other_id = other.id
    rule_at(story, boss, "Elders", Approver(group_id=str(group.id)), debtor_accounts=frozenset({str(other_id)}))
    return goes, stays


def moved(story: Story) -> MoveRead:
    (view,), _ = MoveService(story.gateway).page(story.act, story.client.id, PageRequest(50, None))
    return MoveRead.of(view)


def test_rules_go_along_when_the_client_wishes_and_the_move_says_which_could_not(former: Story, new: Story) -> None:
    """OFF-17: "if the client wishes, IBAN memory and rules"; "it does not carry the former office's users"."""
    goes, _stays = set_rules(former)
    join(new, goes, ClientRole.APPROVER)
    account = new.connect(move_on=new.act.today, with_rules=True)
    people = {row.user_id for row in rows(new, Membership)}
    assert moved(new).rules is None, "not before it is done"
    new.work()
    assert MoveService(new.gateway).run(new.office.id, move_of(new).id)
    read = moved(new)
    assert read.with_rules
    assert [(rule.name, rule.reason) for rule in read.rules or ()] == [
        ("Alles", None), ("Groot", None), ("Zij", "person_not_here"), ("Elders", "account_not_here"),
    ]  # fmt: skip
    versions = {row.name: row for row in rows(new, ApprovalRuleVersion)}
    assert set(versions) == {"Alles", "Groot"}
    assert versions["Groot"].conditions == {"debtor_accounts": [str(account.id)]}
    assert versions["Groot"].approvers[0]["user_id"] == str(goes.user.id)
    (group,) = rows(new, ApproverGroup)
    assert versions["Alles"].approvers[0]["group_id"] == str(group.id)
    assert [row.user_id for row in rows(new, ApproverGroupMember)] == [goes.user.id]
    assert {row.user_id for row in rows(new, Membership)} == people
    assert rows(new, Credential) == []
    assert all(row.destination is None for row in rows(new, ClientProfile))
    assert len(rows(former, ApprovalRuleVersion)) == 4, "the former office keeps its own"
    assert MoveService(new.gateway).run(new.office.id, move_of(new).id), "once more is harmless"
    assert len(rows(new, ApprovalRuleVersion)) == 2


def test_rules_stay_when_the_client_does_not_wish_it(former: Story, new: Story) -> None:
    """OFF-17: "if the client wishes"."""
    set_rules(former)
    new.connect(move_on=new.act.today)
    new.work()
    MoveService(new.gateway).run_due(new.office.id)
    assert move_of(new).state is MoveState.DONE
    assert (moved(new).with_rules, moved(new).rules) == (False, None)
    assert rows(new, ApprovalRuleVersion) == []


def test_a_client_that_pays_here_already_changes_its_rules_by_two(former: Story, new: Story) -> None:
    """OFF-17, APP-12: what was submitted here is not put under other rules by a move."""
    set_rules(former)
    account = new.connect(move_on=new.act.today, with_rules=True)
    new.work()
    scene = Scene(new.gateway, new.office, new.client, [account], now=new.now)
    for name, role in (
        ("administrator", ClientRole.ADMINISTRATOR), ("preparer", ClientRole.PREPARER),
        ("first", ClientRole.APPROVER), ("exporter", ClientRole.EXPORTER),
    ):  # fmt: skip
        scene.person(name, role)
    scene.rule("Eigen", scene.user("first"))
    scene.submitted()
    MoveService(new.gateway).run_due(new.office.id)
    assert {rule.reason for rule in moved(new).rules or ()} == {"client_pays_here"}
    assert [row.name for row in rows(new, ApprovalRuleVersion)] == ["Eigen"]


def test_a_rule_of_a_name_that_is_taken_stays(former: Story, new: Story) -> None:
    """OFF-17: what the client has here is not replaced."""
    set_rules(former)
    boss = make_person(new.gateway, new.office, ClientRole.ADMINISTRATOR, client=new.client)
    rule_at(new, boss, "Alles", Approver(user_id=str(boss.user.id)))
    new.connect(move_on=new.act.today, with_rules=True)
    new.work()
    MoveService(new.gateway).run_due(new.office.id)
    assert (moved(new).rules or [])[0].reason == "name_taken"
    (row,) = rows(new, ApprovalRuleVersion)
    assert row.approvers[0]["user_id"] == str(boss.user.id)

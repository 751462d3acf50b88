"""Changes of rules, of groups that rules name, and of the approval process: they take two administrators (APP-12).

Each is checked when it is proposed and again when it takes effect, against the version it was made on: what somebody
confirms is what was proposed, on what was there. Whoever submitted a payment before keeps the rules of that moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from gateway.act import Act
from gateway.approvals import groups, process, rules
from gateway.approvals.errors import (
    GroupChanged,
    GroupNotFound,
    RuleChanged,
    RuleNotFound,
    SettingsChanged,
)
from gateway.approvals.guard import held_settings, require_rules_change
from gateway.approvals.lapsing import look_again
from gateway.approvals.models import ApprovalRule, ApproverGroup
from gateway.approvals.repository import ApprovalRepository
from gateway.approvals.rulebook import RuleWish, rule_document, wish_of
from gateway.approvals.telling import tell_of_preparer
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import FieldFault, InputError
from gateway.ids import encode
from gateway.proposals.errors import ProposalOvertaken
from gateway.proposals.kinds import Kind, Wish
from gateway.proposals.models import Proposal


class RuleCreate(Kind):
    """A new rule. The object is the client, which stands beside it too; content `{rule, groups}`.

    `groups` are the versions of the groups it names: who is in them is part of what is confirmed.
    """

    object_kind = "client"

    def check(self, session: Session, act: Act, wish: Wish) -> Mapping[str, Any]:
        """Everything it names is the client's."""
        rule = _rule_wish(wish.content)
        _require_at(wish, wish.object_id)
        require_rules_change(session, act, wish.object_id)
        rules.check_rule(session, act.office_id, wish.object_id, rule)
        return {"rule": rule_document(rule), "groups": _group_versions(session, act.office_id, wish.object_id, rule)}

    def apply(self, gateway: Gateway, session: Session, act: Act, proposal: Proposal) -> None:
        """In force for payments submitted from now on. The rule gets the proposal's number."""
        office_id, client_id = proposal.office_id, proposal.object_id
        settings = held_settings(session, act, client_id)
        wish = _present_wish(session, proposal, client_id)
        rules.check_rule(session, office_id, client_id, wish)
        rule = ApprovalRule(id=proposal.id, office_id=office_id, client_id=client_id, created_at=act.now)
        rules.add_version(gateway, session, act, rule, settings, proposal=proposal)

    def shown(self, content: Mapping[str, Any]) -> Mapping[str, Any]:
        """With typed ids."""
        return _shown_rule(content)


class RuleChange(Kind):
    """Another version of a rule. The object is the rule; content `{version, rule, groups}`."""

    object_kind = "approval_rule"

    def check(self, session: Session, act: Act, wish: Wish) -> Mapping[str, Any]:
        """The rule is the client's and still that version, and a rule for everything stays."""
        wanted, version = _rule_wish(wish.content), _version(wish.content)
        rule = ApprovalRepository(session).rule(act.office_id, wish.object_id)
        if rule is None:
            raise RuleNotFound
        require_rules_change(session, act, rule.client_id, missing=RuleNotFound)
        _require_at(wish, rule.client_id)
        settings = held_settings(session, act, rule.client_id)
        session.refresh(rule)
        if rule.version != version:
            raise RuleChanged
        rules.check_rule(session, act.office_id, rule.client_id, wanted)
        rules.require_other_catch_all(session, rule, wanted, settings)
        groups_named = _group_versions(session, act.office_id, rule.client_id, wanted)
        return {"version": version, "rule": rule_document(wanted), "groups": groups_named}

    def apply(self, gateway: Gateway, session: Session, act: Act, proposal: Proposal) -> None:
        """In force for payments submitted from now on."""
        rule = ApprovalRepository(session).rule(proposal.office_id, proposal.object_id)
        assert rule is not None, "rules are never deleted"
        settings = held_settings(session, act, rule.client_id)
        session.refresh(rule)
        if rule.version != proposal.content["version"]:
            raise ProposalOvertaken
        wish = _present_wish(session, proposal, rule.client_id)
        rules.check_rule(session, proposal.office_id, rule.client_id, wish)
        rules.require_other_catch_all(session, rule, wish, settings)
        rule.version += 1
        rules.add_version(gateway, session, act, rule, settings, proposal=proposal)
        look_again(session, rule.office_id, rule.client_id)

    def shown(self, content: Mapping[str, Any]) -> Mapping[str, Any]:
        """With typed ids."""
        return _shown_rule(content)


class GroupChange(Kind):
    """Name and members of a group. The object is the group; content `{version, name, user_ids}`."""

    object_kind = "approver_group"

    def check(self, session: Session, act: Act, wish: Wish) -> Mapping[str, Any]:
        """The group is the client's and still that version; its people are the client's."""
        content, version = wish.content, _version(wish.content)
        if not isinstance(content.get("user_ids"), list) or not isinstance(content.get("name"), str):
            raise _content_fault()
        group = ApprovalRepository(session).group(act.office_id, wish.object_id)
        if group is None:
            raise GroupNotFound
        require_rules_change(session, act, group.client_id, missing=GroupNotFound)
        _require_at(wish, group.client_id)
        held_settings(session, act, group.client_id)
        session.refresh(group)
        if group.version != version:
            raise GroupChanged
        groups.check_group(session, group, name=content["name"], user_ids=_people(content))
        return {"version": version, "name": content["name"], "user_ids": sorted(content["user_ids"])}

    def apply(self, gateway: Gateway, session: Session, act: Act, proposal: Proposal) -> None:
        """Whoever left counts no more, for waiting payments too."""
        group = session.get_one(ApproverGroup, proposal.object_id)
        held_settings(session, act, group.client_id)
        session.refresh(group)
        content = proposal.content
        if group.version != content["version"]:
            raise ProposalOvertaken
        people = _people(content)
        groups.check_group(session, group, name=content["name"], user_ids=people)
        groups.write_group(gateway, session, act, group, name=content["name"], user_ids=people, proposal=proposal)
        look_again(session, group.office_id, group.client_id)

    def shown(self, content: Mapping[str, Any]) -> Mapping[str, Any]:
        """With typed ids."""
        return {**content, "user_ids": [encode("user", user_id) for user_id in sorted(_people(content))]}


class SettingsChange(Kind):
    """The process on or off, and whether a preparer may approve. The object is the client.

    Content `{version, is_payment_process_on, preparer_may_approve}`.
    """

    object_kind = "client"

    def check(self, session: Session, act: Act, wish: Wish) -> Mapping[str, Any]:
        """The settings are still that version, and the process can be switched so."""
        version, wanted = _version(wish.content), _switches(wish.content)
        _require_at(wish, wish.object_id)
        require_rules_change(session, act, wish.object_id)
        settings = held_settings(session, act, wish.object_id)
        if settings.version != version:
            raise SettingsChanged
        process.check_switch(session, settings, wanted)
        return {"version": version, **wanted}

    def apply(self, gateway: Gateway, session: Session, act: Act, proposal: Proposal) -> None:
        """It holds for payments submitted from now on; every administrator hears who may approve (APP-06)."""
        client_id, wanted = proposal.object_id, _switches(proposal.content)
        settings = held_settings(session, act, client_id)
        if settings.version != proposal.content["version"]:
            raise ProposalOvertaken
        process.check_switch(session, settings, wanted)
        changes = process.changes_of(settings, wanted)
        for name, change in changes.items():
            setattr(settings, name, change.new)
        settings.version += 1
        session.add(settings)
        gateway.audit.record(
            session,
            act,
            "approval_settings.changed",
            "client",
            client_id,
            client_id=client_id,
            changes={**changes, "proposal": Change(None, encode("proposal", proposal.id))},
            second_factor=act.second_factor,
        )
        if "preparer_may_approve" in changes:
            tell_of_preparer(gateway, session, proposal, is_allowed=wanted["preparer_may_approve"])


KINDS: Final[Mapping[str, Kind]] = {
    rules.CREATE: RuleCreate(),
    rules.CHANGE: RuleChange(),
    groups.CHANGE: GroupChange(),
    process.CHANGE: SettingsChange(),
}


def _content_fault() -> InputError:
    return InputError(faults=[FieldFault("/content", "content_invalid", "This is not such a change.")])


def _require_at(wish: Wish, client_id: UUID) -> None:
    if wish.client_id != client_id:
        raise InputError(faults=[FieldFault("/client_id", "client_not_found", "There is no such client.")])


def _rule_wish(content: Mapping[str, Any]) -> RuleWish:
    """The rule; through `POST /v1/proposals` there is none, since contents there are flat."""
    if not isinstance(content.get("rule"), Mapping):
        raise _content_fault()
    return wish_of(content["rule"])


def _version(content: Mapping[str, Any]) -> int:
    version = content.get("version")
    if not isinstance(version, int) or isinstance(version, bool):
        raise _content_fault()
    return version


def _switches(content: Mapping[str, Any]) -> dict[str, bool]:
    names = ("is_payment_process_on", "preparer_may_approve")
    if set(content) != {"version", *names} or not all(isinstance(content[name], bool) for name in names):
        raise _content_fault()
    return {name: content[name] for name in names}


def _people(content: Mapping[str, Any]) -> set[UUID]:
    return {UUID(user_id) for user_id in content["user_ids"]}


def _group_versions(session: Session, office_id: UUID, client_id: UUID, wish: RuleWish) -> dict[str, int]:
    named = {approver.group_id for approver in wish.approvers if approver.group_id is not None}
    found = ApprovalRepository(session).group_versions(office_id, client_id)
    return {group_id: found[UUID(group_id)] for group_id in sorted(named)}


def _present_wish(session: Session, proposal: Proposal, client_id: UUID) -> RuleWish:
    """The rule proposed; refused when a group it names is not what it was."""
    wish = wish_of(proposal.content["rule"])
    if _group_versions(session, proposal.office_id, client_id, wish) != proposal.content["groups"]:
        raise ProposalOvertaken
    return wish


def _shown_rule(content: Mapping[str, Any]) -> Mapping[str, Any]:
    rule = dict(content["rule"])
    conditions = dict(rule["conditions"])
    if "debtor_accounts" in conditions:
        accounts = conditions.pop("debtor_accounts")
        conditions["debtor_account_ids"] = [encode("account", UUID(account_id)) for account_id in accounts]
    rule["conditions"] = conditions
    rule["approvers"] = [
        {
            "user_id": encode("user", UUID(entry["user_id"])) if entry["user_id"] else None,
            "group_id": encode("approver_group", UUID(entry["group_id"])) if entry["group_id"] else None,
            "amount_max": entry["amount_max"],
        }
        for entry in rule["approvers"]
    ]
    versions = {encode("approver_group", UUID(group_id)): version for group_id, version in content["groups"].items()}
    return {**content, "rule": rule, "groups": versions}

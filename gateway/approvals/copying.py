"""Approval rules and groups that come from an office's template (OFF-01).

A new client begins with them: the group has no members yet, so a payment that a rule asks about waits for somebody to
name them. At an existing client they take effect through a proposal only (APP-12), which calls `put_rules`.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert
from sqlmodel import Session, col, select

from gateway.act import Act
from gateway.approvals.models import ApprovalRule, ApprovalRuleVersion, ApprovalSettings, ApproverGroup
from gateway.approvals.rulebook import approvers_document, conditions_document
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.ids import new_id
from gateway.offices.template import TemplateRule
from sepa.approval import Approver, Conditions, Mode


def copy_to_new(
    gateway: Gateway, session: Session, act: Act, client_ids: Sequence[UUID], rules: Sequence[TemplateRule]
) -> None:
    """Give clients that were made in this unit of work the rules: the same few statements however many clients."""
    if not rules or not client_ids:
        return
    rows: dict[Any, list[dict[str, Any]]] = {
        ApprovalSettings: [], ApproverGroup: [], ApprovalRule: [], ApprovalRuleVersion: []
    }  # fmt: skip
    for client_id in client_ids:
        own = {"office_id": act.office_id, "client_id": client_id}
        rows[ApprovalSettings].append(
            {
                "id": new_id(),
                **own,
                "is_payment_process_on": True,
                "preparer_may_approve": False,
                "rules_revision": len(rules),
                "version": 1,
            }
        )
        groups = {name: new_id() for name in dict.fromkeys(rule.group for rule in rules)}
        rows[ApproverGroup] += [
            {"id": group_id, **own, "name": name, "version": 1, "created_at": act.now}
            for name, group_id in groups.items()
        ]
        for revision, rule in enumerate(rules, start=1):
            rule_id = new_id()
            rows[ApprovalRule].append({"id": rule_id, **own, "version": 1, "created_at": act.now})
            version = _version_row(act, client_id, rule, rule_id, groups[rule.group], version=1, revision=revision)
            rows[ApprovalRuleVersion].append(version)
            _record(gateway, session, act, version, "approval_rule.created")
    for table, values in rows.items():
        session.connection().execute(insert(table), values)


def put_rules(
    gateway: Gateway,
    session: Session,
    act: Act,
    settings: ApprovalSettings,
    rules: Sequence[TemplateRule],
) -> None:
    """Set the rules of these names at an existing client, whose settings row is held; its other rules stay.

    A rule of the same name gets a new version; one that says the same already is left as it is.
    """
    office_id, client_id = settings.office_id, settings.client_id
    groups = {
        group.name: group.id
        for group in session.exec(
            select(ApproverGroup).where(ApproverGroup.office_id == office_id, ApproverGroup.client_id == client_id)
        )
    }
    present = _present(session, office_id, client_id)
    for rule in rules:
        if rule.group not in groups:
            group = ApproverGroup(
                id=new_id(), office_id=office_id, client_id=client_id, name=rule.group, created_at=act.now
            )
            session.add(group)
            session.flush()
            groups[rule.group] = group.id
            gateway.audit.record(
                session, act, "approver_group.created", "approver_group", group.id,
                client_id=client_id, changes={"name": Change(None, rule.group)},
            )  # fmt: skip
        found = present.get(rule.name)
        if found is None:
            head = ApprovalRule(id=new_id(), office_id=office_id, client_id=client_id, created_at=act.now)
            session.add(head)
        else:
            head = found[0]
        version = _version_row(
            act, client_id, rule, head.id, groups[rule.group],
            version=1 if found is None else head.version + 1, revision=settings.rules_revision + 1,
        )  # fmt: skip
        if found is not None and _says_the_same(found[1], version):
            continue
        settings.rules_revision += 1
        head.version = version["version"]
        session.add_all([settings, head])
        session.flush()
        session.add(ApprovalRuleVersion(**version))
        action = "approval_rule.created" if found is None else "approval_rule.changed"
        _record(gateway, session, act, version, action)


def has_rules(session: Session, office_id: UUID, client_id: UUID, rules: Sequence[TemplateRule]) -> bool:
    """Whether the client's rules of these names say the same already."""
    names = {
        str(group_id): name
        for group_id, name in session.exec(
            select(ApproverGroup.id, ApproverGroup.name).where(
                ApproverGroup.office_id == office_id, ApproverGroup.client_id == client_id
            )
        )
    }
    present = _present(session, office_id, client_id)
    for rule in rules:
        found = present.get(rule.name)
        if found is None or [names.get(entry["group_id"]) for entry in found[1].approvers] != [rule.group]:
            return False
        if not _says_the_same(found[1], {**_content(rule), "approvers": found[1].approvers}):
            return False
    return True


def _present(session: Session, office_id: UUID, client_id: UUID) -> dict[str, tuple[ApprovalRule, ApprovalRuleVersion]]:
    """Rules by name as they are now; of several with one name the one made first."""
    rows = session.exec(
        select(ApprovalRule, ApprovalRuleVersion)
        .join(
            ApprovalRuleVersion,
            (col(ApprovalRuleVersion.rule_id) == ApprovalRule.id)
            & (col(ApprovalRuleVersion.version) == ApprovalRule.version),
        )
        .where(ApprovalRule.office_id == office_id, ApprovalRule.client_id == client_id)
        .order_by(col(ApprovalRule.id).desc())
    )
    return {version.name: (rule, version) for rule, version in rows}


def _content(rule: TemplateRule) -> dict[str, Any]:
    amount = None if rule.amount_from is None else Decimal(rule.amount_from)
    return {
        "name": rule.name,
        "is_active": True,
        "conditions": conditions_document(Conditions(amount_from=amount)),
        "mode": Mode.COUNT.value,
        "count": rule.count,
    }


def _version_row(
    act: Act, client_id: UUID, rule: TemplateRule, rule_id: UUID, group_id: UUID, *, version: int, revision: int
) -> dict[str, Any]:
    return {
        "id": new_id(),
        "office_id": act.office_id,
        "client_id": client_id,
        "rule_id": rule_id,
        "version": version,
        "revision": revision,
        **_content(rule),
        "approvers": approvers_document([Approver(group_id=str(group_id))]),
        "created_by": act.principal.id,
        "created_at": act.now,
    }


_SAID: Final = ("name", "is_active", "conditions", "approvers", "mode", "count")


def _says_the_same(present: ApprovalRuleVersion, wanted: dict[str, Any]) -> bool:
    return all(getattr(present, name) == wanted[name] for name in _SAID)


def _record(gateway: Gateway, session: Session, act: Act, version: dict[str, Any], action: str) -> None:
    document = {name: version[name] for name in ("version", *_SAID)}
    gateway.audit.record(
        session, act, action, "approval_rule", version["rule_id"],
        client_id=version["client_id"], changes={"rule": Change(None, document)}, second_factor=act.second_factor,
    )  # fmt: skip

"""Approval rules of a client: made and changed in versions (APP-02, APP-12)."""

from __future__ import annotations

from uuid import UUID

from sqlmodel import Session, col

from gateway.act import Act
from gateway.approvals.errors import CatchAllNeeded, RuleChanged, RuleInvalid, RuleNotFound
from gateway.approvals.guard import (
    fault,
    held_settings,
    present_versions,
    require_client_of,
    require_rules_change,
)
from gateway.approvals.models import ApprovalRule, ApprovalRuleVersion, ApprovalSettings
from gateway.approvals.repository import ApprovalRepository
from gateway.approvals.rulebook import Rulebook, RuleWish, approvers_document, conditions_document
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.identity.rights import Permission
from gateway.ids import new_id
from gateway.offices.service import require_client
from gateway.pagination import PageRequest, Sort
from sepa.approval import Conditions


class RuleService:
    """What must be met before a client's payments leave."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def create_rule(self, act: Act, client_id: UUID, wish: RuleWish) -> ApprovalRuleVersion:
        """A new rule, in force for payments submitted from now on. Raises `RuleInvalid`, `RightsError`."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            require_rules_change(session, act, client_id)
            self._check(session, act, client_id, wish)
            settings = held_settings(session, act, client_id)
            rule = ApprovalRule(id=new_id(), office_id=act.office_id, client_id=client_id, created_at=act.now)
            session.add(rule)
            session.flush()
            return self._add_version(session, act, rule, wish, settings)

    def change_rule(self, act: Act, rule_id: UUID, wish: RuleWish, *, version: int) -> ApprovalRuleVersion:
        """A new version of a rule; what was submitted keeps the old one. Raises `RuleChanged`, `CatchAllNeeded`."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            rule = self._rule(session, act, rule_id)
            require_rules_change(session, act, rule.client_id, missing=RuleNotFound)
            settings = held_settings(session, act, rule.client_id)
            session.refresh(rule)
            if rule.version != version:
                raise RuleChanged
            self._check(session, act, rule.client_id, wish)
            if not wish.is_active or wish.conditions != Conditions():
                self._require_other_catch_all(session, act, rule, settings)
            rule.version += 1
            return self._add_version(session, act, rule, wish, settings)

    def rule(self, act: Act, rule_id: UUID) -> ApprovalRuleVersion:
        """A rule as it is now."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            rule = self._rule(session, act, rule_id)
            require_client_of(session, act, rule.client_id, Permission.RULES_READ, missing=RuleNotFound)
            return session.exec(present_versions(act).where(ApprovalRuleVersion.rule_id == rule_id)).one()

    def rules(self, act: Act, client_id: UUID, request: PageRequest) -> tuple[list[ApprovalRuleVersion], str | None]:
        """The client's rules as they are now, in order of their making."""
        order = [Sort(col(ApprovalRuleVersion.rule_id), lambda row: str(row.rule_id), UUID)]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            require_client(session, act, client_id, Permission.RULES_READ)
            query = present_versions(act).where(ApprovalRuleVersion.client_id == client_id)
            return self.gateway.pager.page(session, query, order, request, name=f"rules:{client_id}")

    def _rule(self, session: Session, act: Act, rule_id: UUID) -> ApprovalRule:
        rule = ApprovalRepository(session).rule(act.office_id, rule_id)
        if rule is None:
            raise RuleNotFound
        return rule

    def _add_version(
        self, session: Session, act: Act, rule: ApprovalRule, wish: RuleWish, settings: ApprovalSettings
    ) -> ApprovalRuleVersion:
        settings.rules_revision += 1
        row = ApprovalRuleVersion(
            id=new_id(),
            office_id=act.office_id,
            client_id=rule.client_id,
            rule_id=rule.id,
            version=rule.version,
            revision=settings.rules_revision,
            name=wish.name,
            is_active=wish.is_active,
            conditions=conditions_document(wish.conditions),
            approvers=approvers_document(wish.approvers),
            mode=wish.mode.value,
            count=wish.count,
            created_by=act.principal.id,
            created_at=act.now,
        )
        session.add_all([settings, rule, row])
        document = {
            "version": row.version, "name": row.name, "is_active": row.is_active, "conditions": row.conditions,
            "approvers": row.approvers, "mode": row.mode, "count": row.count,
        }  # fmt: skip
        action = "approval_rule.created" if rule.version == 1 else "approval_rule.changed"
        changes = {"rule": Change(None, document)}
        self.gateway.audit.record(
            session,
            act,
            action,
            "approval_rule",
            rule.id,
            client_id=rule.client_id,
            changes=changes,
            second_factor=act.second_factor,
        )
        return row

    def _check(self, session: Session, act: Act, client_id: UUID, wish: RuleWish) -> None:
        """Refuse people, groups and accounts that are not this client's, all at once."""
        repository = ApprovalRepository(session)
        people = {str(user_id) for user_id in repository.people_of_client(act.office_id, client_id)}
        groups = {str(group_id) for group_id in repository.groups_of_client(act.office_id, client_id)}
        faults = []
        for position, approver in enumerate(wish.approvers):
            if approver.user_id is not None and approver.user_id not in people:
                faults.append(fault(f"/approvers/{position}/user_id", "user_not_found", "Nobody of this client."))
            if approver.group_id is not None and approver.group_id not in groups:
                faults.append(fault(f"/approvers/{position}/group_id", "group_not_found", "No group of this client."))
        named = wish.conditions.debtor_accounts or frozenset()
        accounts = {str(id_) for id_ in repository.accounts_of_client(act.office_id, client_id)} if named else set()
        if named - accounts:
            faults.append(fault("/conditions/debtor_accounts", "account_not_found", "No account of this client."))
        if faults:
            raise RuleInvalid(faults=faults)

    def _require_other_catch_all(
        self, session: Session, act: Act, rule: ApprovalRule, settings: ApprovalSettings
    ) -> None:
        rows = ApprovalRepository(session).versions(act.office_id, [rule.client_id]).get(rule.client_id, [])
        catch_alls = {r.id for r in Rulebook(rows).in_force(settings.rules_revision) if r.is_catch_all}
        if settings.is_payment_process_on and catch_alls == {str(rule.id)}:
            raise CatchAllNeeded

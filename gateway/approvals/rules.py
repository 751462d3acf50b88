"""Approval rules of a client: made and changed in versions, by two administrators (APP-02, APP-12)."""

from __future__ import annotations

from typing import Final
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
from gateway.approvals.rulebook import Rulebook, RuleWish, rule_document
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.identity.rights import Permission
from gateway.ids import encode, new_id
from gateway.offices.service import require_client
from gateway.pagination import PageRequest, Sort
from gateway.proposals.models import Proposal
from gateway.proposals.service import ProposalService
from gateway.proposals.states import ProposalState
from sepa.approval import Conditions

CREATE: Final = "approval_rule.create"
CHANGE: Final = "approval_rule.change"


class RuleService:
    """What must be met before a client's payments leave."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def create_rule(self, act: Act, client_id: UUID, wish: RuleWish) -> ApprovalRuleVersion | Proposal:
        """A new rule for payments submitted from now on, or the proposal a second administrator confirms.

        Raises `RuleInvalid`, `RightsError`.
        """
        with self.gateway.database.unit_of_work(act.office_id) as session:
            require_rules_change(session, act, client_id)
            check_rule(session, act.office_id, client_id, wish)
        proposal = ProposalService(self.gateway).propose(
            act, CREATE, client_id, {"rule": rule_document(wish)}, client_id=client_id
        )
        return self._done(act, proposal, proposal.id)

    def change_rule(self, act: Act, rule_id: UUID, wish: RuleWish, *, version: int) -> ApprovalRuleVersion | Proposal:
        """A new version of a rule, or the proposal of one; what was submitted keeps the old version.

        Raises `RuleChanged`, `CatchAllNeeded`, `RuleInvalid`, `RightsError`.
        """
        with self.gateway.database.unit_of_work(act.office_id) as session:
            rule = self._rule(session, act, rule_id)
            require_rules_change(session, act, rule.client_id, missing=RuleNotFound)
            client_id = rule.client_id
            settings = held_settings(session, act, client_id)
            session.refresh(rule)
            if rule.version != version:
                raise RuleChanged
            check_rule(session, act.office_id, client_id, wish)
            require_other_catch_all(session, rule, wish, settings)
        content = {"version": version, "rule": rule_document(wish)}
        proposal = ProposalService(self.gateway).propose(act, CHANGE, rule_id, content, client_id=client_id)
        return self._done(act, proposal, rule_id)

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

    def _done(self, act: Act, proposal: Proposal, rule_id: UUID) -> ApprovalRuleVersion | Proposal:
        if proposal.state is not ProposalState.CONFIRMED:
            return proposal
        with self.gateway.database.unit_of_work(act.office_id) as session:
            return session.exec(present_versions(act).where(ApprovalRuleVersion.rule_id == rule_id)).one()

    def _rule(self, session: Session, act: Act, rule_id: UUID) -> ApprovalRule:
        rule = ApprovalRepository(session).rule(act.office_id, rule_id)
        if rule is None:
            raise RuleNotFound
        return rule


def add_version(
    gateway: Gateway,
    session: Session,
    act: Act,
    rule: ApprovalRule,
    settings: ApprovalSettings,
    *,
    proposal: Proposal,
) -> None:
    """The rule says what was proposed, from the client's next revision on; its `version` is the new one."""
    document = proposal.content["rule"]
    settings.rules_revision += 1
    row = ApprovalRuleVersion(
        id=new_id(),
        office_id=rule.office_id,
        client_id=rule.client_id,
        rule_id=rule.id,
        version=rule.version,
        revision=settings.rules_revision,
        **document,
        created_by=proposal.proposer_id,
        created_at=act.now,
    )
    session.add_all([settings, rule])
    session.flush()
    session.add(row)
    gateway.audit.record(
        session,
        act,
        "approval_rule.created" if rule.version == 1 else "approval_rule.changed",
        "approval_rule",
        rule.id,
        client_id=rule.client_id,
        changes={
            "rule": Change(None, {"version": row.version, **document}),
            "proposal": Change(None, encode("proposal", proposal.id)),
        },
        second_factor=act.second_factor,
    )


def check_rule(session: Session, office_id: UUID, client_id: UUID, wish: RuleWish) -> None:
    """Refuse people, groups and accounts that are not this client's, all at once. Raises `RuleInvalid`."""
    repository = ApprovalRepository(session)
    people = {str(user_id) for user_id in repository.people_of_client(office_id, client_id)}
    groups = {str(group_id) for group_id in repository.groups_of_client(office_id, client_id)}
    faults = []
    for position, approver in enumerate(wish.approvers):
        if approver.user_id is not None and approver.user_id not in people:
            faults.append(fault(f"/approvers/{position}/user_id", "user_not_found", "Nobody of this client."))
        if approver.group_id is not None and approver.group_id not in groups:
            faults.append(fault(f"/approvers/{position}/group_id", "group_not_found", "No group of this client."))
    named = wish.conditions.debtor_accounts or frozenset()
    accounts = {str(id_) for id_ in repository.accounts_of_client(office_id, client_id)} if named else set()
    if named - accounts:
        faults.append(fault("/conditions/debtor_accounts", "account_not_found", "No account of this client."))
    if faults:
        raise RuleInvalid(faults=faults)


def require_other_catch_all(session: Session, rule: ApprovalRule, wish: RuleWish, settings: ApprovalSettings) -> None:
    """Raise `CatchAllNeeded` when the last rule for everything would go while the process is on (APP-03)."""
    if wish.is_active and wish.conditions == Conditions():
        return
    rows = ApprovalRepository(session).versions(rule.office_id, [rule.client_id]).get(rule.client_id, [])
    catch_alls = {r.id for r in Rulebook(rows).in_force(settings.rules_revision) if r.is_catch_all}
    if settings.is_payment_process_on and catch_alls == {str(rule.id)}:
        raise CatchAllNeeded

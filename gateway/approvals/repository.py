"""Queries on rules, groups, requests and decisions; each takes the office first, and many clients at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final
from uuid import UUID

from sqlmodel import Session, col, select

from gateway.accounts.models import Account
from gateway.approvals.models import (
    Approval,
    ApprovalRequest,
    ApprovalRule,
    ApprovalRuleVersion,
    ApprovalSettings,
    ApproverGroup,
    ApproverGroupMember,
)
from gateway.identity.models import Membership
from gateway.identity.rights import CLIENT_PERMISSIONS, ClientRole, Permission
from gateway.offices.repository import ClientRepository
from gateway.payments.queries import one_of, within

APPROVING_ROLES: Final = tuple(
    role.value for role, permissions in CLIENT_PERMISSIONS.items() if Permission.PAYMENTS_APPROVE in permissions
)


class ApprovalRepository:
    """What decides on a client's payments, and what was decided."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def settings(self, office_id: UUID, client_ids: Iterable[UUID]) -> dict[UUID, ApprovalSettings]:
        """Client id to settings; a client without a row has the defaults."""
        query = select(ApprovalSettings).where(
            ApprovalSettings.office_id == office_id, within(ApprovalSettings.client_id, client_ids)
        )
        return {row.client_id: row for row in self.session.exec(query)}

    def lock_settings(self, office_id: UUID, client_id: UUID) -> ApprovalSettings | None:
        """The settings row, held: changes of a client's rules follow one another."""
        return self.session.exec(
            select(ApprovalSettings)
            .where(ApprovalSettings.office_id == office_id, ApprovalSettings.client_id == client_id)
            .with_for_update()
        ).one_or_none()

    def versions(self, office_id: UUID, client_ids: Iterable[UUID]) -> dict[UUID, list[ApprovalRuleVersion]]:
        """Client id to every version of its rules."""
        query = select(ApprovalRuleVersion).where(
            ApprovalRuleVersion.office_id == office_id, within(ApprovalRuleVersion.client_id, client_ids)
        )
        found: dict[UUID, list[ApprovalRuleVersion]] = {}
        for row in self.session.exec(query):
            found.setdefault(row.client_id, []).append(row)
        return found

    def approvers(self, office_id: UUID, client_ids: Iterable[UUID]) -> dict[UUID, set[UUID]]:
        """Client id to the people who hold an approving role there now."""
        query = select(Membership.client_id, Membership.user_id).where(
            Membership.office_id == office_id,
            within(Membership.client_id, client_ids),
            one_of(Membership.role, APPROVING_ROLES),
            col(Membership.ended_at).is_(None),
        )
        found: dict[UUID, set[UUID]] = {}
        for client_id, user_id in self.session.exec(query):
            if client_id is not None:
                found.setdefault(client_id, set()).add(user_id)
        return found

    def has_administrator(self, office_id: UUID, client_id: UUID) -> bool:
        """Whether the client has an administrator of its own."""
        query = select(Membership.id).where(
            Membership.office_id == office_id,
            Membership.client_id == client_id,
            Membership.role == ClientRole.ADMINISTRATOR.value,
            col(Membership.ended_at).is_(None),
        )
        return self.session.exec(query.limit(1)).first() is not None

    def members(self, office_id: UUID, client_ids: Iterable[UUID]) -> dict[UUID, dict[UUID, set[UUID]]]:
        """Client id to group id to the people in the group now."""
        query = (
            select(ApproverGroup.client_id, ApproverGroupMember.group_id, ApproverGroupMember.user_id)
            .join(ApproverGroupMember, col(ApproverGroupMember.group_id) == ApproverGroup.id)
            .where(
                ApproverGroup.office_id == office_id,
                within(ApproverGroup.client_id, client_ids),
                col(ApproverGroupMember.ended_at).is_(None),
            )
        )
        found: dict[UUID, dict[UUID, set[UUID]]] = {}
        for client_id, group_id, user_id in self.session.exec(query):
            found.setdefault(client_id, {}).setdefault(group_id, set()).add(user_id)
        return found

    def rule(self, office_id: UUID, rule_id: UUID) -> ApprovalRule | None:
        """One rule."""
        return self.session.exec(
            select(ApprovalRule).where(ApprovalRule.office_id == office_id, ApprovalRule.id == rule_id)
        ).one_or_none()

    def group(self, office_id: UUID, group_id: UUID) -> ApproverGroup | None:
        """One group."""
        return self.session.exec(
            select(ApproverGroup).where(ApproverGroup.office_id == office_id, ApproverGroup.id == group_id)
        ).one_or_none()

    def group_members(self, office_id: UUID, group_ids: Iterable[UUID]) -> dict[UUID, list[ApproverGroupMember]]:
        """Group id to its present members."""
        query = (
            select(ApproverGroupMember)
            .where(
                ApproverGroupMember.office_id == office_id,
                within(ApproverGroupMember.group_id, group_ids),
                col(ApproverGroupMember.ended_at).is_(None),
            )
            .order_by(col(ApproverGroupMember.id))
        )
        found: dict[UUID, list[ApproverGroupMember]] = {}
        for member in self.session.exec(query):
            found.setdefault(member.group_id, []).append(member)
        return found

    def people_of_client(self, office_id: UUID, client_id: UUID) -> set[UUID]:
        """Everybody with a role at the client now."""
        query = select(Membership.user_id).where(
            Membership.office_id == office_id,
            Membership.client_id == client_id,
            col(Membership.ended_at).is_(None),
        )
        return set(self.session.exec(query))

    def groups_of_client(self, office_id: UUID, client_id: UUID) -> set[UUID]:
        """The client's groups."""
        query = select(ApproverGroup.id).where(
            ApproverGroup.office_id == office_id, ApproverGroup.client_id == client_id
        )
        return set(self.session.exec(query))

    def group_versions(self, office_id: UUID, client_id: UUID) -> dict[UUID, int]:
        """Id to version of the client's groups."""
        query = select(ApproverGroup.id, ApproverGroup.version).where(
            ApproverGroup.office_id == office_id, ApproverGroup.client_id == client_id
        )
        return dict(self.session.exec(query).all())

    def accounts_of_client(self, office_id: UUID, client_id: UUID) -> set[UUID]:
        """The client's accounts."""
        query = select(Account.id).where(Account.office_id == office_id, Account.client_id == client_id)
        return set(self.session.exec(query))

    def granted_clients(self, office_id: UUID, *, today: date, visible: frozenset[UUID] | None) -> list[UUID]:
        """The clients open today, limited to `visible` when given."""
        query = ClientRepository(self.session).granted(office_id, today=today, visible=visible)
        return [client.id for client in self.session.exec(query)]

    def requests(self, office_id: UUID, payment_ids: Iterable[UUID]) -> dict[UUID, list[ApprovalRequest]]:
        """Payment id to its requests of every round, oldest first."""
        query = (
            select(ApprovalRequest)
            .where(ApprovalRequest.office_id == office_id, within(ApprovalRequest.payment_id, payment_ids))
            .order_by(col(ApprovalRequest.id))
        )
        found: dict[UUID, list[ApprovalRequest]] = {}
        for request in self.session.exec(query):
            found.setdefault(request.payment_id, []).append(request)
        return found

    def approvals(self, office_id: UUID, payment_ids: Iterable[UUID]) -> dict[UUID, list[Approval]]:
        """Payment id to the decisions of every round, oldest first."""
        query = (
            select(Approval)
            .where(Approval.office_id == office_id, within(Approval.payment_id, payment_ids))
            .order_by(col(Approval.decided_at), col(Approval.id))
        )
        found: dict[UUID, list[Approval]] = {}
        for approval in self.session.exec(query):
            found.setdefault(approval.payment_id, []).append(approval)
        return found

"""Approver groups of a client: people who can stand for one another in a rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session, col, select

from gateway.act import Act
from gateway.approvals.errors import GroupChanged, GroupInUse, GroupNameTaken, GroupNotFound, RuleInvalid
from gateway.approvals.guard import (
    fault,
    held_settings,
    present_versions,
    require_client_of,
    require_rules_change,
)
from gateway.approvals.models import ApprovalRuleVersion, ApproverGroup, ApproverGroupMember
from gateway.approvals.repository import ApprovalRepository
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.identity.rights import Permission
from gateway.ids import new_id
from gateway.offices.service import require_client
from gateway.pagination import PageRequest, Sort


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group and its present members."""

    group: ApproverGroup
    user_ids: Sequence[UUID]


class GroupService:
    """Groups and who is in them."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def create_group(self, act: Act, client_id: UUID, *, name: str, user_ids: Iterable[UUID]) -> GroupView:
        """A new group of people of the client."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            require_rules_change(session, act, client_id)
            held_settings(session, act, client_id)
            self._require_free_name(session, act, client_id, name)
            group = ApproverGroup(
                id=new_id(), office_id=act.office_id, client_id=client_id, name=name, created_at=act.now
            )
            session.add(group)
            session.flush()
            return self._set_members(session, act, group, user_ids, action="approver_group.created")

    def change_group(self, act: Act, group_id: UUID, *, name: str, user_ids: Iterable[UUID], version: int) -> GroupView:
        """Rename a group and set its members; whoever left counts no more, for waiting payments too."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            group = self._group(session, act, group_id)
            require_rules_change(session, act, group.client_id, missing=GroupNotFound)
            held_settings(session, act, group.client_id)
            session.refresh(group)
            if group.version != version:
                raise GroupChanged
            if name != group.name:
                self._require_free_name(session, act, group.client_id, name)
            people = set(user_ids)
            if not people and self._is_in_use(session, act, group):
                raise GroupInUse
            group.name, group.version = name, group.version + 1
            session.add(group)
            return self._set_members(session, act, group, people, action="approver_group.changed")

    def group(self, act: Act, group_id: UUID) -> GroupView:
        """One group."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            group = self._group(session, act, group_id)
            require_client_of(session, act, group.client_id, Permission.RULES_READ, missing=GroupNotFound)
            members = ApprovalRepository(session).group_members(act.office_id, [group.id]).get(group.id, [])
        return GroupView(group, [member.user_id for member in members])

    def groups(self, act: Act, client_id: UUID, request: PageRequest) -> tuple[list[GroupView], str | None]:
        """The client's groups, in order of their making."""
        order = [Sort(col(ApproverGroup.id), lambda row: str(row.id), UUID)]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            require_client(session, act, client_id, Permission.RULES_READ)
            query = select(ApproverGroup).where(
                ApproverGroup.office_id == act.office_id, ApproverGroup.client_id == client_id
            )
            found, cursor = self.gateway.pager.page(session, query, order, request, name=f"groups:{client_id}")
            members = ApprovalRepository(session).group_members(act.office_id, [group.id for group in found])
        return [GroupView(group, [row.user_id for row in members.get(group.id, [])]) for group in found], cursor

    def _group(self, session: Session, act: Act, group_id: UUID) -> ApproverGroup:
        group = ApprovalRepository(session).group(act.office_id, group_id)
        if group is None:
            raise GroupNotFound
        return group

    def _require_free_name(self, session: Session, act: Act, client_id: UUID, name: str) -> None:
        query = select(ApproverGroup.id).where(
            ApproverGroup.office_id == act.office_id, ApproverGroup.client_id == client_id, ApproverGroup.name == name
        )
        if session.exec(query).first() is not None:
            raise GroupNameTaken

    def _is_in_use(self, session: Session, act: Act, group: ApproverGroup) -> bool:
        query = present_versions(act).where(ApprovalRuleVersion.client_id == group.client_id)
        return any(
            row.is_active and any(entry["group_id"] == str(group.id) for entry in row.approvers)
            for row in session.exec(query)
        )

    def _set_members(
        self, session: Session, act: Act, group: ApproverGroup, user_ids: Iterable[UUID], *, action: str
    ) -> GroupView:
        wanted = set(user_ids)
        repository = ApprovalRepository(session)
        strangers = wanted - repository.people_of_client(act.office_id, group.client_id)
        if strangers:
            raise RuleInvalid(faults=[fault("/user_ids", "user_not_found", "Somebody has no role at this client.")])
        present = repository.group_members(act.office_id, [group.id]).get(group.id, [])
        before = {member.user_id for member in present}
        for member in present:
            if member.user_id not in wanted:
                member.ended_at = act.now
        session.add_all(
            [
                ApproverGroupMember(
                    id=new_id(), office_id=act.office_id, group_id=group.id, user_id=user_id, since=act.now
                )
                for user_id in sorted(wanted - before)
            ]
        )
        changes = {
            "name": Change(None, group.name),
            "user_ids": Change(sorted(map(str, before)), sorted(map(str, wanted))),
        }
        self.gateway.audit.record(
            session,
            act,
            action,
            "approver_group",
            group.id,
            client_id=group.client_id,
            changes=changes,
            second_factor=act.second_factor,
        )
        return GroupView(group, sorted(wanted))

"""Approver groups of a client: people who can stand for one another in a rule.

One that a rule names is changed by two administrators (APP-12); until then nothing is decided by it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlmodel import Session, col, select

from gateway.act import Act
from gateway.approvals.errors import GroupChanged, GroupInUse, GroupNameTaken, GroupNotFound, RuleInvalid
from gateway.approvals.guard import (
    fault,
    held_settings,
    present_versions_of,
    require_client_of,
    require_rules_change,
)
from gateway.approvals.models import ApprovalRuleVersion, ApproverGroup, ApproverGroupMember
from gateway.approvals.repository import ApprovalRepository
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.identity.rights import Permission
from gateway.ids import encode, new_id
from gateway.offices.service import require_client
from gateway.pagination import PageRequest, Sort
from gateway.proposals.models import Proposal
from gateway.proposals.service import ProposalService
from gateway.proposals.states import ProposalState

CHANGE: Final = "approver_group.change"


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
            require_free_name(session, act.office_id, client_id, name)
            group = ApproverGroup(
                id=new_id(), office_id=act.office_id, client_id=client_id, name=name, created_at=act.now
            )
            session.add(group)
            session.flush()
            return GroupView(group, set_members(self.gateway, session, act, group, user_ids))

    def change_group(
        self, act: Act, group_id: UUID, *, name: str, user_ids: Iterable[UUID], version: int
    ) -> GroupView | Proposal:
        """Rename a group and set its members; whoever left counts no more, for waiting payments too.

        At once while no rule ever named the group; else the proposal that a second administrator confirms.
        """
        people = set(user_ids)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            group = self._group(session, act, group_id)
            require_rules_change(session, act, group.client_id, missing=GroupNotFound)
            held_settings(session, act, group.client_id)
            session.refresh(group)
            if group.version != version:
                raise GroupChanged
            check_group(session, group, name=name, user_ids=people)
            if not is_named(session, group):
                return GroupView(group, write_group(self.gateway, session, act, group, name=name, user_ids=people))
            client_id = group.client_id
        content = {"version": version, "name": name, "user_ids": sorted(map(str, people))}
        proposal = ProposalService(self.gateway).propose(act, CHANGE, group_id, content, client_id=client_id)
        return self.group(act, group_id) if proposal.state is ProposalState.CONFIRMED else proposal

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


def is_named(session: Session, group: ApproverGroup) -> bool:
    """Whether a version of a rule names the group: a payment that waits keeps the version of its submission."""
    rows = ApprovalRepository(session).versions(group.office_id, [group.client_id]).get(group.client_id, [])
    return any(entry["group_id"] == str(group.id) for row in rows for entry in row.approvers)


def check_group(session: Session, group: ApproverGroup, *, name: str, user_ids: Collection[UUID]) -> None:
    """Raises `GroupNameTaken`, `RuleInvalid` for strangers, `GroupInUse` when an active rule would have nobody."""
    if name != group.name:
        require_free_name(session, group.office_id, group.client_id, name)
    _require_known(session, group, user_ids)
    if user_ids:
        return
    rows = session.exec(present_versions_of(group.office_id).where(ApprovalRuleVersion.client_id == group.client_id))
    if any(row.is_active and any(entry["group_id"] == str(group.id) for entry in row.approvers) for row in rows):
        raise GroupInUse


def require_free_name(session: Session, office_id: UUID, client_id: UUID, name: str) -> None:
    """Raises `GroupNameTaken`."""
    query = select(ApproverGroup.id).where(
        ApproverGroup.office_id == office_id, ApproverGroup.client_id == client_id, ApproverGroup.name == name
    )
    if session.exec(query).first() is not None:
        raise GroupNameTaken


def write_group(
    gateway: Gateway,
    session: Session,
    act: Act,
    group: ApproverGroup,
    *,
    name: str,
    user_ids: Iterable[UUID],
    proposal: Proposal | None = None,
) -> list[UUID]:
    """The next version of a group that was checked; the client's settings are held."""
    group.name, group.version = name, group.version + 1
    session.add(group)
    return set_members(gateway, session, act, group, user_ids, proposal=proposal)


def set_members(
    gateway: Gateway,
    session: Session,
    act: Act,
    group: ApproverGroup,
    user_ids: Iterable[UUID],
    *,
    proposal: Proposal | None = None,
) -> list[UUID]:
    """Make these the members from now on. Raises `RuleInvalid`."""
    wanted = set(user_ids)
    _require_known(session, group, wanted)
    present = ApprovalRepository(session).group_members(group.office_id, [group.id]).get(group.id, [])
    before = {member.user_id for member in present}
    for member in present:
        if member.user_id not in wanted:
            member.ended_at = act.now
    session.add_all(
        [
            ApproverGroupMember(
                id=new_id(), office_id=group.office_id, group_id=group.id, user_id=user_id, since=act.now
            )
            for user_id in sorted(wanted - before)
        ]
    )
    changes = {
        "name": Change(None, group.name),
        "user_ids": Change(sorted(map(str, before)), sorted(map(str, wanted))),
    }
    if proposal is not None:
        changes["proposal"] = Change(None, encode("proposal", proposal.id))
    gateway.audit.record(
        session,
        act,
        "approver_group.created" if group.version == 1 else "approver_group.changed",
        "approver_group",
        group.id,
        client_id=group.client_id,
        changes=changes,
        second_factor=act.second_factor,
    )
    return sorted(wanted)


def _require_known(session: Session, group: ApproverGroup, user_ids: Iterable[UUID]) -> None:
    if set(user_ids) - ApprovalRepository(session).people_of_client(group.office_id, group.client_id):
        raise RuleInvalid(faults=[fault("/user_ids", "user_not_found", "Somebody has no role at this client.")])

"""Approval rules of a client that moves to another office, as far as they can go along (OFF-17).

They are read at the former office and written at the new one, each in its own unit of work. People do not move: a rule
keeps those it names who have a role at the client there already, and a group is filled with these alone. A rule that
would ask less without somebody is left behind, and the move says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from gateway.accounts.models import Account
from gateway.act import Act
from gateway.approvals.guard import held_settings, present_versions_of
from gateway.approvals.models import ApprovalRule, ApprovalRuleVersion, ApproverGroup, ApproverGroupMember
from gateway.approvals.repository import ApprovalRepository
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.ids import new_id
from gateway.proposals.kinds import has_submitted

AccountKey = tuple[str, str]
"""IBAN and currency: what an account is called at every office."""


class Left(StrEnum):
    """Why a rule did not go along."""

    CLIENT_PAYS_HERE = "client_pays_here"
    """Payments were submitted here already: from then on two administrators change rules (APP-12)."""
    NAME_TAKEN = "name_taken"
    PERSON_NOT_HERE = "person_not_here"
    ACCOUNT_NOT_HERE = "account_not_here"


@dataclass(frozen=True, slots=True)
class MovingRule:
    """An active rule without ids of one office; those of people are the same everywhere."""

    content: Mapping[str, Any]
    """Name, conditions without accounts, mode and count."""
    approvers: Sequence[Mapping[str, Any]]
    """User id, or name of a group, and maximum."""
    accounts: Sequence[AccountKey] | None = None


@dataclass(slots=True)
class MovingRules:
    """What a client's rules say at the former office."""

    rules: list[MovingRule] = field(default_factory=list)
    groups: dict[str, set[UUID]] = field(default_factory=dict)
    """Name to members."""


def moving_rules(session: Session, office_id: UUID, client_id: UUID) -> MovingRules:
    """The active rules of the client, in the order of their making."""
    query = present_versions_of(office_id).where(
        ApprovalRuleVersion.client_id == client_id, col(ApprovalRuleVersion.is_active)
    )
    rows = session.exec(query.order_by(col(ApprovalRuleVersion.rule_id))).all()
    members = ApprovalRepository(session).members(office_id, [client_id]).get(client_id, {})
    names = {
        str(group.id): group.name
        for group in session.exec(
            select(ApproverGroup).where(ApproverGroup.office_id == office_id, ApproverGroup.client_id == client_id)
        )
    }
    accounts = {id_: key for key, id_ in _accounts(session, office_id, client_id).items()}
    found = MovingRules()
    for row in rows:
        conditions = dict(row.conditions)
        named = conditions.pop("debtor_accounts", None)
        found.rules.append(
            MovingRule(
                {"name": row.name, "is_active": True, "conditions": conditions, "mode": row.mode, "count": row.count},
                [
                    {
                        "user_id": entry["user_id"],
                        "group": names[entry["group_id"]] if entry["group_id"] else None,
                        "amount_max": entry["amount_max"],
                    }
                    for entry in row.approvers
                ],
                None if named is None else [accounts[id_] for id_ in named],
            )
        )
        for entry in row.approvers:
            if entry["group_id"]:
                found.groups[names[entry["group_id"]]] = members.get(UUID(entry["group_id"]), set())
    return found


def put_moving_rules(
    gateway: Gateway, session: Session, act: Act, client_id: UUID, moving: MovingRules, *, chosen_by: UUID
) -> list[dict[str, Any]]:
    """Write those that can go along at the new office; one line for each with its name and why it was left.

    In force at once, as the rules of the template are at a client that is being made: no payment was submitted here,
    and nobody approves by them whom two administrators did not give that role.
    """
    desk = _Desk(gateway, session, act, client_id, members=moving.groups, chosen_by=chosen_by)
    is_paying = has_submitted(session, act.office_id, client_id)
    outcome = []
    for rule in moving.rules:
        reason = Left.CLIENT_PAYS_HERE if is_paying else desk.reason(rule)
        if reason is None:
            desk.add(rule)
        outcome.append({"name": rule.content["name"], "reason": reason.value if reason is not None else None})
    return outcome


class _Desk:
    """The client at the new office while rules arrive, its settings held."""

    def __init__(
        self,
        gateway: Gateway,
        session: Session,
        act: Act,
        client_id: UUID,
        *,
        members: Mapping[str, set[UUID]],
        chosen_by: UUID,
    ) -> None:
        self._gateway, self._session, self._act = gateway, session, act
        self._client_id, self._members, self._chosen_by = client_id, members, chosen_by
        self._settings = held_settings(session, act, client_id)
        self._people = ApprovalRepository(session).people_of_client(act.office_id, client_id)
        self._accounts = _accounts(session, act.office_id, client_id)
        query = select(ApproverGroup.name, ApproverGroup.id).where(
            ApproverGroup.office_id == act.office_id, ApproverGroup.client_id == client_id
        )
        self._groups = dict(session.exec(query).all())
        present = present_versions_of(act.office_id).where(ApprovalRuleVersion.client_id == client_id)
        self._names = {row.name for row in session.exec(present)}

    def reason(self, rule: MovingRule) -> Left | None:
        """What keeps the rule from going along."""
        if rule.content["name"] in self._names:
            return Left.NAME_TAKEN
        named = {UUID(entry["user_id"]) for entry in rule.approvers if entry["user_id"]}
        if named - self._people:
            return Left.PERSON_NOT_HERE
        if any(key not in self._accounts for key in rule.accounts or ()):
            return Left.ACCOUNT_NOT_HERE
        return None

    def add(self, rule: MovingRule) -> None:
        """The rule with the ids of this office."""
        conditions = dict(rule.content["conditions"])
        if rule.accounts is not None:
            conditions["debtor_accounts"] = sorted(self._accounts[key] for key in rule.accounts)
        document = {
            **rule.content,
            "conditions": conditions,
            "approvers": [
                {
                    "user_id": entry["user_id"],
                    "group_id": str(self._group(entry["group"])) if entry["group"] else None,
                    "amount_max": entry["amount_max"],
                }
                for entry in rule.approvers
            ],
        }
        self._settings.rules_revision += 1
        head = ApprovalRule(id=new_id(), created_at=self._act.now, **self._own())
        self._session.add_all([self._settings, head])
        self._session.flush()
        row = ApprovalRuleVersion(
            id=new_id(), rule_id=head.id, version=1, revision=self._settings.rules_revision, **document,
            created_by=self._chosen_by, created_at=self._act.now, **self._own(),
        )  # fmt: skip
        self._session.add(row)
        self._names.add(row.name)
        self._gateway.audit.record(
            self._session, self._act, "approval_rule.created", "approval_rule", head.id,
            client_id=self._client_id, changes={"rule": Change(None, {"version": 1, **document})},
        )  # fmt: skip

    def _own(self) -> dict[str, Any]:
        return {"office_id": self._act.office_id, "client_id": self._client_id}

    def _group(self, name: str) -> UUID:
        if name not in self._groups:
            group = ApproverGroup(id=new_id(), name=name, created_at=self._act.now, **self._own())
            self._session.add(group)
            self._session.flush()
            people = sorted(self._members.get(name, set()) & self._people)
            self._session.add_all(self._memberships(group.id, people))
            self._gateway.audit.record(
                self._session, self._act, "approver_group.created", "approver_group", group.id,
                client_id=self._client_id,
                changes={"name": Change(None, name), "user_ids": Change([], [str(user_id) for user_id in people])},
            )  # fmt: skip
            self._groups[name] = group.id
        return self._groups[name]

    def _memberships(self, group_id: UUID, people: Iterable[UUID]) -> list[ApproverGroupMember]:
        return [
            ApproverGroupMember(
                id=new_id(), office_id=self._act.office_id, group_id=group_id, user_id=user_id, since=self._act.now
            )
            for user_id in people
        ]


def _accounts(session: Session, office_id: UUID, client_id: UUID) -> dict[AccountKey, str]:
    query = select(Account).where(Account.office_id == office_id, Account.client_id == client_id)
    return {(account.iban, account.currency): str(account.id) for account in session.exec(query)}

"""Tables of approval rules, groups, settings, requests and decisions.

Rules are versioned: a change adds a version and raises the client's revision, so that the rules in force at any
revision can be read back (APP-12). Decisions are never changed; an approval of an earlier round counts no more.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from gateway.approvals.states import RequestState
from gateway.database import Base, Moment, office_key, office_reference, words


class ApprovalSettings(Base, table=True):
    """How a client decides; a client without a row has the defaults."""

    __tablename__ = "approval_settings"
    __table_args__ = (office_key(), office_reference("client_id", "client"), UniqueConstraint("office_id", "client_id"))

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    client_id: UUID
    is_payment_process_on: bool = True
    """On until an administrator switches it off: a client nobody has looked at cannot pay without approval."""
    preparer_may_approve: bool = False
    rules_revision: int = 0
    """Rises with every change of a rule."""
    version: int = 1


class ApproverGroup(Base, table=True):
    """People who can stand for one another in a rule."""

    __tablename__ = "approver_group"
    __table_args__ = (
        office_key(),
        office_reference("client_id", "client"),
        UniqueConstraint("office_id", "client_id", "name"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    client_id: UUID
    name: str = Field(max_length=70)
    version: int = 1
    created_at: datetime = Field(sa_type=Moment)


class ApproverGroupMember(Base, table=True):
    """A person in a group, from a moment until a moment."""

    __tablename__ = "approver_group_member"
    __table_args__ = (
        office_key(),
        office_reference("group_id", "approver_group"),
        Index(
            "uq_approver_group_member_present",
            "office_id",
            "group_id",
            "user_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    group_id: UUID
    user_id: UUID = Field(foreign_key="app_user.id")
    since: datetime = Field(sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)


class ApprovalRule(Base, table=True):
    """A rule of one client; what it says stands in its versions."""

    __tablename__ = "approval_rule"
    __table_args__ = (office_key(), office_reference("client_id", "client"), Index(None, "office_id", "client_id"))

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    client_id: UUID
    version: int = 1
    """The version in force; the rule's ETag."""
    created_at: datetime = Field(sa_type=Moment)


class ApprovalRuleVersion(Base, table=True):
    """What a rule says from one revision of the client's rules on; never changed."""

    __tablename__ = "approval_rule_version"
    __table_args__ = (
        office_key(),
        office_reference("rule_id", "approval_rule"),
        UniqueConstraint("office_id", "rule_id", "version"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    client_id: UUID
    rule_id: UUID
    version: int
    revision: int
    name: str = Field(max_length=70)
    is_active: bool
    conditions: dict[str, Any] = Field(sa_type=JSONB)
    """As `gateway.approvals.rulebook` writes them; amounts are strings."""
    approvers: list[dict[str, Any]] = Field(sa_type=JSONB)
    mode: str = Field(max_length=8)
    count: int
    created_by: UUID
    created_at: datetime = Field(sa_type=Moment)


class ApprovalRequest(Base, table=True):
    """What one rule asks of one payment in one round, with the version of its submission."""

    __tablename__ = "approval_request"
    __table_args__ = (
        office_key(),
        office_reference("payment_id", "payment"),
        office_reference("rule_id", "approval_rule"),
        UniqueConstraint("office_id", "payment_id", "approval_round", "rule_id"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    payment_id: UUID
    approval_round: int
    rule_id: UUID
    rule_version: int
    state: RequestState = Field(default=RequestState.PENDING, sa_type=words(RequestState))
    created_at: datetime = Field(sa_type=Moment)


class Approval(Base, table=True):
    """One person's decision on exactly the content its seal covers; the application adds and reads, never changes."""

    __tablename__ = "approval"
    __table_args__ = (
        office_key(),
        office_reference("payment_id", "payment"),
        # One person, one decision per round: a replay or a double click cannot count twice.
        UniqueConstraint("office_id", "payment_id", "approval_round", "user_id"),
        Index(None, "office_id", "user_id", "id"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    payment_id: UUID
    approval_round: int
    user_id: UUID = Field(foreign_key="app_user.id")
    verdict: str = Field(max_length=8)
    """`approve` or `reject`."""
    reason_code: str | None = Field(default=None, max_length=20)
    reason_text: str | None = Field(default=None, max_length=280)
    payment_seal: str = Field(max_length=80)
    rule_versions: dict[str, int] = Field(sa_type=JSONB)
    decided_at: datetime = Field(sa_type=Moment)
    mac: str = Field(max_length=80)
    """HMAC over seal, approver, verdict, reason, rule versions and moment (APP-07)."""

"""Reading the audit chain: entries by filter, and what was valid at a moment (SEC-09).

Roles and rules keep their own history, with moments from and until; any other object is told by its entries.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import col, select

from gateway.act import Act
from gateway.approvals.models import ApprovalRuleVersion
from gateway.assembly import Gateway
from gateway.audit.models import AuditCheckpoint, AuditEntry, AuditValue
from gateway.clock import brussels_date
from gateway.identity.models import Membership
from gateway.identity.rights import Permission
from gateway.pagination import PageRequest, Sort
from gateway.payments.queries import within


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries; None means all."""

    client_id: UUID | None = None
    object_id: UUID | None = None
    actor_id: UUID | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    subject: str | None = None
    """The word before the dot of the action."""


@dataclass(frozen=True, slots=True)
class FieldState:
    """The last value of one field, and the entry that says so."""

    field: str
    value: Any
    is_erased: bool
    entry: AuditEntry


class AuditViews:
    """For people and machines that may read the chain; those of one client see that client's part."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def entries(
        self, act: Act, request: PageRequest, wanted: EntryFilter, *, is_newest_first: bool = False
    ) -> tuple[list[AuditEntry], str | None]:
        """Entries in order of position."""
        act.require(Permission.AUDIT_READ, wanted.client_id)
        query = self._visible(act)
        for column, value in (
            (AuditEntry.client_id, wanted.client_id),
            (AuditEntry.object_id, wanted.object_id),
            (AuditEntry.actor_id, wanted.actor_id),
            (AuditEntry.action, wanted.action),
        ):
            if value is not None:
                query = query.where(col(column) == value)
        if wanted.since is not None:
            query = query.where(col(AuditEntry.occurred_at) >= wanted.since)
        if wanted.until is not None:
            query = query.where(col(AuditEntry.occurred_at) <= wanted.until)
        if wanted.subject is not None:
            query = query.where(col(AuditEntry.action).startswith(f"{wanted.subject}.", autoescape=True))
        order = [
            Sort(col(AuditEntry.position), lambda entry: entry.position, int, is_descending=is_newest_first),
        ]  # fmt: skip
        with self.gateway.database.unit_of_work(act.office_id) as session:
            name = f"audit:{act.office_id}:{wanted}:{is_newest_first}"
            return self.gateway.pager.page(session, query, order, request, name=name)

    def checkpoints(self, act: Act, request: PageRequest) -> tuple[list[AuditCheckpoint], str | None]:
        """Signed heads, the newest first."""
        act.require(Permission.AUDIT_READ)
        query = select(AuditCheckpoint).where(AuditCheckpoint.office_id == act.office_id)
        order = [Sort(col(AuditCheckpoint.position), lambda row: row.position, int, is_descending=True)]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            return self.gateway.pager.page(session, query, order, request, name=f"audit-checkpoints:{act.office_id}")

    def rights(
        self, act: Act, request: PageRequest, *, as_of: datetime | None, client_id: UUID | None, user_id: UUID | None
    ) -> tuple[list[Membership], str | None]:
        """Who held which role at a moment; None asks for now."""
        act.require(Permission.AUDIT_READ, client_id)
        # Of the cursor only what the caller gave: the next page is asked for at another "now".
        asked = as_of.isoformat() if as_of is not None else None
        as_of = as_of or act.real_now
        day = brussels_date(as_of)
        query = select(Membership).where(
            Membership.office_id == act.office_id,
            col(Membership.created_at) <= as_of,
            or_(col(Membership.ended_at).is_(None), col(Membership.ended_at) > as_of),
            or_(col(Membership.from_date).is_(None), col(Membership.from_date) <= day),
            or_(col(Membership.until_date).is_(None), col(Membership.until_date) >= day),
        )
        visible = act.principal.visible_clients(Permission.AUDIT_READ)
        if visible is not None:
            query = query.where(within(Membership.client_id, visible))
        if client_id is not None:
            query = query.where(Membership.client_id == client_id)
        if user_id is not None:
            query = query.where(Membership.user_id == user_id)
        order = [Sort(col(Membership.id), lambda row: str(row.id), UUID)]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            name = f"rights:{act.office_id}:{act.principal.id}:{asked}:{client_id}:{user_id}"
            return self.gateway.pager.page(session, query, order, request, name=name)

    def rule_versions(
        self, act: Act, request: PageRequest, *, as_of: datetime | None, client_id: UUID | None
    ) -> tuple[list[ApprovalRuleVersion], str | None]:
        """Versions of approval rules: all of them, or those in force at a moment."""
        act.require(Permission.AUDIT_READ, client_id)
        version = ApprovalRuleVersion
        query = select(version).where(version.office_id == act.office_id)
        visible = act.principal.visible_clients(Permission.AUDIT_READ)
        if visible is not None:
            query = query.where(within(version.client_id, visible))
        if client_id is not None:
            query = query.where(version.client_id == client_id)
        if as_of is not None:
            last = (
                select(version.id)
                .where(version.office_id == act.office_id, col(version.created_at) <= as_of)
                .ext(distinct_on(col(version.rule_id)))
                .order_by(col(version.rule_id), col(version.version).desc())
            )
            query = query.where(col(version.id).in_(last))
        order = [Sort(col(version.id), lambda row: str(row.id), UUID)]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            moment = as_of.isoformat() if as_of else None
            name = f"rule-versions:{act.office_id}:{act.principal.id}:{moment}:{client_id}"
            return self.gateway.pager.page(session, query, order, request, name=name)

    def object_state(self, act: Act, object_id: UUID, *, as_of: datetime) -> list[FieldState]:
        """Each field with its last change at or before a moment; empty for an object without entries until then."""
        query = (
            self._visible(act)
            .where(AuditEntry.object_id == object_id, col(AuditEntry.occurred_at) <= as_of)
            .order_by(col(AuditEntry.position))
        )
        with self.gateway.database.unit_of_work(act.office_id) as session:
            entries = list(session.exec(query))
            values = {
                (value.entry_id, value.field): value
                for value in session.exec(
                    select(AuditValue).where(
                        AuditValue.office_id == act.office_id,
                        within(AuditValue.entry_id, [entry.id for entry in entries]),
                    )
                )
            }
        state: dict[str, FieldState] = {}
        for entry in entries:
            for name in entry.digests:
                value = values.get((entry.id, name))
                state[name] = FieldState(name, value.new_value if value else None, value is None, entry)
        return [state[name] for name in sorted(state)]

    def _visible(self, act: Act) -> Any:
        act.require(Permission.AUDIT_READ)
        query = select(AuditEntry).where(AuditEntry.office_id == act.office_id)
        visible = act.principal.visible_clients(Permission.AUDIT_READ)
        # An auditor of some clients reads what concerns these, and nothing of the office itself.
        return query if visible is None else query.where(within(AuditEntry.client_id, visible))

"""What keeps an import from being undone for a client: a consent, a statement, a payment, anything that refers to it.

Found through the references of the tables themselves, so that a table added later hinders as well (OFF-15).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Table, Uuid, func, or_
from sqlalchemy import select as core_select
from sqlmodel import Session, col, select

from gateway.accounts.models import Account
from gateway.approvals.models import ApprovalSettings, ApproverGroup
from gateway.database import Base
from gateway.identity.models import Membership
from gateway.imports.present import among
from gateway.offices.models import Client, ClientSettings
from gateway.statements.models import Statement

OWN: Final = frozenset(
    {
        "access_grant",
        "client_profile",
        "known_account",
        "client_group_client",
        "client_settings",
        "approval_settings",
        "approval_rule",
        "approver_group",
        "address_change",
    }
)
"""Made with the client, and removed with it; rules only while they are those of the template."""
REASONS: Final = {
    "consent": "has_consent",
    "account": "has_account",
    "basket": "has_payment",
    "payment": "has_payment",
    "export": "has_payment",
}


def hindrances(session: Session, office_id: UUID, client_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Client to reason, of those for which nothing may be taken back."""
    ids = list(client_ids)
    found: dict[UUID, str] = {}
    with_statements = (
        select(Account.client_id)
        .join(Statement, col(Statement.account_id) == Account.id)
        .where(Account.office_id == office_id, Statement.office_id == office_id, among(Account.client_id, ids, Uuid))
        .distinct()
    )
    for client_id in session.exec(with_statements):
        found.setdefault(client_id, "has_statement")
    tables = sorted(_referring(), key=lambda table: (table.name not in REASONS, table.name != "consent", table.name))
    for table in tables:
        query = core_select(table.c.client_id).where(
            table.c.office_id == office_id, among(table.c.client_id, ids, Uuid)
        )
        for client_id in session.execute(query.distinct()).scalars():
            found.setdefault(client_id, REASONS.get(table.name, "in_use"))
    copied = func.coalesce(col(ClientSettings.rules_copied), 0)
    ruled = (
        select(ApprovalSettings.client_id)
        .outerjoin(ClientSettings, col(ClientSettings.client_id) == ApprovalSettings.client_id)
        .where(
            ApprovalSettings.office_id == office_id,
            among(ApprovalSettings.client_id, ids, Uuid),
            or_(copied == 0, col(ApprovalSettings.rules_revision) > copied, col(ApprovalSettings.version) > 1),
        )
    )
    grouped = (
        select(ApproverGroup.client_id)
        .join(Client, col(Client.id) == ApproverGroup.client_id)
        .where(
            ApproverGroup.office_id == office_id,
            among(ApproverGroup.client_id, ids, Uuid),
            or_(col(ApproverGroup.created_at) > Client.created_at, col(ApproverGroup.version) > 1),
        )
    )
    for client_id in {*session.exec(ruled), *session.exec(grouped)}:
        found.setdefault(client_id, "in_use")
    people = select(Membership.client_id).where(
        Membership.office_id == office_id, col(Membership.ended_at).is_(None), among(Membership.client_id, ids, Uuid)
    )
    for member_client_id in session.exec(people.distinct()):
        if member_client_id is not None:
            found.setdefault(member_client_id, "has_people")
    return found


def _referring() -> list[Table]:
    """Tables with a reference to `client` in a column `client_id`, but those that belong to it."""
    return [
        table
        for table in Base.metadata.tables.values()
        if table.name not in OWN
        and any(
            isinstance(constraint, ForeignKeyConstraint)
            and constraint.elements[0].target_fullname.startswith("client.")
            and "client_id" in constraint.column_keys
            for constraint in table.constraints
        )
    ]

"""Who may change what decides on payments, and what every such change needs (APP-12)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.act import Act
from gateway.approvals.errors import ClientAdministratorRequired
from gateway.approvals.models import ApprovalRule, ApprovalRuleVersion, ApprovalSettings
from gateway.approvals.repository import ApprovalRepository
from gateway.errors import FieldFault, NotFound
from gateway.identity.rights import Permission
from gateway.ids import new_id
from gateway.offices.models import Client
from gateway.offices.service import require_client


def require_rules_change(
    session: Session, act: Act, client_id: UUID, *, missing: type[NotFound] | None = None
) -> Client:
    """The client, when this person may change its rules now; never a key, a client credential or a job.

    A client with an administrator of its own is changed by its administrators; one without, by the office's.
    """
    act.require_fresh_second_factor()
    client = require_client_of(session, act, client_id, Permission.RULES_WRITE, missing=missing, is_change=True)
    is_own = Permission.RULES_WRITE in act.principal.client_permissions.get(client_id, frozenset())
    if not is_own and ApprovalRepository(session).has_administrator(act.office_id, client_id):
        raise ClientAdministratorRequired
    return client


def require_client_of(
    session: Session,
    act: Act,
    client_id: UUID,
    permission: Permission,
    *,
    missing: type[NotFound] | None = None,
    is_change: bool = False,
) -> Client:
    """As `require_client`; `missing` is what an object of a client that is closed to the caller answers.

    So an id that is not there and one the caller may not see are told alike.
    """
    try:
        return require_client(session, act, client_id, permission, is_change=is_change)
    except NotFound:
        if missing is None:
            raise
        raise missing from None


def held_settings(session: Session, act: Act, client_id: UUID) -> ApprovalSettings:
    """The client's settings row, made where there is none, and held so that changes of its rules follow one another."""
    row = default_settings(act, client_id).model_dump()
    session.execute(insert(ApprovalSettings).values(**row).on_conflict_do_nothing())
    found = ApprovalRepository(session).lock_settings(act.office_id, client_id)
    assert found is not None, "the row was made a statement ago"
    return found


def default_settings(act: Act, client_id: UUID) -> ApprovalSettings:
    """What holds for a client nobody has made settings for."""
    return ApprovalSettings(id=new_id(), office_id=act.office_id, client_id=client_id)


def present_versions(act: Act) -> SelectOfScalar[ApprovalRuleVersion]:
    """Query over the rules of the caller's office as they are now."""
    return present_versions_of(act.office_id)


def present_versions_of(office_id: UUID) -> SelectOfScalar[ApprovalRuleVersion]:
    """Query over the rules of an office as they are now."""
    return (
        select(ApprovalRuleVersion)
        .join(
            ApprovalRule,
            (col(ApprovalRule.id) == ApprovalRuleVersion.rule_id)
            & (col(ApprovalRule.version) == ApprovalRuleVersion.version),
        )
        .where(ApprovalRuleVersion.office_id == office_id)
    )


def fault(pointer: str, code: str, detail: str) -> FieldFault:
    """Something that is not this client's."""
    return FieldFault(pointer, code, detail, "Take an id from the client's own list.")

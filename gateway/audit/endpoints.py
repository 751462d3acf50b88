"""REST: reading and proving the audit chain."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from sqlmodel import col, select

from gateway.act import Act
from gateway.api import ActDep, GatewayDep, PageDep, problem_responses
from gateway.assembly import Gateway
from gateway.audit.log import verify
from gateway.audit.models import AuditEntry
from gateway.audit.schemas import AuditChainRead, AuditEntryRead
from gateway.identity.rights import Permission
from gateway.ids import ClientId, encode
from gateway.offices.models import OfficeHead
from gateway.pagination import Page, PageRequest, Sort
from gateway.payments.queries import within

router = APIRouter(prefix="/v1", tags=["audit"])

_ACTORS = {"user": "user", "machine": "credential", "app": "application", "system": "office"}


@router.get("/audit-entries", operation_id="list_audit_entries", responses=problem_responses(400))
def list_audit_entries(
    act: ActDep, gateway: GatewayDep, page: PageDep, client_id: ClientId | None = None
) -> Page[AuditEntryRead]:
    """Entries in order of position, of one client when asked."""
    entries, cursor = _entries(gateway, act, page, client_id)
    return Page(items=[_shown(entry) for entry in entries], next_cursor=cursor)


@router.get("/audit-chain", operation_id="get_audit_chain", responses=problem_responses())
def get_audit_chain(act: ActDep, gateway: GatewayDep) -> AuditChainRead:
    """Recompute the chain and name the first broken or missing entry."""
    act.principal.require_for_office(Permission.AUDIT_READ)
    with gateway.database.unit_of_work(act.office_id) as session:
        fault = verify(session, gateway.audit, act.office_id)
        head = session.exec(select(OfficeHead).where(OfficeHead.office_id == act.office_id)).one()
    return AuditChainRead(is_intact=fault is None, entries=head.audit_position, first_fault=fault)


def _entries(
    gateway: Gateway, act: Act, page: PageRequest, client_id: UUID | None
) -> tuple[list[AuditEntry], str | None]:
    act.require(Permission.AUDIT_READ, client_id)
    order = [Sort(col(AuditEntry.position), lambda entry: entry.position, int)]
    query = select(AuditEntry).where(AuditEntry.office_id == act.office_id)
    visible = act.principal.visible_clients(Permission.AUDIT_READ)
    if visible is not None:
        # An auditor of some clients reads what concerns these, and nothing of the office itself.
        query = query.where(within(AuditEntry.client_id, visible))
    if client_id is not None:
        query = query.where(AuditEntry.client_id == client_id)
    with gateway.database.unit_of_work(act.office_id) as session:
        return gateway.pager.page(session, query, order, page, name=f"audit:{act.office_id}:{client_id}")


def _shown(entry: AuditEntry) -> AuditEntryRead:
    kind = entry.object_kind
    return AuditEntryRead(
        id=entry.id,
        position=entry.position,
        occurred_at=entry.occurred_at,
        actor_kind=entry.actor_kind,
        actor_id=encode(_ACTORS[entry.actor_kind], entry.actor_id),
        action=entry.action,
        object_kind=kind,
        object_id=encode(kind, entry.object_id),
        client_id=entry.client_id,
        request_id=entry.request_id,
        second_factor=entry.second_factor,
        via=encode("application", entry.via_id) if entry.via_id else None,
        changed_fields=sorted(entry.digests),
        mac=entry.mac.hex(),
    )

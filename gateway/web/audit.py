"""The audit chain as people read it: entries by filter, and the rights and rules of a day (SEC-09)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Query, Request
from fastapi.responses import Response

from gateway.api import GatewayDep
from gateway.approvals.models import ApprovalRuleVersion
from gateway.audit.log import SOURCE
from gateway.audit.models import AuditEntry
from gateway.audit.views import AuditViews, EntryFilter
from gateway.clock import BRUSSELS
from gateway.identity.rights import Permission
from gateway.ids import PREFIXES, decode, encode, kind_of
from gateway.pagination import PageRequest
from gateway.web import reading
from gateway.web.formats import money, parse_day
from gateway.web.labels import LABELS
from gateway.web.rendering import page
from gateway.web.routing import page_router
from gateway.web.security import VisitDep

router = page_router()

ENTRIES_PER_PAGE: Final = 50
RIGHTS_PER_PAGE: Final = 200
TextFilter = Annotated[str, Query(max_length=60)]


@router.get("/audit")
def entries(
    *,
    request: Request,
    gateway: GatewayDep,
    visit: VisitDep,
    first: TextFilter = "",
    last: TextFilter = "",
    subject: TextFilter = "",
    client: TextFilter = "",
    actor: TextFilter = "",
    object_id: Annotated[str, Query(alias="object", max_length=60)] = "",
    cursor: str | None = None,
) -> Response:
    """The newest entries first; every filter is a field or a link."""
    act = visit.act
    days = [parse_day(text) for text in (first, last)]
    ids = [_id(client, "client"), _id(object_id), _id(actor, "user")]
    is_odd = any(bool(text) != (value is not None) for text, value in
                 zip((first, last, client, object_id, actor), [*days, *ids], strict=True))  # fmt: skip
    wanted = EntryFilter(
        client_id=ids[0],
        object_id=ids[1],
        actor_id=ids[2],
        subject=subject if subject in LABELS["subject"] else None,
        since=_begin(days[0]) if days[0] else None,
        until=_begin(days[1] + timedelta(days=1)) - timedelta(microseconds=1) if days[1] else None,
    )
    rows, next_cursor = AuditViews(gateway).entries(
        act, PageRequest(ENTRIES_PER_PAGE, cursor), wanted, is_newest_first=True
    )
    people = {row.actor_id for row in rows if row.actor_kind == "user"}
    people |= {row.object_id for row in rows if row.object_kind == "user"} | ({ids[2]} if ids[2] else set())
    filters = {"first": first, "last": last, "subject": subject, "client": client, "actor": actor, "object": object_id}
    return page(
        request,
        "audit.html",
        rows=[(row, _fields(row), _typed(row)) for row in rows],
        names=reading.people(gateway, people),
        clients=reading.client_names(gateway, visit, {row.client_id for row in rows if row.client_id}),
        choices=reading.clients(gateway, visit, Permission.AUDIT_READ) if visit.may("clients:read") else [],
        subjects=list(LABELS["subject"]),
        filters={name: value for name, value in filters.items() if value},
        next_cursor=next_cursor,
        is_odd=is_odd,
    )


@router.get("/audit/day")
def day(
    *,
    request: Request,
    gateway: GatewayDep,
    visit: VisitDep,
    wanted: Annotated[str, Query(alias="day", max_length=20)] = "",
    client: TextFilter = "",
    cursor: str | None = None,
) -> Response:
    """Rights and rules as they were at the end of a day; of today, as they are now."""
    act = visit.act
    chosen = parse_day(wanted) or act.today
    as_of = min(_begin(chosen + timedelta(days=1)) - timedelta(microseconds=1), act.now)
    client_id = _id(client, "client")
    views = AuditViews(gateway)
    rights, next_cursor = views.rights(
        act, PageRequest(RIGHTS_PER_PAGE, cursor), as_of=as_of, client_id=client_id, user_id=None
    )
    rules, _ = views.rule_versions(act, PageRequest(RIGHTS_PER_PAGE, None), as_of=as_of, client_id=client_id)
    people = {right.user_id for right in rights} | {rule.created_by for rule in rules}
    people |= {UUID(one["user_id"]) for rule in rules for one in rule.approvers if one.get("user_id")}
    of_clients = {right.client_id for right in rights} | {rule.client_id for rule in rules}
    return page(
        request,
        "audit_day.html",
        day=chosen,
        rights=rights,
        rules=[(rule, _conditions(rule)) for rule in rules],
        names=reading.people(gateway, people),
        clients=reading.client_names(gateway, visit, {one for one in of_clients if one is not None}),
        choices=reading.clients(gateway, visit, Permission.AUDIT_READ) if visit.may("clients:read") else [],
        client=client,
        next_cursor=next_cursor,
    )


def _begin(of_day: date) -> datetime:
    return datetime.combine(of_day, time.min, BRUSSELS)


def _id(text: str, kind: str | None = None) -> UUID | None:
    """The id in a filter; None when it is empty or no id (of this kind)."""
    try:
        return decode(kind or kind_of(text), text)
    except ValueError:
        return None


def _typed(row: AuditEntry) -> str:
    return encode(row.object_kind, row.object_id) if row.object_kind in PREFIXES else str(row.object_id)


def _fields(row: AuditEntry) -> list[str]:
    return sorted(set(row.digests) - {SOURCE})


def _conditions(rule: ApprovalRuleVersion) -> list[tuple[str, str]]:
    """What the rule asks, as label and value; what it leaves open is left out."""
    told: list[tuple[str, str]] = []
    for name, value in rule.conditions.items():
        if value in (None, [], ""):
            continue
        if name.endswith("_from"):
            told.append((name, money(Decimal(value))))
        else:
            shown: Any = value if isinstance(value, list) else [value]
            told.append((name, ", ".join(str(one) for one in shown)))
    return told

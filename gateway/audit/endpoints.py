"""REST: reading and proving the audit chain, what was valid when, bundles for auditors."""

from __future__ import annotations

import base64
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response

from gateway.api import ActDep, GatewayDep, MomentText, PageDep, problem_responses
from gateway.audit.bundles import BundleService, BundleWish, day_of
from gateway.audit.log import SOURCE, head_of
from gateway.audit.models import AuditBundle, AuditCheckpoint, AuditEntry
from gateway.audit.schemas import (
    AuditBundleRead,
    AuditBundleWrite,
    AuditChainRead,
    AuditCheckpointRead,
    AuditEntryRead,
    ObjectField,
    ObjectStateRead,
    RightRead,
    RuleVersionRead,
)
from gateway.audit.verifying import VerificationService
from gateway.audit.views import AuditViews, EntryFilter
from gateway.errors import NotFound
from gateway.ids import AuditBundleId, ClientId, UserId, decode, encode, kind_of
from gateway.pagination import Page

router = APIRouter(prefix="/v1", tags=["audit"])

_ACTORS = {"user": "user", "machine": "credential", "app": "application", "system": "office"}
AsOf = Annotated[MomentText | None, Query(description="The moment asked about; without it, now.")]
ObjectId = Annotated[
    str | None, Query(max_length=40, description="Typed id of the object changed, such as `cli_…` or `pay_…`.")
]


@router.get("/audit-entries", operation_id="list_audit_entries", responses=problem_responses(400))
def list_audit_entries(  # noqa: PLR0917 - one parameter per filter
    act: ActDep,
    gateway: GatewayDep,
    page: PageDep,
    client_id: ClientId | None = None,
    object_id: ObjectId = None,
    actor_id: Annotated[UserId | None, Query(description="Only what this person did.")] = None,
    action: Annotated[str | None, Query(max_length=60, description="Such as `payment.approved`.")] = None,
    since: Annotated[MomentText | None, Query(description="First moment.")] = None,
    until: Annotated[MomentText | None, Query(description="Last moment.")] = None,
) -> Page[AuditEntryRead]:
    """Entries in order of position. Values are not shown; `changed_fields` names what changed."""
    wanted = EntryFilter(client_id, _object(object_id) if object_id else None, actor_id, action, since, until)
    entries, cursor = AuditViews(gateway).entries(act, page, wanted)
    return Page(items=[_shown(entry) for entry in entries], next_cursor=cursor)


@router.get("/audit-chain", operation_id="get_audit_chain", responses=problem_responses())
def get_audit_chain(act: ActDep, gateway: GatewayDep) -> AuditChainRead:
    """Prove what was added since the last signed head, at most 5,000 entries, and name the first broken or missing one.

    What lies before was proved when that head was signed. A job proves the whole chain every night; a fault it found is
    told here until it finds none.
    """
    found = VerificationService(gateway).standing(act)
    return AuditChainRead(
        is_intact=found.first_fault is None,
        entries=found.entries,
        first_fault=found.first_fault,
        verified_from=found.verified_from,
        verified_until=found.verified_until,
        whole_verified_at=found.whole.made_at if found.whole else None,
        whole_verified_until=found.whole.position if found.whole else None,
    )


@router.get("/audit-checkpoints", operation_id="list_audit_checkpoints", responses=problem_responses(400))
def list_audit_checkpoints(act: ActDep, gateway: GatewayDep, page: PageDep) -> Page[AuditCheckpointRead]:
    """Signed heads of the chain, the newest first: one for each day with entries, and one per thousand entries."""
    rows, cursor = AuditViews(gateway).checkpoints(act, page)
    return Page(items=[_checkpoint(row) for row in rows], next_cursor=cursor)


@router.get("/rights", operation_id="list_rights", responses=problem_responses(400))
def list_rights(  # noqa: PLR0917 - one parameter per filter
    act: ActDep,
    gateway: GatewayDep,
    page: PageDep,
    as_of: AsOf = None,
    client_id: ClientId | None = None,
    user_id: UserId | None = None,
) -> Page[RightRead]:
    """Who held which role at a moment, now or then."""
    rows, cursor = AuditViews(gateway).rights(act, page, as_of=as_of, client_id=client_id, user_id=user_id)
    items = [
        RightRead(
            membership_id=row.id,
            user_id=row.user_id,
            role=row.role,
            client_id=row.client_id,
            salaries=row.salaries,
            from_date=row.from_date,
            until_date=row.until_date,
            since=row.created_at,
            ended_at=row.ended_at,
        )
        for row in rows
    ]
    return Page(items=items, next_cursor=cursor)


@router.get("/approval-rule-versions", operation_id="list_approval_rule_versions", responses=problem_responses(400))
def list_approval_rule_versions(
    act: ActDep, gateway: GatewayDep, page: PageDep, as_of: AsOf = None, client_id: ClientId | None = None
) -> Page[RuleVersionRead]:
    """Every version of the approval rules; with `as_of` those in force at that moment."""
    rows, cursor = AuditViews(gateway).rule_versions(act, page, as_of=as_of, client_id=client_id)
    return Page(items=[RuleVersionRead.model_validate(row) for row in rows], next_cursor=cursor)


@router.get("/object-states", operation_id="get_object_state", responses=problem_responses(400))
def get_object_state(
    act: ActDep,
    gateway: GatewayDep,
    object_id: Annotated[str, Query(max_length=40, description="Typed id, such as `cli_…`.")],
    as_of: AsOf = None,
) -> ObjectStateRead:
    """Any object as its audit entries tell it at a moment: each field with its last change until then."""
    moment = as_of or act.now
    fields = AuditViews(gateway).object_state(act, _object(object_id), as_of=moment)
    items = [
        ObjectField(
            field=found.field,
            value=found.value,
            is_erased=found.is_erased,
            position=found.entry.position,
            changed_at=found.entry.occurred_at,
            entry_id=found.entry.id,
        )
        for found in fields
        if found.field != SOURCE
    ]
    return ObjectStateRead(object_id=object_id, as_of=moment, items=items)


@router.get("/audit-bundles", operation_id="list_audit_bundles", responses=problem_responses(400))
def list_audit_bundles(act: ActDep, gateway: GatewayDep, page: PageDep) -> Page[AuditBundleRead]:
    """Bundles of clients the caller may see, the newest first."""
    rows, cursor = BundleService(gateway).page(act, page)
    return Page(items=[_bundle(row) for row in rows], next_cursor=cursor)


@router.post("/audit-bundles", operation_id="create_audit_bundle", status_code=202, responses=problem_responses(409))
def create_audit_bundle(
    body: AuditBundleWrite, response: Response, act: ActDep, gateway: GatewayDep
) -> AuditBundleRead:
    """Ask for a bundle: a ZIP with everything about the clients and days, signed once every HMAC was checked."""
    wish = BundleWish(
        client_ids=body.client_ids,
        from_date=body.from_date,
        until_date=body.until_date,
        seed=body.seed,
        sample_size=body.sample_size,
        first_payment_above=int(Decimal(body.first_payment_above) * 100),
    )
    bundle = BundleService(gateway).request(act, wish)
    response.headers["Location"] = f"/v1/audit-bundles/{encode('audit_bundle', bundle.id)}"
    return _bundle(bundle)


@router.get("/audit-bundles/{bundle_id}", operation_id="get_audit_bundle", responses=problem_responses())
def get_audit_bundle(bundle_id: AuditBundleId, act: ActDep, gateway: GatewayDep) -> AuditBundleRead:
    """One bundle and how far it is."""
    return _bundle(BundleService(gateway).get(act, bundle_id))


@router.get(
    "/audit-bundles/{bundle_id}/content",
    operation_id="get_audit_bundle_content",
    response_class=Response,
    responses={
        200: {
            "description": "The ZIP, the same bytes at every download; check it with `sluis audit verify`.",
            "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
        },
        304: {"description": "The caller has these bytes already."},
        **problem_responses(409),
    },
)
def get_audit_bundle_content(
    bundle_id: AuditBundleId,
    act: ActDep,
    gateway: GatewayDep,
    if_none_match: Annotated[str | None, Header(description="ETag of an earlier download.")] = None,
) -> Response:
    """The file of a bundle, with its checksum in `Repr-Digest` (RFC 9530) and `X-Content-SHA256`."""
    service = BundleService(gateway)
    file = service.content(act, bundle_id)
    day = day_of(service.get(act, bundle_id)).isoformat()
    return bundle_response(bundle_id, day, file.content, file.sha256, if_none_match)


def bundle_response(
    bundle_id: UUID, day: str, content: bytes, sha256: str, if_none_match: str | None = None
) -> Response:
    """The bytes with their checksums; pages answer the same way."""
    etag = f'"{sha256}"'
    headers = {
        "ETag": etag,
        "X-Content-SHA256": sha256,
        "Repr-Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:",
        "Cache-Control": "private, no-cache",
    }
    if if_none_match is not None and etag in if_none_match:
        return Response(status_code=304, headers=headers)
    name = f"sluis-audit-{day}-{encode('audit_bundle', bundle_id)[4:12]}.zip"
    headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return Response(content, media_type="application/zip", headers=headers)


def _object(text: str) -> UUID:
    """The id in a typed id of any kind; raises `NotFound` for what is none, as for what nobody has."""
    try:
        return decode(kind_of(text), text)
    except ValueError as error:
        raise NotFound from error


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
        changed_fields=sorted(set(entry.digests) - {SOURCE}),
        mac=entry.mac.hex(),
    )


def _checkpoint(row: AuditCheckpoint) -> AuditCheckpointRead:
    return AuditCheckpointRead(
        id=row.id,
        position=row.position,
        link=row.link_hash.hex(),
        made_at=row.made_at,
        key=row.key_fingerprint,
        signature=row.signature.hex(),
        document=head_of(row).document(),
    )


def _bundle(row: AuditBundle) -> AuditBundleRead:
    return AuditBundleRead.model_validate(
        {
            **{name: getattr(row, name) for name in AuditBundleRead.model_fields if name != "entries"},
            "entries": row.entries_count,
        }
    )

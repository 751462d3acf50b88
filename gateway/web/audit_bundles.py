"""Bundles for auditors: asked for, followed, downloaded; their exception lists and sample to look at (SEC-10)."""

from __future__ import annotations

from decimal import Decimal
from typing import Final
from uuid import UUID

from fastapi import Request
from fastapi.responses import Response

from gateway.api import GatewayDep
from gateway.assembly import Gateway
from gateway.audit.bundles import READY, BundleService, BundleWish, day_of
from gateway.audit.endpoints import bundle_response
from gateway.errors import FieldFault, InputError
from gateway.i18n import _
from gateway.identity.rights import Permission
from gateway.ids import AuditBundleId, decode, encode
from gateway.jobs.errors import JobNotFound
from gateway.jobs.models import Job
from gateway.jobs.service import JobService
from gateway.pagination import PageRequest
from gateway.web import reading
from gateway.web.formats import parse_amount, parse_day
from gateway.web.rendering import page, see_other
from gateway.web.routing import page_router
from gateway.web.security import FormDep, PostedDep, Visit, VisitDep, text_of

router = page_router()

BUNDLES_PER_PAGE: Final = 20
SAMPLE_MAX: Final = 1000
FAULT: Final = _("Choose at least one client and two days in the past in their order, and give numbers as numbers.")


@router.get("/audit/bundles")
def bundles(request: Request, gateway: GatewayDep, visit: VisitDep, cursor: str | None = None) -> Response:
    """The bundles there are, and the form for another."""
    return _list(request, gateway, visit, cursor=cursor)


@router.post("/audit/bundles")
def ask(request: Request, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """Ask for a bundle; a job makes it."""
    given = {name: text_of(form, name) for name in ("first", "last", "sample", "above", "seed")}
    try:
        first, last, above = parse_day(given["first"]), parse_day(given["last"]), parse_amount(given["above"] or "0")
        clients = [decode("client", str(value)) for value in form.getlist("client")]
        size = int(given["sample"] or 0)
        if first is None or last is None or above is None or not clients or not 0 <= size <= SAMPLE_MAX:
            raise ValueError
        wish = BundleWish(
            client_ids=clients, from_date=first, until_date=last, seed=given["seed"] or None, sample_size=size,
            first_payment_above=int(above * Decimal(100)),
        )  # fmt: skip
    except ValueError:
        fault = InputError(faults=[FieldFault("", InputError.code, FAULT)])
        return _list(request, gateway, visit, error=fault, values=given)
    try:
        bundle = BundleService(gateway).request(visit.act, wish)
    except InputError as error:
        return _list(request, gateway, visit, error=error, values=given)
    return see_other(request, _path(bundle.id))


@router.get("/audit/bundles/{bundle_id}")
def bundle(request: Request, bundle_id: AuditBundleId, gateway: GatewayDep, visit: VisitDep) -> Response:
    """How far it is; once ready, its lists and the way to the file."""
    service = BundleService(gateway)
    found = service.get(visit.act, bundle_id)
    lists, sample = service.lists(visit.act, bundle_id) if found.state == READY else ({}, [])
    people = {row["user_id"] for rows in lists.values() for row in rows if "user_id" in row}
    people |= {one for row in lists.get("decided_by_one_person", []) for one in row["user_ids"]}
    return page(
        request,
        "audit_bundle.html",
        bundle=found,
        job=_job(gateway, visit, found.job_id),
        lists=lists,
        sample=sample,
        names=reading.people(gateway, people),
        clients=reading.client_names(gateway, visit, found.client_ids),
        path=_path(bundle_id),
    )


@router.get("/audit/bundles/{bundle_id}/content")
def content(bundle_id: AuditBundleId, gateway: GatewayDep, visit: VisitDep) -> Response:
    """The ZIP; each download is an entry of the audit chain."""
    service = BundleService(gateway)
    file = service.content(visit.act, bundle_id)
    day = day_of(service.get(visit.act, bundle_id)).isoformat()
    return bundle_response(bundle_id, day, bytes(file.content), file.sha256, None)


@router.post("/audit/bundles/{bundle_id}/cancellation")
def cancel(request: Request, bundle_id: AuditBundleId, gateway: GatewayDep, visit: PostedDep) -> Response:
    """Stop making it."""
    found = BundleService(gateway).get(visit.act, bundle_id)
    if found.job_id is not None:
        JobService(gateway).cancel(visit.act, found.job_id)
    return see_other(request, _path(bundle_id))


def _path(bundle_id: UUID) -> str:
    return f"/audit/bundles/{encode('audit_bundle', bundle_id)}"


def _job(gateway: Gateway, visit: Visit, job_id: UUID | None) -> Job | None:
    """The job, for whoever asked for the bundle and for admins; others see the bundle's state only."""
    try:
        return JobService(gateway).get(visit.act, job_id) if job_id is not None else None
    except JobNotFound:
        return None


def _list(
    request: Request,
    gateway: Gateway,
    visit: Visit,
    *,
    cursor: str | None = None,
    error: InputError | None = None,
    values: dict[str, str] | None = None,
) -> Response:
    rows, next_cursor = BundleService(gateway).page(visit.act, PageRequest(BUNDLES_PER_PAGE, cursor))
    return page(
        request,
        "audit_bundles.html",
        status=error.http_status if error is not None else 200,
        rows=rows,
        clients=reading.client_names(gateway, visit, {client for row in rows for client in row.client_ids}),
        choices=reading.clients(gateway, visit, Permission.AUDIT_READ),
        next_cursor=next_cursor,
        error=error,
        values=values or {},
        today=visit.act.today,
    )

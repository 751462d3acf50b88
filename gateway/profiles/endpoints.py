"""REST: account numbers of clients that are known without a consent (OFF-10)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from gateway.api import ActDep, GatewayDep, PageDep, problem_responses
from gateway.ids import ClientId, KnownAccountId
from gateway.pagination import Page
from gateway.payments.etags import IfMatch, etag, version_in
from gateway.profiles.schemas import KnownAccountPatch, KnownAccountRead, KnownAccountWrite
from gateway.profiles.service import KnownAccountService

router = APIRouter(prefix="/v1/known-accounts", tags=["accounts"])


@router.get("", operation_id="list_known_accounts", responses=problem_responses(400))
def list_known_accounts(
    act: ActDep,
    gateway: GatewayDep,
    page: PageDep,
    client_id: Annotated[ClientId | None, Query(description="Only accounts of this client.")] = None,
) -> Page[KnownAccountRead]:
    """Account numbers known without a consent; one that was connected is among the accounts."""
    rows, cursor = KnownAccountService(gateway).page(act, page, client_id=client_id)
    return Page(items=[KnownAccountRead.of(row) for row in rows], next_cursor=cursor)


@router.post("", operation_id="create_known_account", status_code=201, responses=problem_responses(409))
def create_known_account(
    body: KnownAccountWrite, response: Response, act: ActDep, gateway: GatewayDep
) -> KnownAccountRead:
    """Note an account number of a client; its check digits are checked, and nobody else is asked about it."""
    wanted = body.model_dump(exclude={"client_id", "iban"})
    if wanted["position"] is None:
        del wanted["position"]
    known = KnownAccountService(gateway).add(act, body.client_id, iban=body.iban, wanted=wanted)
    response.headers["ETag"] = etag(known.version)
    return KnownAccountRead.of(known)


@router.get("/{known_account_id}", operation_id="get_known_account", responses=problem_responses())
def get_known_account(
    known_account_id: KnownAccountId, response: Response, act: ActDep, gateway: GatewayDep
) -> KnownAccountRead:
    """One known account."""
    known = KnownAccountService(gateway).get(act, known_account_id)
    response.headers["ETag"] = etag(known.version)
    return KnownAccountRead.of(known)


@router.patch("/{known_account_id}", operation_id="patch_known_account", responses=problem_responses(409, 412, 428))
def patch_known_account(
    *,
    known_account_id: KnownAccountId,
    body: KnownAccountPatch,
    response: Response,
    act: ActDep,
    gateway: GatewayDep,
    if_match: IfMatch = None,
) -> KnownAccountRead:
    """Change what the office notes of it; fields left out stay as they are."""
    wanted = {name: getattr(body, name) for name in body.model_fields_set}
    known = KnownAccountService(gateway).change(act, known_account_id, wanted, version=version_in(if_match))
    response.headers["ETag"] = etag(known.version)
    return KnownAccountRead.of(known)


@router.delete(
    "/{known_account_id}", operation_id="delete_known_account", status_code=204, responses=problem_responses(409)
)
def delete_known_account(known_account_id: KnownAccountId, act: ActDep, gateway: GatewayDep) -> None:
    """Forget the number; one that became an account stays (409)."""
    KnownAccountService(gateway).remove(act, known_account_id)

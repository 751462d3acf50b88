"""REST: the bank directory."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from gateway.api import ActDep, GatewayDep, PageDep, problem_responses
from gateway.banks.requests import BankRequestService
from gateway.banks.schemas import BankRead, BankRequestRead, BankRequestWrite
from gateway.banks.status import UNKNOWN, live_statuses
from gateway.errors import FieldFault, InputError
from gateway.files import FILE_HEADERS, IfNoneMatch, etag_matches
from gateway.pagination import Page
from gateway.problems import language_of
from sepa.accounts import compact_iban, iban_fault

router = APIRouter(prefix="/v1", tags=["banks"])


class IbanInvalid(InputError):
    """The number's check digits or form are wrong."""

    code = "iban_invalid"
    title = "This is not a valid IBAN"
    hint = "Check the number; two digits may be exchanged."


@router.get(
    "/banks",
    operation_id="list_banks",
    response_model=Page[BankRead],
    responses={304: FILE_HEADERS[304], **problem_responses()},
)
def list_banks(
    *,
    request: Request,
    response: Response,
    act: ActDep,
    gateway: GatewayDep,
    iban: Annotated[
        str | None,
        Query(max_length=42, description="Only the banks this account can be at.", examples=["BE34103071423390"]),
    ] = None,
    if_none_match: IfNoneMatch = None,
) -> Page[BankRead] | Response:
    """Banks by name, those without access marked as not configured; all on one page."""
    if iban is None:
        entries = gateway.banks.entries()
    else:
        compact = compact_iban(iban)
        if iban_fault(compact) is not None:
            raise IbanInvalid(faults=[FieldFault("/iban", IbanInvalid.code, IbanInvalid.title, IbanInvalid.hint)])
        entries = gateway.banks.for_iban(compact)
    with gateway.database.unit_of_work(act.office_id) as session:
        statuses = live_statuses(session, act.office_id, now=act.now, real_now=act.real_now)
    # What is read through another bank works as that one does.
    items = [BankRead.of(entry, language_of(request), statuses.get(entry.linked_as, UNKNOWN)) for entry in entries]
    page: Page[BankRead] = Page(items=items, next_cursor=None)
    etag = f'"{hashlib.sha256(page.model_dump_json().encode()).hexdigest()}"'
    # The hints are in the reader's language, and so is the ETag.
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Accept-Language"}
    if etag_matches(if_none_match, etag):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return page


@router.post(
    "/bank-requests",
    operation_id="create_bank_request",
    status_code=201,
    response_model=BankRequestRead,
    responses={200: {"model": BankRequestRead, "description": "It was asked for before."}, **problem_responses(409)},
)
def create_bank_request(
    body: BankRequestWrite, response: Response, act: ActDep, gateway: GatewayDep
) -> BankRequestRead:
    """Ask for a bank that is not on the list; the operator sees how many offices want it."""
    found, is_new = BankRequestService(gateway).ask(act, body.name)
    if not is_new:
        response.status_code = 200
    return BankRequestRead.of(found)


@router.get("/bank-requests", operation_id="list_bank_requests", responses=problem_responses(400))
def list_bank_requests(act: ActDep, gateway: GatewayDep, page: PageDep) -> Page[BankRequestRead]:
    """Banks the office asked for, the newest first."""
    rows, cursor = BankRequestService(gateway).page(act, page)
    return Page(items=[BankRequestRead.of(row) for row in rows], next_cursor=cursor)

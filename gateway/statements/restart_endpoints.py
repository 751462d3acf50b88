"""REST: restarting the chain of a held account at a document of the bank (STA-03)."""

from __future__ import annotations

from decimal import Decimal

from fastapi import APIRouter, Request, Response

from gateway.api import ActDep, GatewayDep, PageDep, problem_responses
from gateway.files import FILE_HEADERS, IfNoneMatch, file_answer
from gateway.ids import AccountId, BankDocumentId, encode
from gateway.operations import KEY_REQUIRED
from gateway.pagination import Page
from gateway.proposals.answers import accepted
from gateway.proposals.schemas import ProposalRead
from gateway.statements.documents import read_document
from gateway.statements.restarts import RestartService
from gateway.statements.schemas import ChainRestartRead, ChainRestartWrite

router = APIRouter(prefix="/v1", tags=["statements"])


@router.post(
    "/accounts/{account_id}/chain-restarts",
    operation_id="create_chain_restart",
    status_code=202,
    response_model=ProposalRead,
    responses=problem_responses(409),
    openapi_extra=KEY_REQUIRED,
)
def create_chain_restart(account_id: AccountId, body: ChainRestartWrite, act: ActDep, gateway: GatewayDep) -> Response:
    """Propose to go on from a balance of a bank document where nothing proves; a second person of the office confirms.

    The unproven days up to that day become `left_out`, their entries listed; numbers continue, and the next statement
    is shown as `restarted`. Needs a person of the office with a fresh second factor.
    """
    proposal = RestartService(gateway).propose(
        act,
        account_id,
        day=body.day,
        balance=Decimal(body.balance.amount),
        currency=body.balance.currency,
        document=body.document,
    )
    return accepted(gateway, act, proposal)


@router.get(
    "/accounts/{account_id}/chain-restarts", operation_id="list_chain_restarts", responses=problem_responses(400)
)
def list_chain_restarts(
    account_id: AccountId, act: ActDep, gateway: GatewayDep, page: PageDep
) -> Page[ChainRestartRead]:
    """Restarts of the chain of an account, the newest first."""
    rows, cursor, currency = RestartService(gateway).page(act, account_id, page)
    return Page(items=[ChainRestartRead.of(row, currency) for row in rows], next_cursor=cursor)


@router.get(
    "/bank-documents/{document_id}/content",
    operation_id="get_bank_document_content",
    response_class=Response,
    responses={
        200: {
            "description": "The document as it was sent.",
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        },
        **FILE_HEADERS,
        **problem_responses(416),
    },
)
def get_bank_document_content(
    *,
    document_id: BankDocumentId,
    request: Request,
    act: ActDep,
    gateway: GatewayDep,
    _if_none_match: IfNoneMatch = None,
) -> Response:
    """The document of the bank that states a balance, the same bytes as were sent, with its checksum."""
    document, content = read_document(gateway, act, document_id)
    return file_answer(
        request,
        content,
        sha256=document.document_sha256,
        media_type="application/octet-stream",
        name=f"{encode('bank_document', document.id)}.{document.document_type.partition('/')[2]}",
        cache="private, no-cache",
    )

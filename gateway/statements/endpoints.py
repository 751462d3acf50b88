"""REST: statements, their entries and their files."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from gateway.api import ActDep, AmountText, Day, GatewayDep, PageDep, problem_responses
from gateway.files import FILE_HEADERS, IfNoneMatch, IfRange, Range, file_answer
from gateway.ids import AccountId, ClientId, StatementId
from gateway.pagination import Page
from gateway.statements.refusal_endpoints import router as refusal_router
from gateway.statements.restart_endpoints import router as restart_router
from gateway.statements.schemas import EntryRead, StatementRead
from gateway.statements.service import StatementFilter, StatementService
from gateway.statements.states import StatementState

router = APIRouter()
own = APIRouter(prefix="/v1", tags=["statements"])


@own.get("/statements", operation_id="list_statements", responses=problem_responses(400))
def list_statements(
    *,
    act: ActDep,
    gateway: GatewayDep,
    page: PageDep,
    account_id: Annotated[AccountId | None, Query(description="Only this account.")] = None,
    client_id: Annotated[ClientId | None, Query(description="Only accounts of this client.")] = None,
    date_from: Annotated[Day | None, Query(alias="from", description="First closing date.")] = None,
    date_until: Annotated[Day | None, Query(alias="to", description="Last closing date.")] = None,
    state: Annotated[StatementState | None, Query(description="`issued` or `held`.")] = None,
    year: Annotated[int | None, Query(ge=2000, le=2999)] = None,
    number: Annotated[int | None, Query(ge=1, le=999)] = None,
    amount: Annotated[
        AmountText | None, Query(description="With an entry of exactly this amount, credit or debit.")
    ] = None,
) -> Page[StatementRead]:
    """Statements, the newest closing date first; held ones say what is missing."""
    exact = Decimal(amount) if amount is not None else None
    wanted = StatementFilter(account_id, client_id, date_from, date_until, state, year, number, exact)
    rows, cursor = StatementService(gateway).page(act, page, wanted)
    return Page(items=[StatementRead.of(row) for row in rows], next_cursor=cursor)


@own.get("/statements/{statement_id}", operation_id="get_statement", responses=problem_responses())
def get_statement(statement_id: StatementId, act: ActDep, gateway: GatewayDep) -> StatementRead:
    """One statement."""
    return StatementRead.of(StatementService(gateway).get(act, statement_id))


@own.get("/statements/{statement_id}/entries", operation_id="list_entries", responses=problem_responses(400))
def list_entries(statement_id: StatementId, act: ActDep, gateway: GatewayDep, page: PageDep) -> Page[EntryRead]:
    """Entries in the order of the file; none while the statement is held."""
    views, cursor = StatementService(gateway).entries(act, statement_id, page)
    return Page(items=[EntryRead.of(view) for view in views], next_cursor=cursor)


@own.get(
    "/statements/{statement_id}/content",
    operation_id="get_statement_content",
    response_class=Response,
    responses={
        200: {
            "description": "The CODA file, the same bytes at every download.",
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        },
        **FILE_HEADERS,
        **problem_responses(409, 416),
    },
)
def get_statement_content(
    *,
    statement_id: StatementId,
    request: Request,
    act: ActDep,
    gateway: GatewayDep,
    _if_none_match: IfNoneMatch = None,
    _range: Range = None,
    _if_range: IfRange = None,
) -> Response:
    """The file of an issued statement, with its checksum in `Repr-Digest` (RFC 9530) and `X-Content-SHA256`."""
    file = StatementService(gateway).content(act, statement_id)
    return file_answer(
        request,
        file.content,
        sha256=file.sha256,
        media_type="application/octet-stream",
        name=file.name,
        cache="private, no-cache",
    )


router.include_router(own)
router.include_router(restart_router)
router.include_router(refusal_router)

"""REST: several issued statements in one download (STA-22)."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from gateway.api import ActDep, AmountText, Day, GatewayDep, problem_responses
from gateway.ids import AccountId, ClientId, StatementId
from gateway.statement_downloads.periods import PATTERN, within
from gateway.statement_downloads.selection import SELECTED_MAX
from gateway.statement_downloads.service import Download, DownloadService
from gateway.statements.service import StatementFilter
from gateway.statements.states import StatementState

router = APIRouter(prefix="/v1", tags=["statements"])

Ids = Annotated[
    list[StatementId] | None,
    Query(alias="statement_id", max_length=SELECTED_MAX, description="Only these; repeat the parameter."),
]
From = Annotated[Day | None, Query(alias="from", description="First closing date.")]
To = Annotated[Day | None, Query(alias="to", description="Last closing date.")]
Period = Annotated[
    str | None,
    Query(
        pattern=PATTERN, description="A month, quarter or year; `from` and `to` can narrow it.", examples=["2026-Q4"]
    ),
]
Year = Annotated[int | None, Query(ge=2000, le=2999)]
Number = Annotated[int | None, Query(ge=1, le=999)]
Amount = Annotated[AmountText | None, Query(description="With an entry of exactly this amount, credit or debit.")]
_BYTES = {"schema": {"type": "string", "format": "binary"}}


class ArchiveForm(StrEnum):
    """What the ZIP holds."""

    FILES = "files"
    JOINED = "joined"


@router.get(
    "/statement-archive",
    operation_id="get_statement_archive",
    response_class=Response,
    responses={
        200: {
            "description": "The ZIP; `manifest.json` names every file with its SHA-256, counts and sums.",
            "content": {"application/zip": _BYTES},
        },
        **problem_responses(400, 409),
    },
)
def get_statement_archive(
    *,
    act: ActDep,
    gateway: GatewayDep,
    statement_ids: Ids = None,
    account_id: Annotated[AccountId | None, Query(description="Only this account.")] = None,
    client_id: Annotated[ClientId | None, Query(description="Only accounts of this client.")] = None,
    period: Period = None,
    date_from: From = None,
    date_until: To = None,
    state: Annotated[StatementState | None, Query(description="`issued`, the default, or `withdrawn`.")] = None,
    year: Year = None,
    number: Number = None,
    amount: Amount = None,
    form: Annotated[
        ArchiveForm, Query(description="`files`: each as issued; `joined`: one physical file per account.")
    ] = ArchiveForm.FILES,
) -> Response:
    """Issued statements as a ZIP with a manifest: those named, or all that the filters find, at most 5,000."""
    found = StatementFilter(
        account_id=account_id,
        client_id=client_id,
        date_from=date_from,
        date_until=date_until,
        state=state,
        year=year,
        number=number,
        amount=Decimal(amount) if amount is not None else None,
    )
    wanted = within(found, period)
    download = DownloadService(gateway).zipped(act, wanted, statement_ids or (), is_joined=form is ArchiveForm.JOINED)
    return streamed(download)


@router.get(
    "/accounts/{account_id}/statement-file",
    operation_id="get_joined_statements",
    response_class=Response,
    responses={
        200: {
            "description": "One physical CODA file, its statements in number order.",
            "content": {"application/octet-stream": _BYTES},
        },
        **problem_responses(400, 409),
    },
)
def get_joined_statements(
    *,
    account_id: AccountId,
    act: ActDep,
    gateway: GatewayDep,
    statement_ids: Ids = None,
    period: Period = None,
    date_from: From = None,
    date_until: To = None,
    year: Year = None,
) -> Response:
    """Issued statements of one account as one file: byte for byte, but for the multiple-file code of record 9."""
    found = StatementFilter(account_id=account_id, date_from=date_from, date_until=date_until, year=year)
    wanted = within(found, period)
    return streamed(DownloadService(gateway).one_file(act, wanted, statement_ids or ()))


def streamed(download: Download) -> StreamingResponse:
    """The bytes as they are made; their number is not known beforehand."""
    headers = {
        "Content-Disposition": f'attachment; filename="{download.name}"',
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(download.pieces, media_type=download.media_type, headers=headers)

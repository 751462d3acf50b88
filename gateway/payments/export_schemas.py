"""Shapes of exports in the API."""

from __future__ import annotations

from pydantic import Field

from gateway.api import MomentText, MoneyShape, Shape, money
from gateway.ids import AccountId, BasketId, ClientId, ExportId, PaymentId, UserId
from gateway.payments.models import Export, ExportDownload
from gateway.payments.states import ExportState


class ExportWrite(Shape):
    """Which approved payments leave; all of the basket when none are named."""

    payment_ids: list[PaymentId] | None = Field(default=None, min_length=1, max_length=10_000)


class ExportRead(Shape):
    """A pain.001 file; its bytes are at `/content`."""

    id: ExportId
    client_id: ClientId
    basket_id: BasketId
    debtor_account_id: AccountId
    state: ExportState
    message_id: str
    pain_version: str
    file_name: str
    sha256: str
    size: int
    payment_count: int
    total: MoneyShape
    created_by: UserId
    created_at: MomentText
    first_downloaded_at: MomentText | None
    voided_reason: str | None


class ExportsRead(Shape):
    """The files made in one act: one per debtor account."""

    items: list[ExportRead]


class DownloadRead(Shape):
    """One download of a file."""

    downloaded_by: UserId
    downloaded_at: MomentText
    is_first: bool


def export_read(export: Export) -> ExportRead:
    """An export as it is shown."""
    values = {name: getattr(export, name) for name in ExportRead.model_fields if name != "total"}
    return ExportRead(**values, total=money(export.total, "EUR"))


def download_read(download: ExportDownload) -> DownloadRead:
    """A download as it is shown."""
    return DownloadRead.model_validate(download)

"""Downloads of several issued statements (STA-22): what is asked is decided first, then given piece by piece."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from gateway.accounts.errors import AccountNotFound
from gateway.accounts.repository import AccountRepository
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.errors import NotFound
from gateway.identity.rights import Permission
from gateway.offices.models import Office
from gateway.offices.service import require_client
from gateway.statement_downloads.archive import archive, joined, joined_name, members
from gateway.statement_downloads.errors import NoStatements, OneAccountOnly
from gateway.statement_downloads.selection import by_account, files_of, select_statements
from gateway.statements.service import StatementFilter

ZIP: str = "application/zip"
CODA: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Download:
    """A file on its way: its bytes are read while they are sent."""

    name: str
    media_type: str
    statements_count: int
    pieces: Iterator[bytes]


class DownloadService:
    """Downloads of an office."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def zipped(
        self, act: Act, wanted: StatementFilter, ids: Sequence[UUID] = (), *, is_joined: bool = False
    ) -> Download:
        """A ZIP of every statement's own file, or of one file per account, with a manifest; raises as a selection."""
        selected = select_statements(self.gateway, act, wanted, ids)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            office_name = session.get_one(Office, act.office_id).name
        files = files_of(self.gateway, act.office_id, selected)
        return Download(
            name=f"sluis-coda-{act.today:%Y%m%d}.zip",
            media_type=ZIP,
            statements_count=len(selected),
            pieces=archive(office_name, act.now, members(selected, files, is_joined=is_joined)),
        )

    def one_file(self, act: Act, wanted: StatementFilter, ids: Sequence[UUID] = ()) -> Download:
        """One physical file of one account; raises `NoStatements`, `OneAccountOnly`, and as a selection."""
        if wanted.account_id is not None:
            self._require(act, wanted.account_id)
        selected = select_statements(self.gateway, act, wanted, ids)
        if not selected:
            raise NoStatements
        accounts = len(by_account(selected))
        if accounts > 1:
            raise OneAccountOnly(found=accounts)
        files = files_of(self.gateway, act.office_id, selected)
        return Download(
            name=joined_name(selected[0]),
            media_type=CODA,
            statements_count=len(selected),
            pieces=joined(files, len(selected)),
        )

    def _require(self, act: Act, account_id: UUID) -> None:
        """Say of an account that is named why nothing is given, rather than that it is not there."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            account = AccountRepository(session).get(act.office_id, account_id)
            if account is None:
                raise AccountNotFound
            try:
                require_client(session, act, account.client_id, Permission.STATEMENTS_READ)
            except NotFound:
                raise AccountNotFound from None

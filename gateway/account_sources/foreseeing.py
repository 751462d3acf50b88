"""What a switch of source would do, worked out by doing it and taking it back (CON-17)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from gateway.account_sources.declared import source_of
from gateway.account_sources.repository import BankFileRepository
from gateway.account_sources.states import BANK_MADE, BankFileState, Source
from gateway.account_sources.switching import SourceService, own_account
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.foreign_files.opening import confirmed_handover
from gateway.statements.repository import StatementRepository


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The consequences of a switch."""

    former: Source
    source: Source
    from_day: date
    files_count: int
    """Held files that would be passed on."""
    held_count: int
    """Files that would stay held."""
    dropped_count: int
    """Days of ours that wait for their proof and would be given up."""
    next_number: int | None
    """Of the first file made here, where it goes on after bank-made ones."""
    opening_balance: Decimal | None


class _TakeBack(Exception):
    def __init__(self, foreseen: Foreseen) -> None:
        self.foreseen = foreseen


def foresee(gateway: Gateway, act: Act, account_id: UUID, source: Source, from_day: date) -> Foreseen:
    """The consequences of `SourceService.switch`; raises what that would raise, and changes nothing."""
    try:
        with gateway.database.unit_of_work(act.office_id) as session:
            account = own_account(session, act, account_id)
            former = source_of(account)
            files, statements = BankFileRepository(session), StatementRepository(session)
            waiting = {row.id for row in files.of_account(act.office_id, account.id) if row.state == BankFileState.HELD}
            open_count = len(statements.open_of(act.office_id, account.id))
            SourceService(gateway).switch_in(session, act, account_id, source, from_day)
            session.flush()
            states = [row.state for row in files.of_account(act.office_id, account.id) if row.id in waiting]
            handover = confirmed_handover(session, account) if source not in BANK_MADE else None
            raise _TakeBack(
                Foreseen(
                    former=former,
                    source=source,
                    from_day=from_day,
                    files_count=states.count(BankFileState.PASSED_ON),
                    held_count=states.count(BankFileState.HELD),
                    dropped_count=open_count - len(statements.open_of(act.office_id, account.id)),
                    next_number=handover.next_number if handover is not None else None,
                    opening_balance=handover.closing_balance if handover is not None else None,
                )
            )
    except _TakeBack as taken_back:
        return taken_back.foreseen

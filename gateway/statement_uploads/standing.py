"""What is there of an account to compare files with: balances, days of which everything is known, entries (STA-19)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from sqlmodel import Session

from connectors.profile import BankProfile
from gateway.accounts.gaps import open_gaps
from gateway.accounts.models import Account, AccountGap
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.ids import new_id
from gateway.statement_uploads.matching import Known
from gateway.statement_uploads.repository import UploadRepository
from gateway.statements.bank_balances import bank_closings
from gateway.statements.proof import last_words
from gateway.statements.repository import StatementRepository
from gateway.transactions.absorb import Window

ONE_DAY: Final = timedelta(days=1)


def standing(session: Session, account: Account, profile: BankProfile) -> Known:
    """What is there; the caller holds the account."""
    assert account.history_from is not None, "checked by the caller"
    assert account.complete_until is not None, "checked by the caller"
    office_id = account.office_id
    uploads = UploadRepository(session)
    balances = dict(uploads.proven_days(office_id, account.id))
    chain = StatementRepository(session).chain(office_id, account.id)
    if chain is not None and chain.opening_basis == "handed_over":
        balances[chain.first_date - ONE_DAY] = chain.opening_balance
    balances |= _at_bank(session, account, profile)
    gaps = open_gaps(session, office_id, [account.id]).get(account.id, ())
    return Known(
        balances, without(account.history_from, account.complete_until, gaps), uploads.entries(office_id, account.id)
    )


def _at_bank(session: Session, account: Account, profile: BankProfile) -> dict[date, Decimal]:
    """The last word of the bank, or of its documents, about the end of each day; its own before what was computed."""
    closings = bank_closings(session, account, profile, since=date.min, is_begun=True)
    return {day: closing.amount for day, closing in last_words(closings, date.max).items()}


def without(first: date, last: date, gaps: Iterable[AccountGap]) -> Sequence[Window]:
    """The days from first to last without those that are missing, in order."""
    found: list[Window] = []
    for gap in sorted(gaps, key=lambda gap: gap.first_day):
        if gap.first_day > first:
            found.append(Window(first, min(gap.first_day - ONE_DAY, last)))
        first = max(first, gap.last_day + ONE_DAY)
    if first <= last:
        found.append(Window(first, last))
    return found


def cover(gateway: Gateway, session: Session, act: Act, account: Account, window: Window) -> None:
    """The days of the window are known from now on: history begins earlier, reaches further, or has fewer gaps."""
    assert account.history_from is not None, "checked by the caller"
    assert account.complete_until is not None, "checked by the caller"
    if window.first < account.history_from and window.last >= account.history_from - ONE_DAY:
        account.history_from = window.first
    if window.last > account.complete_until and window.first <= account.complete_until + ONE_DAY:
        account.complete_until = window.last
    session.add(account)
    for gap in open_gaps(session, account.office_id, [account.id]).get(account.id, ()):
        if window.last < gap.first_day or gap.last_day < window.first:
            continue
        before, after = gap.first_day < window.first, window.last < gap.last_day
        if before and after:
            session.add(
                AccountGap(
                    id=new_id(), office_id=gap.office_id, account_id=gap.account_id, first_day=window.last + ONE_DAY,
                    last_day=gap.last_day, cause=gap.cause, found_at=gap.found_at,
                )
            )  # fmt: skip
            gap.last_day = window.first - ONE_DAY
        elif before:
            gap.last_day = window.first - ONE_DAY
        elif after:
            gap.first_day = window.last + ONE_DAY
        else:
            gap.filled_at = act.now
            gateway.audit.record(
                session, act, "account.gap_filled", "account", account.id, client_id=account.client_id,
                changes={
                    "first_day": Change(None, gap.first_day),
                    "last_day": Change(None, gap.last_day),
                    "cause": Change(None, gap.cause),
                },
            )  # fmt: skip
        session.add(gap)
    session.flush()

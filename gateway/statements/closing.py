"""Closing the days of an account: prove, number, write, store; all in one transaction (STA-01, STA-09, law 3).

The account's lock is held from before the number is asked until the bytes are stored, so that two workers give no
double and a crash gives no gap.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from gateway.accounts.models import Account
from gateway.accounts.repository import AccountRepository
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.foreign_files.opening import HISTORY_BEGINS_LATER, begin_after, confirmed_handover
from gateway.ids import encode, new_id
from gateway.notices.outbox import mail_operator
from gateway.offices.models import ClientState, Service
from gateway.offices.repository import ClientRepository
from gateway.offices.services import is_on
from gateway.statements.bank_balances import bank_closings
from gateway.statements.chains import begun
from gateway.statements.coda_file import FileRefused
from gateway.statements.issuing import Issuer, fill_statement, new_statement
from gateway.statements.models import StatementChain
from gateway.statements.offsets import judge_with_offsets
from gateway.statements.proof import ONE_DAY, DayResult, Judgement, Ledger, Opening
from gateway.statements.repository import StatementRepository
from gateway.statements.states import DayState, Proof, StatementState, check_step
from gateway.transactions.repository import TransactionRepository

EXHAUSTED: Final = "numbers_exhausted"
"""Why a day is held, and the mail about it."""

log = logging.getLogger("gateway.statements")


class DayCloser:
    """One closing of one account; lives as long as its unit of work."""

    def __init__(self, gateway: Gateway, session: Session, act: Act) -> None:
        self.gateway = gateway
        self.session = session
        self.act = act
        self.statements = StatementRepository(session)

    def close(self, account_id: UUID) -> int:
        """Close what proves, oldest first, and say of every other complete day why not. Returns the files issued."""
        account = AccountRepository(self.session).get(self.act.office_id, account_id, is_locked=True)
        if account is None or account.complete_until is None or not self._may_close(account):
            return 0
        chain = self.statements.chain(self.act.office_id, account_id)
        fed_from = account.source_from if account.bank_made_source is not None else None
        handover = confirmed_handover(self.session, account) if chain is None and fed_from is None else None
        if handover is not None:
            chain = begin_after(self.session, self.act, account, handover)
        first = fed_from or (chain.first_date if chain is not None else first_day(account))
        if first is None:
            return 0
        is_gap = handover is not None and chain is None
        judgement = Judgement(None) if is_gap or fed_from is not None else self.judge(account, chain, first)
        if judgement.opening is None:
            # The bank gave no booked balance (STA-04), or no history back to the last file, or another source's files
            # are the statements of these days (CON-17): nothing is invented or mixed.
            gap = HISTORY_BEGINS_LATER if is_gap else "no_bank_balance"
            self._no_balance(account, first, "second_source" if fed_from is not None else gap)
            return 0
        issued, results = self._issue(account, chain, judgement)
        self._keep_open(account, results)
        return issued

    def _may_close(self, account: Account) -> bool:
        """Whether statements are made of it now; what is due meanwhile comes with a later reading."""
        if account.excluded_reason is not None:
            # The office makes none of it, and said why (STA-14).
            return False
        if account.moved_on is not None or account.takes_over_on is not None:
            # It is another office's now, or not this one's yet: two never number the same account.
            return False
        clients = ClientRepository(self.session)
        opened = clients.opened(account.office_id, account.client_id, today=self.act.today)
        # Nothing is issued while the service is off (OFF-06), or the client suspended, closed or not granted.
        return (
            opened is not None and opened[0].state == ClientState.ACTIVE and is_on(Service.CODA, opened[1], opened[0])
        )

    def judge(self, account: Account, chain: StatementChain | None, first: date) -> Judgement:
        """What is known of every open day that is over at the bank; changes nothing."""
        assert account.complete_until is not None, "asked by the caller"
        office_id = account.office_id
        rows = self.statements.open_rows(office_id, account.id)
        profile = self.gateway.banks.profile(account.bank_id)
        since = chain.closed_until if chain is not None else first - ONE_DAY
        closings = bank_closings(self.session, account, profile, since=since, is_begun=chain is not None)
        restarted_at = chain.restarted_at if chain is not None else None
        gone = [
            entry
            for entry in self.statements.issued_gone(office_id, account.id)
            # What was gone at a restart is not in the balance of its document.
            if restarted_at is None or entry.noticed_at > restarted_at
        ]
        ledger = Ledger(
            rows=rows,
            closings=closings,
            pending=self.statements.pending_amounts(office_id, account.id),
            issued_gone=tuple(entry.amount for entry in gone),
            after=tuple(row.amount for row in rows if row.booking_date > account.complete_until),
            may_compute=account.releases_computed,
            may_derive=account.issues_derived,
        )
        opening = None
        if chain is not None:
            opening = Opening(
                chain.first_date,
                chain.closed_until,
                chain.closing_balance,
                chain.anchor_date,
                chain.anchor_read_at,
                chain.computed_from,
            )
        return judge_with_offsets(ledger, gone, first_date=first, last_date=account.complete_until, opening=opening)

    def _issue(
        self, account: Account, chain: StatementChain | None, judgement: Judgement
    ) -> tuple[int, Sequence[DayResult]]:
        """Issue from the first open day on, until one is held. Returns the number of files and the open days."""
        assert judgement.opening is not None, "asked by the caller"
        proven = [day for day in judgement.days if day.proof is not None]
        if not proven:
            return 0, judgement.days
        if chain is None:
            chain = self._begin(account, judgement.opening)
        transactions = TransactionRepository(self.session).many(
            account.office_id, (row for day in proven for row in day.rows)
        )
        writer = Issuer(self.gateway, self.session, self.act, account, chain)
        closed: list[dict[str, Any]] = []
        issued = 0
        remaining = list(judgement.days)
        for day in proven:
            try:
                issued += writer.issue(day, transactions)
            except FileRefused as error:
                # Without the cause's own text, which holds what a payer wrote.
                log.error(  # noqa: TRY400
                    "statement refused", extra={"account_id": str(account.id), "place": error.place}
                )
                code = EXHAUSTED if error.place == "number" else "file_refused"
                if code == EXHAUSTED:
                    self._tell_exhausted(account, day.day.year)
                remaining = _held_from(remaining, code, error.place)
                break
            remaining.pop(0)
            self._note_proof(account, chain, day)
            is_restarted = chain.pending_restart_id is not None and writer.has_shown(chain.pending_restart_id)
            if is_restarted:
                chain.pending_restart_id = None
            chain.closed_until, chain.closing_balance = day.day, day.closing
            if day.has_entries:
                chain.last_entry_date = day.day
            closed.append({**self._day_row(account, day), "is_restarted": is_restarted})
        self.session.add(chain)
        writer.finish()
        if closed:
            self.statements.replace_days(account.office_id, account.id, closed[0]["day"] - ONE_DAY, closed)
        return issued, remaining

    def _tell_exhausted(self, account: Account, year: int) -> None:
        """The operator is told once per account and year (STA-09)."""
        mail_operator(
            self.session, self.gateway, account.office_id, template=EXHAUSTED,
            parameters={
                "account": encode("account", account.id),
                "office": encode("office", account.office_id),
                "year": str(year),
            },
            key=f"{EXHAUSTED}:{account.id}:{year}",
        )  # fmt: skip

    def _note_proof(self, account: Account, chain: StatementChain, day: DayResult) -> None:
        """A day that is computed only opens a stretch without proof; the next proven one closes it (STA-04)."""
        if day.proof is Proof.COMPUTED:
            chain.computed_from = chain.computed_from or day.day
        elif chain.computed_from is not None:
            until = day.span[1] if day.span is not None else day.day
            self.statements.prove_computed(
                account.office_id, account.id, since=chain.computed_from - ONE_DAY, until=until
            )
            chain.computed_from = None

    def _begin(self, account: Account, opening: Opening) -> StatementChain:
        """The chain begins: from now on its opening is fixed."""
        assert opening.anchor_date is not None, "an opening that is not stored was derived"
        assert opening.anchor_read_at is not None, "an opening that is not stored was derived"
        chain = begun(
            account,
            basis="derived",
            balance=opening.balance,
            first_date=opening.first_date,
            closed_until=opening.closed_until,
            anchor_date=opening.anchor_date,
            anchor_read_at=opening.anchor_read_at,
            now=self.act.now,
        )
        self.session.add(chain)
        return chain

    def _keep_open(self, account: Account, results: Sequence[DayResult]) -> None:
        """Say of each open day why it is held, and keep a statement without number where it has entries."""
        assert account.complete_until is not None, "asked by the caller"
        known = {row.day: row for row in self.statements.open_of(account.office_id, account.id)}
        transactions = TransactionRepository(self.session).many(
            account.office_id, (row for day in results for row in day.rows)
        )
        for day in results:
            statement = known.pop(day.day, None)
            if not day.rows:
                if statement is not None:
                    self.session.delete(statement)
                continue
            if statement is None:
                statement = new_statement(account, day)
                check_step(statement.state, StatementState.HELD)
                statement.state = StatementState.HELD
                known_code = None
            else:
                known_code = statement.hold_code
            rows = [transactions[row] for row in day.rows]
            fill_statement(statement, day, rows, day.opening, day.closing)
            self.session.add(statement)
            if statement.hold_code != known_code:
                self.gateway.events.record(
                    self.session, self.act, "statement.held", "statement", statement.id,
                    client_id=statement.client_id,
                    data={"account_id": encode("account", account.id), "code": statement.hold_code},
                )  # fmt: skip
        for leftover in known.values():
            self.session.delete(leftover)
        self.session.flush()
        after = results[0].day - ONE_DAY if results else account.complete_until
        rows_of_days = [self._day_row(account, day) for day in results]
        self.statements.replace_days(account.office_id, account.id, after, rows_of_days)

    def _no_balance(self, account: Account, first: date, cause: str) -> None:
        """There is nothing to start from: every day since the first one is held."""
        assert account.complete_until is not None, "asked by the caller"
        count = max(0, (account.complete_until - first).days + 1)
        rows = [
            {
                **self._empty_day(account, first + timedelta(days=offset)),
                "state": DayState.HELD,
                "cause": cause,
            }
            for offset in range(count)
        ]
        self.statements.replace_days(account.office_id, account.id, first - ONE_DAY, rows)

    def _day_row(self, account: Account, day: DayResult) -> dict[str, Any]:
        decided = DayState.STATEMENT if day.has_entries else DayState.NO_ENTRIES
        state = decided if day.proof is not None else DayState.HELD
        return {
            **self._empty_day(account, day.day),
            "state": str(state),
            "proof": str(day.proof) if day.proof is not None else None,
            "cause": day.hold_code,
            "opening_balance": day.opening,
            "closing_balance": day.closing,
            "entries_count": len(day.rows) + len(day.offsets),
            "late_count": len(day.late) + len(day.offsets),
            "span_from": day.span[0] if day.span else None,
            "span_until": day.span[1] if day.span else None,
        }

    def _empty_day(self, account: Account, day: date) -> dict[str, Any]:
        return {
            "id": new_id(),
            "office_id": account.office_id,
            "account_id": account.id,
            "day": day,
            "state": "",
            "proof": None,
            "cause": None,
            "opening_balance": None,
            "closing_balance": None,
            "entries_count": 0,
            "late_count": 0,
            "span_from": None,
            "span_until": None,
            "is_restarted": False,
        }


def first_day(account: Account) -> date | None:
    """First day of which statements are made; None until the office has chosen, and the bank gave its history."""
    if account.statements_from is None or account.history_from is None:
        return None
    return max(account.statements_from, account.history_from)


def _held_from(days: Sequence[DayResult], code: str, place: str) -> list[DayResult]:
    """The first day is held for a reason of the file, the later ones wait."""
    first, *others = days
    held = [replace(first, proof=None, hold_code=code, causes=(place,))]
    return held + [replace(day, proof=None, hold_code="waits_for_earlier") for day in others]

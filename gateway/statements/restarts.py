"""Restarting a chain at a balance on a document of the bank (STA-03): the last way out of a held account.

Numbers continue. What lies between the last proven day and that balance is never issued: its days and statements become
`left_out`, with their entries listed, and the next statement shows that it is the first one after a restart. Nothing is
written to bridge the gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session, col, select

from gateway import jobs
from gateway.accounts.errors import AccountNotFound
from gateway.accounts.models import Account, Balance
from gateway.accounts.repository import AccountRepository
from gateway.accounts.service import CLOSE_TASK
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import FieldFault, GatewayError, InputError, NotFound
from gateway.identity.rights import Permission
from gateway.ids import encode, new_id
from gateway.offices.service import require_client
from gateway.pagination import PageRequest, Sort
from gateway.proposals.models import Proposal
from gateway.proposals.service import ProposalService
from gateway.statements.chains import begun
from gateway.statements.closing import DayCloser, first_day
from gateway.statements.coda_file import reference_of
from gateway.statements.documents import drop_document, keep_document
from gateway.statements.errors import RestartDayInvalid
from gateway.statements.issuing import entry_row, fill_statement, in_order, new_statement
from gateway.statements.models import ChainRestart, StatementChain
from gateway.statements.proof import ONE_DAY, ZERO, DayResult, Ledger, Opening, judge
from gateway.statements.repository import StatementRepository
from gateway.statements.states import DayState, StatementState, check_step
from gateway.transactions.repository import TransactionRepository

KIND: Final = "statement_chain.restart"
LEFT_OUT: Final = "restarted"
"""Cause of a day that was left out."""


class RestartService:
    """Restarts of the chains of an office."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def propose(
        self, act: Act, account_id: UUID, *, day: date, balance: Decimal, currency: str, document: str
    ) -> Proposal:
        """Keep the document (base64) and ask for the restart; a second person of the office confirms it.

        Raises `AccountNotFound`, `InputError` for another currency, `RestartDayInvalid`, `DocumentRefused`, and what
        `ProposalService.propose` raises.
        """
        act.require_fresh_second_factor()
        with self.gateway.database.unit_of_work(act.office_id) as session:
            account = account_to_restart(session, act, account_id)
            if currency != account.currency:
                fault = FieldFault("/balance/currency", "currency_other", "This is not the currency of the account.")
                raise InputError(faults=[fault])
            check_day(StatementRepository(session).chain(act.office_id, account_id), account, day)
            kept = keep_document(self.gateway, session, act, account, document)
        content = {
            "document_id": str(kept.id),
            "document_sha256": kept.document_sha256,
            "day": day.isoformat(),
            "balance": f"{balance:.2f}",
        }
        try:
            return ProposalService(self.gateway).propose(act, KIND, account_id, content, client_id=account.client_id)
        except GatewayError:
            drop_document(self.gateway, act, kept.id)
            raise

    def page(self, act: Act, account_id: UUID, request: PageRequest) -> tuple[list[ChainRestart], str | None, str]:
        """The restarts of an account, the newest first, and its currency; raises `AccountNotFound`."""
        order = [Sort(col(ChainRestart.id), lambda row: str(row.id), UUID, is_descending=True)]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            account = visible_account(session, act, account_id, Permission.STATEMENTS_READ)
            query = select(ChainRestart).where(
                ChainRestart.office_id == act.office_id, ChainRestart.account_id == account_id
            )
            rows, cursor = self.gateway.pager.page(session, query, order, request, name=f"restarts:{account_id}")
        return rows, cursor, account.currency


def visible_account(
    session: Session, act: Act, account_id: UUID, permission: Permission, *, is_change: bool = False
) -> Account:
    """The account, held where it is to change; raises `AccountNotFound`."""
    account = AccountRepository(session).get(act.office_id, account_id, is_locked=is_change)
    if account is None:
        raise AccountNotFound
    try:
        require_client(session, act, account.client_id, permission, is_change=is_change)
    except NotFound:
        raise AccountNotFound from None
    return account


def account_to_restart(session: Session, act: Act, account_id: UUID) -> Account:
    """The account, held, for who may change it; raises `AccountNotFound`."""
    return visible_account(session, act, account_id, Permission.ACCOUNTS_WRITE, is_change=True)


def check_day(chain: StatementChain | None, account: Account, day: date) -> date:
    """The first day that would be left out; raises `RestartDayInvalid` for a day that is closed or not over yet."""
    start = chain.first_date if chain is not None else first_day(account)
    first = chain.closed_until + ONE_DAY if chain is not None else start
    if first is None or account.complete_until is None or not first <= day <= account.complete_until:
        raise RestartDayInvalid(
            first_day=first.isoformat() if first is not None else None,
            last_day=account.complete_until.isoformat() if account.complete_until is not None else None,
        )
    return first


def restart(gateway: Gateway, session: Session, act: Act, proposal: Proposal) -> ChainRestart:
    """What two people decided. What proves by now is issued first; `RestartDayInvalid` when nothing is left to restart.

    `act` is the confirming person's.
    """
    content = proposal.content
    day, balance = date.fromisoformat(content["day"]), Decimal(content["balance"])
    account = account_to_restart(session, act, proposal.object_id)
    closer = DayCloser(gateway, session, act)
    closer.close(account.id)
    session.flush()
    chain = StatementRepository(session).chain(act.office_id, account.id)
    first = check_day(chain, account, day)
    days = _open_days(closer, account, chain, day=day, balance=balance)
    done = ChainRestart(
        id=proposal.id,
        office_id=act.office_id,
        account_id=account.id,
        document_id=UUID(content["document_id"]),
        day=day,
        balance=balance,
        previous_until=chain.closed_until if chain is not None else None,
        previous_balance=chain.closing_balance if chain is not None else None,
        left_out_from=first,
        left_out_entries=sum(len(result.rows) for result in days),
        proposer_id=proposal.proposer_id,
        confirmer_id=act.principal.id,
        restarted_at=act.now,
    )
    session.add(done)
    session.flush()
    _leave_out(session, account, days, after=first - ONE_DAY)
    _begin_again(session, act, account, chain, done)
    _note(gateway, session, act, account, done)
    jobs.enqueue(
        session, CLOSE_TASK, lock=jobs.account_lock(account.id),
        office_id=str(act.office_id), account_id=str(account.id),
    )  # fmt: skip
    return done


def _open_days(
    closer: DayCloser, account: Account, chain: StatementChain | None, *, day: date, balance: Decimal
) -> Sequence[DayResult]:
    """The days that are left out, with the entries that would have stood on them."""
    first = chain.first_date if chain is not None else first_day(account)
    assert first is not None, "checked by the caller"
    judgement = closer.judge(account, chain, first)
    if judgement.opening is None:
        # Nothing ever proved: the days are shown backwards from the balance of the document.
        rows = closer.statements.open_rows(account.office_id, account.id)
        known = [row for row in rows if row.gone_at is None and first <= row.booking_date <= day]
        opening = Opening(first, first - ONE_DAY, balance - sum((row.amount for row in known), ZERO))
        judgement = judge(Ledger(known, ()), first_date=first, last_date=day, opening=opening)
    return [result for result in judgement.days if result.day <= day]


def _leave_out(session: Session, account: Account, days: Sequence[DayResult], *, after: date) -> None:
    """State and entries of each day; what stood on a held statement is listed on it for ever."""
    statements = StatementRepository(session)
    known = {row.day: row for row in statements.open_of(account.office_id, account.id)}
    rows_by_id = TransactionRepository(session).many(account.office_id, (row for day in days for row in day.rows))
    forms = statements.earlier_forms(account.office_id, account.id)
    references = {
        row_id: reference_of(rows_by_id[row_id], form) for row_id, form in forms.items() if row_id in rows_by_id
    }
    listed: list[dict[str, Any]] = []
    for result in days:
        if not result.rows:
            continue
        statement = known.get(result.day)
        if statement is None:
            statement = new_statement(account, result)
            check_step(statement.state, StatementState.HELD)
            statement.state = StatementState.HELD
        rows = in_order(rows_by_id[row] for row in result.rows)
        fill_statement(statement, result, rows, result.opening, result.closing)
        check_step(statement.state, StatementState.LEFT_OUT)
        statement.state, statement.hold_code, statement.proof = StatementState.LEFT_OUT, LEFT_OUT, None
        session.add(statement)
        listed += [entry_row(statement, row, place, references, {}) for place, row in enumerate(rows, start=1)]
    session.flush()
    if listed:
        statements.add_entries(listed)
    statements.replace_days(account.office_id, account.id, after, [_day_row(account, result) for result in days])


def _day_row(account: Account, result: DayResult) -> dict[str, Any]:
    return {
        "id": new_id(),
        "office_id": account.office_id,
        "account_id": account.id,
        "day": result.day,
        "state": str(DayState.LEFT_OUT),
        "proof": None,
        "cause": LEFT_OUT,
        "opening_balance": None,
        "closing_balance": None,
        "entries_count": len(result.rows),
        "late_count": len(result.late),
        "span_from": None,
        "span_until": None,
        "is_restarted": False,
    }


def _begin_again(
    session: Session, act: Act, account: Account, chain: StatementChain | None, done: ChainRestart
) -> None:
    """The chain goes on from the document's balance; where none had begun, it begins there."""
    if chain is None:
        chain = begun(
            account,
            basis="document",
            balance=done.balance,
            first_date=done.left_out_from,
            closed_until=done.day,
            anchor_read_at=act.now,
            now=act.now,
        )
    chain.closed_until, chain.closing_balance = done.day, done.balance
    chain.last_entry_date = done.day
    chain.computed_from = None
    chain.restarted_at, chain.pending_restart_id = act.now, done.id
    session.add(chain)
    session.add(
        Balance(
            id=new_id(),
            office_id=account.office_id,
            account_id=account.id,
            kind="closing_booked",
            amount=done.balance,
            currency=account.currency,
            reference_date=done.day,
            read_at=act.now,
            basis="document",
        )
    )


def _note(gateway: Gateway, session: Session, act: Act, account: Account, done: ChainRestart) -> None:
    changes = {
        "closed_until": Change(done.previous_until, done.day),
        "closing_balance": Change(done.previous_balance, done.balance),
        "left_out_entries": Change(None, done.left_out_entries),
        "document": Change(None, encode("bank_document", done.document_id)),
        "proposal": Change(None, encode("proposal", done.id)),
    }
    gateway.audit.record(
        session, act, "statement.chain_restarted", "account", account.id,
        client_id=account.client_id, changes=changes, second_factor=act.second_factor,
    )  # fmt: skip

"""Withdrawing the files of an account from a number on, and issuing their days anew (STA-23).

The days stay as they were proven: the same entries, the same balances. What changes is the number, and what the files
say of the account and its holder. The withdrawn bytes are kept for ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session, col, select, update

from gateway.accounts.models import Account
from gateway.accounts.repository import AccountRepository
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.ids import encode, new_id
from gateway.offices.models import Office
from gateway.offices.repository import ClientRepository
from gateway.proposals.errors import ProposalOvertaken
from gateway.proposals.models import Proposal
from gateway.statements.coda_file import FileRefused, Period, file_name, write_file
from gateway.statements.errors import ReissueRefused, StatementNotFound
from gateway.statements.models import Statement, StatementEntry, StatementFile
from gateway.statements.refusals import check_withdrawal
from gateway.statements.repository import StatementRepository
from gateway.statements.reversals import Line, Reversal
from gateway.statements.states import StatementState, check_step
from gateway.transactions.models import BankTransaction
from gateway.transactions.repository import TransactionRepository

_OWN: Final = frozenset(
    {
        "id", "state", "number", "file_name", "sha256", "issued_at", "revision", "replaces_id", "withdrawn_at",
        "import_refused_at", "import_refused_by", "import_refusal",
    }
)  # fmt: skip
"""Columns that a new statement does not take over from the one it replaces."""


def reissue(gateway: Gateway, session: Session, act: Act, proposal: Proposal) -> Sequence[Statement]:
    """What two people declared; returns the new statements. Raises `ProposalOvertaken`, `ReissueRefused`."""
    found = StatementRepository(session).get(act.office_id, proposal.object_id)
    if found is None:
        raise StatementNotFound
    account = AccountRepository(session).get(act.office_id, found.account_id, is_locked=True)
    assert account is not None, "a statement belongs to an account"
    session.refresh(found)
    if found.state != StatementState.ISSUED:
        raise ProposalOvertaken
    next_number: int | None = proposal.content["next_number"]
    files = check_withdrawal(session, found, next_number)
    if next_number is not None:
        _forget_handed(session, account, found, next_number)
    return _Reissuer(gateway, session, act, account, files).run(found, next_number, proposal)


def _forget_handed(session: Session, account: Account, first: Statement, next_number: int) -> None:
    """A number handed over before is not what the next file follows, when the declared one lies below it."""
    chain = StatementRepository(session).chain(account.office_id, account.id)
    if chain is not None and chain.handed_year == first.year and (chain.handed_number or 0) >= next_number:
        chain.handed_year = chain.handed_number = None
        session.add(chain)


class _Reissuer:
    """One round; all files of a round end in the same `_R` and number."""

    def __init__(
        self, gateway: Gateway, session: Session, act: Act, account: Account, files: Sequence[Statement]
    ) -> None:
        self.gateway = gateway
        self.session = session
        self.act = act
        self.account = account
        self.files = files
        self.statements = StatementRepository(session)
        client = ClientRepository(session).get(account.office_id, account.client_id)
        assert client is not None, "an account belongs to a client"
        self.client = client
        self.language = session.get_one(Office, account.office_id).language
        self.entries = self._entries()
        self.rows = TransactionRepository(session).many(
            account.office_id, {entry.transaction_id for of_file in self.entries.values() for entry in of_file}
        )
        self.revision = max(row.revision for row in files) + 1
        self.renewed: dict[UUID, tuple[StatementEntry, Statement]] = {}
        """Old entry id to its new entry and statement."""

    def run(self, first: Statement, next_number: int | None, proposal: Proposal) -> Sequence[Statement]:
        """Withdraw, then write anew, in one unit of work."""
        numbers = {}
        offset = (next_number - first.number) if next_number is not None and first.number is not None else 0
        for position, old in enumerate(row for row in self.files if row.year == first.year):
            assert first.number is not None, "it is issued"
            numbers[old.id] = first.number + offset + position
        self._withdraw()
        made = []
        for old in self.files:
            number = numbers.get(old.id, old.number)
            assert number is not None, "it is issued"
            made.append(self._renew(old, number, proposal))
        return made

    def _withdraw(self) -> None:
        ids = [row.id for row in self.files]
        for row in self.files:
            check_step(row.state, StatementState.WITHDRAWN)
            row.state, row.withdrawn_at = StatementState.WITHDRAWN, self.act.now
            self.session.add(row)
            self.gateway.audit.record(
                self.session, self.act, "statement.withdrawn", "statement", row.id, client_id=row.client_id,
                changes={"state": Change(StatementState.ISSUED, StatementState.WITHDRAWN)},
                second_factor=self.act.second_factor,
            )  # fmt: skip
        self.session.flush()
        self.session.execute(
            update(StatementEntry)
            .where(col(StatementEntry.office_id) == self.account.office_id, col(StatementEntry.statement_id).in_(ids))
            .values(is_live=False)
            .execution_options(synchronize_session=False)
        )

    def _renew(self, old: Statement, number: int, proposal: Proposal) -> Statement:
        entries = self.entries.get(old.id, [])
        lines = [self._line(entry) for entry in entries]
        assert old.old_balance_date is not None, "it is issued"
        period = Period(number, old.day, old.opening_balance, old.old_balance_date, old.closing_balance)
        try:
            content = write_file(
                self.account,
                self.client,
                period,
                lines,
                language=self.language,
                references={entry.transaction_id: entry.bank_reference for entry in entries if _is_plain(entry)},
                entry_dates={entry.transaction_id: entry.entry_date for entry in entries if _is_plain(entry)},
            )
        except FileRefused as error:
            raise ReissueRefused(place=error.place) from error
        statement = self._statement(old, number, content)
        self.session.add(statement)
        self.session.flush()
        self.session.add(
            StatementFile(
                id=new_id(),
                office_id=statement.office_id,
                statement_id=statement.id,
                name=statement.file_name or "",
                content=content,
                sha256=statement.sha256 or "",
                created_at=self.act.now,
            )
        )
        self.session.flush()
        for entry, line in zip(entries, lines, strict=True):
            renewed = self._entry(entry, line, statement)
            self.renewed[entry.id] = (renewed, statement)
            self.session.add(renewed)
        self.session.flush()
        self.gateway.audit.record(
            self.session, self.act, "statement.reissued", "statement", statement.id, client_id=statement.client_id,
            changes={
                "number": Change(f"{old.year}-{old.number:03d}", f"{statement.year}-{number:03d}"),
                "old_sha256": Change(None, old.sha256),
                "sha256": Change(old.sha256, statement.sha256),
                "replaces": Change(None, encode("statement", old.id)),
                "proposal": Change(None, encode("proposal", proposal.id)),
            },
            second_factor=self.act.second_factor,
        )  # fmt: skip
        return statement

    def _statement(self, old: Statement, number: int, content: bytes) -> Statement:
        columns: dict[str, Any] = {name: getattr(old, name) for name in Statement.model_fields if name not in _OWN}
        assert old.year is not None, "it is issued"
        statement = Statement(
            **columns,
            id=new_id(),
            # What the day came to was proven before.
            state=StatementState.PROVEN,
            number=number,
            file_name=file_name(self.account, old.year, number, revision=self.revision),
            sha256=hashlib.sha256(content).hexdigest(),
            issued_at=self.act.now,
            revision=self.revision,
            replaces_id=old.id,
        )
        check_step(statement.state, StatementState.ISSUED)
        statement.state = StatementState.ISSUED
        return statement

    def _entry(self, old: StatementEntry, line: Line, statement: Statement) -> StatementEntry:
        columns = {name: getattr(old, name) for name in StatementEntry.model_fields}
        columns |= {"id": new_id(), "statement_id": statement.id}
        columns["is_live"] = self.were_live[old.id]
        if isinstance(line, Reversal):
            columns |= {"reverses_entry_id": line.entry.id, "bank_reference": line.bank_reference}
        return StatementEntry(**columns)

    def _line(self, entry: StatementEntry) -> Line:
        row = self.rows[entry.transaction_id]
        if entry.reverses_entry_id is None:
            return _as_written(row, entry)
        original = self.renewed.get(entry.reverses_entry_id)
        if original is None:
            (original,) = self.statements.issued_entries(self.account.office_id, [entry.reverses_entry_id])
        assert entry.coda_code is not None, "a reversal has a code of its own"
        return Reversal(*original, row, entry.coda_code)

    def _entries(self) -> dict[UUID, list[StatementEntry]]:
        found: dict[UUID, list[StatementEntry]] = {}
        for entry in self.session.exec(
            select(StatementEntry)
            .where(
                StatementEntry.office_id == self.account.office_id,
                col(StatementEntry.statement_id).in_([row.id for row in self.files]),
            )
            .order_by(col(StatementEntry.statement_id), col(StatementEntry.sequence))
        ):
            found.setdefault(entry.statement_id, []).append(entry)
        self.were_live = {entry.id: entry.is_live for of_file in found.values() for entry in of_file}
        return found


def _is_plain(entry: StatementEntry) -> bool:
    return entry.reverses_entry_id is None


def _as_written(row: BankTransaction, entry: StatementEntry) -> BankTransaction:
    """The transaction with amount and day of the entry, whatever the bank made of it since; not to be stored."""
    if (row.amount, row.booking_date) == (entry.amount, entry.booking_date):
        return row
    return BankTransaction(**{**row.model_dump(), "amount": entry.amount, "booking_date": entry.booking_date})

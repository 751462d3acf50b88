"""Files that an accounting package refused, and the declaration that files are in no package (STA-23).

A file is marked by one person of the office. That its account's files from its number on are in no package is declared
by two; only then `gateway.statements.reissuing` withdraws them and issues their days anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlmodel import Session, col, select

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import FieldFault, InputError, InvalidTransition, NotFound
from gateway.identity.rights import Permission
from gateway.offices.service import require_client
from gateway.proposals.models import Proposal
from gateway.proposals.service import ProposalService
from gateway.statements.errors import StatementNotFound, StatementNotRefused
from gateway.statements.issuing import NUMBER_MAX
from gateway.statements.models import Statement
from gateway.statements.repository import StatementRepository
from gateway.statements.states import StatementState

KIND: Final = "statement.withdraw"


class RefusalService:
    """What packages made of the files of an office."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def mark(self, act: Act, statement_id: UUID, message: str) -> Statement:
        """Note that the package refused the file, with its message; the newest message stands.

        Raises `StatementNotFound`, `InvalidTransition` unless it is issued, and `RightsError` for all but the office.
        """
        act.principal.require_person()
        with self.gateway.database.unit_of_work(act.office_id) as session:
            statement = issued_statement(session, act, statement_id)
            change = Change(statement.import_refusal, message)
            statement.import_refusal = message
            statement.import_refused_at, statement.import_refused_by = act.now, act.principal.id
            session.add(statement)
            self.gateway.audit.record(
                session, act, "statement.import_refused", "statement", statement.id,
                client_id=statement.client_id, changes={"import_refusal": change},
            )  # fmt: skip
            return statement

    def propose(self, act: Act, statement_id: UUID, *, next_number: int | None) -> Proposal:
        """Declare that the files of the account from this one on are in no package; a second person confirms.

        `next_number` is the corrected number of this one; None where numbers stay.
        """
        act.require_fresh_second_factor()
        with self.gateway.database.unit_of_work(act.office_id) as session:
            statement = issued_statement(session, act, statement_id)
            client_id = statement.client_id
        content = {"next_number": next_number}
        return ProposalService(self.gateway).propose(act, KIND, statement_id, content, client_id=client_id)


def issued_statement(session: Session, act: Act, statement_id: UUID) -> Statement:
    """An issued statement, for the office alone; raises `StatementNotFound`, `RightsError`, `InvalidTransition`."""
    statement = StatementRepository(session).get(act.office_id, statement_id)
    if statement is None:
        raise StatementNotFound
    try:
        # The client's own people, who import nothing into the office's package, have no such right.
        require_client(session, act, statement.client_id, Permission.CLIENTS_WRITE, is_change=True)
    except NotFound:
        raise StatementNotFound from None
    if statement.state != StatementState.ISSUED:
        raise InvalidTransition(state=statement.state, wanted=StatementState.WITHDRAWN)
    return statement


def files_from(session: Session, first: Statement) -> Sequence[Statement]:
    """The issued statements of the account from this one on, in their order."""
    return session.exec(
        select(Statement)
        .where(
            Statement.office_id == first.office_id,
            Statement.account_id == first.account_id,
            Statement.state == StatementState.ISSUED,
            (col(Statement.day) > first.day)
            | ((col(Statement.day) == first.day) & (col(Statement.part) >= first.part)),
        )
        .order_by(col(Statement.day), col(Statement.part))
    ).all()


def check_withdrawal(session: Session, first: Statement, next_number: int | None) -> Sequence[Statement]:
    """The statements that are concerned; raises `StatementNotRefused`, and `InputError` for a number that cannot be."""
    if first.import_refused_at is None:
        raise StatementNotRefused
    files = files_from(session, first)
    if next_number is None:
        return files
    kept = session.exec(
        select(Statement.number)
        .where(
            Statement.office_id == first.office_id,
            Statement.account_id == first.account_id,
            Statement.state == StatementState.ISSUED,
            Statement.year == first.year,
            col(Statement.number) < first.number,
        )
        .order_by(col(Statement.number).desc())
        .limit(1)
    ).first()
    of_year = sum(1 for row in files if row.year == first.year)
    if next_number <= (kept or 0) or next_number + of_year - 1 > NUMBER_MAX:
        fault = FieldFault("/next_number", "number_taken", "This number is in use, or leaves no room until 999.")
        raise InputError(faults=[fault])
    return files

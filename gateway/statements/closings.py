"""One closing balance per day and account, for charts: proven, or a gap (SYN-11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from gateway.accounts.models import Account, Balance
from gateway.accounts.repository import BalanceRepository
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.statements.service import StatementService
from gateway.statements.states import DayState, Proof

COMPUTED = "computed"
DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class ClosingDay:
    """A day, and the balance at its end; None where nothing proves it, with the cause."""

    day: date
    amount: Decimal | None
    basis: str | None
    cause: str | None


def closing_days(gateway: Gateway, act: Act, account: Account, first: date, last: date) -> Sequence[ClosingDay]:
    """Every day of the period that is over at the bank, in order. Raises `PeriodInvalid`.

    Before the first statement a day has the balance that the bank stated for it, if it did; from then on the proven
    chain speaks. `account` comes from `AccountService.get`, which checked the right.
    """
    days = StatementService(gateway).days(act, account, first, last)
    with gateway.database.unit_of_work(act.office_id) as session:
        stated: dict[date, Balance] = {}
        balances = BalanceRepository(session).closings(act.office_id, account.id, date_from=first)
        for balance in sorted(balances, key=lambda row: (row.read_at, row.basis == "bank")):
            if balance.reference_date is not None:
                stated[balance.reference_date] = balance
    found = []
    for row in days:
        bank = stated.get(row.day)
        if row.proof == Proof.BANK_FILE:
            found.append(ClosingDay(row.day, row.closing_balance, DOCUMENT, None))
        elif row.proof is not None:
            is_stated = bank is not None and bank.amount == row.closing_balance
            basis = bank.basis if bank is not None and is_stated else COMPUTED
            found.append(ClosingDay(row.day, row.closing_balance, basis, None))
        elif row.state == DayState.BEFORE_START and bank is not None:
            found.append(ClosingDay(row.day, bank.amount, bank.basis, None))
        else:
            found.append(ClosingDay(row.day, None, None, row.cause))
    return found

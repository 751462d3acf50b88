"""The simulated world: accounts, what is booked on them, what is pending, and balances that always add up.

Balance of a day = opening balance + every row booked up to that day which the bank shows now. A row that was hidden, or
booked late with an earlier date, therefore changes balances of the past as it does at a bank.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from threading import RLock

from connectors.simulator import companies
from connectors.simulator.banking_days import ONE_DAY
from connectors.simulator.clock import BankClock
from connectors.simulator.companies import Holder, Party, SimulatedAccount
from connectors.simulator.history import earliest_booking, rows_of
from connectors.simulator.rows import Row

HISTORY = timedelta(days=90)
LOOKAHEAD = timedelta(days=7)
"""How far pending rows can be announced: over a weekend with holidays on both sides."""


@dataclass(frozen=True, slots=True)
class DayTotal:
    """One calendar day of one account."""

    day: date
    opening_balance: Decimal
    rows: int
    total: Decimal
    closing_balance: Decimal


@dataclass(slots=True)
class _Ledger:
    """What one account remembers."""

    until: date
    """History is made up to the day before this one."""
    rows: list[Row] = field(default_factory=list)
    extra: list[Row] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    texts: dict[str, str] = field(default_factory=dict)


class World:
    """Accounts and their rows; history is made when it is first asked for. Used by several threads."""

    def __init__(
        self,
        seed: int,
        clock: BankClock,
        volume: int = 1,
        accounts: tuple[SimulatedAccount, ...] = companies.ACCOUNTS,
    ) -> None:
        self.seed = seed
        self.volume = volume
        self.clock = clock
        self.start = clock.today - HISTORY
        self.accounts = accounts
        self._by_id = {account.account_id: account for account in accounts}
        self.companies = companies.COMPANIES
        self.holders = companies.HOLDERS
        self._lock = RLock()
        self._ledgers: dict[str, _Ledger] = {}

    def reset(self) -> None:
        """Forget extra bookings, hidden rows and changed texts."""
        with self._lock:
            self._ledgers.clear()

    def account(self, account_id: str) -> SimulatedAccount:
        """The account with this IBAN or masked card number; raises `KeyError`."""
        return self._by_id[account_id.replace(" ", "")]

    def holder(self, holder_id: str) -> Holder:
        """The person with this id; raises `KeyError`."""
        return {holder.holder_id: holder for holder in self.holders}[holder_id]

    def holders_at(self, bank_id: str) -> list[Holder]:
        """The people who can sign in at this bank."""
        return [holder for holder in self.holders if self.accounts_of(holder.holder_id, bank_id)]

    def accounts_of(self, holder_id: str, bank_id: str) -> list[SimulatedAccount]:
        """The accounts this person sees at this bank."""
        company_id = self.holder(holder_id).company_id
        return [item for item in self.accounts if item.company_id == company_id and item.bank_id == bank_id]

    def booked(
        self,
        account: SimulatedAccount,
        date_from: date | None = None,
        date_to: date | None = None,
        *,
        as_of: datetime | None = None,
    ) -> list[Row]:
        """Booked rows as the bank shows them now, or showed them at a moment; oldest first."""
        now = as_of or self.clock.now
        first, last = date_from or date.min, date_to or date.max
        return [row for row in self._rows(account) if row.is_booked(now) and first <= row.booking_date <= last]

    def pending(self, account: SimulatedAccount, *, as_of: datetime | None = None) -> list[Row]:
        """Rows announced but not booked."""
        now = as_of or self.clock.now
        return [row for row in self._rows(account) if row.is_pending(now)]

    def balance(
        self, account: SimulatedAccount, at_end_of: date | None = None, *, as_of: datetime | None = None
    ) -> Decimal:
        """Booked balance at the end of a day as the bank states it now; without a day, the present one."""
        rows = self.booked(account, date_to=at_end_of, as_of=as_of)
        return account.opening_balance + sum((row.amount for row in rows), Decimal("0.00"))

    def expected_balance(self, account: SimulatedAccount, *, as_of: datetime | None = None) -> Decimal:
        """The present balance with everything pending."""
        waiting = sum((row.amount for row in self.pending(account, as_of=as_of)), Decimal("0.00"))
        return self.balance(account, as_of=as_of) + waiting

    def day_totals(self, account: SimulatedAccount, date_from: date, date_to: date) -> list[DayTotal]:
        """One total for every calendar day, days without rows included."""
        totals, day = [], max(date_from, self.start)
        balance = self.balance(account, day - ONE_DAY)
        by_day: dict[date, list[Decimal]] = {}
        for row in self.booked(account, day, date_to):
            by_day.setdefault(row.booking_date, []).append(row.amount)
        while day <= min(date_to, self.clock.today):
            amounts = by_day.get(day, [])
            total = sum(amounts, Decimal("0.00"))
            totals.append(DayTotal(day, balance, len(amounts), total, balance + total))
            balance += total
            day += ONE_DAY
        return totals

    def book(
        self,
        account: SimulatedAccount,
        amount: Decimal,
        *,
        booking_date: date | None = None,
        value_date: date | None = None,
        counterparty: Party | None = None,
        texts: tuple[str, ...] = (),
        structured: str | None = None,
        end_to_end_id: str | None = None,
        code: str | None = None,
    ) -> Row:
        """Book one more row, visible from now on.

        A booking date in the past makes it a late booking; one in the future keeps it pending until that morning.
        `amount` is above zero for a credit. Raises `ValueError` for more than two decimals or none at all.
        """
        if not amount.is_finite() or not amount or amount != amount.quantize(Decimal("0.01")):
            raise ValueError("the amount needs a value other than zero and at most two decimals")
        now = self.clock.now
        day = booking_date or now.date()
        if day < self.start:
            raise ValueError("the booking date lies before the history of this world")
        with self._lock:
            ledger = self._ledger(account)
            row = Row(
                key=f"{account.account_id}|extra|{len(ledger.extra)}",
                booking_date=day,
                booked_at=earliest_booking(now, day),
                announced_at=now if day > now.date() else None,
                amount=amount.quantize(Decimal("0.01")),
                currency=account.currency,
                value_date=value_date or day,
                counterparty=counterparty,
                texts=texts,
                structured=structured,
                end_to_end_id=end_to_end_id,
                code=code or ("PMNT-ICDT-ESCT" if amount < 0 else "PMNT-RCDT-ESCT"),
            )
            ledger.extra.append(row)
            return row

    def find(self, account: SimulatedAccount, transaction_id: str | None = None) -> Row:
        """The booked row with this id of the bank, or the newest one; raises `KeyError`."""
        for row in reversed(self.booked(account)):
            if transaction_id in {None, row.transaction_id()}:
                return row
        raise KeyError(transaction_id)

    def hide(self, account: SimulatedAccount, row_key: str) -> None:
        """The bank does not show the row any more, nor counts it."""
        with self._lock:
            self._ledger(account).hidden.add(row_key)

    def show(self, account: SimulatedAccount, row_key: str) -> None:
        """Undo `hide` and `change_text`."""
        with self._lock:
            ledger = self._ledger(account)
            ledger.hidden.discard(row_key)
            ledger.texts.pop(row_key, None)

    def change_text(self, account: SimulatedAccount, row_key: str, text: str) -> None:
        """The bank rewrites the remittance information of a booked row."""
        with self._lock:
            self._ledger(account).texts[row_key] = text

    def _rows(self, account: SimulatedAccount) -> list[Row]:
        with self._lock:
            ledger = self._ledger(account)
            while ledger.until <= self.clock.today + LOOKAHEAD:
                ledger.rows.extend(rows_of(self.seed, account, ledger.until, self.volume))
                ledger.until += ONE_DAY
            if not (ledger.extra or ledger.hidden or ledger.texts):
                return ledger.rows.copy()
            rows = [row for row in (*ledger.rows, *ledger.extra) if row.key not in ledger.hidden]
            rows.sort(key=lambda row: (row.booking_date, row.booked_at, row.key))
            return [
                replace(row, texts=(ledger.texts[row.key],), structured=None) if row.key in ledger.texts else row
                for row in rows
            ]

    def _ledger(self, account: SimulatedAccount) -> _Ledger:
        return self._ledgers.setdefault(account.account_id, _Ledger(until=self.start))

"""What happens on an account: a pure function of seed, account and day.

So the rows of a day do not depend on when or in how many steps the clock got there, nor on the first day of a world.

How the banks book here:
- transfers, direct debits, wages, taxes and costs on banking days only (`banking_days`); a monthly date that falls on
  another day moves to the next banking day, wages and own savings to the one before;
- a card payment is pending from the purchase and booked early on the next banking day, with the purchase as value date;
- an instant transfer is booked on the calendar day it happens, weekends included, as these run around the clock;
- orders and direct debits are pending from the evening before.
"""

from __future__ import annotations

import random
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import Any

from connectors.simulator import companies, wording
from connectors.simulator.banking_days import (
    ONE_DAY,
    is_banking_day,
    next_banking_day,
    on_or_after,
    on_or_before,
    previous_banking_day,
)
from connectors.simulator.clock import BRUSSELS
from connectors.simulator.companies import Company, Party, SimulatedAccount
from connectors.simulator.references import (
    creditor_identifier,
    creditor_reference,
    enterprise_number,
    printed,
    structured_communication,
)
from connectors.simulator.rows import Exchange, Row

VAT_OFFICE = Party("FOD Financiën - Btw-ontvangsten", "BE44679701576445", "GEBABEBB")
WITHHOLDING_OFFICE = Party("FOD Financiën - Bedrijfsvoorheffing", "BE70679117197925", "GEBABEBB")
SOCIAL_SECURITY = Party("Rijksdienst voor Sociale Zekerheid", "BE15679403765530", "GEBABEBB")
TELECOM = Party("Telefoonhuis Horizon NV", "BE17001543301221", "GEBABEBB")
INSURER = Party("Verzekeringen De Vuurtoren NV", "BE12310662403992", "BBRUBEBB")
TELECOM_CREDITOR_ID = creditor_identifier(enterprise_number(1130018))
INSURER_CREDITOR_ID = creditor_identifier(enterprise_number(1131105))

MERCHANTS = ("PARKING KOUTER GENT", "COLRUYTERIJ DEINZE", "TANKSTATION E17 NAZARETH", "BROODJESBAR ZOË MECHELEN")
MERCHANTS_AWAY = ("LIBRAIRIE PANTHÉON NAMUR", "BUROSHOP KORTRIJK", "BRICO-CENTRAAL AALST")
INVOICE_LINES_MAX = 14


class DayBook:
    """Collects the rows of one account and day, drawing from one sequence of random numbers."""

    def __init__(self, seed: int, account: SimulatedAccount, day: date, volume: int) -> None:
        self.seed = seed
        self.volume = volume
        self.account = account
        self.company = companies.company(account.company_id)
        self.day = day
        self.rng = _random(seed, account, day, "book")
        self.rows: list[Row] = []

    def add(self, cents: int, kind: str, at: time, **fields: Any) -> Row:
        """Book `cents` (below zero: a debit) today at `at`; a few rows lose value date or code, as at real banks."""
        draw = self.rng.random()
        if draw < 0.03:
            fields["value_date"] = None
        elif draw > 0.93:
            fields["code"] = None
        row = Row(
            key=f"{self.account.account_id}|{self.day.isoformat()}|{kind}|{len(self.rows)}",
            booking_date=self.day,
            booked_at=datetime.combine(self.day, at, tzinfo=BRUSSELS),
            amount=Decimal(cents).scaleb(-2),
            currency=self.account.currency,
            **{"value_date": self.day, **fields},
        )
        self.rows.append(row)
        return row

    def evening_before(self) -> datetime:
        """When orders and direct debits of this day were announced."""
        return datetime.combine(previous_banking_day(self.day), time(18, 30), tzinfo=BRUSSELS)

    def between(self, first_hour: int, last_hour: int) -> time:
        """A moment of the day, from the first hour to the end of the last."""
        return time(self.rng.randint(first_hour, last_hour), self.rng.randrange(60), self.rng.randrange(60))

    def cents(self, bounds: tuple[int, int]) -> int:
        """An amount in cents; small ones are more frequent than large ones."""
        low, high = bounds
        share = self.rng.randrange(1, 101) * self.rng.randrange(1, 101)
        return low + (high - low) * share // 10_000 + self.rng.randrange(100)


def rows_of(seed: int, account: SimulatedAccount, day: date, volume: int = 1) -> list[Row]:
    """All rows booked on this account and day, in the order of booking; `volume` multiplies customers' receipts."""
    book = DayBook(seed, account, day, volume)
    for activity, (script, is_daily) in SCRIPTS.items():
        if activity in account.activities and (is_daily or is_banking_day(day)):
            script(book)
    if is_banking_day(day):
        _own_transfers(book)
    return sorted(book.rows, key=lambda row: (row.booked_at, row.key))


def _random(seed: int, account: SimulatedAccount, day: date, purpose: str) -> random.Random:
    return random.Random(f"{seed}|{account.account_id}|{day.isoformat()}|{purpose}")  # noqa: S311  invented history, no secret


@lru_cache(maxsize=8192)
def _falls(day: date, day_of_month: int) -> bool:
    """Whether `day` is the monthly date, moved to the next banking day when needed."""
    return any(
        on_or_after(first) == day for first in (day - n * ONE_DAY for n in range(6)) if first.day == day_of_month
    )


@lru_cache(maxsize=8192)
def _falls_before(day: date, day_of_month: int) -> bool:
    """Whether `day` is the monthly date, moved to the banking day before when needed."""
    return any(
        on_or_before(later) == day for later in (day + n * ONE_DAY for n in range(6)) if later.day == day_of_month
    )


def _invoice(book: DayBook) -> str:
    return f"{book.day.year}{book.rng.randrange(10_000):04d}"


def _remittance(book: DayBook, party: Party) -> dict[str, Any]:
    """How a customer says what is paid: structured, printed, bare digits, RF, or words."""
    invoice, draw = _invoice(book), book.rng.random()
    free = wording.text(book.company.language, "invoice", number=invoice)
    structured = structured_communication(int(invoice) * 97 + book.rng.randrange(97))
    rf = creditor_reference(f"{book.rng.randrange(10**6):06d}INV{invoice}")
    ways: list[tuple[float, dict[str, Any]]] = [
        (0.70, {"structured": rf}),
        (0.75, {"texts": (f"{free} {rf}",)}),
        (0.90, {"texts": (free,)}),
        (1.00, {"texts": (free,), "end_to_end_id": f"INV-{invoice}"}),
    ]
    if (party.iban or "").startswith("BE"):
        ways = [
            (0.40, {"structured": structured}),
            (0.50, {"texts": (printed(structured),)}),
            (0.55, {"texts": (f"{free} {printed(structured)}",)}),
            (0.62, {"texts": (structured,)}),
            *ways,
        ]
    return next(fields for limit, fields in ways if draw < limit)


def _customers(book: DayBook) -> None:
    is_main = companies.SUPPLIERS in book.account.activities
    count = book.rng.choices(range(5), weights=(20, 34, 26, 12, 8) if is_main else (74, 22, 4, 0, 0))[0]
    for _ in range(count * book.volume):
        party = book.rng.choice(book.company.customers)
        book.add(
            # More receipts are smaller ones, so that the balances stay believable.
            book.cents(book.company.receipt_cents) // ((1 if is_main else 3) * book.volume) + 1,
            "receipt",
            book.between(7, 17),
            counterparty=party,
            code="PMNT-RCDT-ESCT",
            **_remittance(book, party),
        )


def _suppliers(book: DayBook) -> None:
    for _ in range(book.rng.choices(range(4), weights=(35, 35, 20, 10))[0]):
        party = book.rng.choice(book.company.suppliers)
        book.add(
            -book.cents(book.company.purchase_cents),
            "supplier",
            book.between(11, 16),
            announced_at=book.evening_before(),
            counterparty=party,
            code="PMNT-ICDT-ESCT",
            **_remittance(book, party),
        )
    if _falls(book.day, 18):
        _long_supplier_payment(book)


def _long_supplier_payment(book: DayBook) -> None:
    """One payment for many invoices: more text than one field of 140 characters holds."""
    numbers = [_invoice(book) for _ in range(INVOICE_LINES_MAX)]
    listed = ", ".join(f"{number} ({book.rng.randrange(20, 400)},{book.rng.randrange(100):02d})" for number in numbers)
    whole = f"{wording.text(book.company.language, 'invoices')} {listed}"
    book.add(
        -3 * book.cents(book.company.purchase_cents),
        "supplier-list",
        book.between(11, 12),
        announced_at=book.evening_before(),
        counterparty=book.company.suppliers[0],
        code="PMNT-ICDT-ESCT",
        texts=tuple(textwrap.wrap(whole, 140)),
    )


def _wages(book: DayBook) -> None:
    if not _falls_before(book.day, 25):
        return
    month = f"{book.day.month:02d}/{book.day.year}"
    for party, net in book.company.employees:
        cents = -net - book.rng.randrange(0, net // 40)
        is_batch = book.company.pays_wages_as_batch
        book.add(
            cents,
            "wage",
            time(6, 10),
            announced_at=book.evening_before(),
            counterparty=None if is_batch else party,
            texts=(wording.text(book.company.language, "wages", month=month),),
            code="PMNT-ICDT-SALA",
            purpose="SALA",
            batch_count=14 if is_batch else None,
        )


def _taxes(book: DayBook) -> None:
    """Social security on the 5th, withholding tax on the 15th, VAT on the 20th, or on the 25th after a quarter."""
    wages = sum(net for _, net in book.company.employees)
    turnover = book.company.receipt_cents[1]
    due = [(5, SOCIAL_SECURITY, wages * 38 // 100), (15, WITHHOLDING_OFFICE, wages * 24 // 100)]
    if book.company.files_vat_monthly:
        due.append((20, VAT_OFFICE, turnover * 65 // 100))
    elif book.day.month in {1, 4, 7, 10}:
        due.append((25, VAT_OFFICE, turnover * 180 // 100))
    for day_of_month, office, cents in due:
        if _falls(book.day, day_of_month):
            base = int(book.company.enterprise_number[:8]) * 100 + book.day.month
            book.add(
                -cents - book.rng.randrange(10_00),
                "tax",
                time(6, 40),
                announced_at=book.evening_before(),
                counterparty=office,
                structured=structured_communication(base),
                code="PMNT-ICDT-ESCT",
                purpose="TAXS",
            )


def _direct_debits(book: DayBook) -> None:
    """Two collections a month; in even months the first is refunded three banking days later."""
    language, number = book.company.language, book.company.enterprise_number
    month = f"{book.day.month:02d}/{book.day.year}"
    for day_of_month, creditor, creditor_id, cents in (
        (12, TELECOM, TELECOM_CREDITOR_ID, 86_35),
        (7, INSURER, INSURER_CREDITOR_ID, 312_48),
    ):
        common: dict[str, Any] = {
            "counterparty": creditor,
            "creditor_id": creditor_id,
            "mandate_id": f"M{number[2:]}-{day_of_month:02d}",
            "end_to_end_id": f"{book.day:%Y%m}{number}",
        }
        if _falls(book.day, day_of_month):
            book.add(
                -cents,
                "direct-debit",
                time(5, 40),
                announced_at=book.evening_before(),
                texts=(wording.text(language, "direct_debit", month=month),),
                code="PMNT-RDDT-ESDD",
                **common,
            )
        origin = book.day
        for _ in range(3):
            origin = previous_banking_day(origin)
        if creditor is TELECOM and origin.month % 2 == 0 and _falls(origin, day_of_month):
            book.add(
                cents,
                "direct-debit-returned",
                time(5, 45),
                texts=(wording.text(language, "direct_debit_returned", month=month),),
                code="PMNT-RDDT-UPDD",
                **common,
            )


def _standing_orders(book: DayBook) -> None:
    if _falls(book.day, 1):
        book.add(
            -book.company.rent,
            "standing-order",
            time(5, 55),
            announced_at=book.evening_before(),
            counterparty=book.company.landlord,
            texts=(wording.text(book.company.language, "rent", month=f"{book.day.month:02d}/{book.day.year}"),),
            code="PMNT-ICDT-STDO",
        )


def _cards(book: DayBook) -> None:
    """Card purchases and cash since the previous banking day; on the 8th the same purchase is made twice."""
    bought_on = previous_banking_day(book.day)
    while bought_on < book.day:
        rng = _random(book.seed, book.account, bought_on, "cards")
        for _ in range(rng.choices(range(4), weights=(45, 30, 15, 10))[0]):
            _card(book, bought_on, rng.choice(MERCHANTS + MERCHANTS_AWAY), rng.randrange(3_20, 148_00), rng)
        if rng.random() < 0.06:
            _card(book, bought_on, f"ATM {book.company.town.upper()} MARKT", 20_00 * rng.randint(1, 12), rng, cash=True)
        if bought_on.day == 17:
            _foreign_card(book, bought_on, rng)
        bought_on += ONE_DAY
    if _falls(book.day, 8):
        # A genuine twin: two equal tickets, told apart by the bank's id only.
        bought_on = previous_banking_day(book.day)
        _card(book, bought_on, MERCHANTS[0], 4_50, book.rng)
        book.rows.append(replace(book.rows[-1], key=f"{book.rows[-1].key}|twin"))


def _card(book: DayBook, bought_on: date, merchant: str, cents: int, rng: random.Random, *, cash: bool = False) -> None:
    moment = datetime.combine(bought_on, time(rng.randint(7, 21), rng.randrange(60)), tzinfo=BRUSSELS)
    kind = "cash" if cash else "card"
    words = {"place": merchant, "moment": f"{moment:%d/%m/%Y %H:%M}"}
    book.add(
        -cents,
        kind,
        time(5, 20),
        announced_at=moment,
        value_date=bought_on,
        counterparty=None if cash else Party(merchant),
        texts=(wording.text(book.company.language, kind, **words),),
        pending_text=wording.text(book.company.language, f"{kind}_pending", **words),
        code="PMNT-CCRD-CWDL" if cash else "PMNT-CCRD-POSD",
    )


def _foreign_card(book: DayBook, bought_on: date, rng: random.Random) -> None:
    dollars = Decimal(rng.randrange(12_00, 90_00)).scaleb(-2)
    rate = Decimal(rng.randrange(10_400, 11_900)).scaleb(-4)
    euros = (dollars / rate).quantize(Decimal("0.01"))
    _card(book, bought_on, "CLOUDWARE INC SEATTLE", int(euros.scaleb(2)), rng)
    book.rows[-1] = replace(book.rows[-1], exchange=Exchange(currency="USD", amount=dollars, rate=str(rate)))


def _costs(book: DayBook) -> None:
    if next_banking_day(book.day).month != book.day.month:
        month = f"{book.day.month:02d}/{book.day.year}"
        book.add(
            -book.rng.randrange(4_00, 12_00),
            "costs",
            time(22, 15),
            texts=(wording.text(book.company.language, "costs", month=month),),
            code="ACMT-MDOP-FEES",
        )


def _interest(book: DayBook) -> None:
    if book.day.month in {1, 4, 7, 10} and _falls(book.day, 1):
        gross = book.rng.randrange(240_00, 410_00)
        language = book.company.language
        book.add(gross, "interest", time(5, 10), texts=(wording.text(language, "interest"),), code="ACMT-MCOP-INTR")
        tax = -gross * 30 // 100
        book.add(tax, "interest-tax", time(5, 10), texts=(wording.text(language, "tax"),), code="ACMT-MDOP-TAXE")


def _instant(book: DayBook) -> None:
    if book.rng.random() < 0.14:
        party = book.rng.choice(book.company.customers)
        book.add(
            book.cents(book.company.receipt_cents) // 3,
            "instant-in",
            book.between(8, 21),
            counterparty=party,
            code="PMNT-RRCT-ESCT",
            **_remittance(book, party),
        )
    if book.rng.random() < 0.05:
        party = book.rng.choice(book.company.suppliers)
        book.add(
            -book.cents(book.company.purchase_cents) // 2,
            "instant-out",
            book.between(8, 21),
            counterparty=party,
            code="PMNT-IRCT-ESCT",
            **_remittance(book, party),
        )


def _own_transfers(book: DayBook) -> None:
    """Both sides of transfers between the company's accounts, and the settlement of its credit card."""
    mine = book.account
    for payer, payee, cents, kind in _planned_own_transfers(book.company, book.day, book.seed):
        if mine not in (payer, payee):
            continue
        other = payee if mine is payer else payer
        is_card = kind == "card_settled"
        book.add(
            -cents if mine is payer else cents,
            kind,
            time(6, 5) if mine is payer else time(6, 50),
            announced_at=book.evening_before() if mine is payer else None,
            counterparty=None if other.iban is None else Party(book.company.name, other.iban, other.bic),
            texts=(wording.text(book.company.language, kind),),
            code="PMNT-CCRD-BOOK" if is_card else ("PMNT-ICDT-BOOK" if mine is payer else "PMNT-RCDT-BOOK"),
        )


def _planned_own_transfers(
    company: Company, day: date, seed: int
) -> Iterator[tuple[SimulatedAccount, SimulatedAccount, int, str]]:
    accounts = [account for account in companies.ACCOUNTS if account.company_id == company.company_id]
    main = next(account for account in accounts if companies.SUPPLIERS in account.activities)
    for account in accounts:
        if account.activities >= companies.SECOND and account is not main and _falls(day, 10):
            yield main, account, _random(seed, account, day, "own").randrange(8, 18) * 100_00, "own_transfer"
        if companies.SAVINGS_INTEREST in account.activities and _falls_before(day, 27):
            yield main, account, _random(seed, account, day, "own").randrange(2, 9) * 1_000_00, "own_saving"
        if companies.CREDIT_CARD in account.activities and _falls(day, 4):
            yield main, account, _card_month(seed, account, day), "card_settled"


def _card_month(seed: int, account: SimulatedAccount, day: date) -> int:
    """Cents spent with the credit card in the month before."""
    last = day.replace(day=1) - ONE_DAY
    return sum(cents for n in range(last.day) for cents, _ in _purchases(seed, account, last - n * ONE_DAY))


def _purchases(seed: int, account: SimulatedAccount, day: date) -> Sequence[tuple[int, str]]:
    rng = _random(seed, account, day, "purchases")
    return [(rng.randrange(9_00, 260_00), rng.choice(MERCHANTS_AWAY)) for _ in range(rng.choice((0, 0, 0, 1, 2)))]


def _credit_card(book: DayBook) -> None:
    """Purchases, and the yearly fee; the monthly settlement comes with the own transfers."""
    for cents, merchant in _purchases(book.seed, book.account, book.day):
        book.add(-cents, "purchase", time(23, 0), counterparty=Party(merchant), texts=(merchant,))
    if book.day.month == 1 and _falls(book.day, 3):
        fee = _random(book.seed, book.account, book.day, "fee").randrange(30_00, 60_00)
        book.add(-fee, "card-fee", time(22, 15), texts=(wording.text(book.company.language, "costs", month="01"),))


SCRIPTS: Mapping[str, tuple[Callable[[DayBook], None], bool]] = {
    companies.CUSTOMERS: (_customers, False),
    companies.SUPPLIERS: (_suppliers, False),
    companies.WAGES: (_wages, False),
    companies.TAXES: (_taxes, False),
    companies.DIRECT_DEBITS: (_direct_debits, False),
    companies.STANDING_ORDERS: (_standing_orders, False),
    companies.CARDS: (_cards, False),
    companies.COSTS: (_costs, False),
    companies.SAVINGS_INTEREST: (_interest, False),
    companies.CREDIT_CARD: (_credit_card, True),
    companies.INSTANT: (_instant, True),
}
"""Per activity what it books, and whether that happens on every calendar day."""


def earliest_booking(moment: datetime, day: date) -> datetime:
    """When an order given now for `day` is booked: at once, or on the morning of a later day."""
    morning = datetime.combine(day, time(6, 20), tzinfo=BRUSSELS)
    return max(moment, morning) if day > moment.date() else moment

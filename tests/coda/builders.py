"""Invented accounts, entries and statements for the tests; check digits are valid."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st

import coda

# Few enough examples for a run of seconds, and no deadline: a busy machine is no fault of the code. By hand, with
# `--hypothesis-profile=search`, many.
IS_SEARCH = settings.get_current_profile_name() == "search"
quick = settings(max_examples=10_000 if IS_SEARCH else 40, deadline=None)

OPENED = date(2026, 3, 13)
CLOSED = date(2026, 3, 16)

ACCOUNT = coda.Account.of_iban(
    "BE81 7970 3097 0124",
    "EUR",
    holder="Voorbeeld NV",
    description="Zichtrekening",
    bic="GEBABEBB",
    company_number="0400.000.086",
)

IBANS = ("BE14636960615783", "BE38709381658572", "NL22ABNA5891807615", "FR1420041010050500013M02606")
NUMBERS = (*IBANS, "", "775496350025")
REFERENCES = ("", "505168626077", "+++505/1686/26077+++", "RF34SYN826003", "RF34 SYN8 2600 3", "505168626078", "RF00X")
CODES = ("00150000", "00101000", "10107000", "00501000", "00402000", "03039000", "03089000", "04101000")


def entry(bank_reference: str = "BANK-1", **changes: object) -> coda.Entry:
    """An entry of 12.50 to the account holder, with the changes."""
    values: dict[str, object] = {
        "amount": Decimal("12.50"),
        "entry_date": CLOSED,
        "bank_reference": bank_reference,
        "transaction_code": "00150000",
        "communication": "Factuur 2026-17",
        "counterparty_iban": "BE14636960615783",
        "counterparty_name": "Alfa Handel BV",
        "counterparty_bic": "GKCCBEBB",
        "end_to_end_id": "E2E-1",
    }
    return coda.Entry(**(values | changes))  # type: ignore[arg-type]


def statement(
    entries: Sequence[coda.Entry] | None = None,
    *,
    account: coda.Account = ACCOUNT,
    number: int = 7,
    old_balance: Decimal = Decimal("100.00"),
    encoding: str = "windows-1252",
) -> coda.Statement:
    """A statement with the entries, by default one, whose balances fit."""
    entries = [entry()] if entries is None else entries
    return coda.compose(
        account,
        number=number,
        old_balance=old_balance,
        old_balance_date=OPENED,
        new_balance=old_balance + sum((each.amount for each in entries), Decimal()),
        new_balance_date=CLOSED,
        entries=entries,
        encoding=encoding,  # type: ignore[arg-type]
    )


# Text as banks pass it on: any script, controls and repeated blanks too.
texts = st.one_of(
    st.just(""),
    st.text(max_size=40),
    st.text("abc déŁ€ß漢\t\r\n ", max_size=400),
    st.lists(st.text("abcdefghij", min_size=1, max_size=12), max_size=60).map(" ".join),
)
amounts = st.decimals("-999999999.999", "999999999.999", places=3, allow_nan=False, allow_infinity=False)
dates = st.dates(date(2000, 1, 1), date(2099, 12, 31))


@st.composite
def entry_lists(draw: st.DrawFn) -> list[coda.Entry]:
    """Up to four entries with references of their own."""
    count = draw(st.integers(0, 4))
    return [
        coda.Entry(
            amount=draw(amounts),
            entry_date=draw(dates),
            value_date=draw(st.none() | dates),
            bank_reference=f"REF {index}",
            transaction_code=draw(st.sampled_from(CODES)),
            communication=draw(texts),
            reference=draw(st.sampled_from(REFERENCES)),
            notes=draw(st.lists(texts, max_size=2)),
            counterparty_iban=draw(st.sampled_from(NUMBERS)),
            counterparty_name=draw(texts),
            counterparty_bic=draw(st.sampled_from(["", "GKCCBEBB", "chasus33xxx"])),
            counterparty_street=draw(texts),
            counterparty_locality=draw(texts),
            end_to_end_id=draw(texts),
            r_type=draw(st.sampled_from(["", "2"])),
            r_reason=draw(st.sampled_from(["", "MS03"])),
            purpose=draw(st.sampled_from(["", "SALA"])),
        )
        for index in range(count)
    ]


@st.composite
def statements(draw: st.DrawFn) -> coda.Statement:
    """A composed statement of one of several accounts."""
    entries = draw(entry_lists())
    opened = draw(st.dates(date(2000, 1, 1), date(2099, 1, 1)))
    old_balance = draw(amounts)
    iban = draw(st.sampled_from(IBANS))
    account = coda.Account.of_iban(iban, draw(st.sampled_from(["EUR", "USD"])), holder=draw(texts))
    return coda.compose(
        account,
        number=draw(st.integers(1, 999)),
        old_balance=old_balance,
        old_balance_date=opened,
        new_balance=old_balance + sum((each.amount for each in entries), Decimal()),
        new_balance_date=opened + timedelta(days=draw(st.integers(0, 300))),
        entries=entries,
    )

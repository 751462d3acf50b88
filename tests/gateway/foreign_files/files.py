"""CODA files as a bank would have made them of a simulated account."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import coda
from connectors.simulator import SimulatorServer
from gateway.foreign_files.reading import SentFile

ONE_DAY = timedelta(days=1)
OTHER_IBAN = "BE12310291417792"


def bank_file(
    iban: str,
    day: date,
    *,
    number: int,
    opening: Decimal,
    amounts: Sequence[Decimal] = (),
    opening_date: date | None = None,
    paper: int | None = None,
    currency: str = "EUR",
) -> bytes:
    """One statement of one day; `paper` is the number of the paper statement where it is another one."""
    entries = [
        coda.Entry(
            amount=amount, entry_date=day, bank_reference=f"BANK{day:%y%m%d}{index:05d}",
            transaction_code="00101000" if amount < 0 else "00150000", communication=f"Bericht {index}",
        )
        for index, amount in enumerate(amounts)
    ]  # fmt: skip
    statement = coda.compose(
        coda.Account.of_iban(iban, currency, holder="Rekeninghouder", bic="GKCCBEBB"),
        number=number, old_balance=opening, old_balance_date=opening_date or day - ONE_DAY,
        new_balance=opening + sum(amounts, Decimal(0)), new_balance_date=day, entries=entries,
    )  # fmt: skip
    if paper is not None:
        new = statement.new_balance
        statement = replace(
            statement,
            old_balance=replace(statement.old_balance, paper_number=paper),
            new_balance=replace(new, paper_number=paper) if new is not None else None,
            movements=tuple(replace(movement, paper_number=paper) for movement in statement.movements),
        )
    return coda.write([statement])


def bank_files(
    banks: SimulatorServer, iban: str, first: date, last: date, *, number: int, paper: int | None = None
) -> list[SentFile]:
    """A file for each day with rows of the simulated account, the first one with these numbers."""
    truth = banks.world.account(iban)
    rows = banks.world.booked(truth)
    made: list[SentFile] = []
    before = first - ONE_DAY
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        amounts = [row.amount for row in rows if row.booking_date == day]
        if not amounts:
            continue
        content = bank_file(
            iban, day, number=number + len(made), opening=banks.world.balance(truth, day - ONE_DAY), amounts=amounts,
            opening_date=before, paper=paper + len(made) if paper is not None else None,
        )  # fmt: skip
        made.append(SentFile(f"bank_{day:%Y%m%d}.cod", content))
        before = day
    return made


def zipped(files: Iterable[SentFile]) -> SentFile:
    """The files in one archive."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.writestr(f"2026/{file.name}", file.content)
    return SentFile("coda.zip", target.getvalue())

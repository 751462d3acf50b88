"""Statements as a bank would have made them of a simulated account, in CODA, camt.053 and MT940."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from connectors.simulator import SimulatorServer
from gateway.foreign_files.reading import SentFile
from tests.gateway.foreign_files.files import bank_file

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Stated:
    """One statement of one account."""

    iban: str
    opening_day: date
    opening: Decimal
    closing_day: date
    entries: Sequence[tuple[date, Decimal]] = ()
    currency: str = "EUR"

    @property
    def closing(self) -> Decimal:
        return self.opening + sum((amount for _, amount in self.entries), Decimal(0))


def stated(banks: SimulatorServer, iban: str, first: date, last: date) -> Stated:
    """What the bank would state of a period; also of days that its interface does not give any more."""
    truth = banks.world.account(iban)
    entries = [
        (row.booking_date, row.amount)
        for row in sorted(banks.world.booked(truth), key=lambda row: row.booking_date)
        if first <= row.booking_date <= last
    ]
    return Stated(iban, first - ONE_DAY, banks.world.balance(truth, first - ONE_DAY), last, entries)


def as_coda(one: Stated, *, number: int = 1) -> bytes:
    """One file for a statement of one day."""
    assert all(day == one.closing_day for day, _ in one.entries), "one day"
    amounts = [amount for _, amount in one.entries]
    return bank_file(
        one.iban, one.closing_day, number=number, opening=one.opening, amounts=amounts, opening_date=one.opening_day,
        currency=one.currency,
    )  # fmt: skip


def coda_days(banks: SimulatorServer, iban: str, first: date, last: date) -> list[SentFile]:
    """A CODA file for each day with entries."""
    made: list[SentFile] = []
    before, day = first - ONE_DAY, first
    while day <= last:
        one = stated(banks, iban, day, day)
        if one.entries or day == last:
            whole = Stated(iban, before, one.opening, day, one.entries)
            made.append(SentFile(f"bank_{day:%Y%m%d}.cod", as_coda(whole, number=len(made) % 999 + 1)))
            before = day
        day += ONE_DAY
    return made


def camt_statement(one: Stated, *, extra: str = "") -> str:
    """A `Stmt` element; `extra` stands behind the entries."""
    entries = "".join(
        f"<Ntry><Amt Ccy='{one.currency}'>{abs(amount):.2f}</Amt>"
        f"<CdtDbtInd>{'CRDT' if amount > 0 else 'DBIT'}</CdtDbtInd><Sts>BOOK</Sts>"
        f"<BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt><AcctSvcrRef>REF{index:05d}</AcctSvcrRef>"
        "<BkTxCd><Prtry><Cd>00150000</Cd><Issr>BBA</Issr></Prtry></BkTxCd>"
        "<NtryDtls><TxDtls><Refs><EndToEndId>E2E-1</EndToEndId></Refs><RltdPties>"
        "<Dbtr><Nm>Drukkerij Voorbeeld</Nm></Dbtr><DbtrAcct><Id><IBAN>BE12310291417792</IBAN></Id></DbtrAcct>"
        "<Cdtr><Nm>Garage Voorbeeld</Nm></Cdtr><CdtrAcct><Id><IBAN>BE71096123456769</IBAN></Id></CdtrAcct>"
        f"</RltdPties><RmtInf><Ustrd>Factuur {index}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
        for index, (day, amount) in enumerate(one.entries)
    )
    return (
        f"<Stmt><Id>1</Id><CreDtTm>{one.closing_day}T23:00:00</CreDtTm>"
        f"<Acct><Id><IBAN>{one.iban}</IBAN></Id><Ccy>{one.currency}</Ccy></Acct>"
        + _camt_balance("OPBD", one.opening, one.opening_day, one.currency)
        + _camt_balance("CLBD", one.closing, one.closing_day, one.currency)
        + entries
        + extra
        + "</Stmt>"
    )


def as_camt(*statements: str, version: str = "02") -> bytes:
    """A document with these statements."""
    return (
        "<?xml version='1.0' encoding='UTF-8'?>"
        f"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}'><BkToCstmrStmt>"
        "<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-01-01T00:00:00</CreDtTm></GrpHdr>"
        f"{''.join(statements)}</BkToCstmrStmt></Document>"
    ).encode()


def _camt_balance(kind: str, amount: Decimal, day: date, currency: str) -> str:
    sign = "CRDT" if amount >= 0 else "DBIT"
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy='{currency}'>{abs(amount):.2f}</Amt>"
        f"<CdtDbtInd>{sign}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def as_mt940(*statements: Stated) -> bytes:
    """A file with these statements."""
    lines: list[str] = []
    for number, one in enumerate(statements, start=1):
        lines += [f":20:STATEMENT{number}", f":25:{one.iban}{one.currency}", f":28C:{number:05d}/001"]
        lines.append(f":60F:{_mt_balance(one.opening, one.opening_day, one.currency)}")
        for day, amount in one.entries:
            sign = "C" if amount > 0 else "D"
            lines.append(f":61:{day:%y%m%d%m%d}{sign}{_comma(abs(amount))}NTRFNONREF//REF1")
            lines.append(":86:/BENM//NAME/Garage Voorbeeld/IBAN/BE71096123456769/REMI/Factuur 7")
        lines += [f":62F:{_mt_balance(one.closing, one.closing_day, one.currency)}", "-"]
    return "\r\n".join(lines).encode()


def _mt_balance(amount: Decimal, day: date, currency: str) -> str:
    return f"{'C' if amount >= 0 else 'D'}{day:%y%m%d}{currency}{_comma(abs(amount))}"


def _comma(amount: Decimal) -> str:
    return f"{amount:.2f}".replace(".", ",")

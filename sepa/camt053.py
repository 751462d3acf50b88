"""Reading camt.053: the bank's statement in XML, any of the versions 001.02 to 001.13 (STA-19).

Only what is booked is read. A document is refused as a whole where an account, a balance, an amount or a day is
missing: nothing is guessed. The document passes `sepa.schema.parse`, so no entity is resolved and nothing outside read.
Source: ISO 20022 BankToCustomerStatement; Febelfin, XML message for statement, 2.2 (`BkTxCd/Prtry`, issuer BBA).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from lxml import etree

from sepa.errors import InputError
from sepa.schema import SIZE_MAX, parse

BRUSSELS = ZoneInfo("Europe/Brussels")
YEAR_MIN = 1970
_NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.(0[2-9]|1[0-3])")
_AMOUNT = re.compile(r"[0-9]{1,13}(?:\.[0-9]{0,5})?")
_PLAIN_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2})?")
_CODA = re.compile(r"[0-9]{8}")


class CamtRefused(InputError):
    """The document is no camt.053, or lacks what a statement needs; `reason` is a stable code, `place` an element."""

    code = "camt_refused"
    hint = "Fetch the file from the bank again."

    def __init__(self, reason: str, place: str = "") -> None:
        super().__init__("the document is no statement that can be read", reason=reason, place=place)
        self.reason = reason
        self.place = place


@dataclass(frozen=True, kw_only=True, slots=True)
class CamtEntry:
    """One booked entry. `amount` is above zero for a credit to the account holder, reversals included."""

    amount: Decimal
    currency: str
    booking_date: date
    value_date: date | None
    is_reversal: bool = False
    """It takes back an earlier entry: the parties stand as they stood there."""
    bank_reference: str | None = None
    coda_code: str | None = None
    """Eight digits, where a Belgian bank gives them."""
    iso_code: str | None = None
    """`PMNT-RCDT-ESCT`."""
    counterparty_name: str | None = None
    counterparty_account: str | None = None
    counterparty_bic: str | None = None
    remittance: tuple[str, ...] = ()
    structured_reference: str | None = None
    end_to_end_id: str | None = None
    mandate_id: str | None = None
    creditor_id: str | None = None
    purpose_code: str | None = None
    additional: str | None = None
    original_amount: Decimal | None = None
    original_currency: str | None = None
    exchange_rate: str | None = None
    batch_count: int | None = None
    """How many payments it stands for; None for one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CamtStatement:
    """One account from an opening to a closing balance. `from_date` is None where the bank names no period."""

    account: str
    """IBAN, or the number as the bank gives it."""
    currency: str
    opening: Decimal
    opening_date: date
    closing: Decimal
    closing_date: date
    from_date: date | None = None
    entries: tuple[CamtEntry, ...] = field(default=())


def read(document: bytes, *, size_max: int = SIZE_MAX) -> list[CamtStatement]:
    """The statements of a document, in its order. Raises `XmlRefused` and `CamtRefused`."""
    root = parse(document, size_max=size_max).getroot()
    name = etree.QName(root)
    if name.localname != "Document" or not _NAMESPACE.fullmatch(name.namespace or ""):
        raise CamtRefused("not_camt053")
    statements = [_statement(node) for node in root.iterfind("{*}BkToCstmrStmt/{*}Stmt")]
    if not statements:
        raise CamtRefused("no_statement")
    return statements


def _statement(node: etree._Element) -> CamtStatement:
    account = _text(node, "Acct/Id/IBAN") or _text(node, "Acct/Id/Othr/Id")
    if account is None:
        raise CamtRefused("account_missing", "Acct/Id")
    balances: dict[str, tuple[Decimal, str, date]] = {}
    for balance in node.iterfind("{*}Bal"):
        kind = _text(balance, "Tp/CdOrPrtry/Cd") or ""
        # The first of a kind opens, the last one closes, where a bank repeats them page by page.
        if kind not in balances or kind == "CLBD":
            amount, currency = _amount(balance, "Amt")
            day = _day(balance, "Dt") or _missing("Bal/Dt")
            balances[kind] = (_signed(balance, amount), currency, day)
    opening = balances.get("OPBD") or balances.get("PRCD") or _missing("Bal/OPBD")
    closing = balances.get("CLBD") or _missing("Bal/CLBD")
    currency = _text(node, "Acct/Ccy") or closing[1]
    if opening[1] != currency or closing[1] != currency:
        raise CamtRefused("currency_differs", "Bal/Amt")
    return CamtStatement(
        account=account.replace(" ", ""),
        currency=currency,
        opening=opening[0],
        opening_date=opening[2],
        closing=closing[0],
        closing_date=closing[2],
        from_date=_day(node, "FrToDt", names=("FrDtTm", "FrDt")),
        entries=tuple(_entries(node, currency)),
    )


def _entries(node: etree._Element, currency: str) -> Iterator[CamtEntry]:
    for entry in node.iterfind("{*}Ntry"):
        status = _text(entry, "Sts/Cd") or _text(entry, "Sts")
        if status != "BOOK":
            continue
        bare, own_currency = _amount(entry, "Amt")
        if own_currency != currency:
            raise CamtRefused("currency_differs", "Ntry/Amt")
        amount = _signed(entry, bare)
        details = entry.findall("{*}NtryDtls/{*}TxDtls")
        counted = _text(entry, "NtryDtls/Btch/NbOfTxs")
        count = max(len(details), int(counted) if counted and counted.isascii() and counted.isdigit() else 0)
        detail = details[0] if len(details) == 1 and count <= 1 else None
        is_reversal = _text(entry, "RvslInd") in ("true", "1")
        yield CamtEntry(
            amount=amount,
            currency=own_currency,
            booking_date=_day(entry, "BookgDt") or _missing("Ntry/BookgDt"),
            value_date=_day(entry, "ValDt"),
            is_reversal=is_reversal,
            bank_reference=_text(entry, "AcctSvcrRef") or _text(entry, "NtryRef"),
            coda_code=_coda_code(entry, detail),
            iso_code=_iso_code(entry, detail),
            additional=_text(entry, "AddtlNtryInf"),
            batch_count=count if count > 1 else None,
            **(_details(detail, is_credit=(amount > 0) is not is_reversal) if detail is not None else {}),
        )


def _details(detail: etree._Element, *, is_credit: bool) -> dict[str, Any]:
    """What stands at the one payment of an entry; the other side of a credit is its debtor."""
    side = "Dbtr" if is_credit else "Cdtr"
    parties = f"RltdPties/{side}"
    found: dict[str, Any] = {
        "counterparty_name": _text(detail, f"{parties}/Nm") or _text(detail, f"{parties}/Pty/Nm"),
        "counterparty_account": _text(detail, f"RltdPties/{side}Acct/Id/IBAN")
        or _text(detail, f"RltdPties/{side}Acct/Id/Othr/Id"),
        "counterparty_bic": _text(detail, f"RltdAgts/{side}Agt/FinInstnId/BIC")
        or _text(detail, f"RltdAgts/{side}Agt/FinInstnId/BICFI"),
        "remittance": tuple(
            text for node in detail.iterfind("{*}RmtInf/{*}Ustrd") if (text := (node.text or "").strip())
        ),
        "structured_reference": _text(detail, "RmtInf/Strd/CdtrRefInf/Ref"),
        "end_to_end_id": _text(detail, "Refs/EndToEndId"),
        "mandate_id": _text(detail, "Refs/MndtId"),
        "creditor_id": _text(detail, "RltdPties/Cdtr/Id/PrvtId/Othr/Id")
        or _text(detail, "RltdPties/Cdtr/Pty/Id/PrvtId/Othr/Id"),
        "purpose_code": _text(detail, "Purp/Cd"),
    }
    for place in ("AmtDtls/InstdAmt", "AmtDtls/TxAmt"):
        if _text(detail, f"{place}/Amt") is not None:
            found["original_amount"], found["original_currency"] = _amount(detail, f"{place}/Amt")
            found["exchange_rate"] = _text(detail, f"{place}/CcyXchg/XchgRate")
            break
    return found


def _coda_code(entry: etree._Element, detail: etree._Element | None) -> str | None:
    for node in (entry, detail):
        if node is not None and _text(node, "BkTxCd/Prtry/Issr") == "BBA":
            code = _text(node, "BkTxCd/Prtry/Cd") or ""
            if _CODA.fullmatch(code):
                return code
    return None


def _iso_code(entry: etree._Element, detail: etree._Element | None) -> str | None:
    for node in (detail, entry):
        if node is None:
            continue
        parts = [_text(node, f"BkTxCd/Domn/{place}") for place in ("Cd", "Fmly/Cd", "Fmly/SubFmlyCd")]
        if all(parts):
            return "-".join(part for part in parts if part)
    return None


def _path(path: str) -> str:
    return "/".join(f"{{*}}{step}" for step in path.split("/"))


def _text(node: etree._Element, path: str) -> str | None:
    found = node.find(_path(path))
    text = (found.text or "").strip() if found is not None else ""
    return text or None


def _amount(node: etree._Element, path: str) -> tuple[Decimal, str]:
    found = node.find(_path(path))
    text = (found.text or "").strip() if found is not None else ""
    currency = (found.get("Ccy") or "") if found is not None else ""
    if not _AMOUNT.fullmatch(text) or not re.fullmatch(r"[A-Z]{3}", currency):
        raise CamtRefused("amount_invalid", path)
    return Decimal(text), currency


def _signed(node: etree._Element, amount: Decimal) -> Decimal:
    match _text(node, "CdtDbtInd"):
        case "CRDT":
            return amount
        case "DBIT":
            return -amount
    raise CamtRefused("sign_missing", "CdtDbtInd")


def _day(node: etree._Element, path: str, *, names: tuple[str, ...] = ("Dt", "DtTm")) -> date | None:
    """A calendar day; of an instant, the one in Brussels."""
    text = next((found for name in names if (found := _text(node, f"{path}/{name}")) is not None), None)
    if text is None:
        return None
    plain = _PLAIN_DAY.fullmatch(text)
    try:
        # A plain date is taken as written, whatever offset stands behind it.
        moment = datetime.fromisoformat(plain[1] if plain else text)
    except ValueError:
        raise CamtRefused("day_invalid", path) from None
    if moment.year < YEAR_MIN:
        raise CamtRefused("day_invalid", path)
    return (moment if moment.tzinfo is None else moment.astimezone(BRUSSELS)).date()


def _missing(place: str) -> NoReturn:
    raise CamtRefused("field_missing", place)

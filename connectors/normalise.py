"""From a bank's JSON row to one normal transaction; pure, so that stored rows can be read again with better rules.

Source: transaction mapping, sections 3 to 5 (rules 1 to 11), retold in `docs/connectors/normal-form.md`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors import btc, text
from connectors.model import (
    AccountKind,
    PartySource,
    ReferenceKind,
    RejectedRow,
    Transaction,
    TransactionStatus,
)

FINGERPRINT_VERSION = 1
AMOUNT_LIMIT = Decimal(10) ** 12
"""Amounts stay below this, the room CODA has for them (12 digits before the decimal sign)."""

_AMOUNT = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_DEBIT_WORDS = frozenset({"DBIT", "DEBIT"})
_CREDIT_WORDS = frozenset({"CRDT", "CREDIT"})
_NOT_REPORTED = frozenset({"raw", "warnings", "missing_fields", "status", "counterparty_source"})


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one bank's rows differ from the standard."""

    is_unsigned: bool = False
    """Amounts carry no sign: the side of the counterparty gives it."""
    id_fields: tuple[str, ...] = ("transactionId", "entryReference")
    proprietary_code_is_coda: bool = False
    """The bank's own code is the eight digits of CODA."""
    party_patterns: tuple[re.Pattern[str], ...] = ()
    """Where the bank writes parties in its text; groups `name` and `iban`, either may lack."""
    are_party_patterns_for_debits: bool = False
    """Only what the bank writes of money paid can be read: in a receipt the words would be the payer's own."""
    is_proprietary_code_wording: bool = True
    """The bank's own code is words that tell what the row is; False where it is a number or letters without sense."""
    finds_references_within_text: bool = True
    """A delimited reference among other words counts; False where the bank itself says which texts are references."""
    kind_without_type: AccountKind = AccountKind.OTHER
    """What an account is when the bank names neither type nor product; not current unless the bank's card says so."""


STANDARD = Dialect()


class _Unreadable(Exception):
    """Carries the reason of a `RejectedRow`."""


@dataclass(frozen=True, slots=True)
class _Party:
    name: str | None = None
    account: str | None = None
    bic: str | None = None

    @property
    def is_empty(self) -> bool:
        return self.name is None and self.account is None


def normalise_berlin_group(
    raw: Any,
    *,
    account_iban: str,
    account_holder: str | None,
    own_ibans: frozenset[str] = frozenset(),
    today: date,
    dialect: Dialect = STANDARD,
    status: TransactionStatus = TransactionStatus.BOOKED,
) -> Transaction | RejectedRow:
    """One row of a Berlin Group 1.3 list; `status` says in which list it stood. Never raises.

    A row whose amount, currency, sign or booking day cannot be known without guessing becomes a `RejectedRow`.
    A booking date after `today` makes the row pending. `raw` is kept as it is.
    """
    if not isinstance(raw, Mapping):
        return RejectedRow("not_an_object", {"value": raw})
    try:
        return _transaction(
            raw, text.compact_account(account_iban) or "", account_holder, own_ibans, today, dialect, status
        )
    except _Unreadable as error:
        return RejectedRow(str(error), raw)


def fingerprint(raw: Mapping[str, Any], *, account_iban: str, amount: Decimal, currency: str) -> str:
    """SHA-256 (hex) over the bank's own fields: equal for twins, unmoved by ids, case, blanks and better mappings.

    Version 1: account, currency, booking date, signed amount, other party (account, else name), remittance
    information, end-to-end id, bank transaction code. Source: transaction mapping, section 5.
    """
    party = _raw_party(raw, "creditor" if amount < 0 else "debtor")
    booked = text.day(raw.get("bookingDate"))
    parts = [
        str(FINGERPRINT_VERSION),
        text.compact(account_iban),
        currency,
        booked.isoformat() if booked else "",
        format(amount.normalize(), "f") if amount else "0",
        text.compact(party.account or party.name),
        text.compact("".join(_remittance_parts(raw))),
        text.compact(_structured_text(raw)),
        text.compact(text.present(raw.get("endToEndId"))),
        text.compact(_iso_code(raw)[0]),
    ]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()


def amount_of(value: Any) -> tuple[Decimal, str] | None:
    """Amount and currency of `{"amount": …, "currency": …}`; None when either lacks, is unreadable or out of range."""
    try:
        return _amount(value)
    except _Unreadable:
        return None


def _transaction(  # noqa: PLR0917 - one caller, which names them
    raw: Mapping[str, Any],
    account_iban: str,
    account_holder: str | None,
    own_ibans: frozenset[str],
    today: date,
    dialect: Dialect,
    status: TransactionStatus,
) -> Transaction:
    warnings: list[str] = []
    amount, currency = _signed_amount(raw, dialect, status, warnings)
    status, booking, value_day, is_assumed = _days(raw, today, status, warnings)
    party, source = _counterparty(raw, amount < 0, account_iban, account_holder, dialect)
    is_valid_iban = party.account is not None and text.is_iban(party.account)
    if party.account is not None and not is_valid_iban and re.match(r"[A-Z]{2}[0-9]{2}", party.account):
        warnings.append("counterparty_iban_failed")
    iban = party.account if is_valid_iban else None
    iso, is_iso_readable = _iso_code(raw)
    if not is_iso_readable:
        warnings.append("iso_code_unreadable")
    remittance, kind, reference = _remittance(raw, party, dialect, warnings)
    additional = "\n".join(_flat_lines(raw.get("additionalInformation"))) or None
    bank_id, id_source = next(
        ((found, name) for name in dialect.id_fields if (found := text.present_id(raw.get(name))) is not None),
        (None, None),
    )
    original = _original_amount(raw, amount, currency)
    batch_count = _batch_count(raw)
    proprietary = text.present(raw.get("proprietaryBankTransactionCode"))
    code = btc.transaction_code(
        btc.Clues(
            is_debit=amount < 0,
            bank_code=proprietary if dialect.proprietary_code_is_coda else None,
            iso_code=iso,
            wording=_wording(
                additional,
                proprietary if dialect.is_proprietary_code_wording else None,
                remittance,
                has_iban=iban is not None,
            ),
            counterparty_iban=iban,
            has_counterparty=not party.is_empty,
            is_own_account=iban is not None and iban != account_iban and iban in own_ibans,
            original_currency=original[1],
            is_batch=raw.get("batchIndicator") is True or (batch_count or 0) > 1,
        )
    )
    if code.warning is not None:
        warnings.append(code.warning)
    transaction = Transaction(
        status=status,
        amount=amount,
        currency=currency,
        booking_date=booking,
        value_date=value_day,
        is_value_date_assumed=is_assumed,
        fingerprint=fingerprint(raw, account_iban=account_iban, amount=amount, currency=currency),
        fingerprint_version=FINGERPRINT_VERSION,
        bank_transaction_id=bank_id,
        bank_transaction_id_source=id_source,
        original_amount=original[0],
        original_currency=original[1],
        exchange_rate=_exchange_rate(raw),
        fee=_fee(raw),
        counterparty_name=party.name,
        counterparty_iban=iban,
        counterparty_bban=party.account if not is_valid_iban else None,
        counterparty_bic=party.bic,
        counterparty_source=source,
        remittance_information=remittance,
        additional_information=additional,
        structured_reference_kind=kind,
        structured_reference=reference,
        end_to_end_id=text.present(raw.get("endToEndId")),
        mandate_id=text.present(raw.get("mandateId")),
        creditor_id=text.present(raw.get("creditorId")),
        purpose_code=text.present(raw.get("purposeCode")),
        iso_code=iso,
        proprietary_code=proprietary,
        batch_count=batch_count,
        balance_after=_balance_after(raw, currency),
        coda_code=code.digits,
        coda_code_basis=code.basis,
        warnings=tuple(dict.fromkeys(warnings)),
        raw=raw,
    )
    return replace(transaction, missing_fields=_missing(transaction, raw))


# Amount, sign and days (rules 1, 3, 4, 10, 11)


def _amount(value: Any) -> tuple[Decimal, str]:
    if not isinstance(value, Mapping):
        raise _Unreadable("amount_missing")
    amount = _decimal(value.get("amount"))
    currency = (text.present(value.get("currency")) or "").upper()
    if not _CURRENCY.fullmatch(currency):
        raise _Unreadable("currency_missing")
    return amount, currency


def _decimal(value: Any) -> Decimal:
    """An exact amount with two or three decimals. A JSON number comes as Decimal or int, or as text when stored."""
    if value is None or isinstance(value, bool) or (isinstance(value, str) and not value.strip()):
        raise _Unreadable("amount_missing")
    if isinstance(value, str) and not _AMOUNT.fullmatch(value.strip()):
        raise _Unreadable("amount_unreadable")
    try:
        amount = value if isinstance(value, Decimal) else Decimal(str(value).strip())
    except (InvalidOperation, ValueError):
        raise _Unreadable("amount_unreadable") from None
    if not amount.is_finite():
        raise _Unreadable("amount_unreadable")
    if amount and amount.adjusted() >= AMOUNT_LIMIT.adjusted():
        raise _Unreadable("amount_out_of_range")
    if not amount:
        return Decimal("0.00")
    for quantum in (Decimal("0.01"), Decimal("0.001")):
        try:
            fitted = amount.quantize(quantum)
        except InvalidOperation:
            break
        if fitted == amount:
            return fitted
    raise _Unreadable("amount_too_precise")


def _signed_amount(
    raw: Mapping[str, Any], dialect: Dialect, status: TransactionStatus, warnings: list[str]
) -> tuple[Decimal, str]:
    amount, currency = _amount(raw.get("transactionAmount"))
    indicator = (text.present(raw.get("creditDebitIndicator")) or "").upper()
    if indicator in _DEBIT_WORDS | _CREDIT_WORDS:
        return (-abs(amount) if indicator in _DEBIT_WORDS else abs(amount)), currency
    if indicator:
        warnings.append("sign_indicator_unknown")
    if not dialect.is_unsigned or not amount:
        return amount, currency
    sides = [side for side in ("creditor", "debtor") if not _raw_party(raw, side).is_empty]
    # Of a party that is not told the bank leaves the empty object, which still says on which side it stands.
    sides = sides or [side for side in ("creditor", "debtor") if isinstance(raw.get(f"{side}Account"), Mapping)]
    if len(sides) != 1 or (amount < 0 and status is TransactionStatus.BOOKED):
        raise _Unreadable("sign_undecided")
    # A minus is written for what comes back while pending: it turns the side around.
    return (-amount if sides == ["creditor"] else amount), currency


def _days(
    raw: Mapping[str, Any], today: date, status: TransactionStatus, warnings: list[str]
) -> tuple[TransactionStatus, date | None, date | None, bool]:
    booking, value_day = text.day(raw.get("bookingDate")), text.day(raw.get("valueDate"))
    if booking is None and status is TransactionStatus.BOOKED:
        booking = value_day or text.day(raw.get("transactionDate"))
        if booking is None:
            raise _Unreadable("booking_date_missing")
        warnings.append("booking_date_assumed")
    if booking is not None and booking > today:
        status = TransactionStatus.PENDING
    is_assumed = value_day is None and booking is not None
    return status, booking, booking if is_assumed else value_day, is_assumed


def _original_amount(raw: Mapping[str, Any], amount: Decimal, currency: str) -> tuple[Decimal | None, str | None]:
    """Amount (with the sign of the row) and currency before exchange, where the bank gives them."""
    details = raw.get("transactionAmountDetails")
    sources = [raw.get("originalAmount"), raw.get("instructedAmount")]
    if isinstance(details, Mapping):
        sources += [details.get("originalAmount"), details.get("instructedAmount"), details]
    for source in sources:
        money = amount_of(source)
        if money is not None and money[1] != currency:
            return (-abs(money[0]) if amount < 0 else abs(money[0])), money[1]
    for exchange in _exchanges(raw):
        for name in ("sourceCurrency", "targetCurrency", "unitCurrency"):
            other = (text.present(exchange.get(name)) or "").upper()
            if _CURRENCY.fullmatch(other) and other != currency:
                return None, other
    return None, None


def _exchange_rate(raw: Mapping[str, Any]) -> Decimal | None:
    candidates = [exchange.get("exchangeRate") for exchange in _exchanges(raw)] + [raw.get("exchangeRate")]
    for candidate in candidates:
        if isinstance(candidate, bool) or not isinstance(candidate, str | int | Decimal):
            continue
        try:
            rate = Decimal(str(candidate).strip())
        except InvalidOperation:
            continue
        if rate.is_finite() and rate > 0 and -12 <= rate.adjusted() <= 12:
            return rate
    return None


def _exchanges(raw: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The exchanges in the form of today; that of Berlin Group 1.1 (`exchangeRate` with two rates) is rewritten."""
    found = [item for name in ("currencyExchange", "exchangeRate") for item in _mappings(raw.get(name))]
    return [_rewritten(item) if "currencyFrom" in item else item for item in found]


def _rewritten(old: Mapping[str, Any]) -> Mapping[str, Any]:
    """Two rates say how many units of one currency stand for how many of the other.

    Read only where one of them is 1: which way a quotient goes is written nowhere. Source: Berlin Group 1.1.
    """
    names = (text.present(old.get("currencyFrom")), text.present(old.get("currencyTo")))
    rates = [text.present(old.get(name)) for name in ("rateFrom", "rateTo")]
    others = [rate for rate in rates if rate is not None and not re.fullmatch(r"1(?:\.0*)?", rate)]
    is_one_sided = names[0] != names[1] and len(others) == 1 and None not in rates
    return {
        "sourceCurrency": names[0],
        "targetCurrency": names[1],
        "exchangeRate": others[0] if is_one_sided else None,
    }


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, Mapping)]


def _fee(raw: Mapping[str, Any]) -> Decimal | None:
    money = amount_of(raw.get("charges"))
    return money[0] if money is not None else None


def _balance_after(raw: Mapping[str, Any], currency: str) -> Decimal | None:
    value = raw.get("balanceAfterTransaction")
    money = amount_of(value.get("balanceAmount", value)) if isinstance(value, Mapping) else None
    return money[0] if money is not None and money[1] == currency else None


def _batch_count(raw: Mapping[str, Any]) -> int | None:
    count = text.present(raw.get("batchNumberOfTransactions"))
    if count is not None and count.isascii() and count.isdigit() and len(count) <= 9:
        return int(count)
    details = raw.get("entryDetails")
    return len(details) if isinstance(details, list) and len(details) > 1 else None


# Parties (rules 5 and 6)


def _raw_party(raw: Mapping[str, Any], side: str) -> _Party:
    """One side as the bank gives it, `side` being creditor, debtor, ultimateCreditor or ultimateDebtor."""
    account = raw.get(f"{side}Account")
    number: str | None = None
    if isinstance(account, Mapping):
        number = text.compact_account(account.get("iban")) or text.compact_account(account.get("bban"))
    else:
        number = text.compact_account(account)
    name = text.present(raw.get(f"{side}Name"))
    if name is None and side.startswith("ultimate"):
        name = text.present(raw.get(side))
    agent = raw.get(f"{side}Agent")
    bic = text.compact_account(agent.get("bicfi") if isinstance(agent, Mapping) else agent)
    is_bic = bic is not None and re.fullmatch(r"[A-Z0-9]{8}(?:[A-Z0-9]{3})?", bic) is not None
    return _Party(" ".join(name.split()) if name else None, number, bic if is_bic else None)


def _counterparty(
    raw: Mapping[str, Any], is_debit: bool, account_iban: str, holder: str | None, dialect: Dialect
) -> tuple[_Party, PartySource | None]:
    """The other side: creditor of a debit, debtor of a credit; never the account itself or its holder's bare name."""
    near, far = ("creditor", "debtor") if is_debit else ("debtor", "creditor")
    was_own = False
    for side in (near, f"ultimate{near.capitalize()}", far, f"ultimate{far.capitalize()}"):
        if side == far and not was_own:
            # The far side is the account itself; a bank puts the counterparty there only when it mixed up the two.
            break
        found = _raw_party(raw, side)
        party = _without_own(found, account_iban, holder)
        if not party.is_empty:
            return party, PartySource.FIELD
        was_own = was_own or not found.is_empty
    wording = "\n".join(_remittance_parts(raw) + _flat_lines(raw.get("additionalInformation")))
    is_text_read = is_debit or not dialect.are_party_patterns_for_debits
    for pattern in dialect.party_patterns if is_text_read else ():
        match = pattern.search(wording)
        if match is None:
            continue
        groups = match.groupdict()
        account = text.compact_account(groups.get("iban"))
        party = _Party(text.present(groups.get("name")), account if account and text.is_iban(account) else None)
        party = _without_own(party, account_iban, holder)
        if not party.is_empty:
            return party, PartySource.TEXT
    return _Party(), None


def _without_own(party: _Party, account_iban: str, holder: str | None) -> _Party:
    # The holder's name beside another account is a transfer between own accounts, and right.
    is_own = party.account == account_iban if party.account else text.same_name(party.name, holder)
    return _Party() if is_own else _Party(party.name, party.account, party.bic if party.account else None)


# Texts and references (rules 7 and 8)


def _remittance_parts(raw: Mapping[str, Any]) -> list[str]:
    value = raw.get("remittanceInformationUnstructured")
    parts = _texts(value)
    for extra in _texts(raw.get("remittanceInformationUnstructuredArray")):
        # Some banks give the same text in both fields.
        if not any(text.compact(extra) in text.compact(part) for part in parts):
            parts.append(extra)
    return parts


def _structured_text(raw: Mapping[str, Any]) -> str | None:
    values = [raw.get("remittanceInformationStructured"), raw.get("remittanceInformationStructuredArray")]
    for value in [item for outer in values for item in (outer if isinstance(outer, list) else [outer])]:
        found = text.present(value.get("reference") if isinstance(value, Mapping) else value)
        if found is not None:
            return found
    return None


def _remittance(
    raw: Mapping[str, Any], party: _Party, dialect: Dialect, warnings: list[str]
) -> tuple[str | None, ReferenceKind | None, str | None]:
    """Free text, and a structured reference whose check digits hold; a reference that fails them is free text."""
    free = text.lines(" ".join(_remittance_parts(raw)))
    repeated = {text.compact(party.name), text.compact(party.account)} - {""}
    free = [line for line in free if text.compact(line) not in repeated]
    joined = "\n".join(free)
    structured = _structured_text(raw)
    for candidate in [item for item in (structured, joined) if item]:
        checked = _checked_reference(candidate, warnings)
        if checked is not None:
            others = [line for line in free if text.compact(line) != text.compact(candidate)]
            return ("\n".join(others) if candidate == structured else joined) or None, *checked
    within = [digits for digits in text.belgian_references_within(joined) if text.is_belgian_reference(digits)]
    if len(within) == 1 and dialect.finds_references_within_text:
        return joined, ReferenceKind.BELGIAN, within[0]
    if structured is not None and text.compact(structured) not in text.compact(joined):
        free = [" ".join(structured.split()), *free]
    return "\n".join(free) or None, None, None


def _checked_reference(candidate: str, warnings: list[str]) -> tuple[ReferenceKind, str] | None:
    plain = candidate.strip()
    digits = text.belgian_reference(plain)
    if digits is not None and text.is_belgian_reference(digits):
        return ReferenceKind.BELGIAN, digits
    reference = text.rf_reference(plain)
    if reference is not None and text.is_rf_reference(reference):
        return ReferenceKind.RF, reference
    if digits is not None or reference is not None:
        warnings.append("structured_reference_failed")
    return None


def _wording(additional: str | None, proprietary: str | None, remittance: str | None, *, has_iban: bool) -> str | None:
    """The bank's own words for the text rules.

    What the payer wrote beside an account number is no clue: "huur, loyer par domiciliation" is still a transfer.
    """
    own = "\n".join(part for part in (additional.split("\n")[0] if additional else None, proprietary) if part)
    if own:
        return own
    return None if has_iban or remittance is None else remittance.split("\n")[0]


def _flat_lines(value: Any) -> list[str]:
    return text.lines(" ".join(_texts(value)))


def _texts(value: Any) -> list[str]:
    items: Iterable[Any] = value if isinstance(value, list) else [value]
    return [found for item in items if (found := text.present(item)) is not None]


# Codes and the list of what lacks (rule 9, SYN-09)


def _iso_code(raw: Mapping[str, Any]) -> tuple[str | None, bool]:
    """The ISO code or None, and whether what the bank gave could be read."""
    value = raw.get("bankTransactionCode")
    if isinstance(value, Mapping):
        value = value.get("code")
    given = text.present(value)
    code = btc.iso_code(given)
    return code, given is None or code is not None


def _missing(transaction: Transaction, raw: Mapping[str, Any]) -> tuple[str, ...]:
    names = [
        item.name
        for item in fields(transaction)
        if item.name not in _NOT_REPORTED and getattr(transaction, item.name) is None
    ]
    if transaction.is_value_date_assumed:
        names.append("value_date")
    if transaction.booking_date is not None and text.day(raw.get("bookingDate")) is None:
        names.append("booking_date")
    return tuple(sorted(names))

"""From a bank's JSON row to one normal transaction; pure, so that stored rows can be read again with better rules.

Source: transaction mapping, sections 3 to 5 (rules 1 to 11), retold in `docs/connectors/normal-form.md`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from typing import Any

from connectors import btc, text
from connectors.amounts import Unreadable, balance_after, exchange_rate, fee, original_amount, read_amount
from connectors.dialect import STANDARD, Dialect
from connectors.model import RejectedRow, Transaction, TransactionStatus
from connectors.parties import counterparty_of, raw_party
from connectors.remittance import flat_lines, remittance_of, remittance_parts, structured_text, wording_of

FINGERPRINT_VERSION = 1
_DEBIT_WORDS = frozenset({"DBIT", "DEBIT"})
_CREDIT_WORDS = frozenset({"CRDT", "CREDIT"})
_NOT_REPORTED = frozenset({"raw", "warnings", "missing_fields", "status", "counterparty_source"})


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
    except Unreadable as error:
        return RejectedRow(str(error), raw)


def fingerprint(raw: Mapping[str, Any], *, account_iban: str, amount: Decimal, currency: str) -> str:
    """SHA-256 (hex) over the bank's own fields: equal for twins, unmoved by ids, case, blanks and better mappings.

    Version 1: account, currency, booking date, signed amount, other party (account, else name), remittance
    information, end-to-end id, bank transaction code. Source: transaction mapping, section 5.
    """
    party = raw_party(raw, "creditor" if amount < 0 else "debtor")
    booked = text.day(raw.get("bookingDate"))
    parts = [
        str(FINGERPRINT_VERSION),
        text.compact(account_iban),
        currency,
        booked.isoformat() if booked else "",
        format(amount.normalize(), "f") if amount else "0",
        text.compact(party.account or party.name),
        text.compact("".join(remittance_parts(raw))),
        text.compact(structured_text(raw)),
        text.compact(text.present(raw.get("endToEndId"))),
        text.compact(_iso_code(raw)[0]),
    ]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()


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
    party, source = counterparty_of(raw, amount < 0, account_iban, account_holder, dialect)
    is_valid_iban = party.account is not None and text.is_iban(party.account)
    if party.account is not None and not is_valid_iban and re.match(r"[A-Z]{2}[0-9]{2}", party.account):
        warnings.append("counterparty_iban_failed")
    iban = party.account if is_valid_iban else None
    iso, is_iso_readable = _iso_code(raw)
    if not is_iso_readable:
        warnings.append("iso_code_unreadable")
    remittance, kind, reference = remittance_of(raw, party, dialect, warnings)
    additional = "\n".join(flat_lines(raw.get("additionalInformation"))) or None
    bank_id, id_source = next(
        ((found, name) for name in dialect.id_fields if (found := text.present_id(raw.get(name))) is not None),
        (None, None),
    )
    original = original_amount(raw, amount, currency)
    batch_count = _batch_count(raw)
    proprietary = text.present(raw.get("proprietaryBankTransactionCode"))
    code = btc.transaction_code(
        btc.Clues(
            is_debit=amount < 0,
            bank_code=proprietary if dialect.proprietary_code_is_coda else None,
            iso_code=iso,
            wording=wording_of(
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
        exchange_rate=exchange_rate(raw),
        fee=fee(raw),
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
        balance_after=balance_after(raw, currency),
        coda_code=code.digits,
        coda_code_basis=code.basis,
        warnings=tuple(dict.fromkeys(warnings)),
        raw=raw,
    )
    return replace(transaction, missing_fields=_missing(transaction, raw))


# Amount, sign and days (rules 1, 3, 4, 10, 11)


def _signed_amount(
    raw: Mapping[str, Any], dialect: Dialect, status: TransactionStatus, warnings: list[str]
) -> tuple[Decimal, str]:
    amount, currency = read_amount(raw.get("transactionAmount"))
    indicator = (text.present(raw.get("creditDebitIndicator")) or "").upper()
    if indicator in _DEBIT_WORDS | _CREDIT_WORDS:
        return (-abs(amount) if indicator in _DEBIT_WORDS else abs(amount)), currency
    if indicator:
        warnings.append("sign_indicator_unknown")
    if not dialect.is_unsigned or not amount:
        return amount, currency
    sides = [side for side in ("creditor", "debtor") if not raw_party(raw, side).is_empty]
    # Of a party that is not told the bank leaves the empty object, which still says on which side it stands.
    sides = sides or [side for side in ("creditor", "debtor") if isinstance(raw.get(f"{side}Account"), Mapping)]
    if len(sides) != 1 or (amount < 0 and status is TransactionStatus.BOOKED):
        raise Unreadable("sign_undecided")
    # A minus is written for what comes back while pending: it turns the side around.
    return (-amount if sides == ["creditor"] else amount), currency


def _days(
    raw: Mapping[str, Any], today: date, status: TransactionStatus, warnings: list[str]
) -> tuple[TransactionStatus, date | None, date | None, bool]:
    booking, value_day = text.day(raw.get("bookingDate")), text.day(raw.get("valueDate"))
    if booking is None and status is TransactionStatus.BOOKED:
        booking = value_day or text.day(raw.get("transactionDate"))
        if booking is None:
            raise Unreadable("booking_date_missing")
        warnings.append("booking_date_assumed")
    if booking is not None and booking > today:
        status = TransactionStatus.PENDING
    is_assumed = value_day is None and booking is not None
    return status, booking, booking if is_assumed else value_day, is_assumed


def _batch_count(raw: Mapping[str, Any]) -> int | None:
    count = text.present(raw.get("batchNumberOfTransactions"))
    if count is not None and count.isascii() and count.isdigit() and len(count) <= 9:
        return int(count)
    details = raw.get("entryDetails")
    return len(details) if isinstance(details, list) and len(details) > 1 else None


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

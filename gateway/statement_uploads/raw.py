"""What files say of an entry, with the names of a Berlin Group row: mapped like what banks answer (SYN-09). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import coda
from coda.structured import decode
from gateway.statement_uploads.mt940 import Mt940Entry, details_of
from sepa.camt053 import CamtEntry

NOTHING: Final = frozenset({"NONREF", "NOTPROVIDED", ""})


def of_coda(movement: coda.Movement, booking_date: str, currency: str) -> dict[str, Any]:
    """A movement with what its information records add."""
    raw = _row(movement.amount, currency, booking_date)
    if movement.value_date is not None:
        raw["valueDate"] = movement.value_date.isoformat()
    name = movement.counterparty_name
    texts: list[str] = []
    notes: list[str] = []
    for code, text, is_free in (
        (movement.communication_type, movement.communication, movement.communication_type is None),
        *((each.communication_type, each.communication, False) for each in movement.information),
    ):
        if code is None:
            (texts if is_free else notes).append(" ".join(text.split()))
            continue
        found = decode(code, text)
        if found is None:
            notes.append(" ".join(text.split()))
        elif found.reference:
            raw["remittanceInformationStructured"] = found.reference
        elif code == "127":
            raw["mandateId"] = found.values["mandate_reference"]
            raw["creditorId"] = found.values["creditor_id"]
            texts.append(str(found.values["communication"] or ""))
        elif code == "001":
            # The whole name: record 23 has room for 35 characters of it.
            name = str(found.values["name"] or name)
            notes += [str(found.values[part]) for part in ("street", "locality") if found.values[part]]
        else:
            values = " ".join(str(value) for value in found.values.values() if value is not None)
            notes.append(f"{found.label()}: {values}")
    _party(raw, movement.amount > 0, name, movement.counterparty_account, movement.counterparty_bic)
    raw["remittanceInformationUnstructured"] = "\n".join(text for text in texts if text) or None
    raw["additionalInformation"] = "\n".join(note for note in notes if note) or None
    raw["endToEndId"] = movement.customer_reference or None
    raw["purposeCode"] = movement.purpose or None
    raw["entryReference"] = movement.bank_reference or None
    raw["proprietaryBankTransactionCode"] = movement.transaction_code
    return present(raw)


def of_camt(entry: CamtEntry) -> dict[str, Any]:
    """An entry of a camt.053."""
    raw = _row(entry.amount, entry.currency, entry.booking_date.isoformat())
    if entry.value_date is not None:
        raw["valueDate"] = entry.value_date.isoformat()
    _party(raw, entry.amount > 0, entry.counterparty_name, entry.counterparty_account, entry.counterparty_bic)
    raw["remittanceInformationUnstructured"] = "\n".join(entry.remittance) or None
    raw["remittanceInformationStructured"] = entry.structured_reference
    raw["additionalInformation"] = entry.additional
    raw["endToEndId"] = entry.end_to_end_id
    raw["mandateId"] = entry.mandate_id
    raw["creditorId"] = entry.creditor_id
    raw["purposeCode"] = entry.purpose_code
    raw["entryReference"] = entry.bank_reference
    raw["bankTransactionCode"] = entry.iso_code
    raw["proprietaryBankTransactionCode"] = entry.coda_code
    raw["batchNumberOfTransactions"] = entry.batch_count
    if entry.original_amount is not None and entry.original_currency != entry.currency:
        raw["originalAmount"] = {"amount": f"{entry.original_amount}", "currency": entry.original_currency}
        raw["exchangeRate"] = entry.exchange_rate
    return present(raw)


def of_mt940(entry: Mt940Entry, currency: str) -> dict[str, Any]:
    """An entry of an MT940."""
    raw = _row(entry.amount, currency, entry.booking_date.isoformat())
    raw["valueDate"] = entry.value_date.isoformat()
    details = details_of(entry.information)
    _party(raw, entry.amount > 0, details.get("name"), details.get("account"), details.get("bic"))
    raw["remittanceInformationUnstructured"] = details.get("text")
    end_to_end = details.get("end_to_end_id") or entry.reference
    raw["endToEndId"] = None if end_to_end in NOTHING else end_to_end
    raw["mandateId"] = details.get("mandate_id")
    raw["creditorId"] = details.get("creditor_id")
    raw["entryReference"] = entry.bank_reference or None
    return present(raw)


def present(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Without what the file does not say."""
    return {name: value for name, value in raw.items() if value is not None}


def _row(amount: Decimal, currency: str, booking_date: str) -> dict[str, Any]:
    return {"bookingDate": booking_date, "transactionAmount": {"amount": f"{amount}", "currency": currency}}


def _party(raw: dict[str, Any], is_credit: bool, name: str | None, account: str | None, bic: str | None) -> None:
    """The other side: debtor of a credit, creditor of a debit."""
    side = "debtor" if is_credit else "creditor"
    raw[f"{side}Name"] = name or None
    raw[f"{side}Account"] = {"iban": account} if account else None
    raw[f"{side}Agent"] = bic or None

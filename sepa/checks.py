"""Checks of one payment before it may enter a basket, and the form of it that leaves.

`check_payment` reports everything that is wrong at once; `sendable` makes the converted payment whose texts, references
and address go into the file, so that people approve what the bank gets. Sources: SEPA credit transfer rulebook 2025,
EPC132-08 (customer-to-bank guidelines), and the Belgian conventions for structured communications.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

from sepa import accounts, references
from sepa.addresses import (
    LINE_LENGTH_MAX,
    PARTS,
    AddressMode,
    PostalAddress,
    convert_address,
    sendable_address,
)
from sepa.calendar import DAYS_BEFORE_MAX, DateChoice, previous_business_day
from sepa.codes import code_set
from sepa.errors import ReferenceInvalid, TextForbidden
from sepa.findings import Finding
from sepa.model import Party, Payment, ReferenceKind, Remittance, Structured, Unstructured
from sepa.text import characters_outside, convert, has_forbidden, identifier_faults, is_blank_name

AMOUNT_MIN = Decimal("0.01")
AMOUNT_MAX = Decimal("999999999.99")
NAME_LENGTH_MAX = 70
REMITTANCE_LENGTH_MAX = 140
DAYS_AHEAD_MAX = 365

_ZERO_REFERENCE = "000000000097"
_debtor_fault = lru_cache(maxsize=100)(accounts.iban_fault)  # a basket has few of them


def check_payment(
    payment: Payment, *, today: date, address_mode: AddressMode = AddressMode.STRUCTURED
) -> list[Finding]:
    """Everything wrong with the payment as entered, in the order of its fields; empty when it may leave as it is.

    `address_mode` is what the debtor's bank accepts. `today` is the day of the check in Europe/Brussels.
    """
    debtor, creditor = accounts.compact_iban(payment.debtor_iban), accounts.compact_iban(payment.creditor_iban)
    return [
        *_identifiers(payment),
        *_accounts(payment, debtor, creditor),
        *_amount(payment),
        *_names(payment),
        *_remittance(payment, creditor),
        *_codes(payment),
        *_date(payment, today),
        *_address(payment, address_mode, is_needed=_needs_address(debtor) or _needs_address(creditor)),
    ]


def sendable(payment: Payment, *, address_mode: AddressMode = AddressMode.STRUCTURED) -> Payment:
    """The payment as it leaves: IBANs compact, texts converted, references bare, address in the form the bank accepts.

    A Belgian reference to a foreign account becomes free text in its printed form. For a payment without blocking
    findings; raises `TextForbidden` or `ReferenceInvalid` otherwise. Idempotent.
    """
    debtor_iban = accounts.compact_iban(payment.debtor_iban)
    creditor_iban = accounts.compact_iban(payment.creditor_iban)
    creditor = _sendable_party(payment.creditor, address_mode)
    remittance = _sendable_remittance(payment.remittance, creditor_iban)
    ultimate_debtor = payment.ultimate_debtor and convert(payment.ultimate_debtor)
    ultimate_creditor = payment.ultimate_creditor and convert(payment.ultimate_creditor)
    # Most payments were converted when they were entered; a copy of each would double the memory of an export.
    if (
        creditor is payment.creditor
        and remittance is payment.remittance
        and (debtor_iban, creditor_iban) == (payment.debtor_iban, payment.creditor_iban)
        and (ultimate_debtor, ultimate_creditor) == (payment.ultimate_debtor, payment.ultimate_creditor)
        and payment.creditor_bic != ""
    ):
        return payment
    return replace(
        payment,
        debtor_iban=debtor_iban,
        creditor=creditor,
        creditor_iban=creditor_iban,
        creditor_bic=payment.creditor_bic or None,
        remittance=remittance,
        ultimate_debtor=ultimate_debtor,
        ultimate_creditor=ultimate_creditor,
    )


def _sendable_party(party: Party, mode: AddressMode) -> Party:
    name, address = convert(party.name), sendable_address(party.address, mode)
    if name == party.name and address == party.address:
        return party
    return Party(name, party.enterprise_number, address)


def _sendable_remittance(remittance: Remittance, creditor_iban: str) -> Remittance:
    match remittance:
        case Unstructured(text):
            converted = convert(text)
            return remittance if converted == text else Unstructured(converted)
        case Structured(ReferenceKind.BELGIAN, reference):
            digits = references.parse_belgian(reference)
            if creditor_iban.startswith("BE"):
                return remittance if digits == reference else Structured(ReferenceKind.BELGIAN, digits)
            return Unstructured(references.print_belgian(digits))
        case Structured(ReferenceKind.RF, reference):
            compact = references.parse_rf(reference)
            return remittance if compact == reference else Structured(ReferenceKind.RF, compact)
    return None


def _identifiers(payment: Payment) -> Iterator[Finding]:
    for code in identifier_faults(payment.end_to_end_id):
        yield Finding(code, "/end_to_end_id", payment.end_to_end_id, "1 to 35 characters, no slash at the ends")


def _accounts(payment: Payment, debtor: str, creditor: str) -> Iterator[Finding]:
    for field, iban, fault_of in (
        ("/debtor_iban", debtor, _debtor_fault),
        ("/creditor_iban", creditor, accounts.iban_fault),
    ):
        fault = fault_of(iban) if iban else "iban_missing"
        if fault:
            yield Finding(fault, field, iban)
        if fault in (None, "iban_foreign_checksum") and not accounts.is_sepa(iban[:2]):
            yield Finding("iban_not_sepa", field, iban[:2], "a SEPA country")
    if debtor == creditor and debtor:
        yield Finding("same_account", "/creditor_iban", creditor)
    if payment.creditor_bic and (fault := accounts.bic_fault(payment.creditor_bic)):
        yield Finding(fault, "/creditor_bic", payment.creditor_bic, "8 or 11 characters")


def _amount(payment: Payment) -> Iterator[Finding]:
    amount = payment.amount
    assert isinstance(amount, Decimal), "an amount is a Decimal"
    if payment.currency != "EUR":
        yield Finding("currency_not_supported", "/currency", payment.currency, "EUR")
    if not amount.is_finite():
        yield Finding("amount_format", "/amount", str(amount), "0.01 to 999999999.99")
        return
    if amount < AMOUNT_MIN:
        yield Finding("amount_too_small", "/amount", f"{amount:f}", f"{AMOUNT_MIN} or more")
    if amount > AMOUNT_MAX:
        yield Finding("amount_too_large", "/amount", str(amount), f"at most {AMOUNT_MAX}")
    if amount.as_tuple().exponent < -2 and amount != round(amount, 2):  # type: ignore[operator]  # finite: an int
        yield Finding("amount_decimals", "/amount", str(amount), "at most 2 decimals")


def _names(payment: Payment) -> Iterator[Finding]:
    yield from _name(payment.creditor.name, "/creditor/name")
    if payment.ultimate_debtor:
        yield from _name(payment.ultimate_debtor, "/ultimate_debtor")
    if payment.ultimate_creditor:
        yield from _name(payment.ultimate_creditor, "/ultimate_creditor")


def _name(name: str, field: str) -> Iterator[Finding]:
    if not name.strip():
        yield Finding("name_missing", field)
        return
    try:
        converted = convert(name)
    except TextForbidden:
        yield _control_characters(field)
        return
    if is_blank_name(converted):
        yield Finding("name_empty", field, name, "letters or digits")
    if len(converted) > NAME_LENGTH_MAX:
        yield Finding("name_too_long", field, f"{len(converted)} characters", f"at most {NAME_LENGTH_MAX}")


def _remittance(payment: Payment, creditor_iban: str) -> Iterator[Finding]:
    remittance = payment.remittance
    if isinstance(remittance, Unstructured):
        yield from _free_text(remittance.text, is_to_belgium=creditor_iban.startswith("BE"))
    elif isinstance(remittance, Structured) and remittance.kind is ReferenceKind.BELGIAN:
        yield from _belgian_reference(remittance.reference, creditor_iban)
    elif isinstance(remittance, Structured):
        try:
            references.parse_rf(remittance.reference)
        except ReferenceInvalid as error:
            code = f"rf_reference_{error.identifiers['fault']}"
            yield Finding(code, "/remittance/reference", remittance.reference, "RF and 2 digits")


def _free_text(text: str, *, is_to_belgium: bool) -> Iterator[Finding]:
    field = "/remittance/text"
    try:
        converted = convert(text)
    except TextForbidden:
        yield _control_characters(field)
        return
    if not converted:
        yield Finding("remittance_empty", field)
    if len(converted) > REMITTANCE_LENGTH_MAX:
        yield Finding("remittance_too_long", field, f"{len(converted)} characters", f"at most {REMITTANCE_LENGTH_MAX}")
    found = references.find_belgian(text) if is_to_belgium else None
    if found:
        yield Finding("reference_in_text", field, text, "a structured communication", proposal=found)


def _belgian_reference(reference: str, creditor_iban: str) -> Iterator[Finding]:
    field = "/remittance/reference"
    try:
        digits = references.parse_belgian(reference)
    except ReferenceInvalid as error:
        yield Finding(
            f"belgian_reference_{error.identifiers['fault']}",
            field,
            reference,
            "12 digits, the last two modulo 97",
            proposal=references.repair_belgian(reference),
        )
        return
    if digits == _ZERO_REFERENCE:
        yield Finding("belgian_reference_zero", field, reference)
    if creditor_iban and not creditor_iban.startswith("BE"):
        yield Finding("belgian_reference_as_text", field, reference, references.print_belgian(digits))


def _codes(payment: Payment) -> Iterator[Finding]:
    if payment.category_purpose and payment.category_purpose not in code_set("category_purpose"):
        yield Finding("category_purpose_unknown", "/category_purpose", payment.category_purpose)
    if payment.purpose and payment.purpose not in code_set("purpose"):
        yield Finding("purpose_unknown", "/purpose", payment.purpose)


def _date(payment: Payment, today: date) -> Iterator[Finding]:
    if payment.date_choice is DateChoice.TODAY:
        return
    if payment.asked_date is None:
        yield Finding("date_missing", "/asked_date")
        return
    asked = payment.asked_date
    if payment.date_choice is DateChoice.BEFORE_DUE_DATE:
        if not 1 <= payment.days_before <= DAYS_BEFORE_MAX:
            yield Finding("days_before_range", "/days_before", str(payment.days_before), f"1 to {DAYS_BEFORE_MAX}")
            return
        if asked >= today:
            asked = previous_business_day(asked, count=payment.days_before)
    if asked < today:
        yield Finding("date_past", "/asked_date", asked.isoformat(), today.isoformat())
    last = today + timedelta(days=DAYS_AHEAD_MAX)
    if asked > last:
        yield Finding("date_too_far", "/asked_date", asked.isoformat(), f"at most {last.isoformat()}")


def _address(payment: Payment, mode: AddressMode, *, is_needed: bool) -> Iterator[Finding]:
    address = payment.creditor.address
    field = "/creditor/address"
    if not address:
        if is_needed:
            yield Finding("address_missing", field, "", "town and country")
        return
    texts = {part: getattr(address, part) for part in PARTS}
    texts |= {f"lines/{position}": line for position, line in enumerate(address.lines)}
    try:
        converted = convert_address(address)
    except TextForbidden:
        yield from (_control_characters(f"{field}/{part}") for part, text in texts.items() if has_forbidden(text))
        return
    if not converted.is_complete:
        yield Finding("address_incomplete" if is_needed else "address_dropped", field, "", "town and country")
        return
    if len(converted.country) != 2 or characters_outside(converted.country) or not converted.country.isalpha():
        yield Finding("address_country_unknown", f"{field}/country", converted.country, "two ISO letters")
    # What the bank's mode leaves out cannot be too long.
    leaving = sendable_address(address, mode) or PostalAddress()
    for part, (_, length_max) in PARTS.items():
        length = len(getattr(leaving, part))
        if length > length_max and part != "country":
            yield Finding("address_too_long", f"{field}/{part}", f"{length} characters", f"at most {length_max}")
    for position, line in enumerate(leaving.lines):
        if len(line) > LINE_LENGTH_MAX:
            yield Finding(
                "address_too_long", f"{field}/lines/{position}", f"{len(line)} characters", f"at most {LINE_LENGTH_MAX}"
            )


def _needs_address(iban: str) -> bool:
    country = iban[:2]
    return accounts.is_sepa(country) and not accounts.is_eea(country)


def _control_characters(field: str) -> Finding:
    return Finding("control_characters", field, "", "printable characters")

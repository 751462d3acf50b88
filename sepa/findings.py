"""Findings: what is wrong with a payment or a file, and what to do about it, each code stated once.

`CATALOGUE` is the list the gateway translates. A `blocked` finding stops that payment (or makes a file wrong); a
`warning` lets it pass after a person has accepted it.
"""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Whether a finding stops the payment or asks for a person's acceptance."""

    BLOCKED = "blocked"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class FindingText:
    """The English sentence and remedy of one code."""

    severity: Severity
    text: str
    hint: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with one field of one payment.

    `field` is a JSON pointer into the payment (`/creditor/name`). `found` is what was given and `expected` what would
    do, both for the person's screen only: they are content, so they stay out of `repr` and logs. `proposal` is a
    correction to offer, never to apply unasked.
    """

    code: str
    field: str
    found: str = dataclasses.field(default="", repr=False)
    expected: str = ""
    proposal: str | None = dataclasses.field(default=None, repr=False)

    def __post_init__(self) -> None:
        assert self.code in CATALOGUE, f"finding code {self.code} is not in the catalogue"

    @property
    def severity(self) -> Severity:
        return CATALOGUE[self.code].severity

    @property
    def text(self) -> str:
        return CATALOGUE[self.code].text

    @property
    def hint(self) -> str:
        return CATALOGUE[self.code].hint


def is_blocked(findings: Iterable[Finding]) -> bool:
    """Whether any of the findings stops the payment."""
    return any(finding.severity is Severity.BLOCKED for finding in findings)


def _blocked(text: str, hint: str) -> FindingText:
    return FindingText(Severity.BLOCKED, text, hint)


def _warning(text: str, hint: str) -> FindingText:
    return FindingText(Severity.WARNING, text, hint)


_COMPARE = "Compare it with the invoice or ask the creditor by a telephone number already on file."

CATALOGUE: dict[str, FindingText] = {
    # Accounts
    "iban_missing": _blocked("The account number is missing.", "Enter the IBAN."),
    "iban_format": _blocked("The account number does not have the form of an IBAN of its country.", _COMPARE),
    "iban_country_unknown": _blocked("No country with these letters has IBANs.", _COMPARE),
    "iban_length": _blocked("The IBAN is too short or too long for its country.", _COMPARE),
    "iban_checksum": _blocked("The check digits of the IBAN are wrong.", _COMPARE),
    "iban_national_checksum": _blocked("The IBAN passes the general check but not the Belgian one.", _COMPARE),
    "iban_foreign_checksum": _warning("The IBAN passes the general check but not the one of its country.", _COMPARE),
    "iban_not_sepa": _blocked("The account is in a country outside SEPA.", "Pay it as a foreign payment at the bank."),
    "same_account": _warning(
        "Debtor and creditor account are the same.", "Check whether a transfer to itself is meant."
    ),
    "bic_format": _blocked("This is not a BIC.", "Leave it empty; the bank derives it from the IBAN."),
    # Amount
    "currency_not_supported": _blocked("Only euro payments are supported.", "Pay other currencies at the bank."),
    "amount_format": _blocked("The amount is not a number.", "Enter digits with a point before the cents."),
    "amount_too_small": _blocked("The amount is below 0.01.", "Enter a positive amount."),
    "amount_too_large": _blocked("The amount is above 999999999.99.", "Split the payment."),
    "amount_decimals": _blocked("The amount has more than two decimals.", "Round it to whole cents."),
    # Names and texts
    "name_missing": _blocked("The name is missing.", "Enter the legal name of the account holder."),
    "name_empty": _blocked(
        "Nothing of the name is left in the SEPA character set.", "Enter the name in Latin letters."
    ),
    "name_too_long": _blocked("The name is longer than 70 characters after conversion.", "Shorten the name."),
    "control_characters": _blocked("The text holds control characters.", "Type the text again."),
    "remittance_empty": _blocked("The remittance information is empty.", "Enter a text or choose none."),
    "remittance_too_long": _blocked(
        "The remittance information is longer than 140 characters after conversion.", "Shorten the text."
    ),
    "reference_in_text": _warning(
        "The free text holds a structured communication.",
        "Send it as structured, so that the creditor's system recognises the payment.",
    ),
    "belgian_reference_format": _blocked(
        "This is not a Belgian structured communication of 12 digits.", "Copy it from the invoice, or send free text."
    ),
    "belgian_reference_checksum": _blocked(
        "The check digits of the structured communication are wrong.", "Compare it with the invoice."
    ),
    "belgian_reference_as_text": _warning(
        "The creditor's account is not Belgian, so the structured communication goes as free text.",
        "Nothing to do; a creditor abroad reads the printed form.",
    ),
    "belgian_reference_zero": _warning(
        "The structured communication has only zeros before its check digits.", "Check whether a real one was meant."
    ),
    "rf_reference_format": _blocked("This is not a creditor reference (RF).", "Copy it from the invoice."),
    "rf_reference_checksum": _blocked(
        "The check digits of the creditor reference are wrong.", "Compare it with the invoice."
    ),
    # Identifiers and codes
    "identifier_missing": _blocked("The identifier is missing.", "Give every payment its own end-to-end id."),
    "identifier_too_long": _blocked("The identifier is longer than 35 characters.", "Shorten it."),
    "identifier_characters": _blocked(
        "The identifier holds characters outside the SEPA set.", "Use capitals, digits and hyphens."
    ),
    "identifier_slash": _blocked(
        "The identifier starts or ends with a slash or holds two in a row.", "Use hyphens instead of slashes."
    ),
    "category_purpose_unknown": _blocked("The category purpose is not in the ISO list.", "Use a code such as SALA."),
    "purpose_unknown": _blocked("The purpose is not in the ISO list.", "Use a code such as SUPP."),
    # Dates
    "date_missing": _blocked("The execution date is missing.", "Give the date, or choose today."),
    "date_past": _warning("The date asked is past; the payment leaves today.", "Check that it was not paid already."),
    "date_too_far": _blocked("The execution date is more than 365 days ahead.", "Choose an earlier date."),
    "days_before_range": _blocked("The number of days before the due date is not 1 to 10.", "Choose 1 to 10."),
    # Addresses (refused without town and country since 15 November 2026)
    "address_dropped": _warning(
        "The address lacks town or country and is left out; inside the EEA none is needed.",
        "Complete town and country, or leave the address empty.",
    ),
    "address_incomplete": _blocked(
        "The address lacks town or country, and outside the EEA it is needed.", "Complete town and country."
    ),
    "address_missing": _blocked("Outside the EEA the creditor's address is needed.", "Enter town and country."),
    "address_too_long": _blocked("A part of the address is too long after conversion.", "Shorten it."),
    "address_country_unknown": _blocked("The country of the address is not two letters.", "Use the ISO letters."),
    # A file as a whole
    "xml_size": _blocked("The file is larger than the limit.", "Split the file."),
    "xml_doctype": _blocked("The file holds a DOCTYPE.", "Have the program write it without a DOCTYPE or entities."),
    "xml_syntax": _blocked("The file is not well-formed XML.", "Export it again; it may be cut off."),
    "encoding": _blocked("The file is not in UTF-8.", "Have the program write UTF-8."),
    "encoding_bom": _warning("The file starts with a byte order mark.", "Some banks refuse it; write UTF-8 without."),
    "schema_unknown": _blocked(
        "The namespace is not pain.001.001.03 or pain.001.001.09.", "Check the version the program writes."
    ),
    "schema": _blocked("The file does not follow the ISO 20022 schema.", "Correct the element named."),
    "declaration_quotes": _warning(
        "The XML declaration is written with single quotes.",
        "A Belgian bank has refused such files; use double quotes.",
    ),
    "count_mismatch": _blocked("The number of transactions is not what the file holds.", "Export the file again."),
    "control_sum_mismatch": _blocked("The control sum is not the sum of the amounts.", "Export the file again."),
    "control_sum_missing": _warning("The control sum is missing.", "Belgian banks expect it at both levels."),
    "creation_in_future": _warning("The file was made in the future.", "Check the clock of the program."),
    "payment_information_id_duplicate": _blocked(
        "Two blocks have the same payment information id.", "Give each block its own."
    ),
    "end_to_end_id_duplicate": _warning(
        "Two payments have the same end-to-end id.", "Give each payment its own, or a return cannot be matched."
    ),
    "payment_duplicate": _warning(
        "The same account, amount, reference and date occur twice.", "Check that it is not paid twice."
    ),
    "characters": _blocked("The text holds characters outside the SEPA set.", "Convert it by the EPC table first."),
    "text_length": _blocked("The text is empty or longer than 140 characters.", "Shorten it or leave it out."),
    "remittance_repeated": _blocked("The free remittance text occurs more than once.", "Join the texts in one."),
    "remittance_exclusive": _blocked(
        "Free and structured remittance information stand together.", "Keep the structured one."
    ),
    "reference_issuer": _warning(
        "The structured reference does not say BBA or ISO as its issuer.", "State the issuer of the reference."
    ),
    "belgian_reference_abroad": _warning(
        "A Belgian structured communication goes to a foreign account.", "Send the printed form as free text."
    ),
    "service_level_unknown": _blocked("The service level is not in the ISO list.", "Use SEPA."),
    "service_level_missing": _warning("The service level is missing.", "State SEPA for a SEPA payment."),
    "service_level_conflict": _blocked(
        "Instant does not go with this service level.", "Use SEPA for instant payments."
    ),
    "charge_bearer": _blocked("A SEPA payment shares its charges: SLEV.", "Use SLEV or leave it out."),
    "debtor_agent_empty": _blocked(
        "The debtor's bank is an empty element; banks refuse that.", "Write the BIC, or NOTPROVIDED."
    ),
    "creditor_agent_empty": _blocked(
        "The creditor's bank is an empty element; banks refuse that.", "Leave the element out."
    ),
    "date_not_business_day": _warning(
        "The execution date is not a settlement day.", "The bank moves it to the next one, or refuses."
    ),
    "execution_date_past": _blocked("The execution date is past.", "Choose today or later."),
    "execution_date_too_far": _warning("The execution date is more than 365 days ahead.", "Choose an earlier date."),
    "address_unstructured": _blocked(
        "The address consists of free lines only, refused since 15 November 2026.",
        "Give town and country in their own elements, or leave the address out.",
    ),
    "address_town_missing": _blocked("The address has no town.", "Add the town or leave the address out."),
    "address_country_missing": _blocked("The address has no country.", "Add the country or leave the address out."),
    "address_lines": _blocked("The address has more than two free lines.", "Use the structured elements."),
    "address_repeats": _warning("A free line repeats town or postal code.", "Keep them in their own elements only."),
    "enterprise_number_format": _blocked("This is not an enterprise number of 10 digits.", "Write the digits only."),
    "enterprise_number_checksum": _blocked("The check digits of the enterprise number are wrong.", "Look it up again."),
    "enterprise_number_issuer": _warning(
        "The issuer of the enterprise number is not KBO-BCE.", "Belgian banks expect KBO-BCE."
    ),
}

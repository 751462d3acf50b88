"""What may be wrong with a cell, in sentences; stored by code, shown in the reader's language (OFF-13, OFF-14)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, Final

from gateway.i18n import _, translate

FAULTS: Final[Mapping[str, str]] = {
    "formula_refused": _("A formula stands here; paste its value instead."),
    "cell_error": _("The spreadsheet shows an error here."),
    "national_number_refused": _("This is a national register number; it is not allowed here and was not stored."),
    "not_a_text": _("A text or a number is expected here."),
    "too_long": _("At most {max} characters."),
    "control_characters": _("Control characters, such as line breaks, are not allowed."),
    "key_missing": _("Without enterprise number a row needs an external id."),
    "key_twice": _("Row {row} is the same client."),
    "name_missing": _("A new client needs a name."),
    "enterprise_number_invalid": _("Not an enterprise number: 10 digits, the last two are check digits."),
    "client_closed": _("This client is closed; reopen it first."),
    "client_suspended": _("This client is suspended; nothing can be changed."),
    "external_id_taken": _("Another client of your office has this external id."),
    "iban_invalid": _("Not an IBAN, or its check digits are wrong."),
    "iban_national": _("The Belgian check digits of this account number are wrong."),
    "iban_twice": _("Row {row} has the same account number."),
    "iban_of_other_client": _("Another client of your office has this account number."),
    "bank_unknown": _("Not a BIC and not one of our banks."),
    "bank_without_iban": _("A bank needs an account number beside it."),
    "email_invalid": _("Not an e-mail address."),
    "mobile_invalid": _("Write the number with + and country code, such as +32470123456."),
    "language_unknown": _("The language is nl, fr, en or de."),
    "responsible_unknown": _("Nobody of your office signs in with this e-mail address."),
    "group_unknown": _("Your office has no group with this name."),
    "package_unknown": _("Not one of the accounting packages of the list."),
    "delivery_unknown": _("Not one of the delivery channels of the list."),
    "date_invalid": _("Not a date; write 31/12/2026 or 2026-12-31."),
    "financial_year_end_invalid": _("Not a day of the year; write 31/12."),
    "coda_number_invalid": _("The number lies from 001 to 999."),
    "amount_invalid": _("Not an amount; write 1250,00."),
    "account_needed": _("This needs an account number in IBAN 1."),
    "yes_no_invalid": _("Write yes or no."),
    "client_code_invalid": _("A client code names folders: no slashes and no two dots in a row."),
    "changed_meanwhile": _("Somebody changed the same data meanwhile; check the row again."),
}

WARNINGS: Final[Mapping[str, str]] = {
    "destination_missing": _("No destination yet: statements wait for download."),
    "destination_unconfirmed": _("An administrator must confirm the destination before anything is sent there."),
    "contact_unconfirmed": _("An administrator must confirm the contact before anything is sent there."),
    "account_connected": _("An account is connected already; its first day and number are set at the account."),
}

KEPT: Final[Mapping[str, str]] = {
    "has_consent": _("There is a consent for this client."),
    "has_statement": _("There is a statement of this client."),
    "has_payment": _("There is a payment of this client."),
    "has_account": _("An account of this client is connected."),
    "has_people": _("Somebody has a role at this client."),
    "in_use": _("Other data refer to this client."),
    "changed_since": _("The client was changed after the import."),
}
"""Why an imported client stays as it is when the import is undone (OFF-15)."""


@dataclass(frozen=True, slots=True)
class CellFault:
    """One fault of one cell; `column` is its letter, None in JSON."""

    field: str
    column: str | None
    header: str
    code: str
    parameters: Mapping[str, Any] = dataclass_field(default_factory=dict)

    def sentence(self, language: str) -> str:
        """What is wrong and what to write instead."""
        return translate(language, FAULTS[self.code]).format_map(self.parameters)

    def stored(self) -> dict[str, Any]:
        """As kept with the row."""
        return {
            "field": self.field,
            "column": self.column,
            "header": self.header,
            "code": self.code,
            "parameters": dict(self.parameters),
        }

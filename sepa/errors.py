"""Errors of the package: a stable code for programs, a hint for people.

The families follow who must act: `InputError` the caller, `ConfigError` the operator. A message carries identifiers
only, never a name, a full IBAN or a payload. What is wrong with a payment is a `Finding` (see `sepa.findings`), not an
error; errors end a call.
"""

from collections.abc import Sequence

from sepa.findings import Finding


class SepaError(Exception):
    """Root of all errors raised by this package."""

    code = "sepa_error"
    http_status = 500
    hint = "Report this with the identifiers of the message."

    def __init__(self, message: str, **identifiers: object) -> None:
        super().__init__(message)
        self.message = message
        self.identifiers = identifiers


class InputError(SepaError):
    """The caller gave something that cannot be used."""

    code = "input_invalid"
    http_status = 422
    hint = "Correct the value and send it again."


class ConfigError(SepaError):
    """The operator must change a setting."""

    code = "config_invalid"
    hint = "Ask the operator to correct the setting."


class ReferenceInvalid(InputError):
    """A structured reference has a wrong form or wrong check digits."""

    code = "reference_invalid"
    hint = "Compare the reference with the invoice; its last two digits are check digits."


class TextForbidden(InputError):
    """A text holds a control character or one that XML 1.0 forbids."""

    code = "control_characters"
    hint = "Remove the control characters, for instance by typing the text again."


class AccountInvalid(InputError):
    """An account number, BIC or enterprise number is not valid."""

    code = "account_invalid"
    hint = "Compare the number with the invoice or the bank's document."


class OrderInvalid(InputError):
    """An order cannot be written; `findings` says why, all at once."""

    code = "order_invalid"
    hint = "Resolve the findings; nothing was written."

    def __init__(self, message: str, findings: Sequence[Finding] = (), **identifiers: object) -> None:
        super().__init__(message, **identifiers)
        self.findings = tuple(findings)


class XmlRefused(InputError):
    """A document is refused before it is parsed; `reason` is a finding code."""

    code = "xml_refused"
    hint = "Send the file as the program wrote it: UTF-8, no DOCTYPE, within the size limit."

    def __init__(self, message: str, reason: str, **identifiers: object) -> None:
        super().__init__(message, **identifiers)
        self.reason = reason


class SealKeyTooShort(ConfigError):
    """The key of the payment seal has fewer than 32 bytes."""

    code = "seal_key_too_short"
    hint = "Set a seal key of at least 32 random bytes, kept outside the database."

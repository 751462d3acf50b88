"""Errors of connectors as problems: the connector's code, our status by who must act, our texts."""

from __future__ import annotations

from typing import Final

from connectors.errors import ConnectorError, ConsentError, Fault, OperatorError, QuotaExhausted
from gateway.errors import GatewayError
from gateway.i18n import _

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "bank_error": (
        _("The bank refused the request"),
        _("Try again later; nothing was lost and nothing was stored by half."),
    ),
    "consent_error": (
        _("The permission at the bank does not hold"),
        _("Start a new authorisation and send the account holder to its authorisation_url."),
    ),
    "consent_ended": (
        _("The permission at the bank has ended"),
        _("Start a new authorisation and send the account holder to its authorisation_url."),
    ),
    "account_ended": (
        _("The permission for this account has ended"),
        _("Have the account authorised anew; the other accounts are read on."),
    ),
    "account_gone": (
        _("The account is not in the permission any more"),
        _("Start a new authorisation and send the account holder to its authorisation_url."),
    ),
    "consent_refused": (
        _("The authorisation was cancelled or refused at the bank"),
        _("Start the authorisation again; the choice of bank and client is kept."),
    ),
    "callback_rejected": (
        _("The answer from the bank does not belong to this authorisation"),
        _("Open the authorisation_url again in the same browser."),
    ),
    "token_rejected": (
        _("The bank does not accept the access token"),
        _("It is renewed automatically; when that fails, the permission must be given again."),
    ),
    "bank_quota_exhausted": (
        _("The bank's limit of reads is reached"),
        _("Wait until the moment named, or read while the account holder is present."),
    ),
    "bank_request_refused": (
        _("The bank refused this request for good"),
        _("The account may be closed at the bank; otherwise the operator finds the request id in the log."),
    ),
    "bank_unavailable": (
        _("The bank does not answer"),
        _("Try again later; nothing was lost and nothing was stored by half."),
    ),
    "bank_answer_invalid": (
        _("The bank answered something unexpected"),
        _("The operator finds the request id in the log."),
    ),
    "payment_not_offered": (
        _("The bank does not take this payment"),
        _("Export it as a file, or change the part that is named."),
    ),
    "payment_fate_unknown": (
        _("The bank did not say whether it received the payment"),
        _("Look at the bank whether it waits there for a signature; it is not sent a second time."),
    ),
    "operator_error": (
        _("The bank does not accept this installation"),
        _("The operator must check the certificate and the registration named in the bank's card."),
    ),
}
"""Title and hint per code of `connectors.errors`; a test compares the two lists."""

NEXT: Final[dict[Fault, str]] = {
    Fault.RENEW_CONSENT: _(
        "The account holder must give the permission again; until then nothing is read, and nothing is lost."
    ),
    Fault.REFRESH_TOKEN: _("The access is renewed by itself; nobody has to do anything."),
    Fault.PERSON_AT_BANK: _("The account holder must act at the bank; afterwards it goes on by itself."),
    Fault.QUOTA: _("The bank allows no more for now; it goes on by itself when the bank allows it."),
    Fault.TEMPORARY: _("The trouble is at the bank and passes; it is tried again by itself."),
    Fault.OPERATOR: _(
        "The operator must act: the certificate or the registration at this bank. It concerns all clients of the bank."
    ),
    Fault.DEFECT: _(
        "The bank finds our request wrong. Trying again does not help; the operator reports it with the request id."
    ),
}
"""What happens next, for each of the seven kinds (SYN-13)."""


class BankTrouble(GatewayError):
    """The bank, the PSU or the operator must act; the code says which."""

    code = "bank_error"
    http_status = 502
    members = ("bank_fault",)

    def __init__(self, error: ConnectorError) -> None:
        self.code = error.code
        self.title, self.hint = TEXTS[error.code]
        self.detail = NEXT[error.fault]
        self.http_status = _status(error)
        headers = {}
        if error.retry_after is not None:
            headers["Retry-After"] = str(max(1, int(error.retry_after.total_seconds())))
        super().__init__(headers=headers, bank_fault=error.fault.value)


def _status(error: ConnectorError) -> int:
    if isinstance(error, ConsentError):
        return 409
    if isinstance(error, QuotaExhausted):
        return 429
    if isinstance(error, OperatorError):
        return 503
    return 502

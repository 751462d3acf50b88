"""What can go wrong at a bank, sorted by who must act.

ConnectorError
├── ConsentError          the PSU must act: authorise again, choose again, sign at the bank
│   ├── ConsentEnded      expired, revoked or unknown at the bank
│   ├── AccountEnded      one account must be authorised anew; the others are read on
│   ├── AccountGone       one account is not in the permission any more
│   ├── ConsentRefused    the PSU or the bank said no
│   └── CallbackRejected  the call-back does not belong to the consent
├── TokenRejected         the access token is not accepted; renew once, then it is a ConsentEnded
├── BankError             the bank must act; `is_retryable` says whether a repeat can help
│   ├── QuotaExhausted    429; `retry_after` when the bank named a wait
│   ├── BankUnavailable   5xx, time-out, cut connection
│   ├── BankAnswerInvalid not what the interface describes: HTML, broken JSON, foreign host
│   ├── RequestRefused    the bank finds our request wrong (400, 404, 406, …): a defect of ours, or an account gone
│   ├── PaymentNotOffered the bank's interface does not take such a payment; nothing was sent
│   └── PaymentFateUnknown  no answer to a payment: it may have arrived, so it is never sent again
└── OperatorError         the operator must act: certificate, role, registration

Errors carry ids and codes only: never names, full IBANs, tokens or payloads (law 6).
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import ClassVar


class Fault(StrEnum):
    """The seven kinds of trouble at a bank, by what happens next (SYN-13)."""

    RENEW_CONSENT = "renew_consent"
    """The PSU must give the permission again."""
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - a kind
    """We renew the access; nobody else acts."""
    PERSON_AT_BANK = "person_at_bank"
    """The PSU must act in the bank's own channel."""
    QUOTA = "quota"
    """Time must pass until the bank allows more."""
    TEMPORARY = "temporary"
    """Repeated, at most three times at once, then by the schedule."""
    OPERATOR = "operator"
    """Certificate, registration or rights: every client of the bank is concerned."""
    DEFECT = "defect"
    """Ours: the same request would be refused again."""


class ConnectorError(Exception):
    """Base of everything a connector raises on purpose."""

    code: ClassVar[str] = "bank_error"
    hint: ClassVar[str] = "Look at the code and the bank named in the error."
    is_retryable: ClassVar[bool] = False
    fault: ClassVar[Fault] = Fault.TEMPORARY

    def __init__(
        self,
        message: str,
        *,
        bank_id: str | None = None,
        status: int | None = None,
        bank_code: str | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(message)
        self.bank_id = bank_id
        self.status = status
        """HTTP status of the bank's answer; None when there was no answer."""
        self.bank_code = bank_code
        """The bank's own error code, such as `CONSENT_EXPIRED`; it identifies no person."""
        self.retry_after = retry_after


class ConsentError(ConnectorError):
    """Only the PSU can restore the permission."""

    code = "consent_error"
    fault = Fault.PERSON_AT_BANK
    hint = "Create a renewal for this consent and send the PSU to its authorisation_url."


class ConsentEnded(ConsentError):
    """The permission expired, was revoked, or is not known at the bank any more."""

    code = "consent_ended"
    fault = Fault.RENEW_CONSENT


class AccountEnded(ConsentError):
    """One account must be authorised anew, where each has an end of its own; the others are read on."""

    code = "account_ended"
    hint = "Send the PSU to a page on which this account is authorised anew."


class AccountGone(ConsentError):
    """One account is not in the permission any more: the PSU took it out; the others are read on."""

    code = "account_gone"
    fault = Fault.RENEW_CONSENT


class ConsentRefused(ConsentError):
    """The PSU cancelled, or the bank refused the authorisation."""

    code = "consent_refused"
    fault = Fault.RENEW_CONSENT
    hint = "Start the authorisation again; the choice of bank and client is kept."


class CallbackRejected(ConsentError):
    """The call-back holds no code, or one that does not belong to this consent."""

    code = "callback_rejected"
    fault = Fault.RENEW_CONSENT
    hint = "Open the authorisation_url again in the same browser."


class TokenRejected(ConnectorError):
    """The bank does not accept the access token; renew it once and repeat once."""

    code = "token_rejected"
    fault = Fault.REFRESH_TOKEN
    hint = "The token is renewed automatically; when that fails the consent must be renewed."


class BankError(ConnectorError):
    """The bank must act, or time must pass."""

    code = "bank_error"
    hint = "Try again later; nothing was lost and nothing was stored by half."


class QuotaExhausted(BankError):
    """The bank's limit of unattended reads is reached (429)."""

    code = "bank_quota_exhausted"
    fault = Fault.QUOTA
    hint = "Wait until the moment named, or read while the PSU is present."


class BankUnavailable(BankError):
    """No usable answer: 5xx, a time-out or a cut connection, after the permitted tries."""

    code = "bank_unavailable"
    is_retryable = True


class BankAnswerInvalid(BankError):
    """The answer is not what the interface describes (HTML, broken JSON, missing amount, foreign host)."""

    code = "bank_answer_invalid"
    hint = "The bank answered something unexpected; the operator finds the request id in the log."


class RequestRefused(BankError):
    """The bank finds the request itself wrong; the same request will be refused again. `bank_code` says why."""

    code = "bank_request_refused"
    fault = Fault.DEFECT
    hint = "Report this with the bank's code and the request id; repeating does not help."


class PaymentNotOffered(BankError):
    """The bank's interface does not take such a payment; nothing was sent. `field` says which part of the request."""

    code = "payment_not_offered"
    fault = Fault.DEFECT
    hint = "Export the payment as a file, or change the part named in the error."

    def __init__(self, message: str, *, field: str, bank_id: str | None = None) -> None:
        super().__init__(message, bank_id=bank_id)
        self.field = field


class PaymentFateUnknown(BankError):
    """No usable answer to a payment: it may have arrived. It is never sent again; look at the bank before anything."""

    code = "payment_fate_unknown"
    fault = Fault.PERSON_AT_BANK
    hint = "Look at the bank whether the payment waits there for a signature; it is not sent a second time."

    def __init__(
        self,
        message: str,
        *,
        bank_id: str | None = None,
        status: int | None = None,
        bank_code: str | None = None,
        handle: object = None,
    ) -> None:
        super().__init__(message, bank_id=bank_id, status=status, bank_code=bank_code)
        self.handle = handle
        """The `PaymentHandle` when the bank gave its id before it fell silent: the status can be read with it."""


class OperatorError(ConnectorError):
    """Certificate, role or registration: concerns every client of this bank."""

    code = "operator_error"
    fault = Fault.OPERATOR
    hint = "The operator must check the certificate and the registration named in the bank's card."

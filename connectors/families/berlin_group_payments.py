"""Payments at banks of the Berlin Group: `POST /{service}/{product}`, the PSU's signature, `GET …/status`.

A single payment goes as JSON, several as JSON or as the approved pain.001 file, by what the bank takes. Source: Berlin
Group implementation guidelines 1.3, payment initiation, and the official description 1.3.11 (CC BY 4.0).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import urlencode

from connectors import oauth, text
from connectors.errors import (
    BankAnswerInvalid,
    BankUnavailable,
    ConnectorError,
    ConsentEnded,
    OperatorError,
    PaymentFateUnknown,
    RequestRefused,
    TokenRejected,
)
from connectors.families.berlin_group_parts import psu_headers, segment
from connectors.families.berlin_group_sca import require_state, tokens_of, way_of
from connectors.http import BankAnswer, CallKind
from connectors.model import PsuContext, TokenSet
from connectors.payments import (
    FINAL,
    Bulk,
    CreditTransfer,
    PaymentHandle,
    PaymentInitiation,
    PaymentOffer,
    PaymentRequest,
    PaymentStatus,
    ReturnedPayment,
    StartedPayment,
    status_of,
)
from connectors.status_report import read_report

if TYPE_CHECKING:
    from connectors.families.berlin_group import BerlinGroupConnector

SEPA: Final = "sepa-credit-transfers"
INSTANT: Final = "instant-sepa-credit-transfers"
FILE: Final = "pain.001-"
JSON: Final = "application/json"
XML: Final = ("application/xml", "text/xml")
TEMPLATE: Final = "/{service}/{product}"
REQUEST_TIMEOUT: Final = 408
"""The bank waited too long for the whole of it, or says so."""
BELGIAN: Final = ("SCOR", "BBA")
CREDITOR_REFERENCE: Final = ("SCOR", "ISO")
"""Type and issuer of a structured reference. Source: ISO 20022, `RmtInf/Strd/CdtrRefInf`, as Belgian banks write it."""


@dataclass(frozen=True, slots=True)
class Permission:
    """What our own calls carry at a bank that wants more of us than the certificate."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    key_id: str | None = field(default=None, repr=False)
    """The name to sign under, where the bank gave us one."""


class BerlinGroupPayments(PaymentInitiation):
    """Payments at the bank of one connector; a family with another way overrides the methods below `status`."""

    root: ClassVar[str] = ""
    """What stands before the paths here, where versions differ per resource."""
    is_state_in_redirect_uri: ClassVar[bool] = False
    """Where the browser comes back without OAuth, the state must be part of the return address."""
    start_headers: ClassVar[Mapping[str, str]] = {"TPP-Explicit-Authorisation-Preferred": "false"}
    """What goes with a new payment, besides who is present and where the browser goes."""

    def __init__(self, bank: BerlinGroupConnector, offer: PaymentOffer) -> None:
        self._bank = bank
        self.offer = offer
        self._bank_id = bank.profile.bank_id

    def start(self, request: PaymentRequest) -> StartedPayment:
        self.check(request)
        permission = self.permission(is_attended=True)
        handle = None
        try:
            answer = self._send(request, permission)
            handle = self._handle(request, answer)
            return self._started(handle, request, answer)
        except ConnectorError as error:
            if handle is None and not may_have_arrived(error):
                if isinstance(error, TokenRejected):
                    raise _of_ours(error) from error
                raise
            # Whatever else is asked of the bank now, this is never sent again.
            raise PaymentFateUnknown(
                "no usable answer to a payment", bank_id=self._bank_id, status=error.status,
                bank_code=error.bank_code, handle=handle,
            ) from error  # fmt: skip

    def finish(self, handle: PaymentHandle, callback: Mapping[str, str], psu: PsuContext | None) -> ReturnedPayment:
        require_state(handle.private, callback, bank_id=self._bank_id)
        error = oauth.callback_error(callback, bank_id=self._bank_id)
        if error is not None:
            raise error
        tokens = tokens_of(self._bank, handle.private, callback)
        return ReturnedPayment(tokens, self.status(handle, tokens, psu))

    def status(self, handle: PaymentHandle, tokens: TokenSet | None, psu: PsuContext | None) -> PaymentStatus:
        if psu is None and self._bank.needs_psu_for_payments:
            raise ValueError("this bank wants the address of the payment's PSU whenever the status is read")
        permission = self.permission(is_attended=psu is not None)
        # A bank may answer to a file with a file.
        accepted = "application/json, application/xml;q=0.9" if FILE in handle.private.get("path", "") else JSON
        headers = {**psu_headers(psu), **permission.headers, "Accept": accepted}
        if tokens is not None:
            headers["Authorization"] = f"Bearer {tokens.access_token}"
        url, template = self._status_address(handle)
        try:
            answer = self._bank.call(
                "GET", url, template, CallKind.PAYMENT, headers=headers, is_attended=psu is not None,
                key_id=permission.key_id,
            )  # fmt: skip
        except TokenRejected as refusal:
            if tokens is None:
                raise _of_ours(refusal) from refusal
            raise ConsentEnded(
                "the bank shows this payment to nobody any more", bank_id=self._bank_id, status=refusal.status,
                bank_code=refusal.bank_code,
            ) from refusal  # fmt: skip
        if answer.headers.get("content-type", "").partition(";")[0].strip().lower() in XML:
            return self._of_report(answer)
        return self._read(answer.json_object(), answer.status)

    def check(self, request: PaymentRequest) -> None:
        """Raise `PaymentNotOffered` for what the bank would not take."""
        self.offer.check(request, bank_id=self._bank_id)

    def permission(self, *, is_attended: bool) -> Permission:  # noqa: ARG002  of a family
        """What must be asked of the bank before each call; nothing of the payment is in it, so it may fail freely."""
        return Permission()

    def _send(self, request: PaymentRequest, permission: Permission) -> BankAnswer:
        is_file = self._is_file(request)
        redirect_uri = request.redirect_uri
        if self.is_state_in_redirect_uri:
            redirect_uri = with_query(redirect_uri, state=request.state)
        return self._bank.call(
            "POST", self._path(request), f"{self.root}{TEMPLATE}", CallKind.PAYMENT,
            headers={
                **psu_headers(request.psu),
                **permission.headers,
                "TPP-Redirect-URI": redirect_uri,
                **self.start_headers,
                **({"Content-Type": XML[0]} if is_file else {}),
            },
            json=None if is_file else body_of(request),
            content=request.file if is_file else None,
            request_id=request.request_id,
            is_attended=True,
            key_id=permission.key_id,
        )  # fmt: skip

    def _is_file(self, request: PaymentRequest) -> bool:
        return request.is_bulk and self.offer.bulk is Bulk.FILE

    def _path(self, request: PaymentRequest) -> str:
        service = "bulk-payments" if request.is_bulk else "payments"
        product = INSTANT if request.is_instant else SEPA
        return f"{self.root}/{service}/{FILE if self._is_file(request) else ''}{product}"

    def _status_address(self, handle: PaymentHandle) -> tuple[str, str]:
        """Where the status is read, and the template of that address."""
        own = f"{handle.private['path']}/{segment(handle.bank_payment_id)}"
        return f"{own}/status", f"{self.root}{TEMPLATE}/{{id}}/status"

    def _handle(self, request: PaymentRequest, answer: BankAnswer) -> PaymentHandle:
        payment_id = text.present_id(answer.json_object().get("paymentId"))
        if payment_id is None:
            raise BankAnswerInvalid("the bank gave no payment id", bank_id=self._bank_id, status=answer.status)
        kept = {
            "path": self._path(request),
            "state": request.state,
            "code_verifier": request.code_verifier,
            "redirect_uri": request.redirect_uri,
        }
        return PaymentHandle(payment_id, kept)

    def _started(self, handle: PaymentHandle, request: PaymentRequest, answer: BankAnswer) -> StartedPayment:
        status = self._read(answer.json_object(), answer.status)
        if status.state in FINAL:
            return StartedPayment(handle, None, status)
        kept, step = way_of(
            self._bank, answer, handle.private, scope=self._bank.payment_scope(handle.bank_payment_id),
            template=f"{self.root}{TEMPLATE}/{{id}}", kind=CallKind.PAYMENT, psu=request.psu,
        )  # fmt: skip
        return StartedPayment(replace(handle, private=kept), step, status)

    def _of_report(self, answer: BankAnswer) -> PaymentStatus:
        try:
            return read_report(answer.body, self.offer)
        except ValueError:
            # The cause would carry the payload into whoever logs it.
            raise BankAnswerInvalid(
                "the bank answered XML that tells no status", bank_id=self._bank_id, status=answer.status
            ) from None

    def _read(self, body: Mapping[str, Any], http_status: int) -> PaymentStatus:
        code = text.present(body.get("transactionStatus"))
        if code is None:
            raise BankAnswerInvalid("the bank gave no payment status", bank_id=self._bank_id, status=http_status)
        return status_of(self.offer, code, _reason_of(body))


def with_query(url: str, **added: str) -> str:
    """The address with these parameters besides those it has."""
    return f"{url}{'&' if '?' in url else '?'}{urlencode(added)}"


def may_have_arrived(error: ConnectorError) -> bool:
    """Whether a payment that was answered so may be at the bank all the same."""
    return isinstance(error, BankUnavailable | BankAnswerInvalid) or error.status == REQUEST_TIMEOUT


def _of_ours(refusal: TokenRejected) -> ConnectorError:
    """Who must act when a token of our own is refused that was given a moment ago.

    A code that is not about tokens tells that the payment was meant: ING answers 401 to a payment it does not take.
    """
    is_about_us = refusal.bank_code is None or refusal.bank_code.startswith("TOKEN_")
    kind = OperatorError if is_about_us else RequestRefused
    return kind(str(refusal), bank_id=refusal.bank_id, status=refusal.status, bank_code=refusal.bank_code)


def body_of(request: PaymentRequest) -> dict[str, Any]:
    """The JSON of one payment or of several. Source: `paymentInitiation_json`, `bulkPaymentInitiation_json` 1.3.11."""
    shared: dict[str, Any] = {"debtorAccount": {"iban": request.debtor_iban}}
    if request.execution_date is not None:
        shared["requestedExecutionDate"] = request.execution_date.isoformat()
    if not request.is_bulk:
        return {**shared, **_element(request.transfers[0])}
    return {
        **shared,
        "batchBookingPreferred": request.is_batch_booked,
        "payments": [_element(transfer) for transfer in request.transfers],
    }


def _element(transfer: CreditTransfer) -> dict[str, Any]:
    element: dict[str, Any] = {
        "endToEndIdentification": transfer.end_to_end_id,
        "instructedAmount": {"currency": "EUR", "amount": f"{transfer.amount:.2f}"},
        "creditorAccount": {"iban": transfer.creditor_iban},
        "creditorName": transfer.creditor_name,
    }
    if transfer.structured_reference is not None:
        kind, issuer = CREDITOR_REFERENCE if transfer.structured_reference.startswith("RF") else BELGIAN
        element["remittanceInformationStructured"] = {
            "reference": transfer.structured_reference, "referenceType": kind, "referenceIssuer": issuer,
        }  # fmt: skip
    elif transfer.text:
        element["remittanceInformationUnstructured"] = transfer.text
    return element


def _reason_of(body: Mapping[str, Any]) -> str | None:
    """The first code among the bank's messages: why it refused."""
    messages = body.get("tppMessages")
    for message in messages if isinstance(messages, list) else []:
        code = text.present(message.get("code")) if isinstance(message, Mapping) else None
        if code is not None:
            return code
    return None

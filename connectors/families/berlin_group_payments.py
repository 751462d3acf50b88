"""Payments at banks of the Berlin Group: `POST /{service}/{product}`, the PSU's signature, `GET …/status`.

A single payment goes as JSON, several as JSON or as the approved pain.001 file, by what the bank takes. Source: Berlin
Group implementation guidelines 1.3, payment initiation, and the official description 1.3.11 (CC BY 4.0).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from connectors import oauth, text
from connectors.errors import BankAnswerInvalid, BankUnavailable, ConsentEnded, PaymentFateUnknown, TokenRejected
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

if TYPE_CHECKING:
    from connectors.families.berlin_group import BerlinGroupConnector

SEPA: Final = "sepa-credit-transfers"
INSTANT: Final = "instant-sepa-credit-transfers"
TEMPLATE: Final = "/{service}/{product}"
BELGIAN: Final = ("SCOR", "BBA")
CREDITOR_REFERENCE: Final = ("SCOR", "ISO")
"""Type and issuer of a structured reference. Source: ISO 20022, `RmtInf/Strd/CdtrRefInf`, as Belgian banks write it."""


class BerlinGroupPayments(PaymentInitiation):
    """Payments at the bank of one connector."""

    def __init__(self, bank: BerlinGroupConnector, offer: PaymentOffer) -> None:
        self._bank = bank
        self.offer = offer
        self._bank_id = bank.profile.bank_id

    def start(self, request: PaymentRequest) -> StartedPayment:
        self.offer.check(request, bank_id=self._bank_id)
        is_file = request.is_bulk and self.offer.bulk is Bulk.FILE
        path = self._path(request, is_file=is_file)
        handle = None
        try:
            answer = self._bank.call(
                "POST", path, TEMPLATE, CallKind.PAYMENT,
                headers={
                    **psu_headers(request.psu),
                    "TPP-Redirect-URI": request.redirect_uri,
                    "TPP-Explicit-Authorisation-Preferred": "false",
                    **({"Content-Type": "application/xml"} if is_file else {}),
                },
                json=None if is_file else body_of(request),
                content=request.file if is_file else None,
                request_id=request.request_id,
                is_attended=True,
            )  # fmt: skip
            handle = self._handle(path, request, answer)
            return self._started(handle, request, answer)
        except (BankUnavailable, BankAnswerInvalid) as error:
            # It may have arrived: whatever else is asked of the bank now, this is never sent again.
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
        headers = {**psu_headers(psu), "Accept": "application/json"}
        if tokens is not None:
            headers["Authorization"] = f"Bearer {tokens.access_token}"
        path = f"{handle.private['path']}/{segment(handle.bank_payment_id)}/status"
        try:
            answer = self._bank.call(
                "GET", path, f"{TEMPLATE}/{{id}}/status", CallKind.PAYMENT, headers=headers, is_attended=psu is not None
            )
        except TokenRejected as refusal:
            raise ConsentEnded(
                "the bank shows this payment to nobody any more", bank_id=self._bank_id, status=refusal.status,
                bank_code=refusal.bank_code,
            ) from refusal  # fmt: skip
        return self._read(answer.json_object(), answer.status)

    def _path(self, request: PaymentRequest, *, is_file: bool) -> str:
        service = "bulk-payments" if request.is_bulk else "payments"
        product = INSTANT if request.is_instant else SEPA
        return f"/{service}/{'pain.001-' if is_file else ''}{product}"

    def _handle(self, path: str, request: PaymentRequest, answer: BankAnswer) -> PaymentHandle:
        payment_id = text.present_id(answer.json_object().get("paymentId"))
        if payment_id is None:
            raise BankAnswerInvalid("the bank gave no payment id", bank_id=self._bank_id, status=answer.status)
        kept = {
            "path": path,
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
            template=f"{TEMPLATE}/{{id}}", kind=CallKind.PAYMENT, psu=request.psu,
        )  # fmt: skip
        return StartedPayment(replace(handle, private=kept), step, status)

    def _read(self, body: Mapping[str, Any], http_status: int) -> PaymentStatus:
        code = text.present(body.get("transactionStatus"))
        if code is None:
            raise BankAnswerInvalid("the bank gave no payment status", bank_id=self._bank_id, status=http_status)
        return status_of(self.offer, code[:35], _reason_of(body))


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
            return code[:35]
    return None

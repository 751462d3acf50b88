"""Payments at Belfius: `POST /payments/{product}` with a PKCE challenge, the PSU's page, the status without a token.

Version 1 of the body, the only one of which every name is known (a client of 2020); of the present one only some are.
Assumed, as no text shows them: the answer with `payment_id`, `transaction_status` and the pages in `consent_uris`, as
the consent has them; the address of the status; ISO 20022 words in it. An answer of another form is one whose fate is
unknown, never a payment made. Not offered: several payments, instant ones and structured references, since their
address, treatment type and communication type are not known. Source: see the bank's card.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from connectors import oauth, text
from connectors.errors import BankAnswerInvalid, ConnectorError, OperatorError, PaymentFateUnknown
from connectors.families.berlin_group_parts import psu_headers, segment
from connectors.families.berlin_group_payments import may_have_arrived
from connectors.families.berlin_group_sca import require_state
from connectors.http import BankAnswer, CallKind
from connectors.model import PsuContext, Redirect, TokenSet
from connectors.payments import (
    FINAL,
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
    from connectors.families.belfius import BelfiusConnector

VERSION: Final = 1
PATH: Final = "/payments/sepa-credit-transfers"
TEMPLATE: Final = "/payments/{product}"
OFFER: Final = PaymentOffer(takes_references=False)
FREE_TEXT: Final = "FREETEXT"
TREATMENT: Final = "NORMAL"


class BelfiusPayments(PaymentInitiation):
    """Payments at the bank of one connector."""

    def __init__(self, bank: BelfiusConnector, offer: PaymentOffer) -> None:
        self._bank = bank
        self.offer = offer
        self._bank_id = bank.profile.bank_id

    def start(self, request: PaymentRequest) -> StartedPayment:
        self.offer.check(request, bank_id=self._bank_id)
        if not self._bank.http.signs(CallKind.PAYMENT):
            raise OperatorError("payments are signed here, and no certificate for it is set", bank_id=self._bank_id)
        handle = None
        try:
            answer = self._bank.call(
                "POST", PATH, TEMPLATE, CallKind.PAYMENT,
                headers={
                    **psu_headers(request.psu),
                    "Redirect-URI": request.redirect_uri,
                    "Code-Challenge": oauth.code_challenge(request.code_verifier),
                    "Code-Challenge-Method": "S256",
                    "Content-Type": "application/json",
                },
                content=body_of(request),
                request_id=request.request_id,
                is_attended=True,
            )  # fmt: skip
            handle = self._handle(request, answer)
            return self._started(handle, request, answer)
        except ConnectorError as error:
            if not may_have_arrived(error):
                raise
            # Whatever else is asked of the bank now, this is never sent again.
            raise PaymentFateUnknown(
                "no usable answer to a payment", bank_id=self._bank_id, status=error.status,
                bank_code=error.bank_code, handle=handle,
            ) from error  # fmt: skip

    def finish(self, handle: PaymentHandle, callback: Mapping[str, str], psu: PsuContext | None) -> ReturnedPayment:
        """As in `PaymentInitiation`; the code stays unused, since the bank shows the status without a token.

        A token of it would allow more payments, and nobody approved those.
        """
        require_state(handle.private, callback, bank_id=self._bank_id)
        error = oauth.callback_error(callback, bank_id=self._bank_id)
        if error is not None:
            raise error
        return ReturnedPayment(None, self.status(handle, None, psu))

    def status(self, handle: PaymentHandle, tokens: TokenSet | None, psu: PsuContext | None) -> PaymentStatus:  # noqa: ARG002  there are none
        answer = self._bank.call(
            "GET",
            f"{PATH}/{segment(handle.bank_payment_id)}/status",
            f"{TEMPLATE}/{{id}}/status",
            CallKind.PAYMENT,
            headers={**psu_headers(psu), "Redirect-URI": handle.private["redirect_uri"]},
            is_attended=psu is not None,
        )
        return self._read(answer.json_object(), answer.status)

    def _handle(self, request: PaymentRequest, answer: BankAnswer) -> PaymentHandle:
        payment_id = text.present_id(answer.json_object().get("payment_id"))
        if payment_id is None:
            raise BankAnswerInvalid("the bank gave no payment id", bank_id=self._bank_id, status=answer.status)
        return PaymentHandle(payment_id, {"state": request.state, "redirect_uri": request.redirect_uri})

    def _started(self, handle: PaymentHandle, request: PaymentRequest, answer: BankAnswer) -> StartedPayment:
        body = answer.json_object()
        status = self._read(body, answer.status)
        if status.state in FINAL:
            return StartedPayment(handle, None, status)
        url = self._bank.page_with_state(body.get("consent_uris"), request.psu, request.state)
        return StartedPayment(handle, Redirect(url), status)

    def _read(self, body: Mapping[str, Any], http_status: int) -> PaymentStatus:
        code = text.present(body.get("transaction_status"))
        if code is None:
            raise BankAnswerInvalid("the bank gave no payment status", bank_id=self._bank_id, status=http_status)
        reason = text.present(body.get("reason_code"))
        return status_of(self.offer, code[:35], reason[:35] if reason is not None else None)


def body_of(request: PaymentRequest) -> bytes:
    """The JSON of one payment. Source: a client of 2020, `BelfiusPaymentRequest`."""
    (transfer,) = request.transfers
    body: dict[str, Any] = {
        "origin_account": {"iban": request.debtor_iban},
        "remote_account": {"name": transfer.creditor_name, "iban": transfer.creditor_iban},
        "currency": "EUR",
        **_communication(transfer),
        "payment_id": transfer.end_to_end_id,
        "payment_treatment_type": TREATMENT,
    }
    if request.execution_date is not None:
        body["execution_date"] = request.execution_date.isoformat()
    # The amount is a number here, and must not pass through one that is not exact.
    return f'{json.dumps(body, ensure_ascii=False)[:-1]}, "amount": {transfer.amount:.2f}}}'.encode()


def _communication(transfer: CreditTransfer) -> dict[str, str]:
    return {"communication": transfer.text, "communication_type": FREE_TEXT} if transfer.text else {}

"""Payments through Ponto: `POST /accounts/{id}/payments` or `…/bulk-payments`, signed by the payer on Ponto's page.

They go under the tokens of a consent that was asked for payments (scope `pi`), in Ponto's own JSON. Before anything is
sent it is read whether the organisation has payments switched on, and what the account's bank takes. The words of the
status after the signature are not known; the booked debit shows what became of it. Source: Ponto Connect, API version 2
(interface description of 2022), recorded answers, official clients up to 2025; see `ponto.md`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from connectors import oauth, text
from connectors.errors import BankAnswerInvalid, BankUnavailable, PaymentFateUnknown, PaymentNotOffered
from connectors.families import ponto_rows
from connectors.families.berlin_group_parts import segment
from connectors.families.berlin_group_sca import require_state
from connectors.families.ponto_line import Session, data_of
from connectors.http import BankAnswer, CallKind
from connectors.model import Access, Poll, PsuContext, Redirect, TokenSet
from connectors.payments import (
    Bulk,
    CreditTransfer,
    PaymentHandle,
    PaymentInitiation,
    PaymentOffer,
    PaymentRequest,
    PaymentState,
    PaymentStatus,
    ReturnedPayment,
    StartedPayment,
)

if TYPE_CHECKING:
    from connectors.families.ponto import PontoConnector

OFFER: Final = PaymentOffer(bulk=Bulk.JSON, name_max=60, text_max=140, tells_execution=False)
LIMIT: Final = "bulkPaymentInstructionsLimit"
STATES: Final = {"unsigned": PaymentState.WAITING}
"""Words of the status that are known; the others stay as they are, and none is final."""
LOOK_SECONDS: Final = 60
"""Between looks at a payment that is signed in Ponto's dashboard."""

_ALPHABET: Final = re.compile(r"[A-Za-z0-9/\-?:().,'+ ]*")
"""What Ponto says is never refused by a bank, in names and texts."""
_AMOUNT: Final = re.compile(rb'"amount":"(\d+\.\d\d)"')
"""Within a text the quotes would be escaped: only the member itself has this form."""


class PontoPayments(PaymentInitiation):
    """Payments from the accounts of one consent."""

    def __init__(self, line: PontoConnector, access: Access, offer: PaymentOffer) -> None:
        self._line = line
        self._access = access
        self._bank_id = line.profile.bank_id
        self.offer = offer

    def activation(self, redirect_uri: str, psu: PsuContext) -> Redirect | None:
        access = replace(self._access, psu=psu)
        if self._is_active(self._line.session(access)):
            return None
        path = "/payment-activation-requests"
        answer = self._line.create(access, path, path, "paymentActivationRequest", {"redirectUri": redirect_uri})
        page = self._line.page_of(data_of(answer))
        if page is None:
            raise BankAnswerInvalid("Ponto gave no page to switch payments on", bank_id=self._bank_id)
        return page

    def start(self, request: PaymentRequest) -> StartedPayment:
        self.offer.check(request, bank_id=self._bank_id)
        self._check_texts(request)
        session = self._line.session(replace(self._access, psu=request.psu))
        account = self._account_of(session, request)
        if not self._is_active(session):
            raise self._not_offered("payments are not switched on at Ponto", "activation")
        self._check_bank(session, account, request)
        kind = "bulk-payments" if request.is_bulk else "payments"
        path, handle = f"/accounts/{segment(str(account['id']))}/{kind}", None
        try:
            # The token was good a moment ago: should it be refused now, nothing here sends the payment again.
            answer = self._line.call(
                "POST", path, f"/accounts/{{id}}/{kind}", CallKind.PAYMENT,
                f"Bearer {session.tokens.access_token}",
                content=content_of(request),
                headers={"Ibanity-Idempotency-Key": request.request_id, "Content-Type": "application/json"},
                psu=request.psu,
            )  # fmt: skip
            handle = self._handle(path, request, answer)
            page = self._line.page_of(data_of(answer))
            # Without a page of its own it waits in Ponto's dashboard.
            return StartedPayment(handle, page or Poll(LOOK_SECONDS), self._read(answer))
        except (BankUnavailable, BankAnswerInvalid) as error:
            # It may have arrived: whatever else is asked of Ponto now, this is never sent again.
            raise PaymentFateUnknown(
                "no usable answer to a payment", bank_id=self._bank_id, status=error.status,
                bank_code=error.bank_code, handle=handle,
            ) from error  # fmt: skip

    def finish(self, handle: PaymentHandle, callback: Mapping[str, str], psu: PsuContext | None) -> ReturnedPayment:
        """As in the protocol; which parameters Ponto adds is not known, so an error counts and nothing else does."""
        require_state(handle.private, callback, bank_id=self._bank_id)
        error = oauth.callback_error(callback, bank_id=self._bank_id)
        if error is not None:
            raise error
        return ReturnedPayment(None, self.status(handle, None, psu))

    def status(self, handle: PaymentHandle, tokens: TokenSet | None, psu: PsuContext | None) -> PaymentStatus:  # noqa: ARG002  the consent's
        path = f"{handle.private['path']}/{segment(handle.bank_payment_id)}"
        template = f"/accounts/{{id}}/{handle.private['path'].rpartition('/')[2]}/{{id}}"
        session = self._line.session(replace(self._access, psu=psu))
        return self._read(self._line.read(session, path, template, CallKind.PAYMENT))

    # Before anything is sent

    def _check_texts(self, request: PaymentRequest) -> None:
        for number, transfer in enumerate(request.transfers):
            for name, value in (("creditor_name", transfer.creditor_name), ("text", transfer.text or "")):
                if _ALPHABET.fullmatch(value) is None:
                    raise self._not_offered("a text holds characters Ponto does not take", f"transfers/{number}/{name}")
            if (transfer.structured_reference or "").startswith("RF"):
                # Which type it would have is not described.
                field = f"transfers/{number}/structured_reference"
                raise self._not_offered("Ponto takes Belgian references only", field)

    def _account_of(self, session: Session, request: PaymentRequest) -> Mapping[str, Any]:
        """The account in euro under the payer's number: several may share it."""
        iban = text.compact_account(request.debtor_iban)
        for resource in self._line.resources_of(session):
            found = ponto_rows.account(resource)
            if found is not None and (found.iban, found.currency) == (iban, "EUR"):
                return resource
        raise self._not_offered("the account is not in this consent", "debtor_iban")

    def _is_active(self, session: Session) -> bool:
        answer = self._line.read(session, "/userinfo", "/userinfo", CallKind.METADATA)
        return answer.json_object().get("paymentsActivated") is True

    def _check_bank(self, session: Session, account: Mapping[str, Any], request: PaymentRequest) -> None:
        """What the account's bank takes; what Ponto does not say of it counts as not offered."""
        institution = ponto_rows.related_id(account, "financialInstitution")
        found: Mapping[str, Any] = {}
        if institution is not None:
            path, template = f"/financial-institutions/{segment(institution)}", "/financial-institutions/{id}"
            answer = self._line.read(session, path, template, CallKind.METADATA)
            found = ponto_rows.attributes(data_of(answer))
        limit = found.get(LIMIT)
        if found.get("paymentsEnabled") is not True:
            raise self._not_offered("the account's bank takes no payments by Ponto", "debtor_iban")
        if request.is_bulk and found.get("bulkPaymentsEnabled") is not True:
            raise self._not_offered("the account's bank takes one payment at a time", "transfers")
        if request.is_bulk and isinstance(limit, int) and len(request.transfers) > limit:
            raise self._not_offered("the account's bank takes fewer payments at once", "transfers")
        if request.execution_date is not None and found.get("futureDatedPaymentsAllowed") is not True:
            raise self._not_offered("the account's bank takes no payments for a later day", "execution_date")

    def _not_offered(self, message: str, field: str) -> PaymentNotOffered:
        return PaymentNotOffered(message, field=field, bank_id=self._bank_id)

    # Answers

    def _handle(self, path: str, request: PaymentRequest, answer: BankAnswer) -> PaymentHandle:
        payment_id = text.present_id(data_of(answer).get("id"))
        if payment_id is None:
            raise BankAnswerInvalid("Ponto gave no payment id", bank_id=self._bank_id, status=answer.status)
        return PaymentHandle(payment_id, {"path": path, "state": request.state})

    def _read(self, answer: BankAnswer) -> PaymentStatus:
        word = text.present(ponto_rows.attributes(data_of(answer)).get("status"))
        if word is None:
            raise BankAnswerInvalid("Ponto gave no payment status", bank_id=self._bank_id, status=answer.status)
        return PaymentStatus(STATES.get(word, PaymentState.UNKNOWN), word[:35], is_final=False)


def content_of(request: PaymentRequest) -> bytes:
    """The JSON of one payment or of several, byte for byte; amounts are numbers of two decimals."""
    attributes: dict[str, Any] = {"redirectUri": _with_state(request.redirect_uri, request.state)}
    if request.execution_date is not None:
        attributes["requestedExecutionDate"] = request.execution_date.isoformat()
    if request.is_bulk:
        attributes |= {
            "reference": request.request_id,
            "batchBookingPreferred": request.is_batch_booked,
            "payments": [_element(transfer) for transfer in request.transfers],
        }
    else:
        attributes |= _element(request.transfers[0])
    body = {"data": {"type": "bulkPayment" if request.is_bulk else "payment", "attributes": attributes}}
    plain = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return _AMOUNT.sub(rb'"amount":\1', plain)


def _element(transfer: CreditTransfer) -> dict[str, Any]:
    element = {
        "currency": "EUR",
        "amount": f"{transfer.amount:.2f}",
        "creditorName": transfer.creditor_name,
        "creditorAccountReference": transfer.creditor_iban,
        "creditorAccountReferenceType": "IBAN",
        "endToEndId": transfer.end_to_end_id,
    }
    if transfer.structured_reference is not None:
        return element | {
            "remittanceInformation": transfer.structured_reference, "remittanceInformationType": "structured"
        }  # fmt: skip
    if transfer.text:
        return element | {"remittanceInformation": transfer.text, "remittanceInformationType": "unstructured"}
    return element


def _with_state(redirect_uri: str, state: str) -> str:
    """The way back with the state in it: Ponto has no parameter for it, and keeps those the address has."""
    parts = urlsplit(redirect_uri)
    query = "&".join(part for part in (parts.query, urlencode({"state": state})) if part)
    return urlunsplit(parts._replace(query=query))

"""Payments at banks of the STET standard: `POST /payment-requests`, the PSU's signature, `GET /payment-requests/{id}`.

The layout is that of 1.4, with one beneficiary and day for the request; several beneficiaries take that of 1.5, where
they stand in each transfer. Each call carries a token of our own. The standard has a last step, `POST …/confirmation`,
which no bank here is known to wait for: it is not sent (decision 0051). Source: STET interface description 1.5.0.43.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from connectors import oauth, text
from connectors.errors import BankAnswerInvalid, OperatorError, PaymentNotOffered
from connectors.families.berlin_group_parts import psu_headers, segment
from connectors.families.berlin_group_payments import BerlinGroupPayments, Permission, with_query
from connectors.http import BankAnswer, CallKind
from connectors.model import Redirect
from connectors.payments import (
    CreditTransfer,
    PaymentHandle,
    PaymentOffer,
    PaymentRequest,
    PaymentStatus,
    StartedPayment,
    status_of,
)

if TYPE_CHECKING:
    from connectors.families.stet import StetConnector

PATH: Final = "/payment-requests"
SCOPE: Final = "pisp"
REDIRECT: Final = "REDIRECT"
RECEIVED: Final = "RCVD"
CREDITOR_REFERENCE: Final = {"code": "SCOR", "issuer": "ISO"}
_IDENTIFIER: Final = re.compile(r"[a-zA-Z0-9 /\-?:().,']{1,36}")
"""What the description takes as an id: the characters of SEPA without `+`."""


class StetPayments(BerlinGroupPayments):
    """Payments at the bank of one connector."""

    def __init__(self, bank: StetConnector, offer: PaymentOffer) -> None:
        super().__init__(bank, offer)
        self._stet = bank

    def check(self, request: PaymentRequest) -> None:
        super().check(request)
        for number, transfer in enumerate(request.transfers):
            if not _IDENTIFIER.fullmatch(transfer.end_to_end_id):
                raise PaymentNotOffered(
                    "an end-to-end id has characters this bank does not take", bank_id=self._bank_id,
                    field=f"transfers/{number}/end_to_end_id",
                )  # fmt: skip

    def permission(self, *, is_attended: bool) -> Permission:
        """A token of our own, asked for anew each time: how long one lives is not known of every bank."""
        bank = self._stet
        form = {
            **bank.token_params(),
            "grant_type": "client_credentials",
            "client_id": bank.endpoint.client_id,
            "scope": SCOPE,
        }
        answer = oauth.post(
            bank.http, bank.token_endpoint(), form, request_id=bank.new_id(), headers=bank.token_headers(),
            is_attended=is_attended,
        )  # fmt: skip
        tokens = oauth.read_tokens(bank.http, answer, bank.now(), refusal=OperatorError, refresh_token=None)
        return Permission({"Authorization": f"Bearer {tokens.access_token}"})

    def _send(self, request: PaymentRequest, permission: Permission) -> BankAnswer:
        bank = self._stet
        return bank.call(
            "POST", PATH, PATH, CallKind.PAYMENT,
            headers={**psu_headers(request.psu), **permission.headers, **bank.payment_headers},
            json=body_of(request, initiator=request.initiator or bank.endpoint.client_id, now=bank.now()),
            request_id=request.request_id,
            is_attended=True,
        )  # fmt: skip

    def _status_address(self, handle: PaymentHandle) -> tuple[str, str]:
        return f"{PATH}/{segment(handle.bank_payment_id)}", f"{PATH}/{{id}}"

    def _handle(self, request: PaymentRequest, answer: BankAnswer) -> PaymentHandle:
        """The id is the last part of `Location`; the body has none."""
        location = urlsplit(answer.headers.get("location", "")).path.rstrip("/")
        payment_id = text.present_id(unquote(location.rpartition("/")[2]))
        if payment_id is None:
            raise BankAnswerInvalid("the bank gave no payment id", bank_id=self._bank_id, status=answer.status)
        return PaymentHandle(payment_id, {"state": request.state})

    def _started(self, handle: PaymentHandle, request: PaymentRequest, answer: BankAnswer) -> StartedPayment:  # noqa: ARG002  shape of the family
        """The answer names no status: what was created is received."""
        links = answer.json_object().get("_links")
        # Not a link of the interface: the brands' own parameter has no place on the page.
        url = self._bank.http.link(links.get("consentApproval") if isinstance(links, Mapping) else None)
        if url is None:
            raise BankAnswerInvalid("the bank names no page to approve", bank_id=self._bank_id, status=answer.status)
        return StartedPayment(handle, Redirect(url), status_of(self.offer, RECEIVED))

    def _read(self, body: Mapping[str, Any], http_status: int) -> PaymentStatus:
        """The status of the request; why it was refused may stand beside one of its transfers only."""
        found = body.get("paymentRequest")
        found = found if isinstance(found, Mapping) else {}
        code = text.present(found.get("paymentInformationStatus"))
        if code is None:
            raise BankAnswerInvalid("the bank gave no payment status", bank_id=self._bank_id, status=http_status)
        transfers = found.get("creditTransferTransaction")
        transfers = [one for one in transfers if isinstance(one, Mapping)] if isinstance(transfers, list) else []
        reasons = (text.present(part.get("statusReasonInformation")) for part in (found, *transfers))
        parts = dict(filter(None, map(self._part, transfers)))
        return status_of(self.offer, code, next(filter(None, reasons), None), parts)

    def _part(self, transfer: Mapping[str, Any]) -> tuple[str, PaymentStatus] | None:
        """One transfer of the request by its end-to-end id, where both are told."""
        ids = transfer.get("paymentId")
        end_to_end_id = text.present(ids.get("endToEndId")) if isinstance(ids, Mapping) else None
        code = text.present(transfer.get("transactionStatus"))
        if end_to_end_id is None or code is None:
            return None
        return end_to_end_id, status_of(self.offer, code, text.present(transfer.get("statusReasonInformation")))


def body_of(request: PaymentRequest, *, initiator: str, now: datetime) -> dict[str, Any]:
    """The JSON of one request. `initiator` is the name the bank knows us by, `now` the moment it is made.

    Amounts are text, as BNP Paribas Fortis takes them; the description of 1.5 has numbers. Source:
    `PaymentRequestResource`.
    """
    made_at = now.astimezone(text.BRUSSELS)
    day = made_at
    if request.execution_date is not None:
        day = datetime.combine(request.execution_date, time.min, tzinfo=text.BRUSSELS)
    when = {"requestedExecutionDate": day.isoformat(timespec="milliseconds")}
    kind = {"serviceLevel": "SEPA"} | ({"localInstrument": "INST"} if request.is_instant else {})
    to_one = {**when, "beneficiary": _beneficiary(request.transfers[0])}
    return {
        # The bank's clue that a request came twice.
        "paymentInformationId": request.request_id,
        "creationDateTime": made_at.isoformat(timespec="milliseconds"),
        "numberOfTransactions": len(request.transfers),
        "initiatingParty": {"name": initiator},
        "paymentTypeInformation": kind,
        "debtorAccount": {"iban": request.debtor_iban},
        "chargeBearer": "SLEV",
        **({"batchBooking": request.is_batch_booked} if request.is_bulk else to_one),
        "creditTransferTransaction": [
            _transfer(number, transfer) | ({**when, "beneficiary": _beneficiary(transfer)} if request.is_bulk else {})
            for number, transfer in enumerate(request.transfers, 1)
        ],
        "supplementaryData": {
            "acceptedAuthenticationApproach": [REDIRECT],
            "successfulReportUrl": with_query(request.redirect_uri, state=request.state),
            # As OAuth would tell it, since the bank adds nothing that is known.
            "unsuccessfulReportUrl": with_query(request.redirect_uri, state=request.state, error="access_denied"),
        },
    }


def _beneficiary(transfer: CreditTransfer) -> dict[str, Any]:
    return {"creditor": {"name": transfer.creditor_name}, "creditorAccount": {"iban": transfer.creditor_iban}}


def _transfer(number: int, transfer: CreditTransfer) -> dict[str, Any]:
    element: dict[str, Any] = {
        "paymentId": {"instructionId": f"{number}", "endToEndId": transfer.end_to_end_id},
        "instructedAmount": {"currency": "EUR", "amount": f"{transfer.amount:.2f}"},
    }
    reference = transfer.structured_reference
    if reference is not None and reference.startswith("RF"):
        structured = {"creditorReferenceInformation": {"type": CREDITOR_REFERENCE, "reference": reference}}
        element["remittanceInformation"] = {"structured": [structured]}
    elif reference is not None:
        # A Belgian reference goes between its marks, in the text.
        printed = f"+++{reference[:3]}/{reference[3:7]}/{reference[7:]}+++"
        element["remittanceInformation"] = {"unstructured": [printed]}
    elif transfer.text:
        element["remittanceInformation"] = {"unstructured": [transfer.text]}
    return element

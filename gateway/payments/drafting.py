"""Making and changing rows of payments; every step inside the caller's unit of work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlmodel import Session

from gateway.act import Act
from gateway.approvals import asking
from gateway.approvals.evaluation import files
from gateway.audit.log import Change
from gateway.errors import FieldFault
from gateway.ids import new_id
from gateway.payments.content import (
    PaymentWish,
    columns,
    end_to_end_id,
    warning_codes,
)
from gateway.payments.errors import (
    BasketNotDraft,
    WarningsNotAccepted,
)
from gateway.payments.models import Basket, FindingAcceptance, Payment, PaymentPreparer
from gateway.payments.repository import PaymentRepository
from gateway.payments.states import OPEN, PAYMENT_TRANSITIONS, BasketState, PaymentState, step
from sepa import AddressMode

EDITABLE: Final = OPEN | {PaymentState.DRAFT}
"""What has not left and not ended."""


def new_basket(act: Act, client_id: UUID, *, name: str, external_id: str | None = None) -> Basket:
    """A draft, not stored yet."""
    return Basket(
        id=new_id(),
        office_id=act.office_id,
        client_id=client_id,
        name=name,
        external_id=external_id,
        state=BasketState.DRAFT,
        created_by_kind=act.principal.kind.value,
        created_by=act.principal.id,
        created_at=act.now,
    )


def new_payment(  # noqa: PLR0917 — what a payment is made of, in order
    act: Act, basket: Basket, wish: PaymentWish, position: int, debtor_iban: str, mode: AddressMode
) -> Payment:
    """A draft with its findings, not stored yet."""
    payment_id = new_id()
    return Payment(
        id=payment_id,
        office_id=act.office_id,
        client_id=basket.client_id,
        basket_id=basket.id,
        position=position,
        state=PaymentState.DRAFT,
        source="person" if act.principal.is_person else "api",
        external_id=wish.external_id,
        end_to_end_id=end_to_end_id(payment_id),
        created_at=act.now,
        **columns(wish, payment_id=payment_id, debtor_iban=debtor_iban, today=act.today, address_mode=mode),
    )


def write_columns(
    act: Act, payment: Payment, wish: PaymentWish, debtor_iban: str, mode: AddressMode
) -> dict[str, Change]:
    """Put the wish on the payment and check it anew; the content that changed, empty when nothing did."""
    values = columns(wish, payment_id=payment.id, debtor_iban=debtor_iban, today=act.today, address_mode=mode)
    changes = {
        name: Change(getattr(payment, name), values[name])
        for name in Payment.CONTENT
        if getattr(payment, name) != values[name]
    }
    if changes:
        for name, value in values.items():
            setattr(payment, name, value)
        payment.version += 1
    return changes


def note_preparer(
    session: Session, act: Act, payments: Iterable[Payment], known: Mapping[UUID, frozenset[UUID]]
) -> None:
    """Write down that this person or machine made or changed the payments (APP-06)."""
    session.add_all(
        [
            PaymentPreparer(
                id=new_id(),
                office_id=act.office_id,
                payment_id=payment.id,
                actor_kind=act.principal.kind.value,
                actor_id=act.principal.id,
                since=act.now,
            )
            for payment in payments
            if act.principal.id not in known[payment.id]
        ]
    )


def accept_findings(session: Session, act: Act, payments: Iterable[Payment], accepted: Iterable[str]) -> None:
    """Store who let the warnings of these payments pass in their next round. Raises `WarningsNotAccepted`."""
    codes = set(accepted)
    shown = {payment.id: warning_codes(payment.findings) for payment in payments}
    missing = set().union(*shown.values()) - codes
    if missing:
        raise WarningsNotAccepted(codes=", ".join(sorted(missing)))
    session.add_all(
        [
            FindingAcceptance(
                id=new_id(),
                office_id=act.office_id,
                payment_id=payment.id,
                approval_round=payment.approval_round + 1,
                code=code,
                accepted_by_kind=act.principal.kind.value,
                accepted_by=act.principal.id,
                accepted_at=act.now,
            )
            for payment in payments
            for code in sorted(shown[payment.id])
        ]
    )


def end(session: Session, act: Act, payments: Sequence[Payment], wanted: PaymentState) -> None:
    """Take payments out; what was asked about them is void."""
    for payment in payments:
        payment.state = step(PAYMENT_TRANSITIONS, payment.state, wanted)
        payment.version += 1
    asking.void_requests(payments, files(session, act.office_id, payments))
    session.add_all(payments)


def require_draft(basket: Basket) -> None:
    """Payments are added and moved in drafts only."""
    if basket.state is not BasketState.DRAFT:
        raise BasketNotDraft(state=basket.state.value)


def address_mode(repository: PaymentRepository, office_id: UUID, client_id: UUID) -> AddressMode:
    """What the client's bank accepts as address."""
    settings = repository.settings(office_id, client_id)
    return AddressMode(settings.address_mode) if settings else AddressMode.STRUCTURED


def account_fault(wish: PaymentWish) -> FieldFault:
    """The account that is named is not the client's, or none is named and the client has no default one."""
    if wish.debtor_account_id is None:
        return FieldFault(
            "/debtor_account_id",
            "debtor_account_missing",
            "The client has no default debtor account.",
            "Name an account, or choose the client's default debtor account.",
        )
    return FieldFault(
        "/debtor_account_id",
        "account_not_found",
        "The client has no account in euro with this id.",
        "Take an id from GET /v1/accounts.",
    )

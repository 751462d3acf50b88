"""The checks before payments leave, run again in the transaction that lets them go (PAY-13, law 4).

Seal and approvals are recomputed from the rows, the rules are asked again with the people, groups, maxima and totals of
this moment, and the payment is checked for its execution today.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from gateway.accounts.models import Account
from gateway.act import Act
from gateway.approvals.asking import FAULTS_MAX
from gateway.approvals.evaluation import File, Panel, files, panels, subject_of
from gateway.approvals.sealing import is_genuine
from gateway.crypto import KeyRing
from gateway.errors import FieldFault
from gateway.ids import encode
from gateway.payments.content import sent_order
from gateway.payments.creditors import CreditorFacts, creditor_facts
from gateway.payments.models import Payment
from gateway.payments.repository import PaymentRepository
from gateway.payments.sealing import is_sealed
from sepa import AddressMode, Severity, check_payment
from sepa.approval import Evaluation, State


@dataclass(frozen=True, slots=True)
class Hindrance:
    """One reason why one payment may not leave; the rule when one is in the way."""

    payment_id: UUID
    code: str
    sentence: str
    rule_id: UUID | None = None

    def fault(self) -> FieldFault:
        """As a field of a problem answer: the pointer names the payment, the detail the rule."""
        sentence = self.sentence
        if self.rule_id is not None:
            sentence = f"{sentence} {encode('approval_rule', self.rule_id)}"
        return FieldFault(f"/payments/{encode('payment', self.payment_id)}", self.code, sentence)


@dataclass(frozen=True, slots=True)
class Departure:
    """What the checks need besides the payments: the accounts that pay, the form of address, the basket's total."""

    accounts: dict[UUID, Account]
    address_mode: AddressMode
    basket_total: Decimal


def hindrances(
    session: Session,
    act: Act,
    keys: KeyRing,
    payments: Sequence[Payment],
    departure: Departure,
) -> list[Hindrance]:
    """Everything that keeps these payments of one client from leaving now; empty when they may."""
    client_id = payments[0].client_id
    on_file = files(session, act.office_id, payments)
    panel = panels(session, act.office_id, [client_id])[client_id]
    facts = creditor_facts(session, act.office_id, client_id, payments, now=act.now)
    found: list[Hindrance] = []
    for payment in payments:
        file = on_file[payment.id]
        if not is_sealed(keys, payment, file.preparers):
            found.append(Hindrance(payment.id, "seal_mismatch", "The payment is not what was approved."))
            continue
        account = departure.accounts.get(payment.debtor_account_id)
        if account is None or account.iban != payment.debtor_iban:
            found.append(Hindrance(payment.id, "account_changed", "The debtor account is not the one approved."))
        found.extend(_findings(act, payment, departure.address_mode))
        found.extend(_approvals(keys, payment, file, panel, facts, departure.basket_total))
    return found


def faults(found: Iterable[Hindrance]) -> list[FieldFault]:
    """The first hindrances as fields of a problem answer."""
    return [hindrance.fault() for hindrance in found][:FAULTS_MAX]


def departure_of(session: Session, act: Act, payments: Sequence[Payment], basket_total: Decimal) -> Departure:
    """What the checks of these payments need."""
    repository = PaymentRepository(session)
    client_id = payments[0].client_id
    settings = repository.settings(act.office_id, client_id)
    return Departure(
        accounts=repository.debtor_accounts(act.office_id, client_id),
        address_mode=AddressMode(settings.address_mode) if settings else AddressMode.STRUCTURED,
        basket_total=basket_total,
    )


def _findings(act: Act, payment: Payment, mode: AddressMode) -> list[Hindrance]:
    return [
        Hindrance(payment.id, finding.code, finding.text)
        for finding in check_payment(sent_order(payment), today=act.today, address_mode=mode)
        if finding.severity is Severity.BLOCKED
    ]


def _approvals(  # noqa: PLR0917 — all that decides, in one place
    keys: KeyRing, payment: Payment, file: File, panel: Panel, facts: CreditorFacts, basket_total: Decimal
) -> list[Hindrance]:
    if payment.approval_basis == "process_off":
        if panel.is_process_on:
            return [Hindrance(payment.id, "approval_missing", "The approval process is on since it was submitted.")]
        return []
    decisions = file.decisions(payment)
    if not all(is_genuine(keys, approval) for approval in decisions):
        return [Hindrance(payment.id, "approval_mismatch", "An approval was changed in the database.")]
    subject = subject_of(payment, file, basket_total=basket_total, facts=facts)
    return _unmet(payment.id, panel.departing(payment, subject, file, decisions))


def _unmet(payment_id: UUID, evaluation: Evaluation) -> list[Hindrance]:
    if evaluation.state is State.APPROVED:
        return []
    found = [
        Hindrance(
            payment_id,
            "approval_missing",
            f"{ask.given} of {ask.needed} people have approved, as things are now, for rule",
            UUID(ask.rule_id),
        )
        for ask in evaluation.requirements
        if not ask.is_satisfied
    ]
    found += [
        Hindrance(
            payment_id,
            reason.code,
            f"{reason.needed} people are needed and {reason.available} can act for rule",
            UUID(reason.rule_id),
        )
        for reason in evaluation.reasons
        if reason.rule_id is not None
    ]
    return found or [Hindrance(payment_id, "approval_missing", "Nobody was asked to approve it, or it was rejected.")]

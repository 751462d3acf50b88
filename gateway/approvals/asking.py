"""Asking for approvals: a payment is sealed, the rules that apply are written down, and its state is set.

Everything here happens inside the caller's unit of work, which holds the basket's row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from gateway.act import Act
from gateway.approvals.errors import NoRuleMatches, RuleUnsatisfiable
from gateway.approvals.evaluation import File, Panel, requests_of, subject_of
from gateway.approvals.models import ApprovalRequest
from gateway.approvals.states import RequestState, voidable
from gateway.crypto import KeyRing
from gateway.errors import FieldFault
from gateway.events.log import EventLog
from gateway.ids import encode, new_id
from gateway.payments.creditors import COUNTED, creditor_facts
from gateway.payments.models import Payment
from gateway.payments.sealing import payment_seal
from gateway.payments.states import PAYMENT_TRANSITIONS, PaymentState, step
from sepa.approval import Evaluation, State

FAULTS_MAX = 100
"""A refusal names this many payments; more would not be read."""


def ask(
    session: Session,
    act: Act,
    panel: Panel,
    payments: Sequence[Payment],
    files: Mapping[UUID, File],
    *,
    keys: KeyRing,
    events: EventLog,
    basket_total: Decimal,
    is_refusing: bool = True,
) -> dict[UUID, Evaluation]:
    """Open a new round for these payments of one client: seal them and ask whoever the rules name.

    A payment for which the process is off is approved with that basis. Raises `NoRuleMatches` or `RuleUnsatisfiable`,
    unless `is_refusing` is off: then such a payment waits, and nobody can approve it.
    """
    proposals = preview(session, act, panel, payments, files, basket_total=basket_total)
    if panel.is_process_on and is_refusing:
        refuse(payments, proposals)
    void_requests(payments, files)
    facts = creditor_facts(session, act.office_id, payments[0].client_id, payments, now=act.now)
    for payment in payments:
        payment.approval_round += 1
        payment.rules_revision = panel.revision
        payment.approval_basis = "rules" if panel.is_process_on else "process_off"
        payment.creditor_state = facts.state(payment)
        payment.submitted_at = act.now
        payment.seal = payment_seal(keys, payment, files[payment.id].preparers)
        if payment.state is not PaymentState.SUBMITTED:
            payment.state = step(PAYMENT_TRANSITIONS, payment.state, PaymentState.SUBMITTED)
        if not panel.is_process_on:
            payment.state = step(PAYMENT_TRANSITIONS, payment.state, PaymentState.APPROVED)
        payment.version += 1
    session.add_all(payments)
    if panel.is_process_on:
        for payment in payments:
            rows = _rows(act, payment, requests_of(proposals[payment.id]))
            session.add_all(rows)
            _tell_requested(session, events, act, payment, rows)
    return proposals


def preview(
    session: Session,
    act: Act,
    panel: Panel,
    payments: Sequence[Payment],
    files: Mapping[UUID, File],
    *,
    basket_total: Decimal,
) -> dict[UUID, Evaluation]:
    """What the rules in force would ask of these payments; nothing is changed."""
    facts = creditor_facts(session, act.office_id, payments[0].client_id, payments, now=act.now)
    return {
        payment.id: panel.proposed(
            subject_of(payment, files[payment.id], seal="none yet", basket_total=basket_total, facts=facts)
        )
        for payment in payments
    }


def refuse(payments: Iterable[Payment], evaluations: Mapping[UUID, Evaluation]) -> None:
    """Raise when a payment is covered by no rule, or too few people could ever approve it."""
    uncovered: list[FieldFault] = []
    short: list[FieldFault] = []
    first = None
    for payment in payments:
        pointer = f"/payments/{encode('payment', payment.id)}"
        for reason in evaluations[payment.id].reasons:
            if reason.code == "no_rule_matches":
                uncovered.append(FieldFault(pointer, reason.code, NoRuleMatches.title, NoRuleMatches.hint))
                continue
            assert reason.rule_id is not None, "an unsatisfiable rule has an id"
            rule_id = encode("approval_rule", UUID(reason.rule_id))
            first = first or (rule_id, reason.needed, reason.available)
            sentence = f"Rule {rule_id} needs {reason.needed} people and {reason.available} can act."
            short.append(FieldFault(pointer, reason.code, sentence, RuleUnsatisfiable.hint))
    if uncovered:
        raise NoRuleMatches(count=len(uncovered), faults=uncovered[:FAULTS_MAX])
    if first is not None:
        rule_id, needed, available = first
        raise RuleUnsatisfiable(rule_id=rule_id, needed=needed, available=available, faults=short[:FAULTS_MAX])


def ask_further(
    session: Session,
    act: Act,
    panel: Panel,
    payments: Sequence[Payment],
    files: Mapping[UUID, File],
    *,
    events: EventLog,
    basket_total: Decimal,
) -> list[Payment]:
    """Add the requests of rules that the basket's new total brings in; who already approved stays approved (APP-08).

    Returns the payments that wait again.
    """
    if not payments:
        return []
    facts = creditor_facts(session, act.office_id, payments[0].client_id, payments, now=act.now)
    waiting = []
    for payment in payments:
        file = files[payment.id]
        if payment.approval_basis != "rules":
            continue
        subject = subject_of(payment, file, basket_total=basket_total, facts=facts)
        rows = _rows(act, payment, {UUID(rule.id): rule.version for rule in panel.added(payment, subject, file)})
        if not rows:
            continue
        session.add_all(rows)
        _tell_requested(session, events, act, payment, rows)
        evaluation = panel.standing(payment, replace(file, requests=[*file.requests, *rows]))
        refuse([payment], {payment.id: evaluation})
        if payment.state is PaymentState.APPROVED and evaluation.state is not State.APPROVED:
            payment.state = step(PAYMENT_TRANSITIONS, payment.state, PaymentState.SUBMITTED)
            payment.version += 1
            waiting.append(payment)
    session.add_all(waiting)
    return waiting


def void_requests(payments: Iterable[Payment], files: Mapping[UUID, File]) -> None:
    """Void what is still asked or was agreed to; an edit, a withdrawal and a cancellation do so."""
    for payment in payments:
        for request in files[payment.id].live_requests(payment):
            if request.state in voidable():
                request.state = RequestState.VOIDED


def total_of(payments: Iterable[Payment]) -> Decimal:
    """What a basket comes to: everything asked for or under way, nothing that was refused or taken out."""
    return sum((payment.amount for payment in payments if payment.state in COUNTED), Decimal(0))


def _rows(act: Act, payment: Payment, rules: Mapping[UUID, int]) -> list[ApprovalRequest]:
    return [
        ApprovalRequest(
            id=new_id(),
            office_id=act.office_id,
            payment_id=payment.id,
            approval_round=payment.approval_round,
            rule_id=rule_id,
            rule_version=version,
            state=RequestState.PENDING,
            created_at=act.now,
        )
        for rule_id, version in rules.items()
    ]


def _tell_requested(
    session: Session, events: EventLog, act: Act, payment: Payment, rows: Sequence[ApprovalRequest]
) -> None:
    """Somebody has to decide; whom the rules name is read from the payment itself."""
    if rows:
        events.record(
            session, act, "approval.requested", "payment", payment.id, client_id=payment.client_id,
            data={"rules": len(rows), "basket_id": encode("basket", payment.basket_id)},
        )  # fmt: skip

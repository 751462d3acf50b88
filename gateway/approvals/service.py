"""Deciding on payments: one person, one decision per round, on exactly the content that was shown (APP-04…10, APP-14).

Many decisions are taken together with a bounded number of statements. Baskets are locked in order of their ids, then
their payments, so two approvers follow one another: the second sees what the first did.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlmodel import Session

from gateway.act import Act
from gateway.approvals.errors import (
    DecisionOvertaken,
    NotAsked,
    PreparerExcluded,
    ReasonRequired,
    RuleUnsatisfiable,
    SealBroken,
    SealChanged,
    SealRequired,
)
from gateway.approvals.evaluation import File, Panel, files, panels
from gateway.approvals.guard import require_client_of
from gateway.approvals.models import Approval
from gateway.approvals.sealing import approval_mac
from gateway.approvals.states import TRANSITIONS, RequestState
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import FieldFault, GatewayError
from gateway.events.log import EventLog
from gateway.identity.rights import Permission
from gateway.ids import encode, new_id
from gateway.payments.access import follow
from gateway.payments.errors import PaymentNotFound
from gateway.payments.models import Payment
from gateway.payments.repository import PaymentRepository
from gateway.payments.sealing import is_sealed
from gateway.payments.states import PAYMENT_TRANSITIONS, PaymentState, step
from gateway.payments.telling import tell
from gateway.signed_decisions.service import require_signature, totals_of
from sepa.approval import Evaluation, State, Verdict

DECISIONS_MAX: Final = 500


class RejectionReason(StrEnum):
    """Why a payment is rejected; a text goes with it."""

    NOT_DUE = "not_due"
    WRONG_AMOUNT = "wrong_amount"
    WRONG_ACCOUNT = "wrong_account"
    UNKNOWN_CREDITOR = "unknown_creditor"
    DUPLICATE = "duplicate"
    DISPUTED = "disputed"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionWish:
    """What a person decides about one payment. `seal` is the one shown; None is refused."""

    payment_id: UUID
    seal: str | None
    verdict: Verdict
    reason_code: RejectionReason | None = None
    reason_text: str | None = None


@dataclass(frozen=True, slots=True)
class DecisionOutcome:
    """What became of one decision: the payment and where it stands now, or the refusal."""

    payment_id: UUID
    payment: Payment | None = None
    evaluation: Evaluation | None = None
    error: GatewayError | None = None


class ApprovalService:
    """Decisions of people."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def decide(self, act: Act, wish: DecisionWish) -> DecisionOutcome:
        """One decision; raises what refused it."""
        outcome = self.decide_many(act, [wish])[0]
        if outcome.error is not None:
            raise outcome.error
        return outcome

    def decide_many(self, act: Act, wishes: Sequence[DecisionWish]) -> list[DecisionOutcome]:
        """Up to 500 decisions, a result each; the good ones stand when others are refused.

        Raises `PersonRequired` for machines and `SecondFactorRequired`; everything else is in the results.
        """
        assert len(wishes) <= DECISIONS_MAX, "the endpoint refuses more"
        verdicts = {wish.verdict for wish in wishes}
        # One assertion names one decision: through an application, approvals and rejections come apart.
        act.require_fresh_second_factor(decision=verdicts.pop().value if len(verdicts) == 1 else "mixed")
        act.principal.require_asserted(seals={wish.payment_id: wish.seal for wish in wishes})
        with self.gateway.database.unit_of_work(act.office_id) as session:
            table = _Table(session, act, wishes)
            self._require_signature(session, act, wishes, table)
            outcomes = [self._decide(session, act, wish, table) for wish in wishes]
            table.follow(self.gateway.events)
        return outcomes

    def _require_signature(self, session: Session, act: Act, wishes: Sequence[DecisionWish], table: _Table) -> None:
        """Approving above the client's amount takes a passkey's signature over all of it (SEC-04)."""
        approved = {wish.payment_id: wish.seal for wish in wishes if wish.verdict is Verdict.APPROVE and wish.seal}
        totals = totals_of(table.open_to_caller(approved))
        require_signature(self.gateway, session, act, Verdict.APPROVE.value, totals=totals, seals=approved)

    def _decide(self, session: Session, act: Act, wish: DecisionWish, table: _Table) -> DecisionOutcome:
        try:
            payment = table.payment(wish.payment_id)
            panel, file = table.panels[payment.client_id], table.files[payment.id]
            evaluation = self._require_asked(act, wish, payment, panel, file)
        except GatewayError as error:
            return DecisionOutcome(wish.payment_id, error=error)
        approval = self._approval(act, wish, payment, evaluation)
        session.add(approval)
        file = table.files[payment.id] = replace(file, approvals=[*file.approvals, approval])
        evaluation = panel.standing(payment, file)
        before = payment.state
        self._settle(act, payment, file, evaluation)
        session.add(payment)
        table.changed.add(payment.basket_id)
        self.gateway.audit.record(
            session,
            act,
            f"payment.{'approval_given' if wish.verdict is Verdict.APPROVE else 'rejected'}",
            "payment",
            payment.id,
            client_id=payment.client_id,
            changes={
                "state": Change(before, payment.state),
                "decision": Change(
                    None,
                    {
                        "seal": approval.payment_seal,
                        "rule_versions": approval.rule_versions,
                        "reason_code": approval.reason_code,
                        "reason_text": approval.reason_text,
                    },
                ),
            },
            second_factor=act.second_factor,
        )
        if payment.state is PaymentState.APPROVED:
            tell(self.gateway.events, session, act, payment)
        return DecisionOutcome(payment.id, payment, evaluation)

    def _require_asked(self, act: Act, wish: DecisionWish, payment: Payment, panel: Panel, file: File) -> Evaluation:
        """Where the payment stands, when this person may decide so on it now."""
        if wish.seal is None:
            raise SealRequired
        if payment.seal is None or not hmac.compare_digest(wish.seal.encode(), payment.seal.encode()):
            raise SealChanged
        if not is_sealed(self.gateway.keys, payment, file.preparers):
            raise SealBroken
        me = act.principal.id
        if payment.state is not PaymentState.SUBMITTED or any(a.user_id == me for a in file.decisions(payment)):
            raise DecisionOvertaken(state=payment.state.value)
        if wish.verdict is Verdict.REJECT and (wish.reason_code is None or not (wish.reason_text or "").strip()):
            raise ReasonRequired(faults=[FieldFault("/reason_code", ReasonRequired.code, ReasonRequired.title)])
        evaluation = panel.standing(payment, file)
        if me in file.preparers and not panel.preparer_may_approve:
            raise _not_now(PreparerExcluded, evaluation)
        if wish.verdict is Verdict.REJECT:
            # Whoever is named may say no, also before their turn.
            if not any(str(me) in requirement.eligible for requirement in evaluation.requirements):
                raise _not_now(NotAsked, evaluation)
            return evaluation
        if evaluation.state is State.REFUSED:
            raise _unsatisfiable(evaluation)
        if str(me) not in evaluation.may_act:
            raise _not_now(NotAsked, evaluation)
        return evaluation

    def _approval(self, act: Act, wish: DecisionWish, payment: Payment, evaluation: Evaluation) -> Approval:
        assert payment.seal is not None, "checked before"
        approval = Approval(
            id=new_id(),
            office_id=act.office_id,
            payment_id=payment.id,
            approval_round=payment.approval_round,
            user_id=act.principal.id,
            verdict=wish.verdict.value,
            reason_code=wish.reason_code.value if wish.reason_code else None,
            reason_text=wish.reason_text,
            payment_seal=payment.seal,
            rule_versions={ask.rule_id: ask.rule_version for ask in evaluation.requirements},
            decided_at=act.now,
            mac="",
        )
        approval.mac = approval_mac(self.gateway.keys, approval)
        return approval

    @staticmethod
    def _settle(act: Act, payment: Payment, file: File, evaluation: Evaluation) -> None:
        """Bring requests and payment to what the decisions give."""
        asks = {UUID(ask.rule_id): ask for ask in evaluation.requirements}
        for request in file.live_requests(payment):
            ask = asks[request.rule_id]
            if evaluation.state is State.REJECTED:
                is_named = str(act.principal.id) in ask.eligible and request.state is RequestState.PENDING
                wanted = RequestState.REJECTED if is_named else RequestState.VOIDED
            else:
                wanted = RequestState.APPROVED if ask.is_satisfied else request.state
            if wanted is not request.state:
                assert wanted in TRANSITIONS[request.state], "requests move along their life cycle"
                request.state = wanted
        if evaluation.state is State.APPROVED:
            payment.state = step(PAYMENT_TRANSITIONS, payment.state, PaymentState.APPROVED)
        elif evaluation.state is State.REJECTED:
            payment.state = step(PAYMENT_TRANSITIONS, payment.state, PaymentState.REJECTED)
        payment.version += 1


class _Table:
    """Everything the decisions at hand need, locked and read once."""

    def __init__(self, session: Session, act: Act, wishes: Sequence[DecisionWish]) -> None:
        self._session = session
        self._act = act
        repository = PaymentRepository(session)
        ids = [wish.payment_id for wish in wishes]
        self.baskets = repository.lock_baskets(act.office_id, repository.basket_of(act.office_id, ids).values())
        # The baskets are held, so no payment in them can change but through this call.
        self._payments = {payment.id: payment for payment in repository.lock_payments(act.office_id, ids)}
        self.panels = panels(session, act.office_id, (payment.client_id for payment in self._payments.values()))
        self.files = files(session, act.office_id, self._payments.values())
        self.changed: set[UUID] = set()
        self._refusals: dict[UUID, GatewayError | None] = {}

    def payment(self, payment_id: UUID) -> Payment:
        """The payment, when this person may decide for its client; raises what forbids it."""
        payment = self._payments.get(payment_id)
        if payment is None:
            raise PaymentNotFound
        if payment.client_id not in self._refusals:
            self._refusals[payment.client_id] = self._refusal(payment.client_id)
        refusal = self._refusals[payment.client_id]
        if refusal is not None:
            raise refusal
        return payment

    def open_to_caller(self, ids: Iterable[UUID]) -> Iterator[Payment]:
        """Those of them that this person may decide on; what is asked tells nothing about others."""
        for payment_id in ids:
            try:
                yield self.payment(payment_id)
            except GatewayError:
                continue

    def follow(self, events: EventLog) -> None:
        """Bring the baskets along."""
        self._session.flush()
        for basket_id, states in PaymentRepository(self._session).states(self._act.office_id, self.changed).items():
            follow(self._session, events, self._act, self.baskets[basket_id], states)

    def _refusal(self, client_id: UUID) -> GatewayError | None:
        try:
            self._act.principal.require_asserted(client_id=client_id)
            require_client_of(
                self._session,
                self._act,
                client_id,
                Permission.PAYMENTS_APPROVE,
                missing=PaymentNotFound,
                is_change=True,
            )
        except GatewayError as error:
            return error
        return None


def _not_now(kind: type[NotAsked | PreparerExcluded], evaluation: Evaluation) -> GatewayError:
    """A refusal that names the rules that wait and the people who can act, by their ids."""
    rules = [ask.rule_id for ask in evaluation.requirements if not ask.is_satisfied]
    return kind(
        rule_ids=", ".join(encode("approval_rule", UUID(rule_id)) for rule_id in rules) or "-",
        user_ids=", ".join(encode("user", UUID(user_id)) for user_id in sorted(evaluation.may_act)) or "-",
    )


def _unsatisfiable(evaluation: Evaluation) -> GatewayError:
    for reason in evaluation.reasons:
        if reason.rule_id is not None:
            return RuleUnsatisfiable(
                rule_id=encode("approval_rule", UUID(reason.rule_id)),
                needed=reason.needed,
                available=reason.available,
            )
    return _not_now(NotAsked, evaluation)

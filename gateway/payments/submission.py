"""Submitting a basket for approval, and withdrawing it (PAY-03, APP-01, APP-03, APP-04)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlmodel import Session

from gateway.act import Act
from gateway.approvals import asking
from gateway.approvals.evaluation import files, panels
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import FieldFault
from gateway.identity.rights import Permission
from gateway.ids import encode
from gateway.offices.service import require_not_pending
from gateway.payments.access import find_basket, follow, states_of
from gateway.payments.baskets import BasketService, BasketView
from gateway.payments.content import CheckResult, checked, order_of
from gateway.payments.drafting import accept_findings, address_mode, new_basket, require_draft
from gateway.payments.errors import BasketChanged, BasketEmpty, PaymentsBlocked
from gateway.payments.models import Basket, Payment
from gateway.payments.repository import PaymentRepository
from gateway.payments.states import BASKET_TRANSITIONS, OPEN, PAYMENT_TRANSITIONS, BasketState, PaymentState, step
from gateway.payments.telling import tell
from sepa import AddressMode
from sepa.approval import Evaluation


@dataclass(frozen=True, slots=True)
class Submission:
    """What a submission did, or would do: per payment what the rules ask, and the basket of those left behind."""

    view: BasketView
    evaluations: Mapping[UUID, Evaluation] = field(default_factory=dict)
    left_basket: Basket | None = None


class SubmissionService:
    """From draft to waiting for approval, and back."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def submit(
        self,
        act: Act,
        basket_id: UUID,
        *,
        version: int,
        accepted_findings: Iterable[str] = (),
        leave_blocked: bool = False,
        is_dry_run: bool = False,
    ) -> Submission:
        """Check every payment as of today, seal it and ask whoever the rules in force name.

        Blocked payments refuse the submission, or move to a new draft with `leave_blocked`. The caller cannot choose
        rules. A dry run tells what would be asked, also where the answer is a refusal, and changes nothing.
        Raises `BasketNotDraft`, `BasketEmpty`, `PaymentsBlocked`, `WarningsNotAccepted`, `NoRuleMatches`,
        `RuleUnsatisfiable`.
        """
        with self.gateway.database.unit_of_work(act.office_id) as session:
            basket, client = find_basket(session, act, basket_id, Permission.PAYMENTS_WRITE, is_change=True)
            if not is_dry_run:
                require_not_pending(client)
            if basket.version != version:
                raise BasketChanged
            require_draft(basket)
            repository = PaymentRepository(session)
            together = repository.lock_payments_of(act.office_id, [basket.id])
            drafts = [payment for payment in together if payment.state is PaymentState.DRAFT]
            mode = address_mode(repository, act.office_id, basket.client_id)
            found = {payment.id: recheck(act, payment, mode) for payment in drafts}
            blocked = [p for p in drafts if found[p.id]["check_result"] == CheckResult.BLOCKED]
            going = [p for p in drafts if found[p.id]["check_result"] != CheckResult.BLOCKED]
            if is_dry_run:
                return self._preview(session, act, basket, going)
            if blocked and not leave_blocked:
                raise PaymentsBlocked(count=len(blocked), faults=_faults(blocked, found))
            if not going:
                raise BasketEmpty
            for payment in drafts:
                payment.check_result, payment.findings = (
                    found[payment.id]["check_result"],
                    found[payment.id]["findings"],
                )
            left = self._leave(session, act, basket, blocked) if blocked else None
            accept_findings(session, act, going, accepted_findings)
            evaluations = self._ask(session, act, basket, going)
            for payment in going:
                tell(self.gateway.events, session, act, payment)
            self.gateway.audit.record(
                session,
                act,
                "basket.submitted",
                "basket",
                basket.id,
                client_id=basket.client_id,
                changes={
                    "state": Change(BasketState.DRAFT, basket.state),
                    "payment_count": Change(None, len(going)),
                    "total": Change(None, asking.total_of(going)),
                    "rules_revision": Change(None, going[0].rules_revision),
                    "approval_basis": Change(None, going[0].approval_basis),
                },
            )
            remaining = [payment for payment in together if payment.basket_id == basket.id]
            follow(session, self.gateway.events, act, basket, states_of(remaining))
            return Submission(BasketService.view(session, basket), evaluations, left)

    def withdraw(self, act: Act, basket_id: UUID, *, version: int) -> BasketView:
        """Take a basket back to draft; what was asked and agreed to is void."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            basket, _ = find_basket(session, act, basket_id, Permission.PAYMENTS_WRITE, is_change=True)
            if basket.version != version:
                raise BasketChanged
            before = basket.state
            basket.state = step(BASKET_TRANSITIONS, basket.state, BasketState.DRAFT)
            payments = [
                payment
                for payment in PaymentRepository(session).lock_payments_of(act.office_id, [basket.id])
                if payment.state in OPEN
            ]
            asking.void_requests(payments, files(session, act.office_id, payments))
            for payment in payments:
                payment.state = step(PAYMENT_TRANSITIONS, payment.state, PaymentState.DRAFT)
                payment.seal = None
                payment.version += 1
            session.add_all(payments)
            for payment in payments:
                tell(self.gateway.events, session, act, payment, word="withdrawn")
            basket.version += 1
            self.gateway.audit.record(
                session, act, "basket.withdrawn", "basket", basket.id, client_id=basket.client_id,
                changes={"state": Change(before, basket.state), "payment_count": Change(None, len(payments))},
            )  # fmt: skip
            return BasketService.view(session, basket)

    # Helpers -----------------------------------------------------------------------------------------------------

    def _ask(self, session: Session, act: Act, basket: Basket, going: Sequence[Payment]) -> dict[UUID, Evaluation]:
        panel = panels(session, act.office_id, [basket.client_id])[basket.client_id]
        on_file = files(session, act.office_id, going)
        total = sum((payment.amount for payment in going), asking.total_of([]))
        evaluations = asking.ask(
            session, act, panel, going, on_file, keys=self.gateway.keys, events=self.gateway.events, basket_total=total
        )
        basket.submitted_at = act.now
        basket.state = step(BASKET_TRANSITIONS, basket.state, BasketState.SUBMITTED)
        return evaluations

    def _preview(self, session: Session, act: Act, basket: Basket, going: Sequence[Payment]) -> Submission:
        evaluations: dict[UUID, Evaluation] = {}
        panel = panels(session, act.office_id, [basket.client_id])[basket.client_id]
        if going and panel.is_process_on:
            total = sum((payment.amount for payment in going), asking.total_of([]))
            on_file = files(session, act.office_id, going)
            evaluations = asking.preview(session, act, panel, going, on_file, basket_total=total)
        return Submission(BasketService.view(session, basket), evaluations)

    def _leave(self, session: Session, act: Act, basket: Basket, blocked: Sequence[Payment]) -> Basket:
        """A new draft for the payments that cannot go; they keep their ids and preparers."""
        left = new_basket(act, basket.client_id, name=basket.name)
        session.add(left)
        session.flush()
        for position, payment in enumerate(blocked, start=1):
            payment.basket_id, payment.position = left.id, position
            payment.version += 1
        session.add_all(blocked)
        self.gateway.audit.record(
            session, act, "basket.created", "basket", left.id, client_id=left.client_id,
            changes={"name": Change(None, left.name), "payment_count": Change(None, len(blocked))},
        )  # fmt: skip
        return left


def recheck(act: Act, payment: Payment, mode: AddressMode) -> dict[str, Any]:
    """What the checks say today: a date may have passed since the payment was entered."""
    entered = order_of({name: getattr(payment, name) for name in Payment.CONTENT}, payment.id)
    return checked(entered, today=act.today, address_mode=mode)


def _faults(blocked: Sequence[Payment], found: Mapping[UUID, Mapping[str, Any]]) -> list[FieldFault]:
    return [
        FieldFault(f"/payments/{encode('payment', payment.id)}", "blocked", _codes(found[payment.id]))
        for payment in blocked[: asking.FAULTS_MAX]
    ]


def _codes(columns: Mapping[str, Any]) -> str:
    return ", ".join(finding["code"] for finding in columns["findings"])

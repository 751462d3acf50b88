"""Where payments stand under their client's rules: what the engine needs is read once for all of them.

Three questions are asked. `proposed`: which rules apply now, for a submission, an edit or a preview. `standing`: how
far a waiting payment is under the rule versions of its submission. `departing`: whether it may leave at this moment,
with present people, groups, maxima and rolling totals (PAY-13).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session, select

from gateway.approvals.models import Approval, ApprovalRequest, ApprovalSettings
from gateway.approvals.repository import ApprovalRepository
from gateway.approvals.rulebook import Rulebook
from gateway.approvals.states import RequestState
from gateway.machines.models import Application
from gateway.payments.creditors import CreditorFacts
from gateway.payments.models import Payment
from gateway.payments.queries import within
from gateway.payments.repository import PaymentRepository
from sepa.approval import ANY, Decision, Directory, Engine, Evaluation, Reason, Rule, Subject, Verdict


@dataclass(frozen=True, slots=True)
class File:
    """What is on file for one payment: who prepared it, what was asked, what was decided."""

    preparers: frozenset[UUID] = frozenset()
    requests: Sequence[ApprovalRequest] = ()
    approvals: Sequence[Approval] = ()
    needs_two: bool = False
    """An application made or changed it and did not say for whom (SEC-15)."""

    def live_requests(self, payment: Payment) -> list[ApprovalRequest]:
        """The requests of the present round that were not voided."""
        return [
            request
            for request in self.requests
            if request.approval_round == payment.approval_round and request.state is not RequestState.VOIDED
        ]

    def decisions(self, payment: Payment) -> list[Approval]:
        """The decisions of the present round."""
        return [approval for approval in self.approvals if approval.approval_round == payment.approval_round]


def files(session: Session, office_id: UUID, payments: Iterable[Payment]) -> dict[UUID, File]:
    """The files of many payments, in four statements."""
    ids = [payment.id for payment in payments]
    repository = ApprovalRepository(session)
    preparers = PaymentRepository(session).preparers(office_id, ids)
    unnamed = unnamed_preparers(session, preparers)
    requests, approvals = repository.requests(office_id, ids), repository.approvals(office_id, ids)
    return {
        id_: File(preparers[id_], requests.get(id_, ()), approvals.get(id_, ()), not unnamed.isdisjoint(preparers[id_]))
        for id_ in ids
    }


def unnamed_preparers(session: Session, preparers: Mapping[UUID, Iterable[UUID]]) -> frozenset[UUID]:
    """Those among the preparers that are applications: which person was behind them is not known.

    Asked by their ids, which the seals cover, and not by what the row says of its kind.
    """
    everyone = frozenset[UUID]().union(*preparers.values())
    query = select(Application.id).where(within(Application.id, everyone))
    return frozenset(session.exec(query))


class Panel:
    """The rules, settings and people of one client at this moment."""

    def __init__(self, settings: ApprovalSettings | None, rulebook: Rulebook, directory: Directory) -> None:
        self.is_process_on = settings.is_payment_process_on if settings else True
        self.preparer_may_approve = settings.preparer_may_approve if settings else False
        self.revision = settings.rules_revision if settings else 0
        self.rulebook = rulebook
        self.directory = directory
        self._engines: dict[tuple[Rule, ...], Engine] = {}
        self._revisions: dict[int, Engine] = {}

    def proposed(self, subject: Subject) -> Evaluation:
        """Under the rules in force now, nobody having decided."""
        return self._in_force(self.revision).evaluate(subject)

    def added(self, payment: Payment, subject: Subject, file: File) -> list[Rule]:
        """The rules of the payment's submission that apply to the subject and were not asked yet (APP-08)."""
        asked = {request.rule_id for request in file.live_requests(payment)}
        assert payment.rules_revision is not None, "a submitted payment keeps the revision of its submission"
        matching = self._in_force(payment.rules_revision).matching_rules(subject)
        return [rule for rule in matching if UUID(rule.id) not in asked]

    def standing(self, payment: Payment, file: File) -> Evaluation:
        """Under the rule versions it was submitted with."""
        assert payment.seal is not None, "a submitted payment is sealed"
        rules = tuple(
            self.rulebook.asked(request.rule_id, request.rule_version) for request in file.live_requests(payment)
        )
        return self._engine(rules).evaluate(
            subject_of(payment, file), [decision_of(approval) for approval in file.decisions(payment)]
        )

    def lasting(self, payment: Payment, file: File) -> Evaluation:
        """Under the rules that were asked, with present people, groups and maxima: whether its approvals still hold."""
        rules = tuple(
            self.rulebook.strictest(request.rule_id, request.rule_version) for request in file.live_requests(payment)
        )
        decisions = [decision_of(approval) for approval in file.decisions(payment)]
        return self._engine(rules).evaluate(subject_of(payment, file), decisions)

    def departing(self, payment: Payment, subject: Subject, file: File, approvals: Sequence[Approval]) -> Evaluation:
        """With present people, groups, maxima and totals; `approvals` are the genuine ones of this round."""
        asked = {request.rule_id: request.rule_version for request in file.live_requests(payment)}
        # The rules are found anew too: a request deleted from the database is asked all the same.
        asked |= {UUID(rule.id): rule.version for rule in self.added(payment, subject, file)}
        rules = tuple(self.rulebook.strictest(rule_id, version) for rule_id, version in sorted(asked.items()))
        return self._engine(rules).evaluate(subject, [decision_of(approval) for approval in approvals])

    def faults(self) -> list[Reason]:
        """Why the process may not be switched on with the present rules and people (APP-01)."""
        return self._in_force(self.revision).faults()

    def _engine(self, rules: tuple[Rule, ...]) -> Engine:
        if rules not in self._engines:
            assert all(rule.conditions == ANY for rule in rules), "these rules apply already"
            self._engines[rules] = Engine(rules, self.directory, preparer_may_approve=self.preparer_may_approve)
        return self._engines[rules]

    def _in_force(self, revision: int) -> Engine:
        if revision not in self._revisions:
            self._revisions[revision] = Engine(
                self.rulebook.in_force(revision), self.directory, preparer_may_approve=self.preparer_may_approve
            )
        return self._revisions[revision]


def panels(session: Session, office_id: UUID, client_ids: Iterable[UUID]) -> dict[UUID, Panel]:
    """The panels of many clients, in four statements."""
    clients = sorted(set(client_ids))
    repository = ApprovalRepository(session)
    settings = repository.settings(office_id, clients)
    versions = repository.versions(office_id, clients)
    approvers = repository.approvers(office_id, clients)
    members = repository.members(office_id, clients)
    return {
        client_id: Panel(
            settings.get(client_id),
            Rulebook(versions.get(client_id, ())),
            Directory(
                people=frozenset(map(str, approvers.get(client_id, ()))),
                groups={
                    str(group_id): frozenset(map(str, people))
                    for group_id, people in members.get(client_id, {}).items()
                },
            ),
        )
        for client_id in clients
    }


def subject_of(
    payment: Payment,
    file: File,
    *,
    seal: str | None = None,
    basket_total: Decimal = Decimal(0),
    facts: CreditorFacts | None = None,
) -> Subject:
    """The payment as the engine sees it; totals and creditor state are needed where conditions are looked at."""
    creditors = {payment.creditor_key, payment.creditor_iban}
    creditors |= {name for name in (payment.creditor_supplier_id, payment.creditor_enterprise_number) if name}
    subject = Subject(
        id=str(payment.id),
        amount=payment.amount,
        seal=seal or payment.seal or "",
        preparers=frozenset(map(str, file.preparers)),
        needs_two=file.needs_two,
        basket_total=basket_total,
        debtor_account=str(payment.debtor_account_id),
        creditors=frozenset(creditors),
        labels=frozenset(payment.labels),
        category=payment.category_purpose or "",
        source=payment.source,
    )
    if facts is None:
        return subject
    return replace(
        subject,
        creditor_states=frozenset({facts.state(payment)}),
        creditor_total_24h=facts.total_day(payment),
        creditor_total_30d=facts.total_month(payment),
    )


def decision_of(approval: Approval) -> Decision:
    """A stored decision as the engine sees it."""
    return Decision(
        user_id=str(approval.user_id),
        verdict=Verdict(approval.verdict),
        seal=approval.payment_seal,
        decided_at=approval.decided_at,
        rule_versions=approval.rule_versions,
    )


def requests_of(evaluation: Evaluation) -> Mapping[UUID, int]:
    """Rule id to version of what the evaluation asks."""
    return {UUID(requirement.rule_id): requirement.rule_version for requirement in evaluation.requirements}

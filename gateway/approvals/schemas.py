"""Shapes of rules, groups, decisions and lists in the API."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from gateway.api import MomentText, MoneyShape, Shape, money
from gateway.approvals.groups import GroupView
from gateway.approvals.lists import Dossier
from gateway.approvals.models import Approval, ApprovalRuleVersion, ApprovalSettings
from gateway.approvals.rulebook import AMOUNTS, RuleWish
from gateway.approvals.service import DecisionOutcome, DecisionWish, RejectionReason
from gateway.errors import GatewayError
from gateway.i18n import _, translate
from gateway.ids import (
    AccountId,
    ApprovalId,
    ApprovalRuleId,
    ApproverGroupId,
    BasketId,
    ClientId,
    PaymentId,
    UserId,
)
from gateway.payments.schemas import BasketRead, PaymentRead, basket_read, payment_read
from gateway.payments.submission import Submission
from sepa.approval import Approver, Conditions, Evaluation, Mode, Requirement, State, Verdict

RuleName = Annotated[str, StringConstraints(min_length=1, max_length=70, strip_whitespace=True)]
Names = Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=140)]], Field(min_length=1)]


class ConditionsShape(Shape):
    """When the rule applies: all that are given must be met; without any it is a catch-all. Amounts are inclusive."""

    creditors: Names | None = Field(default=None, description="Supplier ids, enterprise numbers or IBANs.")
    labels: Names | None = None
    debtor_account_ids: list[AccountId] | None = Field(default=None, min_length=1)
    categories: Names | None = Field(default=None, examples=[["SALA"]])
    sources: list[Literal["person", "api"]] | None = Field(default=None, min_length=1)
    creditor_states: list[Literal["known", "new", "changed"]] | None = Field(default=None, min_length=1)
    amount_from: MoneyShape | None = None
    basket_total_from: MoneyShape | None = None
    creditor_total_24h_from: MoneyShape | None = None
    creditor_total_30d_from: MoneyShape | None = None


class ApproverShape(Shape):
    """A user or a group, each person up to an amount."""

    user_id: UserId | None = None
    group_id: ApproverGroupId | None = None
    amount_max: MoneyShape | None = None

    @model_validator(mode="after")
    def _one(self) -> ApproverShape:
        if (self.user_id is None) == (self.group_id is None):
            raise ValueError(_("Give a user_id or a group_id, one of the two."))
        return self


class RuleWrite(Shape):
    """An approval rule. `all`: each entry needs a person; `count`: so many among all; `sequence`: one after another."""

    name: RuleName
    is_active: bool = True
    conditions: ConditionsShape = ConditionsShape()
    mode: Annotated[Mode, Field(strict=False)] = Mode.ALL
    count: int = Field(default=1, ge=1, le=20)
    approvers: list[ApproverShape] = Field(min_length=1, max_length=20)

    @model_validator(mode="after")
    def _euro(self) -> RuleWrite:
        amounts = [getattr(self.conditions, name) for name in AMOUNTS]
        amounts += [approver.amount_max for approver in self.approvers]
        if any(amount is not None and amount.currency != "EUR" for amount in amounts):
            raise ValueError(_("Amounts of rules are in EUR."))
        return self

    def wish(self) -> RuleWish:
        """As the service takes it."""
        given = self.conditions
        sets: dict[str, Iterable[str] | None] = {
            "creditors": given.creditors,
            "labels": given.labels,
            "categories": given.categories,
            "sources": given.sources,
            "creditor_states": given.creditor_states,
            "debtor_accounts": None if given.debtor_account_ids is None else map(str, given.debtor_account_ids),
        }
        conditions: dict[str, Any] = {name: frozenset(values) for name, values in sets.items() if values is not None}
        conditions |= {name: _decimal(getattr(given, name)) for name in AMOUNTS}
        return RuleWish(
            name=self.name,
            is_active=self.is_active,
            conditions=Conditions(**conditions),
            mode=self.mode,
            count=self.count,
            approvers=tuple(
                Approver(
                    user_id=str(entry.user_id) if entry.user_id else None,
                    group_id=str(entry.group_id) if entry.group_id else None,
                    amount_max=_decimal(entry.amount_max),
                )
                for entry in self.approvers
            ),
        )


class RuleRead(Shape):
    """A rule as it is now; what was submitted keeps the version of its submission."""

    id: ApprovalRuleId
    client_id: ClientId
    version: int
    name: str
    is_active: bool
    conditions: ConditionsShape
    mode: Mode
    count: int
    approvers: list[ApproverShape]
    created_by: UserId
    created_at: MomentText


class GroupWrite(Shape):
    """People of the client who can stand for one another."""

    name: RuleName
    user_ids: list[UserId] = Field(max_length=100)


class GroupRead(Shape):
    """A group with its present members."""

    id: ApproverGroupId
    client_id: ClientId
    version: int
    name: str
    user_ids: list[UserId]


class ApprovalSettingsWrite(Shape):
    """Whether payments need approval, and whether who prepared one may approve it."""

    is_payment_process_on: bool
    preparer_may_approve: bool = False


class ApprovalSettingsRead(ApprovalSettingsWrite):
    """The settings of a client."""

    version: int


class DecisionWrite(Shape):
    """Approve, or reject with a reason and a text. The payment's seal goes in If-Match."""

    verdict: Annotated[Verdict, Field(strict=False)]
    reason_code: Annotated[RejectionReason | None, Field(strict=False)] = None
    reason_text: Annotated[str, StringConstraints(min_length=1, max_length=280)] | None = None

    def wish(self, payment_id: UUID, seal: str | None) -> DecisionWish:
        """As the service takes it."""
        return DecisionWish(
            payment_id=payment_id,
            seal=seal,
            verdict=self.verdict,
            reason_code=self.reason_code,
            reason_text=self.reason_text,
        )


class BulkDecisionWrite(DecisionWrite):
    """One decision of many, with the seal that was seen."""

    payment_id: PaymentId
    seal: Annotated[str, StringConstraints(min_length=1, max_length=80)]


class DecisionsWrite(Shape):
    """Up to 500 decisions."""

    items: list[BulkDecisionWrite] = Field(min_length=1, max_length=500)


class RequirementRead(Shape):
    """What one rule asks, and of whom."""

    rule_id: ApprovalRuleId
    rule_name: str
    rule_version: int
    needed: int
    given: int
    available: int
    is_sequence: bool
    is_satisfied: bool
    may_act: list[UserId]
    eligible: list[UserId]


class EvaluationRead(Shape):
    """Where a payment stands under its rules."""

    payment_id: PaymentId
    state: State
    reasons: list[str] = Field(description="`no_rule_matches`, `rule_unsatisfiable`.")
    requirements: list[RequirementRead]
    may_act: list[UserId] = Field(description="Who is asked now.")


class DecisionRead(Shape):
    """One person's decision; one of an earlier round no longer counts."""

    id: ApprovalId
    user_id: UserId
    verdict: Verdict
    reason_code: str | None
    reason_text: str | None
    rule_versions: dict[str, int]
    decided_at: MomentText
    is_counting: bool


class AcceptanceRead(Shape):
    """A warning that was let pass."""

    code: str
    accepted_by_kind: str
    accepted_by: UUID
    accepted_at: MomentText


class DossierRead(Shape):
    """A payment with what its approval rests on."""

    payment: PaymentRead
    prepared_by: list[UUID] = Field(description="Users and credentials who made or changed it; they cannot decide.")
    evaluation: EvaluationRead | None
    decisions: list[DecisionRead]
    accepted_findings: list[AcceptanceRead]


class SubmissionRead(Shape):
    """What a submission did, or would do."""

    basket: BasketRead
    left_basket_id: BasketId | None = Field(description="The new draft that holds the blocked payments.")
    evaluations: list[EvaluationRead]


class DecisionResultRead(Shape):
    """What became of one decision."""

    payment_id: PaymentId
    status: Literal["decided", "refused"]
    payment: PaymentRead | None
    evaluation: EvaluationRead | None
    code: str | None
    detail: str | None
    hint: str | None


class DecisionResultsRead(Shape):
    """A result for every decision, in their order."""

    items: list[DecisionResultRead]


def rule_read(row: ApprovalRuleVersion) -> RuleRead:
    """A rule as it is shown."""
    conditions = dict(row.conditions)
    accounts = conditions.pop("debtor_accounts", None)
    for name in AMOUNTS:
        if name in conditions:
            conditions[name] = money(Decimal(conditions[name]), "EUR")
    return RuleRead(
        id=row.rule_id,
        client_id=row.client_id,
        version=row.version,
        name=row.name,
        is_active=row.is_active,
        conditions=ConditionsShape(
            **conditions, debtor_account_ids=None if accounts is None else [UUID(id_) for id_ in accounts]
        ),
        mode=Mode(row.mode),
        count=row.count,
        approvers=[
            ApproverShape(
                user_id=UUID(entry["user_id"]) if entry["user_id"] else None,
                group_id=UUID(entry["group_id"]) if entry["group_id"] else None,
                amount_max=money(Decimal(entry["amount_max"]), "EUR") if entry["amount_max"] is not None else None,
            )
            for entry in row.approvers
        ],
        created_by=row.created_by,
        created_at=row.created_at,
    )


def group_read(view: GroupView) -> GroupRead:
    """A group as it is shown."""
    group = view.group
    return GroupRead(
        id=group.id, client_id=group.client_id, version=group.version, name=group.name, user_ids=list(view.user_ids)
    )


def approval_settings_read(settings: ApprovalSettings) -> ApprovalSettingsRead:
    """Settings as they are shown."""
    return ApprovalSettingsRead.model_validate(settings, from_attributes=True)


def evaluation_read(payment_id: UUID, evaluation: Evaluation) -> EvaluationRead:
    """Where a payment stands."""
    return EvaluationRead(
        payment_id=payment_id,
        state=evaluation.state,
        reasons=sorted({reason.code for reason in evaluation.reasons}),
        requirements=[_requirement(ask) for ask in evaluation.requirements],
        may_act=_users(evaluation.may_act),
    )


def dossier_read(dossier: Dossier, language: str) -> DossierRead:
    """A payment with its approvals."""
    payment = dossier.payment
    return DossierRead(
        payment=payment_read(payment, language),
        prepared_by=sorted(dossier.preparers),
        evaluation=None if dossier.evaluation is None else evaluation_read(payment.id, dossier.evaluation),
        decisions=[
            _decision(approval, is_counting=approval.payment_seal == payment.seal) for approval in dossier.decisions
        ],
        accepted_findings=[AcceptanceRead.model_validate(row) for row in dossier.acceptances],
    )


def submission_read(submission: Submission) -> SubmissionRead:
    """A submission as it is shown."""
    left = submission.left_basket
    return SubmissionRead(
        basket=basket_read(submission.view),
        left_basket_id=left.id if left else None,
        evaluations=[evaluation_read(id_, evaluation) for id_, evaluation in submission.evaluations.items()],
    )


def result_read(outcome: DecisionOutcome, language: str) -> DecisionResultRead:
    """One decision's result."""
    error = outcome.error
    evaluation = outcome.evaluation
    return DecisionResultRead(
        payment_id=outcome.payment_id,
        status="decided" if error is None else "refused",
        payment=payment_read(outcome.payment, language) if outcome.payment is not None else None,
        evaluation=None if evaluation is None else evaluation_read(outcome.payment_id, evaluation),
        code=error.code if error else None,
        detail=_detail(error, language) if error else None,
        hint=translate(language, error.hint) if error else None,
    )


def _detail(error: GatewayError, language: str) -> str:
    return translate(language, error.detail or error.title).format_map(error.parameters)


def _requirement(ask: Requirement) -> RequirementRead:
    return RequirementRead(
        rule_id=UUID(ask.rule_id),
        rule_name=ask.rule_name,
        rule_version=ask.rule_version,
        needed=ask.needed,
        given=ask.given,
        available=ask.available,
        is_sequence=ask.is_sequence,
        is_satisfied=ask.is_satisfied,
        may_act=_users(ask.may_act),
        eligible=_users(ask.eligible),
    )


_SAME: Final = ("id", "user_id", "reason_code", "reason_text", "rule_versions", "decided_at")


def _decision(approval: Approval, *, is_counting: bool) -> DecisionRead:
    values = {name: getattr(approval, name) for name in _SAME}
    return DecisionRead(**values, verdict=Verdict(approval.verdict), is_counting=is_counting)


def _users(user_ids: Iterable[str]) -> list[UUID]:
    return [UUID(user_id) for user_id in sorted(user_ids)]


def _decimal(amount: MoneyShape | None) -> Decimal | None:
    return None if amount is None else Decimal(amount.amount)

"""To approve: what waits for this person, and deciding on exactly what was shown (APP-07, APP-09, UIX-07)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from uuid import UUID

from fastapi import Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from gateway.api import GatewayDep
from gateway.approvals.lists import ApprovalLists, Dossier, View
from gateway.approvals.service import (
    DECISIONS_MAX,
    ApprovalService,
    DecisionOutcome,
    DecisionWish,
    RejectionReason,
)
from gateway.assembly import Gateway
from gateway.errors import GatewayError, InputError, StaleError
from gateway.i18n import _
from gateway.ids import decode, encode
from gateway.pagination import PageRequest
from gateway.payments.models import Payment
from gateway.web import reading
from gateway.web.rendering import page
from gateway.web.routing import page_router
from gateway.web.security import FormDep, PostedDep, Visit, VisitDep, text_of
from sepa.approval import Verdict
from sepa.findings import CATALOGUE

router = page_router()

PER_PAGE: Final = 100
REASON_LENGTH_MAX: Final = 280
REASONS: Final = {
    RejectionReason.NOT_DUE: _("Not due yet"),
    RejectionReason.WRONG_AMOUNT: _("The amount is wrong"),
    RejectionReason.WRONG_ACCOUNT: _("The account is wrong"),
    RejectionReason.UNKNOWN_CREDITOR: _("The creditor is unknown"),
    RejectionReason.DUPLICATE: _("Paid already, or double"),
    RejectionReason.DISPUTED: _("The invoice is disputed"),
    RejectionReason.OTHER: _("Another reason"),
}


class NothingChosen(InputError):
    """No payment was ticked."""

    code = "nothing_chosen"
    title = "Tick at least one payment"
    hint = "Decide on the ticked payments only; the others stay as they are."


class ReasonIncomplete(InputError):
    """A rejection on the page needs both."""

    code = "rejection_incomplete"
    title = "Choose a reason and write a short text"
    hint = "The preparer reads both. Nothing was decided yet."


@dataclass(frozen=True, slots=True)
class Result:
    """What became of the decisions just taken."""

    verdict: Verdict
    done: Sequence[Payment]
    refused: Sequence[tuple[Payment | None, GatewayError]]

    @property
    def total(self) -> Decimal:
        """Of the payments decided on."""
        return sum((payment.amount for payment in self.done), Decimal(0))


@router.get("/to-approve")
def to_approve(
    request: Request, gateway: GatewayDep, visit: VisitDep, *, view: str = "by_me", cursor: str | None = None
) -> Response:
    """The four lists; "by me" with the form to decide."""
    wanted = View(view) if view in set(View) else View.BY_ME
    return _list(request, gateway, visit, view=wanted, cursor=cursor)


@router.post("/to-approve")
def decide(request: Request, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """Decide on the ticked payments with the seals that were shown; what changed since is shown, not decided."""
    verdict = Verdict.REJECT if text_of(form, "verdict") == Verdict.REJECT else Verdict.APPROVE
    try:
        wishes = _wishes(form, verdict)
    except InputError as error:
        return _list(request, gateway, visit, view=View.BY_ME, error=error, ticked=_ticked(form), form=form)
    outcomes = ApprovalService(gateway).decide_many(visit.act, wishes)
    return _list(request, gateway, visit, view=View.BY_ME, result=_result(gateway, visit, verdict, outcomes))


def _wishes(form: FormData, verdict: Verdict) -> list[DecisionWish]:
    ticked = _ticked(form)
    if not 1 <= len(ticked) <= DECISIONS_MAX:
        raise NothingChosen
    reason, text = None, text_of(form, "reason_text")[:REASON_LENGTH_MAX]
    if verdict is Verdict.REJECT:
        reason = next((known for known in RejectionReason if known == text_of(form, "reason_code")), None)
        if reason is None or not text:
            raise ReasonIncomplete
    return [
        DecisionWish(
            payment_id=payment_id,
            seal=text_of(form, f"seal-{encode('payment', payment_id)}") or None,
            verdict=verdict,
            reason_code=reason,
            reason_text=text if reason is not None else None,
        )
        for payment_id in ticked
    ]


def _ticked(form: FormData) -> list[UUID]:
    found = []
    for value in form.getlist("payment"):
        try:
            found.append(decode("payment", str(value)))
        except ValueError:
            continue
    return list(dict.fromkeys(found))


def _result(gateway: Gateway, visit: Visit, verdict: Verdict, outcomes: Sequence[DecisionOutcome]) -> Result:
    done = [outcome.payment for outcome in outcomes if outcome.payment is not None]
    lists = ApprovalLists(gateway)
    refused: list[tuple[Payment | None, GatewayError]] = []
    for outcome in outcomes:
        if outcome.error is None:
            continue
        try:
            # What it says now, so that the person sees what changed.
            payment: Payment | None = lists.dossier(visit.act, outcome.payment_id).payment
        except GatewayError:
            payment = None
        refused.append((payment, outcome.error))
    return Result(verdict, done, refused)


def _list(
    request: Request,
    gateway: Gateway,
    visit: Visit,
    *,
    view: View,
    cursor: str | None = None,
    result: Result | None = None,
    error: InputError | None = None,
    ticked: Sequence[UUID] = (),
    form: FormData | None = None,
) -> Response:
    dossiers, next_cursor = ApprovalLists(gateway).page(visit.act, PageRequest(PER_PAGE, cursor), view=view)
    ordered = sorted(dossiers, key=lambda dossier: -unusual(dossier))
    shown = [dossier.payment for dossier in dossiers] + [
        row for row, _error in (result.refused if result else []) if row
    ]
    waiting_for = {user_id for dossier in dossiers if dossier.evaluation for user_id in dossier.evaluation.may_act}
    deciders = {str(approval.user_id) for dossier in dossiers for approval in dossier.decisions}
    is_stale = result is not None and any(isinstance(refusal, StaleError) for _row, refusal in result.refused)
    return page(
        request,
        "to_approve.html",
        status=error.http_status if error is not None else 412 if is_stale and not (result and result.done) else 200,
        view=view,
        views=list(View),
        dossiers=ordered,
        next_cursor=next_cursor,
        clients=reading.client_names(gateway, visit, (payment.client_id for payment in shown)),
        people=reading.people(gateway, waiting_for | deciders),
        me=str(visit.user.id),
        result=result,
        error=error,
        ticked=set(ticked),
        reasons={code.value: text for code, text in REASONS.items()},
        reason_code=text_of(form, "reason_code") if form is not None else "",
        reason_text=text_of(form, "reason_text") if form is not None else "",
        texts=CATALOGUE,
    )


def unusual(dossier: Dossier) -> int:
    """How much a payment asks for a second look: a changed account most, then a new creditor, then warnings."""
    weight = {"changed": 4, "new": 2}.get(dossier.payment.creditor_state or "", 0)
    return weight + bool(dossier.payment.findings)

"""REST: signatures of passkeys over decisions (SEC-04)."""

from __future__ import annotations

from fastapi import APIRouter

from gateway.api import ActDep, GatewayDep, money, problem_responses
from gateway.ids import ClientId
from gateway.operations import ANSWER_NOT_KEPT
from gateway.passkeys.schemas import PasskeyAnswer, PasskeyQuestion
from gateway.passkeys.service import Answer
from gateway.signed_decisions.schemas import DecisionChallengeWrite, DecisionSignatureRead, SigningLimitRead
from gateway.signed_decisions.service import SignedDecisionService

router = APIRouter(prefix="/v1", tags=["approvals"])


@router.get("/clients/{client_id}/signing-limit", operation_id="get_signing_limit", responses=problem_responses())
def get_signing_limit(client_id: ClientId, act: ActDep, gateway: GatewayDep) -> SigningLimitRead:
    """From which total on decisions are signed; changed by a proposal of kind `signing_limit.set` (APP-12)."""
    amount = SignedDecisionService(gateway).limit(act, client_id)
    return SigningLimitRead(amount=money(amount, "EUR") if amount is not None else None)


@router.post(
    "/decision-challenges",
    operation_id="create_decision_challenge",
    status_code=201,
    responses=problem_responses(409, 503),
    openapi_extra=ANSWER_NOT_KEPT,
)
def create_decision_challenge(body: DecisionChallengeWrite, act: ActDep, gateway: GatewayDep) -> PasskeyQuestion:
    """Begin to sign a decision, export or first download with a passkey; the challenge is a hash over it."""
    question = SignedDecisionService(gateway).ask(
        act, body.decision, {item.payment_id: item.seal for item in body.items}
    )
    return PasskeyQuestion(challenge_id=question.challenge_id, options=question.options)


@router.post(
    "/decision-signatures",
    operation_id="create_decision_signature",
    status_code=201,
    responses=problem_responses(503),
    openapi_extra=ANSWER_NOT_KEPT,
)
def create_decision_signature(body: PasskeyAnswer, act: ActDep, gateway: GatewayDep) -> DecisionSignatureRead:
    """Hand in the passkey's answer; then send the decision itself within five minutes. It counts for one."""
    row = SignedDecisionService(gateway).sign(act, Answer(body.challenge_id, body.credential))
    assert row.signed_at is not None, "signed a moment ago"
    return DecisionSignatureRead(id=row.id, decision=row.decision, signed_at=row.signed_at)

"""Asking for a passkey's signature over a decision and its seals, checking it, and demanding it (SEC-04).

The challenge is SHA-256 over a nonce and the canonical statement of decision and seals, so that the authenticator signs
exactly that. A signature counts for one decision of the same person within five minutes, and stays as evidence.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete
from sqlmodel import Session, col, select
from webauthn.helpers import base64url_to_bytes

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.identity.models import User
from gateway.identity.rights import SECOND_FACTOR_LIFE, Permission
from gateway.identity.second_factor import SecondFactorService
from gateway.ids import encode, new_id
from gateway.offices.service import require_client
from gateway.passkeys.errors import PasskeyRefused
from gateway.passkeys.service import METHOD, Answer, PasskeyService, Question
from gateway.payments.models import Payment
from gateway.signed_decisions.errors import PasskeySignatureRequired
from gateway.signed_decisions.models import DecisionSignature, SigningLimit
from gateway.signed_decisions.statements import challenge, statement

PURPOSE: Final = "decision"


class SignedDecisionService:
    """Questions, answers and limits."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def limit(self, act: Act, client_id: UUID) -> Decimal | None:
        """The client's amount; None when nothing is signed."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            require_client(session, act, client_id, Permission.RULES_READ)
            return limits(session, act.office_id, [client_id]).get(client_id)

    def ask(self, act: Act, decision: str, seals: Mapping[UUID, str]) -> Question:
        """The question to the person's passkeys; raises `PasskeyMissing`, `PersonRequired`."""
        act.principal.require_person()
        nonce = secrets.token_bytes(16)
        named = named_seals(seals)
        question = PasskeyService(self.gateway).ask_decision(act, challenge(nonce, decision, named), purpose=PURPOSE)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            session.execute(
                delete(DecisionSignature).where(
                    col(DecisionSignature.office_id) == act.office_id,
                    col(DecisionSignature.user_id) == act.principal.id,
                    col(DecisionSignature.signed_at).is_(None),
                    col(DecisionSignature.asked_at) < act.real_now - SECOND_FACTOR_LIFE,
                )
            )
            session.add(
                DecisionSignature(
                    id=new_id(), office_id=act.office_id, user_id=act.principal.id, challenge_id=question.challenge_id,
                    decision=decision, seals=named, nonce=nonce, asked_at=act.real_now,
                )
            )  # fmt: skip
        return question

    def sign(self, act: Act, answer: Answer) -> DecisionSignature:
        """Keep the signature when it is good; raises `PasskeyRefused`."""
        act.principal.require_person()
        service = PasskeyService(self.gateway)
        asked = service.take(answer.challenge_id, PURPOSE, act)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            row = session.exec(
                select(DecisionSignature)
                .where(
                    DecisionSignature.office_id == act.office_id,
                    DecisionSignature.user_id == act.principal.id,
                    DecisionSignature.challenge_id == answer.challenge_id,
                    col(DecisionSignature.signed_at).is_(None),
                )
                .with_for_update()
            ).one_or_none()
            passkey = service.used(session, answer, asked, act.principal.id, act.real_now) if row is not None else None
            if row is not None and passkey is not None:
                row.signed_at, row.public_key = act.real_now, passkey.public_key
                for name, member in _EVIDENCE.items():
                    setattr(row, name, base64url_to_bytes(str(answer.credential["response"][member])))
                session.add(row)
        if row is None or passkey is None:
            raise PasskeyRefused
        return row

    def sign_here(self, act: Act, token: str, answer: Answer, *, source: str) -> str:
        """As `sign`, on a page: the passkey freshens the session as well; the token to use from now on."""
        self.sign(act, answer)

        def proven(_session: Session, user: User, _now: Any) -> bool:
            return user.id == act.principal.id

        return SecondFactorService(self.gateway).confirm(token, METHOD, proven, source=source)


_EVIDENCE: Final = {
    "client_data": "clientDataJSON", "authenticator_data": "authenticatorData", "signature": "signature",
}  # fmt: skip


def require_signature(
    gateway: Gateway,
    session: Session,
    act: Act,
    decision: str,
    *,
    totals: Mapping[UUID, Decimal],
    seals: Mapping[UUID, str],
) -> None:
    """Raise `PasskeySignatureRequired` unless no client's total lies above its limit, or the person signed just this.

    `totals` are in euro per client. In the unit of work of the decision: the signature is used up with it, or not at
    all.
    """
    found = limits(session, act.office_id, totals)
    above = [client_id for client_id, total in totals.items() if client_id in found and total > found[client_id]]
    if not above:
        return
    named = named_seals(seals)
    rows = session.exec(
        select(DecisionSignature)
        .where(
            DecisionSignature.office_id == act.office_id,
            DecisionSignature.user_id == act.principal.id,
            DecisionSignature.decision == decision,
            col(DecisionSignature.signed_at) >= act.real_now - SECOND_FACTOR_LIFE,
            col(DecisionSignature.used_at).is_(None),
        )
        .with_for_update()
    ).all()
    row = next((row for row in rows if row.seals == named), None)
    if row is None:
        error = PasskeySignatureRequired()
        error.decision, error.seals, error.total = decision, dict(seals), sum(totals.values(), Decimal(0))
        raise error
    row.used_at = act.real_now
    session.add(row)
    digest = statement(decision, named).hex()
    for client_id in above:
        gateway.audit.record(
            session, act, "decision.signed", "decision_signature", row.id, client_id=client_id,
            changes={"decision": Change(None, decision), "statement_sha256": Change(None, digest)},
            second_factor=METHOD,
        )  # fmt: skip


def totals_of(payments: Iterable[Payment]) -> dict[UUID, Decimal]:
    """Their amounts per client."""
    totals: dict[UUID, Decimal] = {}
    for payment in payments:
        totals[payment.client_id] = totals.get(payment.client_id, Decimal(0)) + payment.amount
    return totals


def limits(session: Session, office_id: UUID, client_ids: Iterable[UUID]) -> dict[UUID, Decimal]:
    """The amounts of those clients that have one."""
    query = select(SigningLimit).where(
        SigningLimit.office_id == office_id, col(SigningLimit.client_id).in_(list(client_ids))
    )
    return {row.client_id: row.amount for row in session.exec(query) if row.amount is not None}


def named_seals(seals: Mapping[UUID, str]) -> dict[str, str]:
    """With the payments' typed ids."""
    return {encode("payment", payment_id): seal for payment_id, seal in seals.items()}

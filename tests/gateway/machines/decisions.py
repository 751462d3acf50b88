"""Decisions through the portal, as tests send and refuse them."""

from __future__ import annotations

from typing import Any

from gateway.ids import decode, encode
from gateway.payments.models import Payment
from tests.gateway.machines.portal import Portal
from tests.gateway.payments.scene import Scene


def waiting(scene: Scene, count: int = 1) -> list[Payment]:
    """Payments that wait for one approver."""
    scene.rule("every payment", scene.user("first"))
    _, payments = scene.submitted(*(scene.wish() for _ in range(count)))
    return payments


def seals_of(*payments: Payment) -> dict[str, str | None]:
    return {encode("payment", payment.id): payment.seal for payment in payments}


def decide(portal: Portal, payment: Payment, assertion: str | None, verdict: str = "approve") -> Any:
    body: dict[str, Any] = {"verdict": verdict}
    if verdict == "reject":
        body |= {"reason_code": "disputed", "reason_text": "Factuur betwist"}
    path = f"/v1/payments/{encode('payment', payment.id)}/decisions"
    return portal.http.post(path, json=body, headers=portal.headers(assertion, **{"If-Match": f'"{payment.seal}"'}))


def me(portal: Portal, assertion: str) -> Any:
    return portal.http.get("/v1/me", headers=portal.headers(assertion))


def refused(answer: Any, reason: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (403, "assertion_refused"), answer.text
    assert reason in answer.json()["detail"]


def make_uuid(number: int) -> Any:
    return decode("user", f"usr_{number:026d}")

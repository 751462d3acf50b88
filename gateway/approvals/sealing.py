"""The HMAC of a decision, always computed from its row (APP-07)."""

from __future__ import annotations

import hmac

from gateway.approvals.models import Approval
from gateway.crypto import KeyRing
from sepa import seal as seals


def approval_mac(keys: KeyRing, approval: Approval) -> str:
    """The HMAC that fits the row as it is now: payment's seal, approver, verdict, reason, rule versions, moment."""
    fields: dict[str, object] = {
        "seal": approval.payment_seal,
        "user_id": str(approval.user_id),
        "acting_for": None,
        "verdict": approval.verdict,
        "rule_versions": dict(approval.rule_versions),
        "decided_at": approval.decided_at,
        "approval_id": str(approval.id),
        "payment_id": str(approval.payment_id),
        "approval_round": approval.approval_round,
        "reason_code": approval.reason_code,
        "reason_text": approval.reason_text,
    }
    return seals.seal_approval(fields, keys.seal_key)


def is_genuine(keys: KeyRing, approval: Approval) -> bool:
    """Whether the row is what its person decided."""
    return hmac.compare_digest(approval.mac.encode(), approval_mac(keys, approval).encode())

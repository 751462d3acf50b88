"""What signed decisions refuse."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

from gateway.errors import RightsError


class PasskeySignatureRequired(RightsError):
    """Above the client's amount a passkey signs exactly this decision and these seals (SEC-04)."""

    code = "passkey_signature_required"
    title = "Sign this decision with your passkey"
    hint = "Ask for a challenge at POST /v1/decision-challenges, let the passkey answer, and repeat the decision."

    decision: str = ""
    seals: Mapping[UUID, str] = {}
    total: Decimal = Decimal(0)
    """Euro in all, of every client together."""

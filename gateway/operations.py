"""Marks that an operation carries in its `openapi_extra`, read by the routes and shown in the description."""

from __future__ import annotations

from typing import Any, Final

KEY_MARK: Final = "x-idempotency-key-required"
NOT_KEPT_MARK: Final = "x-answer-not-kept"

KEY_REQUIRED: Final[dict[str, Any]] = {KEY_MARK: True}
"""For operations that make consents, payments, decisions, exports, initiations or deliveries (API-03)."""
ANSWER_NOT_KEPT: Final[dict[str, Any]] = {NOT_KEPT_MARK: True}
"""For operations whose answer shows a secret once: a repetition learns that it succeeded, not the secret."""

"""Berlin Group error answers, in both shapes, to our families of errors.

Source: Berlin Group 1.3.6, message codes; `tppMessages` of the guidelines and the problem details of RFC 7807.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from connectors.errors import (
    BankAnswerInvalid,
    ConnectorError,
    ConsentEnded,
    ConsentError,
    OperatorError,
    QuotaExhausted,
    RequestRefused,
    TokenRejected,
)
from connectors.http import BankAnswer

_CODE = re.compile(r"[A-Z][A-Z0-9_]{2,63}")
_KINDS: dict[str, type[ConnectorError]] = {
    "CONSENT_INVALID": ConsentEnded,
    "CONSENT_EXPIRED": ConsentEnded,
    "CONSENT_UNKNOWN": ConsentEnded,
    "TOKEN_UNKNOWN": TokenRejected,
    "TOKEN_INVALID": TokenRejected,
    "TOKEN_EXPIRED": TokenRejected,
    "PSU_CREDENTIALS_INVALID": ConsentError,
    "CORPORATE_ID_INVALID": ConsentError,
    "SERVICE_BLOCKED": ConsentError,
    "RESOURCE_BLOCKED": ConsentError,
    "ACCESS_EXCEEDED": QuotaExhausted,
}
_OPERATOR_ACTS = ("CERTIFICATE_", "SIGNATURE_", "ROLE_INVALID")


def error_of(answer: BankAnswer, *, bank_id: str, has_token: bool) -> ConnectorError:
    """The error a 4xx answer stands for, to be raised by the caller.

    A 401 that names nothing concerns the token when one was sent, else our certificate; a 403 that names nothing is a
    matter for the PSU at the bank. HTML with another status is a `BankAnswerInvalid`.
    """
    codes = bank_codes(answer)
    kind, code = next(((_KINDS[code], code) for code in codes if code in _KINDS), (None, None))
    if kind is None:
        code = next((code for code in codes if code.startswith(_OPERATOR_ACTS)), None)
        kind = OperatorError if code is not None else _kind_of_status(answer, codes)
        code = code or (codes[0] if codes else None)
    if kind is TokenRejected and not has_token:
        kind = OperatorError
    message = f"the bank answered {answer.status}{f' {code}' if code else ''}"
    return kind(message, bank_id=bank_id, status=answer.status, bank_code=code)


def bank_codes(answer: BankAnswer) -> list[str]:
    """The message codes of an error answer, errors before warnings; empty when there are none that can be read."""
    try:
        body = answer.json()
    except BankAnswerInvalid:
        return []
    if not isinstance(body, Mapping):
        return []
    messages = [item for name in ("tppMessages", "additionalErrors") for item in _mappings(body.get(name))]
    messages.sort(key=lambda message: str(message.get("category", "ERROR")).upper() != "ERROR")
    found = [body.get("code"), *(message.get("code") for message in messages)]
    return [code for code in found if isinstance(code, str) and _CODE.fullmatch(code)]


def _kind_of_status(answer: BankAnswer, codes: list[str]) -> type[ConnectorError]:
    if answer.status == 401:
        return TokenRejected
    if answer.status == 403 and not codes:
        return ConsentError
    is_html = not codes and answer.body.lstrip()[:1] == b"<"
    return BankAnswerInvalid if is_html else RequestRefused


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []

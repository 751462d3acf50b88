"""Error answers of Ponto, and failures inside a synchronisation, as our families of errors.

The codes are Ponto's, `detail` is for its people and never repeated. Source: fixtures of the official clients up to
2025, maintained clients of others; codes marked as not confirmed in the banks' card are taken at their word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from connectors import text
from connectors.errors import (
    AccountEnded,
    BankAnswerInvalid,
    BankUnavailable,
    CallbackRejected,
    ConnectorError,
    ConsentError,
    OperatorError,
    QuotaExhausted,
    RequestRefused,
    TokenRejected,
)
from connectors.families import ponto_rows
from connectors.http import BankAnswer

RECENTLY: Final = "accountRecentlySynchronized"
"""The same synchronisation was asked for minutes ago: what it would bring is there or on its way."""
UNKNOWN: Final = "resourceNotFound"
"""An id that is none, or an account that is not in the integration any more."""

_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{1,63}")
_KINDS: Final[dict[str, type[ConnectorError]]] = {
    "invalidAccessToken": TokenRejected,
    "credentialsInvalid": TokenRejected,
    "clientIdInvalid": OperatorError,
    "authorizationCodeInvalid": CallbackRejected,
    "tooManyRequests": QuotaExhausted,
    RECENTLY: RequestRefused,
    UNKNOWN: RequestRefused,
}
_SEALS: Final = re.compile(r"signature|digest|certificate", re.IGNORECASE)


def error_of(answer: BankAnswer, *, bank_id: str, has_token: bool) -> ConnectorError:
    """The error a 4xx answer stands for, to be raised by the caller.

    A 401 that names nothing concerns the token when one was sent, else our registration; a 403 that names nothing is a
    matter for the account holder. HTML with another status is a `BankAnswerInvalid`.
    """
    codes = codes_of(answer)
    code = next((code for code in codes if _kind_of(code) is not None), codes[0] if codes else None)
    kind = _kind_of(code) or _kind_of_status(answer, code)
    if kind is TokenRejected and not has_token:
        kind = OperatorError
    message = f"Ponto answered {answer.status}{f' {code}' if code else ''}"
    return kind(message, bank_id=bank_id, status=answer.status, bank_code=code)


def codes_of(answer: BankAnswer) -> list[str]:
    """The codes of an error answer, in both shapes; empty when there are none that can be read."""
    try:
        body = answer.json()
    except BankAnswerInvalid:
        return []
    if not isinstance(body, Mapping):
        return []
    return _codes([*_list(body.get("errors")), {"code": body.get("error")}])


def failure_of(synchronisation: Any, *, bank_id: str) -> ConnectorError | None:
    """Why a synchronisation failed; None for one that did not.

    Codes that begin with `authorization` concern the holder's permission for this one account; others are technical,
    and pass with one of the next runs. What the account's bank answered stays out of it.
    """
    values = ponto_rows.attributes(synchronisation)
    if values.get("status") != "error":
        return None
    codes = _codes(_list(values.get("errors")))
    code = next((code for code in codes if code.startswith("authorization")), None)
    if code is not None:
        return AccountEnded("the account must be authorised anew", bank_id=bank_id, bank_code=code)
    return BankUnavailable(
        "the account's bank could not be read", bank_id=bank_id, bank_code=codes[0] if codes else None
    )


def _kind_of(code: str | None) -> type[ConnectorError] | None:
    if code is None:
        return None
    if code in _KINDS:
        return _KINDS[code]
    if code.startswith("authorization"):
        return AccountEnded
    return OperatorError if _SEALS.search(code) else None


def _kind_of_status(answer: BankAnswer, code: str | None) -> type[ConnectorError]:
    if answer.status == 401:
        return TokenRejected
    if answer.status == 403 and code is None:
        return ConsentError
    is_html = code is None and answer.body.lstrip()[:1] == b"<"
    return BankAnswerInvalid if is_html else RequestRefused


def _codes(items: list[Any]) -> list[str]:
    found = [text.present(item.get("code")) for item in items if isinstance(item, Mapping)]
    return [code for code in found if code is not None and _CODE.fullmatch(code)]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []

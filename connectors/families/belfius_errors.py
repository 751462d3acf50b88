"""Error answers of Belfius as our families of errors.

`error_description` is for people and never repeated. Source: portal text and clients up to 2023; see `belfius.md`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from connectors import text
from connectors.errors import (
    BankAnswerInvalid,
    ConnectorError,
    ConsentEnded,
    ConsentError,
    OperatorError,
    RequestRefused,
    TokenRejected,
)
from connectors.http import BankAnswer

_CODE: Final = re.compile(r"[A-Z0-9][A-Za-z0-9_.-]{1,63}")
_KINDS: Final[dict[str, type[ConnectorError]]] = {
    # Input missing, input invalid: a defect of ours, or a version the bank left behind.
    "GEN-1201-100001": RequestRefused,
    "GEN-1201-100002": RequestRefused,
    "GEN-1202-100001": RequestRefused,
    "GEN-1202-100002": RequestRefused,
    "GEN-1203-100003": TokenRejected,
    "GEN-1203-100004": ConsentEnded,
    "GEN-1203-100008": OperatorError,
    "GEN-1203-100009": OperatorError,
    "GEN-1203-100010": OperatorError,
    "B14663ZZ-2100": OperatorError,
    # The PSU must sign in again; 20007 is how older versions said it.
    "B14800ZZ-0PLC-REDRCT": ConsentEnded,
    "20007": ConsentEnded,
    "SCA_REQUIRED": ConsentEnded,
    "B14800ZZ-3013": ConsentEnded,
    # Account invalid, access denied, channel not permitted: the account is not enabled for electronic channels.
    "B14800ZZ-3002": ConsentError,
    "B14800ZZ-3004": ConsentError,
    "B14800ZZ-3007": ConsentError,
    # The payment is refused.
    "B14821ZZ-2101": RequestRefused,
    "B14821ZZ-2102": RequestRefused,
    "B14821ZZ-2121": RequestRefused,
}


def error_of(answer: BankAnswer, *, bank_id: str, has_token: bool) -> ConnectorError:
    """The error a 4xx answer stands for, to be raised by the caller.

    A 401 that names nothing concerns the token when one was sent, else our certificate; a 403 that names nothing is a
    matter for the PSU at the bank. HTML with another status is a `BankAnswerInvalid`.
    """
    found = named_error(answer, bank_id=bank_id)
    if found is not None and not (isinstance(found, TokenRejected) and not has_token):
        return found
    code = found.bank_code if found is not None else next(iter(codes_of(answer)), None)
    kind = _kind_of_status(answer, code, has_token=has_token)
    return kind(_message(answer, code), bank_id=bank_id, status=answer.status, bank_code=code)


def named_error(answer: BankAnswer, *, bank_id: str) -> ConnectorError | None:
    """The error of an answer whose code is known; None for every other answer."""
    code = next((code for code in codes_of(answer) if code in _KINDS), None)
    if code is None:
        return None
    return _KINDS[code](_message(answer, code), bank_id=bank_id, status=answer.status, bank_code=code)


def codes_of(answer: BankAnswer) -> list[str]:
    """The code of an error answer, and its word; empty when there are none that can be read."""
    try:
        body = answer.json()
    except BankAnswerInvalid:
        return []
    if not isinstance(body, Mapping):
        return []
    found = [text.present(body.get(name)) for name in ("error_code", "error")]
    return [code for code in found if code is not None and _CODE.fullmatch(code)]


def _message(answer: BankAnswer, code: str | None) -> str:
    return f"the bank answered {answer.status}{f' {code}' if code else ''}"


def _kind_of_status(answer: BankAnswer, code: str | None, *, has_token: bool) -> type[ConnectorError]:
    if answer.status == 401:
        return TokenRejected if has_token else OperatorError
    if answer.status == 403 and code is None:
        return ConsentError
    is_html = code is None and answer.body.lstrip()[:1] == b"<"
    return BankAnswerInvalid if is_html else RequestRefused

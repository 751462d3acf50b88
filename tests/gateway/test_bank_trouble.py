"""Trouble at a bank as a problem: which of seven kinds, what happens next, in the reader's language (SYN-13)."""

from __future__ import annotations

import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.requests import Request

from connectors.errors import (
    BankAnswerInvalid,
    BankUnavailable,
    ConnectorError,
    ConsentEnded,
    ConsentError,
    Fault,
    OperatorError,
    QuotaExhausted,
    RequestRefused,
    TokenRejected,
)
from gateway.bank_trouble import NEXT, BankTrouble
from gateway.i18n import LANGUAGES, translate
from gateway.problems import problem


def told(error: ConnectorError, language: str) -> tuple[int, dict[str, Any], dict[str, str]]:
    app = SimpleNamespace(
        state=SimpleNamespace(gateway=SimpleNamespace(settings=SimpleNamespace(default_language="en")))
    )
    request = Request({"type": "http", "headers": [(b"accept-language", language.encode())], "app": app, "state": {}})
    response = problem(request, BankTrouble(error))
    return response.status_code, json.loads(bytes(response.body)), dict(response.headers)


@pytest.mark.parametrize(
    ("kind", "fault", "status"),
    [
        (ConsentEnded, Fault.RENEW_CONSENT, 409),
        (TokenRejected, Fault.REFRESH_TOKEN, 502),
        (ConsentError, Fault.PERSON_AT_BANK, 409),
        (QuotaExhausted, Fault.QUOTA, 429),
        (BankUnavailable, Fault.TEMPORARY, 502),
        (BankAnswerInvalid, Fault.TEMPORARY, 502),
        (OperatorError, Fault.OPERATOR, 503),
        (RequestRefused, Fault.DEFECT, 502),
    ],
)
def test_a_problem_names_the_kind_and_what_happens_next(kind: type[ConnectorError], fault: Fault, status: int) -> None:
    """SYN-13."""
    seen = set()
    for language in LANGUAGES:
        code, body, _ = told(kind("the bank's own words", bank_id="keytrade"), language)
        assert (code, body["bank_fault"], body["detail"]) == (status, fault.value, translate(language, NEXT[fault]))
        assert "own words" not in json.dumps(body)
        seen.add(body["detail"])
    assert len(seen) == len(LANGUAGES), "a language has no text of its own"


def test_a_named_wait_is_passed_on() -> None:
    _, _, headers = told(QuotaExhausted("wait", retry_after=timedelta(minutes=5)), "nl")
    assert headers["retry-after"] == "300"

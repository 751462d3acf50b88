"""Recorded answers in the place of a bank: the same rows without any call (OPS-08)."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from connectors.base import BankEndpoint
from connectors.errors import QuotaExhausted
from connectors.http import BankAnswer, BankRequest, CallKind
from connectors.model import Access, Transaction
from connectors.registry import connector_class
from connectors.replay import AnswerNotRecorded, RecordedAnswer, ReplayHttp, ReplayTokens, recorded
from connectors.simulator import SimulatorServer
from tests.connectors.simulated import BANKS, TODAY, opened
from tests.connectors.support import NOW
from tests.connectors.test_simulated_banks import server, simulated

__all__ = ["server", "simulated"]


def answer(request_id: str = "r-1", status: int = 200, **changes: Any) -> RecordedAnswer:
    values: dict[str, Any] = {
        "kind": CallKind.TRANSACTIONS, "template": "/accounts/{id}/transactions", "request_id": request_id,
        "status": status, "headers": {}, "body": b"{}", "url": "https://bank.example/v1/accounts/1/transactions",
    }  # fmt: skip
    return RecordedAnswer(**(values | changes))


def line(*answers: RecordedAnswer) -> ReplayHttp:
    return ReplayHttp("https://bank.example/v1", bank_id="bank", now=lambda: NOW, answers=answers)


def asked(request_id: str = "r-9", kind: CallKind = CallKind.TRANSACTIONS) -> BankRequest:
    return BankRequest("GET", "/accounts/1/transactions", "/accounts/{id}/transactions", kind, request_id)


@pytest.mark.parametrize("bank_id", BANKS)
def test_a_recorded_reading_gives_the_same_rows_and_calls_nobody(simulated: SimulatorServer, bank_id: str) -> None:
    """Every simulated bank, with pages, cursors and addresses of its own."""
    bank = opened(simulated, bank_id)
    heard: list[RecordedAnswer] = []

    def hear(request: BankRequest, given: BankAnswer) -> None:
        kept = recorded(request, given)
        if kept is not None:
            heard.append(kept)

    with closing(bank.http):
        account = bank.current_account()
        bank.http._on_answer = hear
        rows = bank.rows(account)
        calls = len(bank.records)
        assert bank.handle is not None
        http = ReplayHttp(
            bank.http.base_url, bank_id=bank_id, now=lambda: NOW, answers=heard,
            allowed_hosts=bank.http.allowed_hosts,
        )  # fmt: skip
        found = connector_class(bank_id)
        endpoint = BankEndpoint(bank.http.base_url, "client", api_key="key", client_secret="of-a-test")
        connector = found(endpoint, http, now=lambda: NOW, new_id=lambda: "id")
        pages = connector.transaction_pages(
            Access(bank.handle.bank_consent_id, ReplayTokens(), None),
            account.bank_account_id,
            account_iban=account.iban or "",
            account_holder=account.holder_name,
            date_from=TODAY - timedelta(days=89),
            today=TODAY,
        )
        replayed: list[Transaction] = [row for page in pages for row in page.transactions]
        assert rows
        assert replayed == rows
        assert len(bank.records) == calls


@pytest.mark.parametrize("kind", [CallKind.TOKEN, CallKind.CONSENT, CallKind.PAYMENT, CallKind.METADATA])
def test_what_holds_secrets_is_never_recorded(kind: CallKind) -> None:
    assert recorded(asked(kind=kind), BankAnswer(200, {}, b'{"access_token": "secret"}')) is None


def test_of_the_headers_only_those_that_tell_what_it_is_are_kept() -> None:
    given = {"content-type": "application/json", "set-cookie": "session=secret", "authorization": "Bearer secret"}
    kept = recorded(asked(), BankAnswer(200, given, b"{}", "https://bank.example/x"))
    assert kept is not None
    assert kept.headers == {"content-type": "application/json"}
    assert "secret" not in repr(kept)


def test_answers_come_in_order_a_repeated_try_counts_once_and_then_there_are_none() -> None:
    played = line(answer("r-1", 503), answer("r-1", 200, body=b"1"), answer("r-2", body=b"2"))
    assert [played.send(asked()).body for _ in range(2)] == [b"1", b"2"]
    with pytest.raises(AnswerNotRecorded):
        played.send(asked())
    with pytest.raises(AnswerNotRecorded):
        line(answer()).send(asked(kind=CallKind.BALANCES))


def test_a_refusal_is_played_back_as_one() -> None:
    with pytest.raises(QuotaExhausted):
        line(answer(status=429)).send(asked())

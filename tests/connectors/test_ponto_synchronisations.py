"""Synchronisations at Ponto, and one account authorised anew."""

from __future__ import annotations

import pytest

from connectors.errors import (
    AccountEnded,
    BankAnswerInvalid,
    BankUnavailable,
    ConnectorError,
)
from connectors.model import (
    Redirect,
    TransactionStatus,
)
from tests.connectors.ponto_stubs import (
    StubPonto,
    connector_at,
    error_answer,
    rows_of,
)
from tests.connectors.support import (
    PSU,
    TODAY,
    FakeBank,
    access,
    json_answer,
)


def test_a_synchronisation_names_the_person_who_is_there_and_goes_on_by_itself() -> None:
    bank = FakeBank(handler=StubPonto())
    connector = connector_at(bank)
    started = connector.start_synchronisation(access(psu=PSU), "res-1")
    assert (started.synchronisation_id, started.is_done) == ("sync-9", False)
    assert b'"customerIpAddress":"192.0.2.17"' in bank.requests[0].content
    assert b'"subtype":"accountTransactionsWithUnsettled"' in bank.requests[0].content
    assert "ibanity-idempotency-key" in bank.requests[0].headers
    assert bank.records[0].is_attended
    assert not connector.synchronisation(access(), "sync-9").is_done


def test_without_a_person_nothing_is_synchronised() -> None:
    bank = FakeBank()
    with pytest.raises(ValueError, match="present"):
        connector_at(bank).start_synchronisation(access(), "res-1")
    assert bank.requests == []


def test_a_synchronisation_asked_for_again_at_once_counts_as_done() -> None:
    stubs = StubPonto("/synchronizations", error_answer(400, "accountRecentlySynchronized"))
    found = connector_at(FakeBank(handler=stubs)).start_synchronisation(access(psu=PSU), "res-1")
    assert (found.synchronisation_id, found.is_done) == (None, True)


def test_a_refused_token_starts_one_synchronisation_under_one_key() -> None:
    bank = FakeBank(handler=StubPonto("/synchronizations", error_answer(401, "invalidAccessToken")))
    connector_at(bank).start_synchronisation(access(psu=PSU), "res-1")
    first, second = bank.requests
    assert first.headers["ibanity-idempotency-key"] == second.headers["ibanity-idempotency-key"]


@pytest.mark.parametrize(
    ("code", "kind"),
    [("authorizationInvalid", AccountEnded), ("somethingElse", BankUnavailable), (None, BankUnavailable)],
)
def test_a_synchronisation_that_failed_says_who_must_act(code: str | None, kind: type[ConnectorError]) -> None:
    errors = [] if code is None else [{"code": code, "meta": {"financialInstitutionResponse": {"body": "<html>"}}}]
    body = {"data": {"id": "s", "type": "synchronization", "attributes": {"status": "error", "errors": errors}}}
    with pytest.raises(ConnectorError) as caught:
        connector_at(FakeBank(answers=[json_answer(body)])).synchronisation(access(), "s")
    assert type(caught.value) is kind


def test_what_a_synchronisation_changed_is_read_at_our_own_address() -> None:
    bank = FakeBank(handler=StubPonto())
    pages = connector_at(bank).updated_transactions(
        access(), "sync-9", account_iban="BE14645123456783", account_holder=None, today=TODAY
    )
    assert [(row.bank_transaction_id, row.status) for row in rows_of(list(pages))] == [
        ("t-3", TransactionStatus.BOOKED), ("t-4", TransactionStatus.BOOKED), ("p-1", TransactionStatus.PENDING)
    ]  # fmt: skip


def test_one_account_is_authorised_anew_on_a_page_of_pontos() -> None:
    bank = FakeBank(handler=StubPonto())
    found = connector_at(bank).reauthorise_account(access(psu=PSU), "res-1", "https://gateway.example/back")
    assert found == Redirect("https://authorize.bank.example/re-1")
    assert b'"redirectUri":"https://gateway.example/back"' in bank.requests[0].content
    body = {"data": {"type": "reauthorizationRequest", "links": {"redirect": "javascript:alert(1)"}}}
    with pytest.raises(BankAnswerInvalid):
        connector_at(FakeBank(answers=[json_answer(body, 201)])).reauthorise_account(access(), "res-1", "https://g")


@pytest.mark.parametrize("odd", ["..", ".", ""])
def test_an_id_that_would_climb_out_of_the_path_is_refused(odd: str) -> None:
    with pytest.raises(BankAnswerInvalid):
        connector_at(FakeBank()).balances(access(), odd)

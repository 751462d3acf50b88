"""What only the simulated Belfius refuses: headers, languages and versions, old pairs of tokens, too much history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from connectors import registry
from connectors.errors import ConnectorError, ConsentEnded, OperatorError, RequestRefused
from connectors.http import BankRequest, CallKind
from connectors.model import Account, AccountKind, Redirect
from connectors.simulator import SimulatorConfig, SimulatorServer
from connectors.simulator.banks import settings_of
from tests.connectors.simulated import PERSON, TODAY, Line, line_to, opened, request_for

BELFIUS = registry.connector_class("belfius").profile


@pytest.fixture(scope="module")
def bank() -> Iterator[SimulatorServer]:
    with SimulatorServer(SimulatorConfig(today=TODAY, banks=(settings_of(BELFIUS),))) as running:
        yield running


@pytest.fixture
def line(bank: SimulatorServer) -> Iterator[Line]:
    bank.simulator.reset()
    made = opened(bank, "belfius")
    yield made
    made.http.close()


def read(line: Line, path: str = "/accounts", **changes: str) -> int:
    """The status of a read whose headers are right but for the changes."""
    assert line.handle is not None
    headers = {
        "Accept": "application/vnd.belfius.api+json; version=3",
        "Accept-Language": "fr",
        "Authorization": f"Bearer {line.current().access_token}",
        "Client-ID": line.connector.endpoint.client_id,
        "Redirect-URI": line.handle.bank_consent_id,
        "Request-ID": line.connector.new_id(),
    } | {name.replace("_", "-"): value for name, value in changes.items()}
    request = BankRequest(
        method="GET", url=path, template="/accounts", kind=CallKind.ACCOUNTS, request_id=line.connector.new_id(),
        headers=headers,
    )  # fmt: skip
    return line.http.send(request).status


def test_each_header_of_the_bank_is_wanted(line: Line) -> None:
    assert read(line) == 200
    for changes, status in (
        ({"Accept_Language": "en"}, 406),
        ({"Accept_Language": "fr-BE"}, 406),
        ({"Accept_Language": ""}, 406),
        ({"Accept": "application/json"}, 406),
        ({"Accept": "application/vnd.belfius.api+json; version=2"}, 406),
        ({"Client_ID": ""}, 400),
        ({"Redirect_URI": ""}, 400),
        ({"Redirect_URI": "https://elsewhere.example/"}, 400),
        ({"Request_ID": "7"}, 400),
    ):
        assert read(line, **changes) == status, changes


def test_a_renewal_kills_the_previous_pair(line: Line) -> None:
    old = line.current()
    line.renew(old)
    assert read(line, Authorization=f"Bearer {old.access_token}") == 401
    with pytest.raises(ConsentEnded) as caught:
        line.connector.refresh_tokens(old, line.handle)
    assert caught.value.bank_code == "GEN-1203-100004"
    assert line.connector.accounts(line.access())


def test_a_client_without_its_secret_is_a_matter_for_the_operator(bank: SimulatorServer, line: Line) -> None:
    other = line_to(bank, "belfius")
    other.connector.endpoint = replace(other.connector.endpoint, client_secret="")
    with pytest.raises(OperatorError):
        other.connector.refresh_tokens(line.current(), line.handle)
    other.http.close()


def test_an_account_in_two_currencies_is_listed_once_and_read_twice(bank: SimulatorServer, line: Line) -> None:
    current = [one for one in line.connector.accounts(line.access()) if one.kind is AccountKind.CURRENT]
    assert [(one.currency, one.iban) for one in current] == [("EUR", current[0].iban), ("USD", current[0].iban)]
    for account in current:
        assert {row.currency for row in line.rows(account)} == {account.currency}
    reads = [record for record in line.records if record.path == "/accounts/{id}"]
    assert len(reads) == 2, "two accounts at the bank, whatever their currencies"
    missing = Account(current[0].bank_account_id.replace("EUR", "GBP"), current[0].iban, "GBP", AccountKind.CURRENT)
    with pytest.raises(ConnectorError):
        line.rows(missing)
    assert bank.simulator.banks["belfius"].second_currency == "USD"


def test_more_than_90_days_wants_the_psu_and_is_not_asked_for(line: Line) -> None:
    account = line.current_account()
    path = f"/accounts/{account.bank_account_id.partition('~')[0]}/transactions"
    assert read(line, f"{path}?date_from={TODAY - timedelta(days=91)}") == 401
    pages = line.connector.transaction_pages(
        line.access(), account.bank_account_id, account_iban=account.iban or "", account_holder=None,
        date_from=TODAY - timedelta(days=400), today=TODAY,
    )  # fmt: skip
    assert next(iter(pages)).date_from == TODAY - timedelta(days=89)


def test_the_page_is_given_in_both_languages_and_only_for_a_right_request(bank: SimulatorServer) -> None:
    fresh, asked = line_to(bank, "belfius"), request_for("belfius")
    for language in ("fr", "nl"):
        step = fresh.connector.start_consent(replace(asked, psu=replace(PERSON, language=language))).step
        assert isinstance(step, Redirect)
        assert f"language={language}&state=" in step.url
    with pytest.raises(RequestRefused):
        fresh.connector.start_consent(replace(asked, redirect_uri="ftp://gateway.example/"))
    fresh.http.close()


def test_a_token_nobody_gave_is_refused(line: Line) -> None:
    assert read(line, Authorization="Bearer invented") == 401

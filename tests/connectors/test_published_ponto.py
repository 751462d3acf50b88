"""Recorded and published answers of Ponto, and our own data set, through the real connector; skipped without them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest

from connectors.errors import (
    AccountGone,
    BankUnavailable,
    ConnectorError,
    ConsentEnded,
    ConsentError,
    OperatorError,
    RequestRefused,
)
from connectors.families import ponto_rows
from connectors.families.ponto import PontoConnector
from connectors.families.ponto_errors import failure_of
from connectors.model import AccountKind, BalanceKind, ConsentStatus, Transaction, TransactionStatus
from tests.connectors.support import PSU, TODAY, FakeBank, access, consent_request

BASE = "https://api.ibanity.com/ponto-connect"
OLD_HOSTS = ("api.development.ibanity.net", "api.ibanity.localhost")
ACCOUNT_LISTS = ("recorded-v2/listAccounts", "client-fixtures/ponto-connect/accounts", "own/account-data/accounts")
ACCOUNTS = ("recorded-v2/getAccount", "client-fixtures/ponto-connect/account")
SETTLED = ("recorded-v2/listTransactions", "client-fixtures/ponto-connect/transactions")
UNSETTLED = ("client-fixtures/ponto-connect/pendingTransactions", "own/account-data/pending-transactions")
UPDATED = (
    "recorded-v2/listUpdatedTransactionsForSynchronization",
    "client-fixtures/ponto-connect/updated-transactions",
    "own/account-data/updated-transactions",
)
UPDATED_UNSETTLED = ("client-fixtures/ponto-connect/updatedPendingTransactions",)
ONE_ROW = (
    "recorded-v2/getTransaction",
    "client-fixtures/ponto-connect/transaction",
    "client-fixtures/ponto-connect/pendingTransaction",
)
SYNCHRONISATIONS = (
    "recorded-v2/getSynchronization",
    "recorded-v2/createSynchronization",
    "client-fixtures/ponto-connect/synchronization",
    "client-fixtures/ponto-connect/synchronization_with_updated_transactions",
    "own/account-data/synchronization-with-updates",
)
INSTITUTIONS = (
    "client-fixtures/ponto-connect/financial_institution",
    "recorded-v2/getOrganizationFinancialInstitution",
)
USERINFO = ("recorded-v2/getUserInfo", "client-fixtures/ponto-connect/userinfo")
TOKENS = ("client-fixtures/ponto-connect/create_access_token",)
REAUTHORISATIONS = (
    "recorded-v2/requestAccountReauthorization",
    "client-fixtures/ponto-connect/create_reauthorization_request",
)
ENDED = (
    "recorded-v2/deleteOrganizationIntegration",
    "client-fixtures/ponto-connect/delete_organization_integration",
)
NOT_OURS = (
    # In `test_ponto_payments`; an unsigned payment is not deleted, and requests to be paid are not made.
    "ayment",
    # Test data of the sandbox, banks in general, billing and sign-up: nothing here asks for them.
    "inancialInstitutionAccount", "inancialInstitutionTransaction", "FinancialInstitution", "financial_institutions",
    "usage", "Usage", "nboarding", "onboarding", "integration_accounts", "account_delete", "revokeAccount",
)  # fmt: skip


@pytest.fixture(scope="module")
def samples(shared: Path) -> Path:
    return shared / "samples" / "ponto"


def body(samples: Path, name: str) -> bytes:
    """One answer, the vendor's other hosts replaced by the one it has in production."""
    folder, stem = (samples / name).parent, Path(name).name
    (found,) = [
        path
        for path in folder.glob(f"{stem}*.json")
        if path.name in (f"{stem}.json", f"{stem}.response.200.json", f"{stem}.response.201.json")
    ]
    plain = found.read_text(encoding="utf-8")
    for host in OLD_HOSTS:
        plain = plain.replace(f"https://{host}/", "https://api.ibanity.com/")
    return plain.encode()


class Answering:
    """Gives these bodies by the end of the path; the page after the first one is empty."""

    def __init__(self, answers: dict[str, bytes], status: int = 200) -> None:
        self.answers = answers
        self.status = status

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if "page[after]" in request.url.params:
            return httpx2.Response(200, content=b'{"data": [], "meta": {"paging": {"limit": 100}}, "links": {}}')
        path = request.url.path
        for end, content in self.answers.items():
            if path.endswith(end):
                return httpx2.Response(self.status, content=content)
        return httpx2.Response(404, content=b'{"errors": [{"code": "resourceNotFound"}]}')


def connector_for(answers: dict[str, bytes], status: int = 200) -> tuple[PontoConnector, FakeBank]:
    bank = FakeBank(handler=Answering(answers, status))
    found = bank.connector("ponto", BASE, allowed_hosts=frozenset())
    assert isinstance(found, PontoConnector)
    return found, bank


def rows_of(
    connector: PontoConnector, iban: str = "BE80539075480477", date_from: date = date(2000, 1, 1)
) -> list[Transaction]:
    pages = list(
        connector.transaction_pages(
            access(), "acc", account_iban=iban, account_holder=None, date_from=date_from, today=TODAY
        )
    )
    assert not any(page.rejected for page in pages)
    return [row for page in pages for row in page.transactions]


@pytest.mark.parametrize("name", ACCOUNT_LISTS)
def test_accounts_are_read_as_published(samples: Path, name: str) -> None:
    connector, _ = connector_for({"/accounts": body(samples, name)})
    accounts = connector.accounts(access())
    assert accounts
    assert all(account.iban and account.currency == account.raw["attributes"]["currency"] for account in accounts)
    assert connector.consent_details(access()).status in (ConsentStatus.VALID, ConsentStatus.EXPIRED)


def test_our_own_accounts_hold_two_currencies_a_savings_account_and_one_that_is_over(samples: Path) -> None:
    connector, _ = connector_for({"/accounts": body(samples, "own/account-data/accounts")})
    euros, dollars, savings, *others = connector.accounts(access())
    assert others == []
    assert (euros.iban, euros.currency, dollars.iban, dollars.currency) == (
        "BE80539075480477", "EUR", "BE80539075480477", "USD"
    )  # fmt: skip
    assert (euros.kind, savings.kind, savings.is_closed) == (AccountKind.CURRENT, AccountKind.SAVINGS, True)
    details = connector.consent_details(access())
    assert (details.status, details.valid_until) == (ConsentStatus.VALID, date(2027, 2, 12))


@pytest.mark.parametrize("name", ACCOUNTS)
def test_an_account_gives_its_balances(samples: Path, name: str) -> None:
    connector, _ = connector_for({"/accounts/acc": body(samples, name)})
    booked, available = connector.balances(access(), "acc")
    assert (booked.kind, available.kind) == (BalanceKind.INTERIM_BOOKED, BalanceKind.INTERIM_AVAILABLE)
    assert booked.reference_date is not None
    assert booked.last_change_at is not None


@pytest.mark.parametrize("name", SETTLED)
def test_settled_rows_are_read_as_published(samples: Path, name: str) -> None:
    connector, _ = connector_for({"/transactions": body(samples, name)})
    rows = rows_of(connector)
    assert rows
    assert {row.status for row in rows} == {TransactionStatus.BOOKED}
    assert all(row.bank_transaction_id and row.booking_date and row.iso_code for row in rows)


@pytest.mark.parametrize("name", UNSETTLED)
def test_unsettled_rows_are_pending_only(samples: Path, name: str) -> None:
    empty = b'{"data": [], "meta": {"paging": {"limit": 10}}, "links": {}}'
    connector, _ = connector_for({"/pending-transactions": body(samples, name), "/transactions": empty})
    rows = rows_of(connector)
    assert rows
    assert {row.status for row in rows} == {TransactionStatus.PENDING}


@pytest.mark.parametrize("name", UPDATED + UPDATED_UNSETTLED)
def test_rows_a_synchronisation_changed_are_read_as_published(samples: Path, name: str) -> None:
    empty = b'{"data": [], "meta": {"paging": {"limit": 10}}, "links": {}}'
    is_pending = name in UPDATED_UNSETTLED
    answers = {"updated-pending-transactions": body(samples, name)} if is_pending else {}
    connector, _ = connector_for(answers | {"updated-transactions": empty if is_pending else body(samples, name)})
    pages = list(
        connector.updated_transactions(
            access(), "sync", account_iban="BE80539075480477", account_holder=None, today=TODAY
        )
    )
    rows = [row for page in pages for row in page.transactions]
    assert rows
    wanted = TransactionStatus.PENDING if is_pending else TransactionStatus.BOOKED
    assert {row.status for row in rows} == {wanted}


@pytest.mark.parametrize("name", ONE_ROW)
def test_a_single_row_is_read_as_published(samples: Path, name: str) -> None:
    raw = json.loads(body(samples, name), parse_float=Decimal)["data"]
    connector, _ = connector_for({})
    row = connector.transaction(
        raw,
        status=ponto_rows.status_of(raw),
        account_iban="",
        account_holder=None,
        own_ibans=frozenset(),
        today=TODAY,
    )
    assert isinstance(row, Transaction)
    assert row.amount == raw["attributes"]["amount"]


def expected_rows(samples: Path) -> Iterator[dict[str, Any]]:
    yield from json.loads((samples / "own/account-data/expected.json").read_text(encoding="utf-8"))["transactions"]


def own_pages(samples: Path) -> tuple[PontoConnector, FakeBank]:
    pages = {
        cursor: body(samples, f"own/account-data/transactions-page-{number}")
        for number, cursor in (
            (1, None),
            (2, "5d462ab6-d2bf-429b-afef-2ab6abd94f5d"),
            (3, "c18e2942-0892-469a-8397-8c3f86933f28"),
        )
    }
    rest = Answering({})

    def handler(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/pending-transactions"):
            return rest(request)
        return httpx2.Response(200, content=pages[request.url.params.get("page[after]")])

    bank = FakeBank(handler=handler)
    found = bank.connector("ponto", BASE, allowed_hosts=frozenset())
    assert isinstance(found, PontoConnector)
    return found, bank


def test_our_own_data_set_becomes_the_rows_it_names(samples: Path) -> None:
    connector, bank = own_pages(samples)
    rows = rows_of(connector)
    assert len(bank.requests) == 4
    assert [
        {
            "id": row.bank_transaction_id,
            "bookingDate": row.booking_date.isoformat() if row.booking_date else None,
            "valueDate": row.value_date.isoformat() if row.value_date else None,
            "amountCents": int(row.amount * 100),
            "currency": row.currency,
            "counterpartyName": row.counterparty_name,
            "counterpartyAccount": row.counterparty_iban,
            "structuredReference": row.structured_reference,
            "endToEndId": row.end_to_end_id,
            "mandateId": row.mandate_id,
            "creditorId": row.creditor_id,
            "bankTransactionCode": row.iso_code,
        }
        for row in rows
    ] == [{name: value for name, value in row.items() if name != "remittanceText"} for row in expected_rows(samples)]
    texts = [row["remittanceText"] for row in expected_rows(samples) if row["structuredReference"] is None]
    assert [row.remittance_information for row in rows if row.structured_reference is None] == texts


def test_our_own_data_set_is_read_from_a_day_on(samples: Path) -> None:
    connector, _ = own_pages(samples)
    rows = rows_of(connector, date_from=date(2026, 11, 18))
    wanted = [row["id"] for row in expected_rows(samples) if row["bookingDate"] >= "2026-11-18"]
    assert [row.bank_transaction_id for row in rows] == wanted


@pytest.mark.parametrize("name", SYNCHRONISATIONS)
def test_a_synchronisation_is_read_as_published(samples: Path, name: str) -> None:
    connector, bank = connector_for({"/synchronizations/s": body(samples, name)})
    state = json.loads(body(samples, name))["data"]["attributes"]["status"]
    assert connector.synchronisation(access(), "s").is_done is (state == "success")
    assert len(bank.requests) == 1, "no link is followed"


def test_a_synchronisation_that_failed_at_the_bank_asks_for_the_holder(samples: Path) -> None:
    name = "client-fixtures/xs2a-sync-errors/synchronization_with_json_error"
    connector, _ = connector_for({"/synchronizations/s": body(samples, name)})
    with pytest.raises(ConsentError) as caught:
        connector.synchronisation(access(), "s")
    assert caught.value.bank_code == "authorizationInvalid"
    listed = json.loads(body(samples, "client-fixtures/xs2a-sync-errors/accounts_with_sync_errors"))["data"][0]
    failure = failure_of(listed["meta"]["latestSynchronization"], bank_id="ponto")
    assert isinstance(failure, ConsentError)
    assert not isinstance(failure, BankUnavailable)
    assert ponto_rows.account(listed) is not None


@pytest.mark.parametrize("name", INSTITUTIONS)
def test_the_bank_of_an_account_is_known_by_its_bic(samples: Path, name: str) -> None:
    accounts = body(samples, "own/account-data/accounts")
    connector, _ = connector_for({"/accounts": accounts, "e88b7591-31db-4e32-98dc-b35f94c662cd": body(samples, name)})
    bic = json.loads(body(samples, name))["data"]["attributes"].get("bic")
    euros, _, savings = connector.accounts(access())
    assert (euros.bic, savings.bic) == (bic, bic or "KREDBEBB"), "else by the code in the number, where it is known"


@pytest.mark.parametrize("userinfo", USERINFO)
@pytest.mark.parametrize("tokens", TOKENS)
def test_a_consent_is_finished_with_published_answers(samples: Path, userinfo: str, tokens: str) -> None:
    answers = {"/token": tokens, "/userinfo": userinfo, "/accounts": "own/account-data/accounts"}
    connector, _ = connector_for({end: body(samples, name) for end, name in answers.items()})
    started = connector.start_consent(consent_request())
    granted = connector.finish_consent(started.handle, {"code": "c", "state": "state-123"}, PSU)
    assert granted.handle is not None
    assert granted.handle.bank_consent_id == json.loads(body(samples, userinfo))["sub"]
    assert granted.valid_until == date(2027, 2, 12)


@pytest.mark.parametrize("name", REAUTHORISATIONS)
def test_an_account_is_authorised_anew_at_the_page_published(samples: Path, name: str) -> None:
    connector, _ = connector_for({"/reauthorization-requests": body(samples, name)}, 201)
    found = connector.reauthorise_account(access(psu=PSU), "acc", "https://gateway.example/back")
    assert found.url == json.loads(body(samples, name))["data"]["links"]["redirect"]


@pytest.mark.parametrize("name", ENDED)
def test_an_integration_is_ended_with_published_answers(samples: Path, name: str) -> None:
    connector, bank = connector_for({"/token": body(samples, TOKENS[0]), "/integration": body(samples, name)})
    connector.revoke_consent(access())
    assert bank.requests[-1].method == "DELETE"


KINDS: dict[str, type[ConnectorError]] = {
    "recently-synchronized": RequestRefused,
    "invalid-access-token": ConsentEnded,
    "not-found": AccountGone,
    "oauth-invalid-grant": ConsentEnded,
    "oauth-invalid-client": OperatorError,
}


@pytest.mark.parametrize("name", KINDS)
def test_an_error_answer_says_who_must_act(samples: Path, name: str) -> None:
    error = json.loads((samples / "own/account-data/errors.json").read_text(encoding="utf-8"))[name]
    connector, _ = connector_for({"": json.dumps(error["body"]).encode()}, error["status"])
    renew = partial(connector.refresh_tokens, access().tokens.current())
    call = renew if name.startswith("oauth") else partial(connector.balances, access(), "acc")
    with pytest.raises(ConnectorError) as caught:
        call()
    assert type(caught.value) is KINDS[name]


def test_no_answer_is_left_aside_without_a_reason(samples: Path) -> None:
    used = {
        *ACCOUNT_LISTS, *ACCOUNTS, *SETTLED, *UNSETTLED, *UPDATED, *UPDATED_UNSETTLED, *ONE_ROW, *SYNCHRONISATIONS,
        *INSTITUTIONS, *USERINFO, *TOKENS, *REAUTHORISATIONS, *ENDED,
    }  # fmt: skip
    folders = ("recorded-v2", "client-fixtures/ponto-connect")
    files = [path for folder in folders for path in (samples / folder).glob("*.json") if ".request" not in path.name]
    names = {f"{path.parent.relative_to(samples)}/{path.name.partition('.')[0]}" for path in files}
    assert {name for name in names - used if not any(part in name for part in NOT_OURS)} == set()

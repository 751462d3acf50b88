"""Ponto in memory: invented answers by path, and what the tests of its connector ask of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import httpx2

from connectors.families.ponto import PontoConnector
from connectors.model import (
    Transaction,
    TransactionPage,
)
from tests.connectors.support import (
    TODAY,
    FakeBank,
    Keeper,
    access,
    json_answer,
    stub,
)

PONTO_BASE = "https://bank.example/ponto-connect"
DOORS = ("ponto", "pontocustom")
FIRST = date(2026, 8, 24)
FILES = {
    "/oauth2/token": "tokens.json",
    "/userinfo": "userinfo.json",
    "/accounts": "accounts.json",
    "/financial-institutions/bank-1": "institution.json",
    "/accounts/res-1/pending-transactions": "pending-transactions.json",
    "/accounts/res-1/reauthorization-requests": "reauthorisation.json",
    "/synchronizations": "synchronisation.json",
    "/synchronizations/sync-9": "synchronisation.json",
    "/synchronizations/sync-9/updated-transactions": "transactions-2.json",
    "/synchronizations/sync-9/updated-pending-transactions": "pending-transactions.json",
}


class StubPonto:
    """Answers each path from the stubs; `answers` are given first, in turn, to data calls that match `path`."""

    def __init__(self, path: str = "", *answers: httpx2.Response | Exception) -> None:
        self.path = path
        self.answers = list(answers)
        self.changed: dict[str, Callable[[Any], Any]] = {}

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path.removeprefix("/ponto-connect")
        if self.path and path.endswith(self.path) and self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        if request.method == "DELETE":
            return json_answer({"data": {"type": "integration", "id": "1"}})
        if path == "/accounts/res-1/transactions":
            name = "transactions-2.json" if request.url.params.get("page[after]") == "t-2" else "transactions-1.json"
        elif path == "/accounts/res-1":
            return json_answer({"data": stub("ponto", "accounts.json")["data"][0]})
        elif path in FILES:
            name = FILES[path]
        else:
            return error_answer(404, "resourceNotFound")
        body = stub("ponto", name)
        return json_answer(self.changed.get(name, lambda same: same)(body), 201 if request.method == "POST" else 200)


def error_answer(status: int, code: str, **headers: str) -> httpx2.Response:
    return json_answer({"errors": [{"code": code, "detail": "Anna Voorbeeld", "meta": {}}]}, status, **headers)


def connector_at(bank: FakeBank, bank_id: str = "ponto") -> PontoConnector:
    found = bank.connector(bank_id, PONTO_BASE)
    assert isinstance(found, PontoConnector)
    return found


def read(bank: FakeBank, keeper: Keeper | None = None, bank_id: str = "ponto") -> list[TransactionPage]:
    return list(
        connector_at(bank, bank_id).transaction_pages(
            access(keeper),
            "res-1",
            account_iban="BE14645123456783",
            account_holder="Voorbeeld BV",
            date_from=FIRST,
            today=TODAY,
        )
    )


def rows_of(pages: list[TransactionPage]) -> list[Transaction]:
    return [row for page in pages for row in page.transactions]


def with_rows(*changes: dict[str, Any]) -> Callable[[Any], Any]:
    """The second page with these rows in place of its own."""

    def change(body: Any) -> Any:
        base = body["data"][0]
        rows = [
            {**base, "id": one.pop("id", "t-9"), "attributes": {**base["attributes"], **one}}
            for one in map(dict, changes)
        ]
        return {**body, "data": rows}

    return change


def rows_with(*changes: dict[str, Any]) -> list[TransactionPage]:
    stubs = StubPonto()
    stubs.changed["transactions-2.json"] = with_rows(*changes)
    return read(FakeBank(handler=stubs))

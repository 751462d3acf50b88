"""A bank in memory for connector tests: stubs through a mock transport, a fixed day and counted ids."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from connectors.base import BankEndpoint, Connector
from connectors.http import BankHttp, CallRecord
from connectors.model import Access, ConsentRequest, PsuContext, TokenSet
from connectors.registry import connector_class
from connectors.signing import SigningKey
from connectors.simulator.references import belgian_iban

STUBS = Path(__file__).parent / "stubs"
TODAY = date(2026, 11, 21)
NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
BASE = "https://bank.example/berlingroup/v1"
IBAN = "BE14645123456783"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
PSU = PsuContext("192.0.2.17", "Mozilla/5.0", "nl-BE")

Handler = Callable[[httpx2.Request], httpx2.Response]


class Keeper:
    """A token keeper that gives the next token of a list when the present one was refused."""

    def __init__(self, *tokens: str, error: Exception | None = None) -> None:
        self.tokens = list(tokens) or ["token-1", "token-2"]
        self.error = error
        self.renewed = 0

    def current(self) -> TokenSet:
        return TokenSet(self.tokens[0], "refresh-1")

    def renew(self, rejected: TokenSet) -> TokenSet:
        assert rejected.access_token == self.tokens[0]
        if self.error is not None:
            raise self.error
        self.renewed += 1
        self.tokens.pop(0)
        return self.current()


@dataclass
class FakeBank:
    """Answers in turn, or by a handler; keeps every request and every call record."""

    handler: Handler | None = None
    answers: list[httpx2.Response | Exception] = field(default_factory=list)
    requests: list[httpx2.Request] = field(default_factory=list)
    records: list[CallRecord] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        if self.handler is not None:
            return self.handler(request)
        assert self.answers, f"one call too many: {request.method} {request.url}"
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def http(self, base_url: str = BASE, **options: Any) -> BankHttp:
        return BankHttp(
            base_url,
            bank_id="bank",
            now=lambda: NOW,
            sleep=self.slept.append,
            transport=httpx2.MockTransport(self),
            on_call=self.records.append,
            **options,
        )

    def connector(self, bank_id: str = "keytrade", base_url: str = BASE, **options: Any) -> Connector:
        return self.of_class(connector_class(bank_id), base_url, **options)

    def of_class(self, found: type[Connector], base_url: str = BASE, **options: Any) -> Connector:
        hosts = options.pop("allowed_hosts", frozenset({".bank.example"}))
        ids = _ids()
        return found(
            BankEndpoint(base_url, "PSDBE-NBB-0123456789", hosts, api_key="key-1", client_secret="secret-1"),
            self.http(base_url, allowed_hosts=hosts, **options),
            now=lambda: NOW,
            new_id=lambda: next(ids),
        )


def json_answer(body: Any, status: int = 200, **headers: str) -> httpx2.Response:
    return httpx2.Response(
        status, content=json.dumps(body).encode(), headers={"Content-Type": "application/json", **headers}
    )


def error_answer(status: int, code: str) -> httpx2.Response:
    return json_answer({"tppMessages": [{"category": "ERROR", "code": code, "text": "some wording"}]}, status)


def html_answer(status: int = 200) -> httpx2.Response:
    return httpx2.Response(status, content=b"<!doctype html><p>Onderhoud</p>", headers={"Content-Type": "text/html"})


def page(*booked: dict[str, Any], next_link: Any = None, pending: list[Any] | None = None) -> httpx2.Response:
    links = {} if next_link is None else {"next": next_link}
    return json_answer({"transactions": {"booked": list(booked), "pending": pending or [], "_links": links}})


def amount(value: Any, currency: Any = "EUR") -> dict[str, Any]:
    return {"amount": value, "currency": currency}


def row(number: int = 1, **changes: Any) -> dict[str, Any]:
    raw: dict[str, Any] = {
        "transactionId": f"T{number:04}",
        "bookingDate": "2026-11-18",
        "valueDate": "2026-11-18",
        "transactionAmount": {"currency": "EUR", "amount": f"-{number}.25"},
        "creditorName": "Drukkerij Voorbeeld",
        "creditorAccount": {"iban": "BE43068999999501"},
        "remittanceInformationUnstructured": f"Factuur {number}",
    }
    return {name: value for name, value in (raw | changes).items() if value is not None}


def access(keeper: Keeper | None = None, psu: PsuContext | None = None) -> Access:
    return Access("consent-7", keeper or Keeper(), psu)


def consent_request(**changes: Any) -> ConsentRequest:
    values: dict[str, Any] = {
        "redirect_uri": "https://gateway.example/psd2/callback",
        "state": "state-123",
        "code_verifier": VERIFIER,
        "valid_until": date(2027, 2, 18),
        "psu": PSU,
    }
    return ConsentRequest(**(values | changes))


def stub_text(bank_id: str, name: str) -> str:
    """An invented answer of a bank: its own where one is written, else its family's, with account numbers of the bank.

    A new bank of a known family needs no file here (CON-03).
    """
    profile = connector_class(bank_id).profile
    own = STUBS / bank_id / name
    text = (own if own.exists() else STUBS / profile.family / name).read_text(encoding="utf-8")
    if profile.iban_bank_codes:
        first, last = profile.iban_bank_codes[0], profile.iban_bank_codes[-1]
        current, savings = belgian_iban(first[:3], "1234567"), belgian_iban(last[:3], "7654321")
    else:
        current, savings = "DE02100100100006820101", "DE02300209000106531065"
    return text.replace("{{current}}", current).replace("{{savings}}", savings)


def stub(bank_id: str, name: str) -> Any:
    return json.loads(stub_text(bank_id, name))


@cache
def throw_away_key() -> SigningKey:
    """A key and certificate of nobody, made anew for each run."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Invented seal")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(4711)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=90))
        .sign(key, hashes.SHA256())
    )
    return SigningKey("SN=4711,CA=CN=Inventedseal", key, certificate)


def _ids() -> Iterator[str]:
    number = 0
    while True:
        number += 1
        yield f"00000000-0000-4000-8000-{number:012}"

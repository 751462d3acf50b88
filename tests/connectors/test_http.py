"""The line to a bank: repeats, waits, limits, links, and silence about content."""

from __future__ import annotations

import logging
import ssl
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors import signing
from connectors.errors import BankAnswerInvalid, BankUnavailable, OperatorError, QuotaExhausted
from connectors.http import BankAnswer, BankHttp, BankRequest, CallKind, Limits
from connectors.signing import CertificateHeader, RequestSigner, SigningKey
from tests.connectors.support import BASE, NOW, FakeBank, html_answer, json_answer


def get(url: str = "/accounts", **changes: object) -> BankRequest:
    values: dict[str, object] = {
        "method": "GET",
        "url": url,
        "template": "/accounts",
        "kind": CallKind.ACCOUNTS,
        "request_id": "id-1",
    }
    return BankRequest(**(values | changes))  # type: ignore[arg-type]  # values of several kinds in one dictionary


def test_an_amount_in_json_is_exact() -> None:
    bank = FakeBank(answers=[httpx2.Response(200, content=b'{"amount": 1250.10, "count": 3}')])
    assert bank.http().send(get()).json_object() == {"amount": Decimal("1250.10"), "count": 3}


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_temporary_fault_is_asked_again_with_the_same_request_id(status: int) -> None:
    bank = FakeBank(answers=[httpx2.Response(status), json_answer({})])
    assert bank.http().send(get()).status == 200
    assert [request.headers["X-Request-ID"] for request in bank.requests] == ["id-1", "id-1"]
    assert len(bank.slept) == 1


def test_three_tries_are_the_end() -> None:
    bank = FakeBank(answers=[httpx2.ConnectTimeout("slow"), httpx2.ReadError("cut"), httpx2.Response(503)])
    with pytest.raises(BankUnavailable) as caught:
        bank.http().send(get())
    assert caught.value.status == 503
    assert [record.status for record in bank.records] == [None, None, 503]


def test_a_post_is_never_repeated() -> None:
    bank = FakeBank(answers=[httpx2.ReadTimeout("slow")])
    with pytest.raises(BankUnavailable):
        bank.http().send(get(method="POST", json={}))
    assert len(bank.requests) == 1


@pytest.mark.parametrize(("header", "wait"), [("2", 2.0), ("Sat, 21 Nov 2026 09:00:07 GMT", 7.0), ("0", 0.0)])
def test_the_wait_is_the_one_the_bank_names(header: str, wait: float) -> None:
    bank = FakeBank(answers=[httpx2.Response(429, headers={"Retry-After": header}), json_answer({})])
    assert bank.http().send(get()).status == 200
    assert bank.slept == [wait]


def test_a_long_wait_is_reported_instead_of_waited_for() -> None:
    bank = FakeBank(answers=[httpx2.Response(429, headers={"Retry-After": "7200"})])
    with pytest.raises(QuotaExhausted) as caught:
        bank.http().send(get())
    assert caught.value.retry_after == timedelta(hours=2)
    assert bank.slept == []


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "soon"}])
def test_a_limit_without_a_moment_is_the_daily_one_and_not_asked_again(headers: dict[str, str]) -> None:
    bank = FakeBank(answers=[httpx2.Response(429, headers=headers)])
    with pytest.raises(QuotaExhausted) as caught:
        bank.http().send(get())
    assert caught.value.retry_after is None


def test_a_redirect_is_not_followed() -> None:
    bank = FakeBank(answers=[httpx2.Response(302, headers={"Location": "https://elsewhere.example/"})])
    with pytest.raises(BankAnswerInvalid):
        bank.http().send(get())
    assert len(bank.requests) == 1


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"a": NaN}', b"[" * 100_000, b"\xff\xfe\xff", b'{"a": ' + b"9" * 5000 + b"}"]
)
def test_broken_json_is_an_invalid_answer(body: bytes) -> None:
    with pytest.raises(BankAnswerInvalid):
        BankAnswer(200, {}, body).json_object()


def test_a_page_for_people_is_an_invalid_answer() -> None:
    with pytest.raises(BankAnswerInvalid, match="HTML"):
        FakeBank(answers=[html_answer()]).http().send(get()).json_object()


def test_an_answer_above_the_size_limit_is_refused() -> None:
    bank = FakeBank(answers=[httpx2.Response(200, content=b"x" * 101)])
    with pytest.raises(BankAnswerInvalid):
        bank.http(limits=Limits(answer_bytes_max=100)).send(get())


def test_an_answer_that_trickles_in_is_given_up() -> None:
    bank = FakeBank(handler=lambda request: json_answer({}))
    with pytest.raises(BankUnavailable):
        bank.http(limits=Limits(total_seconds=-1)).send(get())


@pytest.mark.parametrize(
    "cause", [ssl.SSLCertVerificationError(1, "self-signed"), ssl.SSLError(1, "[SSL: TLSV13_ALERT] refused")]
)
def test_a_refused_certificate_is_the_operators_matter(cause: ssl.SSLError) -> None:
    cause.reason = "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    error = httpx2.ConnectError("handshake")
    error.__cause__ = cause
    bank = FakeBank(answers=[error])
    with pytest.raises(OperatorError):
        bank.http().send(get())
    assert len(bank.requests) == 1


def test_a_cookie_of_one_call_does_not_travel_with_the_next() -> None:
    bank = FakeBank(handler=lambda request: httpx2.Response(200, content=b"{}", headers={"Set-Cookie": "session=anna"}))
    http = bank.http()
    http.send(get())
    http.send(get())
    assert "cookie" not in bank.requests[1].headers


def test_the_log_holds_the_template_and_nothing_of_the_call(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    bank = FakeBank(answers=[json_answer({"ownerName": "Anna Voorbeeld"})])
    bank.http().send(
        get("/accounts/geheim-7/balances", template="/accounts/{id}/balances", headers={"Authorization": "Bearer abc"})
    )
    assert "/accounts/{id}/balances" in caplog.text
    for secret in ("geheim-7", "abc", "Anna"):
        assert secret not in caplog.text


def test_each_try_is_recorded_for_the_ledger() -> None:
    bank = FakeBank(answers=[httpx2.Response(503), json_answer({})])
    bank.http().send(get(is_attended=True))
    first, second = bank.records
    assert (first.status, second.status) == (503, 200)
    assert (first.method, first.host, first.path, first.kind) == ("GET", "bank.example", "/accounts", CallKind.ACCOUNTS)
    assert first.started_at == NOW
    assert first.is_attended
    assert first.request_id == "id-1"


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ({"href": "https://bank.example/berlingroup/v1/accounts/3"}, "https://bank.example/berlingroup/v1/accounts/3"),
        ("/berlingroup/v1/accounts?page=2", "https://bank.example/berlingroup/v1/accounts?page=2"),
        ("accounts/3", "https://bank.example/berlingroup/v1/accounts/3"),
        ("https://login.bank.example/authorize", "https://login.bank.example/authorize"),
        ("https://partner.example/x", "https://partner.example/x"),
        ({}, None),
        ("", None),
        (" ", None),
        (None, None),
        ({"href": None}, None),
    ],
)
def test_a_link_is_read_in_every_form_banks_use(value: object, address: str | None) -> None:
    http = FakeBank().http(allowed_hosts=frozenset({".bank.example", "partner.example"}))
    assert http.link(value) == address


@pytest.mark.parametrize(
    "value",
    [
        "https://evil.example/",
        "//evil.example/x",
        "http://bank.example/berlingroup/v1",
        "https://bank.example:8443/",
        "https://bank.example@evil.example/",
        "https://user:pass@bank.example/",
        "https://evilbank.example/",
        "https://bank.example.evil.example/",
        "https://bank.example\\@evil.example/",
        "https://bank.example/\nHost: x",
        "https://bank.example/#x",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "http://127.0.0.1/",
        "https://[::1",
        7,
    ],
)
def test_a_link_to_anywhere_else_is_refused(value: object) -> None:
    with pytest.raises(BankAnswerInvalid):
        FakeBank().http(allowed_hosts=frozenset({".bank.example"})).link(value)


def test_plain_http_is_for_a_simulated_bank_on_this_machine_only() -> None:
    local = FakeBank().http("http://127.0.0.1:8701/berlingroup/v1")
    assert local.link("/authorize") == "http://127.0.0.1:8701/authorize"
    with pytest.raises(BankAnswerInvalid):
        local.link("http://127.0.0.1:9999/authorize")
    with pytest.raises(OperatorError):
        FakeBank().http("http://bank.example/v1")


def test_the_base_address_loses_its_last_slash() -> None:
    bank = FakeBank(answers=[json_answer({})])
    http: BankHttp = bank.http(BASE + "/")
    http.send(get())
    assert str(bank.requests[0].url) == f"{BASE}/accounts"
    http.close()


def test_every_try_is_signed_anew_over_the_bytes_and_the_target_that_are_sent() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    moments = iter([NOW, NOW + timedelta(seconds=90)])
    signer = RequestSigner(signing.BNPPF, SigningKey("https://a.example/qseal.pem", key), now=lambda: next(moments))
    bank = FakeBank(answers=[httpx2.Response(503), json_answer({})])
    bank.http(signer=signer).send(get("/accounts", params={"page[limit]": "1", "q": "a b"}))
    first, second = bank.requests
    for request, moment in ((first, NOW), (second, NOW + timedelta(seconds=90))):
        signing.verify(
            signing.BNPPF, lambda _: key.public_key(), method="GET", target=request.url.raw_path.decode(),
            headers=request.headers, body=request.read(), now=int(moment.timestamp()),
        )  # fmt: skip
    assert first.headers["Signature"] != second.headers["Signature"]
    assert "page%5Blimit%5D=1" in str(first.url)


def test_a_form_is_signed_with_the_date_of_the_call() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    signer = RequestSigner(
        replace(signing.ING, certificate_header=CertificateHeader.NONE), SigningKey("k", key), now=lambda: NOW
    )
    bank = FakeBank(answers=[json_answer({})])
    bank.http(signer=signer).send(get("/oauth2/token", method="POST", form={"grant_type": "client_credentials"}))
    (request,) = bank.requests
    assert request.headers["Date"] == "Sat, 21 Nov 2026 09:00:00 GMT"
    assert request.read() == b"grant_type=client_credentials"
    signing.verify(
        signing.ING, lambda _: key.public_key(), method="POST", target=request.url.raw_path.decode(),
        headers=request.headers, body=request.read(), now=int(NOW.timestamp()),
    )  # fmt: skip

"""OAuth2 with PKCE: known vector, call-back errors, tokens given and refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from connectors import oauth
from connectors.errors import (
    BankAnswerInvalid,
    BankUnavailable,
    CallbackRejected,
    ConnectorError,
    ConsentEnded,
    ConsentRefused,
    OperatorError,
)
from connectors.model import TokenSet
from tests.connectors.support import BASE, NOW, VERIFIER, FakeBank, html_answer, json_answer

TOKEN = f"{BASE}/token"


def exchange(bank: FakeBank) -> TokenSet:
    return oauth.exchange_code(
        bank.http(),
        TOKEN,
        client_id="PSDBE-NBB-0123456789",
        code="code-1",
        code_verifier=VERIFIER,
        redirect_uri="https://gateway.example/cb",
        now=NOW,
        request_id="id-1",
    )


def renew(bank: FakeBank, tokens: TokenSet) -> TokenSet:
    return oauth.refresh(bank.http(), TOKEN, tokens, client_id="PSDBE-NBB-0123456789", now=NOW, request_id="id-1")


def test_the_challenge_is_that_of_rfc_7636_appendix_b() -> None:
    assert oauth.code_challenge(VERIFIER) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize("verifier", ["short", "x" * 129, "é" * 50])
def test_a_verifier_of_another_form_is_our_defect(verifier: str) -> None:
    with pytest.raises(ValueError, match="43 to 128"):
        oauth.code_challenge(verifier)


def test_the_authorisation_address_keeps_the_banks_own_query() -> None:
    url = oauth.authorization_url(
        "https://login.bank.example/authorize?brand=x",
        client_id="c",
        redirect_uri="https://gateway.example/cb?a=1",
        scope="AIS:7",
        state="s",
        code_verifier=VERIFIER,
    )
    query = parse_qs(urlsplit(url).query)
    assert query["brand"] == ["x"]
    assert query["redirect_uri"] == ["https://gateway.example/cb?a=1"]
    assert query["scope"] == ["AIS:7"]
    assert query["code_challenge_method"] == ["S256"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("access_denied", ConsentRefused),
        ("server_error", BankUnavailable),
        ("temporarily_unavailable", BankUnavailable),
        ("unauthorized_client", OperatorError),
        ("something_new", CallbackRejected),
        ("<script>", CallbackRejected),
    ],
)
def test_an_error_in_the_call_back_says_who_must_act(error: str, kind: type[ConnectorError]) -> None:
    found = oauth.callback_error({"error": error, "error_description": "Anna"}, bank_id="bank")
    assert type(found) is kind
    assert "Anna" not in str(found)
    assert "<" not in (found.bank_code or "")
    assert oauth.callback_error({"code": "x"}, bank_id="bank") is None


def test_a_code_becomes_tokens() -> None:
    bank = FakeBank(
        answers=[json_answer({"access_token": "a", "refresh_token": "r", "token_type": "bearer", "expires_in": 3600})]
    )
    tokens = exchange(bank)
    assert tokens == TokenSet("a", "r", NOW + timedelta(hours=1), None)
    form = parse_qs(bank.requests[0].content.decode())
    assert form["code_verifier"] == [VERIFIER]
    assert form["grant_type"] == ["authorization_code"]
    assert "a" not in repr(tokens).replace("access_token", "").split("expires_at")[0].removeprefix("TokenSet(")


def test_the_old_refresh_token_stays_when_no_new_one_comes() -> None:
    bank = FakeBank(answers=[json_answer({"access_token": "b", "token_type": "Bearer"})])
    assert renew(bank, TokenSet("a", "r")) == TokenSet("b", "r", None, None)


def test_without_a_refresh_token_the_consent_has_ended() -> None:
    with pytest.raises(ConsentEnded):
        renew(FakeBank(), TokenSet("a"))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (json_answer({"error": "invalid_grant"}, 400), ConsentEnded),
        (json_answer({}, 401), ConsentEnded),
        (json_answer({"error": "invalid_client"}, 401), OperatorError),
        (json_answer({"error": "invalid_request"}, 400), BankAnswerInvalid),
        (json_answer({"error": "invalid_grant"}, 503), BankUnavailable),
        (html_answer(403), BankAnswerInvalid),
        (html_answer(200), BankAnswerInvalid),
        (json_answer({"token_type": "Bearer"}), BankAnswerInvalid),
        (json_answer({"access_token": "x", "token_type": "mac"}), BankAnswerInvalid),
    ],
)
def test_a_refused_refresh_says_who_must_act(answer: httpx2.Response, kind: type[ConnectorError]) -> None:
    bank = FakeBank(answers=[answer])
    with pytest.raises(ConnectorError) as caught:
        renew(bank, TokenSet("a", "r"))
    assert type(caught.value) is kind
    assert len(bank.requests) == 1


def test_a_spent_code_belongs_to_the_call_back() -> None:
    with pytest.raises(CallbackRejected):
        exchange(FakeBank(answers=[json_answer({"error": "invalid_grant"}, 400)]))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"authorization_endpoint": "https://login.bank.example/a"},
        {"authorization_endpoint": "https://evil.example/a", "token_endpoint": TOKEN},
        {"authorization_endpoint": "https://login.bank.example/a", "token_endpoint": "https://evil.example/token"},
    ],
)
def test_metadata_that_leads_elsewhere_is_refused(body: dict[str, Any]) -> None:
    http = FakeBank(answers=[json_answer(body)]).http(allowed_hosts=frozenset({".bank.example"}))
    with pytest.raises(BankAnswerInvalid):
        oauth.read_metadata(http, f"{BASE}/meta", request_id="id-1")


@pytest.mark.parametrize("life", [None, "soon", True, -5, 10**12])
def test_an_odd_token_life_counts_as_unknown(life: object) -> None:
    bank = FakeBank(answers=[json_answer({"access_token": "b", "token_type": "Bearer", "expires_in": life})])
    assert renew(bank, TokenSet("a", "r")).expires_at is None

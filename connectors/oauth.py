"""OAuth2 with PKCE at a bank: server metadata, authorisation address, code exchange, refresh.

A token call is sent once: a code and a rotating refresh token can be spent a single time, so a repeat could only fail.
Sources: RFC 6749, RFC 7636 (S256), RFC 8414.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri  # type: ignore[import-untyped]  # ships no types
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]  # ships no types

from connectors.errors import (
    BankAnswerInvalid,
    BankUnavailable,
    CallbackRejected,
    ConnectorError,
    ConsentEnded,
    ConsentRefused,
    OperatorError,
)
from connectors.http import BankAnswer, BankHttp, BankRequest, CallKind
from connectors.model import TokenSet

TOKEN_LIFE_SECONDS_MAX = 366 * 86_400

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_ERROR_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_REFUSALS = frozenset({"access_denied", "consent_required", "interaction_required", "login_required"})
_OUTAGES = frozenset({"server_error", "temporarily_unavailable"})
_REGISTRATION = frozenset({"invalid_client", "unauthorized_client", "invalid_scope", "unsupported_response_type"})


@dataclass(frozen=True, slots=True)
class ServerMetadata:
    """The two addresses we need of an authorisation server; both passed the check of `BankHttp.link`."""

    authorization_endpoint: str = field(repr=False)
    token_endpoint: str


def code_challenge(verifier: str) -> str:
    """S256 challenge of a PKCE verifier (RFC 7636, 4.2); raises `ValueError` when the verifier has another form."""
    if not _VERIFIER.fullmatch(verifier):
        raise ValueError("a PKCE verifier has 43 to 128 unreserved characters")
    return str(create_s256_code_challenge(verifier))


def read_metadata(
    http: BankHttp, url: str, *, request_id: str, headers: Mapping[str, str] | None = None
) -> ServerMetadata:
    """Authorisation server metadata at an address the bank linked to (RFC 8414, section 3.2).

    Raises `BankAnswerInvalid` when an endpoint lacks or names a host that is not allowed.
    """
    answer = http.send(
        BankRequest(
            method="GET",
            url=url,
            template="/.well-known/openid-configuration",
            kind=CallKind.METADATA,
            request_id=request_id,
            headers=headers or {},
            is_attended=True,
        )
    )
    if not answer.is_success:
        raise BankAnswerInvalid("the bank gives no authorisation metadata", bank_id=http.bank_id, status=answer.status)
    body = answer.json_object()
    authorization, token = http.link(body.get("authorization_endpoint")), http.link(body.get("token_endpoint"))
    if authorization is None or token is None:
        raise BankAnswerInvalid("the bank's authorisation metadata lacks an endpoint", bank_id=http.bank_id)
    return ServerMetadata(authorization, token)


def authorization_url(
    endpoint: str,
    *,
    client_id: str,
    redirect_uri: str,
    scope: str,
    state: str,
    code_verifier: str,
    extra: Mapping[str, str] | None = None,
) -> str:
    """Where to send the PSU's browser (RFC 6749, 4.1.1, with the challenge of RFC 7636).

    `extra` are parameters of the bank's own, such as the company of a group.
    """
    return str(
        prepare_grant_uri(
            endpoint,
            client_id,
            "code",
            redirect_uri=redirect_uri,
            scope=scope,
            state=state,
            code_challenge=code_challenge(code_verifier),
            code_challenge_method="S256",
            **(extra or {}),
        )
    )


def callback_error(callback: Mapping[str, str], *, bank_id: str) -> ConnectorError | None:
    """The error a call-back's `error` parameter stands for (RFC 6749, 4.1.2.1); None when it has none."""
    error = callback.get("error")
    if not error:
        return None
    code = _safe_code(error)
    if code in _REFUSALS:
        return ConsentRefused("the authorisation was cancelled or refused at the bank", bank_id=bank_id, bank_code=code)
    if code in _OUTAGES:
        return BankUnavailable("the bank could not authorise now", bank_id=bank_id, bank_code=code)
    if code in _REGISTRATION:
        return OperatorError("the bank does not accept our registration", bank_id=bank_id, bank_code=code)
    return CallbackRejected("the bank sent an error instead of a code", bank_id=bank_id, bank_code=code)


def exchange_code(
    http: BankHttp,
    endpoint: str,
    *,
    client_id: str,
    code: str,
    code_verifier: str,
    redirect_uri: str,
    now: datetime,
    request_id: str,
    headers: Mapping[str, str] | None = None,
    extra: Mapping[str, str] | None = None,
) -> TokenSet:
    """Tokens for an authorisation code; raises `CallbackRejected` when the bank does not accept the code.

    `extra` are parameters the bank wants besides, such as the secret of its registration.
    """
    form = {
        **(extra or {}),
        "grant_type": "authorization_code",
        "client_id": client_id,
        "code": code,
        "code_verifier": code_verifier,
        "redirect_uri": redirect_uri,
    }
    answer = post(http, endpoint, form, request_id=request_id, headers=headers, is_attended=True)
    return read_tokens(http, answer, now, refusal=CallbackRejected, refresh_token=None)


def refresh(
    http: BankHttp,
    endpoint: str,
    tokens: TokenSet,
    *,
    client_id: str,
    now: datetime,
    request_id: str,
    headers: Mapping[str, str] | None = None,
    extra: Mapping[str, str] | None = None,
) -> TokenSet:
    """New tokens for old ones; the old refresh token stays when the bank sends no new one.

    Raises `ConsentEnded` when there is no refresh token or the bank refuses it.
    """
    if tokens.refresh_token is None:
        raise ConsentEnded("the bank gave nothing to renew the access with", bank_id=http.bank_id)
    form = {
        **(extra or {}),
        "grant_type": "refresh_token",
        "client_id": client_id,
        "refresh_token": tokens.refresh_token,
    }
    answer = post(http, endpoint, form, request_id=request_id, headers=headers, is_attended=False)
    return read_tokens(http, answer, now, refusal=ConsentEnded, refresh_token=tokens.refresh_token)


def post(
    http: BankHttp,
    endpoint: str,
    form: Mapping[str, str],
    *,
    request_id: str,
    headers: Mapping[str, str] | None,
    is_attended: bool,
    key_id: str | None = None,
) -> BankAnswer:
    """The bank's answer to a form sent to its token address."""
    return http.send(
        BankRequest(
            method="POST",
            url=endpoint,
            template="/token",
            kind=CallKind.TOKEN,
            request_id=request_id,
            headers=headers or {},
            form=form,
            is_attended=is_attended,
            key_id=key_id,
        )
    )


def read_tokens(
    http: BankHttp,
    answer: BankAnswer,
    now: datetime,
    *,
    refusal: type[ConnectorError],
    refresh_token: str | None,
    token_types: frozenset[str] = frozenset({"bearer"}),
) -> TokenSet:
    """The tokens in an answer; raises `refusal` when there are none because the bank said no.

    `refresh_token` is the one that stays when no new one came, `token_types` what the bank calls a bearer token.
    """
    if not answer.is_success:
        raise _refused(http, answer, refusal)
    body = answer.json_object()
    access_token, new_refresh_token = body.get("access_token"), body.get("refresh_token")
    token_type = body.get("token_type", "Bearer")
    if not isinstance(access_token, str) or not access_token or str(token_type).casefold() not in token_types:
        raise BankAnswerInvalid("the bank's answer holds no bearer token", bank_id=http.bank_id, status=answer.status)
    scope = body.get("scope")
    return TokenSet(
        access_token=access_token,
        refresh_token=new_refresh_token if isinstance(new_refresh_token, str) and new_refresh_token else refresh_token,
        expires_at=_expires_at(body.get("expires_in"), now),
        scope=scope if isinstance(scope, str) else None,
        refresh_expires_at=_expires_at(body.get("refresh_token_expires_in"), now),
    )


def _refused(http: BankHttp, answer: BankAnswer, refusal: type[ConnectorError]) -> ConnectorError:
    body = answer.json()
    code = _safe_code(body.get("error")) if isinstance(body, dict) else None
    if code in _REGISTRATION:
        kind: type[ConnectorError] = OperatorError
    elif code == "invalid_grant" or (code is None and answer.status in (400, 401, 403)):
        kind = refusal
    else:
        kind = BankAnswerInvalid
    return kind("the bank refused to give tokens", bank_id=http.bank_id, status=answer.status, bank_code=code)


def _expires_at(value: object, now: datetime) -> datetime | None:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        return None
    return now + timedelta(seconds=min(int(text), TOKEN_LIFE_SECONDS_MAX))


def _safe_code(value: object) -> str | None:
    """An error code as it may stand in a log; free text never may."""
    return value if isinstance(value, str) and _ERROR_CODE.fullmatch(value) else None

"""Talking to an identity provider: its description, its keys, a code for a token.

Sources: OpenID Connect Discovery 1.0, OpenID Connect Core 1.0, 3.1.3.

Addresses come from an office's administrator, so each is checked: https on the public internet, or plain http on
loopback in test mode. Redirects are not followed. Descriptions and keys are kept for a while; a key that is not known
is asked for anew at most twice a minute.
"""

from __future__ import annotations

import base64
import ipaddress
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlsplit

import structlog
from joserfc.jwk import KeySet

from connectors.errors import ConnectorError
from connectors.http import LOOPBACK_HOSTS, BankHttp, BankRequest, CallKind
from gateway.assembly import Gateway
from gateway.ids import new_id
from gateway.single_sign_on.errors import IssuerNotAllowed, ProviderUnavailable, SingleSignOnRefused
from gateway.single_sign_on.tokens import TokenRefused, public_keys

KEPT_SECONDS: Final = 600
ASKED_AGAIN_SECONDS: Final = 30

log = structlog.get_logger("gateway.single_sign_on")


@dataclass(frozen=True, slots=True)
class Description:
    """What an issuer says of itself."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    takes_secret_in_body: bool


@dataclass
class _Kept:
    description: Description
    keys: KeySet
    fetched: float
    lock: threading.Lock = field(default_factory=threading.Lock)


_kept: dict[str, _Kept] = {}


class ProviderLine:
    """The line to one issuer."""

    def __init__(self, gateway: Gateway, issuer: str) -> None:
        self.gateway = gateway
        self.issuer = issuer

    def description(self) -> Description:
        """Endpoints of the issuer. Raises `ProviderUnavailable`."""
        return self._look().description

    def keys(self, *, anew: bool = False) -> KeySet:
        """Public keys of the issuer; `anew` when a token names one that is not among them."""
        return self._look(older_than=ASKED_AGAIN_SECONDS if anew else KEPT_SECONDS).keys

    def redeem(self, code: str, *, verifier: str, redirect_uri: str, client_id: str, client_secret: str | None) -> str:
        """The ID token for a code; asked once, since a code works once. Raises `SingleSignOnRefused`."""
        description = self.description()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers = {}
        if client_secret is None or description.takes_secret_in_body:
            form["client_id"] = client_id
            if client_secret is not None:
                form["client_secret"] = client_secret
        else:
            pair = f"{quote(client_id, safe='')}:{quote(client_secret, safe='')}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        answer = self._call("POST", description.token_endpoint, "/token", form=form, headers=headers)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise SingleSignOnRefused
        return token

    def _look(self, *, older_than: float = KEPT_SECONDS) -> _Kept:
        kept = _kept.get(self.issuer)
        if kept is not None and time.monotonic() - kept.fetched < older_than:
            return kept
        document = self._call("GET", f"{self.issuer.rstrip('/')}/.well-known/openid-configuration", "/.well-known")
        if document.get("issuer") != self.issuer:
            log.warning("issuer_mixed_up")
            raise ProviderUnavailable
        endpoints = [document.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
        if not all(isinstance(endpoint, str) for endpoint in endpoints):
            raise ProviderUnavailable
        methods = document.get("token_endpoint_auth_methods_supported")
        description = Description(
            authorization_endpoint=str(endpoints[0]),
            token_endpoint=str(endpoints[1]),
            jwks_uri=str(endpoints[2]),
            takes_secret_in_body=isinstance(methods, list) and "client_secret_basic" not in methods,
        )
        try:
            require_allowed(self.gateway, description.authorization_endpoint)
            keys = public_keys(self._call("GET", description.jwks_uri, "/jwks"))
        except (TokenRefused, IssuerNotAllowed) as error:
            raise ProviderUnavailable from error
        _kept[self.issuer] = _Kept(description, keys, time.monotonic())
        return _kept[self.issuer]

    def _call(
        self, method: str, url: str, template: str, *, form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        try:
            require_allowed(self.gateway, url)
            parts = urlsplit(url)
            http = BankHttp(f"{parts.scheme}://{parts.netloc}", bank_id="identity provider", now=self.gateway.real_now)
            try:
                path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
                request = BankRequest(
                    method=method, url=path, template=template, kind=CallKind.TOKEN, request_id=str(new_id()),
                    form=form, headers=dict(headers or {}),
                )  # fmt: skip
                answer = http.send(request)
            finally:
                http.close()
            if form is not None and 400 <= answer.status < 500:
                raise SingleSignOnRefused
            if not answer.is_success:
                raise ProviderUnavailable
            return answer.json_object()
        except (ConnectorError, IssuerNotAllowed) as error:
            log.warning("identity_provider_trouble", kind=type(error).__name__)
            raise ProviderUnavailable from error


def require_allowed(gateway: Gateway, url: str) -> None:
    """Raise `IssuerNotAllowed` for an address we do not call: not https, with credentials, or not a public one."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise IssuerNotAllowed from None
    if not host or parts.username is not None or parts.fragment or not url.isascii() or not url.isprintable():
        raise IssuerNotAllowed
    if host in LOOPBACK_HOSTS and gateway.settings.mode == "test" and parts.scheme in ("http", "https"):
        return
    if parts.scheme != "https":
        raise IssuerNotAllowed
    if host in gateway.settings.oidc_private_hosts:
        return
    try:
        found = socket.getaddrinfo(host, parts.port or 443, type=socket.SOCK_STREAM)
    except OSError:
        raise IssuerNotAllowed from None
    if not all(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]).is_global for entry in found):
        raise IssuerNotAllowed

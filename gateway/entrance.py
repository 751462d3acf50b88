"""The entrance: who really calls, and under which name we were called.

The caller's address is the connection's. Only when that is one of our own proxies (SLUIS_TRUSTED_PROXIES) does
`X-Forwarded-For` count, read from the right up to the first address that is not ours: what a caller writes there itself
lies further left and is never believed. A Host header that is neither the base address, loopback nor allowed by name
(SLUIS_ALLOWED_HOSTS) is answered 421, so that no address of somebody else's gets into pages, links or caches.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway import problems
from gateway.errors import GatewayError
from gateway.settings import Settings

Network = IPv4Network | IPv6Network
LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
UNNAMED_PATHS: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked by orchestrators under an address of their own; their answers name no address."""


class HostNotServed(GatewayError):
    """The request names a host that is not ours."""

    code = "host_not_served"
    http_status = 421
    title = "This address is not served here"
    hint = "Use the installation's own address; the operator sets it in SLUIS_BASE_URL and SLUIS_ALLOWED_HOSTS."


class Entrance:
    """Puts the caller's true address into the scope and refuses foreign host names."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            settings: Settings = scope["app"].state.gateway.settings
            headers = Headers(scope=scope)
            client = scope.get("client")
            if client:
                address = client_address(client[0], headers.getlist("x-forwarded-for"), settings.trusted_proxies)
                scope["client"] = (address, client[1] if address == client[0] else 0)
            if scope["path"] not in UNNAMED_PATHS and not is_served(headers.get("host", ""), settings):
                response = problems.problem(Request(scope), HostNotServed())
                await response(scope, receive, send)
                return
        await self.app(scope, receive, send)


def client_address(peer: str, forwarded: list[str], proxies: Sequence[Network]) -> str:
    """The rightmost address that is not one of our proxies; the peer's own when it is none of them."""
    if not _is_proxy(peer, proxies):
        return peer
    nearest = peer
    for text in reversed([part.strip() for line in forwarded for part in line.split(",")]):
        address = _address(text)
        if address is None:
            # Not written by a proxy of ours: what lies left of it is hearsay.
            return nearest
        nearest = str(address)
        if not _is_proxy(nearest, proxies):
            return nearest
    return nearest


def is_served(host: str, settings: Settings) -> bool:
    """Whether this Host header names us, whatever the port."""
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    return name in LOOPBACK_NAMES or name in _hosts(settings.base_url, tuple(settings.allowed_hosts))


@lru_cache(maxsize=16)
def _hosts(base_url: str, allowed: tuple[str, ...]) -> frozenset[str]:
    own = urlsplit(base_url).hostname or ""
    return frozenset({own.lower(), *(name.lower() for name in allowed)})


def _is_proxy(text: str, proxies: Sequence[Network]) -> bool:
    if not proxies:
        return False
    address = _address(text)
    return address is not None and any(address in network for network in proxies)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """An address with or without port; IPv4 inside IPv6 as IPv4."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address

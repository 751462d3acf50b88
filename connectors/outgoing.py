"""Calls to addresses that users gave (webhooks): checked, pinned, short; no redirect and no proxy is followed (SEC-08).

A name is resolved once. Every address it stands for must be a public one, or lie in a network the operator allowed;
the connection goes to the address that was checked, while TLS still verifies the name. A name that answers otherwise a
moment later (DNS rebinding) therefore changes nothing. Plain `http.client` is used, because the usual client resolves
by itself. Nothing here is logged.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Iterable[str]]

URL_LENGTH_MAX: Final = 500
PORTS_BELOW_1024: Final = frozenset({80, 443})
HEADER_BYTES_MAX: Final = 64 * 1024

_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PLAIN: Final = re.compile(r"[\x21-\x7e]+")

# Ways to write an IPv4 address inside an IPv6 one; what is inside would escape the check.
_WRAPPING: Final = tuple(
    ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")
)

# Public addresses behind which a cloud answers its own machines: Azure's wire server.
_METADATA: Final = ipaddress.ip_network("168.63.129.16/32")


class AddressRefused(Exception):
    """The address may not be called; `word` says why."""

    def __init__(self, word: str) -> None:
        self.word = word
        super().__init__(word)


class NoAnswer(Exception):
    """The call brought no whole answer; `word` says why."""

    def __init__(self, word: str) -> None:
        self.word = word
        super().__init__(word)


@dataclass(frozen=True, slots=True)
class Target:
    """A checked address: where to connect, and under which name."""

    host: str
    port: int
    is_tls: bool
    path: str = field(repr=False)
    address: str
    """The resolved address; nothing else is connected to."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, the wait the other side asks for, and the beginning of the body."""

    status: int
    retry_after: str | None
    body: bytes = field(repr=False)


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, as the system gives them."""
    return [str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def check(url: str, *, is_tls_required: bool, allowed: Iterable[Network] = (), resolve: Resolve = resolve) -> Target:
    """The address, resolved and fit to be called; raises `AddressRefused`."""
    if len(url) > URL_LENGTH_MAX or not _PLAIN.fullmatch(url) or "\\" in url:
        raise AddressRefused("not_an_address")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressRefused("not_an_address") from error
    if parts.scheme not in ("https", "http") or (parts.scheme == "http" and is_tls_required):
        raise AddressRefused("https_needed")
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise AddressRefused("holds_a_sign_in")
    if parts.fragment:
        raise AddressRefused("not_an_address")
    is_tls = parts.scheme == "https"
    port = port if port is not None else (443 if is_tls else 80)
    if port not in PORTS_BELOW_1024 and port < 1024:
        raise AddressRefused("port_refused")
    host = (parts.hostname or "").rstrip(".")
    permitted = tuple(allowed)
    literal = _literal(host)
    try:
        found = [str(literal)] if literal is not None else list(resolve(host, port))
    except (OSError, UnicodeError) as error:
        raise AddressRefused("name_unknown") from error
    if not found:
        raise AddressRefused("name_unknown")
    for text in found:
        if not _may_call(ipaddress.ip_address(text.partition("%")[0]), permitted):
            raise AddressRefused("network_refused")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(host=host, port=port, is_tls=is_tls, path=path, address=found[0])


def post(
    target: Target,
    *,
    body: bytes,
    headers: Mapping[str, str],
    timeout_seconds: int,
    answer_bytes_max: int,
    tls: ssl.SSLContext | None = None,
) -> Answer:
    """Send once and wait at most `timeout_seconds` in all; raises `NoAnswer`. Redirects are answers like others."""
    connection: _Pinned | _PinnedTls
    if target.is_tls:
        connection = _PinnedTls(target, timeout_seconds, tls or ssl.create_default_context())
    else:
        connection = _Pinned(target, timeout_seconds)
    is_late = threading.Event()

    def stop() -> None:
        is_late.set()
        # Not `connection.sock`, which is gone as soon as the answer says `Connection: close`, its body still to come.
        if connection.held is not None:
            with contextlib.suppress(OSError):
                # Of the plain socket, also under TLS, whose own would take its state from under a read.
                socket.socket.shutdown(connection.held, socket.SHUT_RDWR)

    # The socket's own limit starts anew with every byte: who answers drop by drop is cut off by this one.
    watch = threading.Timer(timeout_seconds, stop)
    watch.daemon = True
    watch.start()
    started = time.monotonic()
    try:
        connection.connect()
        if is_late.is_set():
            # The watch looked while there was no socket yet, and does not look again.
            raise NoAnswer("timeout")
        connection.request("POST", target.path, body=body, headers=dict(headers))
        response = connection.getresponse()
        content = response.read(answer_bytes_max)
        if is_late.is_set():
            raise NoAnswer("timeout")
        return Answer(response.status, response.getheader("Retry-After"), content)
    except TimeoutError as error:
        raise NoAnswer("timeout") from error
    except ssl.SSLError as error:
        raise NoAnswer("timeout" if is_late.is_set() else "certificate") from error
    except (OSError, http.client.HTTPException) as error:
        is_timeout = is_late.is_set() or time.monotonic() - started >= timeout_seconds
        raise NoAnswer("timeout" if is_timeout else "connection") from error
    finally:
        watch.cancel()
        connection.close()


def _literal(host: str) -> Address | None:
    """The address when the host is one, None when it is a name; raises `AddressRefused` for what is neither."""
    if not host:
        raise AddressRefused("not_an_address")
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        labels = host.lower().split(".")
        # `2130706433`, `0x7f.1`, `127.1`, `0177.0.0.1`: the system would read these as addresses.
        if _NUMBER.fullmatch(labels[-1]) or not all(_LABEL.fullmatch(label) for label in labels) or len(host) > 253:
            raise AddressRefused("not_an_address") from None
        return None


def _may_call(address: Address, allowed: tuple[Network, ...]) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_allowed(address.ipv4_mapped, allowed)
        if any(address in network for network in _WRAPPING):
            return _is_allowed(address, allowed)
    if _is_allowed(address, allowed):
        return True
    return address.is_global and not (
        address.is_multicast
        or address.is_reserved
        or address.is_unspecified
        or address.is_loopback
        # fec0::/10, private networks of old, which the library takes for public.
        or (isinstance(address, ipaddress.IPv6Address) and address.is_site_local)
        or address in _METADATA
    )


def _is_allowed(address: Address, allowed: tuple[Network, ...]) -> bool:
    return any(address.version == network.version and address in network for network in allowed)


class _Pinned(http.client.HTTPConnection):
    """Connects to the checked address; the Host header keeps the name."""

    def __init__(self, target: Target, timeout_seconds: int) -> None:
        super().__init__(target.host, target.port, timeout=timeout_seconds)
        self._target = target
        self._seconds = timeout_seconds
        self.held: socket.socket | None = None
        """The socket, for as long as anything may come through it."""

    def connect(self) -> None:
        self.sock = self.held = socket.create_connection((self._target.address, self._target.port), self._seconds)


class _PinnedTls(http.client.HTTPSConnection):
    """As `_Pinned`; TLS asks for and verifies the name."""

    def __init__(self, target: Target, timeout_seconds: int, context: ssl.SSLContext) -> None:
        super().__init__(target.host, target.port, timeout=timeout_seconds, context=context)
        self._target = target
        self._seconds = timeout_seconds
        self._context_used = context
        self.held: socket.socket | None = None

    def connect(self) -> None:
        plain: Any = socket.create_connection((self._target.address, self._target.port), self._seconds)
        # Held from here on, so that the watch can cut a handshake that never ends.
        self.sock = self.held = plain
        tls = self._context_used.wrap_socket(plain, server_hostname=self._target.host, do_handshake_on_connect=False)
        # Wrapping took the socket's place before the handshake begins.
        self.sock = self.held = tls
        tls.do_handshake()

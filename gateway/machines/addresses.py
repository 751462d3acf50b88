"""Networks a machine may call from: validated when given, compared without being fooled by IPv4 inside IPv6."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Final, TypeAlias

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

MAPPED: Final = ipaddress.IPv6Network("::ffff:0:0/96")
"""IPv4 addresses as IPv6 writes them (RFC 4291 §2.5.5.2); a dual-stack socket shows IPv4 callers so."""
ADDRESSES_MAX: Final = 50


def network(text: str) -> Network:
    """`192.0.2.0/24`, `2001:db8::/48` or a single address; raises `ValueError` for anything else.

    Bits to the right of the prefix must be zero, and a network of all addresses is refused: an empty list says that.
    """
    found = ipaddress.ip_network(text)
    if isinstance(found, ipaddress.IPv6Network) and found.subnet_of(MAPPED):
        base = found.network_address.ipv4_mapped
        assert base is not None, "an address of the mapped block holds an IPv4 address"
        found = ipaddress.IPv4Network((base, found.prefixlen - MAPPED.prefixlen))
    if found.prefixlen == 0:
        raise ValueError("a network of all addresses limits nothing")
    return found


def is_allowed(networks: Iterable[str], source: str | None) -> bool:
    """Whether a call from `source` is within the networks; an address that cannot be read is in none."""
    allowed = [ipaddress.ip_network(text) for text in networks]
    if not allowed:
        return True
    address = normal(source)
    return address is not None and any(address in candidate for candidate in allowed)


def counted_as(source: str | None) -> str:
    """Under which name a caller's address is counted: an IPv6 network of 64 bits is one caller, who owns all of it."""
    address = normal(source)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((address, 64), strict=False))
    return source or "" if address is None else str(address)


def normal(source: str | None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The caller's address, IPv4 inside IPv6 as IPv4; None when it is none."""
    try:
        address = ipaddress.ip_address(source or "")
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address

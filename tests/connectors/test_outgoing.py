"""SEC-08: addresses that users give are resolved once, refused where they are not public, and pinned."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from connectors.outgoing import AddressRefused, NoAnswer, Target, check, post

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
PUBLIC = "93.184.215.14"


def public(host: str, port: int) -> list[str]:
    return [PUBLIC]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fc00::1",
        "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:93.184.215.14", "64:ff9b::a00:1", "64:ff9b:1::1",
        "2002:7f00:1::1", "2001:0:1::1", "::7f00:1", "fe80::1%eth0", "2001:db8::1",
    ],
)  # fmt: skip
def test_a_name_that_leads_to_a_network_of_our_own_is_refused(address: str) -> None:
    with pytest.raises(AddressRefused, match="network_refused"):
        check("https://receiver.example/", is_tls_required=True, resolve=lambda *_: [address])


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    with pytest.raises(AddressRefused, match="network_refused"):
        check("https://receiver.example/", is_tls_required=True, resolve=lambda *_: [PUBLIC, "10.0.0.1"])


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("http://receiver.example/", "https_needed"),
        ("ftp://receiver.example/", "https_needed"),
        ("file:///etc/passwd", "https_needed"),
        ("https://user:word@receiver.example/", "holds_a_sign_in"),
        ("https://receiver.example@10.0.0.1/", "holds_a_sign_in"),
        ("https://@receiver.example/", "holds_a_sign_in"),
        ("https://receiver.example:22/", "port_refused"),
        ("https://receiver.example:25/", "port_refused"),
        ("https://receiver.example:99999/", "not_an_address"),
        ("https://2130706433/", "not_an_address"),
        ("https://0x7f000001/", "not_an_address"),
        ("https://0x7f.1/", "not_an_address"),
        ("https://127.1/", "not_an_address"),
        ("https://0177.0.0.1/", "not_an_address"),
        ("https:///path", "not_an_address"),
        ("https://receiver.example/#part", "not_an_address"),
        ("https://receiver.example/a b", "not_an_address"),
        ("https://receiver.example\\@10.0.0.1/", "not_an_address"),
        ("https://receiver.example/\r\nX: y", "not_an_address"),
        ("https://r\u00e9ceiver.example/", "not_an_address"),
        ("https://[::1", "not_an_address"),
        ("https://" + "a" * 600 + ".example/", "not_an_address"),
        ("https://127.0.0.1/", "network_refused"),
        ("https://[::1]/", "network_refused"),
        ("https://[::ffff:10.0.0.1]/", "network_refused"),
    ],
)
def test_what_is_not_a_plain_public_address_is_refused(url: str, word: str) -> None:
    with pytest.raises(AddressRefused, match=word):
        check(url, is_tls_required=True, resolve=public)


def test_a_public_address_is_accepted_with_its_path_and_resolved_once() -> None:
    asked = []

    def once(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return [PUBLIC]

    target = check("https://receiver.example/hooks?key=1", is_tls_required=True, resolve=once)
    assert target == Target("receiver.example", 443, True, "/hooks?key=1", PUBLIC)
    assert asked == [("receiver.example", 443)]
    assert check("https://receiver.example.:8443", is_tls_required=True, resolve=public).path == "/"


def test_the_operator_may_allow_a_network() -> None:
    assert check("http://127.0.0.1:8000/", is_tls_required=False, allowed=LOOPBACK).address == "127.0.0.1"
    with pytest.raises(AddressRefused):
        check("http://10.0.0.1/", is_tls_required=False, allowed=LOOPBACK)


def test_an_unknown_name_is_refused() -> None:
    def fails(host: str, port: int) -> list[str]:
        raise socket.gaierror

    with pytest.raises(AddressRefused, match="name_unknown"):
        check("https://nowhere.example/", is_tls_required=True, resolve=fails)


@contextlib.contextmanager
def server(answer: bytes, *, pause: float = 0) -> Iterator[tuple[int, list[bytes]]]:
    """One connection: reads a request, writes the answer, byte by byte when `pause` says so."""
    listening = socket.create_server(("127.0.0.1", 0))
    seen: list[bytes] = []

    def serve() -> None:
        with contextlib.suppress(OSError):
            connection, _ = listening.accept()
            with connection:
                seen.append(connection.recv(65536))
                for start in range(0, len(answer), 1 if pause else len(answer) or 1):
                    connection.sendall(answer[start : start + (1 if pause else len(answer))])
                    if pause:
                        time.sleep(pause)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listening.getsockname()[1], seen
    finally:
        listening.close()
        thread.join()


def target_of(port: int, host: str = "receiver.example") -> Target:
    return Target(host, port, False, "/hooks", "127.0.0.1")


def test_the_connection_goes_to_the_checked_address_under_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the name is not asked again; a proxy in the environment is not used."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with server(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n") as (port, seen):
        answer = post(target_of(port), body=b"{}", headers={"X": "1"}, timeout_seconds=5, answer_bytes_max=100)
    assert answer.status == 302, "a redirect is an answer, nothing follows it"
    assert len(seen) == 1
    assert f"host: receiver.example:{port}".encode() in seen[0].lower()
    assert seen[0].startswith(b"POST /hooks HTTP/1.1\r\n")


def test_a_long_answer_is_read_to_the_limit() -> None:
    with server(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\nRetry-After: 7\r\n\r\n" + b"x" * 100_000) as (port, _):
        answer = post(target_of(port), body=b"{}", headers={}, timeout_seconds=5, answer_bytes_max=50)
    assert answer.body == b"x" * 50
    assert answer.retry_after == "7"


def test_an_answer_in_drops_is_cut_off_in_time() -> None:
    """15 s in all, not per byte."""
    with server(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50, pause=0.2) as (port, _):
        started = time.monotonic()
        with pytest.raises(NoAnswer, match="timeout"):
            post(target_of(port), body=b"{}", headers={}, timeout_seconds=1, answer_bytes_max=50)
        assert time.monotonic() - started < 5


@pytest.mark.parametrize("answer", [b"", b"not http\r\n\r\n"])
def test_no_proper_answer_is_a_failed_call(answer: bytes) -> None:
    with server(answer) as (port, _), pytest.raises(NoAnswer, match="connection"):
        post(target_of(port), body=b"{}", headers={}, timeout_seconds=5, answer_bytes_max=50)


def test_nobody_listening_is_a_failed_call() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(NoAnswer, match="connection"):
        post(target_of(port), body=b"{}", headers={}, timeout_seconds=5, answer_bytes_max=50)


def test_tls_that_does_not_hold_is_a_failed_call() -> None:
    with server(b"no tls here") as (port, _), pytest.raises(NoAnswer, match=r"certificate|connection"):
        post(
            Target("receiver.example", port, True, "/", "127.0.0.1"),
            body=b"{}", headers={}, timeout_seconds=5, answer_bytes_max=50,
        )  # fmt: skip


@pytest.mark.parametrize("head", [b"Connection: close\r\n\r\n", b"Content-Length: 500\r\n\r\n"])
def test_a_body_that_comes_drop_by_drop_is_cut_off_however_the_connection_ends(head: bytes) -> None:
    """API-07: the limit is one for the whole call; `Connection: close` took the socket out of the watch's hands."""
    started = time.monotonic()
    with (
        server(b"HTTP/1.1 200 OK\r\n" + head + b"x" * 500, pause=0.02) as (port, _),
        pytest.raises(NoAnswer, match="timeout"),
    ):
        post(target_of(port), body=b"{}", headers={}, timeout_seconds=2, answer_bytes_max=4000)
    assert time.monotonic() - started < 8

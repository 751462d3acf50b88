"""What fails before there is a request (API-02): heads above the limit and what is no HTTP, on a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient

from gateway.assembly import Gateway
from gateway.http_protocol import HEAD_BYTES_MAX, GuardedProtocol
from tests.gateway.serving import app_of


async def echo(scope: Any, receive: Any, send: Any) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(echo, http=GuardedProtocol, lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=asyncio.run, args=(server.serve([listener]),))
    thread.start()
    yield listener.getsockname()
    server.should_exit = True
    thread.join(10)
    listener.close()


def talk(address: tuple[str, int], *pieces: bytes) -> bytes:
    with socket.create_connection(address, timeout=10) as connection:
        received = b""
        # The service may have answered and hung up before everything is sent: that is the point.
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                connection.sendall(piece)
            while data := connection.recv(65536):
                received += data
        return received


def refused(answer: bytes, status: int, code: str) -> None:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), answer[:200]
    assert b"content-type: application/problem+json" in head
    assert len(re.findall(rb"HTTP/1\.1 \d", answer)) == 1, "answered once"
    document = json.loads(body)
    assert (document["status"], document["code"]) == (status, code)
    assert document["request_id"].encode() in head


START = b"POST / HTTP/1.1\r\nHost: x\r\n"
LONG = b"a" * (HEAD_BYTES_MAX + 1)


@pytest.mark.parametrize(
    "pieces",
    [
        (START + b"X: " + LONG + b"\r\n\r\n",),
        (START + b"X: ", *[b"a" * 1024] * 40),
        (START + b"X: y\r\n" * 8000, b"\r\n"),
        (b"GET /" + LONG + b" HTTP/1.1\r\nHost: x\r\n\r\n",),
    ],
    ids=["one header", "a header without end", "many headers", "the address"],
)
def test_a_head_above_the_limit_is_refused(address: tuple[str, int], pieces: tuple[bytes, ...]) -> None:
    refused(talk(address, *pieces), 431, "headers_too_large")


@pytest.mark.parametrize("raw", [
    b"nonsense\r\n\r\n", START + b"Content-Length: -1\r\n\r\n", START + b"Content-Length: x\r\n\r\n",
    START + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    START + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", START + b"Bad Header: 1\r\n\r\n",
    START + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
])  # fmt: skip
def test_what_is_no_http_is_refused(address: tuple[str, int], raw: bytes) -> None:
    """Lies about the length too: two answers to one question are how requests are smuggled."""
    answer = talk(address, raw)
    # A body that goes wrong after its head was right is not answered, or answered as unreadable.
    if answer:
        refused(answer, 400, "request_unreadable")


def test_a_second_host_is_refused(address: tuple[str, int]) -> None:
    """A proxy may look at one of them and we at the other."""
    refused(talk(address, START + b"HOST: y\r\nContent-Length: 0\r\n\r\n"), 400, "request_unreadable")


def test_what_is_right_passes_and_the_limit_is_per_request(address: tuple[str, int]) -> None:
    head = START + b"X: " + b"a" * (HEAD_BYTES_MAX - 200) + b"\r\n"
    request = head + b"Content-Length: 4\r\n\r\nbody"
    answer = talk(address, request + request, request.replace(b"Host", b"Connection: close\r\nHost"))
    assert answer.count(b"HTTP/1.1 200") == 3
    big = START + b"Content-Length: 100000\r\nConnection: close\r\n\r\n" + b"b" * 100_000
    assert talk(address, big).endswith(b"b" * 100_000)


@pytest.mark.parametrize("path", ["/sign-in", "/v1/sessions"])
def test_a_caller_who_hangs_up_within_the_body_is_no_defect(
    gateway: Gateway, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """On the application itself: a socket would leave open how far the body came."""
    sent: list[Any] = []
    pieces = iter([{"type": "http.request", "body": b"email=an", "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> Any:
        return next(pieces)

    async def send(message: Any) -> None:
        sent.append(message)

    is_page = path == "/sign-in"
    kind = b"application/x-www-form-urlencoded" if is_page else b"application/json"
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "state": {},
        "client": ("203.0.113.9", 50000), "server": ("127.0.0.1", 8000),
        "headers": [(b"host", b"127.0.0.1:8000"), (b"origin", b"http://127.0.0.1:8000"), (b"content-type", kind)],
    }  # fmt: skip
    with caplog.at_level(logging.ERROR), TestClient(app_of(gateway)) as client:
        asyncio.run(client.app(scope, receive, send))
    assert [message["status"] for message in sent if message["type"] == "http.response.start"] == [400]
    assert [record.message for record in caplog.records if record.name.startswith("gateway")] == []

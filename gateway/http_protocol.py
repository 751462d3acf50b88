"""HTTP/1.1 as the service reads it: uvicorn's protocol with a limit on the head, and problems where it is broken.

The application answers everything else; what fails before there is a request is answered here (API-02), in English.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.errors import GatewayError
from gateway.ids import new_id
from gateway.problems import MEDIA_TYPE, TYPE_BASE, HeadersTooLarge, RequestUnreadable

HEAD_BYTES_MAX: Final = 32 * 1024
"""Request line and headers together."""
LINGER_SECONDS: Final = 1.0
"""How long a refused connection is still read."""


class _Refused(Exception):
    """Stops the parser; the answer is written."""


class GuardedProtocol(HttpToolsProtocol):
    """Refuses a head above the limit while it comes in, whether in one piece or byte by byte."""

    _head_bytes = 0
    _is_in_head = False
    _is_refused = False

    def data_received(self, data: bytes) -> None:
        """Count what came in while the head is not complete; the parser keeps a single long header to itself."""
        if self._is_refused:
            return
        before = self._head_bytes if self._is_in_head else 0
        super().data_received(data)
        if self._is_in_head and not self._is_refused:
            self._head_bytes = before + len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self._refuse(HeadersTooLarge())

    def on_message_begin(self) -> None:
        """A new head."""
        self._is_in_head, self._head_bytes, self._size, self._hosts = True, 0, 0, 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Count the address."""
        self._size += len(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header with its separators, and how often the host is named."""
        self._size += len(name) + len(value) + 4
        self._hosts += name.lower() == b"host"
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin the request, or refuse it."""
        self._is_in_head = False
        if self._size > HEAD_BYTES_MAX:
            self._refuse(HeadersTooLarge())
            raise _Refused
        if self._hosts > 1:  # Which of them is meant, a proxy and we might read differently (RFC 9112, 3.2).
            self._refuse(RequestUnreadable())
            raise _Refused
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # uvicorn's sentence says no more
        """What came in is no HTTP."""
        if not self._is_refused:
            self._refuse(RequestUnreadable())

    def _refuse(self, error: GatewayError) -> None:
        self._is_refused = True
        request_id = str(new_id())
        document = {
            "type": f"{TYPE_BASE}{error.code}",
            "title": error.title,
            "status": error.http_status,
            "code": error.code,
            "detail": error.title,
            "hint": error.hint,
            "request_id": request_id,
        }
        body = json.dumps(document).encode()
        head = (
            f"HTTP/1.1 {error.http_status} {HTTPStatus(error.http_status).phrase}\r\n"
            f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\ncontent-language: en\r\n"
            f"x-request-id: {request_id}\r\nx-content-type-options: nosniff\r\ncache-control: no-store\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + body)
        # Closed with something unread, the system would take the answer back before it is read (RFC 9112, 9.6): what
        # still comes in is thrown away for a moment.
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)

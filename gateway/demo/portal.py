"""How the demo calls the gateway: as the portal and as people would, over HTTP, with the standard library only."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

from gateway.errors import ConfigError

TIMEOUT_SECONDS: Final = 30


class DemoFailed(ConfigError):
    """Something did not come out as it must; the demo stops and says what."""

    code = "demo_failed"
    title = "The demo did not come out as it must"
    detail = "The demo did not come out as it must: {reason}"
    hint = "The logs of its processes lie in the logs folder of the demo."


class CallRefused(DemoFailed):
    """The gateway refused a call; carries the code of the problem it answered with."""

    def __init__(self, method: str, path: str, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(reason=f"{method} {path} answered {status}: {problem}")
        self.status = status
        self.problem_code = problem.get("code")


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and body of one call."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Caller:
    """Calls the REST API with one bearer token."""

    def __init__(self, address: str, token: str | None = None) -> None:
        self.address = address
        self._token = token
        self._opener = build_opener(ProxyHandler({}))

    def call(self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None) -> Answer:
        """One call; raises `CallRefused` for 4xx and 5xx."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.address + path, data=data, method=method)
        request.add_header("Accept-Language", "en")
        if data is not None:
            request.add_header("Content-Type", "application/json")
        if self._token is not None:
            request.add_header("Authorization", f"Bearer {self._token}")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                return Answer(
                    answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read()
                )
        except HTTPError as error:
            with error:
                content = error.read()
            try:
                problem = json.loads(content)
            except ValueError:
                problem = {"code": None, "detail": content[:200].decode(errors="replace")}
            raise CallRefused(method, path, error.code, problem) from error

    def get(self, path: str) -> Any:
        """JSON of a GET."""
        return self.call("GET", path).json()

    def post(self, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None) -> Any:
        """JSON of a POST, under a key of its own; None when there is no body."""
        keyed = {"Idempotency-Key": str(uuid.uuid4()), **(headers or {})}
        answer = self.call("POST", path, {} if body is None else body, headers=keyed)
        return answer.json() if answer.body else None

    def patch(self, path: str, body: Any) -> Any:
        """JSON of a PATCH."""
        return self.call("PATCH", path, body).json()

    def put(self, path: str, body: Any) -> Any:
        """JSON of a PUT."""
        return self.call("PUT", path, body).json()

    def items(self, path: str) -> Iterator[Any]:
        """Every item of a list, page after page."""
        cursor = None
        while True:
            joint = "&" if "?" in path else "?"
            page = self.get(path + (f"{joint}{urlencode({'cursor': cursor})}" if cursor else ""))
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return


@dataclass(slots=True)
class Form:
    """A form of a page: where it goes and what it would send, with every box that could be ticked."""

    action: str
    fields: list[tuple[str, str]]
    boxes: dict[str, list[str]]


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.refresh: str | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "meta" and given.get("http-equiv", "").lower() == "refresh":
            self.refresh = given.get("content", "").partition("url=")[2] or None
        elif tag == "form":
            self.forms.append(Form(given.get("action", ""), [], {}))
        elif tag == "input" and self.forms and "disabled" not in given and given.get("name"):
            if given.get("type") == "radio":
                # One of several: the one that is chosen when the page opens.
                if "checked" in given:
                    self.forms[-1].fields.append((given["name"], given.get("value", "on")))
            elif given.get("type") == "checkbox":
                self.forms[-1].boxes.setdefault(given["name"], []).append(given.get("value", "on"))
            elif given.get("type") != "submit":
                self.forms[-1].fields.append((given["name"], given.get("value", "")))


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any, **_more: Any) -> None:
        """Never follow by itself: the caller decides whether the next address is still ours."""


class Browser:
    """A browser without a screen: keeps cookies, follows redirects within one site, reads and sends forms."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.cookies = CookieJar()
        self._opener: OpenerDirector = build_opener(ProxyHandler({}), HTTPCookieProcessor(self.cookies), _NoRedirect())

    def open(self, url: str, fields: list[tuple[str, str]] | None = None) -> tuple[str, list[Form]]:
        """GET, or POST with `fields`; stops before leaving our site. Returns the last address and its forms."""
        while True:
            data = None if fields is None else urlencode(fields).encode()
            request = Request(url, data=data, method="GET" if fields is None else "POST")
            request.add_header("Accept-Language", "nl")
            if fields is not None:
                request.add_header("Origin", self.address)
            try:
                with self._opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                    parser = _Forms()
                    parser.feed(answer.read().decode())
                location = parser.refresh
                if location is None:
                    return url, parser.forms
            except HTTPError as error:
                with error:
                    location = error.headers.get("Location")
                    content = error.read()
                if location is None or error.code not in (301, 302, 303, 307):
                    reason = {"code": None, "detail": content[:300].decode(errors="replace")}
                    raise CallRefused(request.method or "GET", request.full_url, error.code, reason) from error
            url, fields = urljoin(url, location), None
            if not url.startswith(self.address):
                return url, []


def write_whole(path: Path, content: bytes) -> None:
    """Write under another name and rename: nobody sees half a file."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)

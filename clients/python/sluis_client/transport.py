"""One call: authorisation, idempotency key, retries that repeat nothing, problems as exceptions."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import date, datetime
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote

import httpx2
from pydantic import BaseModel

from sluis_client.errors import Problem, Unreachable
from sluis_client.shape import Shape

Model = TypeVar("Model", bound=BaseModel)

RETRIED: Final = frozenset({429, 502, 503, 504})
"""Answers after which the same request may be sent again: nothing was done, or a key keeps it from being done twice."""
WAIT_SECONDS_MAX: Final = 60
TOKEN_MARGIN_SECONDS: Final = 30


class Transport:
    """Connection to one installation; use it as a context manager, from one thread.

    `token` is an API key or a person's session token; or give `client_id` and `client_secret` (OAuth 2.0 client
    credentials, tokens are fetched and renewed), with `office` when they serve several. `language` is that of texts in
    problems. `tries_max` counts the first try; `sleep` and `client` are there for tests and proxies.
    """

    def __init__(
        self,
        address: str,
        *,
        token: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        scope: str | None = None,
        office: str | None = None,
        language: str = "en",
        timeout_seconds: int = 30,
        tries_max: int = 4,
        sleep: Callable[[float], None] = time.sleep,
        client: httpx2.Client | None = None,
    ) -> None:
        if (token is None) == (client_id is None):
            raise ValueError("give either token, or client_id with client_secret")
        self._address = address.rstrip("/")
        self._token = token
        self._client_id, self._client_secret = client_id, client_secret
        self._scope, self._office = scope, office
        self._token_ends = 0.0
        self._language = language
        self._tries_max = tries_max
        self._sleep = sleep
        self._http = client or httpx2.Client(timeout=timeout_seconds, follow_redirects=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._address!r})"

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str | None] | None = None,
        idempotency_key: str | None = None,
    ) -> httpx2.Response:
        """The answer to a call; raises `Problem` or `Unreachable`.

        A POST carries an idempotency key, yours or a new one, the same in every try; PUT, GET, PATCH with If-Match and
        DELETE may be repeated by nature.
        """
        sent = {name: value for name, value in (headers or {}).items() if value is not None}
        if method == "POST":
            sent["Idempotency-Key"] = idempotency_key or str(uuid.uuid4())
        # A PATCH without a precondition might undo what somebody else changed between two tries.
        is_repeatable = method != "PATCH" or "If-Match" in sent
        parameters: dict[str, str | list[str]] = {}
        for name, value in (query or {}).items():
            if isinstance(value, Mapping):
                parameters |= {f"{name}[{key}]": _text(one) for key, one in value.items()}
            elif isinstance(value, list):
                parameters[name] = [_text(one) for one in value]
            elif value is not None:
                parameters[name] = _text(value)
        for number in range(1, self._tries_max + 1):
            is_last = number == self._tries_max or not is_repeatable
            authorised = self._authorised()
            try:
                answer = self._http.request(
                    method,
                    self._address + path,
                    params=parameters,
                    json=_plain(body) if body is not None else None,
                    headers={**authorised, "Accept-Language": self._language, **sent},
                )
            except httpx2.TransportError as error:
                if is_last:
                    raise Unreachable(f"{method} {path}: {type(error).__name__}") from error
                self._wait(number, None)
                continue
            if answer.status_code == 401 and self._client_id is not None and number == 1 and not is_last:
                self._token = None
                continue
            if not is_last and (answer.status_code in RETRIED or _is_running(answer)):
                self._wait(number, answer.headers.get("retry-after"))
                continue
            if answer.is_success or answer.status_code == 304:
                return answer
            raise _problem(answer)
        raise Unreachable(f"{method} {path}: no answer after {self._tries_max} tries")

    def _model(self, model: type[Model], answer: httpx2.Response) -> Model:
        made = model.model_validate(answer.json())
        if isinstance(made, Shape):
            made._etag = answer.headers.get("etag")
        return made

    @staticmethod
    def _segment(value: str) -> str:
        return quote(value, safe="")

    def _authorised(self) -> dict[str, str]:
        if self._client_id is not None and (self._token is None or time.monotonic() >= self._token_ends):
            self._fetch_token()
        return {"Authorization": f"Bearer {self._token}"}

    def _fetch_token(self) -> None:
        assert self._client_id is not None, "asked only with client credentials"
        form = {"grant_type": "client_credentials"}
        form |= {name: value for name, value in (("scope", self._scope), ("office", self._office)) if value}
        for number in range(1, self._tries_max + 1):
            is_last = number == self._tries_max
            try:
                answer = self._http.post(
                    f"{self._address}/oauth/token",
                    data=form,
                    auth=(self._client_id, self._client_secret or ""),
                    headers={"Accept-Language": self._language},
                )
            except httpx2.TransportError as error:
                if is_last:
                    raise Unreachable(f"POST /oauth/token: {type(error).__name__}") from error
                self._wait(number, None)
                continue
            if answer.is_success:
                break
            # A token too many ends by itself: asking again is harmless.
            if is_last or answer.status_code not in RETRIED:
                raise _problem(answer)
            self._wait(number, answer.headers.get("retry-after"))
        document = answer.json()
        self._token = document["access_token"]
        self._token_ends = time.monotonic() + int(document["expires_in"]) - TOKEN_MARGIN_SECONDS

    def _wait(self, number: int, retry_after: str | None) -> None:
        asked = int(retry_after) if retry_after is not None and retry_after.isascii() and retry_after.isdigit() else 0
        # Several callers that failed together should not come back together.
        spread = random.uniform(0.5, 1.0) * 2 ** (number - 1)  # noqa: S311  spreading load is no secret
        self._sleep(min(max(asked, spread), WAIT_SECONDS_MAX))


def _problem(answer: httpx2.Response) -> Problem:
    try:
        document = answer.json()
    except ValueError:
        document = {}
    if not isinstance(document, dict):
        document = {}
    if "error" in document and "code" not in document:
        document = {"code": document["error"], "detail": document.get("error_description", "")}
    return Problem(answer.status_code, document, {name.lower(): value for name, value in answer.headers.items()})


def _is_running(answer: httpx2.Response) -> bool:
    """Whether an earlier try of this very request is still being worked on; its answer comes in a moment."""
    return answer.status_code == 409 and _problem(answer).code == "idempotency_key_in_use"


def _plain(body: Any) -> Any:
    if isinstance(body, BaseModel):
        return body.model_dump(mode="json", exclude_unset=True, by_alias=True)
    if isinstance(body, Mapping):
        return {name: _plain(value) for name, value in body.items()}
    if isinstance(body, list | tuple):
        return [_plain(value) for value in body]
    return _text(body) if isinstance(body, date | datetime) else body


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date | datetime) else value

"""Calls to one bank: time limits, size limit, repeats, and nothing of the content in the log.

This is the only module that imports the HTTP client. One `BankHttp` serves one bank and may be shared by threads: it
keeps connections, no cookies and no state of a person.
"""

from __future__ import annotations

import functools
import json
import logging
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, NoReturn, Protocol
from urllib.parse import urljoin, urlsplit

import httpx2
import tenacity

from connectors.errors import BankAnswerInvalid, BankUnavailable, ConnectorError, OperatorError, QuotaExhausted

TRIES_MAX = 3
REPEATABLE_METHODS = frozenset({"GET", "DELETE"})
REPEATABLE_STATUSES = frozenset({500, 502, 503, 504})
WAIT_SECONDS_MAX = 20.0
"""The longest we wait inside a call; a bank that names a later moment is asked again by a later job."""
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

# The client writes whole addresses (account ids, consent ids) at level INFO and headers at DEBUG; law 6 forbids both.
for _name in ("httpx2", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class CallKind(StrEnum):
    """What a call was for; the quota counts `BALANCES` and `TRANSACTIONS`."""

    CONSENT = "consent"
    METADATA = "metadata"
    TOKEN = "token"  # noqa: S105 - the name of a kind, not a secret
    ACCOUNTS = "accounts"
    BALANCES = "balances"
    TRANSACTIONS = "transactions"
    PAYMENT = "payment"


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One try at a bank, also one that failed: what the call ledger keeps (SYN-02). It names nobody."""

    method: str
    host: str
    path: str
    """Template such as `/accounts/{id}/balances`, never the path itself."""
    kind: CallKind
    status: int | None
    """None when no answer came."""
    started_at: datetime
    duration: timedelta
    is_attended: bool
    request_id: str


@dataclass(frozen=True, slots=True)
class BankRequest:
    """One call. `url` is a path below the base address, or an absolute address that `BankHttp.link` accepted."""

    method: str
    url: str = field(repr=False)
    template: str
    kind: CallKind
    request_id: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: Mapping[str, str] | None = field(default=None, repr=False)
    json: Mapping[str, Any] | None = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    content: bytes | None = field(default=None, repr=False)
    """A body that is sent byte for byte; its `Content-Type` stands in the headers."""
    is_attended: bool = False
    key_id: str | None = field(default=None, repr=False)
    """The name to sign under, where the bank gave us another than that of the certificate."""
    takes_redirect: bool = False
    """The answer wanted is the `Location` of a redirect; it is handed over, not followed."""


@dataclass(frozen=True, slots=True)
class BankAnswer:
    """Status, headers and body of an answer that came whole."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case."""
    body: bytes = field(repr=False)
    url: str = field(default="", repr=False)

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON with exact decimals; raises `BankAnswerInvalid` for HTML, an empty or a broken body."""
        try:
            return json.loads(self.body, parse_float=Decimal, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            what = "HTML" if self.body.lstrip()[:1] == b"<" else "something that is not JSON"
            # The cause would carry the payload into whoever logs it.
            raise BankAnswerInvalid(f"the bank answered {what}", status=self.status) from None

    def json_object(self) -> dict[str, Any]:
        """As `json`, and an object; raises `BankAnswerInvalid` otherwise."""
        value = self.json()
        if not isinstance(value, dict):
            raise BankAnswerInvalid("the bank answered JSON that is not an object", status=self.status)
        return value


class Signer(Protocol):
    """Signs requests for one bank; `connectors.signing.RequestSigner` is the usual one."""

    def __call__(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes, key_id: str | None = None
    ) -> Mapping[str, str]:
        """The headers to add; `target` is path and query as they will be sent, `body` the bytes."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and bytes one call may take."""

    connect_seconds: float = 10.0
    read_seconds: float = 30.0
    total_seconds: float = 90.0
    answer_bytes_max: int = 20 * 1024 * 1024


class BankHttp:
    """The line to one bank.

    `base_url` has no trailing slash and ends with the version. `allowed_hosts` are the hosts besides its own that links
    may name; one that starts with a dot (`.bank.example`) stands for every host below it. `now` dates the call records,
    `sleep` waits between tries, `on_call` receives each try and `on_answer` each answer, `signer` signs each anew since
    some signatures live a minute, `signed_kinds` are the calls it signs (None: all). `transport` replaces the network
    in tests.
    """

    def __init__(
        self,
        base_url: str,
        *,
        bank_id: str,
        now: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
        allowed_hosts: frozenset[str] = frozenset(),
        ssl_context: ssl.SSLContext | None = None,
        transport: httpx2.BaseTransport | None = None,
        limits: Limits = Limits(),
        on_call: Callable[[CallRecord], None] | None = None,
        on_answer: Callable[[BankRequest, BankAnswer], None] | None = None,
        signer: Signer | None = None,
        signed_kinds: frozenset[CallKind] | None = None,
        logger: logging.Logger | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.bank_id = bank_id
        self.allowed_hosts = allowed_hosts
        base = urlsplit(self.base_url)
        if base.scheme != "https" and not (base.scheme == "http" and base.hostname in LOOPBACK_HOSTS):
            raise OperatorError("the address of a bank must be https", bank_id=bank_id)
        self._base_is_plain = base.scheme == "http"
        self._base_origin = (base.hostname or "", base.port)
        is_here = base.hostname in LOOPBACK_HOSTS
        self._now = now
        self._sleep = sleep
        self._limits = limits
        self._on_call = on_call
        self._on_answer = on_answer
        self._signer = signer
        self._signed_kinds = signed_kinds
        self._logger = logger or logging.getLogger("connectors.http")
        self._client = httpx2.Client(
            verify=ssl_context if ssl_context is not None else _usual_trust(with_environment=not is_here),
            transport=transport,
            timeout=httpx2.Timeout(limits.read_seconds, connect=limits.connect_seconds),
            follow_redirects=False,
            # Cookies would carry one PSU's session at the bank into the next PSU's call.
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
            # A proxy of the environment is for the outside world, never for a simulated bank on this machine.
            trust_env=not is_here,
            headers={"Accept": "application/json", "User-Agent": "sluis"},
        )

    def close(self) -> None:
        """Close the connections kept open."""
        self._client.close()

    def send(self, request: BankRequest) -> BankAnswer:
        """Call the bank, at most three times when the method creates nothing.

        Returns answers with status 2xx and 4xx. Raises `QuotaExhausted` (429), `BankUnavailable` (5xx, time-out, cut
        connection), `OperatorError` (TLS refused on either side) and `BankAnswerInvalid` (redirect, answer too large).
        A 429 is repeated only when the bank names a short wait: without one it means the daily limit, and each further
        try would count as well.
        """
        tries = TRIES_MAX if request.method in REPEATABLE_METHODS else 1
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(tries),
            retry=tenacity.retry_if_exception(_is_worth_repeating),
            wait=_wait,
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(self._try, request)

    def link(self, value: object) -> str | None:
        """The absolute address in a link of an answer; None when there is none.

        Banks write `{"href": …}` or the address itself, relative or absolute. Raises `BankAnswerInvalid` for another
        host than the base's and the allowed ones, and for anything but https (http only where the base itself is http
        on loopback). Source: Berlin Group 1.3, `_links`.
        """
        href = value.get("href") if isinstance(value, Mapping) else value
        if href is None or href == "":
            return None
        if not isinstance(href, str):
            self._refuse("a link is not text")
        href = href.strip()
        if not href:
            return None
        if "\\" in href or any(character <= " " or character > "~" for character in href):
            self._refuse("a link holds characters no address has")
        try:
            url = urljoin(f"{self.base_url}/", href)
        except ValueError:
            self._refuse("a link is no address")
        self._check(url)
        return url

    def _check(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            self._refuse("a link is no address")
        is_base = (host, port) == self._base_origin
        if parts.username is not None or parts.password is not None or parts.fragment:
            self._refuse("a link holds credentials or a fragment")
        if parts.scheme == "http":
            if not (self._base_is_plain and host in LOOPBACK_HOSTS and (is_base or self._allows(host, port))):
                self._refuse("a link leads to another host or is not https")
        elif parts.scheme != "https" or not (is_base or self._allows(host, port)):
            self._refuse("a link leads to another host or is not https")

    def _allows(self, host: str, port: int | None) -> bool:
        if f"{host}:{port}" in self.allowed_hosts:
            return True
        if port not in (None, 443):
            return False
        return host == self._base_origin[0] or any(
            host.endswith(allowed) if allowed.startswith(".") else host == allowed for allowed in self.allowed_hosts
        )

    def _refuse(self, message: str) -> NoReturn:
        raise BankAnswerInvalid(message, bank_id=self.bank_id)

    def _try(self, request: BankRequest) -> BankAnswer:
        url = self.base_url + request.url if request.url.startswith("/") else request.url
        self._check(url)
        started_at, started, status = self._now(), time.monotonic(), None
        try:
            answer = self._exchange(request, url, deadline=started + self._limits.total_seconds)
            status = answer.status
        finally:
            self._record(request, url, status, started_at, timedelta(seconds=time.monotonic() - started))
        if self._on_answer is not None:
            self._on_answer(request, answer)
        return self._accepted(request, answer)

    def _accepted(self, request: BankRequest, answer: BankAnswer) -> BankAnswer:
        if not (request.takes_redirect and answer.status in (302, 303, 307)):
            self._raise_for(answer)
        return answer

    def _exchange(self, request: BankRequest, url: str, *, deadline: float) -> BankAnswer:
        try:
            with self._sent(request, url) as response:
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > self._limits.answer_bytes_max:
                        self._refuse("the bank's answer is larger than the limit")
                    if time.monotonic() > deadline:
                        raise BankUnavailable("the bank's answer takes too long", bank_id=self.bank_id)
                headers = {name.lower(): value for name, value in response.headers.items()}
                return BankAnswer(response.status_code, headers, bytes(body), str(response.url))
        except httpx2.TransportError as error:
            if _is_tls_refusal(error):
                raise OperatorError("TLS was refused: check the certificates", bank_id=self.bank_id) from error
            raise BankUnavailable(f"no answer from the bank ({type(error).__name__})", bank_id=self.bank_id) from error
        except (httpx2.DecodingError, httpx2.InvalidURL) as error:
            raise BankAnswerInvalid("the bank's answer cannot be decoded", bank_id=self.bank_id) from error

    @contextmanager
    def _sent(self, request: BankRequest, url: str) -> Iterator[httpx2.Response]:
        made = self._client.build_request(
            request.method,
            url,
            headers={**request.headers, "X-Request-ID": request.request_id},
            params=request.params,
            json=request.json,
            data=request.form,
            content=request.content,
        )
        if self._signer is not None and self.signs(request.kind):
            # Signed is what goes over the line: the bytes of the body and the target with its encoding.
            target = made.url.raw_path.decode("ascii")
            made.headers.update(dict(self._signer(made.method, target, made.headers, made.read(), request.key_id)))
        response = self._client.send(made, stream=True)
        try:
            yield response
        finally:
            response.close()

    def signs(self, kind: CallKind) -> bool:
        """Whether calls of this kind go out signed."""
        return self._signer is not None and (self._signed_kinds is None or kind in self._signed_kinds)

    def _record(
        self, request: BankRequest, url: str, status: int | None, started_at: datetime, duration: timedelta
    ) -> None:
        host = urlsplit(url).hostname or ""
        self._logger.info(
            "bank call method=%s host=%s path=%s status=%s duration_ms=%d request_id=%s",
            request.method,
            host,
            request.template,
            status,
            duration.total_seconds() * 1000,
            request.request_id,
        )
        if self._on_call is not None:
            self._on_call(
                CallRecord(
                    method=request.method,
                    host=host,
                    path=request.template,
                    kind=request.kind,
                    status=status,
                    started_at=started_at,
                    duration=duration,
                    is_attended=request.is_attended,
                    request_id=request.request_id,
                )
            )

    def _raise_for(self, answer: BankAnswer) -> None:
        if answer.is_success or (400 <= answer.status < 500 and answer.status != 429):
            return
        retry_after = _retry_after(answer.headers.get("retry-after"), self._now())
        if answer.status == 429:
            raise QuotaExhausted(
                "the bank's limit of calls is reached", bank_id=self.bank_id, status=429, retry_after=retry_after
            )
        if answer.status >= 500:
            raise BankUnavailable(
                f"the bank answered {answer.status}",
                bank_id=self.bank_id,
                status=answer.status,
                retry_after=retry_after,
            )
        raise BankAnswerInvalid(
            f"the bank answered {answer.status}; redirects are not followed",
            bank_id=self.bank_id,
            status=answer.status,
        )


@functools.cache
def _usual_trust(*, with_environment: bool) -> ssl.SSLContext:
    """The authorities that everybody trusts, read once for all banks without a certificate of ours."""
    return httpx2.create_ssl_context(trust_env=with_environment)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _is_worth_repeating(error: BaseException) -> bool:
    if not isinstance(error, ConnectorError):
        return False
    if error.retry_after is not None and error.retry_after.total_seconds() > WAIT_SECONDS_MAX:
        return False
    if isinstance(error, QuotaExhausted):
        return error.retry_after is not None
    return isinstance(error, BankUnavailable) and (error.status is None or error.status in REPEATABLE_STATUSES)


_backoff = tenacity.wait_random_exponential(multiplier=1.0, max=WAIT_SECONDS_MAX)


def _wait(state: tenacity.RetryCallState) -> float:
    """What the bank asked for, else a random share of a growing time so that workers do not return together."""
    error = state.outcome.exception() if state.outcome is not None else None
    if isinstance(error, ConnectorError) and error.retry_after is not None:
        return min(error.retry_after.total_seconds(), WAIT_SECONDS_MAX)
    return _backoff(state)


def _retry_after(value: str | None, now: datetime) -> timedelta | None:
    """`Retry-After` in seconds or as a date (RFC 9110, 10.2.3), at most a day; None when absent or unreadable."""
    if value is None:
        return None
    value = value.strip()
    try:
        if value.isascii() and value.isdigit():
            wait = timedelta(seconds=min(int(value[:9]), 86_400))
        else:
            moment = parsedate_to_datetime(value)
            wait = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wait, timedelta(0)), timedelta(days=1))


def _is_tls_refusal(error: BaseException) -> bool:
    """Whether a certificate was refused by us or by the bank, so that repeating cannot help."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return True
        if isinstance(seen, ssl.SSLError) and "ALERT" in (seen.reason or ""):
            return True
        seen = seen.__cause__ or seen.__context__
    return False

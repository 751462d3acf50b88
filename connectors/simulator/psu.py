"""A PSU for demos and tests: walks the simulated bank's pages over HTTP as a browser would."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPMessage
from http.cookiejar import CookieJar
from pathlib import Path
from typing import IO
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import (
    BaseHandler,
    HTTPCookieProcessor,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    build_opener,
)

TIMEOUT_SECONDS = 10


class PsuStopped(Exception):
    """The bank's pages did not lead on: wrong address, unknown holder, or a refusal shown on the page."""


def approve(
    authorisation_url: str,
    holder: str | None = None,
    *,
    accounts: Iterable[str] | None = None,
    language: str = "nl",
    authority: Path | None = None,
) -> str:
    """Sign in as `holder` (id; default the first on the page) and approve; returns the call-back address.

    `accounts` (IBANs) are ticked where the page lets the PSU choose; None ticks all. The call-back itself is not
    opened. `authority` is the PEM to trust at a bank on https. Raises `PsuStopped`.
    """
    return _decide(authorisation_url, holder, "approve", accounts, language, authority)


def cancel(authorisation_url: str, holder: str | None = None, *, language: str = "nl") -> str:
    """Sign in and cancel; returns the call-back address with the error in it. Raises `PsuStopped`."""
    return _decide(authorisation_url, holder, "cancel", (), language)


def holders(authorisation_url: str) -> list[str]:
    """The ids of the people who can sign in on this page."""
    _, form = _Browser(authorisation_url, "nl").open(authorisation_url)
    return [] if form is None else form.choices("holder")


def _decide(  # noqa: PLR0917  one for each of the browser's doings
    url: str,
    holder: str | None,
    decision: str,
    accounts: Iterable[str] | None,
    language: str,
    authority: Path | None = None,
) -> str:
    browser = _Browser(url, language, authority)
    address, form = browser.open(url)
    if form is None:
        return address
    people = form.choices("holder")
    chosen = holder or next(iter(people), None)
    if chosen not in people:
        raise PsuStopped("the bank does not know this holder")
    address, form = browser.open(urljoin(address, form.action), {"holder": [chosen]})
    if form is None:
        return address
    offered = form.choices("account")
    wanted = None if accounts is None else {iban.replace(" ", "") for iban in accounts}
    ticked = [account for account in offered if wanted is None or account in wanted]
    address, form = browser.open(urljoin(address, form.action), {"account": ticked, "decision": [decision]})
    if form is not None:
        raise PsuStopped("the bank asks again; at least one account must be ticked or held")
    return address


@dataclass(slots=True)
class _Form:
    action: str
    values: list[tuple[str, str]] = field(default_factory=list)

    def choices(self, name: str) -> list[str]:
        return [value for key, value in self.values if key == name]


class _FormReader(HTMLParser):
    """Reads the page's only form."""

    def __init__(self) -> None:
        super().__init__()
        self.form: _Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.form = _Form(found.get("action", ""))
        elif tag in {"input", "button"} and self.form is not None and "name" in found:
            self.form.values.append((found["name"], found.get("value", "")))


class _LeavingBank(Exception):
    def __init__(self, url: str) -> None:
        super().__init__("the browser leaves the bank")
        self.url = url


class _StayAtBank(HTTPRedirectHandler):
    """Follows redirects within the bank's pages only."""

    def __init__(self, host: str) -> None:
        self._host = host

    def redirect_request(  # noqa: PLR0917  the signature of the standard library
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        if urlsplit(newurl).netloc != self._host or "/public/berlingroup/" not in urlsplit(newurl).path:
            fp.close()
            raise _LeavingBank(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Browser:
    def __init__(self, url: str, language: str, authority: Path | None = None) -> None:
        handlers: list[BaseHandler] = [
            ProxyHandler({}),
            HTTPCookieProcessor(CookieJar()),
            _StayAtBank(urlsplit(url).netloc),
        ]
        if authority is not None:
            handlers.append(HTTPSHandler(context=ssl.create_default_context(cafile=str(authority))))
        self._opener: OpenerDirector = build_opener(*handlers)
        self._opener.addheaders = [("Accept-Language", language), ("User-Agent", "simulated-psu")]

    def open(self, url: str, form: dict[str, list[str]] | None = None) -> tuple[str, _Form | None]:
        """The page's address and form, or the address outside the bank and None."""
        if urlsplit(url).scheme not in {"http", "https"}:
            raise PsuStopped("a web address is expected")
        data = None if form is None else urlencode(form, doseq=True).encode()
        try:
            with self._opener.open(url, data, TIMEOUT_SECONDS) as response:
                address, text = response.geturl(), response.read().decode()
        except _LeavingBank as leaving:
            return leaving.url, None
        except HTTPError as error:
            with error:
                raise PsuStopped(f"the bank's page answers {error.code}") from error
        reader = _FormReader()
        reader.feed(text)
        if reader.form is None:
            raise PsuStopped("the bank's page holds no form")
        return str(address), reader.form

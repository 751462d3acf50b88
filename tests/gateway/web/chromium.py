"""A real browser at a real server: Debian's Chromium, watched for errors, policy violations and strange hosts."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from starlette.types import ASGIApp

from tests.conftest import ROOT

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
AXE = (ROOT / "tests" / "assets" / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
REPORT = """async (rules) => {
  const found = await axe.run(document, {runOnly: rules, resultTypes: ["violations"]});
  const node = n => n.target.join(" ") + " " + n.failureSummary;
  return found.violations.map(v => v.id + ": " + v.nodes.map(node).join("; "));
}"""


def find_chromium() -> str:
    """The program; without it the test skips with its reason, and fails where CI is set."""
    path = shutil.which("chromium")
    if path is None:
        reason = "Chromium is not installed (Debian: apt install chromium)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return path


@contextmanager
def chromium() -> Iterator[Browser]:
    """One browser process."""
    path = find_chromium()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def serving(app: ASGIApp, port: int) -> Iterator[None]:
    """The application on this port, in a thread."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline, "the server does not start"
        time.sleep(0.02)
    yield
    server.should_exit = True
    thread.join(timeout=20)
    assert not thread.is_alive(), "the server does not stop"


@dataclass
class Watched:
    """A page and what went wrong on it; `hosts` are those it may talk to."""

    page: Page
    hosts: frozenset[str]
    errors: list[str] = field(default_factory=list)

    def axe(self) -> list[str]:
        """Findings of the accessibility check on the page as it is now."""
        self.page.evaluate(AXE)
        found: list[str] = self.page.evaluate(REPORT, RULES)
        return found

    def fits(self) -> bool:
        """Whether nothing sticks out to the right."""
        wide: bool = self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        return wide


def watch(context: BrowserContext, *hosts: str) -> Watched:
    """A new page in the context."""
    watched = Watched(context.new_page(), frozenset(hosts))

    def console(message: Any) -> None:
        # Chromium reports a page that answers 4xx as an error of its own; what the page says is tested elsewhere.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            watched.errors.append(f"{message.type}: {message.text}")

    def requested(request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https") and parts.netloc not in watched.hosts:
            watched.errors.append(f"request to {parts.netloc}")

    watched.page.on("console", console)
    watched.page.on("pageerror", lambda error: watched.errors.append(f"script: {error}"))
    watched.page.on("request", requested)
    return watched

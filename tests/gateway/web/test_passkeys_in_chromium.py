"""Passkeys in a real browser with a virtual authenticator: added, signed in with, and given at a decision.

WebAuthn is bound to the host name, so that the office is served at `localhost`. SEC-01, SEC-02.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, expect
from sqlmodel import select

from gateway.audit.models import AuditEntry
from gateway.crypto import KeyRing
from gateway.embedded import EmbeddedPostgres
from gateway.ids import new_id
from gateway.passkeys.models import Passkey
from gateway.settings import Settings
from gateway.signed_decisions.models import SigningLimit
from tests.gateway.web.chromium import Watched, chromium
from tests.gateway.web.site import NARROW, Site, enter, served
from tests.gateway.web.world import Clock, World

pytestmark = [
    pytest.mark.browser,
    # Playwright's own loop and pipes end after the test that used them.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def chromium_browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def named(
    postgres: EmbeddedPostgres, settings: Settings, keys: KeyRing, prepared: World, clock: Clock,
    chromium_browser: Browser,
) -> Iterator[tuple[Site, World]]:  # fmt: skip
    """The office under a name instead of a number."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with served(postgres, settings, keys, prepared, clock, chromium_browser, f"http://localhost:{port}") as both:
        yield both


@contextmanager
def authenticator(watched: Watched) -> Iterator[tuple[CDPSession, str]]:
    """A platform authenticator that recognises the finger; it stays with the page."""
    devtools = watched.page.context.new_cdp_session(watched.page)
    devtools.send("WebAuthn.enable")
    options: dict[str, Any] = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    made = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    yield devtools, made["authenticatorId"]
    devtools.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": made["authenticatorId"]})


def test_a_passkey_is_added_signs_in_and_confirms_a_decision(named: tuple[Site, World]) -> None:
    """SEC-01, SEC-02: `passkeys.js` and the service speak with one another through a browser's own WebAuthn."""
    site, world = named
    world.speak("en")
    watched = site.visitor()
    page = watched.page
    enter(site, world, "approver", watched)
    with authenticator(watched) as (devtools, device):
        page.goto(f"{site.base}/security")
        page.get_by_role("button", name="Add a passkey").click()
        assert watched.axe() == []
        page.get_by_label("Name of the passkey").fill("Phone of Karel")
        page.get_by_role("button", name="Add a passkey").click()
        page.wait_for_url(f"{site.base}/security")
        expect(page.locator("main")).to_contain_text("Phone of Karel")
        assert len(devtools.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"]) == 1

        # The same device again: the browser itself says that it is known, and nothing is sent.
        page.goto(f"{site.base}/security/passkeys/new")
        page.get_by_role("button", name="Add a passkey").click()
        expect(page.locator("[data-passkey-failed]")).to_be_visible()

        page.context.clear_cookies()
        page.goto(f"{site.base}/sign-in?next=/to-approve")
        page.get_by_role("link", name="Sign in with a passkey").click()
        page.set_viewport_size(NARROW)  # type: ignore[arg-type]  # as Playwright's own type says
        assert watched.axe() == []
        assert watched.fits()
        page.get_by_role("button", name="Use my passkey").click()
        page.wait_for_url(f"{site.base}/to-approve")

        # Six minutes later the decision asks for the second factor; what was ticked is kept.
        world.clock.now += timedelta(minutes=6)
        page.goto(f"{site.base}/to-approve")
        page.get_by_label("Garenhuis Moerman BV").check()
        page.get_by_role("button", name="Approve the ticked ones").click()
        decide = page.get_by_role("button", name="Decide now")
        if decide.count():
            decide.click()
        page.get_by_role("button", name="Use my passkey").click()
        expect(page.get_by_role("status").first).to_contain_text("You approved 1 payment")

        # Above the client's amount the passkey signs the payment and its seal (SEC-04).
        world.save(
            SigningLimit(id=new_id(), office_id=world.office.id, client_id=world.clients["textile"].id,
                         amount=Decimal("1.00"), changed_at=world.clock())
        )  # fmt: skip
        page.goto(f"{site.base}/to-approve")
        page.locator(".dossier").first.get_by_role("checkbox").check()
        page.get_by_role("button", name="Approve the ticked ones").click()
        if decide.count():
            decide.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign this decision with your passkey")
        expect(page.locator("main")).to_contain_text("exactly this payment of")
        assert watched.axe() == []
        assert watched.fits()
        page.get_by_role("button", name="Sign and go on").click()
        expect(page.get_by_role("status").first).to_contain_text("You approved 1 payment")
    with world.gateway.database.unit_of_work(world.office.id) as session:
        passkey = session.exec(select(Passkey)).one()
        entries = session.exec(select(AuditEntry).where(AuditEntry.office_id == world.office.id)).all()
    assert passkey.last_used_at == world.clock.now
    assert {"passkey.added", "decision.signed"} <= {entry.action for entry in entries}
    assert watched.errors == []


def test_a_finger_that_is_not_recognised_leaves_the_page_as_it_was(named: tuple[Site, World]) -> None:
    """The person reads what happened, can try again, and can go another way."""
    site, world = named
    world.speak("en")
    watched = site.visitor()
    page = watched.page
    with authenticator(watched) as (devtools, device):
        devtools.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
        page.goto(f"{site.base}/sign-in/passkey")
        page.get_by_role("button", name="Use my passkey").click()
        expect(page.locator("[data-passkey-failed]")).to_be_visible()
        assert page.url == f"{site.base}/sign-in/passkey"
        expect(page.get_by_role("button", name="Use my passkey")).to_be_enabled()
    assert watched.errors == []

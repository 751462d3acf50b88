"""API-07: pages of webhooks; a secret shown once, a test, the log with answers, replays, switching, removing."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from gateway.assembly import Gateway
from gateway.ids import decode
from gateway.webhooks.sending import WebhookSender
from tests.gateway.serving import app_of
from tests.gateway.web.conftest import ORIGIN, Browser
from tests.gateway.web.world import World, typed
from tests.gateway.webhooks.receiver import Receiver, receiver

LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture
def hooked(timed: Gateway) -> Gateway:
    """May call loopback."""
    return replace(timed, settings=timed.settings.model_copy(update={"allowed_private_networks": LOOPBACK}))


@pytest.fixture
def admin(hooked: Gateway, world: World) -> Iterator[Browser]:
    world.speak("en")
    with TestClient(app_of(hooked), base_url=ORIGIN, client=("203.0.113.9", 50000)) as client:
        browser = Browser(client, hooked)
        browser.sign_in(world.people["accountant"])
        yield browser


def made(admin: Browser, there: Receiver, **more: object) -> tuple[str, str]:
    """Path and secret of a new endpoint."""
    admin.get("/webhooks")
    text = admin.post("/webhooks", {"url": there.url, "description": "Portal", "type": ["payment"], **more})
    (secret,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", text)
    return re.findall(r"/webhooks/whe_\w{26}", text)[0], secret


def send(hooked: Gateway, world: World, path: str) -> None:
    hooked.real_now.step()  # type: ignore[attr-defined]  # the clock of the pages' world
    WebhookSender(hooked, draw=lambda _: 0).run(world.office.id, decode("webhook_endpoint", path[10:]), 1)


def test_the_secret_is_shown_once_and_renewed(admin: Browser, there: Receiver) -> None:
    """SEC-06, API-07."""
    path, secret = made(admin, there)
    assert secret not in admin.get(path)
    text = admin.post(f"{path}/secret")
    (renewed,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", text)
    assert renewed != secret
    assert "The secret before signs along until" in text
    assert renewed not in admin.get(path)


def test_a_test_message_is_sent_and_the_log_shows_the_answers(
    admin: Browser, hooked: Gateway, world: World, there: Receiver
) -> None:
    path, secret = made(admin, there)
    there.answers, there.text = [503], b"<b>later</b>"
    assert "not tried yet" in admin.post(f"{path}/test")
    send(hooked, world, path)
    text = admin.get(path)
    assert "503" in text
    assert "&lt;b&gt;later&lt;/b&gt;" in text
    assert "Tried again later" in text
    assert there.received[0].is_signed_by(secret)
    assert "Nothing yet." in admin.get(f"{path}?state=delivered")
    assert "test.sent" in admin.get(f"{path}?state=retrying")


def test_one_message_or_a_stretch_of_time_is_sent_again(
    admin: Browser, hooked: Gateway, world: World, there: Receiver
) -> None:
    path, _ = made(admin, there)
    admin.post(f"{path}/test")
    send(hooked, world, path)
    text = admin.get(path)
    (replay,) = re.findall(r"/webhooks/deliveries/whd_\w{26}/replay", text)
    admin.post(replay)
    send(hooked, world, path)
    assert len(there.received) == 2
    assert there.ids[0] == there.ids[1]
    day = hooked.real_now().strftime("%Y-%m-%dT00:00")
    # The test message, and what happened to payments of the office since midnight.
    text = admin.post(f"{path}/replays", {"since": day})
    (count,) = re.findall(r"(\d+) messages are sent again.", text)
    send(hooked, world, path)
    assert len(there.received) == 2 + int(count) > 3
    admin.post(f"{path}/replays", {"since": "soon"}, 422)


def test_settings_are_changed_and_the_endpoint_switched_and_removed(
    admin: Browser, world: World, there: Receiver
) -> None:
    path, _ = made(admin, there)
    version = re.findall(r'name="version" value="(\d+)"', admin.get(path))[0]
    client = typed("client", world.clients["textile"].id)
    text = admin.post(path, {"url": there.url, "description": "Other", "type": ["export"], "client": client,
                             "version": version})  # fmt: skip
    assert "<h1>Other</h1>" in text
    assert re.search(r'value="export" checked', text)
    assert f'value="{client}" selected' in text
    version = re.findall(r'name="version" value="(\d+)"', text)[0]
    text = admin.post(f"{path}/switch", {"on": "no", "version": version})
    assert "Switched off" in text
    assert "Send a test message" not in text
    admin.post(f"{path}/switch", {"on": "yes", "version": version}, 412)
    admin.post(f"{path}/removal")
    admin.get(path, 404)


def test_an_address_that_is_refused_is_named_with_its_reason(admin: Browser, there: Receiver, world: World) -> None:
    """SEC-08, in the language of the reader."""
    admin.get("/webhooks")
    text = admin.post("/webhooks", {"url": "https://169.254.169.254/latest", "description": "x"}, 422)
    assert "it lies in a network that is not public" in text
    assert 'value="https://169.254.169.254/latest"' in text
    world.speak("fr")
    assert "réseau" in admin.post("/webhooks", {"url": "https://10.0.0.1/", "description": "x"}, 422)


def test_only_administrators_of_the_office_see_webhooks(browser: Browser, world: World) -> None:
    world.speak("en")
    browser.sign_in(world.people["administrator"])
    assert 'href="/webhooks"' not in browser.get("/")
    browser.get("/webhooks", 403)

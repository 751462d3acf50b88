"""The page of API keys and applications: made by an administrator, shown once, ended at once."""

from __future__ import annotations

import re

import pytest

from gateway.errors import SignInError
from gateway.machines.applications import ApplicationService
from gateway.machines.service import MachineService
from tests.gateway.web.conftest import Browser
from tests.gateway.web.world import World, typed


@pytest.fixture
def admin(browser: Browser, world: World) -> Browser:
    world.speak("en")
    browser.sign_in(world.people["accountant"])
    return browser


def test_a_key_is_made_shown_once_and_revoked(admin: Browser, world: World) -> None:
    """SEC-03."""
    admin.get("/keys")
    made = {"name": "Pull agent", "kind": "key", "scope": ["coda"], "networks": "192.0.2.0/24", "until": "2099-12-31"}
    text = admin.post("/keys", made)
    (secret,) = re.findall(r"sluis_test_[\w-]{43}", text)
    principal = MachineService(world.gateway).principal_of_token(secret, source="192.0.2.7")
    text = admin.get("/keys")
    assert secret not in text, "shown once"
    assert "Pull agent" in text
    assert "only from 192.0.2.0/24" in text
    admin.post(f"/keys/{typed('credential', principal.id)}/revocation", {})
    with pytest.raises(SignInError):
        MachineService(world.gateway).principal_of_token(secret, source="192.0.2.7")


def test_an_application_is_made_and_ended(admin: Browser, world: World) -> None:
    admin.get("/keys")
    text = admin.post("/keys", {"name": "Portaal", "kind": "application", "scope": ["payments:write"]})
    assert re.search(r"sluis_secret_[\w-]{43}", text)
    (application,) = set(re.findall(r"app_\w{26}", text))
    admin.post(f"/applications/{application}/revocation", {})
    assert application not in admin.get("/keys")
    assert ApplicationService(world.gateway).held(world.act("accountant")) == []


def test_what_is_missing_is_said_and_nothing_is_made(admin: Browser, world: World) -> None:
    admin.get("/keys")
    assert "One of these scopes does not exist." in admin.post("/keys", {"name": "x", "kind": "key"}, 422)
    assert "not a date" in admin.post("/keys", {"name": "x", "kind": "key", "scope": ["coda"], "until": "soon"}, 422)
    wrong = {"name": "x", "kind": "application", "scope": ["payments:approve"]}
    assert "granted by the operator only" in admin.post("/keys", wrong, 422)
    assert ApplicationService(world.gateway).held(world.act("accountant")) == []


def test_others_do_not_see_the_page(browser: Browser, world: World) -> None:
    world.speak("en")
    browser.sign_in(world.people["approver"])
    browser.get("/keys", 403)

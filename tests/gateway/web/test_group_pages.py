"""The pages of client groups: made, filled, emptied, removed; who may not change them only looks (OFF-09)."""

from __future__ import annotations

import re

import pytest

from gateway.client_groups.service import ClientGroupService
from gateway.identity.rights import OfficeRole
from gateway.ids import decode
from tests.gateway.web.conftest import Browser
from tests.gateway.web.world import World, typed


@pytest.fixture
def admin(browser: Browser, world: World) -> Browser:
    world.speak("en")
    browser.sign_in(world.people["accountant"])
    return browser


def made(admin: Browser, name: str) -> str:
    admin.get("/client-groups")
    admin.post("/client-groups", {"name": name})
    (path,) = re.findall(rf'href="(/client-groups/cgr_\w{{26}})">{name}<', admin.get("/client-groups"))
    return path


def test_a_group_is_made_filled_emptied_and_removed(admin: Browser, world: World) -> None:
    path = made(admin, "Horeca")
    bakery, textile = (typed("client", world.clients[key].id) for key in ("bakery", "textile"))
    user = typed("user", world.people["support"].user.id)
    admin.get(path)
    text = admin.post(path, {"name": "Horeca", "add": [bakery, textile], "user": [user]})
    assert f'name="remove" value="{bakery}"' in text
    assert re.search(rf'value="{user}" checked', text)
    text = admin.post(path, {"name": "Cafés", "remove": [bakery], "user": [user]})
    assert "<h1>Cafés</h1>" in text
    assert f'name="remove" value="{bakery}"' not in text
    view = ClientGroupService(world.gateway).get(world.act("accountant"), decode("client_group", path[15:]))
    assert view.client_ids == [world.clients["textile"].id]
    assert view.user_ids == [world.people["support"].user.id]
    assert path not in admin.post(f"{path}/removal")


def test_what_is_refused_is_said_on_the_page(admin: Browser, world: World) -> None:
    path = made(admin, "Horeca")
    admin.post("/client-groups", {"name": "Horeca"}, 409)
    admin.post("/client-groups", {"name": " "}, 422)
    admin.get(path)
    admin.post(path, {"name": "Horeca", "add": ["cli_x"]}, 422)
    # Somebody of a client sees the own client anyway, and is no member.
    admin.post(path, {"name": "Horeca", "user": [typed("user", world.people["approver"].user.id)]}, 422)


def test_the_group_of_all_clients_takes_people_only(admin: Browser, world: World) -> None:
    (path,) = re.findall(r'href="(/client-groups/cgr_\w{26})">Everyone<', admin.get("/client-groups"))
    text = admin.get(path)
    assert 'name="name"' not in text
    assert 'name="add"' not in text
    user = typed("user", world.people["support"].user.id)
    assert re.search(rf'value="{user}" checked', admin.post(path, {"user": [user]}))


def test_staff_look_and_change_nothing(browser: Browser, world: World) -> None:
    world.person("staff", "Bo Medewerker", OfficeRole.STAFF)
    world.speak("en")
    ClientGroupService(world.gateway).create(world.act("accountant"), name="Horeca", client_ids=[], user_ids=[])
    browser.sign_in(world.people["staff"])
    text = browser.get("/client-groups")
    assert "Make a group" not in text
    (path,) = re.findall(r'href="(/client-groups/cgr_\w{26})">Horeca<', text)
    assert "disabled" in browser.get(path)
    browser.post(path, {"name": "Mine"}, 403)


def test_people_of_a_client_have_no_such_page(browser: Browser, world: World) -> None:
    world.speak("en")
    browser.sign_in(world.people["approver"])
    assert 'href="/client-groups"' not in browser.get("/")
    browser.get("/client-groups", 403)

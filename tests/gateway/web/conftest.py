"""A running application for pages: a browser-like client with cookies, forms and our own origin."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html import unescape
from typing import Any

import pytest
from sqlalchemy import create_engine
from starlette.testclient import TestClient

from gateway.assembly import Gateway, build
from gateway.crypto import KeyRing
from gateway.database import Database, connect
from gateway.embedded import APPLICATION, DATABASE, EmbeddedPostgres
from gateway.settings import Settings
from gateway.web import routing
from tests.gateway.builders import PASSWORD, Person
from tests.gateway.serving import app_of
from tests.gateway.web.world import Clock, World, make_world

ORIGIN = "http://testserver"


@dataclass
class Browser:
    """A person at a browser; every POST carries Origin and the form token of the page last seen."""

    client: TestClient
    gateway: Gateway
    token: str = ""
    headers: dict[str, str] = field(default_factory=lambda: {"Origin": ORIGIN})

    def get(self, path: str, status: int = 200) -> str:
        response = self.client.get(path, follow_redirects=True)
        assert response.status_code == status, response.text
        return self._seen(response.text)

    def post(self, path: str, data: dict[str, Any] | None = None, status: int = 200) -> str:
        fields = {"form_token": self.token} | (data or {})
        response = self.client.post(path, data=fields, headers=self.headers, follow_redirects=True)
        assert response.status_code == status, response.text
        return self._seen(response.text)

    def sign_in(self, person: Person, *, wanted: str = "/") -> str:
        self.get("/sign-in")
        if isinstance(self.gateway.real_now, Clock):
            self.gateway.real_now.step()
        code = person.code(self.gateway.real_now()) if person.secret else ""
        return self.post("/sign-in", {"email": person.user.email, "password": PASSWORD, "code": code, "next": wanted})

    def _seen(self, text: str) -> str:
        found = re.search(r'name="form_token" value="([^"]+)"', text)
        if found:
            self.token = unescape(found[1])
        return text


@pytest.fixture(autouse=True)
def traceback_of_defects(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages keep tracebacks of defects to themselves; a failing test shows them."""
    monkeypatch.setattr(routing.log, "error", lambda *_args, **_more: traceback.print_exc())


WORLD_DATABASE = "pages_world"


@pytest.fixture(scope="session")
def prepared(postgres: EmbeddedPostgres, settings: Settings, keys: KeyRing) -> World:
    """The office of `make_world`, committed once in a database of its own that is copied or rolled back per test."""
    postgres.create_database(WORLD_DATABASE, template=DATABASE)
    database = connect(postgres.url(APPLICATION, WORLD_DATABASE), pool_size=2)
    clock = Clock()
    world = make_world(replace(build(settings, database, keys), real_now=clock), clock)
    database.bind.engine.dispose()
    return world


@pytest.fixture
def database(postgres: EmbeddedPostgres, prepared: World) -> Iterator[Database]:
    """Instead of the empty database: the one with the office in it, rolled back after the test."""
    engine = create_engine(postgres.url(APPLICATION, WORLD_DATABASE))
    with engine.connect() as connection:
        outer = connection.begin()
        yield Database(connection)
        outer.rollback()
    engine.dispose()


@pytest.fixture
def clock(prepared: World) -> Clock:
    """Real time of the test: goes on where the office was left."""
    return Clock(prepared.clock.now)


@pytest.fixture
def timed(gateway: Gateway, clock: Clock) -> Gateway:
    """The rolled-back installation on that clock."""
    return replace(gateway, real_now=clock)


@pytest.fixture
def world(timed: Gateway, clock: Clock, prepared: World) -> World:
    """An office with something on every page."""
    return prepared.seen_by(timed, clock)


@pytest.fixture
def browser(timed: Gateway) -> Iterator[Browser]:
    """A browser at an installation on the rolled-back database."""
    with TestClient(app_of(timed), base_url=ORIGIN, client=("203.0.113.9", 50000)) as client:
        yield Browser(client, timed)

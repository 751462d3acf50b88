"""The office of `world`, served to a real browser at an address of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from playwright.sync_api import Browser

from gateway.app import create_app
from gateway.assembly import build
from gateway.crypto import KeyRing
from gateway.database import connect
from gateway.embedded import APPLICATION, EmbeddedPostgres
from gateway.settings import Settings
from tests.gateway.builders import PASSWORD
from tests.gateway.web.chromium import Watched, serving, watch
from tests.gateway.web.conftest import WORLD_DATABASE
from tests.gateway.web.world import Clock, World

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@dataclass
class Site:
    """A running installation and a browser."""

    base: str
    browser: Browser

    @property
    def host(self) -> str:
        return urlsplit(self.base).netloc

    def visitor(self, language: str = "en", *hosts: str, scheme: str = "light") -> Watched:
        context = self.browser.new_context(
            locale=language, viewport=WIDE, color_scheme="dark" if scheme == "dark" else "light", accept_downloads=True
        )  # fmt: skip
        return watch(context, self.host, *hosts)

    def sign_in(self, watched: Watched, email: str, code: str) -> None:
        watched.page.goto(f"{self.base}/sign-in")
        watched.page.fill("#email", email)
        watched.page.fill("#password", PASSWORD)
        watched.page.fill("#code", code)
        watched.page.click("main button[type=submit]")
        watched.page.wait_for_url(lambda url: "/sign-in" not in url)


@contextmanager
def served(  # the fixtures of one test
    postgres: EmbeddedPostgres,
    settings: Settings,
    keys: KeyRing,
    prepared: World,
    clock: Clock,
    browser: Browser,
    base: str,
) -> Iterator[tuple[Site, World]]:
    """The office of `make_world` in a committed copy, at the address `base` (its host leads to this machine)."""
    port = urlsplit(base).port
    assert port is not None, "an address with a port"
    name = f"pages_{port}"
    postgres.create_database(name, template=WORLD_DATABASE)
    settings = settings.model_copy(update={"base_url": base})
    database = connect(postgres.url(APPLICATION, name), pool_size=5)
    gateway = replace(build(settings, database, keys), real_now=clock)
    with serving(create_app(gateway), port):
        yield Site(base, browser), prepared.seen_by(gateway, clock)
    database.bind.engine.dispose()
    postgres.drop_database(name)


def enter(site: Site, world: World, who: str, watched: Watched) -> None:
    world.clock.step()
    person = world.people[who]
    site.sign_in(watched, person.user.email, person.code(world.clock()))

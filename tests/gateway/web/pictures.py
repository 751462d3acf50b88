"""Makes the pictures of the README from running pages: `python -m tests.gateway.web.pictures`.

The office is the invented one of `world`; the pictures are made again when the pages change.
"""

from __future__ import annotations

import socket
import tempfile
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Page

from gateway import migrations
from gateway.app import create_app
from gateway.assembly import build
from gateway.crypto import KeyRing
from gateway.database import connect
from gateway.embedded import APPLICATION, DATABASE, OWNER, EmbeddedPostgres
from gateway.settings import BankAccessSettings, Settings
from tests.conftest import ROOT
from tests.gateway.builders import PASSWORD
from tests.gateway.web.chromium import chromium, serving
from tests.gateway.web.world import BANKS, Clock, World, make_world

PICTURES = ROOT / "docs" / "pictures"


def main() -> None:
    """Serve the world and take both pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        with EmbeddedPostgres(folder / "postgres", is_durable=False) as server:
            migrations.upgrade(server.url(OWNER))
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            access = {bank: BankAccessSettings(base_url="http://127.0.0.1:9", client_id="nobody") for bank in BANKS}
            settings = Settings(
                _env_file=None,
                data_folder=folder,
                mode="test",
                rate_limit_unknown_per_minute=0,
                base_url=f"http://127.0.0.1:{port}",
                banks=access,
            )
            database = connect(server.url(APPLICATION, DATABASE), pool_size=5)
            clock = Clock()
            gateway = replace(build(settings, database, KeyRing.generate(folder / "keys.json")), real_now=clock)
            world = make_world(gateway, clock)
            world.speak("en")
            with serving(create_app(gateway), port), chromium() as browser:
                PICTURES.mkdir(parents=True, exist_ok=True)
                for who, picture, height in (("accountant", "day-page.png", 1080), ("approver", "to-approve.png", 900)):
                    page = browser.new_page(viewport={"width": 1180, "height": height}, device_scale_factor=1.25)
                    _sign_in(page, settings.base_url, world, who)
                    if who == "approver":
                        page.get_by_label("Garenhuis Moerman BV").check()
                        page.get_by_label("Transport Van Rompu NV").check()
                        page.wait_for_timeout(400)
                    page.screenshot(path=str(PICTURES / picture))
            database.bind.engine.dispose()


def _sign_in(page: Page, base: str, world: World, who: str) -> None:
    world.clock.step()
    person = world.people[who]
    page.goto(f"{base}/sign-in")
    page.fill("#email", person.user.email)
    page.fill("#password", PASSWORD)
    page.fill("#code", person.code(world.clock()))
    page.click("main button[type=submit]")
    page.wait_for_url(lambda url: "/sign-in" not in url)


if __name__ == "__main__":
    main()

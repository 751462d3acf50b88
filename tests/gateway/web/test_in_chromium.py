"""The pages in a real browser: people sign in, link a bank, prepare, approve and download; nothing leaks or breaks."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

import coda
from connectors.simulator import DEFAULT_BANKS, SimulatorConfig, SimulatorServer
from gateway.app import create_app
from gateway.assembly import Gateway
from gateway.crypto import KeyRing
from gateway.embedded import EmbeddedPostgres
from gateway.i18n import LANGUAGES
from gateway.identity.rights import OfficeRole
from gateway.settings import Settings
from tests.gateway.bank_to_coda.conftest import TODAY
from tests.gateway.bank_to_coda.story import HOLDERS, Story, connect_to
from tests.gateway.builders import make_person
from tests.gateway.web.chromium import chromium, serving
from tests.gateway.web.site import NARROW, WIDE, Site, enter, served
from tests.gateway.web.world import Clock, World, typed

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
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
        return number


@pytest.fixture
def full(
    postgres: EmbeddedPostgres,
    settings: Settings,
    keys: KeyRing,
    prepared: World,
    clock: Clock,
    port: int,
    chromium_browser: Browser,
) -> Iterator[tuple[Site, World]]:
    """The office of `make_world` in a committed copy, served."""
    with served(postgres, settings, keys, prepared, clock, chromium_browser, f"http://127.0.0.1:{port}") as both:
        yield both


def shown(world: World) -> dict[str, list[str]]:
    """Every page, by the person who opens it."""
    payment = world.payments("draft", by="preparer")[1]
    return {
        "accountant": [
            "/day", "/day?show=problem", "/day?show=waiting",
            f"/statements/{typed('statement', world.statements['bakery 212'].id)}",
            f"/statements/{typed('statement', world.statements['held'].id)}",
            f"/accounts/{typed('account', world.statements['held'].account_id)}",
            "/statements",
            f"/accounts/{typed('account', world.statements['held'].account_id)}/days",
            f"/accounts/{typed('account', world.statements['held'].account_id)}/comparison",
            f"/accounts/{typed('account', world.statements['held'].account_id)}/source",
            "/link-a-bank", f"/consents/{typed('consent', world.consents['bakery crelan'].id)}/stop",
            "/baskets", "/exports", "/second-factor", "/baskets/bsk_0000", "/office", "/onboarding",
        ],
        "preparer": [
            f"/baskets/{typed('basket', world.baskets['draft'].id)}",
            f"/payments/{typed('payment', payment.id)}/edit",
        ],
        "director": [
            f"/baskets/{typed('basket', world.baskets['approved'].id)}", "/exports", "/to-approve",
            "/to-approve?view=by_others", "/to-approve?view=approved", "/to-approve?view=rejected",
        ],
        "support": ["/", "/day"],
    }  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_accessible_and_fits_in_every_language(full: tuple[Site, World], language: str) -> None:
    site, world = full
    world.speak(language)
    found: list[str] = []
    for who, paths in shown(world).items():
        watched = site.visitor(language)
        watched.page.goto(f"{site.base}/sign-in?language={language}")
        found += [f"/sign-in {finding}" for finding in watched.axe()]
        enter(site, world, who, watched)
        for path in paths:
            watched.page.set_viewport_size(WIDE)  # type: ignore[arg-type]  # as Playwright's own type says
            watched.page.goto(site.base + path)
            assert watched.page.get_attribute("html", "lang") == language
            found += [f"{path} {finding}" for finding in watched.axe()]
            found += [] if watched.fits() else [f"{path} sticks out at 1280"]
            watched.page.set_viewport_size(NARROW)  # type: ignore[arg-type]  # as above
            if language == "nl":
                # The same page on a phone: what differs is the layout, which is the same in every language.
                found += [f"{path} at 390: {finding}" for finding in watched.axe()]
            found += [] if watched.fits() else [f"{path} sticks out at 390"]
        found += watched.errors
        watched.page.context.close()
    assert found == []


def test_the_dark_pages_have_contrast(full: tuple[Site, World]) -> None:
    site, world = full
    world.speak("en")
    found: list[str] = []
    for who, paths in shown(world).items():
        watched = site.visitor("en", scheme="dark")
        enter(site, world, who, watched)
        for path in paths:
            watched.page.goto(site.base + path)
            found += [f"{path} {finding}" for finding in watched.axe()]
        watched.page.context.close()
    assert found == []


def test_an_approver_decides_within_four_taps_and_can_take_it_back(full: tuple[Site, World]) -> None:
    site, world = full
    world.speak("en")
    watched = site.visitor()
    page = watched.page
    enter(site, world, "approver", watched)
    expect(page).to_have_url(f"{site.base}/to-approve")
    page.get_by_label("Tick all").check()
    expect(page.locator("[data-summary]")).to_have_text("Execute 3 payments for a total of €\xa010.224,01")
    page.get_by_role("button", name="Approve the ticked ones").click()
    page.get_by_role("button", name="Take back").click()
    assert [payment.state.value for payment in world.payments("waiting", by="preparer")] == ["submitted"] * 3
    page.get_by_role("button", name="Approve the ticked ones").click()
    assert not watched.axe()
    page.get_by_role("button", name="Decide now").click()
    expect(page.get_by_role("status").first).to_contain_text("You approved 3 payments")
    states = [payment.state.value for payment in world.payments("waiting", by="preparer")]
    assert states == ["approved", "approved", "submitted"]
    assert watched.errors == []


def test_everything_can_be_done_by_keyboard(full: tuple[Site, World]) -> None:
    site, world = full
    world.speak("en")
    watched = site.visitor()
    page = watched.page
    enter(site, world, "approver", watched)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_label("Garenhuis Moerman BV").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Approve the ticked ones").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Take back")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Approve the ticked ones")).to_be_focused()
    assert watched.errors == []


def test_a_payment_travels_from_form_to_file(full: tuple[Site, World], tmp_path: Path) -> None:
    site, world = full
    world.speak("en")
    preparer = site.visitor()
    page = preparer.page
    enter(site, world, "preparer", preparer)
    page.goto(f"{site.base}/baskets")
    page.get_by_text("New basket").click()
    page.get_by_label("Name").fill("From the browser")
    page.get_by_role("button", name="Make the basket").click()
    page.get_by_label("Name of the creditor").fill("Garenhuis Moerman BV")
    page.get_by_label("IBAN of the creditor").fill("BE68 5390 0754 7034")
    page.get_by_label("Amount in euro").fill("75,50")
    page.get_by_label("Paid from").select_option(index=1)
    page.get_by_label("Text of the communication").fill("+++090/9337/55493+++")
    page.get_by_role("button", name="Add the payment").click()
    basket = page.url.partition("#")[0]
    page.get_by_role("button", name="Submit for approval").click()
    expect(page.locator("main")).to_contain_text("Waiting for approval.")

    director = site.visitor()
    enter(site, world, "director", director)
    page = director.page
    page.locator(".dossier", has_text="75,50").get_by_role("checkbox").check()
    page.get_by_role("button", name="Approve the ticked ones").click()
    page.get_by_role("button", name="Decide now").click()
    expect(page.get_by_role("status").first).to_contain_text("You approved 1 payment")
    page.goto(basket)
    page.get_by_role("button", name="Make the payment file").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    download.value.save_as(tmp_path / "file.xml")
    assert b"<CtrlSum>75.50</CtrlSum>" in (tmp_path / "file.xml").read_bytes()
    assert preparer.errors == director.errors == []


def test_from_link_to_coda_at_a_simulated_bank(
    committed: Gateway, port: int, chromium_browser: Browser, tmp_path: Path
) -> None:
    with SimulatorServer(SimulatorConfig(today=TODAY, banks=DEFAULT_BANKS)) as banks:
        settings = committed.settings.model_copy(update={"base_url": f"http://127.0.0.1:{port}"})
        gateway = connect_to(banks, replace(committed, settings=settings))
        story = Story.begin(gateway, banks, "vanbreda")
        accountant = make_person(gateway, story.office, OfficeRole.ADMIN)
        bank_host = urlsplit(banks.base_url("vanbreda")).netloc
        with serving(create_app(gateway), port):
            _link_and_read(Site(settings.base_url, chromium_browser), story, accountant.user.email,
                           accountant.code(gateway.real_now()), bank_host, tmp_path)  # fmt: skip
        gateway.banks.close()


def _link_and_read(site: Site, story: Story, email: str, code: str, bank_host: str, folder: Path) -> None:
    watched = site.visitor("nl", bank_host)
    page = watched.page
    site.sign_in(watched, email, code)
    page.get_by_role("main").get_by_role("link", name="Bank koppelen").first.click()
    page.get_by_label("Klant").select_option(label=story.client.name)
    page.get_by_label("Bank", exact=True).press_sequentially("breda")
    expect(page.locator("#banks li")).to_have_count(1)
    page.get_by_role("button", name="Link maken").click()
    page.get_by_role("link", name="Hier verdergaan").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Mag Kantoor Test uw rekeningen lezen?")
    assert watched.axe() == []
    watched.page.set_viewport_size(NARROW)  # type: ignore[arg-type]  # as Playwright's own type says
    assert watched.fits()
    page.get_by_role("button", name="Verder naar").click()
    page.wait_for_url(f"http://{bank_host}/**")
    page.locator(f"[name=holder][value='{HOLDERS['vanbreda']}']").first.click()
    if page.locator("[name=decision]").count() == 0:
        page.locator("button[type=submit]").first.click()
    page.locator("button[name=decision][value=approve]").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Welke rekeningen mag Kantoor Test lezen?")
    expect(page.locator(".ticks li.off")).to_have_count(2)
    assert watched.axe() == []
    assert watched.fits()
    page.get_by_role("button", name="De aangevinkte rekeningen koppelen").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Klaar, dank u")
    assert watched.axe() == []

    story.work()
    page.goto(f"{site.base}/day")
    expect(page.locator("main")).to_contain_text("Bijgewerkt")
    page.get_by_role("button", name="Beginnen").click()
    story.sleep()
    page.goto(f"{site.base}/day")
    page.get_by_role("button", name="Nu ophalen").click()
    story.work()
    expect(page.locator(".statements .file").first).to_be_visible(timeout=15_000)
    with page.expect_download() as download:
        page.locator(".statements .file").first.click()
    download.value.save_as(folder / "statement.cod")
    assert list(coda.read((folder / "statement.cod").read_bytes()))
    own = [error for error in watched.errors if "favicon" not in error]
    assert own == []


def test_the_watch_itself_sees_faults(full: tuple[Site, World]) -> None:
    """What the other tests rely on: missing texts, blocked code, strange hosts and wide pages are noticed."""
    site, _world = full
    watched = site.visitor()
    watched.page.goto(f"{site.base}/sign-in")
    watched.page.evaluate("document.querySelector('main').append(new Image())")
    watched.page.evaluate("document.querySelector('h1').style.marginLeft = '3000px'")
    watched.page.evaluate("setTimeout('window.nothing = 1')")
    watched.page.evaluate("fetch('http://strange.example/').catch(() => 0)")
    assert any(finding.startswith("image-alt:") for finding in watched.axe())
    assert not watched.fits()
    assert any("Content Security Policy" in error for error in watched.errors)
    assert "request to strange.example" in watched.errors or any("strange.example" in e for e in watched.errors)

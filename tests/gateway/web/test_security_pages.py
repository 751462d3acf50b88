"""My security, recovery codes, a forgotten password and another address on the pages (SEC-01, SEC-13)."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from gateway.cookies import SESSION as COOKIE
from gateway.identity.rights import OfficeRole
from gateway.notices.outbox import opened
from gateway.web.security import safe_next
from tests.gateway.builders import PASSWORD, Person, make_office, make_person
from tests.gateway.web.conftest import Browser


@pytest.fixture
def person(browser: Browser) -> Person:
    office = make_office(browser.gateway)
    return make_person(browser.gateway, office, OfficeRole.STAFF)


def test_my_security_shows_sessions_and_gives_recovery_codes_that_complete_a_sign_in(
    browser: Browser, person: Person
) -> None:
    """SEC-01: a code from paper instead of the second factor; the session's cookie changes with it."""
    text = browser.sign_in(person, wanted="/security")
    assert "Mijn beveiliging" in text
    assert "deze sessie" in text
    text = browser.post("/security/recovery-codes")
    codes = re.findall(r'<code class="key">([a-z0-9]{5}-[a-z0-9]{5})</code>', text)
    assert len(codes) == 10
    browser.client.cookies.clear()
    browser.get("/sign-in")
    text = browser.post("/sign-in", {"email": person.user.email, "password": PASSWORD, "next": "/security"})
    assert "Uw wachtwoord klopt" in text
    before = browser.client.cookies[COOKIE]
    assert browser.client.get("/security").status_code == 403
    text = browser.post("/second-factor", {"second_factor_code": codes[0], "next": "/security"})
    assert "Resterende codes: 9." in text
    assert browser.client.cookies[COOKIE] != before


def test_signing_out_elsewhere_ends_the_other_session(browser: Browser, person: Person) -> None:
    browser.sign_in(person, wanted="/security")
    first = browser.client.cookies[COOKIE]
    browser.client.cookies.clear()
    browser.sign_in(person, wanted="/security")
    second = browser.client.cookies[COOKIE]
    browser.get("/security")
    browser.post("/security/sessions/others/end")
    assert browser.client.get("/security", follow_redirects=False).status_code == 200
    browser.client.cookies.clear()
    browser.client.cookies.set(COOKIE, first)
    assert browser.client.get("/security", follow_redirects=False).status_code == 303
    assert first != second


def test_a_forgotten_password_is_replaced_by_a_mailed_link(browser: Browser, person: Person) -> None:
    """SEC-13: opening the link changes nothing; the button does, once."""
    browser.get("/forgot-password")
    known = browser.post("/forgot-password", {"email": person.user.email})
    unknown = browser.post("/forgot-password", {"email": "nobody@example.test"})
    assert known == unknown
    with browser.gateway.database.unit_of_work(None) as session:
        from gateway.identity.repository import IdentityRepository  # noqa: PLC0415  # for this look only

        (membership,) = IdentityRepository(session).memberships(person.user.id)
    (mail,) = opened(browser.gateway, membership.office_id)
    found = re.search(r"/new-password/[A-Za-z0-9_-]+", mail.text)
    assert found is not None
    browser.get(found[0])
    browser.get(found[0])
    browser.post(found[0], {"password": "kort"}, 422)
    assert "signed out everywhere" in browser.post(found[0], {"password": "vier woorden op een rij"})
    browser.get(found[0], 422)


def test_a_new_password_is_refused_without_the_present_one(browser: Browser, person: Person) -> None:
    browser.sign_in(person, wanted="/security")
    wish = {"current_password": "wrong wrong", "password": "vier woorden op een rij"}
    assert "Het huidige wachtwoord klopt niet" in browser.post("/security/password", wish, 422)
    wish["current_password"] = PASSWORD
    assert "Uw nieuwe wachtwoord is in gebruik" in browser.post("/security/password", wish)


def test_an_installation_without_a_name_offers_no_passkeys(browser: Browser, person: Person) -> None:
    assert "passkey" not in browser.get("/sign-in?language=nl").replace("passkey of herstelcode", "")
    browser.sign_in(person, wanted="/security")
    browser.get("/security/passkeys/new", 503)


@pytest.mark.parametrize(
    "text",
    ["//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "/\t/evil.example", "", None,
     "/%0d%0aLocation:", "/\r\nevil", "javascript:alert(1)", "///evil.example", "/ok\\..\\evil"],
)  # fmt: skip
def test_going_on_stays_on_our_own_pages(text: str | None) -> None:
    """Open redirect: a path of our own, or the start page; what is encoded stays a path of ours."""
    wanted = safe_next(text)
    assert wanted.startswith("/")
    assert not wanted.startswith(("//", "/\\"))
    assert wanted.isprintable()
    assert "\\" not in wanted
    assert safe_next(quote("//evil.example", safe="")) == "/"

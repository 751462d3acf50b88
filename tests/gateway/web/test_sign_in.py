"""Signing in and out on the pages, the second factor, and forged forms."""

from __future__ import annotations

import re

import pyotp
import pytest

from gateway.assembly import Gateway
from gateway.cookies import SESSION as COOKIE
from gateway.identity.rights import OfficeRole
from tests.gateway.builders import PASSWORD, make_office, make_person
from tests.gateway.web.conftest import ORIGIN, Browser


def test_without_a_session_every_page_leads_to_the_sign_in(browser: Browser) -> None:
    response = browser.client.get("/second-factor", follow_redirects=False)
    assert response.status_code == 303
    assert response.headers["location"] == "/sign-in?next=/second-factor"


def test_a_person_signs_in_and_goes_on_to_the_wanted_page(browser: Browser, gateway: Gateway) -> None:
    person = make_person(gateway, make_office(gateway), OfficeRole.STAFF)
    text = browser.sign_in(person, wanted="/second-factor")
    assert "Bevestig met uw tweede factor" in text
    cookie = next(cookie for cookie in browser.client.cookies.jar if cookie.name == COOKIE)
    assert cookie.path == "/"
    assert cookie.has_nonstandard_attr("HttpOnly")


def test_a_wrong_password_says_so_and_keeps_the_address(browser: Browser, gateway: Gateway) -> None:
    person = make_person(gateway, make_office(gateway), OfficeRole.STAFF)
    browser.get("/sign-in?language=en")
    text = browser.post("/sign-in", {"email": person.user.email, "password": "wrong", "code": "123456"}, 401)
    assert "E-mail address, password or code is not right" in text
    assert person.user.email in text


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://elsewhere.example"}, {}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_a_sign_in_from_another_site_is_refused(browser: Browser, gateway: Gateway, headers: dict[str, str]) -> None:
    person = make_person(gateway, make_office(gateway), OfficeRole.STAFF)
    browser.get("/sign-in")
    browser.headers = headers
    browser.post("/sign-in", {"email": person.user.email, "password": PASSWORD}, 403)
    assert COOKIE not in browser.client.cookies


def test_a_sign_in_without_the_cookies_token_is_refused(browser: Browser, gateway: Gateway) -> None:
    person = make_person(gateway, make_office(gateway), OfficeRole.STAFF)
    browser.get("/sign-in")
    browser.post("/sign-in", {"email": person.user.email, "password": PASSWORD, "form_token": "other"}, 403)
    assert COOKIE not in browser.client.cookies


def test_signing_out_needs_the_form_token_and_ends_the_session(browser: Browser, gateway: Gateway) -> None:
    person = make_person(gateway, make_office(gateway), OfficeRole.STAFF)
    browser.sign_in(person, wanted="/second-factor")
    held, session = browser.token, browser.client.cookies[COOKIE]
    browser.post("/sign-out", {"form_token": "forged"}, 403)
    browser.get("/second-factor")
    browser.post("/sign-out", {"form_token": held})
    browser.client.cookies.set(COOKIE, session)
    assert browser.client.get("/second-factor", follow_redirects=False).status_code == 303


def test_the_first_sign_in_leads_to_setting_up_the_second_factor(browser: Browser, gateway: Gateway) -> None:
    person = make_person(gateway, make_office(gateway), OfficeRole.STAFF, is_enrolled=False)
    text = browser.sign_in(person, wanted="/second-factor")
    assert "/second-factor/set-up" in text
    text = browser.post("/second-factor/set-up")
    assert "<svg" in text
    secret = re.search(r'class="key">([A-Z2-7\xa0]+)<', text)
    assert secret is not None
    browser.post("/second-factor/confirmation", {"code": "000000"}, 422)
    code = pyotp.TOTP(secret[1].replace("\xa0", "")).at(browser.gateway.real_now())
    response = browser.client.post(
        "/second-factor/confirmation",
        data={"form_token": browser.token, "code": code},
        headers={"Origin": ORIGIN},
        follow_redirects=False,
    )
    assert response.status_code == 303
    assert "Bevestig met uw tweede factor" in browser.get("/second-factor")


def test_going_on_never_leaves_our_own_address(browser: Browser, gateway: Gateway) -> None:
    person = make_person(gateway, make_office(gateway), OfficeRole.STAFF)
    for wanted in ("https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "javascript:alert(1)"):
        browser.client.cookies.clear()
        browser.get("/sign-in")
        code = person.code(browser.gateway.real_now())
        response = browser.client.post(
            "/sign-in",
            data={
                "form_token": browser.token, "email": person.user.email, "password": PASSWORD, "code": code,
                "next": wanted,
            },
            headers={"Origin": ORIGIN},
            follow_redirects=False,
        )  # fmt: skip
        assert response.status_code in (303, 401)
        assert response.headers.get("location", "/") == "/"


def test_an_unknown_address_answers_browsers_with_a_page(browser: Browser) -> None:
    response = browser.client.get("/nowhere", headers={"Accept": "text/html"})
    assert response.status_code == 404
    assert "<h1>" in response.text
    assert browser.client.get("/v1/nowhere", headers={"Accept": "text/html"}).headers["content-type"].startswith(
        "application/problem+json"
    )  # fmt: skip


@pytest.mark.parametrize("language", ["nl", "fr", "en", "de"])
def test_the_sign_in_speaks_the_chosen_language(browser: Browser, language: str) -> None:
    text = browser.get(f"/sign-in?language={language}")
    assert f'<html lang="{language}">' in text
    assert f'<html lang="{language}">' in browser.get("/sign-in")

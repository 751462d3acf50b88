"""Cookies and TLS: `__Host-` names and HSTS with an https base address, plain names on this machine (SEC-08)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from gateway.app import create_app
from gateway.assembly import Gateway
from gateway.cookies import FORM, LANGUAGE, OFFICE, SESSION
from gateway.identity.rights import OfficeRole
from gateway.ids import encode
from tests.gateway.builders import make_office, make_person
from tests.gateway.web.conftest import Browser

SITE = "https://testserver"


def over_https(gateway: Gateway, **settings: object) -> Browser:
    update = {"base_url": SITE, **settings}
    secured = replace(gateway, settings=gateway.settings.model_copy(update=update))
    client = TestClient(create_app(secured), base_url=SITE)
    return Browser(client, secured, headers={"Origin": SITE})


def test_over_https_every_cookie_is_bound_to_this_host_and_works(gateway: Gateway) -> None:
    """Session, form token, language, office: a cookie planted by a sibling host has another name and counts nothing."""
    office = make_office(gateway)
    person = make_person(gateway, office, OfficeRole.STAFF)
    browser = over_https(gateway)
    browser.get(f"/sign-in/{encode('office', office.id)}?language=en")
    text = browser.sign_in(person, wanted="/second-factor")
    assert "Bevestig met uw tweede factor" in text
    cookies = {cookie.name: cookie for cookie in browser.client.cookies.jar}
    assert set(cookies) == {f"__Host-{name}" for name in (SESSION, FORM, LANGUAGE, OFFICE)}
    for cookie in cookies.values():
        assert (cookie.secure, cookie.path, cookie.domain_specified) == (True, "/", False), cookie.name
        assert cookie.has_nonstandard_attr("HttpOnly"), cookie.name
    token = browser.client.cookies[f"__Host-{SESSION}"]
    browser.post("/sign-out")
    assert f"__Host-{SESSION}" not in browser.client.cookies
    browser.client.cookies.set(SESSION, token)
    assert browser.client.get("/second-factor", follow_redirects=False).status_code == 303


def test_a_cookie_without_the_prefix_opens_nothing_over_https(gateway: Gateway) -> None:
    """Also at the API, which takes the pages' cookie."""
    person = make_person(gateway, make_office(gateway), OfficeRole.STAFF)
    browser = over_https(gateway)
    browser.sign_in(person, wanted="/second-factor")
    held = browser.client.cookies[f"__Host-{SESSION}"]
    browser.client.cookies.clear()
    for name, status in ((SESSION, 401), (f"__Host-{SESSION}", 200)):
        answer = browser.client.get("/v1/sessions", headers={"Cookie": f"{name}={held}"})
        assert answer.status_code == status, name


@pytest.mark.parametrize("path", ["/sign-in", "/v1/office", "/static/sluis.css", "/nothing-here"])
def test_browsers_are_told_to_stay_on_https_where_people_use_it(gateway: Gateway, path: str) -> None:
    told = over_https(gateway).client.get(path).headers
    assert told["Strict-Transport-Security"] == "max-age=31536000"
    silent = over_https(gateway, hsts_days=0).client.get(path).headers
    assert "Strict-Transport-Security" not in silent
    plain = TestClient(create_app(gateway)).get(path).headers
    assert "Strict-Transport-Security" not in plain

"""OFF-01, OFF-06: the settings of the office as a page, and its logo where guests see it."""

from __future__ import annotations

import re

import pytest

from gateway.offices.settings import OfficeSettingsService
from gateway.offices.template import TemplateRule
from tests.gateway.offices.test_office_settings import png
from tests.gateway.web.conftest import Browser
from tests.gateway.web.world import World, typed


@pytest.fixture
def admin(world: World, browser: Browser) -> Browser:
    browser.sign_in(world.people["accountant"])
    browser.get("/office")
    return browser


def template_form(world: World, **more: object) -> dict[str, object]:
    _, version = OfficeSettingsService(world.gateway).template(world.act("accountant"))
    return {
        "version": version, "service": ["transactions", "coda"], "portal_shows_transactions": "on", "channel": "sftp",
        "destination": "/in", "package": "bob50", "statements_from": "quarter_start", "first_coda_number": "7",
        "approval_days": "2, 5", "approval_expiry_days": "10", "consent_day": ["14", "0"], "rule_name_0": "Alles",
        "rule_group_0": "Bestuurders", "rule_count_0": "2", "rule_amount_0": "1.250,00",
    } | more  # fmt: skip


def test_the_office_is_renamed_and_speaks_another_language(world: World, admin: Browser) -> None:
    """OFF-01; what changed meanwhile is said on the page."""
    form = {
        "name": "Kantoor Nieuw",
        "language": "fr",
        "default_delivery": "agent",
        "consent_days_max": "60",
        "version": "1",
    }
    assert "Kantoor Nieuw" in admin.post("/office", form)
    assert "gewijzigd" in admin.post("/office", form, status=412)
    admin.post("/office", form | {"name": "", "version": "2"}, status=422)


def test_a_logo_is_shown_in_the_head_and_on_the_consent_page(world: World, admin: Browser) -> None:
    """OFF-01."""
    upload = {"file": ("logo.png", png(), "image/png")}
    answer = admin.client.post(
        "/office/logo", data={"form_token": admin.token}, files=upload, headers=admin.headers, follow_redirects=True
    )
    (address,) = set(re.findall(r'src="(/office-logos/[^"]+)"', answer.text))
    assert admin.client.get(address).headers["content-type"] == "image/png"
    answer = admin.client.post(
        "/office/logo", data={"form_token": admin.token}, files={"file": ("x.svg", b"<svg/>", "image/png")},
        headers=admin.headers,
    )  # fmt: skip
    assert answer.status_code == 422
    assert "logo" in answer.text
    assert address not in admin.post("/office/logo/removal")


def test_the_template_is_set_and_applied_to_ticked_clients(world: World, admin: Browser) -> None:
    """OFF-01: first what would change, then a result per client."""
    text = admin.post("/office/template", template_form(world))
    assert 'value="1250,00"' in text
    template, version = OfficeSettingsService(world.gateway).template(world.act("accountant"))
    assert template.rules == (TemplateRule("Alles", "Bestuurders", 2, "1250.00"),)
    assert (template.consent_reminder_days, template.approval_reminder_days) == ((14, 0), (2, 5))
    form = {"version": version, "client": [typed("client", world.clients[key].id) for key in ("bakery", "textile")],
            "part": ["services", "delivery"]}  # fmt: skip
    assert "zou veranderen" in admin.post("/office/template-applications", form | {"act": "look"})
    text = admin.post("/office/template-applications", form | {"act": "apply"})
    assert "gewijzigd" in text
    assert "Er zijn nog betalingen onderweg" in text
    assert "bevestigd" in text
    admin.post("/office/template-applications", {"version": version, "act": "apply"}, status=422)


def test_faults_of_the_template_are_said(world: World, admin: Browser) -> None:
    """Law 9."""
    for more in ({"first_coda_number": "1000"}, {"rule_amount_0": "veel"}, {"rule_group_0": ""}, {"channel": "fax"}):
        admin.post("/office/template", template_form(world, **more), status=422)


def test_services_are_switched(world: World, admin: Browser) -> None:
    """OFF-06: payments under way keep theirs on; the reason is said with the count."""
    text = admin.post("/office/services", {"service": ["transactions", "coda"]}, status=409)
    assert "6 betalingen" in text
    assert "/baskets" not in admin.post("/office/services", {"service": ["payments", "coda"]}).split("</nav>")[1]


def test_only_admins_have_the_page(world: World, browser: Browser) -> None:
    """OFF-08."""
    browser.sign_in(world.people["preparer"])
    browser.get("/office", status=403)

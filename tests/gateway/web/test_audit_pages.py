"""SEC-09, SEC-10: pages of entries by filter, rights and rules of a day, bundles with progress, lists and file."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import timedelta

import pytest

from gateway.audit.bundle_check import check
from gateway.audit.bundles import BundleService
from gateway.ids import decode
from tests.gateway.web.conftest import Browser
from tests.gateway.web.world import TODAY, World, typed


@pytest.fixture
def admin(browser: Browser, world: World) -> Browser:
    world.speak("en")
    browser.sign_in(world.people["accountant"])
    return browser


def actions(text: str) -> list[str]:
    return re.findall(r"<code>([a-z_]+\.[a-z_]+)</code>", text)


def test_entries_are_shown_newest_first_and_narrowed_by_who_what_object_and_days(admin: Browser, world: World) -> None:
    """SEC-09: who, for whom, what and when."""
    text = admin.get("/audit")
    positions = [int(number) for number in re.findall(r"entry (\d+)", text)]
    assert positions == sorted(positions, reverse=True)
    assert "Karel Bestuurder" in text
    payment = world.payments("exported", by="director")[0]
    of_payment = actions(admin.get(f"/audit?object={typed('payment', payment.id)}"))
    assert of_payment == ["payment.approval_given", "payment.approval_given", "payment.created"]
    by_one = admin.get(f"/audit?actor={typed('user', world.people['approver'].user.id)}")
    assert set(actions(by_one)) == {"payment.approval_given"}
    assert set(actions(admin.get("/audit?subject=export"))) == {"export.created"}
    client = typed("client", world.clients["bakery"].id)
    assert actions(admin.get(f"/audit?client={client}")) == ["client.created"]
    yesterday = (TODAY - timedelta(days=1)).isoformat()
    assert "No entry fits" in admin.get(f"/audit?last={yesterday}")
    assert actions(admin.get(f"/audit?first={TODAY.isoformat()}&last={TODAY.isoformat()}"))


def test_older_entries_keep_the_filters(admin: Browser, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.web.audit.ENTRIES_PER_PAGE", 2)
    text = admin.get("/audit?subject=payment")
    seen = 0
    while (more := re.search(r'role="button" class="second" href="([^"]+)"', text)) is not None:
        assert {name.partition(".")[0] for name in actions(text)} == {"payment"}
        seen += len(actions(text))
        text = admin.get(more[1].replace("&amp;", "&"))
    assert seen + len(actions(text)) > 4


@pytest.mark.parametrize("query", ["object=x", "actor=pay_1", "first=soon", "client=%00", "object=" + "a" * 60])
def test_a_filter_that_cannot_be_read_is_said_and_left_out(admin: Browser, query: str) -> None:
    text = admin.get(f"/audit?{query}")
    assert "A filter could not be read" in text
    assert actions(text)


def test_rights_and_rules_are_those_of_the_day(admin: Browser, world: World) -> None:
    """SEC-09: "as of" any day."""
    text = admin.get("/audit/day")
    assert "Ada Beheer" in text
    assert "Vanaf 5.000: beide bestuurders" in text
    assert "amount from" in text
    text = admin.get(f"/audit/day?day={(TODAY - timedelta(days=1)).isoformat()}")
    assert "Nobody had a right on this day." in text
    assert "No rule held on this day." in text
    assert "Ada Beheer" not in admin.get(f"/audit/day?client={typed('client', world.clients['bakery'].id)}")


def test_a_bundle_is_asked_for_followed_looked_at_and_downloaded(admin: Browser, world: World) -> None:
    """SEC-10, API-05: with progress, its lists, and the file that the command checks."""
    admin.get("/audit/bundles")
    wish = {"client": typed("client", world.clients["textile"].id), "first": "01/11/2026",
            "last": TODAY.isoformat(), "above": "100,00", "sample": "3", "seed": "s1"}  # fmt: skip
    text = admin.post("/audit/bundles", wish)
    assert "Step 0 of 3" in text
    assert 'hx-trigger="every 2s"' in text
    (bundle,) = set(re.findall(r"/audit/bundles/(bdl_\w{26})/cancellation", text))
    BundleService(world.gateway).make(world.office.id, decode("audit_bundle", bundle))
    text = admin.get(f"/audit/bundles/{bundle}")
    assert "First payment to an account, above the limit" in text
    assert "Decided by a single person" in text
    assert len(set(re.findall(r"pay_\w{26}", text.partition("Random sample")[2]))) == 3
    assert bundle in admin.get("/audit/bundles")
    answer = admin.client.get(f"/audit/bundles/{bundle}/content")
    assert check(answer.content, public_key=world.gateway.keys.public_key).is_intact
    assert "exports/" in "".join(zipfile.ZipFile(io.BytesIO(answer.content)).namelist())
    assert "audit_bundle.downloaded" in actions(admin.get("/audit"))


def test_a_bundle_can_be_stopped(admin: Browser, world: World) -> None:
    admin.get("/audit/bundles")
    wish = {"client": typed("client", world.clients["textile"].id), "first": "2026-11-01", "last": TODAY.isoformat()}
    text = admin.post("/audit/bundles", wish)
    (bundle,) = set(re.findall(r"/audit/bundles/(bdl_\w{26})/cancellation", text))
    admin.post(f"/audit/bundles/{bundle}/cancellation")
    BundleService(world.gateway).make(world.office.id, decode("audit_bundle", bundle))
    assert "It was stopped before it was made." in admin.get(f"/audit/bundles/{bundle}")


def test_what_is_missing_for_a_bundle_is_said(admin: Browser, world: World) -> None:
    admin.get("/audit/bundles")
    assert "at least one client" in admin.post("/audit/bundles", {"first": "2026-11-01", "last": "2026-11-02"}, 422)
    client = typed("client", world.clients["textile"].id)
    late = {"client": client, "first": "2026-11-01", "last": "2099-01-01"}
    assert "The period is not usable" in admin.post("/audit/bundles", late, 422)
    assert 'value="2026-11-01"' in admin.post("/audit/bundles", late | {"above": "much"}, 422)


def test_whoever_may_not_read_the_chain_has_no_audit_pages(browser: Browser, world: World) -> None:
    world.speak("en")
    browser.sign_in(world.people["preparer"])
    assert 'href="/audit"' not in browser.get("/")
    for path in ("/audit", "/audit/day", "/audit/bundles"):
        browser.get(path, 403)
    browser.get("/audit/bundles/bdl_01jd5rye0070008000000000g1", 404)

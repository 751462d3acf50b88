"""OFF-11: the checklist, as API and as page, in the reader's language."""

from __future__ import annotations

from gateway.offices.models import Client
from gateway.onboarding.service import OnboardingService
from tests.gateway.payments.scene import ALL
from tests.gateway.web.conftest import ORIGIN, Browser
from tests.gateway.web.world import World, typed


def test_the_checklist_shows_what_comes_next(world: World, browser: Browser) -> None:
    """OFF-11: textile has consent, readings, statements, rules and people; delivery is still to be chosen."""
    found = OnboardingService(world.gateway).page(world.act("accountant"), ALL)
    (textile,) = [row for row in found.clients if row.client.id == world.clients["textile"].id]
    assert {item.key: item.state.value for item in textile.items} == {
        "consent": "done", "first_sync": "done", "balance_proof": "todo", "numbering": "done", "delivery": "todo",
        "rules": "done", "users": "done",
    }  # fmt: skip
    browser.sign_in(world.people["accountant"])
    text = browser.get("/onboarding")
    assert "Leieweve Textiel NV" in text
    assert "Kies het kanaal en de bestemming van de bestanden." in text
    assert browser.get("/onboarding").count('<details class="fold"') == len(world.clients)


def test_the_next_step_is_in_the_callers_language(world: World, browser: Browser) -> None:
    """OFF-11: states are codes, sentences are translated; a client that is not there answers 404."""
    browser.sign_in(world.people["accountant"])
    steps = {}
    for language in ("nl", "fr", "de", "en"):
        answer = browser.client.get("/v1/onboarding-checklists?limit=1", headers={"Origin": ORIGIN})
        assert answer.status_code == 200, answer.text
        (row,) = answer.json()["items"]
        steps[language] = next(item["next_step"] for item in row["items"] if item["state"] == "todo")
        world.speak(language)
    answer = browser.client.get("/v1/onboarding-checklists?limit=1")
    assert answer.json()["next_cursor"]
    assert [item["key"] for item in answer.json()["office"]][:2] == ["data", "consent_cap"]
    with world.gateway.database.unit_of_work(world.office.id) as session:
        assert session.get(Client, world.clients["bakery"].id) is not None
    missing = typed("client", world.office.id)
    assert browser.client.get(f"/v1/onboarding-checklists?client_id={missing}").status_code == 404
    assert len(set(steps.values())) > 1

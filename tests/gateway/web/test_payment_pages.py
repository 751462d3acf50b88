"""Baskets, deciding and exporting on the pages: what is shown, what a form changes, and what it refuses to change."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from gateway.payments.service import PaymentService
from gateway.payments.states import PaymentState
from sepa.approval import Verdict
from tests.gateway.web.conftest import Browser
from tests.gateway.web.world import World, typed


@pytest.fixture
def approver(browser: Browser, world: World) -> Browser:
    world.speak("en")
    browser.sign_in(world.people["approver"])
    return browser


def seals(text: str) -> dict[str, str]:
    """The hidden seals of the page, by field name."""
    return dict(re.findall(r'name="(seal-pay_\w+)" value="([^"]+)"', text))


def decision(text: str, *, verdict: Verdict = Verdict.APPROVE, **more: str) -> dict[str, object]:
    """The form with every payment ticked."""
    found = seals(text)
    return {**found, "payment": [name.removeprefix("seal-") for name in found], "verdict": verdict.value, **more}


def states(world: World, basket: str) -> list[str]:
    return [payment.state.value for payment in world.payments(basket, by="preparer")]


def test_ticked_payments_are_approved_with_their_seals(approver: Browser, world: World) -> None:
    text = approver.get("/to-approve")
    assert text.count('type="checkbox" id="pay_') == 3
    text = approver.post("/to-approve", decision(text))
    assert "You approved 3 payments for a total of €\xa010.224,01." in text
    assert states(world, "waiting") == ["approved", "approved", "submitted"], "the third needs both directors"


def test_a_payment_changed_since_is_shown_not_decided(approver: Browser, world: World) -> None:
    text = approver.get("/to-approve")
    payment = world.payments("waiting", by="preparer")[0]
    PaymentService(world.gateway).edit(
        world.act("preparer"), payment.id, {"creditor_iban": "BE68539007547034"}, version=payment.version
    )
    only = {name: value for name, value in decision(text).items() if name != "payment"}
    text = approver.post("/to-approve", {**only, "payment": [typed("payment", payment.id)]}, 412)
    assert "1 payment was not decided." in text
    assert "BE68\xa05390\xa00754\xa07034" in text, "what it says now"
    assert "The payment changed since you looked at it" in text
    assert states(world, "waiting") == ["submitted"] * 3


def test_without_a_seal_nothing_is_decided(approver: Browser, world: World) -> None:
    text = approver.get("/to-approve")
    ticked = decision(text)["payment"]
    text = approver.post("/to-approve", {"payment": ticked, "verdict": "approve"})
    assert "3 payments were not decided." in text
    assert states(world, "waiting") == ["submitted"] * 3


@pytest.mark.parametrize("forged", ["token", "origin", "no origin"])
def test_a_forged_decision_changes_nothing(approver: Browser, world: World, forged: str) -> None:
    text = approver.get("/to-approve")
    form = decision(text)
    if forged == "token":
        form["form_token"] = "x" * 43
    else:
        approver.headers = {"Origin": "https://elsewhere.example"} if forged == "origin" else {}
    assert "This form cannot be accepted" in approver.post("/to-approve", form, 403)
    assert states(world, "waiting") == ["submitted"] * 3


def test_a_rejection_needs_reason_and_text(approver: Browser, world: World) -> None:
    text = approver.get("/to-approve")
    again = approver.post("/to-approve", decision(text, verdict=Verdict.REJECT, reason_code="disputed"), 422)
    assert "Choose a reason and write a short text" in again
    assert states(world, "waiting") == ["submitted"] * 3
    form = decision(text, verdict=Verdict.REJECT, reason_code="disputed", reason_text="Levering ontbreekt")
    assert "You rejected 3 payments" in approver.post("/to-approve", form)
    assert states(world, "waiting") == ["rejected"] * 3
    assert "Levering ontbreekt" in approver.get("/to-approve?view=rejected")


def test_a_decision_after_five_minutes_asks_for_a_code_and_then_goes_on(approver: Browser, world: World) -> None:
    text = approver.get("/to-approve")
    world.clock.now += timedelta(minutes=6)
    form = decision(text)
    prompt = approver.post("/to-approve", form, 403)
    assert "Confirm with your second factor" in prompt
    assert states(world, "waiting") == ["submitted"] * 3
    kept = seals(prompt)
    assert kept == seals(text)
    wrong = approver.post("/to-approve", {**form, "second_factor_code": "000000"}, 401)
    assert "The code is not right" in wrong
    code = world.people["approver"].code(world.clock())
    assert "You approved 3 payments" in approver.post("/to-approve", {**form, "second_factor_code": code})


def test_a_payment_is_added_checked_corrected_and_submitted(browser: Browser, world: World) -> None:
    world.speak("en")
    browser.sign_in(world.people["preparer"])
    account = world.accounts["textile"]
    client = typed("client", world.clients["textile"].id)
    text = browser.post("/baskets", {"client": client, "name": "Nieuw"})
    path = re.search(r"/baskets/(bsk_\w+)/payments", text)
    assert path is not None
    fields = {
        "account": str(account.id), "name": "Café Noord", "iban": "BE68 5390 0754 7035", "amount": "1.250,00",
        "kind": "structured", "reference": "+++090/9337/55493+++", "when": "today", "date": "", "due_date": "",
        "source_reference": "F 12",
    }  # fmt: skip
    text = browser.post(path[0], fields | {"amount": "veel"}, 422)
    assert "Type the amount in digits" in text
    assert 'value="Café Noord"' in text
    text = browser.post(path[0], fields)
    assert "The check digits of the IBAN are wrong." in text
    payment = re.search(r"/payments/(pay_\w+)/edit", text)
    assert payment is not None
    text = browser.get(payment[0])
    assert 'value="+++090/9337/55493+++"' in text
    assert 'value="1.250,00"' in text
    text = browser.post(payment[0], fields | {"iban": "BE68539007547034", "version": "1"})
    assert "leaves as Cafe Noord" in text
    assert "The check digits" not in text
    version = re.search(r'name="version" value="(\d+)"', text)
    assert version is not None
    text = browser.post(f"/baskets/{path[1]}/submission", {"version": version[1]})
    assert "Waiting for approval" in text
    text = browser.post(f"/baskets/{path[1]}/submission", {"version": version[1]}, 412)
    assert "changed since you read it" in text


def test_a_draft_with_blocked_payments_says_what_to_do(browser: Browser, world: World) -> None:
    world.speak("en")
    browser.sign_in(world.people["preparer"])
    path = f"/baskets/{typed('basket', world.baskets['draft'].id)}"
    text = browser.get(path)
    version = re.search(r'name="version" value="(\d+)"', text)
    assert version is not None
    assert "1 payment is blocked." in text
    assert "Some payments have faults" in browser.post(f"{path}/submission", {"version": version[1]}, 409)
    form = {"version": version[1], "leave_blocked": "yes"}
    assert "Some warnings have not been accepted" in browser.post(f"{path}/submission", form, 409)
    text = browser.post(f"{path}/submission", form | {"accepted": ["reference_in_text"]})
    assert "Waiting for approval" in text


def test_an_exporter_makes_and_downloads_a_file(browser: Browser, world: World) -> None:
    world.speak("en")
    browser.sign_in(world.people["director"])
    path = f"/baskets/{typed('basket', world.baskets['approved'].id)}"
    browser.get(path)
    text = browser.post(f"{path}/exports")
    assert "Not downloaded yet" in text
    found = re.findall(r'action="(/exports/exp_\w+/download)"', text)
    assert len(found) == 1
    response = browser.client.post(found[0], data={"form_token": browser.token}, headers=browser.headers)
    assert response.status_code == 200
    assert response.content.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    assert re.fullmatch(r'attachment; filename="[\w-]+\.xml"', response.headers["content-disposition"])
    assert states(world, "approved") == [PaymentState.EXPORTED.value]
    text = browser.get("/exports")
    assert "Downloaded" in text
    assert response.headers["etag"].strip('"') in text


def test_a_preparer_neither_approves_nor_exports(browser: Browser, world: World) -> None:
    world.speak("en")
    browser.sign_in(world.people["preparer"])
    path = f"/baskets/{typed('basket', world.baskets['approved'].id)}"
    assert f'{path}/exports"' not in browser.get(path)
    browser.post(f"{path}/exports", status=403)
    assert states(world, "approved") == [PaymentState.APPROVED.value]

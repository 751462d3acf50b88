"""Every fault that can be ordered does what it says, as often as ordered, and nothing else."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from http.client import IncompleteRead
from time import monotonic
from urllib.parse import urlsplit

import pytest

from connectors.simulator import psu
from connectors.simulator.faults import DESCRIPTIONS, FaultKind, FaultOrderInvalid

BAKERY = "BE34103071423390"


def booked(reply) -> list[dict]:
    return reply.json["transactions"]["booked"]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "TOKEN_EXPIRED"),
        (403, "SERVICE_BLOCKED"),
        (429, "ACCESS_EXCEEDED"),
        (500, "INTERNAL_SERVER_ERROR"),
        (503, "SERVICE_UNAVAILABLE"),
    ],
)
def test_an_ordered_status_is_answered_once(sim, crelan, status, code) -> None:
    sim.faults.order("status", endpoint="accounts", status=status)
    refused = crelan.get("/accounts")
    assert (refused.status, refused.code) == (status, code)
    assert "retry-after" not in refused.headers
    assert crelan.get("/accounts").status == 200


def test_an_ordered_status_may_name_code_and_retry_after(sim, crelan) -> None:
    sim.faults.order("status", status=429, retry_after=120, code="SERVICE_BLOCKED")
    refused = crelan.get("/accounts")
    assert refused.headers["retry-after"] == "120"
    assert refused.code == "SERVICE_BLOCKED"


def test_a_fault_strikes_as_often_as_ordered(sim, crelan) -> None:
    sim.faults.order("status", times=2)
    assert [crelan.get("/accounts").status for _ in range(3)] == [500, 500, 200]


def test_a_fault_without_number_lasts_until_cleared(sim, crelan) -> None:
    fault = sim.faults.order("status", times=None)
    assert [crelan.get("/accounts").status for _ in range(5)] == [500] * 5
    assert sim.faults.clear(fault.fault_id) == 1
    assert crelan.get("/accounts").status == 200


def test_a_fault_strikes_its_bank_account_endpoint_and_page_only(sim, crelan, new_tpp) -> None:
    sim.faults.order("status", bank_id="vanbreda", times=None)
    sim.faults.order("status", account="BE12103886204192", times=None)
    sim.faults.order("status", endpoint="balances", times=None)
    sim.faults.order("status", endpoint="transactions", page=2, status=429, times=None)
    first = crelan.transactions(BAKERY)
    assert first.status == 200
    assert crelan.get(first.json["transactions"]["_links"]["next"]["href"]).status == 429
    assert crelan.get(f"/accounts/{crelan.account(BAKERY)}/balances").status == 500
    assert new_tpp(sim, "vanbreda").ask().status == 500


def test_a_call_answered_by_a_fault_costs_no_unattended_read(sim, crelan) -> None:
    path = f"/accounts/{crelan.account(BAKERY)}/balances"
    sim.faults.order("status", endpoint="balances", times=3)
    assert [crelan.get(path, attended=False).status for _ in range(8)] == [500] * 3 + [200] * 4 + [429]


def test_consents_and_tokens_can_be_struck_too(sim, new_tpp) -> None:
    tpp = new_tpp(sim, "crelan")
    sim.faults.order("status", endpoint="consent_create", status=503)
    assert tpp.ask().status == 503
    tpp.ask()
    callback = psu.approve(tpp.authorisation_url)
    sim.faults.order("status", endpoint="token", status=500)
    assert tpp.exchange(callback).status == 500
    assert tpp.exchange(callback).status == 200


def test_html_comes_with_status_200(sim, crelan) -> None:
    sim.faults.order("html")
    reply = crelan.get("/accounts")
    assert reply.status == 200
    assert reply.headers["content-type"].startswith("text/html")
    assert reply.content.startswith(b"<!doctype html>")


def test_json_can_stop_half_way(sim, crelan) -> None:
    sim.faults.order("broken_json")
    reply = crelan.get("/accounts")
    assert reply.status == 200
    with pytest.raises(ValueError, match="line 1"):
        _ = reply.json


def test_an_answer_can_be_empty(sim, crelan) -> None:
    sim.faults.order("no_content", endpoint="transactions")
    reply = crelan.transactions(BAKERY)
    assert (reply.status, reply.content) == (204, b"")


def test_an_answer_can_be_slow(sim, crelan) -> None:
    """The part of a second counts: what measures with it once waited none at all."""
    sim.faults.order("slow", seconds=0.4)
    before = monotonic()
    assert crelan.get("/accounts").status == 200
    assert monotonic() - before >= 0.4


def test_the_connection_can_be_cut_in_the_middle(sim, crelan) -> None:
    sim.faults.order("cut")
    with pytest.raises(IncompleteRead):
        crelan.get("/accounts")
    assert crelan.get("/accounts").status == 200


def test_fields_can_be_missing(sim, crelan) -> None:
    sim.faults.order("missing_fields", endpoint="transactions")
    sim.faults.order("missing_fields", endpoint="balances", fields=["balanceAmount"])
    assert all(not {"transactionId", "valueDate"} & set(row) for row in booked(crelan.transactions(BAKERY)))
    balances = crelan.get(f"/accounts/{crelan.account(BAKERY)}/balances").json["balances"]
    assert all("balanceAmount" not in balance for balance in balances)


def test_a_row_can_come_twice_in_one_answer(sim, crelan) -> None:
    sim.faults.order("duplicated_row", endpoint="transactions")
    seen = Counter(row["transactionId"] for row in booked(crelan.transactions(BAKERY)))
    assert sorted(seen.values())[-2:] == [1, 2]
    assert len(booked(crelan.transactions(BAKERY))) == 50


def test_ids_can_change_at_every_call(sim, crelan) -> None:
    stable = [row["transactionId"] for row in booked(crelan.transactions(BAKERY))]
    sim.faults.order("changing_ids", times=2)
    answers = [{row["transactionId"] for row in booked(crelan.transactions(BAKERY))} for _ in range(2)]
    assert not answers[0] & answers[1]
    assert [row["transactionId"] for row in booked(crelan.transactions(BAKERY))] == stable


def test_a_balance_can_be_wrong(sim, crelan) -> None:
    path = f"/accounts/{crelan.account(BAKERY)}/balances"
    sim.faults.order("wrong_balance", endpoint="balances", amount="-3.21")
    wrong, right = (crelan.get(path).json["balances"] for _ in range(2))
    for off, good in zip(wrong, right, strict=True):
        difference = Decimal(off["balanceAmount"]["amount"]) - Decimal(good["balanceAmount"]["amount"])
        assert difference == Decimal("-3.21")


def test_the_next_link_can_name_a_foreign_host(sim, crelan) -> None:
    sim.faults.order("foreign_next_link")
    assert crelan.get("/accounts").status == 200
    sim.faults.order("foreign_next_link", endpoint="transactions")
    link = crelan.transactions(BAKERY).json["transactions"]["_links"]["next"]["href"]
    assert urlsplit(link).hostname == "attacker.example"


def test_the_next_link_can_repeat_the_page(sim, crelan) -> None:
    sim.faults.order("repeated_next_link", endpoint="transactions", times=None)
    first = crelan.transactions(BAKERY)
    again = crelan.get(first.json["transactions"]["_links"]["next"]["href"])
    assert booked(again) == booked(first)


@pytest.mark.parametrize(
    ("kind", "code", "status"),
    [("consent_expired", "CONSENT_EXPIRED", "expired"), ("consent_revoked", "CONSENT_INVALID", "revokedByPsu")],
)
def test_a_consent_can_end_in_the_middle_of_the_pages(sim, crelan, http, kind, code, status) -> None:
    sim.faults.order(kind, endpoint="transactions", page=3)
    first = crelan.transactions(BAKERY)
    second = crelan.get(first.json["transactions"]["_links"]["next"]["href"])
    third = crelan.get(second.json["transactions"]["_links"]["next"]["href"])
    assert (second.status, third.status, third.code) == (200, 401, code)
    assert crelan.get("/accounts").code == code
    assert http("GET", f"{crelan.base}/consents/{crelan.consent_id}").json["consentStatus"] == status


def test_a_late_booking_appears_with_an_earlier_date(sim, crelan) -> None:
    before = booked(crelan.transactions(BAKERY))
    fault = sim.faults.order("late_booking", account=BAKERY, days_back=4, amount="-17.42")
    after = booked(crelan.transactions(BAKERY))
    new = [row for row in after if row["transactionId"] not in {old["transactionId"] for old in before}]
    assert [(row["bookingDate"], row["transactionAmount"]["amount"]) for row in new] == [("2026-11-16", "-17.42")]
    sim.faults.clear(fault.fault_id)
    assert booked(crelan.transactions(BAKERY)) == before


def test_a_booked_row_can_vanish_with_its_amount(sim, crelan) -> None:
    account = sim.world.account(BAKERY)
    balance, gone = sim.world.balance(account), booked(crelan.transactions(BAKERY))[5]
    sim.faults.order("vanished_row", account=BAKERY, transaction_id=gone["transactionId"])
    assert gone not in booked(crelan.transactions(BAKERY))
    assert sim.world.balance(account) == balance - Decimal(gone["transactionAmount"]["amount"])
    sim.faults.clear()
    assert gone in booked(crelan.transactions(BAKERY))


def test_the_text_of_a_booked_row_can_change(sim, crelan) -> None:
    old = booked(crelan.transactions(BAKERY))[0]
    sim.faults.order("changed_text", account=BAKERY, text="Andere tekst")
    new = booked(crelan.transactions(BAKERY))[0]
    assert new["remittanceInformationUnstructured"] == "Andere tekst"
    assert new["transactionId"] == old["transactionId"]
    assert new["transactionAmount"] == old["transactionAmount"]


@pytest.mark.parametrize(
    ("kind", "order"),
    [
        ("unheard_of", {}),
        ("html", {"account": "BE00"}),
        ("html", {"endpoint": "payments"}),
        ("html", {"times": 0}),
        ("status", {"status": 200}),
        ("slow", {"seconds": 301}),
        ("slow", {"seconds": -1}),
        ("slow", {"seconds": "soon"}),
        ("slow", {"seconds": "nan"}),
        ("slow", {"seconds": "Infinity"}),
        ("wrong_balance", {"amount": "much"}),
        ("joint_signature", {"account": BAKERY}),
        ("vanished_row", {}),
        ("vanished_row", {"account": BAKERY, "transaction_id": "1"}),
        ("late_booking", {"account": BAKERY, "amount": "0"}),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(sim, kind, order) -> None:
    with pytest.raises(FaultOrderInvalid):
        sim.faults.order(kind, **order)
    assert sim.faults.listing() == []


def test_every_kind_of_fault_is_described() -> None:
    assert set(DESCRIPTIONS) == set(FaultKind)

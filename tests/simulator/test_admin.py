"""The control desk: clock, world, extra bookings, faults, consents, and who may use it."""

from __future__ import annotations

import itertools
from decimal import Decimal
from urllib.parse import urlencode

import pytest

from tests.simulator.conftest import send

BAKERY = "BE34103071423390"
BAKER = "lien.lindenaar"


def form(sim, path, fields):
    """The status of a form that was sent from the page."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": sim.url}
    return send("POST", f"{sim.url}{path}", urlencode(fields), headers).status


def page_text(sim):
    return send("GET", f"{sim.url}/sim").content.decode()


@pytest.fixture
def desk(sim, http):
    def call(method, path, body=None, headers=None):
        return http(method, f"{sim.url}/sim{path}", body, headers)

    return call


def test_the_clock_is_read_and_moved(desk) -> None:
    assert desk("GET", "/api/clock").json == {"now": "2026-11-20T09:00:00+01:00", "today": "2026-11-20"}
    assert desk("POST", "/api/clock", {"days": 2, "hours": 3}).json["now"] == "2026-11-22T12:00:00+01:00"
    assert desk("POST", "/api/clock", {"now": "2027-01-01T00:00:00+01:00"}).json["today"] == "2027-01-01"


@pytest.mark.parametrize(
    "body", [{}, {"days": -1}, {"now": "2020-01-01T00:00:00+01:00"}, {"now": "soon"}, {"days": []}]
)
def test_a_clock_order_that_makes_no_sense_is_refused(desk, body) -> None:
    assert desk("POST", "/api/clock", body).status == 400
    assert desk("GET", "/api/clock").json["today"] == "2026-11-20"


def test_the_world_lists_banks_holders_and_accounts(sim, desk) -> None:
    world = desk("GET", "/api/world").json
    assert next(bank["base_url"] for bank in world["banks"]) == sim.base_url("crelan")
    assert {holder["company"] for holder in world["holders"]} >= {"Leieweve Textiel NV"}
    account = next(item for item in world["accounts"] if item["iban"] == BAKERY)
    assert Decimal(account["booked_balance"]) == sim.world.balance(sim.world.account(BAKERY))
    assert len(world["accounts"]) == 10


def test_day_totals_chain_from_opening_to_closing(desk) -> None:
    days = desk("GET", f"/api/accounts/{BAKERY}/days?date_from=2026-11-01&date_to=2026-11-19").json["days"]
    assert len(days) == 19
    for before, after in itertools.pairwise(days):
        assert before["closing_balance"] == after["opening_balance"]
        assert Decimal(before["opening_balance"]) + Decimal(before["total"]) == Decimal(before["closing_balance"])


def test_an_exported_payment_can_be_booked(sim, desk, crelan) -> None:
    order = {
        "amount": "-125.40",
        "counterparty_name": "Molens Van Oostkouter NV",
        "counterparty_iban": "BE44 0018 9906 0845",
        "structured_reference": "090933755493",
        "end_to_end_id": "INV-2026-77",
    }
    booked = desk("POST", f"/api/accounts/{BAKERY}/transactions", order)
    assert booked.status == 201
    rows = crelan.transactions(BAKERY).json["transactions"]["booked"]
    row = next(item for item in rows if item["transactionId"] == booked.json["transaction_id"])
    assert row["transactionAmount"] == {"currency": "EUR", "amount": "-125.40"}
    assert row["creditorAccount"] == {"iban": "BE44001899060845"}
    assert row["remittanceInformationStructured"]["reference"] == "090933755493"
    assert row["endToEndId"] == "INV-2026-77"
    assert row["bookingDate"] == "2026-11-20"


@pytest.mark.parametrize("order", [{}, {"amount": "1.005"}, {"amount": "0"}, {"amount": "5", "booking_date": "soon"}])
def test_a_booking_that_makes_no_sense_is_refused(desk, order) -> None:
    assert desk("POST", f"/api/accounts/{BAKERY}/transactions", order).status == 400


def test_an_unknown_account_is_not_found(desk) -> None:
    assert desk("GET", "/api/accounts/BE00/days").status == 404


def test_the_truth_about_an_account_is_listed(sim, desk) -> None:
    rows = desk("GET", f"/api/accounts/{BAKERY}/transactions?date_from=2026-11-01").json
    assert len(rows["booked"]) == len(
        [row for row in sim.world.booked(sim.world.account(BAKERY)) if row.booking_date.month == 11]
    )


def test_faults_are_ordered_listed_and_cleared(desk, crelan) -> None:
    order = {"kind": "status", "bank_id": "crelan", "endpoint": "accounts", "times": None, "params": {"status": 503}}
    fault = desk("POST", "/api/faults", order)
    assert fault.status == 201
    assert crelan.get("/accounts").status == 503
    assert [item["used"] for item in desk("GET", "/api/faults").json["faults"]] == [1]
    assert desk("DELETE", f"/api/faults/{fault.json['fault_id']}").json == {"cleared": 1}
    assert desk("DELETE", f"/api/faults/{fault.json['fault_id']}").status == 404
    assert crelan.get("/accounts").status == 200


@pytest.mark.parametrize("order", [{}, {"kind": "html", "page": "two"}, {"kind": "status", "params": {"status": 9}}])
def test_a_fault_order_that_makes_no_sense_is_refused(desk, order) -> None:
    assert desk("POST", "/api/faults", order).status == 400


def test_consents_are_listed_and_revoked_once(desk, crelan) -> None:
    listed = desk("GET", "/api/consents").json["consents"]
    assert [(item["consent_id"], item["status"]) for item in listed] == [(crelan.consent_id, "valid")]
    assert desk("POST", f"/api/consents/{crelan.consent_id}/revocation").status == 200
    assert desk("POST", f"/api/consents/{crelan.consent_id}/revocation").status == 409
    assert desk("POST", "/api/consents/none/revocation").status == 404


def test_reset_forgets_everything(sim, desk, crelan) -> None:
    account = sim.world.account(BAKERY)
    before = sim.world.balance(account)
    desk("POST", f"/api/accounts/{BAKERY}/transactions", {"amount": "10"})
    desk("POST", "/api/faults", {"kind": "html"})
    desk("POST", "/api/clock", {"days": 5})
    assert desk("POST", "/api/reset").json["today"] == "2026-11-20"
    assert sim.world.balance(account) == before
    assert desk("GET", "/api/faults").json["faults"] == []
    assert crelan.get("/accounts").code == "TOKEN_INVALID"


def test_the_page_shows_clock_and_faults_and_moves_the_clock(desk) -> None:
    desk("POST", "/api/faults", {"kind": "html", "bank_id": "crelan"})
    page = desk("GET", "").content.decode()
    assert "Friday 20 November 2026 09:00" in page
    assert "html: crelan" in page
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert desk("POST", "/clock", "days=1", form).status == 303
    assert desk("POST", "/faults", "kind=status&status=503&times=1&bank_id=&account=&endpoint=", form).status == 303
    assert desk("POST", "/faults/clear", "", form).status == 303
    assert "Saturday 21 November 2026" in desk("GET", "").content.decode()


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://attacker.example"}, {"Origin": "null"}, {"Host": "attacker.example"}]
)
def test_a_web_page_elsewhere_cannot_use_the_desk(desk, headers) -> None:
    assert desk("POST", "/api/reset", {}, headers).status == 403


def test_the_api_takes_json_only(desk) -> None:
    assert desk("POST", "/api/clock", "days=1", {"Content-Type": "text/plain"}).status == 415
    assert desk("POST", "/api/clock", "[1]", {"Content-Type": "application/json"}).status == 400
    assert desk("POST", "/api/clock", "{", {"Content-Type": "application/json"}).status == 400


def test_the_page_orders_any_fault_signs_and_revokes(sim, http) -> None:
    order = {
        "kind": "slow", "bank_id": "crelan", "account": "", "endpoint": "balances", "page": "", "status": "",
        "params": '{"seconds": 0.5}', "times": "",
    }  # fmt: skip
    assert form(sim, "/sim/faults", order) == 303
    (fault,) = sim.faults.listing()
    assert (fault.kind, fault.endpoint, fault.page, fault.times, fault.params) == (
        "slow", "balances", None, None, {"seconds": 0.5},
    )  # fmt: skip
    for odd in ("[1]", "{", '{"kind": "html"}'):
        assert form(sim, "/sim/faults", {**order, "params": odd}) == 400
    assert form(sim, "/sim/faults/clear", {}) == 303
    assert sim.faults.listing() == []
    assert form(sim, "/sim/consents/nowhere/revocation", {}) == 404
    assert form(sim, "/sim/payments/nowhere/signature", {}) == 404


def test_the_page_lists_consents_and_ends_or_signs_them(sim, new_tpp) -> None:
    sim.faults.order("joint_signature")
    tpp = new_tpp(sim, "crelan", BAKER)
    shown = page_text(sim)
    assert "partiallyAuthorised" in shown
    assert "Second signature" in shown
    assert form(sim, f"/sim/consents/{tpp.consent_id}/signature", {}) == 303
    assert form(sim, f"/sim/consents/{tpp.consent_id}/signature", {}) == 409
    assert tpp.get("/accounts").status == 200
    assert form(sim, f"/sim/consents/{tpp.consent_id}/revocation", {}) == 303
    assert "revokedByPsu" in page_text(sim)
    assert form(sim, "/sim/reset", {}) == 303
    assert "revokedByPsu" not in page_text(sim)

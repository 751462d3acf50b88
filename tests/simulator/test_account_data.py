"""Accounts, balances and transactions as the banks answer them, and the limit of unattended reads."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from connectors.simulator import DEFAULT_BANKS, SimulatorConfig, SimulatorServer

BAKERY = "BE34103071423390"
TEXTILE = "BE31645102938455"


def booked(reply) -> list[dict]:
    return reply.json["transactions"]["booked"]


def all_pages(tpp, reply) -> list[dict]:
    rows, pages = booked(reply), 1
    while "next" in reply.json["transactions"]["_links"]:
        reply = tpp.get(reply.json["transactions"]["_links"]["next"]["href"])
        rows += booked(reply)
        pages += 1
    assert pages < 100
    return rows


def test_the_pages_together_are_the_whole(sim, crelan) -> None:
    rows = all_pages(crelan, crelan.transactions(BAKERY))
    truth = sim.world.booked(sim.world.account(BAKERY))
    assert len(rows) > 3 * 50
    assert [row["transactionId"] for row in rows] == [row.transaction_id() for row in reversed(truth)]
    assert [Decimal(row["transactionAmount"]["amount"]) for row in rows] == [row.amount for row in reversed(truth)]


def test_first_and_last_page_are_linked(crelan) -> None:
    links = crelan.transactions(BAKERY).json["transactions"]["_links"]
    assert "page=0" in links["first"]["href"]
    last = crelan.get(links["last"]["href"])
    assert "next" not in last.json["transactions"]["_links"]
    assert last.json["transactions"]["pending"] == []


def test_pages_after_the_last_are_refused(crelan) -> None:
    assert crelan.transactions(BAKERY, page="99").code == "PARAMETER_NOT_CONSISTENT"
    assert crelan.transactions(BAKERY, page="-1").code == "FORMAT_ERROR"


def test_dates_bound_the_booked_rows_inclusively(sim, crelan) -> None:
    rows = booked(crelan.transactions(BAKERY, dateFrom="2026-11-02", dateTo="2026-11-06"))
    assert {row["bookingDate"] for row in rows} <= {f"2026-11-0{day}" for day in range(2, 7)}
    truth = sim.world.booked(sim.world.account(BAKERY))
    assert len(rows) == sum("2026-11-02" <= row.booking_date.isoformat() <= "2026-11-06" for row in truth)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"bookingStatus": "information"}, "FORMAT_ERROR"),
        ({"dateFrom": "yesterday"}, "FORMAT_ERROR"),
        ({"dateFrom": "2026-11-10", "dateTo": "2026-11-09"}, "PERIOD_INVALID"),
    ],
)
def test_a_query_the_bank_does_not_understand_is_refused(crelan, query, code) -> None:
    reply = crelan.transactions(BAKERY, **query)
    assert (reply.status, reply.code) == (400, code)


def test_booked_and_pending_come_as_asked(sim, crelan) -> None:
    while not sim.world.pending(sim.world.account(BAKERY)):
        sim.clock.advance(hours=1)
    crelan.refresh()
    assert set(crelan.transactions(BAKERY, bookingStatus="booked").json["transactions"]) == {"booked", "_links"}
    report = crelan.transactions(BAKERY, bookingStatus="pending").json["transactions"]
    assert set(report) == {"pending", "_links"}
    assert report["pending"]
    assert all("bookingDate" not in row for row in report["pending"])


def test_a_debit_names_the_creditor_and_a_credit_the_debtor(crelan) -> None:
    for row in all_pages(crelan, crelan.transactions(BAKERY)):
        is_credit = Decimal(row["transactionAmount"]["amount"]) > 0
        if row.get("bankTransactionCode") != "PMNT-RDDT-UPDD":
            assert ("creditorName" if is_credit else "debtorName") not in row


def test_closing_booked_is_of_yesterday_and_interim_booked_of_today(sim, crelan) -> None:
    account = sim.world.account(BAKERY)
    given = crelan.get(f"/accounts/{crelan.account(BAKERY)}/balances").json["balances"]
    balances = {item["balanceType"]: item for item in given}
    assert set(balances) == {"closingBooked", "interimBooked", "expected"}
    assert balances["closingBooked"]["referenceDate"] == "2026-11-19"
    assert balances["interimBooked"]["referenceDate"] == "2026-11-20"
    yesterday = sim.clock.today - timedelta(days=1)
    assert Decimal(balances["closingBooked"]["balanceAmount"]["amount"]) == sim.world.balance(account, yesterday)
    assert Decimal(balances["interimBooked"]["balanceAmount"]["amount"]) == sim.world.balance(account)
    assert Decimal(balances["expected"]["balanceAmount"]["amount"]) == sim.world.expected_balance(account)


def test_the_closing_balance_of_a_day_does_not_change_after_it(sim, crelan) -> None:
    account = sim.world.account(BAKERY)
    day = sim.clock.today
    sim.clock.advance(days=1)
    closing = sim.world.balance(account, day)
    sim.clock.advance(days=20)
    assert sim.world.balance(account, day) == closing


def test_savings_and_card_accounts_are_offered_with_their_kind(sim, new_tpp) -> None:
    tpp = new_tpp(sim, "vanbreda", "pieter.dhaenekint")
    kinds = {item["cashAccountType"]: item for item in tpp.get("/accounts").json["accounts"]}
    assert set(kinds) == {"CACC", "SVGS", "CARD"}
    assert "iban" not in kinds["CARD"]
    assert kinds["CARD"]["maskedPan"] == "498012XXXXXX7731"
    assert tpp.get(f"/accounts/{kinds['SVGS']['resourceId']}/balances").status == 200


def test_one_bank_gives_amounts_as_json_numbers(sim, new_tpp) -> None:
    tpp = new_tpp(sim, "vanbreda", "pieter.dhaenekint")
    reply = tpp.transactions(TEXTILE)
    assert all(isinstance(row["transactionAmount"]["amount"], Decimal) for row in booked(reply))
    truth = sim.world.booked(sim.world.account(TEXTILE))
    assert sum(row["transactionAmount"]["amount"] for row in all_pages(tpp, reply)) == sum(row.amount for row in truth)


def test_one_bank_gives_structured_references_as_plain_text(sim, new_tpp, crelan) -> None:
    tpp = new_tpp(sim, "nagelmackers", "amelie.beguin")
    plain = [row.get("remittanceInformationStructured") for row in booked(tpp.transactions("BE37132554091828"))]
    assert {type(item) for item in plain} == {str, type(None)}
    objects = [row.get("remittanceInformationStructured") for row in booked(crelan.transactions(BAKERY))]
    assert {item["referenceIssuer"] for item in objects if item} == {"BBA", "ISO"}


def test_an_account_of_somebody_else_is_unknown(sim, crelan, new_tpp) -> None:
    other = new_tpp(sim, "crelan", "amelie.beguin").account("BE12103886204192")
    assert crelan.get(f"/accounts/{other}/balances").code == "RESOURCE_UNKNOWN"


def test_the_fifth_unattended_read_in_a_day_is_refused(sim, crelan) -> None:
    path = f"/accounts/{crelan.account(BAKERY)}/balances"
    for _ in range(4):
        assert crelan.get(path, attended=False).status == 200
    refused = crelan.get(path, attended=False)
    assert (refused.status, refused.code) == (429, "ACCESS_EXCEEDED")
    assert crelan.get(path).status == 200


def test_room_for_unattended_reads_comes_back_24_hours_after_each(sim, crelan) -> None:
    path = f"/accounts/{crelan.account(BAKERY)}/balances"
    for _ in range(4):
        assert crelan.get(path, attended=False).status == 200
        sim.clock.advance(minutes=10)
    sim.clock.advance(hours=23, minutes=15)
    crelan.refresh()
    assert crelan.get(path, attended=False).status == 429
    sim.clock.advance(minutes=5)
    assert crelan.get(path, attended=False).status == 200
    assert crelan.get(path, attended=False).status == 429


def test_pages_after_the_first_do_not_count(sim, crelan) -> None:
    path = f"/accounts/{crelan.account(BAKERY)}/transactions?bookingStatus=both&dateFrom=2026-08-22"
    for _ in range(4):
        reply = crelan.get(path, attended=False)
        while "next" in reply.json["transactions"]["_links"]:
            reply = crelan.get(reply.json["transactions"]["_links"]["next"]["href"], attended=False)
            assert reply.status == 200
    assert crelan.get(path, attended=False).status == 429


def test_a_new_consent_gives_no_new_unattended_reads(sim, crelan, new_tpp) -> None:
    for _ in range(4):
        crelan.get(f"/accounts/{crelan.account(BAKERY)}/balances", attended=False)
    renewal = new_tpp(sim, "crelan", "lien.lindenaar")
    assert renewal.get(f"/accounts/{renewal.account(BAKERY)}/balances", attended=False).status == 429


def test_a_bank_can_be_set_up_without_booked_balance_limit_or_pending(sim, new_tpp) -> None:
    bank = replace(
        DEFAULT_BANKS[0],
        balance_types=("expected",),
        unattended_calls_max=None,
        gives_pending=False,
        page_size=7,
        first_page=1,
        refuses_longer_history=True,
    )
    with SimulatorServer(SimulatorConfig(today=sim.clock.today, banks=(bank,))) as other:
        tpp = new_tpp(other, "crelan", "lien.lindenaar")
        path = f"/accounts/{tpp.account(BAKERY)}/balances"
        replies = [tpp.get(path, attended=False) for _ in range(6)]
        assert {reply.status for reply in replies} == {200}
        assert [item["balanceType"] for item in replies[0].json["balances"]] == ["expected"]
        assert tpp.transactions(BAKERY, dateFrom="2026-08-21").code == "PERIOD_INVALID"
        other.clock.advance(hours=10)
        tpp.refresh()
        first = tpp.transactions(BAKERY)
        assert first.json["transactions"]["pending"] == []
        assert "page=1" in first.json["transactions"]["_links"]["first"]["href"]
        assert len(booked(first)) == 7
        rows = all_pages(tpp, first)
        assert len(rows) == len(other.world.booked(other.world.account(BAKERY)))


def test_history_before_the_first_day_is_left_out(sim, crelan) -> None:
    rows = all_pages(crelan, crelan.transactions(BAKERY, dateFrom="2020-01-01"))
    assert min(row["bookingDate"] for row in rows) >= "2026-08-22"
    sim.clock.advance(days=10)
    crelan.refresh()
    rows = all_pages(crelan, crelan.transactions(BAKERY, dateFrom="2020-01-01"))
    assert min(row["bookingDate"] for row in rows) >= "2026-09-01"

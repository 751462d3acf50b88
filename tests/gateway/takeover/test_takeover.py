"""CON-18: before a mandate elsewhere is cancelled, which of its accounts can continue here, and which cannot."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from starlette.testclient import TestClient

from connectors.model import AccountKind
from connectors.profile import Knowledge
from connectors.registry import profiles
from gateway.assembly import Gateway
from gateway.foreign_files.errors import ForeignFilesEmpty
from gateway.foreign_files.reading import SentFile
from gateway.imports.errors import FileRefused
from gateway.takeover.judging import OfferedBank, Present, judge, kind_of
from gateway.takeover.labels import REASONS
from gateway.takeover.reading import ListedAccount, accounts_in
from gateway.takeover.service import TakeoverService, as_csv
from tests.gateway.bank_to_coda.test_rest import sign_in
from tests.gateway.builders import act_of_system
from tests.gateway.foreign_files.files import bank_file, zipped
from tests.gateway.imports.files import xlsx_of
from tests.gateway.payments.scene import make_scene
from tests.gateway.serving import app_of
from tests.sepa.samples import belgian_iban

OTHER = "BE68539007547034"
LISTED = ListedAccount("BE68539007547034", "BE68539007547034")
CRELAN = next(profile for profile in profiles() if profile.bank_id == "crelan")


def offered(balance: Knowledge, *, is_configured: bool = True) -> list[OfferedBank]:
    return [OfferedBank(replace(CRELAN, gives_booked_balance=balance), is_configured)]


@pytest.mark.parametrize(
    ("kind", "balance", "verdict", "reasons"),
    [
        ("Zichtrekening", Knowledge.YES, "continues", ()),
        ("", Knowledge.YES, "continues", ()),
        ("Spaarrekening", Knowledge.YES, "cannot", ("kind_savings",)),
        ("Compte d'épargne", Knowledge.YES, "cannot", ("kind_savings",)),
        ("Kredietkaart", Knowledge.YES, "cannot", ("kind_card",)),
        ("VISA", Knowledge.NO, "cannot", ("kind_card", "no_booked_balance")),
        ("Compte à vue", Knowledge.NO, "cannot", ("no_booked_balance",)),
        ("Current account", Knowledge.UNKNOWN, "unsure", ("booked_balance_unknown",)),
    ],
)
def test_savings_cards_and_banks_without_booked_balance_cannot_continue(
    kind: str, balance: Knowledge, verdict: str, reasons: tuple[str, ...]
) -> None:
    found = judge(replace(LISTED, kind=kind), offered(balance), None)
    assert (found.verdict, found.reasons) == (verdict, reasons)
    assert set(reasons) <= set(REASONS)


def test_what_the_office_has_of_an_account_goes_before_the_list() -> None:
    card = replace(LISTED, kind="kaart")
    assert kind_of(card.kind) is AccountKind.CARD
    found = judge(card, offered(Knowledge.YES), Present("current", is_read=True))
    assert (found.verdict, found.is_read) == ("continues", True)
    assert judge(LISTED, offered(Knowledge.YES), Present("savings", is_read=False)).reasons == ("kind_savings",)
    assert judge(LISTED, [], None).reasons == ("bank_not_offered",)
    assert judge(LISTED, offered(Knowledge.YES, is_configured=False), None).reasons == ("bank_not_connected",)
    invalid = judge(ListedAccount("BE00", None), [], None)
    assert (invalid.verdict, invalid.reasons) == ("unsure", ("number_invalid",))
    assert {f"kind_{kind}" for kind in AccountKind if kind is not AccountKind.CURRENT} <= set(REASONS)


def test_columns_are_found_by_their_headers_in_csv_and_excel() -> None:
    number = belgian_iban(7_000_001)
    headers = ("Klant", "Rekeningnummer", "Bank", "Type rekening")
    rows = [
        ("Bakkerij", f"{number[:4]} {number[4:]}", "Crelan", "Spaarrekening"),
        ("Bakkerij", number, "Crelan", "nog eens"),
        ("Slagerij", "539-0075470-34", "", ""),
        ("Tuin", "BE68 0000", "", ""),
        ("Leeg", "", "", ""),
    ]
    text = "\ufeffCodaBox lijst van mandaten\r\n" + "\r\n".join(";".join(row) for row in (headers, *rows))
    for content in (text.encode(), xlsx_of(headers, rows)):
        found, refused = accounts_in([SentFile("lijst", content)])
        assert not refused
        assert [(one.iban, one.client) for one in found] == [
            (number, "Bakkerij"), ("BE68539007547034", "Slagerij"), (None, "Tuin"),
        ]  # fmt: skip
        assert (found[0].bank, found[0].kind) == ("Crelan", "Spaarrekening")


def test_coda_files_do_as_well_and_what_is_no_list_is_refused() -> None:
    day = date(2026, 11, 20)
    one = bank_file("BE68539007547034", day, number=1, opening=Decimal(0), amounts=[Decimal(1)])
    two = bank_file("BE12310291417792", day, number=1, opening=Decimal(0), amounts=[Decimal(1)])
    files = [SentFile("a.cod", one), SentFile("b.cod", two), SentFile("c.cod", one)]
    for sent in (files, [zipped(files)]):
        found, _ = accounts_in(sent)
        assert {account.iban for account in found} == {"BE68539007547034", "BE12310291417792"}
    assert [fault.code for fault in accounts_in([files[0], SentFile("d", b"x")])[1]] == ["not_coda"]
    for content in (b"name;city\r\nA;B", b"IBAN;bank\r\n;KBC", b"{}", b"\x00\x01", b"<html>"):
        with pytest.raises(FileRefused):
            accounts_in([SentFile("a", content)])
    with pytest.raises((ForeignFilesEmpty, FileRefused)):
        accounts_in([SentFile("a", b"")])


def test_no_cell_of_the_download_begins_a_formula() -> None:
    evil = [
        judge(ListedAccount(text, None, client=text), [], None) for text in ("=1+1", "+x", "-x", "@x", "\tx", "fine")
    ]
    rows = list(csv.reader(io.StringIO(as_csv(evil, "nl").decode("utf-8-sig")), delimiter=";"))
    assert len(rows) == 7
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t"))]
    assert "CODA" in rows[1][-1], "that the bank's own fee may go on is said with every account"


def test_the_list_is_judged_through_the_api_and_nothing_of_it_is_kept(gateway: Gateway) -> None:
    scene = make_scene(gateway)
    account = scene.accounts[0]
    content = f"IBAN,type\r\n{account.iban},spaarrekening\r\n{OTHER},zicht".encode()
    found = TakeoverService(gateway).judge(act_of_system(scene.office), [SentFile("a.csv", content)])
    assert found.accounts[0].kind is AccountKind.CURRENT
    with TestClient(app_of(gateway)) as http:
        headers = sign_in(gateway, scene.office, "clients") | {"Content-Type": "application/octet-stream"}
        answer = http.post("/v1/takeover-lists", content=content, headers=headers)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert [one["iban"] for one in body["accounts"]] == [account.iban, OTHER]
        assert not body["accounts"][0]["is_read"]
        assert "fee" in body["notice"]
        table = http.post("/v1/takeover-lists.csv", content=content, headers=headers)
        assert table.headers["content-type"].startswith("text/csv")
        assert account.iban in table.text
        refused = http.post("/v1/takeover-lists", content=b"a;b\r\n1;2", headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (422, "client_import_header_missing")

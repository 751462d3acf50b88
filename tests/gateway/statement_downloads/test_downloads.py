"""STA-22: statements are found, and fetched as a ZIP with an exact manifest or as one physical file per account."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

import coda
from connectors.simulator import SimulatorServer
from gateway.accounts.errors import AccountNotFound
from gateway.accounts.models import Account
from gateway.assembly import Gateway
from gateway.ids import encode
from gateway.pagination import PageRequest
from gateway.statement_downloads import archive, selection, service
from gateway.statement_downloads.errors import NoStatements, OneAccountOnly, TooManyStatements
from gateway.statement_downloads.selection import Selected, SelectedFile, files_of, select_statements
from gateway.statement_downloads.service import DownloadService
from gateway.statements.errors import StatementNotFound, StatementNotIssued
from gateway.statements.models import Statement
from gateway.statements.service import StatementFilter, StatementService
from tests.gateway.bank_to_coda.story import Story
from tests.gateway.bank_to_coda.test_rest import sign_in
from tests.gateway.builders import make_office
from tests.gateway.serving import app_of
from tests.peers import NAMES, read_with_peer

EVERYTHING = StatementFilter()


@pytest.fixture
def story(linked: Gateway, banks: SimulatorServer) -> Story:
    return Story.begin(linked, banks)


@pytest.fixture
def account(story: Story) -> Account:
    """An account with statements of some weeks."""
    found = story.connect()
    story.work()
    story.sleep()
    story.read(found)
    return story.account(found.id)


def bytes_of(story: Story, statement: Statement) -> bytes:
    return StatementService(story.gateway).content(story.act, statement.id).content


def unzipped(pieces: Iterator[bytes] | bytes) -> tuple[dict[str, bytes], dict[str, Any]]:
    """The files of an archive that is whole, and its manifest."""
    content = pieces if isinstance(pieces, bytes) else b"".join(pieces)
    with zipfile.ZipFile(io.BytesIO(content)) as read:
        assert read.testzip() is None
        files = {name: read.read(name) for name in read.namelist()}
        assert read.namelist()[-1] == "manifest.json"
    return files, json.loads(files.pop("manifest.json"))


def test_the_archive_has_every_file_as_issued_and_its_manifest_is_exact(story: Story, account: Account) -> None:
    issued = story.statements("issued")
    download = DownloadService(story.gateway).zipped(story.act, StatementFilter(account_id=account.id))
    files, manifest = unzipped(download.pieces)
    assert download.statements_count == len(issued) > 3
    assert files == {row.file_name: bytes_of(story, row) for row in issued}
    assert [each["name"] for each in manifest["files"]] == [row.file_name for row in issued], "in number order"
    for each in manifest["files"]:
        content = files[each["name"]]
        (read,) = coda.read(content)
        amounts = [entry.amount for entry in read.entries()]
        assert each["sha256"] == hashlib.sha256(content).hexdigest() == each["statements"][0]["issued_sha256"]
        assert (each["size"], each["origin"], each["entries_count"]) == (
            len(content),
            "derived from PSD2",
            len(amounts),
        )
        assert Decimal(each["credit_total"]) == sum((amount for amount in amounts if amount > 0), Decimal(0))
        assert Decimal(each["debit_total"]) == sum((amount for amount in amounts if amount < 0), Decimal(0))
        (said,) = each["statements"]
        assert (said["number"], said["closing_date"]) == (read.number, read.closing_date.isoformat())  # type: ignore[union-attr]
        assert Decimal(said["closing_balance"]) == read.closing_balance
    assert (manifest["files_count"], manifest["statements_count"]) == (len(files), len(files))
    assert manifest["entries_count"] == sum(row.entries_count for row in issued)
    assert manifest["totals"] == [
        {
            "currency": "EUR",
            "credit_total": f"{sum(row.credit_total for row in issued):.2f}",
            "debit_total": f"{sum(row.debit_total for row in issued):.2f}",
        }
    ]


def test_one_physical_file_differs_in_the_multiple_file_code_alone(story: Story, account: Account) -> None:
    issued = story.statements("issued")
    wanted = StatementFilter(account_id=account.id)
    one = DownloadService(story.gateway).one_file(story.act, wanted)
    content = b"".join(one.pieces)
    originals = [bytes_of(story, row) for row in issued]
    assert one.name == f"{account.iban}_EUR.cod"
    changed = [
        (position, content[position : position + 1])
        for position, (ours, theirs) in enumerate(zip(content, b"".join(originals), strict=True))
        if ours != theirs
    ]
    ends = [sum(map(len, originals[: index + 1])) for index in range(len(originals))]
    assert changed == [(end - 3, b"1") for end in ends[:-1]], "2 stays in the last one"
    read = list(coda.read(content))
    assert [each.number for each in read] == [row.number for row in issued]
    assert coda.check(content).findings == ()
    files, manifest = unzipped(DownloadService(story.gateway).zipped(story.act, wanted, is_joined=True).pieces)
    assert files == {one.name: content}
    (each,) = manifest["files"]
    assert each["sha256"] == hashlib.sha256(content).hexdigest()
    assert [said["number"] for said in each["statements"]] == [row.number for row in issued]
    (single,) = [
        b"".join(DownloadService(story.gateway).one_file(story.act, EVERYTHING, [issued[0].id]).pieces)
    ]  # fmt: skip
    assert single == originals[0]


@pytest.mark.parametrize("name", NAMES)
def test_readers_of_other_makers_take_one_physical_file(
    story: Story, account: Account, tmp_path: Path, name: str
) -> None:
    issued = story.statements("issued")
    path = tmp_path / "one.cod"
    path.write_bytes(
        b"".join(DownloadService(story.gateway).one_file(story.act, StatementFilter(account_id=account.id)).pieces)
    )
    read = read_with_peer(name, path)
    assert [each["number"] for each in read] == [row.number for row in issued]
    assert [[Decimal(one["amount"]) for one in each["entries"]] for each in read] == [
        [entry.amount for entry in statement.entries()] for statement in coda.read(path)
    ]


def test_statements_are_found_by_period_number_and_amount_and_those_named_are_given(
    story: Story, account: Account
) -> None:
    issued = story.statements("issued")
    act, statements = story.act, StatementService(story.gateway)
    middle = issued[len(issued) // 2]
    by_number = select_statements(story.gateway, act, StatementFilter(number=middle.number, year=middle.year))
    assert [each.id for each in by_number] == [middle.id]
    days = StatementFilter(date_from=issued[1].day, date_until=middle.day)
    assert [each.id for each in select_statements(story.gateway, act, days)] == [
        row.id for row in issued if issued[1].day <= row.day <= middle.day
    ]
    entries, _ = statements.entries(act, middle.id, PageRequest(50, None))
    amount = entries[0].entry.amount
    for wanted in (amount, -amount):
        found, _ = statements.page(act, PageRequest(200, None), StatementFilter(amount=wanted))
        assert middle.id in {row.id for row in found}
        for row in found:
            lines, _ = statements.entries(act, row.id, PageRequest(200, None))
            assert abs(amount) in {abs(line.entry.amount) for line in lines}
    assert statements.page(act, PageRequest(200, None), StatementFilter(amount=Decimal("987654.32")))[0] == []
    named = select_statements(story.gateway, act, EVERYTHING, [issued[2].id, issued[0].id])
    assert [each.id for each in named] == [issued[0].id, issued[2].id]


def test_limits_and_what_has_no_file_are_said_before_the_first_byte(
    story: Story, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    act, downloads = story.act, DownloadService(story.gateway)
    issued = story.statements("issued")
    monkeypatch.setattr(selection, "STATEMENTS_MAX", len(issued) - 1)
    with pytest.raises(TooManyStatements) as refused:
        downloads.zipped(act, EVERYTHING)
    assert refused.value.parameters == {"found": len(issued), "maximum": len(issued) - 1}
    monkeypatch.undo()
    with pytest.raises(NoStatements):
        downloads.one_file(act, StatementFilter(date_from=act.today + timedelta(days=400)))
    with pytest.raises(StatementNotFound):
        downloads.zipped(act, EVERYTHING, [issued[0].id, account.id])
    row = replace_state(story, issued[-1], "held")
    with pytest.raises(StatementNotIssued):
        downloads.zipped(act, EVERYTHING, [row.id])
    other = story.gateway.system_act(make_office(story.gateway, name="Ander kantoor").id)
    with pytest.raises(StatementNotFound):
        downloads.zipped(other, EVERYTHING, [issued[0].id])
    with pytest.raises(AccountNotFound):
        downloads.one_file(other, StatementFilter(account_id=account.id))
    files, manifest = unzipped(downloads.zipped(other, EVERYTHING).pieces)
    assert (files, manifest["files_count"], manifest["totals"]) == ({}, 0, [])


def replace_state(story: Story, statement: Statement, state: str) -> Statement:
    with story.gateway.database.unit_of_work(story.office.id) as session:
        row = session.get_one(Statement, statement.id)
        row.state = state
        session.add(row)
        return row


def test_accounts_of_one_number_and_two_accounts_are_kept_apart(
    story: Story, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = select_statements(story.gateway, story.act, EVERYTHING)[:2]
    twin = [replace(each, account_id=story.office.id) for each in found]
    foreign = [replace(each, iban="BE12310291417792", account_id=story.client.id) for each in found]
    every = sorted([*found, *twin, *foreign], key=lambda each: (each.account, each.number))
    contents = {file.statement.id: file.content for file in files_of(story.gateway, story.office.id, found)}
    files = [SelectedFile(each, contents[each.id]) for each in every]
    monkeypatch.setattr(service, "select_statements", lambda *_given: tuple(every))
    with pytest.raises(OneAccountOnly) as refused:
        DownloadService(story.gateway).one_file(story.act, EVERYTHING)
    assert refused.value.parameters == {"found": 3}
    for is_joined in (False, True):
        parts = archive.members(every, iter(files), is_joined=is_joined)
        read, manifest = unzipped(archive.archive("Kantoor", story.act.now, parts))
        assert len(read) == (3 if is_joined else 6)
        assert sum(each["statements_count"] for each in manifest["files"]) == 6


def test_few_files_are_in_memory_at_a_time(story: Story, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "BATCH", 2)
    found = select_statements(story.gateway, story.act, EVERYTHING)
    read: list[Selected] = []

    def noted() -> Iterator[SelectedFile]:
        for file in files_of(story.gateway, story.office.id, found):
            read.append(file.statement)
            yield file

    pieces = archive.archive("Kantoor", story.act.now, archive.members(found, noted(), is_joined=False))
    first = next(piece for piece in pieces if piece)
    assert first.startswith(b"PK")
    assert len(read) < 3 < len(found), "the reader has bytes before most files are read"
    pieces.close()  # type: ignore[attr-defined]  # a generator


def test_the_rest_face(story: Story, account: Account) -> None:
    headers = sign_in(story.gateway, story.office, "coda")
    issued = story.statements("issued")
    account_id = encode("account", account.id)
    month = f"{issued[-1].day:%Y-%m}"
    of_month = [row for row in issued if f"{row.day:%Y-%m}" == month]
    with TestClient(app_of(story.gateway)) as http:
        answer = http.get(f"/v1/statement-archive?account_id={account_id}&period={month}", headers=headers)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/zip"), answer.text
        assert answer.headers["Content-Disposition"].endswith('.zip"')
        assert unzipped(answer.content)[1]["statements_count"] == len(of_month)
        ids = "&".join(f"statement_id={encode('statement', row.id)}" for row in issued[:2])
        two = http.get(f"/v1/statement-archive?{ids}&form=joined", headers=headers)
        assert [len(each["statements"]) for each in unzipped(two.content)[1]["files"]] == [2]
        one = http.get(f"/v1/accounts/{account_id}/statement-file?period={month}", headers=headers)
        assert [each.number for each in coda.read(one.content)] == [row.number for row in of_month]
        none = http.get(f"/v1/accounts/{account_id}/statement-file?period=2001", headers=headers)
        assert (none.status_code, none.json()["code"]) == (404, "no_statements")
        wrong = http.get("/v1/statement-archive?period=vorig", headers=headers)
        assert wrong.status_code == 422
        many = "&".join(f"statement_id={encode('statement', issued[0].id)}" for _each in range(501))
        assert http.get(f"/v1/statement-archive?{many}", headers=headers).status_code == 422
        found = http.get(f"/v1/statements?amount={abs(issued[-1].credit_total):.2f}&limit=1", headers=headers)
        assert found.status_code == 200

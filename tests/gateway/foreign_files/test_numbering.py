"""STA-20, STA-05, OFF-10: the last files of the former source hand over number, day and balance; ours go on there."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlmodel import select
from starlette.testclient import TestClient

import coda
from connectors.simulator import SimulatorServer
from gateway.accounts.errors import StatementsStarted
from gateway.accounts.models import Account
from gateway.assembly import Gateway
from gateway.audit.log import verify
from gateway.errors import InputError, InvalidTransition
from gateway.foreign_files.errors import ForeignFilesRefused, NumberingHandoverNotFound, NumberingRefused
from gateway.foreign_files.models import ForeignFile, NumberingHandover
from gateway.foreign_files.reading import SentFile
from gateway.foreign_files.service import HandoverService, TypedNumbering
from gateway.ids import encode, new_id
from gateway.offices.service import ClientService, ClientWish
from gateway.pagination import PageRequest
from gateway.profiles.models import ClientProfile
from gateway.profiles.packages import NUMBER_KEYS, PACKAGES
from gateway.profiles.service import KnownAccountService
from gateway.statements.models import StatementChain, StatementFile
from gateway.statements.service import StatementService
from tests.gateway.bank_to_coda.story import Story
from tests.gateway.bank_to_coda.test_crashes import killed
from tests.gateway.bank_to_coda.test_rest import sign_in
from tests.gateway.builders import make_client, make_office
from tests.gateway.foreign_files.files import ONE_DAY, OTHER_IBAN, bank_file, bank_files, zipped
from tests.gateway.serving import app_of

EVERYTHING = PageRequest(200, None)


@pytest.fixture
def story(linked: Gateway, banks: SimulatorServer) -> Story:
    return Story.begin(linked, banks)


def last_files(story: Story, account: Account, *, until: int = 10, number: int = 201, paper: int | None = None) -> Any:
    """The bank's files of three weeks, the last one closing so many days ago or a little before."""
    last = story.act.today - timedelta(days=until)
    return bank_files(story.banks, account.iban, last - timedelta(days=21), last, number=number, paper=paper)


def drop(story: Story, files: list[SentFile], **more: Any) -> list[NumberingHandover]:
    return list(HandoverService(story.gateway).drop(story.act, story.client.id, files, **more).handovers)


def close(story: Story, account: Account) -> int:
    return StatementService(story.gateway).close_days(story.office.id, account.id)


def contents(story: Story) -> list[bytes]:
    with story.gateway.database.unit_of_work(story.office.id) as session:
        return list(session.exec(select(StatementFile.content).order_by(StatementFile.name)))  # type: ignore[arg-type]


@pytest.mark.parametrize("is_read_before", [False, True])
def test_with_a_handed_over_opening_the_first_load_issues_at_once(story: Story, is_read_before: bool) -> None:
    """STA-05: files need not wait for the first sync on a later day; with STA-20 they follow the former source's."""
    account = story.connect(is_started=False)
    files = last_files(story, account)
    if is_read_before:
        story.work()
        assert not story.statements("issued")
    (proposed,) = drop(story, [zipped(files)])
    assert (proposed.state, proposed.faults, proposed.files_count) == ("proposed", [], len(files))
    assert story.account(account.id).statements_from is None, "a proposal changes nothing"
    confirmed = HandoverService(story.gateway).confirm(story.act, proposed.id)
    assert confirmed.state == "confirmed"
    story.work()
    close(story, account)
    issued = story.statements("issued")
    assert issued, "without a later reading"
    assert [row.number for row in issued] == [201 + len(files) + index for index in range(len(issued))]
    assert story.account(account.id).statements_from == proposed.first_day
    everything = [file.content for file in files] + contents(story)
    report = coda.check_chain(everything)
    assert report.ok
    codes = {found.finding.code for found in report.findings}
    assert codes <= {"chain_account_data"}, "numbers, balances and days follow those of the bank"
    truth = story.banks.world.account(account.iban)
    for row in issued:
        assert row.closing_balance == story.banks.world.balance(truth, row.day)
    with story.gateway.database.unit_of_work(story.office.id) as session:
        chain = session.exec(select(StatementChain)).one()
        assert (chain.opening_basis, chain.first_date) == ("handed_over", proposed.first_day)
        assert verify(session, story.gateway.audit, story.office.id) is None
    story.sleep(days=2)
    story.read(story.account(account.id))
    for before, after in itertools.pairwise(story.statements("issued")):
        assert after.opening_balance == before.closing_balance
        assert after.number == (before.number or 0) + 1


def test_a_file_of_another_account_is_refused_by_its_last_digits(story: Story) -> None:
    account = story.connect()
    strange = SentFile(
        "strange.cod", bank_file(OTHER_IBAN, story.act.today, number=1, opening=Decimal(0), amounts=[Decimal(1)])
    )
    with pytest.raises(ForeignFilesRefused) as refused:
        drop(story, [strange])
    (fault,) = refused.value.faults
    assert (fault.code, fault.parameters["found"], fault.parameters["expected"]) == (
        "wrong_account", f"…{OTHER_IBAN[-4:]}", f"…{account.iban[-4:]}",
    )  # fmt: skip
    dropped = HandoverService(story.gateway).drop(story.act, story.client.id, [strange, *last_files(story, account)])
    assert [fault.code for fault in dropped.refused] == ["wrong_account"]
    assert len(dropped.handovers) == 1
    with story.gateway.database.unit_of_work(story.office.id) as session:
        kept = session.exec(select(ForeignFile)).all()
    assert {file.sha256 for file in kept}.isdisjoint({strange.sha256}), "what is another's is not kept"
    assert {file.content for file in kept} == {file.content for file in last_files(story, account)}


def test_a_balance_that_the_bank_contradicts_is_refused_with_both(story: Story) -> None:
    account = story.connect(is_started=False)
    story.work()
    day = story.act.today - ONE_DAY
    truth = story.banks.world.balance(story.banks.world.account(account.iban), day)
    wrong = TypedNumbering(account.iban, "EUR", 12, day, truth + Decimal("0.07"))
    refused = HandoverService(story.gateway).type_in(story.act, story.client.id, wrong)
    assert refused.state == "refused"
    (fault,) = refused.faults
    assert (fault["code"], fault["found"], fault["expected"]) == (
        "balance_differs", f"{truth + Decimal('0.07'):.2f}", f"{truth:.2f}",
    )  # fmt: skip
    with pytest.raises(InvalidTransition):
        HandoverService(story.gateway).confirm(story.act, refused.id)
    right = HandoverService(story.gateway).type_in(
        story.act, story.client.id, TypedNumbering(account.iban, "EUR", 12, day, truth)
    )
    assert (right.state, right.next_number, right.first_day) == ("proposed", 13, day + ONE_DAY)
    assert HandoverService(story.gateway).get(story.act, refused.id).state == "replaced"


def test_what_the_bank_says_after_the_proposal_still_counts(story: Story) -> None:
    account = story.connect(is_started=False)
    day = story.act.today - ONE_DAY
    wrong = TypedNumbering(account.iban, "EUR", 12, day, Decimal("0.07"))
    proposed = HandoverService(story.gateway).type_in(story.act, story.client.id, wrong)
    assert proposed.state == "proposed", "the bank was not asked yet"
    story.work()
    with pytest.raises(NumberingRefused) as refused:
        HandoverService(story.gateway).confirm(story.act, proposed.id)
    assert [fault.code for fault in refused.value.faults] == ["balance_differs"]
    assert HandoverService(story.gateway).get(story.act, proposed.id).state == "proposed"


def test_after_the_first_issued_file_nothing_is_handed_over(story: Story) -> None:
    account = story.connect()
    files = last_files(story, account)
    (proposed,) = drop(story, files)
    story.work()
    story.sleep()
    story.read(account)
    first = story.statements("issued")[0]
    with pytest.raises(StatementsStarted):
        HandoverService(story.gateway).confirm(story.act, proposed.id)
    (later,) = drop(story, files)
    assert [(fault["code"], fault["expected"]) for fault in later.faults] == [
        ("statements_started", first.day.isoformat())
    ]
    assert story.statements("issued")[0].number == 1


def test_a_chain_without_a_file_begins_anew_where_it_is_handed_over(story: Story) -> None:
    """The first one was derived; the second hand-over replaces the first as long as nothing is issued."""
    account = story.connect()
    story.work()
    assert story.statements("held"), "a derived opening waits for a later reading"
    (first,) = drop(story, last_files(story, account, until=30))
    HandoverService(story.gateway).confirm(story.act, first.id)
    assert not story.statements()
    (second,) = drop(story, last_files(story, account, until=10, number=50))
    HandoverService(story.gateway).confirm(story.act, second.id)
    assert HandoverService(story.gateway).confirm(story.act, second.id).state == "confirmed", "once more is harmless"
    assert HandoverService(story.gateway).get(story.act, first.id).state == "replaced"
    close(story, account)
    issued = story.statements("issued")
    assert issued[0].number == second.next_number
    assert issued[0].day >= second.first_day
    assert issued[0].opening_balance == second.closing_balance


def test_a_file_too_old_for_the_bank_s_history_is_refused_and_a_gap_is_never_bridged(story: Story) -> None:
    account = story.connect(is_started=False)
    long_ago = TypedNumbering(account.iban, "EUR", 7, story.act.today - timedelta(days=500), Decimal("1.00"))
    refused = HandoverService(story.gateway).type_in(story.act, story.client.id, long_ago)
    assert [fault["code"] for fault in refused.faults] == ["history_begins_later"]


def test_a_history_that_turns_out_shorter_holds_every_day(story: Story) -> None:
    account = story.connect(is_started=False)
    history = story.gateway.banks.profile(account.bank_id).history
    oldest = TypedNumbering(account.iban, "EUR", 7, story.act.today - history - ONE_DAY, Decimal("1.00"))
    proposed = HandoverService(story.gateway).type_in(story.act, story.client.id, oldest)
    HandoverService(story.gateway).confirm(story.act, proposed.id)
    story.work()
    today = story.act.today
    with story.gateway.database.unit_of_work(story.office.id) as session:
        session.execute(delete(StatementChain))
        session.execute(update(Account).values(history_from=today - timedelta(days=5)))
    assert close(story, account) == 0
    days = StatementService(story.gateway).days(
        story.act, story.account(account.id), story.act.today - timedelta(days=5), story.act.today
    )
    assert {(day.state, day.cause) for day in days} == {("held", "history_begins_later")}


def test_a_known_number_is_handed_over_before_it_is_connected(story: Story) -> None:
    """OFF-10: its first day is the one after the last foreign file."""
    iban = next(
        row.iban for row in story.banks.world.accounts_of("lien.lindenaar", "crelan") if row.cash_account_type == "CACC"
    )
    assert iban is not None
    known = KnownAccountService(story.gateway).add(story.act, story.client.id, iban=iban, wanted={})
    last = story.act.today - timedelta(days=9)
    (proposed,) = drop(story, bank_files(story.banks, iban, last - timedelta(days=20), last, number=88))
    HandoverService(story.gateway).confirm(story.act, proposed.id)
    known = KnownAccountService(story.gateway).get(story.act, known.id)
    assert (known.statements_from, known.next_coda_number, known.last_balance) == (
        proposed.first_day, proposed.next_number, proposed.closing_balance,
    )  # fmt: skip
    account = story.connect(is_started=False)
    assert account.iban == iban
    story.work()
    issued = story.statements("issued")
    assert issued[0].number == proposed.next_number
    assert issued[0].opening_balance == proposed.closing_balance


def test_the_number_that_the_package_goes_by_is_followed_unless_a_person_says_which(story: Story) -> None:
    account = story.connect(is_started=False)
    files = last_files(story, account, number=10, paper=300)
    (by_package,) = drop(story, files)
    assert (by_package.number_key, by_package.next_number) == ("coda", 10 + len(files))
    (by_person,) = drop(story, files, number_key="paper")
    assert (by_person.number_key, by_person.next_number) == ("paper", 300 + len(files))
    assert set(NUMBER_KEYS) == set(PACKAGES)
    with story.gateway.database.unit_of_work(story.office.id) as session:
        session.add(
            ClientProfile(
                client_id=story.client.id, office_id=story.office.id, package="winbooks", updated_at=story.now
            )
        )
    (again,) = drop(story, files)
    assert again.number_key == NUMBER_KEYS["winbooks"]


def test_a_number_handed_in_earlier_is_not_given_again(story: Story) -> None:
    account = story.connect(is_started=False)
    files = last_files(story, account, number=10)
    drop(story, files)
    typed = TypedNumbering(account.iban, "EUR", 9, story.act.today - ONE_DAY, Decimal("1.00"))
    refused = HandoverService(story.gateway).type_in(story.act, story.client.id, typed)
    assert [(fault["code"], fault["found"]) for fault in refused.faults] == [("number_used", "010")]


def test_two_at_once_confirm_one(live: Gateway, banks: SimulatorServer) -> None:
    story = Story.begin(live, banks)
    account = story.connect(is_started=False)
    story.work()
    files = last_files(story, account)
    with ThreadPoolExecutor(2) as pool:
        made = [rows[0] for rows in pool.map(lambda _index: drop(story, files), range(2))]
    assert sorted(HandoverService(live).get(story.act, row.id).state for row in made) == ["proposed", "replaced"]
    with live.database.unit_of_work(story.office.id) as session:
        assert len(session.exec(select(ForeignFile)).all()) == len(files)
    proposed = next(row for row in made if HandoverService(live).get(story.act, row.id).state == "proposed")
    with ThreadPoolExecutor(4) as pool:
        confirmed = pool.submit(HandoverService(live).confirm, story.act, proposed.id)
        twice = pool.submit(HandoverService(live).confirm, story.act, proposed.id)
        closings = [pool.submit(close, story, account) for _ in range(2)]
        assert [confirmed.result().state, twice.result().state] == ["confirmed", "confirmed"]
        _ = [closing.result() for closing in closings]
    close(story, account)
    issued = story.statements("issued")
    assert [row.number for row in issued] == [proposed.next_number + index for index in range(len(issued))]
    assert issued


@pytest.mark.parametrize("is_committed", [False, True])
def test_a_crash_leaves_it_proposed_or_confirmed_and_nothing_between(
    live: Gateway, banks: SimulatorServer, is_committed: bool
) -> None:
    """Law 7."""
    story = Story.begin(live, banks)
    account = story.connect(is_started=False)
    story.work()
    (proposed,) = drop(story, last_files(story, account))
    act = story.act
    assert killed(live, lambda dying: HandoverService(dying).confirm(act, proposed.id), at=1, is_committed=is_committed)
    state = HandoverService(live).get(story.act, proposed.id).state
    assert state == ("confirmed" if is_committed else "proposed")
    assert (story.account(account.id).statements_from is not None) == is_committed
    HandoverService(live).confirm(story.act, proposed.id)
    close(story, account)
    assert story.statements("issued")[0].number == proposed.next_number


def test_another_office_s_account_is_nobody_s_here(story: Story) -> None:
    account = story.connect()
    (proposed,) = drop(story, last_files(story, account))
    other = make_office(story.gateway, name="Ander kantoor")
    theirs = make_client(story.gateway, other, now=story.now)
    act = story.gateway.system_act(other.id)
    service = HandoverService(story.gateway)
    with pytest.raises(NumberingHandoverNotFound):
        service.confirm(act, proposed.id)
    with pytest.raises(ForeignFilesRefused) as refused:
        service.drop(act, theirs.id, last_files(story, account))
    assert {fault.parameters["expected"] for fault in refused.value.faults} == {"–"}
    with pytest.raises(InputError):
        service.type_in(act, theirs.id, TypedNumbering(account.iban, "EUR", 1, story.act.today, Decimal(1)))
    assert service.page(act, EVERYTHING)[0] == []


def test_another_client_s_account_is_refused_as_well(story: Story) -> None:
    account = story.connect()
    other, _ = ClientService(story.gateway).put(story.act, ClientWish(name="Ander", language="nl", external_id="p-9"))
    with pytest.raises(ForeignFilesRefused):
        HandoverService(story.gateway).drop(story.act, other.id, last_files(story, account))


def test_the_rest_face(story: Story) -> None:
    account = story.connect(is_started=False)
    headers = sign_in(story.gateway, story.office, "clients", "accounts", "coda")
    path = f"/v1/clients/{encode('client', story.client.id)}/numbering-files"
    files = last_files(story, account)
    strange = bank_file(OTHER_IBAN, story.act.today, number=1, opening=Decimal(0), amounts=[Decimal(1)])
    with TestClient(app_of(story.gateway)) as http:
        parts = [("files", (file.name, file.content)) for file in files] + [("files", ("strange.cod", strange))]
        sent = http.post(path, files=parts, headers=headers)
        assert sent.status_code == 201, sent.text
        (row,) = sent.json()["items"]
        assert (row["state"], row["next_number"], row["iban"]) == ("proposed", 201 + len(files), account.iban)
        (refused,) = sent.json()["refused_files"]
        assert refused["code"] == "wrong_account"
        assert OTHER_IBAN not in sent.text
        assert refused["detail"].startswith("strange.cod is of account …")
        one = http.post(path, content=zipped(files).content, headers=headers | {"Content-Type": "application/zip"})
        assert one.status_code == 201, one.text
        huge = {"Content-Type": "application/zip", "Content-Length": str(200 * 1024 * 1024)}
        assert http.post(path, content=b"", headers=headers | huge).status_code == 413
        large = http.post(path, files=[("files", ("a.cod", b"0" * (17 * 1024 * 1024)))], headers=headers)
        assert (large.status_code, large.json()["code"]) == (413, "foreign_files_too_large")
        for empty in ({"content": b""}, {"files": [("files", ("a.cod", b""))]}):
            answer = http.post(path, headers=headers, **empty)
            assert (answer.status_code, answer.json()["code"]) == (422, "foreign_files_empty"), answer.text
        nothing = http.post(path, content=b"%PDF-1.7", headers=headers | {"Content-Type": "application/octet-stream"})
        assert (nothing.status_code, nothing.json()["code"]) == (422, "foreign_files_refused")
        assert nothing.json()["errors"][0]["code"] == "not_coda"
        confirmed = http.post(
            f"/v1/numbering-handovers/{one.json()['items'][0]['id']}/confirmations",
            headers=headers | {"Idempotency-Key": str(new_id())},
        )
        assert (confirmed.status_code, confirmed.json()["state"]) == (201, "confirmed"), confirmed.text
        listed = http.get(f"/v1/numbering-handovers?client_id={row['client_id']}", headers=headers).json()["items"]
        assert [item["state"] for item in listed] == ["confirmed", "replaced"]
        body = {
            "client_id": row["client_id"], "iban": account.iban, "number": 12,
            "closing_date": story.act.today.isoformat(), "closing_balance": {"amount": "1.00", "currency": "EUR"},
        }  # fmt: skip
        typed = http.post("/v1/numbering-handovers", json=body, headers=headers)
        assert (typed.status_code, typed.json()["basis"]) == (201, "typed"), typed.text
        assert http.get(f"/v1/numbering-handovers/{typed.json()['id']}", headers=headers).status_code == 200


def test_files_newer_than_the_last_reading_wait_for_one_that_shows_their_days(story: Story) -> None:
    """What the reading then gives of those days was on the files: none of it is late."""
    account = story.connect(is_started=False)
    story.work()
    day = story.act.today
    story.sleep()
    truth = story.banks.world.account(account.iban)
    story.banks.world.book(truth, Decimal("-12.34"), booking_date=day)
    (proposed,) = drop(story, bank_files(story.banks, account.iban, day, day, number=31))
    HandoverService(story.gateway).confirm(story.act, proposed.id)
    assert close(story, account) == 0
    story.sleep()
    story.banks.world.book(truth, Decimal("5.00"), booking_date=day + ONE_DAY)
    story.read(account)
    (issued,) = story.statements("issued")
    assert (issued.number, issued.day, issued.late_count) == (32, day + ONE_DAY, 0)
    assert issued.closing_balance == story.banks.world.balance(truth, day + ONE_DAY)

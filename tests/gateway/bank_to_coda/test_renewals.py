"""A consent that renews another: the older one works until the newer reads its accounts (CON-11, CON-09, CON-13)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import col, select

from connectors.model import Account as BankAccount
from connectors.simulator import SimulatorServer
from connectors.simulator.psu import approve, cancel
from gateway.accounts.gaps import note_coverage, open_gaps
from gateway.accounts.models import Account
from gateway.accounts.service import AccountService
from gateway.assembly import Gateway
from gateway.audit.models import AuditEntry
from gateway.consents.errors import (
    ConsentNotFound,
    RenewalMismatch,
    RenewalNotPossible,
    RenewalQuestionOpen,
    RenewalTooEarly,
)
from gateway.consents.models import Consent, ConsentAccount
from gateway.consents.renewing import LEAD, Answers
from gateway.consents.schemas import ConsentRead
from gateway.consents.service import ConsentService
from gateway.consents.states import RenewalAnswer
from gateway.ids import encode
from gateway.transactions.dispatch import Dispatcher
from gateway.transactions.sync import SyncService
from tests.gateway.bank_to_coda.story import BROWSER, HOLDERS, PSU, Story, query_of
from tests.gateway.bank_to_coda.test_crashes import POINTS, check, killed
from tests.gateway.builders import act_of_system, make_client, make_office

LIFE = 90
"""Days of a consent at the bank of these tests."""
OTHER_IBAN = "BE71096123456769"


@pytest.fixture
def story(linked: Gateway, banks: SimulatorServer) -> Story:
    return Story.begin(linked, banks)


def consent_of(story: Story, consent_id: UUID) -> Consent:
    with story.gateway.database.unit_of_work(story.office.id) as session:
        return session.exec(select(Consent).where(Consent.id == consent_id)).one()


def under(account: Account) -> UUID:
    assert account.consent_id is not None
    return account.consent_id


def audited(story: Story, action: str) -> Sequence[AuditEntry]:
    with story.gateway.database.unit_of_work(story.office.id) as session:
        return session.exec(
            select(AuditEntry).where(AuditEntry.action == action).order_by(col(AuditEntry.position))
        ).all()


def renew(story: Story, older: UUID) -> tuple[Consent, str]:
    """A renewal asked for by the office; the consent and its link token."""
    consent, url = ConsentService(story.gateway).create(
        story.act, client_id=story.client.id, bank_id=story.bank_id, language="nl", replaces=older
    )
    return consent, url.rpartition("/")[2]


def give(story: Story, token: str, answers: Answers | None = None, *, leave_out: Sequence[str] = ()) -> None:
    """The account holder authorises the renewal and ticks every current account, but for some IBANs."""
    service = ConsentService(story.gateway)
    story.authorise(token)
    ticked = [row for row in current(story, token) if row.iban not in leave_out]
    service.choose(
        token, browser_secret=BROWSER, consent_account_ids=[row.id for row in ticked], psu=PSU, answers=answers
    )


def current(story: Story, token: str) -> list[ConsentAccount]:
    offered = ConsentService(story.gateway).offered(token, browser_secret=BROWSER)
    return [row for row in offered if row.kind == "current"]


@contextmanager
def bank_lists(story: Story, change: Callable[[list[BankAccount]], list[BankAccount]]) -> Iterator[None]:
    """The bank lists other accounts than before."""
    connector = story.gateway.banks.connector(story.bank_id)
    original = connector.accounts

    def changed(*arguments: Any) -> list[BankAccount]:
        return change(list(original(*arguments)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connector, "accounts", changed)
        yield


def instead(listed: list[BankAccount]) -> list[BankAccount]:
    """A new number in the place of the only current account."""
    return [replace(one, iban=OTHER_IBAN) if str(one.kind) == "current" else one for one in listed]


def beside(listed: list[BankAccount]) -> list[BankAccount]:
    """A new current account beside the others."""
    (first, *_) = [one for one in listed if str(one.kind) == "current"]
    return [*listed, replace(first, iban=OTHER_IBAN, bank_account_id="new")]


def near_its_end(story: Story) -> Account:
    """A connected, read account whose consent can be renewed."""
    account = story.connect()
    story.work()
    story.sleep(days=LIFE - LEAD.days - 1)
    story.read(account)
    return story.account(account.id)


def test_a_renewal_is_possible_from_thirty_days_before_the_end_on(story: Story) -> None:
    account = story.connect()
    with pytest.raises(RenewalTooEarly) as refused:
        renew(story, under(account))
    consent = consent_of(story, under(account))
    assert consent.valid_until is not None
    first = consent.valid_until - timedelta(days=30)
    assert refused.value.parameters["renewable_from"] == first.isoformat()
    story.sleep(days=(first - story.act.today).days - 1)
    with pytest.raises(RenewalTooEarly):
        renew(story, under(account))
    story.sleep()
    assert renew(story, under(account))[0].replaces_id == account.consent_id


@pytest.mark.parametrize("days", [LIFE + 1, LIFE + 200])
def test_a_renewal_is_possible_at_any_time_after_the_end(story: Story, days: int) -> None:
    account = story.connect()
    story.work()
    story.sleep(days=days)
    Dispatcher(story.gateway).run_office(story.office.id)
    assert consent_of(story, under(account)).state == "expired"
    renewal, token = renew(story, under(account))
    give(story, token)
    story.work()
    found = story.account(account.id)
    assert (found.consent_id, found.health) == (renewal.id, "ok")
    assert consent_of(story, under(account)).state == "expired", "what has ended stays as it ended"


def test_the_old_one_reads_on_until_the_new_one_has_its_accounts_and_is_then_replaced_once(story: Story) -> None:
    account = near_its_end(story)
    old, statements = under(account), len(story.statements("issued"))
    renewal, token = renew(story, old)
    assert story.read(account).state == "done"
    story.authorise(token)
    assert consent_of(story, renewal.id).state == "valid"
    assert (consent_of(story, old).state, story.read(account).state) == ("valid", "done")
    ConsentService(story.gateway).choose(
        token, browser_secret=BROWSER, consent_account_ids=[row.id for row in current(story, token)], psu=PSU
    )
    story.work()
    ended, found = consent_of(story, old), story.account(account.id)
    assert (ended.state, ended.end_code, ended.tokens_cipher) == ("replaced", "consent_replaced", None)
    assert (found.consent_id, found.health, found.statements_from) == (renewal.id, "ok", account.statements_from)
    assert len(audited(story, "consent.replaced")) == 1
    story.sleep()
    story.read(found)
    issued = story.statements("issued")
    assert len(issued) >= statements
    assert [row.number for row in issued if row.year == 2026] == list(
        range(1, 1 + len([row for row in issued if row.year == 2026]))
    )


def test_cancelled_or_never_opened_a_renewal_changes_nothing(story: Story) -> None:
    account = near_its_end(story)
    before = consent_of(story, under(account)).model_dump()
    service = ConsentService(story.gateway)
    renewal, token = renew(story, under(account))
    service.receive(
        query_of(cancel(service.begin(token, browser_secret=BROWSER, psu=PSU), HOLDERS["crelan"])),
        browser_secret=BROWSER,
        psu=PSU,
    )
    service.revoke(story.act, renewal.id)
    assert consent_of(story, renewal.id).state == "abandoned"
    renew(story, under(account))
    assert consent_of(story, under(account)).model_dump() == before
    assert story.account(account.id).model_dump() == account.model_dump()
    assert story.read(account).state == "done"


def test_a_new_account_beside_the_old_one_was_added(story: Story) -> None:
    account = near_its_end(story)
    with bank_lists(story, beside):
        renewal, token = renew(story, under(account))
        give(story, token)
    (added,) = [row for row in story.accounts() if row.iban == OTHER_IBAN]
    assert added.consent_id == renewal.id
    view = ConsentService(story.gateway).get(story.act, renewal.id)
    assert [(row.account_id, row.answer, row.instead_of_id) for row in view.answers] == [(added.id, "added", None)]


def test_a_new_number_in_the_place_of_another_is_asked_and_the_other_ends(story: Story) -> None:
    account = near_its_end(story)
    old = under(account)
    with bank_lists(story, instead):
        renewal, token = renew(story, old)
        with pytest.raises(RenewalQuestionOpen) as refused:
            give(story, token)
        assert sorted(fault.code for fault in refused.value.faults) == [
            "missing_account_not_explained",
            "new_account_not_explained",
        ]
        assert len(story.accounts()) == 1
        (offered,) = current(story, token)
        ConsentService(story.gateway).choose(
            token, browser_secret=BROWSER, consent_account_ids=[offered.id], psu=PSU,
            answers=Answers(new={offered.id: account.id}),
        )  # fmt: skip
    (new,) = [row for row in story.accounts() if row.iban == OTHER_IBAN]
    gone = story.account(account.id)
    assert (gone.consent_id, gone.health, gone.health_code) == (None, "ended", "account_gone")
    assert consent_of(story, old).state == "replaced"
    answers = ConsentService(story.gateway).get(story.act, renewal.id).answers
    assert {(row.account_id, str(row.answer), row.instead_of_id) for row in answers} == {
        (new.id, "replaces", account.id),
        (account.id, "gone", None),
    }
    assert [row.account_id for row in story.queued()] == [new.id]


def test_a_missing_account_that_is_still_wanted_is_read_on_under_the_old_one(story: Story) -> None:
    account = near_its_end(story)
    old = under(account)
    with bank_lists(story, instead):
        renewal, token = renew(story, old)
        story.authorise(token)
        (offered,) = current(story, token)
        ConsentService(story.gateway).choose(
            token, browser_secret=BROWSER, consent_account_ids=[offered.id], psu=PSU,
            answers=Answers(new={offered.id: None}, missing={account.id: RenewalAnswer.WANTED}),
        )  # fmt: skip
    assert (consent_of(story, old).state, consent_of(story, renewal.id).state) == ("valid", "valid")
    assert story.account(account.id).consent_id == old
    assert story.read(story.account(account.id)).state == "done"
    answers = ConsentService(story.gateway).get(story.act, renewal.id).answers
    assert sorted(str(row.answer) for row in answers) == ["added", "wanted"]


def test_an_account_that_is_not_ticked_any_more_is_no_longer_read(story: Story) -> None:
    with bank_lists(story, beside):
        view = story.authorise()
        ConsentService(story.gateway).choose(
            view.token, browser_secret=BROWSER, psu=PSU,
            consent_account_ids=[row.id for row in current(story, view.token)],
        )  # fmt: skip
        story.sleep(days=LIFE - 10)
        left = next(row for row in story.accounts() if row.iban == OTHER_IBAN)
        old = under(left)
        renewal, token = renew(story, old)
        give(story, token, leave_out=[OTHER_IBAN])
    assert (story.account(left.id).consent_id, story.account(left.id).health) == (None, "ended")
    assert consent_of(story, old).state == "replaced"
    answers = ConsentService(story.gateway).get(story.act, renewal.id).answers
    assert [(row.account_id, str(row.answer)) for row in answers] == [(left.id, "left_out")]


def test_after_a_renewal_is_read_from_the_last_proven_day_less_the_overlap(story: Story) -> None:
    """CON-13."""
    account = near_its_end(story)
    for _ in range(3):
        story.sleep()
    _, token = renew(story, under(account))
    give(story, token)
    (sync,) = story.queued()
    assert account.complete_until is not None
    issued = story.statements("issued")
    proven = max(row.day for row in issued)
    assert proven <= account.complete_until
    overlap = story.gateway.banks.profile(story.bank_id).overlap_days
    assert sync.reason == "renewal"
    assert sync.window_from is not None
    assert sync.window_from <= account.complete_until - timedelta(days=overlap)
    story.work()
    done = SyncService(story.gateway).get(story.act, sync.id)
    assert (done.state, done.window_from) == ("done", sync.window_from)
    assert not AccountService(story.gateway).get(story.act, account.id).gaps


def test_days_the_bank_no_longer_gives_are_named_with_cause_until_something_fills_them(story: Story) -> None:
    """CON-13."""
    account = story.connect()
    story.work()
    read_until = story.account(account.id).complete_until
    assert read_until is not None
    story.sleep(days=200)
    Dispatcher(story.gateway).run_office(story.office.id)
    _, token = renew(story, under(account))
    give(story, token)
    story.work()
    (gap,) = AccountService(story.gateway).get(story.act, account.id).gaps
    history = story.gateway.banks.profile(story.bank_id).history
    assert (gap.first_day, gap.last_day) == (
        read_until + timedelta(days=1),
        story.act.today - history - timedelta(days=1),
    )
    assert gap.cause == "consent_expired"
    assert len(audited(story, "account.gap_found")) == 1
    story.read(story.account(account.id))
    assert len(audited(story, "account.gap_found")) == 1, "found once"
    act, found = story.act, story.account(account.id)
    with story.gateway.database.unit_of_work(story.office.id) as session:
        note_coverage(story.gateway, session, act, found, gap.first_day + timedelta(days=1))
        assert open_gaps(session, story.office.id, [account.id]), "a day is missing still"
        note_coverage(story.gateway, session, act, found, gap.first_day)
        assert not open_gaps(session, story.office.id, [account.id])
    assert len(audited(story, "account.gap_filled")) == 1


def test_two_renewals_at_once_leave_one_that_reads_and_end_the_others_once(
    live: Gateway, banks: SimulatorServer
) -> None:
    story = Story.begin(live, banks)
    account = near_its_end(story)
    old, service = under(account), ConsentService(live)
    made = [renew(story, old) for _ in range(3)]
    for _, token in made:
        story.authorise(token)

    def choose(token: str) -> None:
        rows = [row.id for row in current(story, token)]
        service.choose(token, browser_secret=BROWSER, consent_account_ids=rows, psu=PSU)

    with ThreadPoolExecutor(3) as hands:
        for done in [hands.submit(choose, token) for _, token in made]:
            done.result(timeout=60)
    reading = under(story.account(account.id))
    states = {consent.id: consent_of(story, consent.id).state for consent, _ in made}
    assert states.pop(reading) == "valid"
    assert set(states.values()) == {"replaced"}
    assert consent_of(story, old).state == "replaced"
    assert len(audited(story, "consent.replaced")) == 3
    assert len(story.accounts()) == 1
    story.work()
    assert story.account(account.id).health == "ok"
    check(story, account)


def test_a_reading_under_the_old_one_that_the_renewal_overtakes_is_not_taken_in(
    linked: Gateway, banks: SimulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = Story.begin(linked, banks)
    account = near_its_end(story)
    renewal, token = renew(story, under(account))
    story.authorise(token)
    rows = [row.id for row in current(story, token)]
    connector = linked.banks.connector(story.bank_id)
    original, renewed = connector.balances, []

    def overtaken(*arguments: Any) -> Any:
        answer = original(*arguments)
        if not renewed:
            renewed.append(True)
            ConsentService(linked).choose(token, browser_secret=BROWSER, consent_account_ids=rows, psu=PSU)
        return answer

    monkeypatch.setattr(connector, "balances", overtaken)
    story.sleep()
    late = story.read(account)
    assert (late.state, late.error_code) == ("failed", "consent_ended")
    assert story.account(account.id).consent_id == renewal.id
    story.work()
    found = story.account(account.id)
    assert (found.health, found.health_code) == ("ok", None)
    check(story, account)


def test_a_renewal_killed_at_every_commit_ends_as_if_it_had_not_been(live: Gateway, banks: SimulatorServer) -> None:
    story = Story.begin(live, banks)
    account = near_its_end(story)
    kills = 0
    for at, is_committed in POINTS:
        old = under(story.account(account.id))
        before = len(audited(story, "consent.replaced"))
        _, token = renew_at_once(story, old)
        answer = query_of(
            approve(ConsentService(live).begin(token, browser_secret=BROWSER, psu=PSU), HOLDERS[story.bank_id])
        )
        ConsentService(live).receive(answer, browser_secret=BROWSER, psu=PSU)
        rows = [row.id for row in current(story, token)]

        def work(gateway: Gateway, token: str = token, rows: list[UUID] = rows) -> None:
            ConsentService(gateway).choose(token, browser_secret=BROWSER, consent_account_ids=rows, psu=PSU)

        was_killed = killed(live, work, at=at, is_committed=is_committed)
        kills += was_killed
        moved = under(story.account(account.id)) != old
        assert (consent_of(story, old).state == "replaced") is moved, "the accounts and the older consent move together"
        work(live)
        assert consent_of(story, old).state == "replaced"
        assert len(audited(story, "consent.replaced")) == before + 1
        story.work()
        check(story, account)
        if not was_killed:
            break
    assert kills >= 3


def renew_at_once(story: Story, older: UUID) -> tuple[Consent, str]:
    """The clock goes to where it can be renewed."""
    consent = consent_of(story, older)
    assert consent.valid_until is not None
    ahead = (consent.valid_until - LEAD - story.act.today).days
    if ahead > 0:
        story.sleep(days=ahead)
    return renew(story, older)


def test_what_cannot_be_renewed_is_refused(story: Story) -> None:
    account = near_its_end(story)
    old = under(account)
    other_client = make_client(story.gateway, story.office, now=story.now)
    service = ConsentService(story.gateway)
    with pytest.raises(RenewalMismatch) as refused:
        service.create(story.act, client_id=other_client.id, bank_id="keytrade", language="nl", replaces=old)
    assert [fault.pointer for fault in refused.value.faults] == ["/client_id", "/bank_id"]
    waiting, token = renew(story, old)
    with pytest.raises(RenewalNotPossible):
        renew(story, waiting.id)
    give(story, token)
    with pytest.raises(RenewalNotPossible):
        renew(story, old)
    elsewhere = make_office(story.gateway)
    stranger, theirs = act_of_system(elsewhere, now=story.now), make_client(story.gateway, elsewhere, now=story.now)
    with pytest.raises(ConsentNotFound):
        ConsentService(story.gateway).create(
            stranger, client_id=theirs.id, bank_id=story.bank_id, language="nl", replaces=old
        )


def test_the_flag_and_the_day_are_in_the_api(story: Story) -> None:
    account = story.connect()
    service = ConsentService(story.gateway)
    shape = ConsentRead.of(service.get(story.act, under(account)), story.act)
    consent = consent_of(story, under(account))
    assert consent.valid_until is not None
    assert (shape.is_expiring, shape.state, shape.renewable_from) == (False, "valid", consent.valid_until - LEAD)
    story.sleep(days=LIFE - 5)
    renewal, _ = renew(story, under(account))
    assert ConsentRead.of(service.get(story.act, under(account)), story.act).is_expiring
    told = ConsentRead.of(service.get(story.act, renewal.id), story.act).model_dump(mode="json")
    assert told["replaces"] == encode("consent", under(account))

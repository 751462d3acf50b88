"""Consents: links, call-backs, choosing accounts, ending; each refusal alters nothing and is audited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import col, select

from connectors.errors import BankUnavailable, ConsentEnded
from connectors.model import ConsentHandle, ConsentStatus, GrantedConsent, TokenSet
from connectors.simulator import FaultKind, SimulatorServer
from connectors.simulator.psu import approve, cancel
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.models import AuditEntry, AuditValue
from gateway.banks.directory import BankNotConfigured, BankUnknown
from gateway.consents import polling
from gateway.consents.errors import (
    AccountTypeNotSupported,
    AuthorisationNotOpen,
    CallbackNotValid,
    ChoiceEmpty,
    ConsentNotFound,
    ConsentNotValid,
    LinkNotValid,
    OtherBrowser,
    ReturnUrlNotRegistered,
)
from gateway.consents.models import Consent
from gateway.consents.service import ConsentService
from gateway.consents.states import TRANSITIONS, ConsentState, check_step
from gateway.consents.tokens import TURN_MAX, ConsentTokens
from gateway.errors import InvalidTransition, NotFound
from gateway.ids import new_id
from gateway.transactions.dispatch import Dispatcher
from gateway.transactions.sync import SyncService
from tests.gateway.bank_to_coda.story import BROWSER, HOLDERS, PSU, Story, much_later, query_of
from tests.gateway.builders import act_of_system, make_client, make_office


def consent_of(story: Story) -> Consent:
    with story.gateway.database.unit_of_work(story.office.id) as session:
        return session.exec(select(Consent).order_by(col(Consent.id).desc())).all()[0]


def audited(story: Story, action: str) -> Sequence[AuditEntry]:
    with story.gateway.database.unit_of_work(story.office.id) as session:
        return session.exec(select(AuditEntry).where(AuditEntry.action == action)).all()


@pytest.fixture
def story(linked: Gateway, banks: SimulatorServer) -> Story:
    return Story.begin(linked, banks)


def test_the_link_names_office_client_bank_and_day_without_sign_in(story: Story) -> None:
    view = ConsentService(story.gateway).view_link(story.invite())
    assert (view.office_name, view.client_name, view.bank_name) == ("Kantoor Test", story.client.name, "Crelan")
    assert view.valid_until == story.act.today + timedelta(days=89)
    assert (view.can_begin, view.can_choose, view.state) == (True, False, "created")
    assert view.hint


@pytest.mark.parametrize("token", ["", "wrong", "x" * 200])
def test_a_link_that_is_not_known_answers_like_one_that_is_over(story: Story, token: str) -> None:
    with pytest.raises(LinkNotValid):
        ConsentService(story.gateway).view_link(token)


def test_a_link_ends_after_fourteen_days(story: Story) -> None:
    token = story.invite()
    later = story.gateway.real_now() + timedelta(days=14)
    with pytest.raises(LinkNotValid):
        ConsentService(replace(story.gateway, real_now=lambda: later)).view_link(token)


def test_after_approval_the_consent_is_valid_until_the_earliest_day(story: Story) -> None:
    view = story.authorise()
    assert (view.state, view.can_choose) == ("valid", True)
    assert view.valid_until == story.act.today + timedelta(days=89)
    assert consent_of(story).tokens_cipher is not None


def test_an_unknown_state_is_refused(story: Story) -> None:
    story.authorise()
    with pytest.raises(CallbackNotValid):
        ConsentService(story.gateway).receive({"state": "forged", "code": "x"}, browser_secret=BROWSER, psu=PSU)


@pytest.mark.parametrize("fault", ["used_state", "other_browser", "ended_state", "superseded_state"])
def test_a_call_back_that_does_not_count_alters_nothing_and_is_audited(story: Story, fault: str) -> None:
    service, token = ConsentService(story.gateway), story.invite()
    answer = query_of(approve(service.begin(token, browser_secret=BROWSER, psu=PSU), HOLDERS["crelan"]))
    browser, gateway = BROWSER, story.gateway
    if fault == "used_state":
        service.receive(answer, browser_secret=BROWSER, psu=PSU)
    elif fault == "other_browser":
        browser = "another browser"
    elif fault == "ended_state":
        later = gateway.real_now() + timedelta(minutes=60)
        gateway = replace(gateway, real_now=lambda: later)
    else:
        service.begin(token, browser_secret=BROWSER, psu=PSU)
    before = consent_of(story).model_dump()
    with pytest.raises(CallbackNotValid):
        ConsentService(gateway).receive(answer, browser_secret=browser, psu=PSU)
    assert consent_of(story).model_dump() == before
    (entry,) = audited(story, "consent.callback_refused")
    with gateway.database.unit_of_work(story.office.id) as session:
        value = session.exec(select(AuditValue).where(AuditValue.entry_id == entry.id)).one()
    assert value.new_value == fault


def test_a_foreign_state_does_not_open_another_consent(story: Story) -> None:
    """The code of one authorisation with the state of another is refused by the bank, and nothing becomes valid."""
    service = ConsentService(story.gateway)
    mine = query_of(approve(service.begin(story.invite(), browser_secret=BROWSER, psu=PSU), HOLDERS["crelan"]))
    other = query_of(approve(service.begin(story.invite(), browser_secret=BROWSER, psu=PSU), HOLDERS["crelan"]))
    with pytest.raises(Exception, match="bank"):
        service.receive({**mine, "code": other["code"]}, browser_secret=BROWSER, psu=PSU)
    assert consent_of(story).state == "awaiting_authorisation"


def test_cancelled_at_the_bank_the_link_works_again_with_everything_kept(story: Story) -> None:
    service, token = ConsentService(story.gateway), story.invite()
    url = service.begin(token, browser_secret=BROWSER, psu=PSU)
    view = service.receive(query_of(cancel(url, HOLDERS["crelan"])), browser_secret=BROWSER, psu=PSU)
    assert (view.state, view.can_begin, view.refusal_code) == ("awaiting_authorisation", True, "consent_refused")
    assert story.authorise(token).state == "valid"
    assert audited(story, "consent.refused_at_bank")


def test_a_bank_that_is_down_at_the_call_back_is_asked_again(story: Story) -> None:
    service, token = ConsentService(story.gateway), story.invite()
    answer = query_of(approve(service.begin(token, browser_secret=BROWSER, psu=PSU), HOLDERS["crelan"]))
    story.banks.faults.order("status", bank_id="crelan", endpoint="token", status=503, times=None)
    with pytest.raises(Exception, match="bank"):
        service.receive(answer, browser_secret=BROWSER, psu=PSU)
    assert consent_of(story).state == "awaiting_authorisation"
    story.banks.faults.clear()
    polling.poll(much_later(story), story.office.id, consent_of(story).id)
    assert consent_of(story).state == "valid"


def test_polling_leaves_a_call_back_alone_that_is_being_finished(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once both spent the code: the one refused forgot the authorisation, and the other made a consent without it."""
    service, token = ConsentService(story.gateway), story.invite()
    answer = query_of(approve(service.begin(token, browser_secret=BROWSER, psu=PSU), HOLDERS["crelan"]))
    store = service.note_granted

    def poll_before_storing(act: Act, consent_id: UUID, granted: GrantedConsent, *, attempt: bytes | None) -> bool:
        polling.poll(ConsentService(story.gateway), story.office.id, consent_id)
        return store(act, consent_id, granted, attempt=attempt)

    monkeypatch.setattr(service, "note_granted", poll_before_storing)
    assert service.receive(answer, browser_secret=BROWSER, psu=PSU).can_choose
    assert service.offered(token, browser_secret=BROWSER)


def test_a_rejection_is_found_by_polling_when_the_call_back_is_lost(story: Story) -> None:
    service, token = ConsentService(story.gateway), story.invite()
    cancel(service.begin(token, browser_secret=BROWSER, psu=PSU), HOLDERS["crelan"])
    polling.poll(service, story.office.id, consent_of(story).id)
    assert consent_of(story).refusal_code == "consent_refused"
    assert service.view_link(token).can_begin


def test_three_starts_that_the_bank_refuses_end_the_consent(story: Story) -> None:
    service, token = ConsentService(story.gateway), story.invite()
    story.banks.faults.order("status", bank_id="crelan", endpoint="consent_create", status=503, times=None)
    for _ in range(3):
        with pytest.raises(BankUnavailable):
            service.begin(token, browser_secret=BROWSER, psu=PSU)
    assert consent_of(story).state == "failed"
    with pytest.raises(AuthorisationNotOpen):
        service.begin(token, browser_secret=BROWSER, psu=PSU)


def test_only_the_browser_of_the_call_back_sees_and_chooses_accounts(story: Story) -> None:
    service, view = ConsentService(story.gateway), story.authorise()
    with pytest.raises(OtherBrowser):
        service.offered(view.token, browser_secret="another browser")
    offered = service.offered(view.token, browser_secret=BROWSER)
    with pytest.raises(OtherBrowser):
        service.choose(view.token, browser_secret="x", consent_account_ids=[offered[0].id], psu=PSU)


def test_savings_and_card_accounts_are_refused_by_name_and_reason(linked: Gateway, banks: SimulatorServer) -> None:
    story = Story.begin(linked, banks, "vanbreda")
    service, view = ConsentService(linked), story.authorise()
    offered = service.offered(view.token, browser_secret=BROWSER)
    assert sorted(row.kind for row in offered) == ["card", "current", "savings"]
    with pytest.raises(AccountTypeNotSupported) as refused:
        service.choose(view.token, browser_secret=BROWSER, consent_account_ids=[row.id for row in offered], psu=PSU)
    assert sorted(fault.code for fault in refused.value.faults) == [
        "account_type_not_supported:card",
        "account_type_not_supported:savings",
    ]
    assert not story.accounts()
    assert not story.queued()


def test_choosing_nothing_or_what_was_not_offered_is_refused(story: Story) -> None:
    service, view = ConsentService(story.gateway), story.authorise()
    with pytest.raises(ChoiceEmpty):
        service.choose(view.token, browser_secret=BROWSER, consent_account_ids=[], psu=PSU)
    with pytest.raises(NotFound):
        service.choose(view.token, browser_secret=BROWSER, consent_account_ids=[new_id()], psu=PSU)


def test_the_first_reading_is_attended_and_forgets_the_address(story: Story) -> None:
    story.connect()
    (sync,) = story.queued()
    assert (sync.is_attended, sync.reason, sync.psu_cipher is not None) == (True, "first", True)
    story.work()
    done = SyncService(story.gateway).get(story.act, sync.id)
    assert (done.state, done.psu_cipher) == ("done", None)


def test_a_renewed_consent_keeps_the_account_and_replaces_the_old_one(story: Story) -> None:
    account, old = story.connect(), consent_of(story)
    story.work()
    assert story.connect().id == account.id
    story.work()
    with story.gateway.database.unit_of_work(story.office.id) as session:
        again = session.get(Consent, old.id)
    assert again is not None
    assert (again.state, again.tokens_cipher) == ("replaced", None)
    assert story.account(account.id).health == "ok"


def test_revoking_ends_it_here_and_at_the_bank_and_destroys_the_tokens(story: Story) -> None:
    account = story.connect()
    story.work()
    service, consent = ConsentService(story.gateway), consent_of(story)
    service.revoke(story.act, consent.id)
    assert (consent_of(story).state, consent_of(story).tokens_cipher) == ("revoked", None)
    assert story.account(account.id).health == "ended"
    service.end_at_bank(story.act, consent.id)
    assert {item.status for item in story.banks.simulator.consents.listing()} == {"terminatedByTpp"}
    assert not consent_of(story).is_bank_end_due
    with pytest.raises(ConsentNotValid):
        SyncService(story.gateway).request(story.act, account.id)
    with pytest.raises(InvalidTransition):
        service.revoke(story.act, consent.id)
    assert story.transactions(), "data stays for its retention"


def test_a_consent_whose_last_day_has_passed_expires_once(story: Story) -> None:
    account = story.connect()
    story.work()
    story.sleep(days=91)
    Dispatcher(story.gateway).run_office(story.office.id)
    Dispatcher(story.gateway).run_office(story.office.id)
    assert consent_of(story).state == "expired"
    assert len(audited(story, "consent.expired")) == 1
    found = story.account(account.id)
    assert (found.health, found.health_code) == ("you_act", "consent_expired")


@pytest.mark.parametrize(
    ("kind", "state"), [(FaultKind.CONSENT_EXPIRED, "expired"), (FaultKind.CONSENT_REVOKED, "revoked")]
)
def test_an_end_at_the_bank_is_noticed_at_the_next_call_and_stops_the_schedule(
    story: Story, kind: FaultKind, state: str
) -> None:
    account = story.connect()
    story.work()
    rows = len(story.transactions())
    story.banks.faults.order(kind, bank_id="crelan", endpoint="transactions")
    assert story.read(account).error_code == "consent_ended"
    assert consent_of(story).state == state
    found = story.account(account.id)
    assert (found.health, found.health_code) == ("you_act", f"consent_{state}")
    assert len(story.transactions()) == rows
    story.sleep()
    assert Dispatcher(story.gateway).run_office(story.office.id) == 0


def test_tokens_are_refreshed_once_and_stored_before_use(linked: Gateway, banks: SimulatorServer) -> None:
    """CON-15."""
    story = Story.begin(linked, banks, "keytrade")
    account = story.connect()
    story.work()
    for _ in range(3):
        story.sleep()
        assert story.read(account).state == "done", "this bank's refresh tokens work once"
    assert consent_of(story).tokens_version == 4


def test_a_refresh_that_was_cut_off_is_not_repeated(story: Story) -> None:
    """CON-15: the refresh token may be spent at the bank; a new permission is asked for."""
    account = story.connect()
    story.work()
    consent, real_now = consent_of(story), story.gateway.real_now()
    with story.gateway.database.unit_of_work(story.office.id) as session:
        consent.refresh_started_at = real_now - TURN_MAX - timedelta(seconds=1)
        session.merge(consent)
    story.sleep()
    assert story.read(account).bank_code == "token_lost"
    found = story.account(account.id)
    assert (found.health, found.health_code) == ("you_act", "token_lost")
    assert consent_of(story).state == "valid"


def test_a_keeper_gives_another_worker_s_newer_tokens(story: Story) -> None:
    story.connect()
    keeper = ConsentTokens(
        story.gateway,
        story.gateway.banks.connector("crelan"),
        office_id=story.office.id,
        consent_id=consent_of(story).id,
    )
    assert keeper.renew(TokenSet("older", "older")).access_token == keeper.current().access_token
    with pytest.raises(ConsentEnded):
        ConsentTokens(
            story.gateway, story.gateway.banks.connector("crelan"), office_id=story.office.id, consent_id=new_id()
        ).current()


def test_refusals_of_create(story: Story) -> None:
    service, act = ConsentService(story.gateway), story.act

    def create(bank_id: str = "crelan", return_url: str | None = None) -> None:
        service.create(act, client_id=story.client.id, bank_id=bank_id, language="nl", return_url=return_url)

    with pytest.raises(BankUnknown):
        create("nowhere")
    with pytest.raises(ReturnUrlNotRegistered):
        create(return_url="https://portal.example/back")
    create(return_url="http://127.0.0.1:8000/clients")
    unconfigured = replace(
        story.gateway, banks=type(story.gateway.banks)(story.gateway.settings.model_copy(update={"banks": {}}))
    )
    with pytest.raises(BankNotConfigured):
        ConsentService(unconfigured).create(act, client_id=story.client.id, bank_id="crelan", language="nl")


def test_another_office_sees_none_of_it(story: Story) -> None:
    story.connect()
    other = make_office(story.gateway)
    act = act_of_system(other, now=story.now)
    service = ConsentService(story.gateway)
    with pytest.raises(ConsentNotFound):
        service.get(act, consent_of(story).id)
    with pytest.raises(ConsentNotFound):
        service.revoke(act, consent_of(story).id)
    with pytest.raises(NotFound):
        service.create(act, client_id=story.client.id, bank_id="crelan", language="nl")


def test_an_account_of_another_client_is_not_taken_over(story: Story) -> None:
    story.connect()
    story.client = make_client(story.gateway, story.office, now=story.now)
    with pytest.raises(Exception, match="account_of_other_client"):
        story.connect()


@pytest.mark.parametrize("state", ConsentState)
def test_only_the_steps_of_the_life_cycle_are_possible(state: ConsentState) -> None:
    for wanted in ConsentState:
        if wanted in TRANSITIONS[state]:
            check_step(state, wanted)
        else:
            with pytest.raises(InvalidTransition):
                check_step(state, wanted)


def test_what_a_superseded_authorisation_brings_is_not_mixed_with_the_new_one(story: Story) -> None:
    """The PSU begins again in another tab while the bank still answers for the first authorisation."""
    service = ConsentService(story.gateway)
    token = story.invite()
    first = service.begin(token, browser_secret=BROWSER, psu=PSU)
    params = query_of(approve(first, HOLDERS[story.bank_id]))
    connector = story.gateway.banks.connector(story.bank_id)
    original = connector.finish_consent

    def slow(*arguments: Any) -> Any:
        granted = original(*arguments)
        service.begin(token, browser_secret=BROWSER, psu=PSU)
        return granted

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connector, "finish_consent", slow)
        service.receive(params, browser_secret=BROWSER, psu=PSU)
    consent = consent_of(story)
    assert (consent.state, consent.tokens_cipher) == ("awaiting_authorisation", None)
    view = story.authorise(token)
    assert view.can_choose
    assert consent_of(story).state == "valid"


def test_a_consent_made_only_after_the_sign_in_keeps_its_new_handle_until_the_app_approved(story: Story) -> None:
    """Such a bank gives tokens first and the consent's id with them; its state then decides, found by polling."""
    service = ConsentService(story.gateway)
    params = query_of(approve(service.begin(story.invite(), browser_secret=BROWSER, psu=PSU), HOLDERS["crelan"]))
    connector = story.gateway.banks.connector(story.bank_id)
    original = connector.finish_consent

    def late(handle: ConsentHandle, *arguments: Any) -> GrantedConsent:
        granted = original(handle, *arguments)
        known = ConsentHandle(handle.bank_consent_id, {**handle.private, "made": "after the sign-in"})
        return replace(granted, status=ConsentStatus.AWAITING_AUTHORISATION, handle=known)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connector, "finish_consent", late)
        view = service.receive(params, browser_secret=BROWSER, psu=PSU)
    consent = consent_of(story)
    kept = service.secrets.handle(consent)
    assert view.state == "awaiting_authorisation"
    assert kept is not None
    assert kept.private["made"] == "after the sign-in"
    assert consent.tokens_cipher is not None
    approved = GrantedConsent(ConsentStatus.VALID, None, None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connector, "finish_consent", lambda *arguments: approved)
        polling.poll(much_later(story), story.office.id, consent.id)
    after = consent_of(story)
    assert (after.state, after.tokens_cipher, after.handle_cipher) == (
        "valid",
        consent.tokens_cipher,
        consent.handle_cipher,
    )

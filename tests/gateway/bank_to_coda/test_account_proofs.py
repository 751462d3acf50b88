"""CON-08: an account that does not show whose it is waits, undisclosed to the office, until it is proven."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlmodel import col, select
from starlette.testclient import TestClient
from typer.testing import CliRunner

from connectors.simulator import SimulatorServer
from connectors.simulator.faults import FaultKind
from gateway.accounts.states import TRANSITIONS, SyncHealth
from gateway.assembly import Gateway
from gateway.audit.models import AuditEntry, AuditValue
from gateway.consents.errors import (
    AuthorisationNotOpen,
    InvitationCodeNeeded,
    InvitationCodeWrong,
    OtherBrowser,
    ProofNotFound,
    ProofOver,
    RelationMissing,
)
from gateway.consents.inviting import TRIES_MAX, Invitations
from gateway.consents.models import AccountProof
from gateway.consents.proofs import LIFE, OperatorProofs, ProofSteps
from gateway.consents.service import ConsentService
from gateway.consents.states import Doubt, Relation
from gateway.events.models import Event
from gateway.ids import encode
from gateway.profiles.models import KnownAccount
from gateway.proofs_cli import proof_commands
from tests.gateway.bank_to_coda.story import BROWSER, PSU, Story
from tests.gateway.bank_to_coda.test_consent_codes import wrong
from tests.gateway.bank_to_coda.test_rest import sign_in
from tests.gateway.serving import app_of

STRANGER = "Verhelst Astrid"
"""Whom the bank names, in these tests."""


@pytest.fixture
def story(linked: Gateway, banks: SimulatorServer) -> Story:
    return Story.begin(linked, banks)


def other_holder(story: Story, name: str = STRANGER) -> None:
    story.banks.faults.order(FaultKind.OTHER_HOLDER, bank_id=story.bank_id, name=name, times=None)


def no_holder(story: Story) -> None:
    story.banks.faults.order(
        FaultKind.MISSING_FIELDS, bank_id=story.bank_id, endpoint="accounts", fields=["ownerName"], times=None
    )


def tick(story: Story) -> str:
    """Authorise and tick the first current account; the link's token."""
    token = story.invite()
    story.choose(story.authorise(token))
    return token


def show_code(story: Story, token: str, browser: str = BROWSER) -> None:
    consent_id = ConsentService(story.gateway).view_link(token).consent_id
    invited = Invitations(story.gateway).make(story.act, consent_id)
    Invitations(story.gateway).enter(token, invited.code, browser_secret=browser, psu=PSU)


def proofs(story: Story) -> list[AccountProof]:
    with story.gateway.database.unit_of_work(story.office.id) as session:
        return list(session.exec(select(AccountProof).order_by(col(AccountProof.id))).all())


def events(story: Story) -> list[Event]:
    with story.gateway.database.unit_of_work(story.office.id) as session:
        return list(session.exec(select(Event)).all())


def audit(story: Story) -> list[AuditEntry]:
    with story.gateway.database.unit_of_work(story.office.id) as session:
        return list(session.exec(select(AuditEntry).order_by(col(AuditEntry.position))).all())


def prove(story: Story, token: str, relation: Relation | None = Relation.OWNER) -> None:
    ((waiting,), _) = ProofSteps(story.gateway).waiting(token, browser_secret=BROWSER)
    ProofSteps(story.gateway).prove(token, waiting.proof.id, browser_secret=BROWSER, relation=relation, psu=PSU)


def test_the_states_are_those_of_the_requirements() -> None:
    assert TRANSITIONS[SyncHealth.UNPROVEN] == {SyncHealth.NEW, SyncHealth.ENDED}
    assert SyncHealth.UNPROVEN in TRANSITIONS[SyncHealth.ENDED]
    assert not [state for state, after in TRANSITIONS.items() if SyncHealth.UNPROVEN in after and state != "ended"]


@pytest.mark.parametrize("name", ["BAKKERIJ KORENHOF LINDENAAR", "Bakkerij Korenhof Lindenaer B.V."])
def test_an_account_with_a_near_name_fits(story: Story, name: str) -> None:
    other_holder(story, name)
    assert story.connect().holder_name == name
    assert not proofs(story)


def test_an_account_with_a_known_number_fits_whoever_holds_it(story: Story) -> None:
    other_holder(story)
    view = story.authorise()
    (row,) = [
        row
        for row in ConsentService(story.gateway).offered(view.token, browser_secret=BROWSER)
        if row.kind == "current"
    ][:1]
    assert row.iban is not None
    with story.gateway.database.unit_of_work(story.office.id) as session:
        session.add(
            KnownAccount(
                id=row.id, office_id=story.office.id, client_id=story.client.id, iban=row.iban, created_at=story.now
            )
        )
    story.choose(view)
    assert [account.iban for account in story.accounts()] == [row.iban]


def test_another_holder_s_account_is_not_disclosed_to_the_office(story: Story) -> None:
    """Not in lists, API, events, audit, monitor, statements: until it is proven there is no account."""
    other_holder(story)
    token = tick(story)
    assert story.accounts() == []
    assert story.queued() == []
    ((waiting,), _) = ProofSteps(story.gateway).waiting(token, browser_secret=BROWSER)
    iban = waiting.offered.iban
    assert iban is not None
    headers = sign_in(
        story.gateway,
        story.office,
        "consents",
        "accounts",
        "transactions",
        "coda",
        "payments:write",
        "clients",
        "audit",
    )
    consent = encode("consent", waiting.proof.consent_id)
    with TestClient(app_of(story.gateway)) as client:
        for path in (
            "/v1/accounts", "/v1/consents", f"/v1/consents/{consent}", "/v1/events", "/v1/audit-entries",
            "/v1/statements", "/v1/known-accounts", "/v1/clients",
        ):  # fmt: skip
            answer = client.get(path, headers=headers)
            assert answer.status_code == 200, (path, answer.text)
            for hidden in (iban, iban[-4:] + '"', STRANGER, waiting.offered.bank_account_id):
                assert hidden not in answer.text, (path, hidden)
        assert client.get(f"/v1/consents/{consent}", headers=headers).json()["accounts"] == []
    assert not [event.type for event in events(story) if event.type.startswith("account")]
    assert [entry.action for entry in audit(story)].count("account_proof.awaited") == 1
    with story.gateway.database.unit_of_work(story.office.id) as session:
        said = str([row.new_value for row in session.exec(select(AuditValue)).all()])
    assert iban not in said
    assert STRANGER not in said


def test_the_code_and_what_the_holder_is_to_the_client_prove_it(story: Story) -> None:
    other_holder(story)
    token = tick(story)
    with pytest.raises(InvitationCodeNeeded):
        prove(story, token)
    show_code(story, token)
    with pytest.raises(RelationMissing):
        prove(story, token, None)
    prove(story, token)
    (account,) = story.accounts()
    assert (account.health, account.holder_name) == ("new", STRANGER)
    (proof,) = proofs(story)
    assert (proof.state, proof.proven_by, proof.relation) == ("new", "client", "owner")
    assert [event.type for event in events(story) if event.subject == "account"] == ["account.connected"]
    (given,) = [entry for entry in audit(story) if entry.action == "account_proof.given"]
    assert given.client_id == story.client.id
    (sync,) = story.queued()
    assert (sync.account_id, sync.is_attended) == (account.id, True)
    story.start(account)
    story.work()
    assert story.account(account.id).health == "ok"


def test_where_the_bank_names_no_holder_the_code_is_the_proof(story: Story) -> None:
    no_holder(story)
    token = tick(story)
    assert [proof.doubt for proof in proofs(story)] == [Doubt.NO_HOLDER]
    assert story.accounts() == []
    show_code(story, token)
    (account,) = story.accounts()
    assert (account.health, account.holder_name) == ("new", None)
    assert [(proof.state, proof.proven_by) for proof in proofs(story)] == [("new", "client")]


def test_a_code_shown_before_is_the_proof_as_well(story: Story) -> None:
    no_holder(story)
    token = story.invite()
    show_code(story, token)
    story.choose(story.authorise(token))
    assert len(story.accounts()) == 1
    assert not proofs(story)


def test_a_code_does_not_prove_an_account_of_another_holder_by_itself(story: Story) -> None:
    other_holder(story)
    token = story.invite()
    show_code(story, token)
    story.choose(story.authorise(token))
    assert story.accounts() == []


def test_five_wrong_codes_leave_out_what_waits_and_end_no_permission(story: Story) -> None:
    no_holder(story)
    token = tick(story)
    view = ConsentService(story.gateway).view_link(token)
    code = Invitations(story.gateway).make(story.act, view.consent_id).code
    for _ in range(TRIES_MAX):
        with pytest.raises(InvitationCodeWrong):
            Invitations(story.gateway).enter(token, wrong(code), browser_secret=BROWSER)
    assert [(proof.state, proof.end_code) for proof in proofs(story)] == [("ended", "codes_wrong")]
    assert ConsentService(story.gateway).view_link(token).state == "valid"
    with pytest.raises(AuthorisationNotOpen):
        Invitations(story.gateway).make(story.act, view.consent_id)
    with pytest.raises(ProofOver):
        story.choose(view)
    assert story.accounts() == []


def test_what_was_left_out_can_be_ticked_again(story: Story) -> None:
    other_holder(story)
    token = tick(story)
    ((waiting,), _) = ProofSteps(story.gateway).waiting(token, browser_secret=BROWSER)
    ProofSteps(story.gateway).leave_out(token, waiting.proof.id, browser_secret=BROWSER)
    assert [(proof.state, proof.end_code) for proof in proofs(story)] == [("ended", "left_out")]
    assert not ConsentService(story.gateway).view_link(token).waits_for_proof
    story.choose(ConsentService(story.gateway).view_link(token))
    assert [(proof.state, proof.end_code) for proof in proofs(story)] == [("unproven", None)]


def test_only_a_browser_that_may_see_the_accounts_proves_them(story: Story) -> None:
    other_holder(story)
    token = tick(story)
    (proof,) = proofs(story)
    steps = ProofSteps(story.gateway)
    with pytest.raises(OtherBrowser):
        steps.waiting(token, browser_secret="another browser")
    with pytest.raises(OtherBrowser):
        steps.prove(token, proof.id, browser_secret="another browser", relation=Relation.OWNER, psu=PSU)
    another = tick(story)
    with pytest.raises(ProofNotFound):
        steps.leave_out(another, proof.id, browser_secret=BROWSER)


def test_nobody_proves_it_within_14_days_and_it_is_left_out(story: Story) -> None:
    other_holder(story)
    tick(story)
    story.sleep(days=LIFE.days - 1)
    assert OperatorProofs(story.gateway).lapse() == 0
    story.sleep(days=1)
    assert [OperatorProofs(story.gateway).lapse() for _ in range(2)] == [1, 0]
    assert [(proof.state, proof.end_code) for proof in proofs(story)] == [("ended", "lapsed")]
    assert timedelta(days=14) == LIFE


def test_the_end_of_the_permission_is_the_end_of_what_waits(story: Story) -> None:
    other_holder(story)
    tick(story)
    (proof,) = proofs(story)
    ConsentService(story.gateway).revoke(story.act, proof.consent_id)
    assert [(row.state, row.end_code) for row in proofs(story)] == [("ended", "consent_over")]
    with pytest.raises(ProofOver):
        OperatorProofs(story.gateway).prove(story.act, proof.id, reason="extract of the register")


def test_the_move_that_was_chosen_with_it_is_asked_for_once_it_is_proven(story: Story) -> None:
    """OFF-05."""
    other_holder(story)
    story.choose(story.authorise(), move_on=story.act.today)
    (proof,) = proofs(story)
    OperatorProofs(story.gateway).prove(story.act, proof.id, reason="extract of the register")
    (account,) = story.accounts()
    assert account.takes_over_on == story.act.today


@contextmanager
def commands(story: Story, monkeypatch: pytest.MonkeyPatch) -> Iterator[CliRunner]:
    @contextmanager
    def opened(_settings: object) -> Iterator[Gateway]:
        yield story.gateway

    with monkeypatch.context() as patch:
        patch.setattr("gateway.proofs_cli.runtime.opened_gateway", opened)
        yield CliRunner()


def test_an_operator_proves_or_refuses_it_by_a_command(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    other_holder(story)
    for _ in range(2):
        tick(story)
    with commands(story, monkeypatch) as runner:
        listed = json.loads(runner.invoke(proof_commands, ["list", "--json"]).stdout)
        assert [(row["client"], row["holder"], row["doubt"]) for row in listed] == [
            (story.client.name, STRANGER, "other_holder")
        ] * 2
        assert len(listed[0]["iban_end"]) == 4
        refused = runner.invoke(proof_commands, ["refuse", listed[0]["id"]])
        assert (refused.exit_code, refused.stdout) == (0, "Left out.\n")
        told = runner.invoke(proof_commands, ["accept", listed[1]["id"], "--reason", "extract of the register"])
        assert told.exit_code == 0, told.output
        assert runner.invoke(proof_commands, ["list"]).stdout == "No account waits.\n"
    (account,) = story.accounts()
    assert encode("account", account.id) in told.stdout
    assert [(proof.state, proof.proven_by, proof.reason) for proof in proofs(story)] == [
        ("ended", None, None), ("new", "operator", "extract of the register"),
    ]  # fmt: skip

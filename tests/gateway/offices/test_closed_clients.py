"""OFF-03: what a suspended and a closed client refuse, walked over every operation that writes.

An operation that is new fails `test_every_writing_operation_is_sorted` until somebody says what it does to a client
that is closed: refuse (`OF_A_CLIENT`), or not be about a client (`OF_NO_CLIENT`, with the reason).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from gateway.account_sources.files import BankFileService
from gateway.act import Act
from gateway.addresses.service import AddressService
from gateway.api import current_act
from gateway.assembly import Gateway
from gateway.consents.models import Consent
from gateway.foreign_files.reading import SentFile
from gateway.foreign_files.service import HandoverService, TypedNumbering
from gateway.identity.rights import ClientRole, OfficeRole
from gateway.ids import encode, new_id
from gateway.offices.models import Client, ClientState
from gateway.offices.service import ClientService
from gateway.profiles.service import KnownAccountService
from gateway.statement_uploads.service import StatementUploadService
from gateway.statements.models import Statement
from gateway.transactions.absorb import Window
from gateway.transactions.merging import Merger, Reading
from gateway.transactions.models import BankTransaction
from gateway.transactions.sync import SyncService
from tests.gateway.bank_to_coda.shelf import form
from tests.gateway.builders import NOW, act_of_system
from tests.gateway.foreign_files.files import bank_file
from tests.gateway.payments.scene import ALL, Scene, make_scene
from tests.gateway.serving import app_of
from tests.gateway.statement_uploads.files import Stated, as_mt940
from tests.gateway.test_every_route import OPERATIONS, Operation, body_of, scene_ids, waiting_review

OF_A_CLIENT: Final = frozenset(
    {
        *(f"put_{kind}_metadata" for kind in ("client", "account", "consent", "basket", "payment")),
        "put_client_settings", "create_number_change", "create_registry_confirmation",
        "put_client", "put_client_services", "create_client_move", "patch_client_addresses", "create_address_decision",
        "create_consent", "create_consent_revocation", "create_account_reauthorisation",
        "create_renewal_link", "create_consent_invitation",
        "create_traffic_recording",
        "create_chain_restart", "create_import_refusal", "create_withdrawal",
        "create_source_switch", "create_bank_files", "create_bank_file_set_aside",
        "create_numbering_files", "create_numbering_handover", "confirm_numbering_handover",
        "create_statement_upload", "confirm_statement_upload",
        "patch_account", "create_sync", "create_known_account", "patch_known_account", "delete_known_account",
        "put_transaction_labels", "create_review_decision", "create_mapping_application", "create_test_event",
        "create_basket", "add_payments", "edit_payment", "cancel_payment", "cancel_basket", "change_dates",
        "submit_basket", "withdraw_basket", "put_payment_settings",
        "create_decision", "create_decisions", "create_exports",
        "create_approval_rule", "put_approval_rule", "create_approver_group", "put_approver_group",
        "put_approval_settings",
        "create_role", "end_role", "create_invitation", "send_invitation_again", "end_invitation",
        "create_proposal", "confirm_proposal", "withdraw_proposal",
    }
)  # fmt: skip
"""Operations that change something of a client: 409 `client_closed`."""
OF_NO_CLIENT: Final[dict[str, str]] = {
    "put_client_state": "reopens it, or refuses the step: tests below",
    "move_test_clock": "the office's clock",
    **dict.fromkeys(("create_takeover_list", "create_takeover_list_file"), "judges a list and changes nothing"),
    "put_office_services": "the office's own switches",
    **dict.fromkeys(
        ("put_office", "put_office_logo", "delete_office_logo", "put_office_template"), "the office's own settings"
    ),
    "create_template_application": "a result per client, never 409: test_office_settings.py",
    "create_client_import": "checks a file; a row of a closed client is invalid: tests/gateway/imports",
    "patch_client_import_row": "as above",
    "create_client_import_run": "as above",
    "create_client_import_undo": "takes back for clients without anything: tests/gateway/imports",
    "create_client_group": "who of the office sees which clients",
    "put_client_group": "as above",
    "delete_client_group": "as above",
    "put_user_clients": "as above",
    "create_audit_bundle": "a copy for reading",
    "create_traffic_recording_end": "stops and erases what was recorded",
    "create_traffic_replay": "reads what was recorded, and changes nothing",
    "create_erasure": "a person, not a client",
    "create_enrolment_code": "a person's second factor",
    "create_second_factor_reset": "as above",
    "create_decision_challenge": "a question to a passkey; the decision that carries the answer is refused",
    "create_decision_signature": "as above",
    "cancel_job": "a job of the office",
    "create_bank_request": "a bank, not a client",
    **dict.fromkeys(
        ("create_credential", "revoke_credential", "create_application", "revoke_application",
         "create_application_secret", "revoke_application_secret", "create_access_token", "create_oidc_provider",
         "delete_oidc_provider"), "machines and sign-in of the office",
    ),
    **dict.fromkeys(
        ("create_webhook_endpoint", "patch_webhook_endpoint", "delete_webhook_endpoint", "rotate_webhook_secret",
         "test_webhook_endpoint", "replay_webhook_events", "replay_webhook_delivery"), "webhooks of the office",
    ),
    **dict.fromkeys(
        ("create_session", "end_session", "end_one_session", "end_other_sessions", "confirm_second_factor",
         "switch_office", "create_passkey", "create_passkey_registration", "create_passkey_challenge",
         "create_passkey_session", "create_passkey_confirmation", "confirm_with_passkey", "delete_passkey",
         "create_recovery_codes", "put_password", "create_password_reset", "answer_password_reset",
         "create_email_change", "answer_email_change", "delete_oidc_link", "create_assertion_link"),
        "one's own sign-in",
    ),
}  # fmt: skip
"""Operations that write and are not about a client, each with the reason."""
GOES_ON_SUSPENDED: Final = frozenset(
    {
        "put_client", "create_address_decision", "create_consent_revocation", "create_test_event",
        "create_role", "end_role", "create_invitation", "send_invitation_again", "end_invitation",
        "create_proposal", "confirm_proposal", "withdraw_proposal",
    }
)  # fmt: skip
"""What a suspension leaves possible: people, what waits for a second one, and stopping a permission."""
REFUSED_PENDING: Final = frozenset(
    {"create_sync", "submit_basket", "create_decision", "create_decisions", "create_exports"}
)
"""What a pending client may not do yet: everything else sets it up."""


def test_every_writing_operation_is_sorted() -> None:
    writing = {name for name, operation in OPERATIONS.items() if operation.method != "GET"}
    assert writing - OF_A_CLIENT - OF_NO_CLIENT.keys() == set(), "what do they do to a closed client?"
    assert OF_A_CLIENT & OF_NO_CLIENT.keys() == set()


@dataclass
class Place:
    """A client with something of everything, and somebody who may do everything."""

    scene: Scene
    http: TestClient
    ids: dict[str, str]
    acting: dict[str, Act] = field(default_factory=dict)

    def call(self, operation: Operation) -> Any:
        body = body_of(operation.name, self.ids)
        if operation.name == "put_client":
            body = {"name": "Anders BV", "enterprise_number": self.scene.client.enterprise_number}
        if operation.name in ("create_consent", "create_known_account"):
            body = {**body, "client_id": self.ids["client_id"]}
        headers = {"If-Match": '"1"', "Idempotency-Key": str(new_id())}
        return self.http.request(operation.method, operation.at(self.ids), json=body, headers=headers)

    def move(self, state: ClientState) -> None:
        ClientService(self.scene.gateway).change_state(act_of_system(self.scene.office), self.scene.client.id, state)

    def consents(self) -> list[Consent]:
        with self.scene.gateway.database.unit_of_work(self.scene.office.id) as session:
            return list(session.exec(select(Consent)))


@pytest.fixture
def place(gateway: Gateway) -> Iterator[Place]:
    scene = make_scene(gateway)
    scene.group("board", "first", "second")
    account, office, client = scene.accounts[0], scene.office, scene.client
    system = act_of_system(office)
    with gateway.database.unit_of_work(office.id) as session:
        consent = Consent(
            id=new_id(), office_id=office.id, client_id=client.id, bank_id="crelan", state="valid", state_since=NOW,
            language="nl", link_cipher=b"", link_expires_at=NOW, created_at=NOW, valid_until=date(2027, 1, 1),
        )  # fmt: skip
        session.add(consent)
        session.flush()
        held = session.merge(account)
        held.consent_id, held.bank_account_id = consent.id, "x"
        session.add(held)
        row = form(date(2026, 11, 20), Decimal("10.00"), "row")
        Merger(gateway, session, system).absorb(
            held, Reading(Window(date(2026, 11, 1), date(2026, 11, 21)), [row]), seen_at=NOW
        )
        session.flush()
        transaction_id = session.exec(select(BankTransaction.id)).one()
        statement = Statement(
            id=new_id(), office_id=office.id, account_id=account.id, client_id=client.id, day=date(2026, 11, 20),
            state="issued", currency="EUR", opening_balance=Decimal(0), closing_balance=Decimal("10.00"),
            entries_count=1, credit_total=Decimal("10.00"), debit_total=Decimal(0), year=2026, number=1,
        )  # fmt: skip
        session.add(statement)
    known = KnownAccountService(gateway).add(system, client.id, iban="BE12310291417792", wanted={})
    AddressService(gateway).change(system, client.id, {"contact_email": "an@example.test"})
    (waiting,), _ = AddressService(gateway).page(system, ALL)
    content = bank_file(account.iban, date(2026, 11, 20), number=1, opening=Decimal(0), amounts=[Decimal(1)])
    (made,), _ = BankFileService(gateway).upload(system, account.id, [SentFile("a.cod", content)])
    typed = TypedNumbering(known.iban, "EUR", 7, date(2026, 11, 20), Decimal("10.00"))
    handover = HandoverService(gateway).type_in(system, client.id, typed)
    stated = Stated(account.iban, date(2026, 11, 19), Decimal(0), date(2026, 11, 20))
    sent = StatementUploadService(gateway).upload(system, client.id, [SentFile("a.sta", as_mt940(stated))])
    ids = {
        "client_id": encode("client", client.id),
        "upload_id": encode("statement_upload", sent.row.id),
        "bank_file_id": encode("bank_file", made.row.id),
        "handover_id": encode("numbering_handover", handover.id),
        "account_id": encode("account", account.id),
        "consent_id": encode("consent", consent.id),
        "transaction_id": encode("transaction", transaction_id),
        "statement_id": encode("statement", statement.id),
        "review_item_id": waiting_review(gateway, account),
        "known_account_id": encode("known_account", known.id),
        "address_change_id": encode("address_change", waiting.change.id),
        "office_id": encode("office", office.id),
        "passkey_challenge_id": encode("passkey_challenge", new_id()),
    } | scene_ids(scene)
    everybody = scene.person("everybody", OfficeRole.ADMIN, *(set(ClientRole) - {ClientRole.AUDITOR}))
    with_roles = scene.act("everybody")
    assert everybody.id == with_roles.principal.id
    app = app_of(gateway)
    app.dependency_overrides[current_act] = lambda: with_roles
    with TestClient(app, raise_server_exceptions=False) as http:
        yield Place(scene, http, ids)


def test_a_closed_client_refuses_every_write_and_can_be_read(place: Place) -> None:
    """OFF-03: closed, every write gets 409 `client_closed`; reading goes on."""
    place.move(ClientState.CLOSED)
    faults = []
    for name in sorted(OF_A_CLIENT):
        answer = place.call(OPERATIONS[name])
        told = answer.json()
        code = told["items"][0].get("code") if name == "create_decisions" else told.get("code")
        if code != "client_closed" or (answer.status_code != 409 and name != "create_decisions"):
            faults.append(f"{name}: {answer.status_code} {answer.text[:160]}")
    for path in _reads(place):
        answer = place.http.get(path)
        if answer.status_code != 200:
            faults.append(f"{path}: {answer.status_code} {answer.text[:160]}")
    export = place.http.get(f"/v1/exports/{place.ids['export_id']}/content")
    assert export.json()["code"] == "client_closed"
    assert not faults, "\n".join(faults)


def test_a_suspended_client_moves_no_money_and_can_be_read(place: Place) -> None:
    """OFF-03: no syncs, submissions, decisions, exports or downloads of payment files; reading goes on."""
    place.move(ClientState.SUSPENDED)
    faults = []
    for name in sorted(OF_A_CLIENT - GOES_ON_SUSPENDED):
        answer = place.call(OPERATIONS[name])
        told = answer.json()
        code = told["items"][0].get("code") if name == "create_decisions" else told.get("code")
        if code != "client_suspended":
            faults.append(f"{name}: {answer.status_code} {answer.text[:160]}")
    for path in _reads(place):
        answer = place.http.get(path)
        if answer.status_code != 200:
            faults.append(f"{path}: {answer.status_code} {answer.text[:160]}")
    export = place.http.get(f"/v1/exports/{place.ids['export_id']}/content")
    assert export.json()["code"] == "client_suspended"
    assert not faults, "\n".join(faults)


def test_a_pending_client_can_be_set_up_and_moves_nothing(place: Place) -> None:
    """OFF-03: no readings, submissions, decisions, exports or downloads of payment files before it is active."""
    with place.scene.gateway.database.unit_of_work(place.scene.office.id) as session:
        client = session.get_one(Client, place.scene.client.id)
        client.state = ClientState.PENDING
        session.add(client)
    for path in _reads(place):
        assert place.http.get(path).status_code == 200, path
    export = place.http.get(f"/v1/exports/{place.ids['export_id']}/content")
    assert export.json()["code"] == "client_pending"
    # Those that are refused first: they change nothing for the others.
    names = [*sorted(REFUSED_PENDING), *sorted(OF_A_CLIENT - REFUSED_PENDING)]
    refused = {name for name in names if '"client_pending"' in place.call(OPERATIONS[name]).text}
    assert refused == REFUSED_PENDING


def test_closing_ends_every_consent_and_only_an_admin_reopens(place: Place) -> None:
    """OFF-03: consents revoked, tokens destroyed; reopened, the client has none; staff may not reopen."""
    place.move(ClientState.CLOSED)
    assert [(row.state, row.tokens_cipher) for row in place.consents()] == [("revoked", None)]
    waiting, _ = AddressService(place.scene.gateway).page(act_of_system(place.scene.office), ALL)
    assert {view.change.state for view in waiting} == {"replaced"}
    staff = place.scene.person("staff", OfficeRole.STAFF)
    assert staff
    with pytest.raises(Exception, match="not_allowed"):
        ClientService(place.scene.gateway).change_state(
            place.scene.act("staff"), place.scene.client.id, ClientState.ACTIVE
        )
    place.move(ClientState.ACTIVE)
    assert [row.state for row in place.consents()] == ["revoked"]


def test_a_reading_under_way_is_not_taken_in_once_the_client_is_suspended(place: Place) -> None:
    """OFF-03: suspending works at once, for jobs too."""
    gateway, office = place.scene.gateway, place.scene.office
    sync = SyncService(gateway).request(act_of_system(office), place.scene.accounts[0].id)
    place.move(ClientState.SUSPENDED)
    SyncService(gateway).run(office.id, sync.id)
    done = SyncService(gateway).get(act_of_system(office), sync.id)
    assert (done.state, done.error_code) == ("failed", "client_not_active")


def _reads(place: Place) -> list[str]:
    names = (
        "get_client", "get_client_addresses", "get_consent", "get_account", "get_known_account", "list_balances",
        "list_days", "get_transaction", "get_review_item", "get_basket", "get_payment", "get_export",
        "get_approval_rule",
        "get_approver_group", "get_payment_settings", "get_approval_settings", "get_proposal", "get_invitation",
    )  # fmt: skip
    return [OPERATIONS[name].at(place.ids) for name in names]

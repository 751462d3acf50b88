"""Law 5 on every route of the API: no sign-in 401, no right 403, another office's ids 404 like ids that nobody has."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from ipaddress import ip_network
from typing import Any

import pytest
from sqlmodel import col, select
from starlette.testclient import TestClient

from connectors.model import RejectedRow
from connectors.simulator import SimulatorServer
from gateway.account_sources.files import BankFileService
from gateway.accounts.models import Account
from gateway.addresses.service import AddressService
from gateway.app import create_app
from gateway.assembly import Gateway
from gateway.audit.bundles import BundleService, BundleWish
from gateway.client_groups.repository import ClientGroupRepository
from gateway.consents.models import ConsentEvidence
from gateway.foreign_files.reading import SentFile
from gateway.foreign_files.service import HandoverService, TypedNumbering
from gateway.identity.endpoints import PUBLIC_OPERATIONS
from gateway.identity.people import roles_in
from gateway.identity.rights import SCOPE_PERMISSIONS, ClientRole, OfficeRole, PrincipalKind
from gateway.identity.service import IdentityService
from gateway.ids import PREFIXES, encode, new_id
from gateway.imports.service import ImportService
from gateway.jobs.service import JobService
from gateway.machines.applications import ApplicationService
from gateway.machines.service import MachineService
from gateway.offices.models import Office
from gateway.people.invitations import InvitationService, InvitationWish
from gateway.profiles.service import KnownAccountService
from gateway.proposals.service import ProposalService
from gateway.statement_uploads.service import StatementUploadService
from gateway.traffic.service import TrafficService
from gateway.transactions.models import ReviewItem
from gateway.transactions.review_list import ReviewList
from gateway.webhooks.service import WebhookService
from tests.gateway.bank_to_coda.conftest import banks, linked, running_banks
from tests.gateway.bank_to_coda.story import Story
from tests.gateway.builders import PASSWORD, act_of_system, make_client, make_office, make_person
from tests.gateway.foreign_files.files import bank_file
from tests.gateway.payments.scene import ALL, make_scene
from tests.gateway.serving import app_of
from tests.gateway.statement_uploads.files import Stated, as_mt940

__all__ = ["banks", "linked", "running_banks"]

EVERYONE = {"get_me", "get_office", "get_office_logo", "get_test_clock", "list_banks", "list_jobs"}
"""Operations that need a sign-in and no particular right."""
OF_PERSONS = {
    "create_approval_rule", "put_approval_rule", "create_approver_group", "put_approver_group",
    "put_approval_settings", "create_application_secret",
    "create_decision", "create_decisions", "create_exports", "get_export_content",
    "create_erasure", "create_role", "end_role", "create_proposal", "confirm_proposal", "withdraw_proposal",
    "create_invitation", "send_invitation_again", "end_invitation", "create_address_decision", "create_client_move",
    "create_second_factor_reset", "create_enrolment_code", "create_chain_restart",
    "create_import_refusal", "create_withdrawal",
}  # fmt: skip
"""Operations that a machine is refused for what it is, whatever its scopes."""
OF_PERSONS |= {
    "end_session", "end_one_session", "end_other_sessions", "list_sessions", "confirm_second_factor", "switch_office",
    "create_passkey_registration", "create_passkey", "list_passkeys", "delete_passkey", "create_passkey_confirmation",
    "confirm_with_passkey", "get_second_factors", "create_recovery_codes", "put_password", "create_email_change",
    "create_decision_challenge", "create_decision_signature",
    "create_oidc_provider", "delete_oidc_provider", "get_oidc_links", "delete_oidc_link",
}  # fmt: skip


OF_AUDITORS = {
    "list_audit_entries", "get_audit_chain", "list_audit_checkpoints", "list_rights", "list_approval_rule_versions",
    "get_object_state", "list_audit_bundles", "list_events",
}  # fmt: skip
"""Operations that the idle credential, which may read the audit chain, is not refused."""


@dataclass
class House:
    """Two offices: one with everything in it, and another that must see none of it."""

    client: TestClient
    ids: dict[str, str]
    own_token: str
    idle_token: str
    strangers: dict[str, str]

    def call(self, method: str, path: str, token: str | None, body: Any = None, **headers: str) -> Any:
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if method == "POST":
            headers["Idempotency-Key"] = str(new_id())
        return self.client.request(method, path, json=body, headers=headers)


@dataclass(frozen=True)
class Operation:
    """One operation as the description shows it."""

    name: str
    method: str
    path: str
    queries: tuple[str, ...]

    @property
    def has_id(self) -> bool:
        return "{" in self.path.replace("{language}", "")

    def at(self, ids: dict[str, str]) -> str:
        return self.path.format_map({"language": "nl", **ids})


def operations() -> Iterator[Operation]:
    described = create_app(None).openapi()  # type: ignore[arg-type]  # describing needs no installation
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            queries = tuple(p["name"] for p in operation.get("parameters", ()) if p["in"] == "query")
            yield Operation(operation["operationId"], method.upper(), path, queries)


TEMPLATE = {
    "services": ["transactions", "coda", "payments"],
    "portal": {"show_transactions": True, "show_coda": True, "prepare_while_processing": True},
}
OPERATIONS = {operation.name: operation for operation in operations()}


def body_of(operation: str, ids: dict[str, str]) -> Any:
    """A body that passes the shape, speaking of `ids`."""
    money = {"amount": "10.00", "currency": "EUR"}
    payment = {
        "debtor_account_id": ids["account_id"],
        "creditor": {"name": "Drukkerij Voorbeeld BV", "iban": "BE12310291417792"},
        "amount": money,
        "remittance": {"kind": "unstructured", "text": "Factuur 2026-118"},
    }
    rule = {"name": "Rule", "approvers": [{"group_id": ids["group_id"]}]}
    decision = {"verdict": "approve"}
    bodies: dict[str, Any] = {
        "create_client_import": [{"name": "Bakkerij Voorbeeld BV", "external_id": "p-1"}],
        "patch_client_import_row": {"cells": {}},
        "create_source_switch": {"source": "codabox", "from_day": "2026-11-02"},
        "create_numbering_handover": {
            "client_id": ids["client_id"],
            "iban": "BE12310291417792",
            "number": 7,
            "closing_date": "2026-11-02",
            "closing_balance": money,
        },
        "create_session": {"email": "a@example.test", "password": "x" * 12},
        "confirm_second_factor": {"code": "000000"},
        "switch_office": {"office_id": ids["office_id"]},
        "create_passkey": {"challenge_id": ids["passkey_challenge_id"], "credential": {}, "name": "Laptop"},
        "create_decision_challenge": {"decision": "approve", "items": [{"payment_id": ids["payment_id"], "seal": "x"}]},
        "create_decision_signature": {"challenge_id": ids["passkey_challenge_id"], "credential": {}},
        "confirm_with_passkey": {"challenge_id": ids["passkey_challenge_id"], "credential": {}},
        "put_password": {"current_password": "x" * 12, "password": "y" * 12},
        "create_email_change": {"email": "a@example.test"},
        "create_oidc_provider": {"name": "IdP", "issuer": "https://login.example.be", "client_id": "sluis"},
        "create_credential": {"name": "Portal", "scopes": ["coda"]},
        "create_application": {"name": "Portal", "scopes": ["coda"]},
        "create_assertion_link": {"assertion": "a.b.c"},
        "put_client": {"name": "Bakkerij Voorbeeld BV", "external_id": "p-1"},
        "put_client_state": {"state": "suspended"},
        "create_number_change": {
            "enterprise_number": "0477472701",
            "reason": "start_up",
            "document": "JVBERi0xLjcK",
        },
        "create_import_refusal": {"message": "Volgnummer 045 verwacht"},
        "create_withdrawal": {"next_number": 45},
        "create_chain_restart": {"day": "2026-11-20", "balance": money, "document": "JVBERi0xLjcK"},
        "put_office": {"name": "Kantoor Test", "language": "nl"},
        "put_office_template": TEMPLATE,
        "create_template_application": {
            "client_ids": [ids["client_id"]],
            "parts": ["services"],
            "template_version": 0,
            "dry_run": True,
        },
        "put_client_settings": {"numbering": {}, "reminders": {}},
        "put_office_services": {"services": ["transactions", "coda", "payments"]},
        "put_client_services": {
            "services": ["transactions", "coda", "payments"],
            "portal": {"show_transactions": True, "show_coda": True, "prepare_while_processing": True},
        },
        "move_test_clock": {"advance_days": 0},
        "put_transaction_labels": {"labels": ["rent"]},
        "create_consent": {"client_id": ids["client_id"], "bank_id": "crelan"},
        "create_bank_request": {"name": "Bank Voorbeeld"},
        "patch_account": {"alias": "Stolen"},
        "create_client_move": {"move_on": "2099-01-01"},
        "patch_client_addresses": {"contact_email": "an@example.test"},
        "create_address_decision": {"verdict": "confirm", "change_ids": [ids["address_change_id"]]},
        "create_known_account": {"client_id": ids["client_id"], "iban": "BE34103071423390"},
        "patch_known_account": {"alias": "Stolen"},
        "create_basket": {"client_id": ids["client_id"], "name": "Basket"},
        "add_payments": {"items": [payment]},
        "change_dates": {"payment_ids": [ids["payment_id"]], "execution_date": {"choice": "today"}},
        "submit_basket": {},
        "create_exports": {},
        "edit_payment": {"amount": money},
        "put_payment_settings": {},
        "create_approval_rule": rule,
        "put_approval_rule": rule,
        "create_approver_group": {"name": "Group", "user_ids": []},
        "put_approver_group": {"name": "Group", "user_ids": []},
        "put_approval_settings": {"is_payment_process_on": False},
        "create_role": {"role": "viewer", "client_id": ids["client_id"]},
        "put_user_clients": {"client_ids": []},
        "create_invitation": {
            "email": "an@example.test",
            "first_name": "An",
            "last_name": "Peeters",
            "roles": ["viewer"],
            "client_id": ids["client_id"],
        },
        **{
            f"put_{kind}_metadata": {"metadata": {"dossier": "1"}}
            for kind in ("client", "account", "consent", "basket", "payment")
        },
        "create_client_group": {"name": "Horeca"},
        "create_traffic_recording": {"reason": "Structured references are missing"},
        "put_client_group": {"name": "Horeca"},
        "create_proposal": {
            "kind": "role.grant",
            "object_id": ids["user_id"],
            "client_id": ids["client_id"],
            "content": {"role": "approver"},
        },
        "create_review_decision": {"decision": "leave_out"},
        "create_mapping_application": {"date_from": "2026-11-01", "date_until": "2026-11-02", "seal": "0" * 64},
        "create_test_event": {"type": "statement.issued", "client_id": ids["client_id"]},
        "create_webhook_endpoint": {"url": "https://127.0.0.1/hooks"},
        "patch_webhook_endpoint": {"description": "Stolen"},
        "replay_webhook_events": {"since": "2026-11-21T08:15:00Z"},
        "create_erasure": {"user_id": ids["user_id"]},
        "create_audit_bundle": {"client_ids": [ids["client_id"]], "from": "2026-01-01", "until": "2026-01-02"},
        "create_decision": decision,
        "create_decisions": {"items": [{**decision, "payment_id": ids["payment_id"], "seal": "v1:0"}]},
    }
    return bodies.get(operation, {} if OPERATIONS[operation].method in ("POST", "PUT") else None)


def waiting_review(gateway: Gateway, account: Account) -> str:
    """A row that nobody could read, on the review list of an account."""
    with gateway.database.unit_of_work(account.office_id) as session:
        held = session.get_one(Account, account.id)
        row = RejectedRow("amount_missing", {"text": "x"})
        ReviewList(session, gateway.keys, held).note_rejected(row, None, at=held.created_at)
        return encode("review_item", session.exec(select(ReviewItem.id)).one())


@pytest.fixture
def house(linked: Gateway, banks: SimulatorServer) -> Iterator[House]:
    story = Story.begin(linked, banks)
    account = story.connect()
    assert account.consent_id is not None
    recording = TrafficService(linked).start(
        story.act, account.consent_id, reason="every route", days=1, calls_max=100, megabytes_max=1
    )
    sync = story.read(account)
    story.work()
    (reading,) = TrafficService(linked).get(story.act, recording.id).readings
    story.sleep()
    story.read(story.account(account.id))
    statement = story.statements("issued")[0]
    office = story.office
    with linked.database.unit_of_work(office.id) as session:
        evidence_id = session.exec(select(ConsentEvidence.id).order_by(col(ConsentEvidence.id))).first()
    assert evidence_id is not None, "accounts were connected"

    scene = make_scene(linked)
    scene.group("board", "first", "second")
    ids = {
        "office_id": encode("office", office.id),
        "number_change_id": encode("number_change", new_id()),
        "document_id": encode("bank_document", new_id()),
        "session_id": encode("session", new_id()),
        "passkey_id": encode("passkey", new_id()),
        "passkey_challenge_id": encode("passkey_challenge", new_id()),
        "oidc_provider_id": encode("oidc_provider", new_id()),
        "client_id": encode("client", story.client.id),
        "account_id": encode("account", account.id),
        "consent_id": encode("consent", account.consent_id or new_id()),
        "sync_id": encode("sync", sync.id),
        "recording_id": encode("traffic_recording", recording.id),
        "reading_id": encode("recorded_reading", reading.id),
        "statement_id": encode("statement", statement.id),
        "transaction_id": encode("transaction", story.transactions()[0].id),
        "review_item_id": waiting_review(linked, account),
        "evidence_id": encode("consent_evidence", evidence_id),
    }
    identity, machines = IdentityService(linked), MachineService(linked)
    credential, own_token = machines.create_credential(
        act_of_system(office, now=linked.real_now()), name="own", scopes=list(SCOPE_PERMISSIONS)
    )
    with linked.database.unit_of_work(office.id) as session:
        job = JobService(linked).start(session, act_of_system(office, now=linked.real_now()), kind="client_import")
    ids["job_id"] = encode("job", job.id)
    ids |= webhook_ids(linked, office)
    known = KnownAccountService(linked).add(
        act_of_system(office, now=linked.real_now()), story.client.id, iban="BE12310291417792", wanted={}
    )
    ids["known_account_id"] = encode("known_account", known.id)
    content = bank_file(account.iban, story.act.today, number=1, opening=Decimal(0), amounts=[Decimal(1)])
    (made,), _ = BankFileService(linked).upload(story.act, account.id, [SentFile("a.cod", content)])
    ids["bank_file_id"] = encode("bank_file", made.row.id)
    stated = Stated(account.iban, story.act.today - timedelta(days=2), Decimal(0), story.act.today - timedelta(days=1))
    sent = StatementUploadService(linked).upload(story.act, story.client.id, [SentFile("a.sta", as_mt940(stated))])
    ids["upload_id"] = encode("statement_upload", sent.row.id)
    typed = TypedNumbering("BE12310291417792", "EUR", 7, story.act.today, Decimal("10.00"))
    ids["handover_id"] = encode(
        "numbering_handover", HandoverService(linked).type_in(story.act, story.client.id, typed).id
    )
    addresses = AddressService(linked)
    addresses.change(
        act_of_system(office, now=linked.real_now()), story.client.id, {"contact_email": "an@example.test"}
    )
    (waiting,), _ = addresses.page(act_of_system(office, now=linked.real_now()), ALL)
    ids["address_change_id"] = encode("address_change", waiting.change.id)
    imported = ImportService(linked).create(
        act_of_system(office, now=linked.real_now()), b"Naam;External id\nBakkerij Voorbeeld BV;p-1"
    )
    ids["import_id"] = encode("client_import", imported.client_import.id)
    ids["number"] = "2"
    _, idle_token = machines.create_credential(
        act_of_system(scene.office, now=linked.real_now()), name="idle", scopes=["audit"]
    )
    ids["credential_id"] = encode("credential", credential.id)
    application, secret, _ = ApplicationService(linked).create(
        act_of_system(office, now=linked.real_now()), name="own", scopes=["coda"]
    )
    ids["application_id"] = encode("application", application.id)
    ids["secret_id"] = encode("application_secret", secret.id)
    wish = BundleWish(client_ids=[story.client.id], from_date=linked.real_now().date(), until_date=story.act.today)
    ids["bundle_id"] = encode("audit_bundle", BundleService(linked).request(story.act, wish).id)
    ids |= scene_ids(scene)

    other = make_office(linked, name="Ander kantoor")
    theirs = make_client(linked, other, now=linked.real_now())
    _, machine = machines.create_credential(
        act_of_system(other, now=linked.real_now()), name="stranger", scopes=list(SCOPE_PERMISSIONS)
    )
    person = make_person(linked, other, *OfficeRole, *ClientRole, client=theirs)
    signed_in = identity.sign_in(
        email=person.user.email, password=PASSWORD, code=person.code(linked.real_now()), source="test"
    )
    with TestClient(app_of(linked), raise_server_exceptions=False) as client:
        yield House(client, ids, own_token, idle_token, {"machine": machine, "person": signed_in.token})


def webhook_ids(gateway: Gateway, office: Office) -> dict[str, str]:
    """A webhook of the office, with one delivery in its log."""
    installation = replace(
        gateway,
        settings=gateway.settings.model_copy(update={"allowed_private_networks": [ip_network("127.0.0.0/8")]}),
    )
    act = act_of_system(office, now=gateway.real_now())
    act = replace(act, principal=replace(act.principal, kind=PrincipalKind.MACHINE))
    service = WebhookService(installation)
    view = service.create(act, url="https://127.0.0.1/", description="", event_types=[], client_ids=[])
    service.test(act, view.endpoint.id)
    (delivery,), _ = service.deliveries(act, ALL)
    return {
        "endpoint_id": encode("webhook_endpoint", view.endpoint.id),
        "delivery_id": encode("webhook_delivery", delivery.id),
    }


def scene_ids(scene: Any) -> dict[str, str]:
    """Ids of a basket on its way: payment approved and exported, rule, group."""
    group = scene.group("exporters", "first")
    rule = scene.rule("every payment", scene.user("first"))
    basket, payments = scene.submitted(scene.wish())
    scene.approve("first", *payments)
    (export,) = scene.export(basket)
    rule_id = getattr(rule, "rule_id", rule)
    assert ALL.limit
    person = scene.person("prospect", ClientRole.VIEWER)
    content = {"role": "exporter"}
    proposal = ProposalService(scene.gateway).propose(
        scene.act("administrator"), "role.grant", person.id, content, client_id=scene.client.id
    )
    wish = InvitationWish("an@example.test", "An", "Peeters", "nl", ["viewer"], scene.client.id)
    invited = InvitationService(scene.gateway).invite(scene.act("administrator"), wish)
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        (membership,) = [row for row in roles_in(session, scene.office.id, person.id) if row.role == "viewer"]
        everyone = ClientGroupRepository(session).everyone(scene.office.id)
    return {
        "basket_id": encode("basket", basket.id),
        "payment_id": encode("payment", payments[0].id),
        "export_id": encode("export", export.id),
        "group_id": encode("approver_group", group),
        "rule_id": encode("approval_rule", rule_id),
        "user_id": encode("user", person.id),
        "membership_id": encode("membership", membership.id),
        "proposal_id": encode("proposal", proposal.id),
        "client_group_id": encode("client_group", everyone.id),
        "invitation_id": encode("invitation", invited.invitation.id),
    }


def test_every_route_is_walked(house: House) -> None:
    """One walk over all routes: setting up two offices costs more than all the calls."""
    faults: list[str] = []
    nobody = {name: encode(kind_of(value), new_id()) if "_" in value else value for name, value in house.ids.items()}
    for operation, route in OPERATIONS.items():
        method, path = route.method, route.at(house.ids)
        body = body_of(operation, house.ids)
        match = {"If-Match": '"1"'}

        if operation not in PUBLIC_OPERATIONS:
            answer = house.call(method, path, None, body, **match)
            if answer.status_code != 401 or answer.json()["code"] != "not_signed_in":
                faults.append(f"{operation} without sign-in: {answer.status_code}")
            answer = house.call(method, path, "sluis_test_nobody", body, **match)
            if answer.status_code != 401:
                faults.append(f"{operation} with an unknown token: {answer.status_code}")

        if operation not in PUBLIC_OPERATIONS | EVERYONE and operation not in OF_AUDITORS:
            answer = house.call(method, path, house.idle_token, body, **match)
            wanted = {403, 404} if route.has_id else {403}
            if operation in {
                "create_basket",
                "create_consent",
                "create_decisions",
                "create_audit_bundle",
                "create_known_account",
            }:
                wanted = {403, 404}
            if answer.status_code not in wanted:
                faults.append(f"{operation} without the right: {answer.status_code} {answer.text[:200]}")

        for who, token in house.strangers.items():
            if route.has_id:
                answer = house.call(method, path, token, body, **match)
                missing = house.call(method, route.at(nobody), token, body_of(operation, nobody), **match)
                allowed = {403, 404} if operation in OF_PERSONS and who == "machine" else {404}
                if answer.status_code not in allowed:
                    faults.append(f"{operation} as a {who} of another office: {answer.status_code} {answer.text[:200]}")
                elif without_request(answer.json()) != without_request(missing.json()):
                    faults.append(f"{operation} tells a {who} a foreign id from a missing one")
            for parameter in route.queries:
                foreign = house.ids.get(parameter)
                if foreign is None:
                    continue
                answer = house.call(method, f"{route.at(house.ids)}?{parameter}={foreign}", token)
                if not (answer.status_code == 404 or gives_nothing(answer)):
                    faults.append(f"{operation}?{parameter} as a {who}: {answer.status_code} {answer.text[:200]}")
    assert not faults, "\n".join(faults)


def test_ids_in_bodies_are_checked_as_well(house: House) -> None:
    for who, token in house.strangers.items():
        for operation in ("create_consent", "create_basket"):
            route = OPERATIONS[operation]
            answer = house.call(route.method, route.path, token, body_of(operation, house.ids))
            assert answer.status_code == 404, f"{operation} as a {who}: {answer.text}"
        answer = house.call("POST", "/v1/decisions", token, body_of("create_decisions", house.ids))
        if who == "machine":
            assert answer.json()["code"] == "person_required"
        else:
            assert [item["code"] for item in answer.json()["items"]] == ["payment_not_found"]


def test_lists_of_another_office_are_empty(house: House) -> None:
    for operation, route in OPERATIONS.items():
        if (
            not operation.startswith("list_")
            or route.has_id
            or operation in {"list_banks", "list_clients"} | OF_PERSONS
        ):
            continue
        answer = house.call("GET", route.path, house.strangers["machine"])
        assert answer.status_code == 200, operation
        shown = {str(item.get("id")) for item in answer.json()["items"]}
        assert not shown & set(house.ids.values()), operation


def test_an_unknown_query_parameter_is_refused(house: House) -> None:
    answer = house.call("GET", "/v1/statements?acount_id=x", house.own_token)
    assert (answer.status_code, answer.json()["code"]) == (400, "query_unknown")
    assert answer.json()["errors"][0]["pointer"] == "/acount_id"


def kind_of(typed_id: str) -> str:
    prefix = typed_id.partition("_")[0]
    return next(kind for kind, known in PREFIXES.items() if known == prefix)


def gives_nothing(answer: Any) -> bool:
    """An empty list, or an archive that holds its manifest alone."""
    if answer.headers["Content-Type"] == "application/zip":
        with zipfile.ZipFile(io.BytesIO(answer.content)) as read:
            return read.namelist() == ["manifest.json"]
    return bool(answer.json().get("items") == [])


def without_request(problem: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in problem.items() if name != "request_id"}

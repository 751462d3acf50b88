"""OFF-08: the matrix role x operation, walked over every endpoint.

`OPERATIONS` classifies every operation of the API by what it asks for; an operation that is not there fails the test.
Whoever adds an operation adds a line. `ROLES` states what each role may, independently of the code's own table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import pytest
from starlette.testclient import TestClient

from gateway.act import Act
from gateway.api import current_act
from gateway.assembly import Gateway
from gateway.identity.rights import ClientRole, OfficeRole, Permission, PrincipalKind
from gateway.ids import encode, new_id
from tests.gateway.payments.scene import make_scene
from tests.gateway.serving import app_of
from tests.gateway.test_every_route import OPERATIONS as DESCRIBED
from tests.gateway.test_every_route import body_of, scene_ids

ANYBODY, NOBODY_SIGNED_IN, OWN_SESSION = "anybody signed in", "nobody signed in", "own session"

OPERATIONS: Final[dict[str, str]] = {
    # Signing in, and what is one's own: no role is asked for.
    **dict.fromkeys(
        ("create_session", "create_access_token", "create_passkey_challenge", "create_passkey_session",
         "create_password_reset", "answer_password_reset", "answer_email_change"), NOBODY_SIGNED_IN,
    ),
    **dict.fromkeys(
        ("end_session", "confirm_second_factor", "get_me", "list_sessions", "end_other_sessions", "end_one_session",
         "switch_office", "create_passkey_registration", "create_passkey", "list_passkeys", "delete_passkey",
         "create_passkey_confirmation", "confirm_with_passkey", "get_second_factors", "create_recovery_codes",
         "put_password", "create_email_change", "get_oidc_links", "delete_oidc_link", "create_assertion_link",
         "create_decision_challenge", "create_decision_signature"),
        OWN_SESSION,
    ),
    **dict.fromkeys(("get_office", "get_office_logo", "get_test_clock", "list_banks", "list_jobs"), ANYBODY),
    **{f"get_{kind}_metadata": permission for kind, permission in (
        ("client", "clients:read"), ("account", "accounts:read"), ("consent", "consents:read"),
        ("basket", "payments:read"), ("payment", "payments:read"))},
    **{f"put_{kind}_metadata": permission for kind, permission in (
        ("client", "clients:write"), ("account", "accounts:write"), ("consent", "consents:write"),
        ("basket", "payments:write"), ("payment", "payments:write"))},
    # Reading.
    **dict.fromkeys(("list_clients", "get_client", "get_office_template", "get_client_settings", "list_number_changes",
         "list_onboarding_checklists", "get_client_addresses", "list_address_changes"),
        "clients:read",
    ),
    **dict.fromkeys(("list_consents", "get_consent", "list_bank_requests", "list_consent_evidence",
                     "get_consent_evidence_content"),
                    "consents:read"),
    "get_monitor": "consents:read of the office",
    **dict.fromkeys(
        ("list_accounts", "get_account", "list_balances", "list_days", "get_sync", "get_call_budget"), "accounts:read"
    ),
    **dict.fromkeys(("list_known_accounts", "get_known_account", "list_client_moves"), "accounts:read"),
    **dict.fromkeys(("list_numbering_handovers", "get_numbering_handover", "list_source_switches"), "accounts:read"),
    **dict.fromkeys(("list_transactions", "get_transaction", "sync_transactions"), "transactions:read"),
    **dict.fromkeys(("list_statement_uploads", "get_statement_upload"), "transactions:read"),
    **dict.fromkeys(("list_review_items", "get_review_item", "get_mapping_differences"), "transactions:read"),
    **dict.fromkeys(("list_statements", "get_statement", "get_statement_content", "list_entries",
        "list_chain_restarts", "get_bank_document_content"), "statements:read"),
    **dict.fromkeys(("list_bank_files", "get_bank_file", "get_bank_file_content",
                     "get_shadow_comparison", "get_statement_archive", "get_joined_statements"), "statements:read"),
    **dict.fromkeys(
        ("list_baskets", "get_basket", "list_basket_payments", "list_payments", "get_payment", "get_payment_approval",
         "get_payment_settings", "list_exports", "get_export", "list_export_downloads"), "payments:read",
    ),
    **dict.fromkeys(
        ("list_approval_rules", "get_approval_rule", "list_approver_groups", "get_approver_group",
         "get_approval_settings", "get_signing_limit"), "rules:read",
    ),
    **dict.fromkeys(("list_approval_requests",), "payments:read"),
    **dict.fromkeys(
        ("list_audit_entries", "list_audit_checkpoints", "list_rights", "list_approval_rule_versions",
         "list_audit_bundles", "create_audit_bundle", "get_audit_bundle", "get_audit_bundle_content"), "audit:read",
    ),
    **dict.fromkeys(
        ("list_users", "get_user", "list_proposals", "get_proposal", "list_invitations", "get_invitation"),
        "users:read",
    ),
    **dict.fromkeys(("list_client_groups", "get_client_group"), "users:read of the office"),
    **dict.fromkeys(("get_audit_chain",), "audit:read of the office"),
    # Writing.
    **dict.fromkeys(("put_client",), "clients:write of the office"),
    **dict.fromkeys(("create_review_decision", "create_mapping_application"), "clients:write"),
    **dict.fromkeys(
        ("put_payment_settings", "put_client_settings", "create_registry_confirmation", "patch_client_addresses",
         "create_import_refusal", "create_withdrawal",
         "create_source_switch", "create_bank_files", "create_bank_file_set_aside",
         "create_numbering_files", "create_numbering_handover", "confirm_numbering_handover",
         "create_statement_upload", "confirm_statement_upload",
         "create_takeover_list", "create_takeover_list_file"),
        "clients:write",
    ),
    **dict.fromkeys(
        ("create_consent", "create_consent_revocation", "create_account_reauthorisation", "create_bank_request",
         "create_renewal_link", "create_consent_invitation"),
        "consents:write",
    ),
    **dict.fromkeys(
        ("patch_account", "create_sync", "create_known_account", "patch_known_account", "delete_known_account",
         "create_chain_restart"),
        "accounts:write",
    ),
    **dict.fromkeys(
        ("create_basket", "add_payments", "edit_payment", "cancel_payment", "cancel_basket", "change_dates",
         "submit_basket", "withdraw_basket"), "payments:write",
    ),
    # Deciding and administering.
    **dict.fromkeys(("create_decision",), "payments:approve"),
    **dict.fromkeys(("create_exports", "get_export_content"), "payments:export"),
    **dict.fromkeys(
        ("create_approval_rule", "put_approval_rule", "create_approver_group", "put_approver_group",
         "put_approval_settings"), "rules:write",
    ),
    **dict.fromkeys(
        ("create_role", "end_role", "create_invitation", "send_invitation_again", "end_invitation"), "users:write",
    ),
    **dict.fromkeys(
        ("put_client_state", "put_office_services", "put_client_services", "put_office", "put_office_logo",
         "delete_office_logo", "put_office_template", "create_template_application", "create_number_change",
         "get_number_change_document"),
        "admin",
    ),
    **dict.fromkeys(
        ("move_test_clock", "create_address_decision", "create_credential", "list_credentials", "revoke_credential",
         "create_client_group", "put_client_group", "delete_client_group", "put_user_clients", "create_erasure",
         "list_applications", "create_application", "revoke_application", "create_application_secret",
         "revoke_application_secret", "create_oidc_provider", "list_oidc_providers", "delete_oidc_provider",
         "create_webhook_endpoint", "list_webhook_endpoints", "get_webhook_endpoint", "patch_webhook_endpoint",
         "delete_webhook_endpoint", "rotate_webhook_secret", "test_webhook_endpoint", "replay_webhook_events",
         "list_webhook_deliveries", "get_webhook_delivery", "replay_webhook_delivery",
         "create_traffic_recording", "list_traffic_recordings", "get_traffic_recording",
         "create_traffic_recording_end", "get_recorded_reading", "create_traffic_replay"), "admin",
    ),
}  # fmt: skip
"""Operation to what it asks for: a permission, perhaps held for the whole office."""

ELSEWHERE: Final[dict[str, str]] = {
    "create_decisions": "a result per decision, never 403: tests/gateway/payments",
    "create_second_factor_reset": "who may depends on the person: tests/gateway/test_second_factor_reset.py",
    "create_enrolment_code": "as above",
    "create_proposal": "who may depends on the kind: tests/gateway/test_proposals.py",
    "confirm_proposal": "as above",
    "withdraw_proposal": "as above",
    "get_job": "jobs are shown to who started them: tests of jobs",
    "cancel_job": "as above",
    "put_transaction_labels": "tests of transactions",
    "list_events": "shows what the caller may read: tests/gateway/events",
    "create_test_event": "asks for the client too: tests/gateway/events",
    **dict.fromkeys(
        (
            "get_client_import_template",
            "create_client_import",
            "list_client_imports",
            "get_client_import",
            "list_client_import_rows",
            "patch_client_import_row",
            "create_client_import_run",
            "create_client_import_undo",
        ),
        "clients:write for every client of the office: tests/gateway/imports",
    ),
    "create_client_move": "the client's own administrator only: tests/gateway/moves",
    "get_object_state": "asks for an object: tests/gateway/test_audit_views.py",
}
"""Operations whose right is not one permission; each names where it is tested instead."""

READING: Final = {
    "clients:read", "consents:read", "accounts:read", "transactions:read", "statements:read", "payments:read",
}  # fmt: skip
ROLES: Final[dict[OfficeRole | ClientRole, set[str]]] = {
    OfficeRole.ADMIN: READING
    | {"clients:write", "clients:write of the office", "consents:write", "accounts:write", "payments:write",
       "rules:read", "rules:write", "consents:read of the office",
       "audit:read", "audit:read of the office", "users:read", "users:read of the office", "users:write", "admin"},
    OfficeRole.STAFF: READING
    | {"clients:write", "clients:write of the office", "consents:write", "accounts:write", "payments:write",
       "consents:read of the office", "rules:read", "users:read", "users:read of the office"},
    OfficeRole.SUPPORT: {"clients:read", "consents:read", "consents:read of the office"},
    ClientRole.ADMINISTRATOR: READING
    | {"consents:write", "accounts:write", "rules:read", "rules:write", "users:read", "users:write"},
    ClientRole.PREPARER: READING | {"payments:write", "rules:read"},
    ClientRole.APPROVER: READING | {"payments:approve", "rules:read"},
    ClientRole.EXPORTER: READING | {"payments:export", "rules:read"},
    ClientRole.VIEWER: READING,
    ClientRole.AUDITOR: READING | {"rules:read", "audit:read", "users:read"},
}  # fmt: skip


def test_every_operation_is_classified() -> None:
    """A new operation needs a line in `OPERATIONS`, so that somebody has thought about who may use it."""
    known = set(OPERATIONS) | set(ELSEWHERE)
    assert set(DESCRIBED) - known == set(), "classify these operations: what do they ask for?"
    assert set(OPERATIONS) & set(ELSEWHERE) == set()


def test_the_roles_are_all_of_them_and_their_permissions_exist() -> None:
    assert set(ROLES) == {*OfficeRole, *ClientRole}
    names = {permission.value for permission in Permission}
    stated = set().union(*ROLES.values()) | set(OPERATIONS.values()) - {ANYBODY, NOBODY_SIGNED_IN, OWN_SESSION}
    assert {name.removesuffix(" of the office") for name in stated} == names


@pytest.fixture
def walk(gateway: Gateway) -> Iterator[tuple[Any, dict[str, str], Any]]:
    scene = make_scene(gateway)
    scene.group("board", "first", "second")
    ids = {"client_id": encode("client", scene.client.id), "account_id": encode("account", scene.accounts[0].id),
           "office_id": encode("office", scene.office.id)}  # fmt: skip
    ids |= scene_ids(scene)
    # Nothing of these exists here: a right that is missing still answers 403 or 404, one that is held never 403.
    for name, kind in (("consent_id", "consent"), ("sync_id", "sync"), ("statement_id", "statement"),
                       ("transaction_id", "transaction"), ("credential_id", "credential"),
                       ("job_id", "job"), ("bundle_id", "audit_bundle"), ("application_id", "application"),
                       ("secret_id", "application_secret"), ("passkey_challenge_id", "passkey_challenge"),
                       ("passkey_id", "passkey"), ("session_id", "session"), ("import_id", "client_import"),
                       ("oidc_provider_id", "oidc_provider"), ("number_change_id", "number_change"),
                       ("document_id", "bank_document"), ("review_item_id", "review_item"),
                       ("endpoint_id", "webhook_endpoint"), ("delivery_id", "webhook_delivery"),
                       ("known_account_id", "known_account"), ("address_change_id", "address_change"),
                       ("handover_id", "numbering_handover"), ("bank_file_id", "bank_file"),
                       ("upload_id", "statement_upload"),
                       ("evidence_id", "consent_evidence"),
                       ("recording_id", "traffic_recording"), ("reading_id", "recorded_reading")):  # fmt: skip
        ids[name] = encode(kind, new_id())
    app = app_of(gateway)
    acting: dict[str, Act] = {}
    app.dependency_overrides[current_act] = lambda: acting["act"]
    with TestClient(app, raise_server_exceptions=False) as http:

        def call(operation: str, act: Act) -> Any:
            acting["act"] = act
            route = DESCRIBED[operation]
            body = body_of(operation, ids)
            headers = {"If-Match": '"1"', "Idempotency-Key": str(new_id())}
            return http.request(route.method, route.at(ids), json=body, headers=headers)

        yield scene, ids, call


def test_the_matrix_of_roles_and_operations(walk: tuple[Any, dict[str, str], Any]) -> None:
    """OFF-08: a role does what it is for, and is refused everything else; a machine with every scope decides nothing.

    Where the office's admins stand behind the client's own administrator, `client_administrator_required` is theirs.
    """
    scene, _ids, call = walk
    faults: list[str] = []
    for role, allowed in ROLES.items():
        scene.person(f"the {role.value}", role)
        act = scene.act(f"the {role.value}")
        for operation, asked in OPERATIONS.items():
            if operation not in DESCRIBED or asked in (OWN_SESSION, NOBODY_SIGNED_IN):
                continue
            with undone(scene.gateway):
                answer = call(operation, act)
            code = answer.json().get("code") if "problem" in answer.headers.get("content-type", "") else None
            is_refused = answer.status_code in (403, 404) and code != "client_administrator_required"
            if asked == ANYBODY or asked in allowed:
                if answer.status_code == 403 and code in ("not_allowed", "person_required", "second_factor_required"):
                    faults.append(f"{role} is refused {operation}: {code}")
            elif not is_refused:
                faults.append(f"{role} may {operation}: {answer.status_code} {answer.text[:120]}")
    machine = scene.machine(permissions=frozenset(Permission))
    for operation, asked in OPERATIONS.items():
        if asked in ("payments:approve", "payments:export", "rules:write", "users:write"):
            for kind in (PrincipalKind.MACHINE, PrincipalKind.SYSTEM):
                act = replace(machine, principal=replace(machine.principal, kind=kind))
                with undone(scene.gateway):
                    answer = call(operation, act)
                if kind is PrincipalKind.MACHINE and answer.status_code < 400:
                    faults.append(f"a machine may {operation}: {answer.status_code}")
    assert not faults, "\n".join(faults)


class undone:  # noqa: N801  # reads as what it does
    """Takes back what the call inside did, so that no call changes what the next one meets."""

    def __init__(self, gateway: Gateway) -> None:
        self.connection: Any = gateway.database.bind

    def __enter__(self) -> None:
        self.savepoint = self.connection.begin_nested()

    def __exit__(self, *_: object) -> None:
        self.savepoint.rollback()

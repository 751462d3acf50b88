"""Applications and their access tokens: the token endpoint as RFC 6749 has it, scopes, offices, ends."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from gateway.assembly import Gateway
from gateway.errors import InputError, NotFound, SignInError
from gateway.identity.rights import ClientRole, OfficeRole, PersonRequired, SecondFactorRequired, SignInHereRequired
from gateway.ids import decode, encode
from gateway.machines.applications import TOKEN_LIFE, ApplicationService
from gateway.machines.errors import AddressNotAllowed, ClientInvalid, SecretsInUse
from gateway.machines.service import MachineService
from tests.gateway.builders import NOW, act_of, act_of_system, make_office, make_person
from tests.gateway.machines.portal import Portal, make_portal, signed
from tests.gateway.serving import app_of


@pytest.fixture
def portal(gateway: Gateway) -> Portal:
    return make_portal(gateway)


def test_a_portal_gets_a_token_for_a_quarter_of_an_hour(portal: Portal) -> None:
    """SEC-03: client credentials, tokens of 15 minutes, never stored by a cache."""
    answer = portal.fetch_token(scope="payments:write accounts")
    assert answer.status_code == 200
    assert (answer.headers["cache-control"], answer.json()["expires_in"]) == ("no-store", 900)
    assert (answer.json()["token_type"], answer.json()["scope"]) == ("Bearer", "payments:write accounts")
    token = answer.json()["access_token"]
    assert token.startswith("sluis_access_test_")
    service = ApplicationService(portal.gateway)
    assert service.caller_of_token(token).scopes == ["payments:write", "accounts"]
    later = replace(portal.gateway, real_now=lambda: NOW + TOKEN_LIFE)
    with pytest.raises(SignInError):
        ApplicationService(later).caller_of_token(token)


def test_the_secret_goes_by_basic_or_in_the_form_and_not_both(portal: Portal) -> None:
    """RFC 6749 §2.3.1."""
    basic = base64.b64encode(f"{portal.client_id}:{portal.secret}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}"}
    form = {"grant_type": "client_credentials"}
    assert portal.http.post("/oauth/token", data=form, headers=headers).status_code == 200
    both = portal.http.post("/oauth/token", data={**form, "client_secret": portal.secret}, headers=headers)
    assert (both.status_code, both.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"client_secret": "sluis_secret_wrong"}, 401, "invalid_client"),
        ({"client_id": "app_00000000000000000000000000"}, 401, "invalid_client"),
        ({"client_id": "portal"}, 401, "invalid_client"),
        ({"client_id": ""}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"scope": "payments:write audit"}, 400, "invalid_scope"),
        ({"scope": "root"}, 400, "invalid_scope"),
        ({"scope": " "}, 400, "invalid_scope"),
        ({"office": "off_00000000000000000000000000"}, 400, "invalid_request"),
        ({"office": "kantoor"}, 400, "invalid_request"),
    ],
)
def test_a_refused_token_request_says_why_as_the_rfc_has_it(
    portal: Portal, form: dict[str, str], status: int, error: str
) -> None:
    """RFC 6749 §5.2, beside our own code and request id (API-02)."""
    answer = portal.fetch_token(**form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert ("www-authenticate" in answer.headers) is (status == 401)
    assert answer.json()["code"]
    assert answer.json()["request_id"]


def test_a_token_request_is_a_form_with_each_parameter_once(portal: Portal) -> None:
    json_body = portal.http.post("/oauth/token", json={"grant_type": "client_credentials"})
    assert (json_body.status_code, json_body.json()["error"]) == (400, "invalid_request")
    twice = portal.http.post(
        "/oauth/token",
        content="grant_type=client_credentials&scope=coda&scope=admin",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert (twice.status_code, twice.json()["code"]) == (400, "token_request_invalid")


def test_an_application_of_several_offices_names_one(portal: Portal) -> None:
    """SEC-15: a token is bound to one office; without naming one 400 `office_required`."""
    other = make_office(portal.gateway, name="Ander kantoor")
    third = make_office(portal.gateway, name="Derde kantoor")
    ApplicationService(portal.gateway).grant(act_of_system(other), decode("application", portal.client_id), ["coda"])
    answer = portal.fetch_token()
    assert (answer.status_code, answer.json()["code"]) == (400, "office_required")
    named = portal.fetch_token(office=encode("office", other.id))
    assert (named.status_code, named.json()["scope"]) == (200, "coda")
    me = portal.http.get("/v1/me", headers={"Authorization": f"Bearer {named.json()['access_token']}"}).json()
    assert (me["office_id"], me["id"]) == (encode("office", other.id), portal.client_id)
    assert portal.fetch_token(office=encode("office", third.id)).json()["code"] == "office_not_served"
    # What one office grants is not had at the other.
    assert portal.fetch_token(office=encode("office", other.id), scope="admin").json()["error"] == "invalid_scope"


def test_a_token_ends_with_its_application_its_office_and_its_scopes(portal: Portal) -> None:
    """SEC-03: an access token is looked up with every call, so that taking away works at once."""
    service, act = ApplicationService(portal.gateway), act_of_system(portal.scene.office)
    application = decode("application", portal.client_id)
    assert "admin" in service.caller_of_token(portal.token).scopes
    service.grant(act, application, ["payments:write"])
    assert service.caller_of_token(portal.token).scopes == ["payments:write"]
    assert portal.http.get("/v1/credentials", headers=portal.headers()).status_code == 403
    service.revoke(act, application)
    assert portal.http.get("/v1/me", headers=portal.headers()).status_code == 401
    assert portal.fetch_token().json()["error"] == "invalid_client"


def test_secrets_are_replaced_without_a_stop(portal: Portal) -> None:
    """SEC-03: two secrets at a time."""
    service, act = ApplicationService(portal.gateway), act_of_system(portal.scene.office)
    application = decode("application", portal.client_id)
    _, second = service.add_secret(act, application)
    with pytest.raises(SecretsInUse):
        service.add_secret(act, application)
    assert portal.fetch_token(client_secret=second).status_code == 200
    (held,) = service.held(act)
    service.revoke_secret(act, application, held.secrets[0].id)
    assert portal.fetch_token().json()["error"] == "invalid_client"
    assert portal.fetch_token(client_secret=second).status_code == 200


def test_an_application_works_from_its_addresses_only(gateway: Gateway) -> None:
    office = make_office(gateway)
    service = ApplicationService(gateway)
    application, _, secret = service.create(
        act_of_system(office), name="x", scopes=["coda"], allowed_addresses=["192.0.2.0/24"]
    )
    ask: dict[str, Any] = {"client_id": application.id, "scopes": None, "office_id": None}
    with pytest.raises(AddressNotAllowed):
        service.issue(secret=secret, source="203.0.113.1", **ask)
    with pytest.raises(ClientInvalid):
        service.issue(secret="sluis_secret_wrong", source="203.0.113.1", **ask)
    issued = service.issue(secret=secret, source="::ffff:192.0.2.1", **ask)
    assert service.caller_of_token(issued.token, source="192.0.2.7")
    with pytest.raises(AddressNotAllowed):
        service.caller_of_token(issued.token, source="203.0.113.1")


def test_test_and_live_never_share_an_application(gateway: Gateway) -> None:
    """API-11."""
    office, live = make_office(gateway), make_office(gateway, mode="live")
    service = ApplicationService(gateway)
    application, _, secret = service.create(act_of_system(office), name="x", scopes=["coda"])
    with pytest.raises(InputError) as refused:
        service.grant(act_of_system(live), application.id, ["coda"])
    assert refused.value.faults[0].code == "mode_differs"
    other = replace(gateway, settings=gateway.settings.model_copy(update={"mode": "live"}))
    with pytest.raises(ClientInvalid):
        ApplicationService(other).issue(
            client_id=application.id, secret=secret, scopes=None, office_id=None, source=None
        )


@pytest.mark.parametrize("scope", ["payments:approve", "payments:export"])
def test_scopes_that_decide_come_from_the_operator_only(gateway: Gateway, scope: str) -> None:
    """SEC-03."""
    office = make_office(gateway)
    person = make_person(gateway, office, OfficeRole.ADMIN)
    act = act_of(person, office, OfficeRole.ADMIN)
    with pytest.raises(InputError) as refused:
        ApplicationService(gateway).create(act, name="x", scopes=["coda", scope])
    assert refused.value.faults[0].code == "scope_of_operator"
    assert ApplicationService(gateway).create(act_of_system(office), name="x", scopes=[scope])


def test_people_of_one_office_neither_see_nor_end_what_serves_another(gateway: Gateway) -> None:
    office, other = make_office(gateway), make_office(gateway)
    service = ApplicationService(gateway)
    application, secret, _ = service.create(act_of_system(office), name="x", scopes=["coda"])
    stranger = act_of(make_person(gateway, other, OfficeRole.ADMIN), other, OfficeRole.ADMIN)
    assert service.held(stranger) == []
    with pytest.raises(NotFound):
        service.revoke(stranger, application.id)
    with pytest.raises(NotFound):
        service.add_secret(stranger, application.id)
    with pytest.raises(NotFound):
        service.revoke_secret(stranger, application.id, secret.id)
    # The operator's application is seen by the office it serves, which can end it there and not touch its secrets.
    admin = act_of(make_person(gateway, office, OfficeRole.ADMIN), office, OfficeRole.ADMIN)
    assert [held.application.id for held in service.held(admin)] == [application.id]
    with pytest.raises(NotFound):
        service.add_secret(admin, application.id)


def test_a_machine_cannot_make_machines(portal: Portal) -> None:
    """SEC-03: whatever its scopes; a person only with a fresh second factor."""
    service = ApplicationService(portal.gateway)
    machine = portal.gateway.act(service.caller_of_token(portal.token).principal)
    with pytest.raises(PersonRequired):
        service.create(machine, name="more", scopes=["coda"])
    with pytest.raises(PersonRequired):
        MachineService(portal.gateway).create_credential(machine, name="more", scopes=["coda"])
    person = make_person(portal.gateway, portal.scene.office, OfficeRole.ADMIN)
    stale = act_of(person, portal.scene.office, OfficeRole.ADMIN, is_fresh=False)
    with pytest.raises(SecondFactorRequired):
        service.create(stale, name="x", scopes=["coda"])


APP_12 = {
    "create_approval_rule", "put_approval_rule", "create_approver_group", "put_approver_group",
    "put_approval_settings",
}  # fmt: skip


def test_no_scope_changes_what_two_administrators_change(portal: Portal) -> None:
    """SEC-03, APP-12: not with every scope there is, and not with an administrator's assertion either."""
    scene = portal.scene
    scene.group("board", "first")
    rule = scene.rule("every payment", scene.user("first"))
    scene.give("administrator", ClientRole.APPROVER)
    ids = {
        "client_id": encode("client", scene.client.id),
        "rule_id": encode("approval_rule", rule.rule_id),
        "group_id": encode("approver_group", scene.group("other", "first")),
    }
    bodies = {
        "rule": {"name": "Rule", "approvers": [{"group_id": ids["group_id"]}]},
        "group": {"name": "Group", "user_ids": []},
        "settings": {"is_payment_process_on": False},
    }
    described = app_of(portal.gateway).openapi()
    walked = set()
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            name = operation["operationId"]
            if name not in APP_12:
                continue
            walked.add(name)
            body = next(body for kind, body in bodies.items() if kind in name)
            for assertion in (None, signed(portal.claims("administrator"))):
                answer = portal.http.request(
                    method.upper(),
                    path.format_map(ids),
                    json=body,
                    headers=portal.headers(assertion, **{"If-Match": '"1"'}),
                )
                wanted = "person_required" if assertion is None else "sign_in_here_required"
                assert (answer.status_code, answer.json()["code"]) == (403, wanted), name
    assert walked == APP_12
    act = portal.gateway.act(replace(scene.act("administrator").principal, via_id=scene.office.id))
    with pytest.raises(SignInHereRequired):
        act.require_fresh_second_factor()


def test_expired_tokens_are_swept_away(portal: Portal) -> None:
    later = replace(portal.gateway, real_now=lambda: NOW + timedelta(hours=1))
    issue: dict[str, Any] = {"scopes": None, "office_id": None, "source": None, "secret": portal.secret}
    ApplicationService(later).issue(client_id=decode("application", portal.client_id), **issue)
    with portal.gateway.database.unit_of_work(None) as session:
        assert session.connection().execute(text("SELECT count(*) FROM access_token")).scalar_one() == 1

"""API keys: what they give, what ends them, where they may come from."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from gateway.assembly import Gateway
from gateway.errors import InputError, NotFound, SignInError
from gateway.identity.rights import OfficeRole, Permission, PersonRequired, SecondFactorRequired
from gateway.machines.addresses import is_allowed, network
from gateway.machines.errors import AddressNotAllowed
from gateway.machines.service import MachineService
from tests.gateway.builders import act_of, act_of_system, foreign_id, make_client, make_office, make_person
from tests.gateway.serving import app_of


def test_an_api_key_gives_its_scopes_and_never_decides(gateway: Gateway) -> None:
    """SEC-03: hashed, shown once, revoked at once."""
    office = make_office(gateway)
    machines = MachineService(gateway)
    act = act_of_system(office)
    credential, token = machines.create_credential(act, name="portal", scopes=["payments:write", "coda"])
    principal = machines.principal_of_token(token)
    assert principal.allows(Permission.PAYMENTS_WRITE)
    assert not principal.allows(Permission.PAYMENTS_APPROVE)
    assert token.startswith("sluis_test_")
    assert credential.secret_hash not in token.encode()
    machines.revoke_credential(act, credential.id)
    with pytest.raises(SignInError):
        machines.principal_of_token(token)


def test_a_key_cannot_make_keys(gateway: Gateway) -> None:
    """SEC-03: a person with a fresh second factor does, or the operator."""
    office = make_office(gateway)
    machines = MachineService(gateway)
    _, token = machines.create_credential(act_of_system(office), name="portal", scopes=["admin"])
    machine = gateway.act(machines.principal_of_token(token))
    with pytest.raises(PersonRequired):
        machines.create_credential(machine, name="more", scopes=["payments:write"])
    person = make_person(gateway, office, OfficeRole.ADMIN)
    with pytest.raises(SecondFactorRequired):
        machines.create_credential(act_of(person, office, OfficeRole.ADMIN, is_fresh=False), name="x", scopes=["coda"])
    assert machines.create_credential(act_of(person, office, OfficeRole.ADMIN), name="x", scopes=["coda"])


@pytest.mark.parametrize("scope", ["payments:approve", "payments:export", "root"])
def test_no_key_has_a_scope_that_decides(gateway: Gateway, scope: str) -> None:
    """SEC-03: approving and exporting are no scopes of keys, whoever asks."""
    office = make_office(gateway)
    with pytest.raises(InputError) as refused:
        MachineService(gateway).create_credential(act_of_system(office), name="x", scopes=["coda", scope])
    assert refused.value.faults[0].code == "scope_unknown"


def test_an_expired_key_is_an_unknown_key(gateway: Gateway) -> None:
    office = make_office(gateway)
    machines = MachineService(gateway)
    soon = gateway.real_now() + timedelta(hours=1)
    _, token = machines.create_credential(act_of_system(office), name="x", scopes=["coda"], expires_at=soon)
    assert machines.principal_of_token(token)
    with pytest.raises(SignInError):
        MachineService(replace(gateway, real_now=lambda: soon)).principal_of_token(token)


@pytest.mark.parametrize(
    ("office_mode", "installation_mode"), [("live", "test"), ("test", "live")], ids=["live office", "live installation"]
)
def test_test_and_live_never_share_a_key(gateway: Gateway, office_mode: str, installation_mode: str) -> None:
    """API-11: key, office and installation are of one mode."""
    office = make_office(gateway, mode=office_mode)
    _, token = MachineService(gateway).create_credential(act_of_system(office), name="x", scopes=["coda"])
    assert token.startswith(f"sluis_{office_mode}_")
    there = replace(gateway, settings=gateway.settings.model_copy(update={"mode": installation_mode}))
    with pytest.raises(SignInError):
        MachineService(there).principal_of_token(token)
    at_home = replace(gateway, settings=gateway.settings.model_copy(update={"mode": office_mode}))
    assert MachineService(at_home).principal_of_token(token)


def test_a_key_works_from_its_addresses_only(gateway: Gateway) -> None:
    """SEC-03: a known key from elsewhere is told so; an unknown one learns nothing, wherever it comes from."""
    office = make_office(gateway)
    machines = MachineService(gateway)
    act = act_of_system(office)
    credential, token = machines.create_credential(
        act, name="x", scopes=["coda"], allowed_addresses=["192.0.2.0/24", "2001:db8::/48", "::ffff:198.51.100.7"]
    )
    assert credential.allowed_addresses == ["192.0.2.0/24", "2001:db8::/48", "198.51.100.7/32"]
    for source in ("192.0.2.9", "::ffff:192.0.2.9", "2001:db8::1", "198.51.100.7", "::ffff:198.51.100.7"):
        assert machines.principal_of_token(token, source=source)
    for elsewhere in ("192.0.3.9", "::ffff:192.0.3.9", "2001:db9::1", "::192.0.2.9", "64:ff9b::192.0.2.9", "", None):
        with pytest.raises(AddressNotAllowed):
            machines.principal_of_token(token, source=elsewhere)
        with pytest.raises(SignInError):
            machines.principal_of_token("sluis_test_unknown", source=elsewhere)
    machines.revoke_credential(act, credential.id)
    with pytest.raises(SignInError):
        machines.principal_of_token(token, source="192.0.3.9")


def test_a_foreign_address_answers_403_over_the_api(gateway: Gateway) -> None:
    office = make_office(gateway)
    _, token = MachineService(gateway).create_credential(
        act_of_system(office), name="x", scopes=["coda"], allowed_addresses=["192.0.2.0/24"]
    )
    headers = {"Authorization": f"Bearer {token}"}
    with TestClient(app_of(gateway), client=("203.0.113.5", 4000)) as http:
        answer = http.get("/v1/me", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "address_not_allowed")
        # Where the connection comes from counts, not what the caller says of itself.
        answer = http.get("/v1/me", headers=headers | {"X-Forwarded-For": "192.0.2.9", "Forwarded": "for=192.0.2.9"})
        assert answer.status_code == 403
    with TestClient(app_of(gateway), client=("::ffff:192.0.2.9", 4000)) as http:
        assert http.get("/v1/me", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "text", ["", "office", "192.0.2.9/24", "0.0.0.0/0", "::/0", "::ffff:0:0/96", "1.2.3", "fe80::1%eth0/64x"]
)
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        network(text)


def test_every_fault_of_a_key_is_told_at_once(gateway: Gateway) -> None:
    office, other = make_office(gateway), make_office(gateway)
    act = act_of_system(office)
    foreign = make_client(gateway, other)
    with pytest.raises(InputError) as refused:
        MachineService(gateway).create_credential(
            act, name="x", scopes=["coda"], expires_at=act.real_now - timedelta(days=1),
            allowed_addresses=["192.0.2.0/24", "nowhere"], client_ids=[foreign.id, foreign_id()],
        )  # fmt: skip
    found = {(fault.pointer, fault.code) for fault in refused.value.faults}
    assert found == {
        ("/allowed_addresses/1", "address_unusable"),
        ("/expires_at", "expiry_past"),
        ("/client_ids/0", "client_not_found"),
        ("/client_ids/1", "client_not_found"),
    }


def test_a_key_for_named_clients_sees_no_other(gateway: Gateway) -> None:
    """DEL-12: the pull agent's key reads the CODA of named clients only."""
    office = make_office(gateway)
    mine, theirs = make_client(gateway, office, name="Mine"), make_client(gateway, office, name="Theirs")
    machines = MachineService(gateway)
    _, token = machines.create_credential(
        act_of_system(office), name="pull", scopes=["coda", "consents"], client_ids=[mine.id]
    )
    principal = machines.principal_of_token(token)
    assert principal.visible_clients(Permission.STATEMENTS_READ) == frozenset({mine.id})
    with pytest.raises(NotFound):
        principal.require(Permission.STATEMENTS_READ, theirs.id)
    with TestClient(app_of(gateway)) as http:
        headers = {"Authorization": f"Bearer {token}"}
        items = http.get("/v1/clients", headers=headers).json()["items"]
        assert [item["name"] for item in items] == ["Mine"]


@pytest.mark.parametrize("scope", ["clients", "admin"])
def test_a_key_for_named_clients_has_no_scope_of_the_whole_office(gateway: Gateway, scope: str) -> None:
    """A right held at one client must not open what asks for it without naming a client."""
    office = make_office(gateway)
    client = make_client(gateway, office)
    with pytest.raises(InputError) as refused:
        MachineService(gateway).create_credential(
            act_of_system(office), name="x", scopes=[scope], client_ids=[client.id]
        )
    assert refused.value.faults[0].code == "scope_not_of_clients"


def test_an_unreadable_source_is_in_no_network() -> None:
    assert is_allowed([], "testclient")
    assert not is_allowed(["192.0.2.0/24"], "testclient")

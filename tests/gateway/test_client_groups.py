"""Client groups and users over the API (OFF-07, OFF-08, OFF-09)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from gateway.assembly import Gateway
from gateway.identity.rights import ClientRole, OfficeRole
from gateway.identity.service import IdentityService
from gateway.ids import encode, new_id
from gateway.offices.models import Client, Office
from tests.gateway.builders import PASSWORD, Person, make_client, make_office, make_person
from tests.gateway.serving import app_of


@dataclass
class Api:
    """Calls as one person."""

    http: TestClient
    token: str

    def __call__(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        answer = self.http.request(method, f"/v1{path}", json=body, headers={"Authorization": f"Bearer {self.token}"})
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None


@dataclass
class Desk:
    """An office with two clients, an admin, and somebody of the staff, at their machines."""

    gateway: Gateway
    office: Office
    clients: list[str]
    admin: Api
    staff: Api
    staff_id: str
    http: TestClient

    def sign_in(self, person: Person) -> Api:
        signed_in = IdentityService(self.gateway).sign_in(
            email=person.user.email, password=PASSWORD, code=person.code(self.gateway.real_now()), source="test"
        )
        return Api(self.http, signed_in.token)


@pytest.fixture
def desk(gateway: Gateway) -> Iterator[Desk]:
    office = make_office(gateway)
    clients = [make_client(gateway, office, name=name, now=gateway.real_now()) for name in ("A", "B")]
    people = [make_person(gateway, office, role) for role in (OfficeRole.ADMIN, OfficeRole.STAFF)]
    with TestClient(app_of(gateway)) as http:
        made = Desk(gateway, office, [encode("client", client.id) for client in clients], *[Api(http, "")] * 2,
                    encode("user", people[1].user.id), http)  # fmt: skip
        made.admin, made.staff = (made.sign_in(person) for person in people)
        yield made


def test_a_group_decides_what_its_people_see(desk: Desk) -> None:
    """OFF-09: from "Everyone" to one group, to one assigned client, to nothing."""
    (everyone,) = desk.admin("GET", "/client-groups")["items"]
    assert (everyone["name"], everyone["is_everyone"], everyone["user_ids"]) == ("Everyone", True, [desk.staff_id])
    assert len(desk.staff("GET", "/clients")["items"]) == 2
    first, second = desk.clients
    group = desk.admin(
        "POST", "/client-groups", {"name": "Horeca", "client_ids": [first], "user_ids": [desk.staff_id]}, status=201
    )
    desk.admin("PUT", f"/client-groups/{everyone['id']}", {"name": "Everyone", "user_ids": []})
    assert [client["id"] for client in desk.staff("GET", "/clients")["items"]] == [first]
    desk.staff("GET", f"/clients/{second}", status=404)
    for path in (f"/accounts?client_id={second}", f"/consents?client_id={second}"):
        desk.staff("GET", path, status=404)
    assert desk.staff("GET", f"/baskets?client_id={second}")["items"] == []
    desk.staff("POST", "/baskets", {"client_id": second, "name": "Mine"}, status=404)
    desk.staff("PUT", "/clients", {"name": "New", "external_id": "new"}, status=403)
    desk.admin("PUT", f"/users/{desk.staff_id}/clients", {"client_ids": [second]})
    assert len(desk.staff("GET", "/clients")["items"]) == 2
    desk.admin("DELETE", f"/client-groups/{group['id']}", status=204)
    assert [client["id"] for client in desk.staff("GET", "/clients")["items"]] == [second]
    desk.admin("PUT", f"/users/{desk.staff_id}/clients", {"client_ids": []})
    assert desk.staff("GET", "/clients")["items"] == []
    assert len(desk.admin("GET", "/clients")["items"]) == 2


def test_what_a_group_refuses(desk: Desk) -> None:
    (everyone,) = desk.admin("GET", "/client-groups")["items"]
    path = f"/client-groups/{everyone['id']}"
    desk.admin("DELETE", path, status=409)
    assert desk.admin("PUT", path, {"name": "All"}, status=409)["code"] == "client_group_of_all"
    assert desk.admin("POST", "/client-groups", {"name": "Everyone"}, status=409)["code"] == "client_group_name_taken"
    other = make_office(desk.gateway)
    foreign = encode("client", make_client(desk.gateway, other).id)
    stranger = encode("user", make_person(desk.gateway, other, OfficeRole.STAFF, is_enrolled=False).user.id)
    for body, code in (
        ({"name": "X", "client_ids": [foreign]}, "client_not_found"),
        ({"name": "X", "user_ids": [stranger]}, "user_not_found"),
    ):
        assert desk.admin("POST", "/client-groups", body, status=422)["errors"][0]["code"] == code
    desk.admin("GET", f"/client-groups/{encode('client_group', new_id())}", status=404)
    desk.staff("POST", "/client-groups", {"name": "Mine"}, status=403)
    desk.staff("PUT", path, {"name": "Everyone", "user_ids": [desk.staff_id]}, status=403)
    desk.staff("PUT", f"/users/{desk.staff_id}/clients", {"client_ids": desk.clients}, status=403)


def test_users_show_the_roles_one_may_see(desk: Desk) -> None:
    """OFF-07, OFF-08: an administrator of a client sees that client's people, and nobody else."""
    client, other = (encoded for encoded in desk.clients)
    first, second = desk.clients
    clients = {encode("client", row.id): row for row in _clients(desk)}
    own = make_person(desk.gateway, desk.office, ClientRole.ADMINISTRATOR, client=clients[client])
    viewer = make_person(desk.gateway, desk.office, ClientRole.VIEWER, client=clients[other], is_enrolled=False)
    administrator = desk.sign_in(own)
    assert [user["id"] for user in administrator("GET", "/users")["items"]] == [encode("user", own.user.id)]
    administrator("GET", f"/users/{encode('user', viewer.user.id)}", status=404)
    administrator("GET", f"/users/{desk.staff_id}", status=404)
    administrator("GET", f"/users?client_id={second}", status=404)
    shown = desk.admin("GET", f"/users?client_id={first}")["items"]
    assert [(user["has_second_factor"], [role["role"] for role in user["roles"]]) for user in shown] == [
        (True, ["administrator"])
    ]
    role = {"role": "viewer", "client_id": client}
    administrator("POST", f"/users/{encode('user', viewer.user.id)}/roles", role, status=404)
    made = administrator("POST", f"/users/{encode('user', own.user.id)}/roles", role, status=201)
    administrator("POST", f"/users/{encode('user', own.user.id)}/roles", {"role": "admin"}, status=403)
    administrator("DELETE", f"/roles/{made['id']}", status=204)
    administrator("DELETE", f"/roles/{made['id']}", status=404)


def test_a_role_that_ends_counts_no_more_for_the_open_session(desk: Desk) -> None:
    """OFF-08: effective at once."""
    user = desk.admin("GET", f"/users/{desk.staff_id}")
    desk.admin("DELETE", f"/roles/{user['roles'][0]['id']}", status=204)
    desk.staff("GET", "/clients", status=401)


def test_two_admins_give_a_role_over_the_api(desk: Desk) -> None:
    """APP-12: 202 with a proposal, which the other one finds in the list and confirms."""
    other = desk.sign_in(make_person(desk.gateway, desk.office, OfficeRole.ADMIN))
    proposal = desk.admin("POST", f"/users/{desk.staff_id}/roles", {"role": "admin"}, status=202)
    assert (proposal["kind"], proposal["can_confirm"], proposal["effective_at"]) == ("role.grant", False, None)
    assert desk.admin("POST", f"/proposals/{proposal['id']}/confirmations", status=403)["code"] == (
        "second_person_required"
    )
    (waiting,) = other("GET", "/proposals?state=proposed")["items"]
    assert waiting["id"] == proposal["id"]
    desk.staff("GET", f"/proposals/{proposal['id']}", status=404)
    confirmed = other("POST", f"/proposals/{proposal['id']}/confirmations", status=201)
    assert confirmed["state"] == "confirmed"
    assert desk.staff("GET", f"/proposals/{proposal['id']}")["can_confirm"] is False
    roles = {role["role"]: role["id"] for role in desk.admin("GET", f"/users/{desk.staff_id}")["roles"]}
    assert set(roles) == {"staff", "admin"}
    again = desk.staff("DELETE", f"/roles/{roles['admin']}", status=202)
    desk.staff("POST", f"/proposals/{again['id']}/withdrawals", status=201)
    assert desk.admin("POST", "/proposals", {"kind": "role.grant", "object_id": "usr_x"}, status=422)["errors"]


def _clients(desk: Desk) -> Any:
    with desk.gateway.database.unit_of_work(desk.office.id) as session:
        return session.exec(select(Client)).all()

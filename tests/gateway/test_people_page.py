"""The page of people: roles, invitations, what waits for a second person (OFF-07, OFF-08, APP-12)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from gateway.assembly import Gateway
from gateway.identity.rights import ClientRole, OfficeRole
from gateway.identity.service import IdentityService
from gateway.ids import encode
from gateway.offices.models import Client, Office
from tests.gateway.builders import PASSWORD, Person, make_client, make_office, make_person
from tests.gateway.serving import app_of

SITE = "http://127.0.0.1:8000"


class Browser:
    """A person at the page."""

    def __init__(self, http: TestClient, gateway: Gateway, person: Person) -> None:
        signed_in = IdentityService(gateway).sign_in(
            email=person.user.email, password=PASSWORD, code=person.code(gateway.real_now()), source="a"
        )
        self.http, self.cookie, self.form_token = http, signed_in.token, signed_in.form_token

    def see(self, path: str = "/people") -> str:
        answer = self.http.get(path, headers={"Cookie": f"sluis_session={self.cookie}"})
        assert answer.status_code == 200, answer.text
        return answer.text

    def post(self, path: str, status: int = 303, **fields: str | list[str]) -> str:
        answer = self.http.post(
            path, data={"form_token": self.form_token, **fields},
            headers={"Cookie": f"sluis_session={self.cookie}", "Origin": SITE},
        )  # fmt: skip
        assert answer.status_code == status, answer.text
        return answer.text


@pytest.fixture
def place(gateway: Gateway) -> Iterator[tuple[TestClient, Office, Client]]:
    office = make_office(gateway)
    client = make_client(gateway, office, now=gateway.real_now())
    with TestClient(app_of(gateway), base_url=SITE, follow_redirects=False) as http:
        yield http, office, client


def test_two_admins_let_an_approver_in_by_the_page(gateway: Gateway, place: tuple[TestClient, Office, Client]) -> None:
    http, office, client = place
    first, second = (Browser(http, gateway, make_person(gateway, office, OfficeRole.ADMIN)) for _ in range(2))
    viewer = make_person(gateway, office, ClientRole.VIEWER, client=client, is_enrolled=False)
    fields = {"first_name": "An", "last_name": "Peeters", "email": "an@example.test", "role": "approver",
              "client": encode("client", client.id), "language": "nl"}  # fmt: skip
    assert "Dit is geen e-mailadres" in first.post("/people/invitations", 422, **fields | {"email": "an@x..y"})
    shown = first.post("/people/invitations", 200, **fields)
    assert re.search(r"Code voor An Peeters: \d{6}", shown)
    assert "Code voor An Peeters" not in first.see()
    first.post(f"/people/{encode('user', viewer.user.id)}/roles", role="exporter", client=fields["client"])
    seen = second.see()
    assert "Uitnodiging sturen" in seen
    assert f"Rol toekennen: {viewer.user.first_name}" in seen
    for path in re.findall(r'formaction="(/people/proposals/[^"]+/confirmation)"', seen):
        first.post(path, 403)
        second.post(path)
    seen = second.see()
    assert "Wacht op een tweede persoon" not in seen
    assert "Exporteerder, Bakkerij Voorbeeld BV" in seen
    (again,) = re.findall(r'formaction="(/people/invitations/[^"]+/mails)"', seen)
    assert "Code voor An Peeters" in second.post(again, 200)
    second.post(again.replace("/mails", "/end"))
    assert "/mails" not in second.see()


def test_who_may_not_change_anything_sees_no_buttons(
    gateway: Gateway, place: tuple[TestClient, Office, Client]
) -> None:
    http, office, client = place
    make_person(gateway, office, OfficeRole.ADMIN, is_enrolled=False)
    staff = Browser(http, gateway, make_person(gateway, office, OfficeRole.STAFF))
    seen = staff.see()
    assert "Medewerker" in seen
    assert "/people/invitations" not in seen
    assert "/end" not in seen
    fields = {"first_name": "An", "last_name": "Peeters", "email": "an@example.test", "role": "viewer",
              "client": encode("client", client.id)}  # fmt: skip
    staff.post("/people/invitations", 403, **fields)


def test_an_auditor_with_days_and_a_viewer_of_wages_are_made_by_the_page(
    gateway: Gateway, place: tuple[TestClient, Office, Client]
) -> None:
    """OFF-08: `auditor` with from and until, and each role with or without `salaries`."""
    http, office, client = place
    admin = Browser(http, gateway, make_person(gateway, office, OfficeRole.ADMIN))
    person = make_person(gateway, office, OfficeRole.STAFF, is_enrolled=False)
    path, where = f"/people/{encode('user', person.user.id)}/roles", encode("client", client.id)
    assert "een laatste dag" in admin.post(path, 422, role="auditor", client=where)
    assert "Dit is geen dag" in admin.post(path, 422, role="auditor", client=where, until_date="31/12/2099")
    admin.post(path, role="auditor", client=where, from_date="2026-01-01", until_date="2099-12-31")
    admin.post(path, role="viewer", client=where, salaries="1")
    seen = admin.see()
    assert "(tot 31/12/2099)" in seen
    assert "Lezer, Bakkerij Voorbeeld BV, lonen" in seen

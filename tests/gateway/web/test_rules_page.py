"""The page of a client's approval rules: what it says, what it proposes, and what waits (APP-02, APP-12, SEC-04)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from gateway.app import create_app
from gateway.assembly import Gateway
from gateway.identity.rights import ClientRole, OfficeRole
from gateway.ids import encode
from gateway.offices.models import Client, Office
from tests.gateway.builders import Person, make_client, make_office, make_person
from tests.gateway.test_people_page import SITE, Browser


class Place:
    """A client with two administrators and two approvers."""

    def __init__(self, gateway: Gateway, http: TestClient) -> None:
        self.gateway, self.http = gateway, http
        self.office: Office = make_office(gateway)
        self.client: Client = make_client(gateway, self.office, now=gateway.real_now())
        self.path = f"/rules/{encode('client', self.client.id)}"

    def person(self, role: ClientRole, *, is_enrolled: bool = False) -> Person:
        return make_person(self.gateway, self.office, role, client=self.client, is_enrolled=is_enrolled)

    def browser(self, role: ClientRole) -> Browser:
        return Browser(self.http, self.gateway, self.person(role, is_enrolled=True))


@pytest.fixture
def place(gateway: Gateway) -> Iterator[Place]:
    with TestClient(create_app(gateway), base_url=SITE, follow_redirects=False) as http:
        yield Place(gateway, http)


def confirmations(place: Place, seen: str) -> list[str]:
    return re.findall(rf'formaction="({place.path}/proposals/[^"]+/confirmation)"', seen)


def test_two_administrators_set_rules_groups_process_and_amount_by_the_page(place: Place) -> None:
    """APP-12: the first proposes, the second sees what and confirms; SEC-04: the amount stands on the page too."""
    first, second = (place.browser(ClientRole.ADMINISTRATOR) for _ in range(2))
    approvers = [encode("user", place.person(ClientRole.APPROVER).user.id) for _ in range(2)]
    assert first.see(place.path).count("Nog geen") >= 1
    first.post(f"{place.path}/groups", name="Directie", user=approvers[0])
    (group,) = re.findall(r'name="group" value="([^"]+)"', first.see(place.path))
    first.post(
        f"{place.path}/rules", name="Groot", amount_from="5.000,00", mode="count", count="1", group=group,
        user=approvers[1],
    )  # fmt: skip
    first.post(f"{place.path}/settings", is_on="1", preparer_may_approve="1", version="1")
    first.post(f"{place.path}/signing-limit", amount="25.000,00")
    mine = first.see(place.path)
    assert "Wacht op een tweede beheerder" in mine
    assert confirmations(place, mine) == [], "not one's own"
    seen = second.see(place.path)
    for words in (r"Vanaf [^<]*5\.000,00[^<]* per betaling", "groep Directie", r"Boven [^<]*25\.000,00"):
        assert re.search(words, seen), words
    ways = confirmations(place, seen)
    assert len(ways) == 3
    for way in ways:
        first.post(way, 403)
        second.post(way)
    seen = second.see(place.path)
    assert "Wacht op een tweede beheerder" not in seen
    assert re.search(r'name="preparer_may_approve" value="1" checked', seen)
    assert re.search(r'id="limit"[^>]+value="25\.000,00"', seen)
    (change,) = re.findall(rf'action="({place.path}/rules/[^"]+)"', seen)
    first.post(change, name="Groter", amount_from="", mode="all", count="1", user=approvers, version="1", is_active="1")
    stale = first.post(change, 412, name="X", mode="all", count="1", user=approvers[0], version="9", is_active="1")
    assert "gewijzigd" in stale
    (way,) = confirmations(place, second.see(place.path))
    second.post(way.replace("confirmation", "withdrawal"))
    assert "Groter" not in second.see(place.path)


def test_what_is_no_rule_is_said_on_the_page(place: Place) -> None:
    admin = place.browser(ClientRole.ADMINISTRATOR)
    assert "Kies wie goedkeurt" in admin.post(f"{place.path}/rules", 422, name="X", mode="all")
    user = encode("user", place.person(ClientRole.APPROVER).user.id)
    for amount in ("veel", "-1", "1,234567"):
        assert "geen bedrag" in admin.post(
            f"{place.path}/rules", 422, name="X", mode="all", user=user, amount_from=amount
        )
    admin.post(f"{place.path}/rules", 422, name="", mode="all", user=user)
    # One administrator, nothing submitted yet: in force at once.
    admin.post(f"{place.path}/rules", name="Alles", mode="sequence", user=user)
    seen = admin.see(place.path)
    assert "Elke betaling" in seen
    assert "Wacht op een tweede beheerder" not in seen


def test_who_may_read_sees_no_buttons_and_others_see_nothing(place: Place) -> None:
    place.browser(ClientRole.ADMINISTRATOR)
    viewer = place.browser(ClientRole.APPROVER)
    seen = viewer.see(place.path)
    assert "<button" not in seen.split("<main", 1)[1]
    viewer.post(f"{place.path}/settings", 403, is_on="1", version="1")
    foreign = make_office(place.gateway, name="Ander kantoor")
    other = Browser(place.http, place.gateway, make_person(place.gateway, foreign, OfficeRole.ADMIN))
    answer = place.http.get(place.path, headers={"Cookie": f"sluis_session={other.cookie}"})
    assert answer.status_code == 404


def test_the_list_of_clients_leads_straight_to_the_only_one(place: Place) -> None:
    boss = make_person(place.gateway, place.office, OfficeRole.ADMIN)
    admin = Browser(place.http, place.gateway, boss)
    answer = place.http.get("/rules", headers={"Cookie": f"sluis_session={admin.cookie}"})
    assert (answer.status_code, answer.headers["location"]) == (303, place.path)
    make_client(place.gateway, place.office, name="Andere klant BV")
    assert "Andere klant BV" in admin.see("/rules")

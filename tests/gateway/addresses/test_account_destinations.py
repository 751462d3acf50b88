"""OFF-02: an account may have a dossier code, a channel and a destination of its own; DEL-13: the destination waits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from gateway.accounts.models import Account
from gateway.accounts.service import AccountService
from gateway.addresses.errors import OwnAddress
from gateway.addresses.schemas import AddressChangeRead
from gateway.addresses.service import AddressService, ChangeView
from gateway.addresses.states import ChangeState
from gateway.addresses.waiting import delivery_of
from gateway.api import current_act
from gateway.assembly import Gateway
from gateway.consents.models import Consent
from gateway.errors import InputError
from gateway.identity.rights import ClientRole, OfficeRole, RightsError, SecondFactorRequired
from gateway.ids import encode, new_id
from gateway.notices.models import MailMessage
from gateway.offices.models import ClientState, Office
from gateway.offices.service import ClientService
from gateway.onboarding.checklist import ClientFacts, client_items
from gateway.onboarding.repository import OnboardingRepository
from tests.gateway.builders import NOW, act_of_system
from tests.gateway.payments.scene import ALL, Scene, make_scene
from tests.gateway.serving import app_of

OWN = {"delivery": "email", "destination": "Bank@Example.test"}


@pytest.fixture
def scene(gateway: Gateway) -> Scene:
    scene = make_scene(gateway)
    scene.person("first", OfficeRole.ADMIN)
    scene.person("second", OfficeRole.ADMIN)
    return scene


def account_of(scene: Scene) -> Account:
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        return session.exec(select(Account).where(Account.id == scene.accounts[0].id)).one()


def set_own(scene: Scene, name: str = "first", **wanted: Any) -> None:
    AccountService(scene.gateway).change(scene.act(name), scene.accounts[0].id, wanted or OWN)


def waiting(scene: Scene, name: str = "second") -> list[ChangeView]:
    return AddressService(scene.gateway).page(scene.act(name), ALL, state=ChangeState.WAITING)[0]


def decide(scene: Scene, name: str, *ids: UUID, is_confirmed: bool = True) -> None:
    AddressService(scene.gateway).decide(scene.act(name), is_confirmed=is_confirmed, change_ids=ids)


def way_of(scene: Scene) -> tuple[str | None, str | None]:
    profile = AddressService(scene.gateway).addresses(scene.act("first"), scene.client.id)
    return delivery_of(account_of(scene), profile, "download")


def test_an_own_destination_counts_once_another_admin_confirmed_it(scene: Scene) -> None:
    """OFF-02, DEL-13: until then nothing goes anywhere, not to the client's destination either."""
    AddressService(scene.gateway).change(
        scene.act("first"), scene.client.id, {"delivery": "sftp", "destination": "/client"}
    )
    decide(scene, "second", *[view.change.id for view in waiting(scene)])
    assert way_of(scene) == ("sftp", "/client")
    set_own(scene)
    assert way_of(scene) == ("email", None)
    (view,) = waiting(scene)
    shown = AddressChangeRead.of(view)
    assert (shown.account_id, shown.delivery, shown.destination) == (scene.accounts[0].id, "email", "bank@example.test")
    with pytest.raises(OwnAddress):
        decide(scene, "first", view.change.id)
    decide(scene, "second", view.change.id)
    assert way_of(scene) == ("email", "bank@example.test")
    set_own(scene)
    assert way_of(scene) == ("email", "bank@example.test"), "set to what it is, nothing changes"
    set_own(scene, delivery=None, destination=None)
    assert way_of(scene) == ("sftp", "/client")
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        assert len(session.exec(select(MailMessage)).all()) == 4, "each admin is told of each"


def test_the_client_s_and_the_account_s_destination_wait_beside_one_another(scene: Scene) -> None:
    """DEL-13: setting one anew replaces that one only; a closed client has none that waits."""
    set_own(scene)
    AddressService(scene.gateway).change(scene.act("first"), scene.client.id, {"destination": "a", "delivery": "sftp"})
    AddressService(scene.gateway).change(scene.act("first"), scene.client.id, {"destination": "b"})
    set_own(scene, destination="new@example.test")
    assert {view.destination for view in waiting(scene)} == {"b", "new@example.test"}
    ClientService(scene.gateway).change_state(act_of_system(scene.office), scene.client.id, ClientState.CLOSED)
    assert waiting(scene) == []


def test_a_refused_own_destination_gets_nothing(scene: Scene) -> None:
    set_own(scene)
    (view,) = waiting(scene)
    decide(scene, "second", view.change.id, is_confirmed=False)
    assert way_of(scene) == ("email", None)
    assert account_of(scene).destination_confirmed_at is None


def test_only_the_office_with_a_fresh_second_factor_sets_it(scene: Scene) -> None:
    """SEC-02; a client's administrator may name an account, not say where its files go."""
    scene.person("boss", ClientRole.ADMINISTRATOR)
    with pytest.raises(RightsError):
        set_own(scene, "boss")
    set_own(scene, "boss", alias="Zicht", dossier_code="B")
    with pytest.raises(SecondFactorRequired):
        AccountService(scene.gateway).change(scene.act("first", is_fresh=False), scene.accounts[0].id, OWN)
    for wrong in ({"destination": "x@example.test"}, {"delivery": "email", "destination": "x"}):
        with pytest.raises(InputError):
            set_own(scene, **wrong)
    assert account_of(scene).delivery is None


def test_the_checklist_warns_of_an_own_destination_that_waits(scene: Scene) -> None:
    """DEL-09: at the client's checklist."""
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        consent = Consent(
            id=new_id(), office_id=scene.office.id, client_id=scene.client.id, bank_id="crelan", state="valid",
            state_since=NOW, language="nl", link_cipher=b"", link_expires_at=NOW, created_at=NOW,
        )  # fmt: skip
        session.add(consent)
        session.flush()
        account = session.get_one(Account, scene.accounts[0].id)
        account.consent_id = consent.id
        session.add(account)
    assert _waits(scene) == 0
    set_own(scene)
    assert _waits(scene) == 1
    facts = ClientFacts(services=["coda"], accounts=1, channel="download")
    texts = [
        next(item.next_step for item in client_items(one) if item.key == "delivery")
        for one in (facts, replace(facts, accounts_waiting=1))
    ]
    assert texts == ["", "Another administrator must confirm the destination."]


def _waits(scene: Scene) -> int:
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        office = session.get_one(Office, scene.office.id)
        return (
            OnboardingRepository(session)
            .clients(scene.office.id, office, [scene.client])[scene.client.id]
            .accounts_waiting
        )


@pytest.fixture
def http(scene: Scene) -> Iterator[TestClient]:
    app = app_of(scene.gateway)
    app.dependency_overrides[current_act] = lambda: scene.act("first")
    with TestClient(app) as client:
        yield client


def test_it_is_set_and_read_through_the_api(scene: Scene, http: TestClient) -> None:
    path = f"/v1/accounts/{encode('account', scene.accounts[0].id)}"
    told = http.patch(path, json={"delivery": "sftp", "destination": "/in/bank", "dossier_code": "0002"}).json()
    assert (told["delivery"], told["destination"], told["dossier_code"]) == ("sftp", "/in/bank", "0002")
    assert told["destination_confirmed_at"] is None
    assert http.patch(path, json={"delivery": "pigeon"}).status_code == 422
    (change,) = http.get("/v1/address-changes").json()["items"]
    assert change["account_id"] == encode("account", scene.accounts[0].id)

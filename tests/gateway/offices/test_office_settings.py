"""OFF-01: what an office says of itself, its logo, its template, and what reaches clients."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session, col, select
from starlette.testclient import TestClient

from gateway.act import Act
from gateway.api import current_act
from gateway.approvals.groups import GroupService
from gateway.approvals.models import ApprovalRuleVersion, ApproverGroup
from gateway.approvals.rules import RuleService
from gateway.assembly import Gateway
from gateway.errors import StaleError
from gateway.identity.rights import OfficeRole, PersonRequired, PrincipalKind, RightsError, SecondFactorRequired
from gateway.ids import encode, new_id
from gateway.imports.models import RunKind
from gateway.imports.runs import RunService
from gateway.imports.service import ImportService
from gateway.offices.applications import ClientOutcome, TemplateApplicationService
from gateway.offices.logos import BYTES_MAX, LogoNotFound, LogoRefused, LogoService, logo_address, picture_type
from gateway.offices.models import Client, ClientSettings
from gateway.offices.service import ClientService, ClientWish
from gateway.offices.settings import ClientSettingsService, OfficeSettingsService
from gateway.offices.template import DEFAULT, Part, Template, TemplateRule
from gateway.profiles.models import ClientProfile
from gateway.proposals.service import ProposalService
from gateway.proposals.states import ProposalState
from tests.gateway.builders import act_of_system, make_client, make_office
from tests.gateway.payments.scene import ALL, Scene, make_scene
from tests.gateway.serving import app_of


def png(width: int = 40, height: int = 20) -> bytes:
    """The smallest PNG with this size in its head."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", len(head)) + b"IHDR" + head
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", zlib.crc32(chunk[4:]))


JPEG = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08\x00\x14\x00\x28" + b"\x00" * 12
WEBPS = [
    b"RIFF\x00\x00\x00\x00WEBPVP8 " + b"\x00" * 10 + struct.pack("<HH", 40, 20),
    b"RIFF\x00\x00\x00\x00WEBPVP8L" + b"\x00" * 5 + struct.pack("<I", 39 | 19 << 14),
    b"RIFF\x00\x00\x00\x00WEBPVP8X" + b"\x00" * 8 + (39).to_bytes(3, "little") + (19).to_bytes(3, "little"),
]
RULES = (TemplateRule("Alles", "Bestuurders"), TemplateRule("Vanaf 5.000", "Bestuurders", 2, "5000.00"))
TEMPLATE = Template(
    services=("transactions", "coda"), portal_shows_coda=False, channel="email", destination="coda@example.test",
    package="winbooks", statements_from="quarter_start", first_coda_number=12, consent_reminder_days=(30, 7),
    approval_expiry_days=5, rules=RULES,
)  # fmt: skip


@pytest.fixture
def scene(gateway: Gateway) -> Scene:
    scene = make_scene(gateway)
    scene.person("an", OfficeRole.ADMIN)
    scene.person("bob", OfficeRole.ADMIN)
    return scene


@pytest.fixture
def an(scene: Scene) -> Act:
    return scene.act("an")


@pytest.fixture
def http(scene: Scene) -> Callable[..., Any]:
    app = app_of(scene.gateway)

    def call(act: Act, method: str, path: str, **more: Any) -> Any:
        app.dependency_overrides[current_act] = lambda: act
        return TestClient(app).request(method, path, **more)

    return call


def stored(scene: Scene, what: Callable[[Session], Any]) -> Any:
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        return what(session)


# The office ---------------------------------------------------------------------------------------------------------


def test_an_office_changes_name_language_and_delivery(scene: Scene, an: Act, http: Any) -> None:
    """OFF-01, API-05: on the version that was read; repeated it changes nothing."""
    body = {"name": "Kantoor Anders", "language": "fr", "default_delivery": "sftp", "consent_days_max": 60}
    first = http(an, "GET", "/v1/office")
    answer = http(an, "PUT", "/v1/office", json=body, headers={"If-Match": first.headers["ETag"]})
    assert answer.status_code == 200, answer.text
    assert {name: answer.json()[name] for name in body} == body
    assert http(an, "PUT", "/v1/office", json=body, headers={"If-Match": first.headers["ETag"]}).status_code == 412
    again = http(an, "PUT", "/v1/office", json=body, headers={"If-Match": answer.headers["ETag"]})
    assert again.headers["ETag"] == answer.headers["ETag"]
    assert http(an, "PUT", "/v1/office", json=body).status_code == 428
    assert (
        http(scene.act("administrator"), "PUT", "/v1/office", json=body, headers={"If-Match": '"2"'}).status_code == 403
    )


# Logo ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "wanted"), [(png(), "image/png"), (JPEG, "image/jpeg"), *((webp, "image/webp") for webp in WEBPS)]
)
def test_pictures_are_told_by_their_bytes(content: bytes, wanted: str) -> None:
    """OFF-01."""
    assert picture_type(content) == wanted


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"\xff\xd8\xff\xe0\x00\x04ab", b"RIFF0000WEBPVP9 ",
        b'<svg xmlns="http://www.w3.org/2000/svg"/>', b"GIF89a" + b"\0" * 20, b"<script>", png(2001, 1), png(0, 5),
        png() + b"\0" * BYTES_MAX,
    ],
)  # fmt: skip
def test_anything_else_is_no_logo(content: bytes) -> None:
    """OFF-01: no vector pictures, nothing cut off, nothing large."""
    with pytest.raises(LogoRefused):
        picture_type(content)


def test_a_logo_is_served_with_type_and_etag_and_at_its_own_address_only(scene: Scene, an: Act, http: Any) -> None:
    """OFF-01, law 5: guests see it at an address that names its hash; nobody guesses another office's."""
    assert http(an, "GET", "/v1/office/logo").json()["code"] == LogoNotFound.code
    picture = {"Content-Type": "image/png"}
    assert http(an, "PUT", "/v1/office/logo", content=png(), headers=picture).status_code == 204
    answer = http(scene.act("preparer"), "GET", "/v1/office/logo")
    assert (answer.status_code, answer.headers["Content-Type"], answer.content) == (200, "image/png", png())
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    unchanged = http(an, "GET", "/v1/office/logo", headers={"If-None-Match": answer.headers["ETag"]})
    assert unchanged.status_code == 304
    address = stored(scene, lambda session: logo_address(session, scene.office.id))
    shown = http(an, "GET", address)
    assert (shown.headers["Content-Type"], shown.headers["X-Content-Type-Options"]) == ("image/png", "nosniff")
    assert http(an, "GET", address, headers={"If-None-Match": shown.headers["ETag"]}).status_code == 304
    assert http(an, "GET", address[:-1] + ("0" if address[-1] != "0" else "1")).status_code == 404
    other = encode("office", make_office(scene.gateway).id)
    assert http(an, "GET", address.replace(encode("office", scene.office.id), other)).status_code == 404
    assert http(an, "PUT", "/v1/office/logo", content=b"<svg/>", headers=picture).json()["code"] == LogoRefused.code
    assert http(an, "DELETE", "/v1/office/logo").status_code == 204
    assert http(an, "GET", address).status_code == 404
    with pytest.raises(RightsError):
        LogoService(scene.gateway).put(scene.act("administrator"), png())


# Template -----------------------------------------------------------------------------------------------------------


def put_template(scene: Scene, template: Template = TEMPLATE, *, version: int = 0) -> int:
    return OfficeSettingsService(scene.gateway).put_template(scene.act("an"), template, version=version)[1]


def rules_of(scene: Scene, client_id: UUID) -> dict[str, tuple[int, str | None]]:
    """Rules in force by name: people asked and lowest amount."""
    rows, _ = RuleService(scene.gateway).rules(act_of_system(scene.office, now=scene.now), client_id, ALL)
    return {row.name: (row.count, row.conditions.get("amount_from")) for row in rows}


def test_a_new_client_begins_with_the_template(scene: Scene) -> None:
    """OFF-01: services, portal, delivery, numbering, reminders and rules; the destination waits (DEL-13)."""
    assert put_template(scene) == 1
    client = make_client(scene.gateway, scene.office)
    assert (client.services, client.portal_shows_coda) == (["transactions", "coda"], False)
    profile = stored(scene, lambda session: session.get(ClientProfile, client.id))
    assert (profile.delivery, profile.destination, profile.package) == ("email", "coda@example.test", "winbooks")
    assert profile.destination_confirmed_at is None
    settings = ClientSettingsService(scene.gateway).get(scene.act("an"), client.id)
    assert (settings.statements_from, settings.first_coda_number) == ("quarter_start", 12)
    assert (settings.consent_reminder_days, settings.approval_expiry_days) == ([30, 7], 5)
    assert rules_of(scene, client.id) == {"Alles": (1, None), "Vanaf 5.000": (2, "5000.00")}
    groups = stored(scene, lambda s: s.exec(select(ApproverGroup).where(ApproverGroup.client_id == client.id)).all())
    assert [group.name for group in groups] == ["Bestuurders"]


def test_clients_that_are_there_keep_what_they_have(scene: Scene) -> None:
    """OFF-01."""
    put_template(scene)
    kept = stored(scene, lambda session: session.get(Client, scene.client.id))
    assert kept.services == ["transactions", "coda", "payments"]
    assert ClientSettingsService(scene.gateway).get(scene.act("an"), scene.client.id).version == 0
    assert rules_of(scene, scene.client.id) == {}


def test_the_template_reads_back_as_it_was_written(scene: Scene, an: Act, http: Any) -> None:
    """OFF-01, API-05."""
    first = http(an, "GET", "/v1/office/template")
    assert first.json()["version"] == 0
    body = {name: value for name, value in first.json().items() if name != "version"} | {
        "delivery": {"channel": "sftp", "destination": "/in", "package": "bob50"},
        "approval_rules": [
            {"name": "Alles", "group": "Bestuurders", "count": 2, "amount_from": {"amount": "10.00", "currency": "EUR"}}
        ],
    }
    answer = http(an, "PUT", "/v1/office/template", json=body, headers={"If-Match": first.headers["ETag"]})
    assert answer.status_code == 200, answer.text
    assert answer.json() == body | {"version": 1}
    assert http(an, "GET", "/v1/office/template").json() == answer.json()
    assert http(an, "PUT", "/v1/office/template", json=body, headers={"If-Match": '"0"'}).status_code == 412
    twice = body | {"approval_rules": body["approval_rules"] * 2}
    assert http(an, "PUT", "/v1/office/template", json=twice, headers={"If-Match": '"1"'}).status_code == 422


def test_rules_of_the_template_are_set_by_a_person_with_a_fresh_second_factor(scene: Scene, an: Act) -> None:
    """APP-12: never by a key; the rest of the template is no such change."""
    service = OfficeSettingsService(scene.gateway)
    machine = replace(an, principal=replace(an.principal, kind=PrincipalKind.MACHINE, second_factor_at=None))
    with pytest.raises(PersonRequired):
        service.put_template(machine, TEMPLATE, version=0)
    with pytest.raises(SecondFactorRequired):
        service.put_template(scene.act("an", is_fresh=False), TEMPLATE, version=0)
    _, version = service.put_template(machine, replace(TEMPLATE, rules=()), version=0)
    assert version == 1
    with pytest.raises(RightsError):
        service.put_template(scene.act("administrator"), DEFAULT, version=1)


def test_an_import_gives_the_template_too_and_its_undo_takes_it_back(scene: Scene) -> None:
    """OFF-01, OFF-15: what the file says goes before; rules of people hinder the undo, copied ones do not."""
    # Runs have the clock of the installation.
    scene.now = scene.gateway.real_now()
    an = scene.act("an")
    put_template(scene)
    content = b"Naam;External id;Package\nBakkerij Voorbeeld BV;p-1;horus\nSlager Voorbeeld BV;p-2;\n"
    imported = ImportService(scene.gateway).create(an, content).client_import
    runs = RunService(scene.gateway)
    run, _ = runs.start(an, imported.id, kind=RunKind.IMPORT)
    runs.work(scene.office.id, run.id)
    named = select(Client).where(col(Client.external_id).is_not(None)).order_by(col(Client.external_id))
    clients = stored(scene, lambda session: session.exec(named).all())
    assert [client.services for client in clients] == [["transactions", "coda"]] * 2
    profiles = [stored(scene, lambda session, c=client: session.get(ClientProfile, c.id)) for client in clients]
    assert [profile.package for profile in profiles] == ["horus", "winbooks"]
    assert {profile.destination for profile in profiles} == {"coda@example.test"}
    assert all(len(rules_of(scene, client.id)) == 2 for client in clients)
    scene.now += timedelta(hours=1)
    GroupService(scene.gateway).create_group(scene.act("an"), clients[1].id, name="Eigen", user_ids=[])
    undo, _ = runs.start(an, imported.id, kind=RunKind.UNDO)
    runs.work(scene.office.id, undo.id)
    assert [client.external_id for client in stored(scene, lambda session: session.exec(named).all())] == ["p-2"]
    versions = select(ApprovalRuleVersion).where(ApprovalRuleVersion.client_id == clients[0].id)
    assert stored(scene, lambda session: session.exec(versions).all()) == []


# Applying -----------------------------------------------------------------------------------------------------------


def apply(scene: Scene, *parts: Part, version: int = 1, by: str = "an", **more: Any) -> ClientOutcome:
    service = TemplateApplicationService(scene.gateway)
    (outcome,) = service.apply(scene.act(by), [scene.client.id], parts, version=version, **more)
    return outcome


def test_the_template_reaches_a_client_that_was_selected(scene: Scene) -> None:
    """OFF-01: a dry run changes nothing; applied again nothing is left to change."""
    put_template(scene, replace(TEMPLATE, rules=()))
    four = [Part.SERVICES, Part.DELIVERY, Part.NUMBERING, Part.REMINDERS]
    assert apply(scene, *four, is_dry_run=True).changed == four
    assert stored(scene, lambda session: session.get(ClientProfile, scene.client.id)) is None
    done = apply(scene, *four)
    assert (done.error, done.changed, done.is_destination_waiting) == (None, four, True)
    assert stored(scene, lambda session: session.get(Client, scene.client.id)).services == ["transactions", "coda"]
    assert stored(scene, lambda session: session.get(ClientSettings, scene.client.id)).template_version == 1
    assert apply(scene, *four).changed == []
    with pytest.raises(StaleError):
        apply(scene, *four, version=0)


def test_a_changed_destination_waits_again(scene: Scene) -> None:
    """DEL-13: what was confirmed was another address."""

    def confirmed(session: Session) -> None:
        session.add(
            ClientProfile(
                client_id=scene.client.id, office_id=scene.office.id, destination="old@example.test",
                delivery="email", destination_confirmed_at=scene.now, updated_at=scene.now,
            )
        )  # fmt: skip

    stored(scene, confirmed)
    put_template(scene)
    assert apply(scene, Part.DELIVERY).is_destination_waiting
    profile = stored(scene, lambda session: session.get(ClientProfile, scene.client.id))
    assert (profile.destination, profile.destination_confirmed_at) == ("coda@example.test", None)


def test_rules_wait_for_the_clients_administrator(scene: Scene) -> None:
    """APP-12: an office admin proposes; another office admin cannot confirm it where the client has its own."""
    put_template(scene)
    outcome = apply(scene, Part.APPROVAL_RULES)
    assert (outcome.error, outcome.changed) == (None, [Part.APPROVAL_RULES])
    assert outcome.proposal is not None
    assert outcome.proposal.state is ProposalState.PROPOSED
    assert rules_of(scene, scene.client.id) == {}
    proposals = ProposalService(scene.gateway)
    for name in ("an", "bob"):
        with pytest.raises(RightsError):
            proposals.confirm(scene.act(name), outcome.proposal.id)
    proposals.confirm(scene.act("administrator"), outcome.proposal.id)
    assert rules_of(scene, scene.client.id) == {"Alles": (1, None), "Vanaf 5.000": (2, "5000.00")}
    assert apply(scene, Part.APPROVAL_RULES).changed == []


def test_a_client_without_administrator_has_the_offices_admins(scene: Scene) -> None:
    """APP-12: two of them; a rule of the same name gets a new version, the others stay."""
    put_template(scene)
    client = make_client(scene.gateway, scene.office)
    changed = replace(TEMPLATE, rules=(TemplateRule("Alles", "Zaakvoerders", 2),))
    put_template(scene, changed, version=1)
    (outcome,) = TemplateApplicationService(scene.gateway).apply(
        scene.act("an"), [client.id], [Part.APPROVAL_RULES], version=2
    )
    assert outcome.proposal is not None, outcome.error
    ProposalService(scene.gateway).confirm(scene.act("bob"), outcome.proposal.id)
    assert rules_of(scene, client.id) == {"Alles": (2, None), "Vanaf 5.000": (2, "5000.00")}


def test_one_client_that_is_refused_keeps_no_other_waiting(scene: Scene, an: Act, http: Any) -> None:
    """OFF-01: payments under way, a foreign id: each with its own code."""
    scene.rule("Eén", scene.user("first"))
    scene.submitted()
    other = make_client(scene.gateway, scene.office)
    put_template(scene, replace(TEMPLATE, rules=()))
    foreign = make_client(scene.gateway, make_office(scene.gateway))
    body = {
        "client_ids": [encode("client", client.id) for client in (scene.client, foreign, other)],
        "parts": ["services"], "template_version": 1,
    }  # fmt: skip
    key = {"Idempotency-Key": str(new_id())}
    items = http(an, "POST", "/v1/office/template-applications", json=body, headers=key).json()["items"]
    assert [item["code"] for item in items] == ["payments_under_way", "client_not_found", None]
    assert "1 payments" in items[0]["detail"]
    assert items[2]["changed"] == ["services"]


def test_settings_of_a_client_are_changed_on_what_was_read(scene: Scene, an: Act, http: Any) -> None:
    """OFF-01, API-05."""
    path = f"/v1/clients/{encode('client', scene.client.id)}/settings"
    first = http(an, "GET", path)
    body = {"numbering": {"statements_from": "history_start", "first_coda_number": 7},
            "reminders": {"consent_days": [3, 30], "approval_days": [2], "approval_expiry_days": 20}}  # fmt: skip
    answer = http(an, "PUT", path, json=body, headers={"If-Match": first.headers["ETag"]})
    assert answer.status_code == 200, answer.text
    assert answer.json()["reminders"]["consent_days"] == [30, 3]
    assert http(an, "GET", path).json() == answer.json()
    assert http(an, "PUT", path, json=body, headers={"If-Match": first.headers["ETag"]}).status_code == 412
    assert http(scene.act("preparer"), "PUT", path, json=body, headers={"If-Match": '"1"'}).status_code == 403


def test_a_client_is_made_with_nothing_more_where_no_template_was_made(scene: Scene) -> None:
    """OFF-01: the defaults hold without rows of their own."""
    wish = ClientWish(name="Kapper Voorbeeld", language="nl", external_id="k-1")
    client, is_new = ClientService(scene.gateway).put(act_of_system(scene.office), wish)
    assert is_new
    assert stored(scene, lambda session: session.get(ClientSettings, client.id)) is None
    assert Decimal(client.version) == 1


def test_the_first_template_and_logo_at_once_are_made_one_after_the_other(committed: Gateway) -> None:
    act = act_of_system(make_office(committed))
    templates, logos = OfficeSettingsService(committed), LogoService(committed)

    def put(number: int) -> bool:
        logos.put(act, png(40 + number))
        try:
            templates.put_template(act, replace(TEMPLATE, rules=(), first_coda_number=number), version=0)
        except StaleError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(put, range(1, 9))) == [False] * 7 + [True]

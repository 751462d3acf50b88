"""SEC-11: erasing a person keeps the chain valid and says what stays, until when and why."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlmodel import col, select

from gateway.assembly import Gateway
from gateway.audit.log import SOURCE, Change, verify
from gateway.audit.models import AuditEntry, AuditValue
from gateway.custody.erasures import ErasureItem, ErasureService, RoleStillHeld
from gateway.errors import NotFound, RightsError
from gateway.identity.models import Membership, User
from gateway.identity.rights import ClientRole, OfficeRole, PersonRequired, SecondFactorRequired
from gateway.ids import new_id
from gateway.passkeys.models import Passkey
from gateway.people.invitations import InvitationService, InvitationWish
from gateway.people.models import Invitation
from tests.gateway.payments.scene import Scene, make_scene


@pytest.fixture
def scene(gateway: Gateway) -> Scene:
    scene = make_scene(gateway)
    scene.person("admin", OfficeRole.ADMIN)
    scene.person("leaver", ClientRole.VIEWER)
    return scene


def kinds(report: list[ErasureItem]) -> dict[str, tuple[bool, str | None]]:
    return {item.kind: (item.is_erased, item.reason) for item in report}


def user(scene: Scene, name: str) -> User:
    with scene.gateway.database.unit_of_work(None) as session:
        return session.get_one(User, scene.people[name].id)


def leave_traces(scene: Scene, name: str) -> None:
    """An entry by the person with a network address, and one about the person with a name."""
    from dataclasses import replace  # noqa: PLC0415

    act = replace(scene.act(name), address="203.0.113.7")
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        scene.gateway.audit.record(session, act, "person.looked", "user", act.principal.id)
        scene.gateway.audit.record(
            session, scene.act("admin"), "user.changed", "user", act.principal.id,
            changes={"first_name": Change("Oud", "Nieuw")},
        )  # fmt: skip


def test_a_person_without_payments_is_erased_and_the_chain_holds(scene: Scene) -> None:
    leave_traces(scene, "leaver")
    scene.take("leaver", ClientRole.VIEWER)
    service, leaver = ErasureService(scene.gateway), scene.people["leaver"].id
    dry = service.erase(scene.act("admin"), leaver, is_dry_run=True)
    assert user(scene, "leaver").first_name == "leaver", "a dry run changes nothing"
    report = service.erase(scene.act("admin"), leaver)
    assert report == dry
    assert kinds(report) == {
        "name": (True, None), "email": (True, None), "sign_in": (True, None),
        "invitations": (True, None), "audit_values": (True, None),
        "audit_entries": (False, "audit_chain"),
    }  # fmt: skip
    erased = user(scene, "leaver")
    assert "leaver" not in f"{erased.first_name} {erased.last_name} {erased.email}"
    assert erased.email.endswith("@erased.invalid")
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        assert verify(session, scene.gateway.audit, scene.office.id) is None
        assert not session.exec(select(AuditValue).where(col(AuditValue.field).in_([SOURCE, "first_name"]))).all()
        last = session.exec(select(AuditEntry).order_by(col(AuditEntry.position).desc()).limit(1)).one()
        assert (last.action, last.object_id) == ("person.erased", leaver)


def test_invitations_passkeys_and_links_go_with_the_person(scene: Scene) -> None:
    """SEC-11: name and address stand in invitations and their entries too; no sign-in is left behind."""
    wish = InvitationWish("leaver@example.test", "Lea", "Vertrekker", "nl", ["viewer"], scene.client.id)
    invited = InvitationService(scene.gateway).invite(scene.act("administrator"), wish).invitation
    leaver = scene.people["leaver"].id
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        session.get_one(Invitation, invited.id).user_id = leaver
        session.add(
            Passkey(
                id=new_id(), user_id=leaver, name="Telefoon van Lea", credential_id=b"id", public_key=b"key",
                sign_count=0, transports=[], is_backed_up=False, created_at=scene.now,
            )
        )  # fmt: skip
    scene.take("leaver", ClientRole.VIEWER)
    report = ErasureService(scene.gateway).erase(scene.act("admin"), leaver)
    assert next(item.count for item in report if item.kind == "invitations") == 1
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        kept = session.get_one(Invitation, invited.id)
        assert "Lea" not in f"{kept.first_name} {kept.last_name}"
        assert kept.email.endswith("@erased.invalid")
        assert not session.exec(select(Passkey).where(Passkey.user_id == leaver)).all()
        values = session.exec(select(AuditValue)).all()
        assert not [value for value in values if "leaver@example.test" in f"{value.old_value} {value.new_value}"]
        assert verify(session, scene.gateway.audit, scene.office.id) is None


def test_the_name_of_somebody_who_decided_stays_as_long_as_the_payments(scene: Scene) -> None:
    scene.rule("every payment", scene.user("first"))
    _basket, payments = scene.submitted(scene.wish())
    scene.approve("first", *payments)
    scene.take("first", ClientRole.APPROVER)
    service, first = ErasureService(scene.gateway), scene.people["first"].id
    report = service.erase(scene.act("admin"), first)
    name = next(item for item in report if item.kind == "name")
    assert (name.is_erased, name.reason, name.kept_until) == (False, "payments_retention", date(2036, 12, 31))
    kept = user(scene, "first")
    assert (kept.first_name, kept.email.endswith("@erased.invalid")) == ("first", True)
    scene.now += timedelta(days=366 * 11)
    assert kinds(service.erase(scene.act("admin"), first))["name"] == (True, None)
    assert user(scene, "first").first_name != "first"


def test_somebody_known_to_another_office_keeps_the_name_there(scene: Scene) -> None:
    """SEC-14: an office does not edit a person who also serves another one, and is not told to end roles there."""
    other = make_scene(scene.gateway)
    scene.take("leaver", ClientRole.VIEWER)
    leaver = scene.people["leaver"].id
    with scene.gateway.database.unit_of_work(other.office.id) as session:
        session.add(
            Membership(
                id=new_id(), user_id=leaver, office_id=other.office.id, role="staff", created_at=scene.now,
            )
        )  # fmt: skip
    report = ErasureService(scene.gateway).erase(scene.act("admin"), leaver)
    assert kinds(report)["name"] == kinds(report)["email"] == (False, "other_organisation")
    assert user(scene, "leaver").first_name == "leaver"


def test_it_is_refused_while_a_role_is_held_and_to_those_who_may_not(scene: Scene) -> None:
    service, leaver = ErasureService(scene.gateway), scene.people["leaver"].id
    with pytest.raises(RoleStillHeld):
        service.erase(scene.act("admin"), leaver)
    scene.take("leaver", ClientRole.VIEWER)
    other = make_scene(scene.gateway)
    other.person("admin", OfficeRole.ADMIN)
    for act, user_id, refusal in (
        (scene.act("admin", is_fresh=False), leaver, SecondFactorRequired),
        (scene.act("administrator"), leaver, RightsError),
        (scene.machine("admin"), leaver, PersonRequired),
        (scene.act("admin"), new_id(), NotFound),
        (other.act("admin"), leaver, NotFound),
    ):
        with pytest.raises(refusal):
            service.erase(act, user_id)
    assert user(scene, "leaver").first_name == "leaver"

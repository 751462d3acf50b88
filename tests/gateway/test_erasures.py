"""SEC-11: erasing a person keeps the chain valid and says what stays, until when and why."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlmodel import col, select

from gateway.assembly import Gateway
from gateway.audit.log import SOURCE, Change, verify
from gateway.audit.models import AuditEntry, AuditValue
from gateway.client_groups.service import ClientGroupService
from gateway.custody.erasures import ErasureItem, ErasureService, RoleStillHeld, pseudonym
from gateway.custody.personal import PERSONAL, TABLES, Treatment
from gateway.custody.proposals import ERASE
from gateway.database import Base
from gateway.errors import NotFound, RightsError
from gateway.identity.models import Membership, User
from gateway.identity.rights import ClientRole, OfficeRole, PersonRequired, SecondFactorRequired
from gateway.ids import new_id
from gateway.models import import_all
from gateway.notices.outbox import opened, queue_mail
from gateway.passkeys.models import Passkey
from gateway.people.invitations import InvitationService, InvitationWish
from gateway.people.models import Invitation
from gateway.people.states import InvitationState
from gateway.profiles.models import ClientProfile
from gateway.proposals.errors import ProposalDecided, SecondPersonRequired
from gateway.proposals.service import ProposalService
from gateway.proposals.states import ProposalState
from gateway.recovery.models import RecoveryCode
from tests.gateway.payments.scene import Scene, make_scene


@pytest.fixture
def scene(gateway: Gateway) -> Scene:
    scene = make_scene(gateway)
    scene.person("admin", OfficeRole.ADMIN)
    scene.person("witness", OfficeRole.ADMIN)
    scene.person("leaver", ClientRole.VIEWER)
    return scene


def erase(scene: Scene, user_id: UUID) -> list[ErasureItem]:
    """Proposed by one admin, confirmed by another."""
    report = ErasureService(scene.gateway).preview(scene.act("admin"), user_id)
    proposal = ProposalService(scene.gateway).propose(scene.act("admin"), ERASE, user_id, {})
    ProposalService(scene.gateway).confirm(scene.act("witness"), proposal.id)
    return report


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
    leaver = scene.people["leaver"].id
    ErasureService(scene.gateway).preview(scene.act("admin"), leaver)
    assert user(scene, "leaver").first_name == "leaver", "a look changes nothing"
    report = erase(scene, leaver)
    assert kinds(report) == {
        "name": (True, None), "email": (True, None), "sign_in": (True, None), "audit_values": (True, None),
        "audit_entries": (False, "audit_chain"),
    }  # fmt: skip
    erased = user(scene, "leaver")
    assert "leaver" not in f"{erased.first_name} {erased.last_name} {erased.email}"
    assert erased.email.endswith("@erased.invalid")
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        assert verify(session, scene.gateway.audit, scene.office.id) is None
        assert not session.exec(select(AuditValue).where(col(AuditValue.field).in_([SOURCE, "first_name"]))).all()
        erasure = session.exec(select(AuditEntry).where(AuditEntry.action == "person.erased")).one()
        assert (erasure.object_id, erasure.actor_id) == (leaver, scene.people["witness"].id)


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
    report = erase(scene, leaver)
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
    first = scene.people["first"].id
    report = erase(scene, first)
    name = next(item for item in report if item.kind == "name")
    assert (name.is_erased, name.reason, name.kept_until) == (False, "payments_retention", date(2036, 12, 31))
    kept = user(scene, "first")
    assert (kept.first_name, kept.email.endswith("@erased.invalid")) == ("first", True)
    scene.now += timedelta(days=366 * 11)
    assert kinds(erase(scene, first))["name"] == (True, None)
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
    report = erase(scene, leaver)
    assert kinds(report)["name"] == kinds(report)["email"] == (False, "other_organisation")
    assert user(scene, "leaver").first_name == "leaver"


def test_it_is_refused_while_a_role_is_held_and_to_those_who_may_not(scene: Scene) -> None:
    service, leaver = ErasureService(scene.gateway), scene.people["leaver"].id
    with pytest.raises(RoleStillHeld):
        service.preview(scene.act("admin"), leaver)
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
            service.preview(act, user_id)
    assert user(scene, "leaver").first_name == "leaver"


def test_it_takes_two_admins(scene: Scene) -> None:
    """SEC-11, APP-12: nothing goes before another admin confirms; who got a role meanwhile is not erased."""
    scene.take("leaver", ClientRole.VIEWER)
    service, leaver = ProposalService(scene.gateway), scene.people["leaver"].id
    proposal = service.propose(scene.act("admin"), ERASE, leaver, {})
    assert proposal.state is ProposalState.PROPOSED
    with pytest.raises(SecondPersonRequired):
        service.confirm(scene.act("admin"), proposal.id)
    scene.give("leaver", ClientRole.VIEWER)
    with pytest.raises(RoleStillHeld):
        service.confirm(scene.act("witness"), proposal.id)
    assert user(scene, "leaver").first_name == "leaver"
    scene.take("leaver", ClientRole.VIEWER)
    service.withdraw(scene.act("admin"), proposal.id)
    with pytest.raises(ProposalDecided):
        service.confirm(scene.act("witness"), proposal.id)


def test_every_trace_of_the_person_goes(scene: Scene) -> None:
    """SEC-11: invitations, mails, contacts, groups, sign-in; rows of others stay."""
    gateway, leaver = scene.gateway, scene.people["leaver"]
    email, other = leaver.user.email, scene.people["preparer"].user.email
    groups = ClientGroupService(gateway)
    scene.person("colleague", OfficeRole.STAFF)
    with gateway.database.unit_of_work(scene.office.id) as session:
        for address, name in ((email, "leaver"), (other, "preparer")):
            session.add(
                Invitation(
                    id=new_id(), office_id=scene.office.id, client_id=scene.client.id, email=address, first_name=name,
                    last_name="Voorbeeld", language="nl", roles=["viewer"], salaries=False, created_at=scene.now,
                    state=InvitationState.ENDED, inviter_id=scene.people["admin"].id, expires_at=scene.now,
                )
            )  # fmt: skip
            queue_mail(session, gateway, scene.office.id, to=address, language="nl", template="webhook_disabled",
                       parameters={"endpoint": "whe_x"})  # fmt: skip
        session.add(RecoveryCode(id=new_id(), user_id=leaver.id, code_hash=b"x", created_at=scene.now))
        session.add(
            ClientProfile(
                client_id=scene.client.id, office_id=scene.office.id, contact_name="Lee Ver", contact_email=email,
                mobile="+32470000000", responsible_id=leaver.id, updated_at=scene.now,
            )
        )  # fmt: skip
    groups.create(scene.act("admin"), name="Horeca", client_ids=[], user_ids=[scene.people["colleague"].id])
    scene.take("leaver", ClientRole.VIEWER)
    report = kinds(erase(scene, leaver.id))
    assert report["invitations"] == report["mails"] == report["client_contacts"] == (True, None)
    with gateway.database.unit_of_work(scene.office.id) as session:
        people = {row.email: row.first_name for row in session.exec(select(Invitation))}
        assert people == {f"{pseudonym(leaver.id)}@erased.invalid": "–", other: "preparer"}
        profile = session.get_one(ClientProfile, scene.client.id)
        assert (profile.contact_name, profile.contact_email, profile.mobile, profile.responsible_id) == (None,) * 4
        assert session.exec(select(RecoveryCode)).all() == []
    # Who was asked to confirm the erasure was mailed as well.
    kept = [mail.to for mail in opened(gateway, scene.office.id) if mail.template == "webhook_disabled"]
    assert kept == [other]


def test_no_table_with_a_person_in_it_is_forgotten() -> None:
    """SEC-11: a new table that refers to people, or has a column of personal data, must say what erasing does there."""
    import_all()
    found = {
        table.name
        for table in Base.metadata.tables.values()
        for column in table.columns
        if column.name in PERSONAL or any(key.target_fullname == "app_user.id" for key in column.foreign_keys)
    }
    assert found | {"app_user"} <= set(TABLES), sorted(found - set(TABLES))
    for name, treatment in TABLES.items():
        columns = Base.metadata.tables[name].columns
        if treatment in (Treatment.SIGN_IN, Treatment.OFFICE):
            assert "user_id" in columns, name
        if treatment is Treatment.OFFICE:
            assert "office_id" in columns, name
        if treatment is Treatment.IDS:
            assert not PERSONAL & set(columns.keys()), f"{name} holds more than ids"

"""OFF-16: two people of the office suspend a person on a document."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.assembly import Gateway
from gateway.errors import GatewayError, InputError, NotFound, RightsError
from gateway.identity.people import roles_in
from gateway.identity.rights import ClientRole, OfficeRole
from gateway.ids import encode, new_id
from gateway.notices.outbox import opened
from gateway.proposals.errors import SecondPersonRequired
from gateway.proposals.service import ProposalService
from tests.gateway.payments.scene import Scene, make_scene

DOCUMENT = {"event": "death", "document_reference": "Akte 2026/118"}


@pytest.fixture
def scene(gateway: Gateway) -> Scene:
    made = make_scene(gateway)
    for name in ("an", "bob"):
        made.person(name, OfficeRole.STAFF)
    return made


def roles(scene: Scene, name: str) -> set[str]:
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        return {row.role for row in roles_in(session, scene.office.id, scene.people[name].id)}


def test_the_last_administrator_is_suspended_and_a_successor_follows(scene: Scene) -> None:
    """Approvals not yet downloaded count no more, the others are told at once, the successor comes after 72 hours."""
    proposals = ProposalService(scene.gateway)
    scene.rule("every payment", scene.user("first"))
    basket, payments = scene.submitted(scene.wish())
    scene.approve("first", *payments)
    successor = scene.person("successor", ClientRole.VIEWER)
    content = DOCUMENT | {"successor_id": encode("user", successor.id)}
    for person, more in (("first", DOCUMENT), ("administrator", content)):
        proposal = proposals.propose(
            scene.act("an"), "user.legal_event", scene.people[person].id, more, client_id=scene.client.id
        )
        with pytest.raises(SecondPersonRequired):
            proposals.confirm(scene.act("an"), proposal.id)
        proposals.confirm(scene.act("bob"), proposal.id)
        assert roles(scene, person) == set()
    with pytest.raises(GatewayError):
        scene.export(basket)
    told = {mail.to for mail in opened(scene.gateway, scene.office.id) if mail.template == "legal_event"}
    assert successor.user.email in told
    assert scene.people["first"].user.email not in told, "the person gets no mail any more"
    offset = scene.now - scene.gateway.real_now()
    for hours, held in ((71, {"viewer"}), (73, {"viewer", "administrator"})):
        moment = scene.gateway.real_now() + offset + timedelta(hours=hours)
        later = replace(scene.gateway, real_now=lambda at=moment: at)
        ProposalService(later).run_due(scene.office.id)
        assert roles(scene, "successor") == held


@pytest.mark.parametrize(
    "content",
    [
        {"event": "holiday", "document_reference": "x"},
        {"event": "death", "document_reference": " "},
        {"event": "death"},
        DOCUMENT | {"successor_id": "usr_x"},
        DOCUMENT | {"successor_id": encode("user", new_id())},
        DOCUMENT | {"note": "x"},
    ],
)
def test_a_document_and_a_known_successor_are_needed(scene: Scene, content: dict[str, str]) -> None:
    with pytest.raises(InputError):
        ProposalService(scene.gateway).propose(
            scene.act("an"), "user.legal_event", scene.people["first"].id, content, client_id=scene.client.id
        )


def test_only_people_of_the_office_record_it(scene: Scene) -> None:
    proposals = ProposalService(scene.gateway)
    with pytest.raises(RightsError):
        proposals.propose(
            scene.act("administrator"), "user.legal_event", scene.people["first"].id, DOCUMENT,
            client_id=scene.client.id,
        )  # fmt: skip
    with pytest.raises(NotFound):
        proposals.propose(scene.act("an"), "user.legal_event", new_id(), DOCUMENT, client_id=scene.client.id)


def test_a_client_of_somebody_else_is_not_there(scene: Scene) -> None:
    """SEC-05: not "proposed already", which is what the database's own refusal was taken for."""
    other = make_scene(scene.gateway)
    for client_id in (other.client.id, new_id()):
        with pytest.raises(NotFound):
            ProposalService(scene.gateway).propose(
                scene.act("an"), "user.legal_event", scene.people["first"].id, DOCUMENT, client_id=client_id
            )

"""Above a client's amount a passkey signs decision and seals, and we check it (SEC-04)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import cbor2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from sqlmodel import select
from webauthn.helpers import bytes_to_base64url

from gateway.approvals.service import ApprovalService, DecisionWish
from gateway.assembly import Gateway
from gateway.audit.models import AuditEntry
from gateway.errors import InputError, RightsError
from gateway.identity.rights import ClientRole, PersonRequired
from gateway.ids import new_id
from gateway.passkeys.errors import PasskeyMissing, PasskeyRefused
from gateway.passkeys.models import Passkey
from gateway.passkeys.service import Answer
from gateway.payments.exports import ExportService
from gateway.payments.models import Basket, Payment
from gateway.proposals.service import ProposalService
from gateway.signed_decisions.errors import PasskeySignatureRequired
from gateway.signed_decisions.models import DecisionSignature
from gateway.signed_decisions.service import SignedDecisionService, named_seals
from gateway.signed_decisions.statements import challenge
from sepa.approval import Verdict
from tests.gateway.authenticator import Authenticator
from tests.gateway.payments.scene import Scene, make_scene

ORIGIN, RP = "https://sluis.example.be", "sluis.example.be"


@dataclass
class Signing:
    """A client with a limit of 1,000.00 and an approver with a passkey."""

    scene: Scene
    device: Authenticator

    @property
    def service(self) -> SignedDecisionService:
        return SignedDecisionService(self.scene.gateway)

    def submitted(self, *amounts: str) -> tuple[Basket, list[Payment]]:
        return self.scene.submitted(*(replace(self.scene.wish(), amount=Decimal(amount)) for amount in amounts))

    def sign(self, name: str, decision: str, seals: Mapping[UUID, str], device: Authenticator | None = None) -> Any:
        question = self.service.ask(self.scene.act(name), decision, seals)
        answer = Answer(question.challenge_id, (device or self.device).get(question.options))
        return self.service.sign(self.scene.act(name), answer)

    def approve(self, *payments: Payment, name: str = "first") -> None:
        wishes = [DecisionWish(payment_id=one.id, seal=one.seal, verdict=Verdict.APPROVE) for one in payments]
        outcomes = ApprovalService(self.scene.gateway).decide_many(self.scene.act(name), wishes)
        assert all(outcome.error is None for outcome in outcomes), outcomes


def enrol(scene: Scene, name: str) -> Authenticator:
    """A passkey of that person, as adding it would leave it."""
    device = Authenticator(ORIGIN, RP)
    user_id = scene.people[name].id
    device.user_handle = bytes_to_base64url(user_id.bytes)
    numbers = device.key.public_key().public_numbers()
    cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
    with scene.gateway.database.unit_of_work(None) as session:
        session.add(
            Passkey(
                id=new_id(), user_id=user_id, name="Phone", credential_id=device.credential_id,
                public_key=cbor2.dumps(cose), sign_count=0, transports=[], is_backed_up=False, created_at=scene.now,
            )
        )  # fmt: skip
    return device


def seals_of(*payments: Payment) -> dict[UUID, str]:
    return {payment.id: payment.seal or "" for payment in payments}


@pytest.fixture
def signing(gateway: Gateway) -> Signing:
    named = replace(gateway, settings=gateway.settings.model_copy(update={"base_url": ORIGIN}))
    scene = make_scene(named)
    scene.rule("every payment", scene.user("first"))
    proposal = ProposalService(named).propose(
        scene.act("administrator"), "signing_limit.set", scene.client.id, {"amount": "1000.00"},
        client_id=scene.client.id,
    )  # fmt: skip
    assert proposal.decided_at is not None, "before the first submission a lone administrator does not wait"
    return Signing(scene, enrol(scene, "first"))


def test_above_the_limit_nothing_is_approved_without_a_signature_over_exactly_that(signing: Signing) -> None:
    """SEC-04: the sum of what is decided counts; the signature names the decision and every seal, and is used once."""
    _, (one, two) = signing.submitted("600.00", "500.00")
    signing.approve(one)
    with pytest.raises(PasskeySignatureRequired):
        signing.approve(one, two)
    _, (big, other) = signing.submitted("1000.01", "1000.02")
    for decision, seals in (
        ("export", seals_of(big)), ("approve", seals_of(other)), ("approve", seals_of(big, other)),
        ("approve", {big.id: "another seal"}),
    ):  # fmt: skip
        signing.sign("first", decision, seals)
        with pytest.raises(PasskeySignatureRequired):
            signing.approve(big)
    row = signing.sign("first", "approve", seals_of(big))
    signing.approve(big)
    assert signing.scene.payment(big).state.value == "approved"
    with signing.scene.gateway.database.unit_of_work(signing.scene.office.id) as session:
        kept = session.get_one(DecisionSignature, row.id)
        entries = session.exec(select(AuditEntry).where(AuditEntry.action == "decision.signed")).all()
    assert kept.used_at is not None
    assert [(entry.object_id, entry.second_factor) for entry in entries] == [(row.id, "passkey")]
    # The evidence checks without us: key, statement and signature are all that is needed.
    assert bytes_to_base64url(challenge(kept.nonce, "approve", named_seals(seals_of(big)))).encode() in kept.client_data
    signed = kept.authenticator_data + hashlib.sha256(kept.client_data).digest()
    signing.device.key.public_key().verify(kept.signature, signed, ec.ECDSA(hashes.SHA256()))


def test_a_signature_is_used_once_by_its_person_within_five_minutes(signing: Signing) -> None:
    _, (big,) = signing.submitted("5000.00")
    signing.sign("first", "approve", seals_of(big))
    enrol(signing.scene, "second")
    with pytest.raises(PasskeySignatureRequired):
        signing.approve(big, name="second")
    signing.scene.now += timedelta(minutes=6)
    with pytest.raises(PasskeySignatureRequired):
        signing.approve(big)
    signing.sign("first", "approve", seals_of(big))
    signing.approve(big)
    with pytest.raises(PasskeySignatureRequired):
        signing.approve(big)


def test_a_false_answer_signs_nothing(signing: Signing) -> None:
    """Another key, a second use of a question, somebody else's question, a passkey without its PIN."""
    _, (big,) = signing.submitted("5000.00")
    stranger = Authenticator(ORIGIN, RP, credential_id=signing.device.credential_id)
    with pytest.raises(PasskeyRefused):
        signing.sign("first", "approve", seals_of(big), device=stranger)
    lazy = Authenticator(ORIGIN, RP, is_verifying=False, key=signing.device.key,
                         credential_id=signing.device.credential_id)  # fmt: skip
    with pytest.raises(PasskeyRefused):
        signing.sign("first", "approve", seals_of(big), device=lazy)
    question = signing.service.ask(signing.scene.act("first"), "approve", seals_of(big))
    answer = Answer(question.challenge_id, signing.device.get(question.options))
    with pytest.raises(PasskeyRefused):
        signing.service.sign(signing.scene.act("second"), answer)
    question = signing.service.ask(signing.scene.act("first"), "approve", seals_of(big))
    answer = Answer(question.challenge_id, signing.device.get(question.options))
    signing.service.sign(signing.scene.act("first"), answer)
    with pytest.raises(PasskeyRefused):
        signing.service.sign(signing.scene.act("first"), answer)


def test_without_a_passkey_or_a_person_nothing_is_signed(signing: Signing) -> None:
    _, (big,) = signing.submitted("5000.00")
    with pytest.raises(PasskeyMissing):
        signing.service.ask(signing.scene.act("second"), "approve", seals_of(big))
    with pytest.raises(PersonRequired):
        signing.service.ask(signing.scene.machine("payments:write"), "approve", seals_of(big))


def test_an_export_and_its_first_download_are_signed_too(signing: Signing) -> None:
    basket, (big,) = signing.submitted("5000.00")
    signing.sign("first", "approve", seals_of(big))
    signing.approve(big)
    exports, device = ExportService(signing.scene.gateway), enrol(signing.scene, "exporter")
    (sealed,) = signing.scene.payments(basket)
    with pytest.raises(PasskeySignatureRequired):
        exports.create(signing.scene.act("exporter"), basket.id)
    signing.sign("exporter", "export", seals_of(sealed), device=device)
    (export,) = exports.create(signing.scene.act("exporter"), basket.id)
    with pytest.raises(PasskeySignatureRequired) as refused:
        exports.download(signing.scene.act("exporter"), export.id)
    signing.sign("exporter", refused.value.decision, refused.value.seals, device=device)
    exports.download(signing.scene.act("exporter"), export.id)
    exports.download(signing.scene.act("exporter"), export.id)


def test_rejecting_and_deciding_up_to_the_limit_need_no_signature(signing: Signing) -> None:
    _, (exact,) = signing.submitted("1000.00")
    signing.approve(exact)
    assert signing.service.limit(signing.scene.act("first"), signing.scene.client.id) == Decimal("1000.00")


def test_the_limit_is_changed_by_administrators_only(signing: Signing) -> None:
    """APP-12: never by an approver or a machine; a second administrator confirms, or two days pass."""
    proposals, client_id = ProposalService(signing.scene.gateway), signing.scene.client.id

    def propose(name: str, content: dict[str, Any]) -> Any:
        return proposals.propose(signing.scene.act(name), "signing_limit.set", client_id, content, client_id=client_id)

    for content in ({}, {"amount": "-1.00"}, {"amount": "1,00"}, {"amount": 5}, {"amount": "1.00", "more": "x"}):
        with pytest.raises(InputError):
            propose("administrator", content)
    with pytest.raises(RightsError):
        propose("first", {"amount": None})
    signing.submitted("10.00")
    waiting = propose("administrator", {"amount": None})
    assert waiting.effective_at - waiting.created_at == timedelta(hours=48)
    signing.scene.person("other", ClientRole.ADMINISTRATOR)
    proposals.confirm(signing.scene.act("other"), waiting.id)
    assert signing.service.limit(signing.scene.act("first"), client_id) is None
    _, (big,) = signing.submitted("5000.00")
    signing.approve(big)

"""What leaves, and what may not: law 4 case by case."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from lxml import etree
from sqlalchemy import Engine, create_engine, text

from gateway.approvals.process import ProcessService
from gateway.approvals.rulebook import RuleWish
from gateway.approvals.rules import RuleService
from gateway.assembly import Gateway
from gateway.embedded import OWNER, EmbeddedPostgres
from gateway.errors import RightsError
from gateway.identity.rights import ClientRole, Permission, PersonRequired, SecondFactorRequired
from gateway.offices.errors import ClientClosed, ClientSuspended
from gateway.offices.models import ClientState
from gateway.offices.service import ClientService
from gateway.pagination import PageRequest
from gateway.payments.errors import (
    AlreadyExported,
    BasketNotApproved,
    ExportRefused,
    ExportVoided,
    FileDamaged,
    NothingToExport,
    PaymentNotEditable,
    PaymentNotFound,
)
from gateway.payments.exports import ExportService
from gateway.payments.models import Basket, Export, Payment
from gateway.payments.service import PaymentService
from gateway.payments.states import BasketState, ExportState, PaymentState
from sepa.approval import Mode, Verdict
from tests.gateway.builders import act_of_system
from tests.gateway.payments.scene import ALL, Scene, ids, make_scene

NAMESPACE = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}


@pytest.fixture
def owner(postgres: EmbeddedPostgres, own_database: str) -> Iterator[Engine]:
    """Whoever reaches the database past the service."""
    engine = create_engine(postgres.url(OWNER, own_database))
    yield engine
    engine.dispose()


@pytest.fixture
def stored(committed: Gateway) -> Scene:
    """A scene on a committed database, so that the owner sees its rows."""
    scene = make_scene(committed)
    scene.rule("Alles", scene.user("first"), scene.user("second"), mode=Mode.COUNT)
    return scene


def approved(scene: Scene, *wishes: Any) -> tuple[Basket, list[Payment]]:
    basket, payments = scene.submitted(*wishes)
    scene.approve("first", *payments)
    return basket, payments


def export_of(scene: Scene, export: Export) -> Export:
    return ExportService(scene.gateway).get(scene.act("exporter"), export.id)


def change(owner: Engine, statement: str, **values: Any) -> None:
    with owner.begin() as connection:
        assert connection.execute(text(statement), values).rowcount == 1


def test_one_file_per_debtor_account_with_blocks_per_date_and_category(gateway: Gateway) -> None:
    scene = make_scene(gateway, accounts=2)
    scene.rule("Alles", scene.user("first"))
    wages = {"category_purpose": "SALA"}
    basket, _ = approved(
        scene, scene.wish(), scene.wish(**wages), scene.wish(), scene.wish(debtor_account_id=scene.accounts[1].id)
    )
    exports = scene.export(basket)
    assert sorted(export.payment_count for export in exports) == [1, 3]
    large = max(exports, key=lambda export: export.payment_count)
    content = scene.download(large)
    root = etree.fromstring(content)
    blocks = root.findall(".//p:PmtInf", NAMESPACE)
    assert [len(block.findall("p:CdtTrfTxInf", NAMESPACE)) for block in blocks] == [2, 1]
    assert root.findtext(".//p:MsgId", namespaces=NAMESPACE) == large.message_id
    assert root.findtext(".//p:InitgPty/p:Id/p:OrgId/p:Othr/p:Issr", namespaces=NAMESPACE) == "KBO-BCE"
    assert large.file_name == f"{scene.client.enterprise_number}_{large.message_id}.xml"
    assert root.findtext(".//p:CreDtTm", namespaces=NAMESPACE) == "2026-11-21T10:00:00+01:00"
    ends = [element.text for element in root.iterfind(".//p:EndToEndId", NAMESPACE)]
    assert len(set(ends)) == 3


def test_an_export_needs_the_role_a_person_and_a_fresh_second_factor(scene: Scene) -> None:
    basket, _ = approved(scene)
    service = ExportService(scene.gateway)
    machine = scene.machine("admin", permissions=list(Permission))
    refusals = (
        (machine, PersonRequired),
        (scene.act("exporter", is_fresh=False), SecondFactorRequired),
        (scene.act("first"), RightsError),
        (scene.act("administrator"), RightsError),
        (act_of_system(scene.office), PersonRequired),
    )
    for act, refusal in refusals:
        with pytest.raises(refusal):
            service.create(act, basket.id)
    (export,) = scene.export(basket)
    for act, refusal in refusals[:4]:
        with pytest.raises(refusal):
            service.download(act, export.id)
    scene.download(export)
    # Later downloads are recorded and need no fresh second factor.
    service.download(scene.act("exporter", is_fresh=False), export.id)
    downloads, _ = service.downloads(scene.act("exporter"), export.id, PageRequest(50, None))
    assert [download.is_first for download in downloads] == [True, False]


def test_what_is_not_approved_does_not_leave(scene: Scene) -> None:
    basket, payments = scene.submitted(scene.wish(), scene.wish())
    with pytest.raises(BasketNotApproved):
        scene.export(basket)
    scene.approve("first", payments[0])
    with pytest.raises(BasketNotApproved):
        scene.export(basket, payment_ids=ids(payments[:1]))
    scene.decide("first", payments[1], Verdict.REJECT)
    with pytest.raises(ExportRefused) as refusal:
        scene.export(basket, payment_ids=ids(payments))
    assert [fault.code for fault in refusal.value.faults] == ["not_approved"]
    with pytest.raises(PaymentNotFound):
        scene.export(basket, payment_ids=[scene.client.id])
    assert scene.export(basket)[0].payment_count == 1


def test_a_payment_leaves_in_one_file_only(scene: Scene) -> None:
    basket, payments = approved(scene, scene.wish(), scene.wish())
    (export,) = scene.export(basket, payment_ids=ids(payments[:1]))
    assert scene.fresh_basket(basket.id).state is BasketState.PROCESSING
    with pytest.raises(AlreadyExported) as refusal:
        scene.export(basket, payment_ids=ids(payments))
    assert "exp_" in refusal.value.parameters["export_ids"]
    scene.export(basket)
    with pytest.raises(AlreadyExported):
        scene.export(basket)
    version = scene.payment(payments[0]).version
    with pytest.raises(PaymentNotEditable):
        PaymentService(scene.gateway).edit(
            scene.act("preparer"), payments[0].id, {"amount": Decimal("1.00")}, version=version
        )
    assert export_of(scene, export).state is ExportState.CREATED


def test_the_database_itself_refuses_a_payment_in_two_live_files(stored: Scene, owner: Engine) -> None:
    basket, (payment,) = approved(stored)
    stored.export(basket)
    change(owner, "UPDATE payment SET state = 'approved' WHERE id = :id", id=payment.id)
    with pytest.raises(AlreadyExported):
        stored.export(basket)
    with owner.connect() as connection:
        index = connection.execute(
            text("SELECT indexdef FROM pg_indexes WHERE indexname = 'uq_export_payment_live'")
        ).scalar_one()
    assert "UNIQUE" in index
    assert "WHERE is_live" in index


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE payment SET amount = amount + 1000 WHERE id = :id", "seal_mismatch"),
        ("UPDATE payment SET creditor_iban = 'BE12310291417792' WHERE id = :id", "seal_mismatch"),
        ("UPDATE payment SET sent_creditor_name = 'Iemand anders' WHERE id = :id", "seal_mismatch"),
        ("UPDATE payment SET approval_basis = 'process_off' WHERE id = :id", "seal_mismatch"),
        ("UPDATE payment SET seal = 'v1:0' WHERE id = :id", "seal_mismatch"),
        ("UPDATE approval SET decided_at = decided_at - interval '1 day' WHERE payment_id = :id", "approval_mismatch"),
        ("UPDATE approval SET payment_seal = 'v1:0' WHERE payment_id = :id", "approval_mismatch"),
        ("UPDATE approval SET verdict = 'approve', approval_round = 1, mac = 'v1:0' WHERE payment_id = :id",
         "approval_mismatch"),
        ("DELETE FROM approval WHERE payment_id = :id", "approval_missing"),
        ("DELETE FROM payment_preparer WHERE payment_id = :id", "seal_mismatch"),
        ("UPDATE account a SET iban = 'BE12310291417792' FROM payment p WHERE a.id = debtor_account_id AND p.id = :id",
         "account_changed"),
    ],
)  # fmt: skip
def test_a_change_made_in_the_database_is_found(stored: Scene, owner: Engine, statement: str, code: str) -> None:
    basket, (payment,) = approved(stored)
    change(owner, statement, id=payment.id)
    with pytest.raises(ExportRefused) as refusal:
        stored.export(basket)
    assert code in [fault.code for fault in refusal.value.faults]
    assert refusal.value.faults[0].pointer.startswith("/payments/pay_")
    assert ExportService(stored.gateway).page(stored.act("exporter"), ALL)[0] == []


def test_a_request_deleted_from_the_database_is_asked_all_the_same(stored: Scene, owner: Engine) -> None:
    stored.rule("Groot", stored.user("second"), amount_from=Decimal("1000.00"))
    basket, (payment,) = stored.submitted(stored.wish(amount=Decimal("2000.00")))
    stored.approve("first", payment)
    with owner.begin() as connection:
        connection.execute(
            text("DELETE FROM approval_request WHERE state = 'pending' AND payment_id = :id"), {"id": payment.id}
        )
        connection.execute(text("UPDATE payment SET state = 'approved'"))
        connection.execute(text("UPDATE basket SET state = 'approved'"))
    with pytest.raises(ExportRefused) as refusal:
        stored.export(basket)
    assert refusal.value.faults[0].code == "approval_missing"
    assert "rul_" in refusal.value.faults[0].detail


def test_the_roles_of_the_moment_count(scene: Scene) -> None:
    basket, _ = approved(scene)
    scene.take("first", ClientRole.APPROVER)
    with pytest.raises(ExportRefused) as refusal:
        scene.export(basket)
    assert "approval_missing" in [fault.code for fault in refusal.value.faults]
    scene.give("first", ClientRole.APPROVER)
    scene.export(basket)


def test_a_maximum_lowered_since_counts(gateway: Gateway) -> None:
    scene = make_scene(gateway)
    rule = scene.rule("Alles", scene.user("first"), scene.user("second"), mode=Mode.COUNT)
    basket, _ = approved(scene)
    low = RuleWish(name="Lager", approvers=(scene.user("first", "100.00"), scene.user("second")), mode=Mode.COUNT)
    scene.confirm(RuleService(gateway).change_rule(scene.act("administrator"), rule.rule_id, low, version=1))
    with pytest.raises(ExportRefused):
        scene.export(basket)


def test_a_rolling_total_reached_since_counts(scene: Scene) -> None:
    scene.rule("Maand", scene.user("second"), creditor_total_30d_from=Decimal("400.00"))
    one = scene.wish(creditor_supplier_id="s-1")
    first, _ = approved(scene, one)
    second, (payment,) = scene.submitted(scene.wish(creditor_supplier_id="s-1"))
    scene.approve("first", payment)
    assert scene.payment(payment).state is PaymentState.SUBMITTED
    with pytest.raises(ExportRefused) as refusal:
        scene.export(first)
    assert refusal.value.faults[0].code == "approval_missing"
    scene.approve("second", payment)
    scene.export(second)


def test_a_payment_approved_without_process_needs_approval_once_it_is_on(gateway: Gateway) -> None:
    scene = make_scene(gateway)
    scene.rule("Alles", scene.user("first"))
    scene.process_off()
    basket, _ = scene.submitted()
    service, act = ProcessService(gateway), scene.act("administrator")
    version = service.settings(act, scene.client.id).version
    on = service.change_settings(
        act, scene.client.id, is_payment_process_on=True, preparer_may_approve=False, version=version
    )
    scene.confirm(on)
    with pytest.raises(ExportRefused):
        scene.export(basket)


def test_the_first_download_checks_again_and_voids_a_file_that_fails(scene: Scene) -> None:
    basket, payments = approved(scene, scene.wish(), scene.wish())
    (export,) = scene.export(basket)
    scene.take("first", ClientRole.APPROVER)
    with pytest.raises(ExportVoided):
        scene.download(export)
    assert export_of(scene, export).state is ExportState.VOIDED
    assert {payment.state for payment in scene.payments(basket)} == {PaymentState.SUBMITTED}
    with pytest.raises(ExportVoided):
        scene.download(export)
    scene.approve("second", *payments)
    (again,) = scene.export(basket)
    assert again.message_id != export.message_id
    assert scene.download(again) == scene.download(again)


def test_after_the_first_download_the_file_is_out_and_stays_the_same(scene: Scene) -> None:
    basket, _ = approved(scene)
    (export,) = scene.export(basket)
    content = scene.download(export)
    scene.take("first", ClientRole.APPROVER)
    scene.now += timedelta(days=400)
    assert scene.download(export) == content


@pytest.mark.parametrize("statement", [
    "UPDATE export_file SET content = content || ' '::bytea WHERE export_id = :id",
    "UPDATE export_file SET content = content || ' '::bytea, sha256 = encode(sha256(content || ' '::bytea), 'hex')"
    " WHERE export_id = :id",
])  # fmt: skip
def test_damaged_bytes_are_not_handed_out(stored: Scene, owner: Engine, statement: str) -> None:
    basket, _ = approved(stored)
    (export,) = stored.export(basket)
    change(owner, statement, id=export.id)
    with owner.begin() as connection:
        connection.execute(text("UPDATE export SET sha256 = (SELECT sha256 FROM export_file)"))
    with pytest.raises(FileDamaged):
        stored.download(export)
    assert export_of(stored, export).first_downloaded_at is None


def test_a_suspended_or_closed_client_decides_and_exports_nothing(scene: Scene) -> None:
    basket, payments = approved(scene, scene.wish(), scene.wish())
    (export,) = scene.export(basket, payment_ids=ids(payments[:1]))
    clients = ClientService(scene.gateway)
    for state, refusal in ((ClientState.SUSPENDED, ClientSuspended), (ClientState.CLOSED, ClientClosed)):
        clients.change_state(act_of_system(scene.office), scene.client.id, state)
        with pytest.raises(refusal):
            scene.export(basket)
        with pytest.raises(refusal):
            scene.download(export)
        with pytest.raises(refusal):
            scene.approve("second", payments[1])
        assert scene.payment(payments[0]).state is PaymentState.EXPORTED


def test_a_crash_before_the_commit_leaves_nothing_half(stored: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    basket, payments = approved(stored)

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    for place in ("_store", "_record"):
        with monkeypatch.context() as patch:
            patch.setattr(ExportService, place, killed)
            with pytest.raises(KeyboardInterrupt):
                stored.export(basket)
        assert stored.payment(payments[0]).state is PaymentState.APPROVED
        assert ExportService(stored.gateway).page(stored.act("exporter"), ALL)[0] == []
    (export,) = stored.export(basket)
    with monkeypatch.context() as patch:
        patch.setattr(ExportService, "_record", killed)
        with pytest.raises(KeyboardInterrupt):
            stored.download(export)
    assert export_of(stored, export).state is ExportState.CREATED
    stored.download(export)


def test_a_basket_whose_payments_all_ended_has_nothing_to_export(scene: Scene) -> None:
    basket, payments = scene.submitted()
    scene.decide("first", payments[0], Verdict.REJECT)
    assert scene.fresh_basket(basket.id).state is BasketState.CLOSED
    with pytest.raises((NothingToExport, BasketNotApproved)):
        scene.export(basket)

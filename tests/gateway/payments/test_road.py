"""From a wish to pay to a file that was downloaded."""

from __future__ import annotations

import hashlib
from decimal import Decimal

from gateway.audit.log import verify
from gateway.payments.exports import ExportService
from gateway.payments.states import BasketState, ExportState, PaymentState
from sepa.schema import PAIN001_09, parse, schema_faults
from tests.gateway.payments.scene import Scene


def test_a_basket_is_submitted_approved_exported_and_downloaded(scene: Scene) -> None:
    basket, payments = scene.submitted(scene.wish(), scene.wish(amount=Decimal("1210.00")))
    assert basket.state is BasketState.SUBMITTED
    scene.approve("first", payments[0])
    assert scene.fresh_basket(basket.id).state is BasketState.SUBMITTED
    scene.approve("second", payments[1])
    assert scene.fresh_basket(basket.id).state is BasketState.APPROVED
    (export,) = scene.export(basket)
    assert (export.payment_count, export.total) == (2, Decimal("1460.00"))
    assert {payment.state for payment in scene.payments(basket)} == {PaymentState.EXPORTED}
    assert scene.fresh_basket(basket.id).state is BasketState.PROCESSING
    content = scene.download(export)
    assert hashlib.sha256(content).hexdigest() == export.sha256
    assert not schema_faults(parse(content), PAIN001_09)
    assert content == scene.download(export)
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        assert verify(session, scene.gateway.audit, scene.office.id) is None
    assert ExportService(scene.gateway).get(scene.act("exporter"), export.id).state is ExportState.DOWNLOADED

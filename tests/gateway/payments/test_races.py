"""Two people in the same second, on a database with real commits."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest

from gateway.approvals.errors import DecisionOvertaken
from gateway.assembly import Gateway
from gateway.errors import GatewayError
from gateway.offices.errors import PaymentsUnderWay, ServiceDisabled
from gateway.offices.models import Service
from gateway.offices.switches import ClientSwitches, SwitchService
from gateway.pagination import PageRequest
from gateway.payments.errors import AlreadyExported, PaymentChanged
from gateway.payments.exports import ExportService
from gateway.payments.service import PaymentService, RowOutcome
from gateway.payments.settings import PaymentSettingsService
from gateway.payments.states import BasketState, PaymentState
from sepa import AddressMode
from sepa.approval import Mode
from tests.gateway.builders import act_of_system
from tests.gateway.payments.scene import ALL, Scene, make_scene


def together(*calls: Callable[[], Any]) -> list[Any]:
    """Run the calls at the same moment; each one's result or refusal, in order."""
    gate = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        gate.wait()
        try:
            return call()
        except GatewayError as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.fixture
def scene(committed: Gateway) -> Scene:
    return make_scene(committed)


def test_two_approvers_where_one_is_enough_give_one_decision_and_one_412(scene: Scene) -> None:
    scene.rule("Eén", scene.user("first"), scene.user("second"), mode=Mode.COUNT)
    basket, payments = scene.submitted(*(scene.wish() for _ in range(4)))
    for payment in payments:
        results = together(lambda p=payment: scene.decide("first", p), lambda p=payment: scene.decide("second", p))
        refused = [result for result in results if isinstance(result, DecisionOvertaken)]
        assert len(refused) == 1
        assert refused[0].http_status == 412
        assert scene.payment(payment).state is PaymentState.APPROVED
    assert scene.fresh_basket(basket.id).state is BasketState.APPROVED


def test_two_approvers_where_two_are_needed_give_two_decisions(scene: Scene) -> None:
    scene.rule("Beiden", scene.user("first"), scene.user("second"))
    _, (payment,) = scene.submitted()
    results = together(lambda: scene.decide("first", payment), lambda: scene.decide("second", payment))
    assert not [result for result in results if isinstance(result, GatewayError)]
    assert scene.payment(payment).state is PaymentState.APPROVED


def test_one_person_twice_at_once_counts_once(scene: Scene) -> None:
    scene.rule("Twee", scene.user("first"), scene.user("second"), mode=Mode.COUNT, count=2)
    _, (payment,) = scene.submitted()
    results = together(*(lambda: scene.decide("first", payment) for _ in range(3)))
    assert sum(isinstance(result, DecisionOvertaken) for result in results) == 2
    assert scene.payment(payment).state is PaymentState.SUBMITTED


def test_the_last_decisions_of_a_basket_bring_it_to_approved(scene: Scene) -> None:
    scene.rule("Eén", scene.user("first"), scene.user("second"), mode=Mode.COUNT)
    basket, payments = scene.submitted(scene.wish(), scene.wish())
    together(lambda: scene.decide("first", payments[0]), lambda: scene.decide("second", payments[1]))
    assert scene.fresh_basket(basket.id).state is BasketState.APPROVED


def test_an_edit_and_an_approval_at_once_never_leave_an_approved_other_content(scene: Scene) -> None:
    scene.rule("Eén", scene.user("first"), scene.user("second"), mode=Mode.COUNT)
    _, payments = scene.submitted(*(scene.wish() for _ in range(4)))
    service, preparer = PaymentService(scene.gateway), scene.act("preparer")
    for payment in payments:
        results = together(
            lambda p=payment: scene.decide("first", p, seal=p.seal),
            lambda p=payment: service.edit(preparer, p.id, {"labels": ["anders"]}, version=p.version),
        )
        now = scene.payment(payment)
        if isinstance(results[1], PaymentChanged):
            assert (now.state, now.labels) == (PaymentState.APPROVED, [])
        else:
            assert (now.state, now.labels) == (PaymentState.SUBMITTED, ["anders"])


def test_two_exports_at_once_make_one_file(scene: Scene) -> None:
    scene.rule("Eén", scene.user("first"))
    basket, payments = scene.submitted(scene.wish(), scene.wish())
    scene.approve("first", *payments)
    results = together(*(lambda: scene.export(basket) for _ in range(3)))
    assert sum(isinstance(result, AlreadyExported) for result in results) == 2
    assert len(ExportService(scene.gateway).page(scene.act("exporter"), ALL)[0]) == 1


def test_two_first_downloads_at_once_are_one_first_and_one_later(scene: Scene) -> None:
    scene.rule("Eén", scene.user("first"))
    basket, payments = scene.submitted()
    scene.approve("first", *payments)
    (export,) = scene.export(basket)
    one, other = together(lambda: scene.download(export), lambda: scene.download(export))
    assert one == other
    downloads, _ = ExportService(scene.gateway).downloads(scene.act("exporter"), export.id, PageRequest(50, None))
    assert sorted(download.is_first for download in downloads) == [False, True]


def test_one_external_id_sent_twice_at_once_is_stored_once(scene: Scene) -> None:
    baskets = [scene.basket()[0] for _ in range(2)]
    service, act = PaymentService(scene.gateway), scene.act("preparer")
    wish = scene.wish(external_id="portal-1")
    results: list[list[RowOutcome]] = together(*(lambda b=b: service.add(act, b.id, [wish]) for b in baskets))
    stored = [outcome for result in results for outcome in result if outcome.payment is not None]
    refused = [outcome for result in results for outcome in result if outcome.payment is None]
    assert len(stored) == len(refused) == 1
    assert refused[0].existing_payment_id == stored[0].payment.id  # type: ignore[union-attr]


def test_a_submission_and_switching_payments_off_never_both_go_through(scene: Scene) -> None:
    """OFF-06: whichever comes first, no payment is submitted while the service is off."""
    scene.rule("Eén", scene.user("first"))
    switches = SwitchService(scene.gateway)
    system = act_of_system(scene.office)
    for services in ([Service.CODA], [Service.CODA, Service.TRANSACTIONS]):
        basket, _ = scene.basket()
        wish = ClientSwitches(frozenset(services), *(True, True, True))
        results = together(lambda b=basket: scene.submit(b), lambda w=wish: switches.client(system, scene.client.id, w))
        refused = [result for result in results if isinstance(result, GatewayError)]
        assert [type(error) for error in refused] in ([ServiceDisabled], [PaymentsUnderWay])
        if isinstance(refused[0], PaymentsUnderWay):
            break
        switches.client(system, scene.client.id, replace(wish, services=frozenset(Service)))


def test_the_first_settings_of_a_client_are_made_once(scene: Scene) -> None:
    service = PaymentSettingsService(scene.gateway)
    act = act_of_system(scene.office)
    modes = [AddressMode.MINIMAL, AddressMode.STRUCTURED] * 4
    client = scene.client.id
    made = together(*(
        lambda mode=mode: service.put(act, client, pain_version="pain.001.001.09", address_mode=mode) for mode in modes
    ))  # fmt: skip
    assert len({settings.id for settings in made}) == 1

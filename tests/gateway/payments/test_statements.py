"""The number of statements does not grow with the number of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from gateway.approvals.lists import ApprovalLists, View
from gateway.approvals.service import ApprovalService, DecisionWish
from gateway.payments.baskets import BasketService
from gateway.payments.exports import ExportService
from gateway.payments.service import PaymentService
from sepa.approval import Verdict
from tests.gateway.payments.scene import ALL, Scene


@contextmanager
def counted(scene: Scene) -> Iterator[list[str]]:
    """The statements sent meanwhile."""
    statements: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        statements.append(statement)

    event.listen(scene.gateway.database.bind, "before_cursor_execute", note)
    yield statements
    event.remove(scene.gateway.database.bind, "before_cursor_execute", note)


def cost(scene: Scene, call: Callable[[], Any]) -> int:
    with counted(scene) as statements:
        call()
    return len(statements)


READS: dict[str, Callable[[Scene], Any]] = {
    "baskets": lambda s: BasketService(s.gateway).page(s.act("exporter"), ALL),
    "payments": lambda s: PaymentService(s.gateway).page(s.act("exporter"), ALL),
    "exports": lambda s: ExportService(s.gateway).page(s.act("exporter"), ALL),
    "by me": lambda s: ApprovalLists(s.gateway).page(s.act("first"), ALL, view=View.BY_ME),
    "by others": lambda s: ApprovalLists(s.gateway).page(s.act("exporter"), ALL, view=View.BY_OTHERS),
    "approved": lambda s: ApprovalLists(s.gateway).page(s.act("first"), ALL, view=View.APPROVED),
    "rejected": lambda s: ApprovalLists(s.gateway).page(s.act("first"), ALL, view=View.REJECTED),
}


@pytest.mark.parametrize("name", READS)
def test_a_list_costs_the_same_for_few_and_many_rows(scene: Scene, name: str) -> None:
    def more(count: int) -> None:
        _, payments = scene.submitted(*(scene.wish() for _ in range(count)))
        decide(scene, payments[: len(payments) // 2])
        rest, _ = scene.submitted(scene.wish())
        decide(scene, scene.payments(rest))
        scene.export(rest)

    def read() -> Any:
        return READS[name](scene)

    more(2)
    few = cost(scene, read)
    more(30)
    assert cost(scene, read) == few <= 24


def test_adding_submitting_deciding_and_exporting_cost_the_same_for_few_and_many_payments(scene: Scene) -> None:
    costs = []
    service, act = PaymentService(scene.gateway), scene.act("preparer")
    for count in (2, 40):
        drafts = [scene.wish() for _ in range(count)]
        basket, _ = scene.basket(scene.wish())
        adding = cost(scene, lambda b=basket, d=drafts: service.add(act, b.id, d))
        submitting = cost(scene, lambda b=basket: scene.submit(b))
        payments = scene.payments(basket)
        deciding = cost(scene, lambda p=payments: decide(scene, p))
        exporting = cost(scene, lambda b=basket: scene.export(b))
        costs.append((adding, submitting, deciding, exporting))
    assert costs[0] == costs[1]


def decide(scene: Scene, payments: list[Any]) -> None:
    wishes = [DecisionWish(payment_id=p.id, seal=p.seal, verdict=Verdict.APPROVE) for p in payments]
    outcomes = ApprovalService(scene.gateway).decide_many(scene.act("first"), wishes)
    assert all(outcome.error is None for outcome in outcomes)

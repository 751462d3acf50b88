"""API-08: no state of a listed family changes without an event in the same transaction."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from connectors.simulator import FaultKind, SimulatorServer
from gateway.assembly import Gateway
from gateway.embedded import EmbeddedPostgres
from gateway.errors import GatewayError
from gateway.events.catalogue import READERS
from gateway.offices.models import ClientState
from gateway.offices.service import ClientService
from gateway.payments.baskets import BasketService
from gateway.payments.service import PaymentService
from gateway.payments.submission import SubmissionService
from gateway.transactions.dispatch import Dispatcher
from sepa.approval import Verdict
from tests.gateway.bank_to_coda.conftest import banks, live, running_banks
from tests.gateway.bank_to_coda.story import Story
from tests.gateway.builders import act_of_system
from tests.gateway.events.walk import OTHERWISE, WATCHED, Walk
from tests.gateway.imports.conftest import desk_of
from tests.gateway.imports.files import HEADERS, clients
from tests.gateway.payments.scene import make_scene

__all__ = ["banks", "live", "running_banks"]


def test_every_family_is_watched_or_says_why_not() -> None:
    watched = {one.family for one in WATCHED}
    assert watched | set(OTHERWISE) == set(READERS)
    assert not watched & set(OTHERWISE)


def test_payments_clients_and_imports_change_nothing_without_an_event(
    committed: Gateway, postgres: EmbeddedPostgres, own_database: str
) -> None:
    """Committed, since an event must stand in the transaction of its change."""
    scene = make_scene(committed, accounts=2)
    scene.rule("every payment", scene.user("first"))
    scene.rule("large", scene.user("second"), amount_from=Decimal(1000))
    walk = Walk(postgres, own_database)
    payments, preparer = PaymentService(committed), scene.act("preparer")

    basket, rows = scene.submitted(*(scene.wish() for _ in range(4)))
    scene.decide("first", rows[0], Verdict.REJECT)
    scene.approve("first", rows[1], rows[2])
    # Edited after its approval: asked anew; the basket's other payments may be asked about again.
    edited = scene.payment(rows[1])
    payments.edit(preparer, edited.id, {"amount": Decimal(2000)}, version=edited.version)
    scene.approve("first", scene.payment(rows[1]))
    scene.approve("second", scene.payment(rows[1]))
    payments.cancel(preparer, rows[3].id, version=scene.payment(rows[3]).version)
    for export in scene.export(basket):
        scene.download(export)

    taken_back, _ = scene.submitted()
    SubmissionService(committed).withdraw(preparer, taken_back.id, version=taken_back.version)
    BasketService(committed).cancel(preparer, taken_back.id, version=scene.fresh_basket(taken_back.id).version)

    # Refused at its first download, since the account's number changed: voided, and asked anew.
    voided, (payment,) = scene.submitted(scene.wish(debtor_account_id=scene.accounts[1].id))
    scene.approve("first", payment)
    (export,) = scene.export(voided)
    with committed.database.unit_of_work(scene.office.id) as session:
        account = session.merge(scene.accounts[1])
        account.iban = scene.accounts[0].iban[:-2] + "00"
    with pytest.raises(GatewayError):
        scene.download(export)

    service, act = ClientService(committed), act_of_system(scene.office)
    for state in (ClientState.CLOSED, ClientState.ACTIVE):
        service.change_state(act, scene.client.id, state)

    desk = desk_of(committed)
    view = desk.check(HEADERS, *clients(3))
    desk.import_(view)
    desk.undo(view)

    assert walk.untold() == []
    assert walk.seen() >= {
        ("basket", "draft"), ("basket", "submitted"), ("basket", "approved"), ("basket", "processing"),
        ("basket", "cancelled"), ("payment", "draft"), ("payment", "submitted"), ("payment", "approved"),
        ("payment", "rejected"), ("payment", "exported"), ("payment", "cancelled"), ("approval", "pending"),
        ("approval", "approved"), ("approval", "rejected"), ("approval", "voided"), ("approval", "approve"),
        ("export", "created"), ("export", "downloaded"), ("export", "voided"), ("client", "closed"),
        ("client", "active"), ("import", "true"), ("import", "false"),
    }  # fmt: skip


def test_the_road_from_bank_to_coda_changes_nothing_without_an_event(
    live: Gateway, banks: SimulatorServer, postgres: EmbeddedPostgres, own_database: str
) -> None:
    story = Story.begin(live, banks)
    walk = Walk(postgres, own_database)
    account = story.connect()
    story.work()
    story.sleep()
    story.read(account)
    story.sleep()
    banks.faults.order(FaultKind.WRONG_BALANCE, account=account.iban, amount="0.07", times=None)
    story.read(account)
    banks.faults.order("status", bank_id="crelan", endpoint="transactions", status=503, times=None)
    story.read(account)
    story.sleep(days=200)
    Dispatcher(live).run_office(story.office.id)
    assert walk.untold() == []
    assert walk.seen() >= {
        ("consent", "valid"), ("account", "new"), ("account", "ok"), ("account", "you_act"), ("account", "we_act"),
        ("sync", "stored"), ("sync", "failed"), ("statement", "issued"), ("statement", "held"),
        ("transaction", "booked"),
    }  # fmt: skip


def test_the_walk_sees_what_says_nothing(committed: Gateway, postgres: EmbeddedPostgres, own_database: str) -> None:
    """The walk itself: a state set past the services is found, and an event of another transaction does not hide it."""
    scene = make_scene(committed)
    walk = Walk(postgres, own_database)
    with committed.database.unit_of_work(scene.office.id) as session:
        session.merge(scene.client).state = ClientState.SUSPENDED
    with committed.database.unit_of_work(scene.office.id) as session:
        act = act_of_system(scene.office, now=committed.real_now() + timedelta(seconds=1))
        committed.events.record(session, act, "client.suspended", "client", scene.client.id)
    assert walk.untold() == [("client", "active", "suspended")]

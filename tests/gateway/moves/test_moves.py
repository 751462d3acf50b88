"""OFF-05, OFF-17: a client with several offices adds or moves; who else has its accounts changes no answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event
from sqlmodel import select
from starlette.testclient import TestClient

from connectors.simulator import SimulatorServer
from gateway.accounts.errors import AccountMoved, AccountMoving
from gateway.accounts.service import AccountService
from gateway.act import Act
from gateway.api import current_act
from gateway.assembly import Gateway
from gateway.consents.models import Consent
from gateway.errors import NotFound
from gateway.events.models import Event
from gateway.identity.rights import ClientRole, OfficeRole, PersonRequired, SecondFactorRequired
from gateway.ids import encode
from gateway.moves.errors import MoveByAdministrator, MoveDateInvalid, NothingToMove
from gateway.moves.models import ClientMove, MoveState
from gateway.moves.service import MoveService
from gateway.notices.models import MailMessage
from gateway.offices.errors import ClientClosed
from gateway.offices.models import ClientState
from gateway.offices.service import ClientService, ClientWish, OfficeService
from gateway.pagination import PageRequest
from gateway.profiles.service import KnownAccountService
from tests.gateway.bank_to_coda.conftest import banks, linked, running_banks
from tests.gateway.bank_to_coda.story import Story
from tests.gateway.builders import act_of, act_of_system, make_client, make_office, make_person
from tests.gateway.payments.scene import make_account
from tests.gateway.serving import app_of

__all__ = ["banks", "linked", "running_banks"]


@pytest.fixture
def former(linked: Gateway, banks: SimulatorServer) -> Story:
    """An office that has issued files of its client's account for some days."""
    story = Story.begin(linked, banks)
    story.admin = make_person(linked, story.office, OfficeRole.ADMIN)  # type: ignore[attr-defined]  # for its mail
    account = story.connect()
    story.work()
    for _ in range(2):
        story.sleep()
        story.read(account)
    assert story.statements("issued")
    return story


@pytest.fixture
def new(former: Story) -> Story:
    """Another office, at the same moment."""
    story = Story.begin(former.gateway, former.banks)
    behind = (former.now - story.now).total_seconds()
    OfficeService(story.gateway).move_clock(story.office.id, seconds=int(behind))
    return story


def move_of(story: Story) -> ClientMove:
    with story.gateway.database.unit_of_work(story.office.id) as session:
        return session.exec(select(ClientMove)).one()


def both_sleep(former: Story, new: Story) -> None:
    before = former.now
    former.sleep()
    OfficeService(new.gateway).move_clock(new.office.id, seconds=int((former.now - before).total_seconds()))


def mails(story: Story) -> list[str]:
    with story.gateway.database.unit_of_work(story.office.id) as session:
        return sorted(session.exec(select(MailMessage.template)))


def events(story: Story) -> set[str]:
    with story.gateway.database.unit_of_work(story.office.id) as session:
        return set(session.exec(select(Event.type)))


def test_the_chain_goes_on_at_the_new_office_and_the_former_one_keeps_what_it_has(former: Story, new: Story) -> None:
    """OFF-17: last proven balance, next number and the days not yet issued; the old rows are read-only."""
    last = former.statements("issued")[-1]
    (old,) = former.accounts()
    account = new.connect(move_on=new.act.today)
    with pytest.raises(AccountMoving):
        AccountService(new.gateway).change(new.act, account.id, {"statements_from": new.act.today})
    service = MoveService(new.gateway)
    assert not service.run(new.office.id, move_of(new).id), "nothing was read here yet"
    new.work()
    assert new.statements() == []
    assert service.run(new.office.id, move_of(new).id)
    assert service.run(new.office.id, move_of(new).id), "once more is harmless"

    moved = former.account(old.id)
    assert (moved.moved_on, moved.consent_id, moved.health) == (new.act.today, None, "ended")
    assert mails(former) == ["account_moved"]
    assert {"account.moved_away", "client.closed"} <= events(former)
    assert [row.state for row in _consents(former)] == ["revoked"]
    former_statements = former.statements()
    with pytest.raises(ClientClosed):
        AccountService(former.gateway).change(former.act, old.id, {"alias": "Toch"})

    both_sleep(former, new)
    new.read(account)
    issued = new.statements("issued")
    assert issued, "days go on"
    assert issued[0].number == (last.number or 0) + 1
    assert issued[0].opening_balance == last.closing_balance
    assert issued[0].day > last.day
    assert former.statements() == former_statements
    view = AccountService(former.gateway).get(former.act, old.id)
    assert view.stale_reason == "account_moved"


def test_the_former_office_is_told_of_a_day_to_come(former: Story, new: Story) -> None:
    """OFF-05: told, and cannot refuse; until the day everything goes on there."""
    new.connect(move_on=new.act.today + timedelta(days=1))
    new.work()
    service = MoveService(new.gateway)
    assert not service.run(new.office.id, move_of(new).id)
    service.run(new.office.id, move_of(new).id)
    assert mails(former) == ["account_moves"]
    (old,) = former.accounts()
    assert old.moved_on is None
    both_sleep(former, new)
    former.read(old)
    assert service.run_due(new.office.id) == 1
    assert mails(former) == ["account_moved", "account_moves"]


def test_added_offices_read_side_by_side(former: Story, new: Story) -> None:
    """OFF-05: each with its own consent, account, chain and numbering."""
    account = new.connect()
    new.work()
    (old,) = former.accounts()
    assert old.iban == account.iban
    assert old.id != account.id
    assert old.consent_id is not None
    assert former.read(old).state == "done"
    assert mails(former) == []


def test_a_move_of_an_account_nobody_has_takes_nothing_over(new: Story, former: Story) -> None:
    other = Story.begin(new.gateway, new.banks, "keytrade")
    behind = int((new.now - other.now).total_seconds())
    OfficeService(new.gateway).move_clock(other.office.id, seconds=behind)
    account = other.connect(move_on=other.act.today)
    other.work()
    assert MoveService(new.gateway).run(other.office.id, move_of(other).id)
    assert move_of(other).state is MoveState.DONE
    assert other.account(account.id).takes_over_on is None
    assert former.accounts()[0].moved_on is None


def test_an_account_that_comes_back_goes_on_after_the_other_offices_files(former: Story, new: Story) -> None:
    account = new.connect(move_on=new.act.today)
    new.work()
    MoveService(new.gateway).run_due(new.office.id)
    both_sleep(former, new)
    new.read(account)
    there = new.statements("issued")[-1]
    ClientService(former.gateway).change_state(former.act, former.client.id, ClientState.ACTIVE)
    with pytest.raises(AccountMoved):
        AccountService(former.gateway).change(former.act, former.accounts()[0].id, {"alias": "Toch"})
    back = former.connect(move_on=former.act.today)
    (old,) = former.accounts()
    assert back.id == old.id
    assert back.moved_on is None
    former.work()
    MoveService(former.gateway).run_due(former.office.id)
    both_sleep(former, new)
    former.read(former.account(back.id))
    last = former.statements("issued")[-1]
    assert (last.number or 0) > (there.number or 0)


@pytest.fixture
def desk(gateway: Gateway) -> tuple[Gateway, Any, Any, Act]:
    office = make_office(gateway)
    client = make_client(gateway, office)
    account = make_account(gateway, client)
    person = make_person(gateway, office, ClientRole.ADMINISTRATOR, client=client)
    with gateway.database.unit_of_work(office.id) as session:
        act = act_of_system(office)
        consent = Consent(
            id=account.id, office_id=office.id, client_id=client.id, bank_id="crelan", state="valid",
            state_since=act.now, language="nl", link_cipher=b"", link_expires_at=act.now, created_at=act.now,
        )  # fmt: skip
        session.add(consent)
        session.flush()
        held = session.merge(account)
        held.consent_id = consent.id
        session.add(held)
    return gateway, office, client, act_of(person, office, ClientRole.ADMINISTRATOR, client=client)


def test_the_clients_administrator_may_choose_the_move_as_well(desk: tuple[Gateway, Any, Any, Act]) -> None:
    """OFF-05: the client's own administrator with a fresh second factor; not its office, and no machine."""
    gateway, office, client, administrator = desk
    service, today = MoveService(gateway), administrator.today
    office_admin = make_person(gateway, office, OfficeRole.ADMIN)
    with pytest.raises(MoveByAdministrator):
        service.request(act_of(office_admin, office, OfficeRole.ADMIN), client.id, move_on=today)
    with pytest.raises(PersonRequired):
        service.request(act_of_system(office), client.id, move_on=today)
    with pytest.raises(MoveDateInvalid):
        service.request(administrator, client.id, move_on=today - timedelta(days=1))
    view = service.request(administrator, client.id, move_on=today, with_rules=True)
    assert view.move.with_rules, "OFF-17: wished when the move is requested"
    assert [row.account_id for row, _account in view.accounts] != []
    with pytest.raises(NothingToMove):
        service.request(administrator, client.id, move_on=today)
    stale = act_of(office_admin, office, OfficeRole.ADMIN, is_fresh=False)
    with pytest.raises(SecondFactorRequired):
        service.request(stale, client.id, move_on=today)
    listed, _ = service.page(administrator, client.id, PageRequest(50, None))
    assert [row.move.proof for row in listed] == ["administrator"]
    with pytest.raises(NotFound):
        service.page(act_of_system(make_office(gateway)), client.id, PageRequest(50, None))


def test_the_same_answer_and_the_same_statements_whoever_else_holds_a_number(gateway: Gateway) -> None:
    """OFF-05: typing an enterprise number or an IBAN tells nothing of another office, nor does the database's work."""
    taken, free = "BE34103071423390", "BE12310291417792"
    elsewhere = make_office(gateway, name="Ander kantoor")
    theirs = make_client(gateway, elsewhere)
    KnownAccountService(gateway).add(act_of_system(elsewhere), theirs.id, iban=taken, wanted={})
    office = make_office(gateway)
    act = act_of_system(office)
    app = app_of(gateway)
    app.dependency_overrides[current_act] = lambda: act
    answers, statements = [], []
    with TestClient(app) as http:
        for number, iban in ((theirs.enterprise_number, taken), ("0477472701", free)):
            asked: list[str] = []
            connection = gateway.database.bind  # type: ignore[attr-defined]
            assert isinstance(connection, Connection)

            def note(*args: Any, into: list[str] = asked) -> None:
                into.append(args[2])

            event.listen(connection, "before_cursor_execute", note)
            made = http.put("/v1/clients", json={"name": "Zelfde BV", "enterprise_number": number})
            known = http.post(
                "/v1/known-accounts",
                json={"client_id": made.json()["id"], "iban": iban},
                headers={"Idempotency-Key": iban},
            )
            event.remove(connection, "before_cursor_execute", note)
            answers.append(
                (made.status_code, set(made.json()), known.status_code, set(known.json()), known.json()["position"])
            )
            statements.append(_without_names(asked))
    assert answers[0] == answers[1]
    assert statements[0] == statements[1]


def _consents(story: Story) -> list[Consent]:
    with story.gateway.database.unit_of_work(story.office.id) as session:
        return list(session.exec(select(Consent)))


def _without_names(asked: list[str]) -> list[str]:
    return [text for text in asked if not text.startswith(("SAVEPOINT", "RELEASE"))]


def test_a_client_is_put_at_two_offices_with_one_number(gateway: Gateway) -> None:
    """OFF-05: the number reserves nothing."""
    theirs = make_client(gateway, make_office(gateway))
    wish = ClientWish(name="Zelfde BV", language="nl", enterprise_number=theirs.enterprise_number)
    office = make_office(gateway)
    client, is_new = ClientService(gateway).put(act_of_system(office), wish)
    assert is_new
    assert encode("client", client.id) != encode("client", theirs.id)

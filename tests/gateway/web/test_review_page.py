"""SYN-05, SYN-02, SYN-12: the review list as a page, and what the day and account pages say of calls and silence."""

from __future__ import annotations

from sqlmodel import select

from gateway.accounts.models import Account
from gateway.pagination import PageRequest
from gateway.reviews.service import ReviewService
from gateway.transactions.states import ReviewState
from tests.gateway.test_every_route import waiting_review
from tests.gateway.web.conftest import Browser
from tests.gateway.web.world import World, typed


def test_the_office_settles_a_row_on_the_page(world: World, browser: Browser) -> None:
    item_id = waiting_review(world.gateway, world.accounts["textile"])
    browser.sign_in(world.people["accountant"])
    page = browser.get("/review")
    assert "De bank gaf geen bedrag" in page
    assert f'action="/review/{item_id}"' in page
    browser.post(f"/review/{item_id}", {"decision": "nonsense"}, status=422)
    after = browser.post(f"/review/{item_id}", {"decision": "leave_out"})
    assert "De bank gaf geen bedrag" not in after
    decided, _ = ReviewService(world.gateway).page(
        world.act("accountant"), PageRequest(10, None), state=ReviewState.DECIDED
    )
    assert [view.item.decision for view in decided] == ["leave_out"]


def test_an_account_is_marked_quiet_on_its_page(world: World, browser: Browser) -> None:
    account = world.accounts["textile"]
    browser.sign_in(world.people["accountant"])
    path = f"/clients/{typed('client', account.client_id)}/accounts"
    browser.get(path)
    browser.post(f"{path}/{typed('account', account.id)}", {"position": "1", "is_quiet": "on"})
    with world.gateway.database.unit_of_work(world.office.id) as session:
        assert session.exec(select(Account.is_quiet).where(Account.id == account.id)).one()

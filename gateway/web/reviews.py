"""The review list as a page: each row with its readings, what each does to the balance, and a button (SYN-05)."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from fastapi import Request
from fastapi.responses import Response
from sqlmodel import col, select

from gateway.accounts.models import Account
from gateway.api import GatewayDep
from gateway.errors import InputError
from gateway.identity.rights import Permission
from gateway.ids import ReviewItemId
from gateway.offices.models import Client
from gateway.pagination import PageRequest
from gateway.reviews.service import ReviewService
from gateway.transactions.models import BankTransaction
from gateway.transactions.repository import TransactionRepository
from gateway.transactions.review_list import Decision, options
from gateway.web.rendering import page, see_other
from gateway.web.routing import page_router
from gateway.web.security import FormDep, PostedDep, Visit, VisitDep, text_of

router = page_router()

SHOWN_MAX: Final = 50


@router.get("/review")
def review(request: Request, gateway: GatewayDep, visit: VisitDep, cursor: str | None = None) -> Response:
    """What waits, the oldest first."""
    views, next_cursor = ReviewService(gateway).page(visit.act, PageRequest(SHOWN_MAX, cursor))
    items = [view.item for view in views]
    ids = {item.transaction_id for item in items if item.transaction_id is not None}
    ids |= {UUID(candidate) for item in items for candidate in item.candidates}
    with gateway.database.unit_of_work(visit.act.office_id) as session:
        rows: dict[UUID, BankTransaction] = TransactionRepository(session).many(visit.act.office_id, ids)
        found = session.exec(
            select(Account, Client)
            .join(Client, (col(Client.id) == Account.client_id) & (col(Client.office_id) == Account.office_id))
            .where(Account.office_id == visit.act.office_id, col(Account.id).in_({item.account_id for item in items}))
        ).all()
    return page(
        request,
        "review.html",
        items=items,
        options={item.id: options(item) for item in items},
        rows=rows,
        of={account.id: (account, client) for account, client in found},
        deciding=_deciding(visit, {client.id for _account, client in found}),
        next_cursor=next_cursor,
        uuid=UUID,
    )


@router.post("/review/{review_item_id}")
def decide(
    request: Request, review_item_id: ReviewItemId, gateway: GatewayDep, visit: PostedDep, form: FormDep
) -> Response:
    """One decision; `changed:` is followed by the row that it is."""
    word, _, named = text_of(form, "decision").partition(":")
    try:
        decision, transaction_id = Decision(word), UUID(named) if named else None
    except ValueError:
        raise InputError from None
    ReviewService(gateway).decide(visit.act, review_item_id, decision, transaction_id=transaction_id)
    return see_other(request, "/review")


def _deciding(visit: Visit, clients: set[UUID]) -> set[UUID]:
    principal = visit.act.principal
    return clients if Permission.CLIENTS_WRITE in principal.office_permissions else set()

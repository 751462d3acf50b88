"""From which accounts payments may leave: the client's accounts in euro, and known ones without a consent (OFF-10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

from sqlmodel import Session

from gateway.accounts.models import Account
from gateway.act import Act
from gateway.payments.content import PaymentWish
from gateway.payments.repository import PaymentRepository
from gateway.profiles.becoming import payable
from gateway.profiles.repository import KnownAccountRepository

Row = TypeVar("Row")


def debtors(
    session: Session, act: Act, client_id: UUID, rows: Sequence[Row], *, is_stored: bool = True
) -> tuple[list[Row], dict[UUID, Account]]:
    """The rows, those that name no account with the client's default one, and the accounts they may name.

    A known account that a row names becomes an account, unless `is_stored` is false: then only for this look.
    """
    wishes = [row for row in rows if isinstance(row, PaymentWish)]
    default_id: UUID | None = None
    if any(wish.debtor_account_id is None for wish in wishes):
        default = KnownAccountRepository(session).default_debtor(act.office_id, client_id)
        default_id = None if default is None else default.id
    named = [
        replace(row, debtor_account_id=default_id)
        if isinstance(row, PaymentWish) and row.debtor_account_id is None
        else row
        for row in rows
    ]
    accounts = PaymentRepository(session).debtor_accounts(act.office_id, client_id)
    unknown = {
        row.debtor_account_id for row in named if isinstance(row, PaymentWish) and row.debtor_account_id is not None
    } - accounts.keys()
    if unknown:
        accounts |= payable(session, act, client_id, unknown, is_stored=is_stored)
    return named, accounts

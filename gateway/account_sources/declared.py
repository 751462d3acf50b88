"""The one source that is declared for an account (CON-17)."""

from __future__ import annotations

from typing import Final

from gateway.account_sources.states import Source
from gateway.accounts.models import Account

PONTO: Final = "ponto"


def source_of(account: Account) -> Source:
    """Where its statements come from now."""
    return Source(account.bank_made_source) if account.bank_made_source is not None else read_source(account)


def read_source(account: Account) -> Source:
    """How it is read, or would be, when its statements are made here."""
    return Source.PONTO if account.bank_id == PONTO else Source.DIRECT

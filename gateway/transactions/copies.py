"""Reading at a source that keeps a copy of the bank: having it renewed while the PSU is here, and how old it is.

At a bank nothing of this happens: each read asks it. Requirements CON-16, STA-01.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from connectors.base import Connector
from connectors.errors import BankError
from connectors.model import Access, TransactionPage

log = logging.getLogger(__name__)

LOOKS_MAX: Final = 10
LOOK_SECONDS: Final = 2.0
PRESENT_FOR: Final = timedelta(minutes=5)


def renew_copy(
    connector: Connector,
    access: Access,
    bank_account_id: str,
    *,
    age: timedelta,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Have the source ask the account's bank, and wait a moment for it; nothing without a PSU, or at a bank.

    `age` is how long ago the PSU asked: one who asked long ago has left, and the address would be a lie.
    A copy that is not ready in time, or cannot be renewed just now, is read as it is: a later reading has the rest.
    Raises what tells that somebody must act: the consent or the account has ended, the installation is not accepted.
    """
    if access.psu is None or age > PRESENT_FOR:
        return
    try:
        found = connector.start_synchronisation(access, bank_account_id)
        if found is None:
            return
        for _ in range(LOOKS_MAX):
            if found.is_done or found.synchronisation_id is None:
                return
            sleep(LOOK_SECONDS)
            found = connector.synchronisation(access, found.synchronisation_id)
    except BankError as error:
        log.info("the copy was not renewed", extra={"code": error.code})


def speaks_of(pages: Iterable[TransactionPage], now: datetime) -> datetime:
    """The moment the rows speak of: now, or that of the oldest copy among them. Never after `now`."""
    return min([now, *(page.as_of for page in pages if page.as_of is not None)])

"""Parts of a call that banks of the Berlin Group share: who is present, and ids of the bank in an address."""

from __future__ import annotations

from urllib.parse import quote

from connectors.errors import BankAnswerInvalid
from connectors.model import PsuContext


def psu_headers(psu: PsuContext | None) -> dict[str, str]:
    """What tells the bank that the PSU is present; nothing when absent, so that the call counts as unattended."""
    if psu is None:
        return {}
    headers = {"PSU-IP-Address": psu.ip_address}
    for name, value in (("PSU-User-Agent", psu.user_agent), ("PSU-Accept-Language", psu.language)):
        # These come from a browser: what is no header value is left out rather than sent on.
        if value and value.isascii() and value.isprintable():
            headers[name] = value[:256]
    return headers


def segment(bank_id: str) -> str:
    """An id of the bank as one part of a path; dots alone would climb out of it."""
    if bank_id.strip(".") == "":
        raise BankAnswerInvalid("an id of the bank cannot stand in an address")
    return quote(bank_id, safe="")

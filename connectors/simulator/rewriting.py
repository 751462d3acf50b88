"""Small changes a dialect makes to the common answers: queries, links, texts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from starlette.requests import Request

from connectors.simulator.calls import JSON, Answer, BankCall


def body_of(answer: Answer) -> JSON:
    """The body of an answer that has one."""
    assert answer.body is not None, "the common answer has a body"
    return answer.body


def ask_with(call: BankCall, query: Mapping[str, str]) -> None:
    """Let the common code see this query instead of the one that came."""
    call.request = Request({**call.request.scope, "query_string": urlencode(query).encode()})


def ask_about(call: BankCall, resource_id: str) -> None:
    """Let the common code see another account in the address."""
    parameters = {**call.request.path_params, "resource_id": resource_id}
    call.request = Request({**call.request.scope, "path_params": parameters})


def pending_days(call: BankCall, account: JSON) -> list[tuple[date, date]]:
    """When each pending row was announced and when it will be booked, in the order of the common answer."""
    world, number = call.simulator.world, account.get("iban") or account.get("maskedPan")
    known = next(
        one for one in world.accounts if number in (one.iban, one.masked_pan) and one.currency == account["currency"]
    )
    return [((row.announced_at or row.booked_at).date(), row.booking_date) for row in reversed(world.pending(known))]


def query_of(url: str) -> dict[str, str]:
    """The parameters of an address."""
    return dict(parse_qsl(urlsplit(url).query))


def with_query(url: str, query: Mapping[str, str]) -> str:
    """The address with other parameters."""
    return urlunsplit(urlsplit(url)._replace(query=urlencode(query)))


def is_at_home(call: BankCall, url: str) -> bool:
    """Whether an address is the bank's; an ordered fault may lead elsewhere."""
    return urlsplit(url).netloc == urlsplit(call.base).netloc


def relative(url: str) -> str:
    """Path and query of an address."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def wording_of(row: Mapping[str, Any]) -> str:
    """The free text of a row in one line."""
    parts = row.get("remittanceInformationUnstructuredArray") or [row.get("remittanceInformationUnstructured") or ""]
    return " ".join(parts)

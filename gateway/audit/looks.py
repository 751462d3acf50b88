"""What auditors and support look at is recorded like what others change (SEC-09)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from sqlmodel import Session
from starlette.requests import Request

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.ids import decode
from gateway.offices.repository import ClientRepository

READING: Final = frozenset({"GET", "HEAD"})
_TYPED_ID: Final = re.compile(r"[a-z]{3}_[0-9a-z]{26}")


def record_look(gateway: Gateway, act: Act, request: Request) -> None:
    """An entry for a request that reads, when the caller is watched: the route and the ids named, no content.

    Written before the answer is made: what was tried is recorded, whatever comes of it.
    """
    if request.method not in READING or not act.principal.is_watched:
        return
    ids = {
        name: value
        for name, value in {**request.path_params, **request.query_params}.items()
        if isinstance(value, str) and _TYPED_ID.fullmatch(value)
    }
    with gateway.database.unit_of_work(act.office_id) as session:
        gateway.audit.record(
            session, act, "person.looked", "user", act.principal.id, client_id=_client(session, act, ids),
            changes={"route": Change(None, request.scope["route"].path), "ids": Change(None, ids)},
        )  # fmt: skip


def _client(session: Session, act: Act, ids: Mapping[str, str]) -> UUID | None:
    """The client looked at, when the request names one of this office that the caller reaches."""
    try:
        client_id = decode("client", ids.get("client_id", ""))
    except ValueError:
        return None
    is_known = ClientRepository(session).get(act.office_id, client_id) is not None
    return client_id if is_known and act.principal.reaches(client_id) else None

"""The pairs of many objects in one statement, and where a list leaves those of its rows for the answer (API-06)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, literal
from sqlmodel import Session, col, select

from gateway.database import UNIT_OFFICE
from gateway.metadata.models import MetadataPair

KINDS: Final = frozenset({"client", "account", "consent", "basket", "payment"})
"""Tables of the objects that take pairs."""

Pairs = dict[str, str]
Found = dict[tuple[str, UUID], Pairs]

_found: ContextVar[Found | None] = ContextVar("sluis_metadata_found", default=None)


def pairs_of(session: Session, office_id: UUID, kind: str, ids: Sequence[UUID]) -> dict[UUID, Pairs]:
    """Id to pairs, by key; an object without any has none here too."""
    query = select(MetadataPair.object_id, MetadataPair.key, MetadataPair.value).where(
        MetadataPair.office_id == office_id,
        MetadataPair.object_kind == kind,
        col(MetadataPair.object_id) == any_(literal(list(ids), ARRAY(Uuid))),
    )
    found: dict[UUID, Pairs] = {one: {} for one in ids}
    for object_id, key, value in session.exec(query.order_by(col(MetadataPair.key))):
        found[object_id][key] = value
    return found


@contextmanager
def collected() -> Iterator[Found]:
    """Meanwhile lists leave the pairs of their rows here, read in the transaction of the rows."""
    found: Found = {}
    token = _found.set(found)
    try:
        yield found
    finally:
        _found.reset(token)


def leave(session: Session, entity: Any, rows: Iterable[Any]) -> None:
    """Leave the pairs of a page's rows, when they are objects that take some and an answer wants them."""
    found, kind = _found.get(), getattr(entity, "__tablename__", None)
    if found is None or kind not in KINDS:
        return
    ids = [row.id for row in rows]
    if ids:
        pairs = pairs_of(session, session.info[UNIT_OFFICE], kind, ids)
        found.update({(kind, one): of_one for one, of_one in pairs.items()})

"""Cursors: signed, opaque, stable while rows are added (API-04).

A list is ordered by one or more columns that end in the id, so that the position after the last row shown is exact
whatever is inserted meanwhile. The cursor carries those values and is bound to the list and its filters.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, TypeVar

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy.orm import Mapped
from sqlmodel import Session
from sqlmodel.sql.expression import SelectOfScalar

from gateway.database import UNIT_OFFICE
from gateway.errors import FieldFault, InputError
from gateway.metadata.filters import Wanted, filtered, wanted_in
from gateway.metadata.reading import leave

LIMIT_DEFAULT: Final = 50
LIMIT_MAX: Final = 500

Row = TypeVar("Row")
Shown = TypeVar("Shown", bound=BaseModel)


class CursorInvalid(InputError):
    """The cursor was altered, or belongs to another list or other filters."""

    code = "cursor_invalid"
    http_status = 400
    title = "The cursor does not belong to this list"
    hint = "Start again without a cursor, with the same filters on every page."


@dataclass(frozen=True, slots=True)
class Sort:
    """One column of the order; `read` gives its value as JSON from a row, `parse` turns it back."""

    column: Mapped[Any]
    read: Callable[[Any], Any]
    parse: Callable[[Any], Any]
    is_descending: bool = False


class Page(BaseModel, Generic[Shown]):
    """A page of a list; `next_cursor` is null on the last one."""

    model_config = ConfigDict(extra="forbid")

    items: list[Shown]
    next_cursor: str | None = Field(description="Pass it as `cursor` to get the next page; null on the last page.")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What the caller asked for."""

    limit: int
    cursor: str | None
    metadata: Wanted = ()
    """Pairs that every row must have, where the rows are objects that take some."""


async def page_request(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX, description="Rows per page.")] = LIMIT_DEFAULT,
    cursor: Annotated[
        str | None, Query(max_length=1000, description="`next_cursor` of the page before.", examples=[None])
    ] = None,
) -> PageRequest:
    """FastAPI dependency."""
    return PageRequest(limit, cursor, wanted_in(request.query_params.multi_items()))


class Pager:
    """Cuts ordered queries into pages; one per installation, since it holds the signing key."""

    def __init__(self, key: bytes) -> None:
        self._key = hashlib.sha256(b"cursor\0" + key).digest()

    def page(
        self, session: Session, query: SelectOfScalar[Row], order: Sequence[Sort], request: PageRequest, *, name: str
    ) -> tuple[list[Row], str | None]:
        """The rows of one page and the cursor of the next.

        `name` says which list with which filters this is, for instance `accounts:client=…`: a cursor of another
        name is refused.
        """
        if request.metadata:
            query = filtered(query, request.metadata, session.info[UNIT_OFFICE])
            name = f"{name}:{request.metadata}"
        if request.cursor is not None:
            query = query.where(_after(order, self.open(request.cursor, name, len(order))))
        columns = [sort.column.desc() if sort.is_descending else sort.column.asc() for sort in order]
        query = query.order_by(*columns).limit(request.limit + 1)
        # Columns by name come as the driver gives them; objects come through the mapper.
        is_object = isinstance(query, SelectOfScalar)
        rows: list[Any] = list((session.exec(query) if is_object else session.connection().execute(query)).all())
        is_last = len(rows) <= request.limit
        rows = rows[: request.limit]
        if is_object:
            leave(session, query.column_descriptions[0]["entity"], rows)
        if is_last:
            return rows, None
        return rows, self.seal([sort.read(rows[-1]) for sort in order], name)

    def seal(self, values: list[Any], name: str) -> str:
        """A cursor that holds `values`, plain JSON, and opens for the list `name` only."""
        body = json.dumps(values, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._mac(body, name) + body).decode().rstrip("=")

    def open(self, cursor: str, name: str, length: int) -> list[Any]:
        """The values of a cursor; raises `CursorInvalid` when it was altered or is another list's."""
        try:
            data = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            mac, body = data[:16], data[16:]
            if not hmac.compare_digest(mac, self._mac(body, name)):
                raise ValueError("wrong signature")
            values = json.loads(body)
            if len(values) != length:
                raise ValueError("wrong length")
        except ValueError as error:
            raise CursorInvalid(
                faults=[FieldFault("/cursor", CursorInvalid.code, CursorInvalid.title, CursorInvalid.hint)]
            ) from error
        return list(values)

    def _mac(self, body: bytes, name: str) -> bytes:
        return hmac.new(self._key, name.encode() + b"\0" + body, hashlib.sha256).digest()[:16]


def _after(order: Sequence[Sort], values: Sequence[Any]) -> ColumnElement[bool]:
    """Rows strictly after `values` in this order: (a, b) > (x, y) spelt out, since directions may differ."""
    alternatives = []
    for index, sort in enumerate(order):
        value = sort.parse(values[index])
        beyond = sort.column < value if sort.is_descending else sort.column > value
        equal = [earlier.column == earlier.parse(values[i]) for i, earlier in enumerate(order[:index])]
        alternatives.append(and_(*equal, beyond))
    return or_(*alternatives)

"""A small help for queries over many ids."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, String, Uuid, any_, literal
from sqlmodel import col


def within(column: Any, ids: Iterable[UUID]) -> ColumnElement[bool]:
    """`column = ANY (…)` with one array as parameter: the same statement for one id and for ten thousand."""
    return col(column) == any_(literal(list(ids), ARRAY(Uuid)))


def one_of(column: Any, values: Iterable[str]) -> ColumnElement[bool]:
    """As `within`, for texts."""
    return col(column) == any_(literal(list(values), ARRAY(String)))

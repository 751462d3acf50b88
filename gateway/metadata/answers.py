"""Puts the pairs of objects into answers, whatever operation they come from (API-06).

An operation whose answer may hold an object that takes pairs is found by its annotation; what the pager has not read
along with the rows is read here, in one statement for each kind of object.
"""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.metadata.reading import Found, collected, pairs_of
from gateway.metadata.schemas import WithMetadata


def with_metadata(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """The operation, with the pairs in what it answers; itself, when it shows no object that takes any."""
    if not shows_metadata(endpoint):
        return endpoint

    @functools.wraps(endpoint)
    def call(**arguments: Any) -> Any:
        with collected() as found:
            answer = endpoint(**arguments)
        _fill(list(_objects(answer)), found, arguments)
        return answer

    return call


@functools.cache
def shows_metadata(endpoint: Callable[..., Any]) -> bool:
    """Whether the answer may hold such an object, by its annotation."""
    answer = typing.get_type_hints(inspect.unwrap(endpoint)).get("return")
    return any(issubclass(model, WithMetadata) for model in _models(answer, set()))


def _fill(objects: list[WithMetadata], found: Found, arguments: Mapping[str, Any]) -> None:
    missing: dict[str, list[UUID]] = {}
    for one in objects:
        if (one.takes_pairs_as, one.object_id()) not in found:
            missing.setdefault(one.takes_pairs_as, []).append(one.object_id())
    if missing:
        act = next(value for value in arguments.values() if isinstance(value, Act))
        gateway = next(value for value in arguments.values() if isinstance(value, Gateway))
        with gateway.database.unit_of_work(act.office_id) as session:
            for kind, ids in missing.items():
                read = pairs_of(session, act.office_id, kind, ids)
                found.update({(kind, one): pairs for one, pairs in read.items()})
    for one in objects:
        one.metadata = found[one.takes_pairs_as, one.object_id()]


def _objects(value: Any) -> Iterator[WithMetadata]:
    if isinstance(value, WithMetadata):
        yield value
    elif isinstance(value, BaseModel):
        for below in value.__dict__.values():
            yield from _objects(below)
    elif isinstance(value, list | tuple):
        for below in value:
            yield from _objects(below)


def _models(annotation: Any, seen: set[Any]) -> Iterator[type[BaseModel]]:
    """Every model below an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if annotation not in seen:
            seen.add(annotation)
            yield annotation
            for field in annotation.model_fields.values():
                yield from _models(field.annotation, seen)
        return
    for part in typing.get_args(annotation):
        yield from _models(part, seen)

"""Whether a new description breaks callers of an old one (API-09): `python -m gateway.compatibility OLD NEW`.

Callers send requests and read answers, so the two sides have opposite rules: a request may not ask for more than before
and an answer may not promise less. New operations, new optional fields of requests, new fields of answers and new
values in answers are no breach: the enumerations of answers are open, which the description says.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from gateway.description import METHODS

_DEPTH_MAX: Final = 12
_LOWER_BOUNDS: Final = ("minimum", "minLength", "minItems")
_UPPER_BOUNDS: Final = ("maximum", "maxLength", "maxItems")


def breaches(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What callers of `old` would stumble over in `new`, a sentence each; empty when nothing."""
    return list(_Comparison(old, new).found())


class _Comparison:
    def __init__(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        self.old = old
        self.new = new

    def found(self) -> Iterator[str]:
        for path, methods in self.old["paths"].items():
            for method, before in methods.items():
                if method not in METHODS:
                    continue
                after = self.new["paths"].get(path, {}).get(method)
                name = f"{method.upper()} {path}"
                if after is None:
                    yield f"{name} is gone"
                else:
                    yield from self._operation(name, before, after)

    def _operation(self, name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
        if before.get("operationId") != after.get("operationId"):
            yield f"{name} has another operationId"
        yield from self._parameters(name, before, after)
        was, now = _body(before), _body(after)
        if now is not None and was is None and after["requestBody"].get("required"):
            yield f"{name} needs a body now"
        elif was is not None and now is None:
            yield f"{name} takes no JSON body any more"
        elif was is not None and now is not None:
            yield from self._schema(f"{name} request", was, now, is_request=True)
        for status, answer in before.get("responses", {}).items():
            if not status.startswith("2"):
                continue
            if status not in after.get("responses", {}):
                yield f"{name} does not answer {status} any more"
                continue
            was, now = _media(answer), _media(after["responses"][status])
            if was is not None and now is None:
                yield f"{name} {status} is no JSON any more"
            elif was is not None and now is not None:
                yield from self._schema(f"{name} {status}", was, now, is_request=False)

    def _parameters(self, name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
        was = {(one["in"], one["name"]): one for one in before.get("parameters", ())}
        now = {(one["in"], one["name"]): one for one in after.get("parameters", ())}
        for key, one in was.items():
            if key not in now:
                yield f"{name} does not know the {key[0]} parameter {key[1]} any more"
            else:
                yield from self._schema(f"{name} {key[1]}", one.get("schema", {}), now[key].get("schema", {}), True)
        for key, one in now.items():
            if one.get("required") and not was.get(key, {}).get("required"):
                yield f"{name} needs the {key[0]} parameter {key[1]} now"

    def _schema(
        self, place: str, before: Mapping[str, Any], after: Mapping[str, Any], is_request: bool, depth: int = 0
    ) -> Iterator[str]:
        if depth > _DEPTH_MAX:
            return
        was, was_null = _resolved(self.old, before)
        now, now_null = _resolved(self.new, after)
        if is_request and was_null and not now_null:
            yield f"{place} may not be null any more"
        if not is_request and now_null and not was_null:
            yield f"{place} may be null now"
        if was.get("type") != now.get("type"):
            yield f"{place} is {now.get('type')} instead of {was.get('type')}"
            return
        if was.get("format") != now.get("format"):
            yield f"{place} has the format {now.get('format')} instead of {was.get('format')}"
        if is_request:
            yield from _narrower(place, was, now)
        yield from self._fields(place, was, now, is_request, depth)
        if "items" in was and "items" in now:
            yield from self._schema(f"{place}[]", was["items"], now["items"], is_request, depth + 1)

    def _fields(
        self, place: str, was: Mapping[str, Any], now: Mapping[str, Any], is_request: bool, depth: int
    ) -> Iterator[str]:
        fields, new_fields = was.get("properties", {}), now.get("properties", {})
        for field, schema in fields.items():
            if field not in new_fields:
                yield f"{place}.{field} is gone"
            else:
                yield from self._schema(f"{place}.{field}", schema, new_fields[field], is_request, depth + 1)
        required, now_required = set(was.get("required", ())), set(now.get("required", ()))
        if is_request:
            yield from (f"{place}.{field} is needed now" for field in sorted(now_required - required))
        else:
            lost = (required - now_required) & set(new_fields)
            yield from (f"{place}.{field} may be missing now" for field in sorted(lost))


def _narrower(place: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """What a request may not say any more."""
    if "enum" in now:
        gone = [value for value in was.get("enum", ()) if value not in now["enum"]]
        yield from (f"{place} may not be {value} any more" for value in gone)
        if "enum" not in was:
            yield f"{place} is limited to some values now"
    for bound in _LOWER_BOUNDS:
        if bound in now and now[bound] > was.get(bound, now[bound] - 1 if bound == "minimum" else 0):
            yield f"{place} has a higher {bound}"
    for bound in _UPPER_BOUNDS:
        if bound in now and (bound not in was or now[bound] < was[bound]):
            yield f"{place} has a lower {bound}"
    if "pattern" in now and now["pattern"] != was.get("pattern"):
        yield f"{place} has another pattern"
    if now.get("additionalProperties") is False and was.get("additionalProperties") is not False and "type" in was:
        yield f"{place} refuses unknown fields now"


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """The schema behind references and `| null`, and whether null is possible."""
    can_be_null = False
    while True:
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            continue
        choices = schema.get("anyOf", ())
        filled = [one for one in choices if one.get("type") != "null"]
        can_be_null |= len(filled) < len(choices)
        if len(filled) != 1:
            return schema, can_be_null
        schema = filled[0]


def _body(operation: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return _media(operation.get("requestBody", {}))


def _media(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    media = body.get("content", {}).get("application/json")
    return None if media is None else media.get("schema", {})


def main() -> int:
    """Print the breaches between two files; 1 when there are any."""
    old, new = (yaml.safe_load(Path(name).read_text()) for name in sys.argv[1:3])
    found = breaches(old, new)
    sys.stdout.write("".join(f"{line}\n" for line in found))
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())

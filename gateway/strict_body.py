"""What a request body may be before anybody looks into it (API-01, API-02).

JSON is UTF-8 without a byte order mark, every name once per object, no NaN or Infinity, no U+0000, no half of a
surrogate pair, no deeper than any shape of ours. Whoever breaks these rules has a defect on the way; guessing what was
meant would hide it.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NoReturn

from fastapi import Request, params
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers

from gateway.errors import FieldFault, InputError
from gateway.problems import RequestTooLarge

DEPTH_MAX: Final = 32
DIGITS_MAX: Final = 30
JSON_BYTES_MAX: Final = 12 * 1024 * 1024
"""10,000 payments in one body are less; imports have a limit of their own below it."""
STRANGER_BYTES_MAX: Final = 256 * 1024
"""From a caller who shows neither token nor cookie; a passkey's answer is far below."""
INLINE_BYTES_MAX: Final = 64 * 1024
"""More is parsed in a thread: the loop serves everybody."""
_LONG_NUMBERS: Final = re.compile(rb"[0-9]{31}|[0-9][eE]")
"""Where numbers must be looked at one by one, which takes ten times as long."""
_ODD_CHARACTERS: Final = re.compile("[\x00\ud800-\udfff]")
_ODD_ESCAPES: Final = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


class JsonInvalid(InputError):
    """The body is not JSON as RFC 8259 and RFC 7493 (I-JSON) have it."""

    code = "json_invalid"
    http_status = 400
    title = "The body is not valid JSON"
    hint = "Send UTF-8 JSON, every name once per object, without NaN, Infinity or extreme nesting."


class TextInvalid(InputError):
    """A text holds a character that cannot be stored or shown."""

    code = "text_invalid"
    title = "A text holds a character that is not allowed"
    hint = "Leave out U+0000 and halves of surrogate pairs."


class ContentTypeUnsupported(InputError):
    """The body is of a kind that this operation does not read."""

    code = "content_type_unsupported"
    http_status = 415
    title = "The body is of a kind that is not read here"
    hint = "Send JSON with Content-Type: application/json, or what the documentation of the operation names."


class ContentEncodingUnsupported(InputError):
    """A compressed body: never unpacked, so that a small request stays small."""

    code = "content_encoding_unsupported"
    http_status = 415
    title = "Compressed bodies are not read"
    hint = "Send the body without Content-Encoding."


class BodyUnexpected(InputError):
    """The operation takes no body."""

    code = "body_unexpected"
    title = "This operation takes no body"
    hint = "Send it without a body, or with an empty object."


async def check_body(request: Request, body_field: Any, *, has_own_body: bool) -> None:
    """Read the body and refuse what breaks the rules; JSON is parsed here, once.

    `body_field` is the framework's, None for an operation without a body; one that `has_own_body` reads it itself.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise ContentEncodingUnsupported
    raw = await request.body()
    is_stranger = "authorization" not in request.headers and "cookie" not in request.headers
    if is_stranger and len(raw) > STRANGER_BYTES_MAX:
        raise RequestTooLarge
    if has_own_body:
        return
    if body_field is not None and isinstance(body_field.field_info, params.Form):
        if raw and not _media_type(request.headers).startswith(("multipart/form-data", "application/x-www-form-urle")):
            raise ContentTypeUnsupported
        return
    if not raw:
        return
    media_type = _media_type(request.headers)
    if media_type != "application/json" and not (
        media_type.startswith("application/") and media_type.endswith("+json")
    ):
        raise ContentTypeUnsupported
    if len(raw) > JSON_BYTES_MAX:
        raise RequestTooLarge
    value = parse(raw) if len(raw) <= INLINE_BYTES_MAX else await run_in_threadpool(parse, raw)
    if body_field is None and value not in ({}, None):
        raise BodyUnexpected
    # Where the framework looks before it parses by itself.
    request._json = value  # Starlette's own cache of the parsed body


def parse(raw: bytes) -> Any:
    """The JSON value of a body; raises `JsonInvalid` or `TextInvalid`."""
    try:
        text = raw.decode("utf-8")
        numbers: dict[str, Any] = {}
        if _LONG_NUMBERS.search(raw):
            numbers = {"parse_int": _whole, "parse_float": _number}
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse, **numbers)
    except (ValueError, RecursionError) as error:
        raise JsonInvalid from error
    _check_depth(value)
    if b"\x00" in raw or _ODD_ESCAPES.search(raw):
        faults: list[FieldFault] = []
        _find_odd_texts(value, "", faults)
        if faults:
            raise TextInvalid(faults=faults)
    return value


def _media_type(headers: Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return made


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON number")


def _whole(digits: str) -> int:
    if len(digits) > DIGITS_MAX:
        raise ValueError("a number of this length is a mistake")
    return int(digits)


def _number(digits: str) -> Any:
    if len(digits) > DIGITS_MAX:
        raise ValueError("a number of this length is a mistake")
    value = json.loads(digits)
    if value in (_INFINITE, -_INFINITE):
        raise ValueError("a number beyond all bounds")
    return value


_INFINITE: Final = json.loads("1e999")


def _check_depth(value: Any) -> None:
    level, depth = [value], 0
    while level:
        if depth > DEPTH_MAX:
            raise JsonInvalid
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
            if isinstance(inner, dict | list)
        ]
        depth += 1


def _find_odd_texts(value: Any, pointer: str, faults: list[FieldFault]) -> None:
    """JSON Pointers of the texts with odd characters; at most 32 deep, as the depth was checked before."""
    match value:
        case str():
            if _ODD_CHARACTERS.search(value):
                faults.append(FieldFault(pointer, TextInvalid.code, TextInvalid.title, TextInvalid.hint))
        case dict():
            for name, inner in value.items():
                if _ODD_CHARACTERS.search(name):
                    faults.append(FieldFault(pointer, TextInvalid.code, TextInvalid.title, TextInvalid.hint))
                else:
                    _find_odd_texts(inner, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}", faults)
        case list():
            for index, inner in enumerate(value):
                _find_odd_texts(inner, f"{pointer}/{index}", faults)

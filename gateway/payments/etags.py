"""If-Match: the version, or the seal, that a change was based on (API-05)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header

from gateway.payments.errors import VersionRequired

IfMatch = Annotated[
    str | None,
    Header(description="The ETag you read; 428 without, 412 when it changed since.", examples=['"3"']),
]


def etag(value: object) -> str:
    """A strong ETag."""
    return f'"{value}"'


def tag_in(if_match: str | None) -> str | None:
    """The text between the quotes; None when the header is absent."""
    return None if if_match is None else if_match.strip().removeprefix("W/").strip('"')


def version_in(if_match: str | None) -> int:
    """The version; one that is no number matches nothing. Raises `VersionRequired`."""
    tag = tag_in(if_match)
    if tag is None:
        raise VersionRequired
    return int(tag) if tag.isascii() and tag.isdigit() and len(tag) < 10 else -1

"""Saying that an operation will go (API-09): `Deprecation` (RFC 9745) and `Sunset` (RFC 8594), twelve months apart.

Use as a dependency: `dependencies=[Depends(deprecated(since=…, successor="/v1/…"))]` beside `deprecated=True`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from typing import Final

from fastapi import Response

NOTICE: Final = timedelta(days=366)
"""Twelve months, whichever they are."""


def deprecated(*, since: date, sunset: date | None = None, successor: str) -> Callable[[Response], None]:
    """A dependency that sets the headers; `sunset` is never less than twelve months after `since`."""
    gone = sunset or since + NOTICE
    if gone < since + NOTICE:
        raise ValueError("an operation is announced twelve months before it goes")
    since_at, gone_at = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (since, gone))
    headers = {
        "Deprecation": f"@{int(since_at.timestamp())}",
        "Sunset": format_datetime(gone_at, usegmt=True),
        "Link": f'<{successor}>; rel="successor-version"',
    }

    def say(response: Response) -> None:
        response.headers.update(headers)

    return say

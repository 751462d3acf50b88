"""The one place that reads the clock; rules get `now` and `today` as parameters.

An office in test mode has a clock offset, so that the demo and the sandbox move the banks and the gateway together.
Token life, sessions and job scheduling use real time (`real_now`).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

BRUSSELS = ZoneInfo("Europe/Brussels")


def real_now() -> datetime:
    """This moment, aware, UTC."""
    return datetime.now(UTC)


def office_now(offset: timedelta) -> datetime:
    """The moment an office lives in: real time plus its offset (zero in live mode)."""
    return real_now() + offset


def brussels_date(moment: datetime) -> date:
    """Calendar day in Brussels of an aware moment."""
    return moment.astimezone(BRUSSELS).date()

"""A calendar file (ICS) with the last days of permissions, as RFC 5545 wants it (CON-10).

All-day entries; lines end with CR LF and are folded at 75 octets without cutting a character; the UID of a permission
is the same in every file, so that a calendar replaces its entry instead of adding one. Nothing in it opens anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

MEDIA_TYPE: Final = "text/calendar; charset=utf-8; method=PUBLISH"
OCTETS_MAX: Final = 75
ALARM_DAYS: Final = 7
"""The calendar reminds so many days before."""
_ESCAPED: Final = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """One day in the calendar; plain text, any characters."""

    uid: str
    day: date
    summary: str
    description: str


def calendar_file(entries: Sequence[CalendarEntry], *, now: datetime, language: str) -> bytes:
    """The file. Without entries it holds none: calendars take that as well."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Sluis//Bank permissions//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
    ]
    for entry in entries:
        lines += _event(entry, now, language)
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line)).encode()


def _event(entry: CalendarEntry, now: datetime, language: str) -> list[str]:
    summary = _text(entry.summary)
    return [
        "BEGIN:VEVENT",
        f"UID:{entry.uid}",
        f"DTSTAMP:{now.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        f"DTSTART;VALUE=DATE:{entry.day:%Y%m%d}",
        # The end of an all-day entry is the day after it.
        f"DTEND;VALUE=DATE:{entry.day + timedelta(days=1):%Y%m%d}",
        f"SUMMARY;LANGUAGE={language}:{summary}",
        f"DESCRIPTION;LANGUAGE={language}:{_text(entry.description)}",
        "TRANSP:TRANSPARENT",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"DESCRIPTION:{summary}",
        f"TRIGGER:-P{ALARM_DAYS}D",
        "END:VALARM",
        "END:VEVENT",
    ]


def _text(value: str) -> str:
    """A text value: separators escaped, other control characters left out."""
    kept = "".join(character for character in value if character in "\n\r\t" or character.isprintable())
    return kept.replace("\t", " ").translate(_ESCAPED)


def _folded(line: str) -> Iterator[str]:
    """The line in pieces of at most 75 octets; each further piece begins with a space."""
    piece, size = "", 0
    for character in line:
        octets = len(character.encode())
        if size + octets > OCTETS_MAX:
            yield piece
            piece, size = " ", 1
        piece, size = piece + character, size + octets
    yield piece

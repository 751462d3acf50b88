"""CON-10: the calendar file is what RFC 5545 asks for, whatever the names hold."""

from __future__ import annotations

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from gateway.consents.calendar_file import CalendarEntry, calendar_file

NOW = datetime(2026, 11, 29, 8, 30, tzinfo=UTC)


def entry(summary: str = "Bank permission at Crelan ends", description: str = "Renew it.") -> CalendarEntry:
    return CalendarEntry("con_1@sluis.example", date(2027, 2, 28), summary, description)


def unfolded(content: bytes) -> list[str]:
    """Content lines as a calendar reads them."""
    text = content.decode()
    assert text.endswith("\r\n")
    return text.removesuffix("\r\n").replace("\r\n ", "").split("\r\n")


def value_of(lines: list[str], name: str) -> str:
    (line,) = [line for line in lines if line.split(":")[0].split(";")[0] == name]
    return line.partition(":")[2]


def test_a_last_day_is_an_entry_of_that_whole_day() -> None:
    lines = unfolded(calendar_file([entry()], now=NOW, language="nl"))
    assert lines[:5] == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Sluis//Bank permissions//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
    ]
    assert lines[-1] == "END:VCALENDAR"
    for wanted in (
        "UID:con_1@sluis.example",
        "DTSTAMP:20261129T083000Z",
        "DTSTART;VALUE=DATE:20270228",
        "DTEND;VALUE=DATE:20270301",
        "SUMMARY;LANGUAGE=nl:Bank permission at Crelan ends",
        "TRIGGER:-P7D",
    ):
        assert lines.count(wanted) == 1, wanted
    opened = [line for line in lines if line.startswith(("BEGIN:", "END:"))]
    assert opened == [
        "BEGIN:VCALENDAR", "BEGIN:VEVENT", "BEGIN:VALARM", "END:VALARM", "END:VEVENT", "END:VCALENDAR",
    ]  # fmt: skip


def test_the_same_permission_has_the_same_uid_in_every_file() -> None:
    files = [calendar_file([entry(text)], now=NOW, language="nl") for text in ("now", "later")]
    assert len({value_of(unfolded(file), "UID") for file in files}) == 1


@given(st.text(max_size=300))
def test_any_text_stays_in_its_line_and_no_line_is_longer_than_75_octets(text: str) -> None:
    content = calendar_file([entry(f"Ends{text}", text)], now=NOW, language="fr")
    for line in content.split(b"\r\n"):
        assert len(line) <= 75
        assert b"\n" not in line
        assert b"\r" not in line
        line.decode()
    lines = unfolded(content)
    assert len(lines) == len(unfolded(calendar_file([entry()], now=NOW, language="fr")))
    (summary,) = [line for line in lines if line.startswith("SUMMARY;LANGUAGE=fr:")]
    rest = summary.partition(":")[2]
    for special in (";", ","):
        assert rest.replace("\\\\", "").replace(f"\\{special}", "").count(special) == 0


def test_separators_and_breaks_are_escaped_and_letters_kept() -> None:
    lines = unfolded(calendar_file([entry("Café; a, b \\ c\nd" + "é" * 60)], now=NOW, language="fr"))
    (summary,) = [line for line in lines if line.startswith("SUMMARY")]
    assert summary == "SUMMARY;LANGUAGE=fr:Café\\; a\\, b \\\\ c\\nd" + "é" * 60

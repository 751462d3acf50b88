"""The x-ray of a file as one page: every field can be pointed at or reached by key, and tells what it means.

The page needs nothing from elsewhere and runs no script; its own policy forbids both. All text of the file is escaped.
"""

import base64
import hashlib
from collections.abc import Iterator
from functools import lru_cache
from html import escape

from coda.descriptions import describe
from coda.errors import Finding
from coda.explain import ExplainedLine, Explanation, xray
from coda.fields import CONTROL
from coda.source import Source

LINES_MAX = 5_000  # a line takes some 3 kB of page; browsers manage this many with ease
FINDINGS_MAX = 500  # in the list at the top; each stands at its field as well

_ROLES = ("money", "date", "party", "text", "code")

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fbfaf7; --faint: #6a6f76; --rule: #d9d5cc;
  --money: #0b6b3a; --date: #0a5f7d; --party: #7a2f8f; --text: #8a4b00; --code: #3347a8; --fault: #b3261e;
  --warning: #8a6100; --panel: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e6e1; --paper: #16181b; --faint: #9aa0a6; --rule: #33373c;
  --money: #6fd39a; --date: #6cc4e4; --party: #d29be6; --text: #eeb166; --code: #a3b4ff; --fault: #ff8a80;
  --warning: #f2c14e; --panel: #202328; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 1.5rem 1.5rem 11rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.35rem; } h2 { margin: 1.5rem 0 .25rem; font-size: 1rem; }
p, ul { margin: .35rem 0; } ul { padding-left: 1.2rem; } .faint { color: var(--faint); }
.legend span { margin-right: 1.1rem; font-weight: 600; }
.file { overflow-x: auto; margin-top: 1rem; border-top: 1px solid var(--rule); padding: .5rem 0; }
.line { display: flex; white-space: pre; font: 14px/1.75 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
.line.begins { margin-top: .9rem; }
.number { flex: none; width: 4.5rem; padding-right: 1rem; text-align: right; color: var(--faint);
  text-decoration: none; user-select: none; }
.field { border-bottom: 2px solid transparent; box-shadow: inset 1px 0 var(--rule); cursor: help; }
.money { color: var(--money); } .date { color: var(--date); } .party { color: var(--party); }
.text { color: var(--text); } .code { color: var(--code); }
.field:hover, .field:focus { background: color-mix(in srgb, currentColor 18%, transparent); outline: none; }
.field:focus { border-bottom-color: currentColor; }
.field.fault { background: color-mix(in srgb, var(--fault) 22%, transparent); border-bottom-color: var(--fault); }
.field.warning { border-bottom-color: var(--warning); border-bottom-style: dotted; }
.field:hover::after, .field:focus::after { content: attr(aria-label); position: fixed; left: 0; right: 0; bottom: 0;
  z-index: 1; min-height: 7rem; max-height: 45vh; overflow: auto; padding: .9rem 1.5rem 1.1rem; white-space: pre-line;
  background: var(--panel); color: var(--ink); border-top: 3px solid var(--code); box-shadow: 0 -6px 24px #0003;
  font: 15px/1.5 system-ui, sans-serif; }
.field:hover::after { z-index: 2; }
.findings .fault { color: var(--fault); font-weight: 600; }
.findings .warning { color: var(--warning); font-weight: 600; }
a { color: inherit; } .line:target .number { color: var(--ink); font-weight: 700; }
""".strip()


def xray_html(
    source: Source, language: str = "en", *, title: str = "", first_line: int = 1, lines_max: int = LINES_MAX
) -> Iterator[str]:
    """The page, a piece at a time. Of longer files `lines_max` lines from the first one on; the page says so.

    Raises `NotCoda` for a file that is no CODA, before the first piece.
    """
    lines = list(xray(source, first_line=first_line, last_line=first_line + lines_max, language=language))
    shown = lines[:lines_max]

    def word(name: str) -> str:
        return escape(describe("word", name, language))

    heading = escape(_clean(title)) or word("xray")
    policy = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    yield f'<!doctype html>\n<html lang="{escape(language)}">\n<head>\n<meta charset="utf-8">\n'
    yield f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{policy}'\">\n"
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield '<meta name="referrer" content="no-referrer">\n'
    yield f"<title>{heading}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
    yield f'<header>\n<h1>{heading}</h1>\n<p class="faint">{word("how_to")}</p>\n<p class="legend">'
    yield "".join(f'<span class="{role}">{word(role)}</span>' for role in _ROLES)
    yield "</p>\n</header>\n"
    yield from _findings_list(shown, language)
    yield '<main class="file">\n'
    for line in shown:
        yield _line(line, language)
    yield "</main>\n"
    if len(lines) > lines_max:
        yield f"<p>{word('cut')}</p>\n"
    yield "</body>\n</html>\n"


def _findings_list(lines: list[ExplainedLine], language: str) -> Iterator[str]:
    found: dict[int, Finding] = {}  # a finding stands at every field that it touches; once is enough here
    for line in lines:
        for finding in (*line.findings, *(each for field in line.fields for each in field.findings)):
            found[id(finding)] = finding
    yield f'<section class="findings">\n<h2>{escape(describe("word", "findings", language))}</h2>\n'
    if not found:
        yield f'<p class="faint">{escape(describe("word", "no_findings", language))}</p>\n'
    else:
        yield "<ul>\n"
        for finding in list(found.values())[:FINDINGS_MAX]:
            severity = escape(finding.severity_in(language))
            text = escape(_clean(f"{finding.place_in(language)} – {_finding_text(finding, language)}"))
            yield (
                f'<li><a href="#L{finding.line}"><span class="{finding.severity}">{severity}</span> {text}</a></li>\n'
            )
        yield "</ul>\n"
    yield "</section>\n"


def _line(line: ExplainedLine, language: str) -> str:
    begins = " begins" if line.record in ("0", "21") else ""
    fields = "".join(_field(field, language) for field in line.fields)
    return (
        f'<div class="line{begins}" id="L{line.number}">'
        f'<a class="number" href="#L{line.number}">{line.number}</a><span>{fields}</span></div>\n'
    )


def _field(field: Explanation, language: str) -> str:
    severities = {finding.severity for finding in field.findings}
    mark = " fault" if "fault" in severities else " warning" if severities else ""
    said = (field.value, field.meaning, field.record_meaning[language])
    label = _label(field.field, field.columns, said, language)
    for finding in field.findings:
        text = f"{finding.severity_in(language)}: {_finding_text(finding, language)}"
        label += "&#10;" + escape(_clean(text))
    return (
        f'<span class="field {field.role}{mark}" tabindex="0" role="note" aria-label="{label}">'
        f"{escape(_clean(field.raw))}</span>"
    )


@lru_cache(maxsize=1 << 16)
def _label(name: str, columns: tuple[int, int], said: tuple[str, str, str], language: str) -> str:
    """What the panel says of a field, but for findings; most fields of a file say the same as others."""
    (first, last), (value, meaning, record_meaning) = columns, said
    place = f"{first}-{last}" if first != last else str(first)
    rows = (
        f"{describe('word', 'columns', language)} {place} · {name}",
        meaning,
        f"{describe('word', 'value', language)}: {value or describe('word', 'blank', language)}",
        record_meaning,
    )
    # The line ends are kept by the style of the panel.
    return "&#10;".join(escape(_clean(row)) for row in rows)


def _finding_text(finding: Finding, language: str) -> str:
    named = f"{finding.title_in(language)} ({finding.code})"
    return f"{named}: {finding.found_in(language)} – {finding.hint_in(language)}"


def _clean(text: str) -> str:
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)

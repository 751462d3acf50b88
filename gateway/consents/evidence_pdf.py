"""A page of plain facts as a PDF: A4, one typeface that is embedded, the same bytes for the same paper."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from html import escape
from io import BytesIO
from typing import Final

from reportlab.lib.pagesizes import A4  # type: ignore[import-untyped]  # ships no types
from reportlab.lib.styles import ParagraphStyle  # type: ignore[import-untyped]  # ships no types
from reportlab.lib.units import mm  # type: ignore[import-untyped]  # ships no types
from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped]  # ships no types
from reportlab.pdfbase.ttfonts import TTFont  # type: ignore[import-untyped]  # ships no types
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer  # type: ignore[import-untyped]  # ships no types

REGULAR: Final = "Vera"
BOLD: Final = "VeraBd"
MARGIN: Final = 22 * mm


@dataclass(frozen=True, slots=True)
class Paper:
    """A title, parts with rows of heading and text, and a line at the foot."""

    language: str
    title: str
    parts: Sequence[tuple[str, Sequence[tuple[str, str]]]]
    foot: str
    made_at: datetime


def write_pdf(paper: Paper) -> bytes:
    """The paper; letters that the typeface lacks are written without their accent, or as a question mark."""
    _typeface()
    story = [Paragraph(_text(paper.title), _style(15, bold=True, after=6))]
    for heading, rows in paper.parts:
        story.append(Paragraph(_text(heading), _style(11, bold=True, before=12, after=4)))
        for name, text in rows:
            story.append(Paragraph(_text(name), _style(8, bold=True, before=4)))
            story.append(Paragraph(_text(text), _style(9.5)))
    story.extend((Spacer(1, 14), Paragraph(_text(paper.foot), _style(8))))
    target = BytesIO()
    SimpleDocTemplate(
        target, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=MARGIN, bottomMargin=MARGIN,
        title=paper.title, author="Sluis", lang=paper.language, invariant=1,
    ).build(story)  # fmt: skip
    return target.getvalue()


def _style(size: float, *, bold: bool = False, before: float = 0, after: float = 0) -> ParagraphStyle:
    return ParagraphStyle(
        "line", fontName=BOLD if bold else REGULAR, fontSize=size, leading=size * 1.35, spaceBefore=before,
        spaceAfter=after,
    )  # fmt: skip


def _text(text: str) -> str:
    """Escaped for the little markup of paragraphs, in letters that there are."""
    return escape("".join(map(_letter, unicodedata.normalize("NFC", text))))


def _letter(letter: str) -> str:
    if ord(letter) in _typeface():
        return letter
    plain = unicodedata.normalize("NFKD", letter)[0]
    return plain if ord(plain) in _typeface() else "?"


@cache
def _typeface() -> frozenset[int]:
    """The letters there are; the two cuts lie in the library itself."""
    for name in (REGULAR, BOLD):
        pdfmetrics.registerFont(TTFont(name, f"{name}.ttf"))
    return frozenset(pdfmetrics.getFont(REGULAR).face.charToGlyph)

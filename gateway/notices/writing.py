"""Texts of mails: `templates/<name>.txt` in Jinja, translated with gettext, plain text (UIX-02, UIX-09).

The first line of a template is the subject. The rest is the body, which must set `reason`, the sentence that says why
the reader gets this mail; it stands below every mail, with the office and the address of this installation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from gateway.i18n import translations

TEMPLATES: Final = Path(__file__).parent / "templates"
LAYOUT: Final = "_layout.txt"
SUBJECT_LENGTH_MAX: Final = 150
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\s]+")
_BLANK_LINES: Final = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class Writing:
    """A mail as people read it."""

    subject: str
    text: str


def write(template: str, language: str, parameters: Mapping[str, str], *, office_name: str, base_url: str) -> Writing:
    """Fill a template; a parameter that the template names and nobody gives is an error of ours.

    Line breaks and control characters of parameters cannot leave the subject, which becomes a header.
    """
    subject_template, body_template = _templates(template, language)
    given = {**parameters, "office_name": office_name, "base_url": base_url}
    subject = one_line(subject_template.render(given))[:SUBJECT_LENGTH_MAX]
    body = body_template.make_module(given)
    reason = str(getattr(body, "reason", "")).strip()
    assert reason, f"the template {template} does not say why the mail is sent"
    text = _environment(language).get_template(LAYOUT).render(given, body=str(body).strip(), reason=reason)
    return Writing(subject=subject, text=_BLANK_LINES.sub("\n\n", text).strip() + "\n")


def one_line(text: str) -> str:
    """The text as a header may hold it: line breaks and control characters become spaces."""
    return _CONTROL.sub(" ", text).strip()


def names() -> list[str]:
    """Every template there is."""
    return sorted(path.stem for path in TEMPLATES.glob("*.txt") if path.name != LAYOUT)


@cache
def _templates(template: str, language: str) -> tuple[Template, Template]:
    environment = _environment(language)
    subject, _, body = (TEMPLATES / f"{template}.txt").read_text().partition("\n")
    return environment.from_string(subject), environment.from_string(body)


@cache
def _environment(language: str) -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=False,  # noqa: S701  plain text: an escaped name would be read as it is written
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]  # the i18n extension adds it
    return made

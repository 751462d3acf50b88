"""Texts in nl, fr, en and de.

English is the language of the source: a text is its own message id. The catalogues are gettext `.po` files, compiled in
memory when the process starts. `_` marks a text for extraction where it is written but not yet translated.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from typing import Any, Final

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES: Final = ("nl", "fr", "en", "de")
SOURCE_LANGUAGE: Final = "en"


@cache
def translations(language: str) -> NullTranslations:
    """The catalogue of a language; English and unknown languages give the source texts."""
    if language == SOURCE_LANGUAGE or language not in LANGUAGES:
        return NullTranslations()
    source = files("gateway.i18n") / "catalogues" / f"{language}.po"
    with source.open("rb") as file:
        catalogue = read_po(file, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)


def translate(language: str, text: str) -> str:
    """The text in that language; the English one when the text is empty or not translated."""
    return translations(language).gettext(text) if text else ""


def sentence(language: str, text: str, parameters: Mapping[str, Any]) -> str:
    """As `translate`, its `{places}` filled; a text without parameters may hold braces of its own."""
    translated = translate(language, text)
    return translated.format_map(_Missing(parameters)) if parameters else translated


class _Missing(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return f"<{key}>"


def _(text: str) -> str:
    """Mark a text for extraction."""
    return text


def choose(accept_language: str | None, default: str) -> str:
    """The best of our languages for an `Accept-Language` header, else `default`. Source: RFC 9110 §12.5.4."""
    best, best_weight = default, Decimal(0)
    for part in (accept_language or "").split(","):
        tag, _separator, parameters = part.strip().partition(";")
        language = tag.split("-")[0].strip().lower()
        weight = Decimal(1)
        if parameters.strip().startswith("q="):
            try:
                weight = Decimal(parameters.strip()[2:])
            except InvalidOperation:
                continue
            if not weight.is_finite():
                continue
        if language in LANGUAGES and weight > best_weight:
            best, best_weight = language, weight
    return best

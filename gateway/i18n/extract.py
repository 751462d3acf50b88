"""Collects every text people read and keeps the catalogues complete: `python -m gateway.i18n.extract --check|--update`.

Texts come from the templates, from calls of `_` and `ngettext`, from faults of fields, from the class attributes of
every `GatewayError`, and from the findings of `sepa`. `--update` adds what is new (untranslated) and drops what is no
longer used; `--check` names what is missing, unused or broken and exits with 1.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import io
import pkgutil
import re
import string
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

import gateway
from gateway.errors import GatewayError
from gateway.i18n import LANGUAGES, SOURCE_LANGUAGE
from sepa.findings import CATALOGUE

CATALOGUES: Final = Path(__file__).parent / "catalogues"
PACKAGE: Final = Path(gateway.__file__).parent
TARGETS: Final = tuple(language for language in LANGUAGES if language != SOURCE_LANGUAGE)

Text = str | tuple[str, str]
"""A message id; a pair where number decides (singular, plural)."""

PLURALS: Final = {
    "nl": "nplurals=2; plural=(n != 1);",
    "fr": "nplurals=2; plural=(n > 1);",
    "de": "nplurals=2; plural=(n != 1);",
}
"""Said here, since newer locale data adds a form for whole millions in French, which nothing of ours counts to."""

_PERCENT: Final = re.compile(r"%\((\w+)\)[sd]")
_FAULTS: Final = frozenset({"FieldFault", "Hindrance"})
"""Values whose third and fourth parts are a sentence and a remedy."""
_NO_WORDS: Final = re.compile(r"\{\w+\}|[\W\d_]")
"""What may surround words; a text of nothing else has nothing to translate."""
_OPTIONS: Final = {"trim_blocks": "true", "lstrip_blocks": "true", "trimmed": "true", "newstyle": "true"}


def collect() -> list[Text]:
    """Every text with a place to be translated, sorted."""
    found: set[Text] = set()
    found.update(_template_texts())
    for path in sorted(PACKAGE.rglob("*.py")):
        found.update(_source_texts(ast.parse(path.read_text())))
    found.update(_error_texts())
    for finding in CATALOGUE.values():
        found.update((finding.text, finding.hint))
    return sorted((text for text in found if _NO_WORDS.sub("", _key(text))), key=_key)


def catalogue(language: str) -> Catalog:
    """The stored catalogue."""
    with (CATALOGUES / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def faults(language: str, texts: Iterable[Text]) -> list[str]:
    """What is missing, unused or broken in a catalogue; empty when all is well."""
    stored = {_key(message.id): message for message in catalogue(language) if message.id}
    wanted = {_key(text): text for text in texts}
    found = [f"{language}: no longer used: {key!r}" for key in stored if key not in wanted]
    for key, text in wanted.items():
        message = stored.get(key)
        forms = [] if message is None else _forms(message)
        if not forms or not all(forms) or message is None or message.fuzzy:
            found.append(f"{language}: not translated: {key!r}")
        elif any(_places(form) != _places(_longest(text)) for form in forms[-1:]):
            found.append(f"{language}: other parameters than the source: {key!r}")
    return found


def update(language: str, texts: Iterable[Text]) -> None:
    """Write the catalogue anew: known translations kept, new texts empty, unused ones dropped."""
    path = CATALOGUES / f"{language}.po"
    known = {_key(message.id): message for message in catalogue(language) if message.id} if path.exists() else {}
    made = Catalog(locale=language, domain="sluis", project="Sluis", version="", fuzzy=False, charset="utf-8")
    made.mime_headers = [("Plural-Forms", PLURALS[language])]
    for text in texts:
        message = known.get(_key(text))
        fits = message is not None and isinstance(message.id, tuple | list) == isinstance(text, tuple)
        made.add(text, message.string if message is not None and fits else None)
    buffer = io.BytesIO()
    write_po(buffer, made, width=120, omit_header=True, no_location=True)
    path.write_bytes(_header(made) + buffer.getvalue())


def _header(made: Catalog) -> bytes:
    """What gettext needs and nothing that changes with the day, so that a catalogue differs only in its texts."""
    lines = [
        'msgid ""',
        'msgstr ""',
        '"MIME-Version: 1.0\\n"',
        '"Content-Type: text/plain; charset=utf-8\\n"',
        '"Content-Transfer-Encoding: 8bit\\n"',
        f'"Language: {made.locale_identifier}\\n"',
        f'"Plural-Forms: {made.plural_forms}\\n"',
    ]
    return ("\n".join(lines) + "\n\n").encode()


def _template_texts() -> Iterator[Text]:
    pages = sorted((PACKAGE / "web" / "templates").rglob("*.html"))
    mails = sorted((PACKAGE / "notices" / "templates").glob("*.txt"))
    for path in (*pages, *mails):
        with path.open("rb") as file:
            for _line, _function, message, _comments in babel_extract(file, ("_", "gettext", "ngettext"), (), _OPTIONS):
                if isinstance(message, str):
                    yield message
                elif message is not None:
                    strings = [part for part in message if isinstance(part, str)]
                    yield (strings[0], strings[1]) if len(strings) > 1 else strings[0]


def _source_texts(tree: ast.AST) -> Iterator[Text]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        literals = [part.value if isinstance(part, ast.Constant) else None for part in node.args]
        named = {word.arg: word.value.value for word in node.keywords if isinstance(word.value, ast.Constant)}
        if name == "_" and literals and isinstance(literals[0], str):
            yield literals[0]
        elif name == "ngettext" and len(literals) > 1 and isinstance(literals[0], str) and isinstance(literals[1], str):
            yield (literals[0], literals[1])
        elif name in _FAULTS:
            for text in (*literals[2:4], named.get("detail"), named.get("hint")):
                if isinstance(text, str):
                    yield text


def _error_texts() -> Iterator[str]:
    for module in pkgutil.walk_packages(gateway.__path__, "gateway."):
        if not module.name.rpartition(".")[2].startswith("__") and "migrations" not in module.name:
            importlib.import_module(module.name)
    for kind in _subclasses(GatewayError):
        if kind.__module__.startswith("gateway."):
            yield from (kind.title, kind.detail, kind.hint)


def _subclasses(kind: type[GatewayError]) -> Iterator[type[GatewayError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _subclasses(child)


def _key(text: object) -> str:
    return str(text[0]) if isinstance(text, tuple | list) else str(text)


def _longest(text: Text) -> str:
    return text[1] if isinstance(text, tuple) else text


def _forms(message: Message) -> list[str]:
    given = message.string
    return [form or "" for form in given] if isinstance(given, tuple | list) else [given or ""]


def _places(text: str) -> set[str]:
    """The parameters of a text, `%(name)s` or `{name}`."""
    braces: set[str] = set()
    if "%(" not in text:
        try:
            braces = {name for _, name, _, _ in string.Formatter().parse(text) if name}
        except ValueError:
            return {text}
    return braces | set(_PERCENT.findall(text))


def main(arguments: list[str] | None = None) -> int:
    """0 when the catalogues are complete, 1 when not."""
    parser = argparse.ArgumentParser(prog="python -m gateway.i18n.extract", description="Keep the catalogues complete.")
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--check", action="store_true", help="name what is missing, unused or broken")
    mode.add_argument("--update", action="store_true", help="add new texts, drop unused ones, then check")
    chosen = parser.parse_args(arguments)
    texts = collect()
    if chosen.update:
        for language in TARGETS:
            update(language, texts)
    found = [fault for language in TARGETS for fault in faults(language, texts)]
    sys.stdout.write("".join(f"{fault}\n" for fault in found) + f"{len(texts)} texts, {len(found)} faults\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

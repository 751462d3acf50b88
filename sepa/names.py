"""Whether two names are the same for people: case, accents, punctuation, legal form and a slip of the pen do not count.

Source: requirement PAY-09. The order of words counts, since a name is compared as it is written.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LETTERS_PER_EDIT: Final = 8
"""One letter more, less or other per so many of the shorter name."""

LEGAL_FORMS: Final = frozenset(
    {
        # Belgium, in Dutch, French and German; former names too, since registers and banks still show them.
        "bv", "srl", "nv", "sa", "vof", "snc", "commv", "scomm", "cv", "sc", "vzw", "asbl", "ivzw", "aisbl",
        "bvba", "sprl", "ebvba", "sprlu", "cvba", "scrl", "cvoa", "scri", "gcv", "scs", "cva", "sca", "voe",
        "ag", "gmbh", "vog", "kg", "ohg", "ek", "se", "eg",
        # Neighbours.
        "sas", "sasu", "sarl", "eurl", "sarls", "ug", "ltd", "plc", "llp",
    }
)  # fmt: skip
"""As tokens without points; `B.V.` and `Comm.V.` are read as `bv` and `commv`."""

LEGAL_PHRASES: Final = (
    ("besloten", "vennootschap"),
    ("naamloze", "vennootschap"),
    ("commanditaire", "vennootschap"),
    ("vennootschap", "onder", "firma"),
    ("cooperatieve", "vennootschap"),
    ("societe", "a", "responsabilite", "limitee"),
    ("societe", "anonyme"),
    ("societe", "en", "commandite"),
    ("societe", "en", "nom", "collectif"),
    ("societe", "cooperative"),
    ("vereniging", "zonder", "winstoogmerk"),
    ("association", "sans", "but", "lucratif"),
)

_JOINED: Final = re.compile(r"[.'’]")
_APART: Final = re.compile(r"[^0-9a-z\u0080-\U0010ffff]+")


def plain_name(name: str) -> str:
    """The letters and digits of a name, without case and accents; empty for one that is only signs."""
    return "".join(character for character in _folded(name) if character.isalnum())


def is_near_name(left: str, right: str) -> bool:
    """Whether they name the same holder: equal but for what does not count, or one edit per eight letters.

    A name that is only signs is near to none.
    """
    one, other = _bare(left), _bare(right)
    if not one or not other:
        return False
    return one == other or _within(one, other, min(len(one), len(other)) // LETTERS_PER_EDIT)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKD", name).casefold()


def _bare(name: str) -> str:
    """The plain name without the legal form at either end."""
    folded = "".join(character for character in _folded(name) if not unicodedata.combining(character))
    words = tuple(word for word in _APART.split(_JOINED.sub("", folded)) if word)
    while (shorter := _without_form(words)) != words:
        words = shorter
    return plain_name("".join(words))


def _without_form(words: tuple[str, ...]) -> tuple[str, ...]:
    if len(words) > 1 and words[-1] in LEGAL_FORMS:
        return words[:-1]
    if len(words) > 1 and words[0] in LEGAL_FORMS:
        return words[1:]
    for phrase in LEGAL_PHRASES:
        size = len(phrase)
        if len(words) > size and words[-size:] == phrase:
            return words[:-size]
        if len(words) > size and words[:size] == phrase:
            return words[size:]
    return words


def _within(left: str, right: str, edits_max: int) -> bool:
    """Whether so many single letters, inserted, removed or changed, make one of the other (Levenshtein)."""
    if abs(len(left) - len(right)) > edits_max:
        return False
    row = list(range(len(right) + 1))
    for index, letter in enumerate(left, start=1):
        above, row[0] = row[0], index
        for place, other in enumerate(right, start=1):
            above, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, above + (letter != other))
        if min(row) > edits_max:
            return False
    return row[-1] <= edits_max

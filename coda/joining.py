"""How readers in use join the parts of a communication: what a user of that software sees.

`Movement.communication` runs on over the parts at their full width, which is what the standard says. Other readers
differ at the seams (columns 53 and 106 of a movement, 73 and 178 of information). Source: their published code;
descriptions in docs/coda/importers.md.
"""

from collections.abc import Callable, Mapping

from coda.model import Information, Movement
from coda.text import INFORMATION_WIDTHS, MOVEMENT_WIDTHS, cut_columns


def pycoda(item: Movement | Information) -> str:
    """As pycoda 1.1.0, under the OCA bank statement import, joins it.

    In every part repeated blanks become one; parts of a movement get one blank between them, those of information none.
    Of a record 32 only the first 90 of the 105 columns are read. A structured communication of any type begins with
    its first twelve characters as `+++123/4567/89002+++`; the rest of record 21 is lost.
    """
    first, second, third = parts(item)
    if isinstance(item, Information):
        return _single(first) + _single(second[:90]) + _single(third)
    if item.communication_type is not None:
        digits = item.communication[:12].ljust(12)
        first = f"+++{digits[:3]}/{digits[3:7]}/{digits[7:]}+++"
    else:
        first = _single(first)
    return " ".join(part for part in (first, _single(second), _single(third)) if part)


def noviat(item: Movement | Information) -> str:
    """As Noviat's l10n_be_coda_advanced joins it: every part loses the blanks at its end, nothing comes between."""
    return "".join(part.rstrip() for part in parts(item))


def febelfin_coda(item: Movement | Information) -> str:
    """As febelfin-coda 0.5.0, the reader under Tryton, joins it: the parts as they stand.

    Of a structured communication it gives the payer's part: the reference of 100 (padded), 101, 102, 103 and 105, the
    communication of 127; nothing of the other types it knows. Of information it gives the text of type 002 only.
    """
    text = "".join(parts(item))
    kind = item.communication_type
    if isinstance(item, Information):
        return text[3:] if kind == "002" else ""
    if kind is None:
        return text.rstrip()
    spans = {"100": (3, None), "101": (3, 15), "102": (3, 15), "103": (3, 15), "105": (48, 60), "127": (82, 144)}
    if kind in spans:
        found = text[slice(*spans[kind])]
        return found if kind in ("100", "127") else found.rstrip()
    return "" if kind in _SILENT else text[1:]


def business_central(item: Movement | Information) -> str:
    """As Business Central joins it: the parts as they stand, after each other; the type is a field of its own."""
    return item.communication.rstrip()


READERS: Mapping[str, Callable[[Movement | Information], str]] = {
    "pycoda": pycoda,
    "noviat": noviat,
    "febelfin_coda": febelfin_coda,
    "business_central": business_central,
}


# Types of which febelfin-coda gives no communication.
_SILENT = ("106", "108", "111", "113", "114", "115", "121", "122", "123", "124", "125", "126")


def parts(item: Movement | Information) -> tuple[str, ...]:
    """The communication as its three records hold it, at full width, the three digits of a type included."""
    widths = MOVEMENT_WIDTHS if isinstance(item, Movement) else INFORMATION_WIDTHS
    text = (item.communication_type or "") + item.communication
    return tuple(part.ljust(width) for part, width in zip(cut_columns(text, widths), widths, strict=True))


def _single(text: str) -> str:
    return " ".join(text.split())
